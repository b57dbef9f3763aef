//! The properties of a suite: what a reader must know to tell two runs apart. No environment, no secrets.

use cudacheck_model::facts::{Device, MachineFacts, ModuleFlavour};

use super::record::Record;
use super::{JUNIT_SCHEMA, attribute};

type Properties = Vec<(String, String)>;

/// Of the run: the same for all its suites.
pub(super) fn of_run(record: &Record<'_>) -> Properties {
    let mut list = vec![("cudacheck.schema".to_owned(), JUNIT_SCHEMA.to_string())];
    let mut put = |name: &str, value: Option<String>| {
        list.extend(value.map(|value| (name.to_owned(), attribute(value))));
    };
    if let Some(started) = record.started {
        put("cudacheck.run-id", Some(started.run_id.clone()));
        put("cudacheck.version", Some(started.version.clone()));
        put("cudacheck.seed", Some(started.seed.to_string()));
        for (index, fault) in started.injected.iter().enumerate() {
            put(&format!("cudacheck.injected.{index}"), Some(fault.clone()));
        }
    }
    let unnamed = Some(record.unnamed()).filter(|unnamed| *unnamed > 0);
    put(
        "cudacheck.cases-missing",
        unnamed.map(|unnamed| unnamed.to_string()),
    );
    put(
        "cudacheck.simulated",
        record.simulated().map(|_| "true".to_owned()),
    );
    put("cudacheck.profile", record.simulated().map(str::to_owned));
    if let Some(facts) = record.facts {
        put(
            "driver.version",
            facts.driver.version().map(ToString::to_string),
        );
        put("driver.kind", kind(facts).map(str::to_owned));
        put(
            "cuda.driver",
            facts.driver.cuda.map(|cuda| cuda.to_string()),
        );
        put("host.kernel", facts.host.kernel.clone());
        put("host.distribution", facts.host.distribution.clone());
        put(
            "jetson.l4t",
            facts.jetson.as_ref().and_then(|jetson| jetson.l4t.clone()),
        );
        put(
            "jetson.jetpack",
            facts
                .jetson
                .as_ref()
                .and_then(|jetson| jetson.jetpack.clone()),
        );
        for (index, fault) in facts.faults.iter().enumerate() {
            put(&format!("machine.fault.{index}"), Some(fault.to_string()));
        }
    }
    list
}

/// Of the device of a suite, or of all if it needs none.
pub(super) fn of_devices(record: &Record<'_>, slot: Option<u32>) -> Properties {
    let devices = record
        .facts
        .map(|facts| facts.devices.as_slice())
        .unwrap_or_default();
    let wanted = devices
        .iter()
        .filter(|device| slot.is_none_or(|slot| slot == device.ordinal));
    let mut list: Properties = wanted.flat_map(of_device).collect();
    let withdrawn = record
        .withdrawn
        .iter()
        .filter(|(device, _)| slot.is_none_or(|slot| slot == *device));
    list.extend(withdrawn.map(|(device, fault)| {
        (
            format!("gpu.{device}.withdrawn"),
            attribute(fault.to_string()),
        )
    }));
    list
}

fn of_device(device: &Device) -> Properties {
    let on = |value: bool| if value { "on" } else { "off" }.to_owned();
    let values = [
        ("name", Some(device.name.clone())),
        ("uuid", device.uuid.clone()),
        ("sm", Some(device.compute_capability.sm())),
        ("memory-mib", Some((device.memory_bytes >> 20).to_string())),
        ("pci", device.pci.clone()),
        ("ecc", device.ecc.map(on)),
        ("mig", device.mig.map(on)),
    ];
    let known = values
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    known
        .map(|(name, value)| (format!("gpu.{}.{name}", device.ordinal), attribute(value)))
        .collect()
}

fn kind(facts: &MachineFacts) -> Option<&'static str> {
    facts
        .driver
        .kernel_module
        .as_ref()
        .map(|module| match module.flavour {
            ModuleFlavour::Open => "open",
            ModuleFlavour::Proprietary => "proprietary",
        })
}
