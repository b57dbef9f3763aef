//! The lines about the machine before the first case.

use std::io::Write;

use cudacheck_model::facts::{Device, MachineFacts};

use super::sink::{Hue, Sink};
use crate::{text, words};

pub(super) fn tell<W: Write>(sink: &mut Sink<W>, facts: &MachineFacts) {
    sink.prose("Machine", Hue::Good, &machine(facts));
    for device in &facts.devices {
        let line = describe(device, facts.simulated.as_deref());
        sink.prose(&format!("Device {}", device.ordinal), Hue::Good, &line);
    }
    for fault in &facts.faults {
        sink.prose("FAULT", Hue::Fault, &text::one_line(fault.to_string()));
    }
}

fn machine(facts: &MachineFacts) -> String {
    let simulated = facts
        .simulated
        .as_ref()
        .map(|profile| format!("simulated {profile}"));
    let parts = [
        facts.host.name.clone(),
        simulated,
        Some(words::driver(facts)),
        words::jetson(facts),
        facts.host.distribution.clone(),
        facts.host.wsl.then(|| "WSL".to_owned()),
    ];
    let parts = parts.into_iter().flatten().map(text::one_line);
    parts.collect::<Vec<_>>().join(" · ")
}

fn describe(device: &Device, simulated: Option<&str>) -> String {
    let sm = device.compute_capability.sm();
    let main = format!(
        "{}, {sm}, {}",
        device.name,
        words::memory(device.memory_bytes)
    );
    // `GPU-` and eight digits tell devices of one machine apart.
    let uuid = device
        .uuid
        .as_ref()
        .map(|uuid| uuid.chars().take(12).collect());
    let mig = device.mig.unwrap_or(false).then(|| "MIG".to_owned());
    let parts = [
        Some(main),
        mig,
        uuid,
        simulated.map(|_| "simulated".to_owned()),
    ];
    let parts = parts.into_iter().flatten().map(text::one_line);
    parts.collect::<Vec<_>>().join(" · ")
}
