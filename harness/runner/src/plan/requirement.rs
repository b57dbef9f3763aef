//! Compares what a suite, a case, and a kernel need with what a machine and a device are.

use cudacheck_model::catalogue::{Catalogue, KernelNeeds, newest_ptx_isa};
use cudacheck_model::facts::{Device, MachineFacts};
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::suite::{CapabilityBounds, Case, Check, Requires, Suite};
use cudacheck_model::version::ComputeCapability;

use super::platform;

const MIB: u64 = 1024 * 1024;

/// The first thing that is missing of what was written down, the suite's needs before the case's.
pub(super) fn of_suite(
    suite: &Suite,
    case: &Case,
    device: &Device,
    facts: &MachineFacts,
) -> Option<SkipReason> {
    let own = || {
        let requires = case.requires.as_ref()?;
        required(requires, device, facts)
    };
    required(&suite.requires, device, facts).or_else(own)
}

/// The first thing that is missing of what the check itself needs.
pub(super) fn of_check(
    case: &Case,
    device: &Device,
    facts: &MachineFacts,
    catalogue: &Catalogue,
) -> Option<SkipReason> {
    match &case.check {
        Check::Kernel(check) => match catalogue.kernel(&check.name) {
            Some(needs) => kernel(needs, device, facts),
            None => unknown(format!("what the kernel `{}` needs", check.name)),
        },
        Check::Linkage(_) | Check::Library(_) | Check::Tester(_) => None,
    }
}

fn required(requires: &Requires, device: &Device, facts: &MachineFacts) -> Option<SkipReason> {
    on_platform(requires, facts)
        .or_else(|| driver(requires, facts))
        .or_else(|| cuda(requires, facts))
        .or_else(|| devices(requires, facts))
        .or_else(|| capability(requires, device))
        .or_else(|| memory(requires, device))
}

fn on_platform(requires: &Requires, facts: &MachineFacts) -> Option<SkipReason> {
    if requires.platform.is_empty() {
        return None;
    }
    let Some(has) = platform::platform(facts) else {
        return unknown("the machine's platform");
    };
    if requires.platform.contains(&has) {
        return None;
    }
    let needs: Vec<_> = requires
        .platform
        .iter()
        .map(|it| platform::name(*it))
        .collect();
    Some(SkipReason::Platform {
        needs: needs.join(" or "),
        has: platform::name(has).to_owned(),
    })
}

fn driver(requires: &Requires, facts: &MachineFacts) -> Option<SkipReason> {
    let needs = requires.driver.as_ref()?;
    let Some(has) = facts.driver.version() else {
        return unknown("the driver's version");
    };
    (has < needs).then(|| SkipReason::DriverVersion {
        needs: needs.clone(),
        has: has.clone(),
    })
}

fn cuda(requires: &Requires, facts: &MachineFacts) -> Option<SkipReason> {
    let needs = requires.cuda?;
    let Some(has) = facts.driver.cuda else {
        return unknown("the CUDA version that the driver supports");
    };
    (has < needs).then_some(SkipReason::CudaVersion { needs, has })
}

fn devices(requires: &Requires, facts: &MachineFacts) -> Option<SkipReason> {
    let needs = requires.devices?;
    let has = u32::try_from(facts.devices.len()).unwrap_or(u32::MAX);
    (has < needs).then_some(SkipReason::Devices { needs, has })
}

fn capability(requires: &Requires, device: &Device) -> Option<SkipReason> {
    let bounds = requires.compute_capability.as_ref()?;
    let has = device.compute_capability;
    (!within(bounds, has)).then(|| SkipReason::CapabilityBounds {
        needs: written(bounds),
        has,
    })
}

fn memory(requires: &Requires, device: &Device) -> Option<SkipReason> {
    let needs = requires.memory_mib?;
    let has = device.memory_bytes / MIB;
    (has < needs).then_some(SkipReason::Memory { needs, has })
}

fn kernel(needs: &KernelNeeds, device: &Device, facts: &MachineFacts) -> Option<SkipReason> {
    let has = device.compute_capability;
    if !needs.target.ptx_runs_on(has) {
        let needs = needs.target;
        return Some(SkipReason::Capability { needs, has });
    }
    let Some(newest) = facts.driver.cuda.and_then(newest_ptx_isa) else {
        return unknown("the PTX ISA that the driver knows");
    };
    if newest < needs.isa {
        let (needs, has) = (needs.isa, newest);
        return Some(SkipReason::PtxIsa { needs, has });
    }
    let mut attributes = needs.attributes.iter();
    attributes.find_map(|need| match device.attributes.get(&need.number) {
        None => unknown(format!("the device's {}", need.name)),
        Some(has) => (*has < need.at_least).then(|| SkipReason::Attribute {
            attribute: need.name.clone(),
            needs: need.at_least,
            has: *has,
        }),
    })
}

fn unknown(what: impl Into<String>) -> Option<SkipReason> {
    Some(SkipReason::UnknownFact { what: what.into() })
}

/// Whether a capability lies within bounds.
pub(crate) fn within(bounds: &CapabilityBounds, has: ComputeCapability) -> bool {
    bounds.min.is_none_or(|min| has >= min) && bounds.max.is_none_or(|max| has <= max)
}

fn written(bounds: &CapabilityBounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) if min == max => min.to_string(),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or higher"),
        (None, Some(max)) => format!("{max} or lower"),
        (None, None) => "of any number".to_owned(),
    }
}
