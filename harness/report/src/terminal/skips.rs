//! Says why cases are not run: once for each reason, since thirty lines with the same sentence hide the thirty-first.

use cudacheck_model::plan::PlannedSkip;

use crate::{text, words};

/// One line for each reason and device, in the order of their first case.
pub(super) fn grouped(skips: &[PlannedSkip], devices: usize) -> Vec<String> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for skip in skips {
        let reason = text::one_line(skip.reason.to_string());
        let group = groups
            .iter_mut()
            .find(|group| group.reason == reason && group.device == skip.id.device);
        match group {
            Some(group) => group.skips.push(skip),
            None => groups.push(Group {
                reason,
                device: skip.id.device,
                skips: vec![skip],
            }),
        }
    }
    groups.iter().map(|group| group.line(devices)).collect()
}

/// `device 1`, where there are several.
pub(super) fn device(ordinal: Option<u32>, devices: usize) -> Option<String> {
    ordinal
        .filter(|_| devices > 1)
        .map(|ordinal| format!("device {ordinal}"))
}

struct Group<'a> {
    reason: String,
    device: Option<u32>,
    skips: Vec<&'a PlannedSkip>,
}

impl Group<'_> {
    fn line(&self, devices: usize) -> String {
        let suite = &self.skips[0].id.suite;
        let what = match self.skips.as_slice() {
            [only] => format!("{suite} {}", only.id.title()),
            many if many.iter().all(|skip| skip.id.suite == *suite) => {
                format!("{} of {suite}", words::count(many.len(), "case"))
            }
            many => words::count(many.len(), "case"),
        };
        let device = device(self.device, devices).map(|device| format!(" · {device}"));
        format!(
            "{}{} · {}",
            text::one_line(what),
            device.unwrap_or_default(),
            self.reason
        )
    }
}
