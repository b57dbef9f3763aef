//! Says what a machine is, for people; `facts.json` says the same for programs.

use cudacheck_model::facts::{
    ComputeMode, Device, Library, LookupRule, MachineFacts, ModuleFlavour,
};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::outcome::Explained;

use crate::{text, words};

/// The facts as aligned lines; the first is the answer, faults come right after it.
pub fn facts_text(facts: &MachineFacts) -> String {
    let mut table = Table::default();
    for fault in &facts.faults {
        table.fault(fault);
    }
    if let Some(profile) = &facts.simulated {
        table.put(
            "simulated",
            format!("{profile}: the driver and the devices below are not real"),
        );
    }
    table.put("machine", machine(facts));
    if let Some(jetson) = words::jetson(facts) {
        let soc = facts.jetson.as_ref().and_then(|jetson| jetson.soc.clone());
        table.put("jetson", joined([Some(jetson), soc]));
    }
    table.put("driver", driver(facts));
    library(&mut table, "libcuda", facts.driver.libcuda.as_ref());
    library(&mut table, "nvml", facts.driver.nvml.as_ref());
    for passed_over in &facts.driver.passed_over {
        table.put("passed over", describe(passed_over));
    }
    for each in &facts.devices {
        device(&mut table, each, facts.simulated.as_deref());
    }
    format!("{}\n{}", answer(facts), table.text)
}

fn answer(facts: &MachineFacts) -> String {
    let simulated = if facts.simulated.is_some() {
        "simulated "
    } else {
        ""
    };
    let devices = match facts.devices.as_slice() {
        [] => "no device".to_owned(),
        [only] => format!(
            "{simulated}{} ({})",
            only.name,
            only.compute_capability.sm()
        ),
        many => words::count(many.len(), &format!("{simulated}device")),
    };
    let faults = match facts.faults.len() {
        0 => String::new(),
        number => format!("{}: ", words::count(number, "fault")),
    };
    text::one_line(format!("{faults}{devices}, {}", words::driver(facts)))
}

fn machine(facts: &MachineFacts) -> String {
    let host = &facts.host;
    joined([
        host.name.clone(),
        host.architecture.clone(),
        host.distribution.clone(),
        host.kernel.as_ref().map(|kernel| format!("Linux {kernel}")),
        host.memory_bytes.map(words::memory),
        host.wsl.then(|| "Windows Subsystem for Linux".to_owned()),
    ])
}

fn driver(facts: &MachineFacts) -> String {
    let module = facts.driver.kernel_module.as_ref().map(|module| {
        let flavour = match module.flavour {
            ModuleFlavour::Open => "open",
            ModuleFlavour::Proprietary => "proprietary",
        };
        format!("{flavour} kernel module {}", module.version)
    });
    let nvml = facts
        .driver
        .nvml_driver
        .as_ref()
        .map(|version| format!("NVML answers {version}"));
    let known = words::driver(facts);
    joined([
        Some(
            known
                .strip_prefix("driver ")
                .map_or(known.clone(), str::to_owned),
        ),
        module,
        nvml,
    ])
}

fn library(table: &mut Table, label: &str, library: Option<&Library>) {
    match library {
        None => table.put(label, "not found".to_owned()),
        Some(library) => {
            table.put(label, describe(library));
            if let Some(resolved) = &library.resolved {
                table.put("", format!("-> {}", resolved.display()));
            }
        }
    }
}

fn describe(library: &Library) -> String {
    joined([
        Some(library.path.display().to_string()),
        library.version.as_ref().map(ToString::to_string),
        Some(rule(library.found_by).to_owned()),
        library.complaint.clone(),
    ])
}

fn rule(rule: LookupRule) -> &'static str {
    match rule {
        LookupRule::Given => "named by the user",
        LookupRule::RunOpenglDriver => "NixOS's directory of drivers",
        LookupRule::Wsl => "WSL's directory of drivers",
        LookupRule::Jetson => "a directory of Jetson Linux",
        LookupRule::LdSoCache => "/etc/ld.so.cache",
        LookupRule::DefaultDirectory => "a default directory of the loader",
    }
}

fn device(table: &mut Table, device: &Device, simulated: Option<&str>) {
    let on = |name: &str, value: Option<bool>| {
        value.map(|value| format!("{name} {}", if value { "on" } else { "off" }))
    };
    let memory = words::memory(device.memory_bytes);
    let shared = if device.integrated {
        " shared with the host"
    } else {
        ""
    };
    let main = format!(
        "{}, {}, {memory}{shared}",
        device.name,
        device.compute_capability.sm()
    );
    let multiprocessors = words::count(device.multiprocessors, "multiprocessor");
    let label = format!("device {}", device.ordinal);
    table.put(
        &label,
        joined([
            Some(main),
            Some(multiprocessors),
            simulated.map(|_| "simulated".to_owned()),
        ]),
    );
    let mode = device.compute_mode.map(|mode| {
        let mode = match mode {
            ComputeMode::Default => "default",
            ComputeMode::Prohibited => "prohibited: no process may use it",
            ComputeMode::ExclusiveProcess => "exclusive: one process at a time",
        };
        format!("compute mode {mode}")
    });
    let pci = device.pci.as_ref().map(|pci| format!("PCI {pci}"));
    let more = joined([
        device.uuid.clone(),
        pci,
        on("ECC", device.ecc),
        on("MIG", device.mig),
        mode,
    ]);
    if !more.is_empty() {
        table.put("", more);
    }
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    let parts = parts.into_iter().flatten().map(text::one_line);
    parts.collect::<Vec<_>>().join(" · ")
}

/// Lines with a label each.
#[derive(Default)]
struct Table {
    text: String,
}

impl Table {
    fn put(&mut self, label: &str, value: String) {
        let line = format!("{label:<12}  {}", text::defused(&text::one_line(value)));
        self.text += &format!("{}\n", line.trim_end());
    }

    fn fault(&mut self, fault: &MachineFault) {
        self.put("fault", fault.to_string());
        for place in words::places(fault) {
            self.put("", place);
        }
        self.put("  cause", fault.cause().text().to_owned());
        self.put("  remedy", fault.remedy());
    }
}
