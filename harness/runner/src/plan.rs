//! Decides what a run will do before it does anything: tasks, skips with their sentence, and failures of what
//! must work and cannot.
//!
//! Pure: the same suites, facts, catalogue, filter, and packages give the same plan, byte for byte.

mod filter;
mod package;
mod platform;
mod requirement;

use cudacheck_model::catalogue::Catalogue;
use cudacheck_model::facts::{Device, MachineFacts};
use cudacheck_model::outcome::{MachineFault, SkipReason};
use cudacheck_model::plan::{Plan, Planned, PlannedFailure, PlannedSkip};
use cudacheck_model::suite::{Case, Limits, Suite};
use cudacheck_model::task::TaskId;

pub use filter::{DeviceFilter, Filter, PackageGiven};
pub use package::{Packages, asks_for_files, packages};
pub use platform::platform;
pub(crate) use requirement::within;

/// Expands suites into one task for each case and device, and one skip for each that cannot be judged here.
///
/// On a machine that offers no usable device every case becomes a skip with the machine's fault as its
/// sentence.
pub fn plan(
    suites: &[Suite],
    facts: &MachineFacts,
    catalogue: &Catalogue,
    filter: &Filter,
    packages: &Packages,
) -> Plan {
    let mut plan = Plan::default();
    let devices: Vec<(usize, &Device)> = filter.devices.of(&facts.devices);
    let nothing = obstacle(facts).map(|fault| fault.map_or_else(no_device, |it| it.to_string()));
    let nothing = nothing.or_else(|| {
        devices
            .is_empty()
            .then(|| format!("no device matches {}", filter.devices))
    });
    let machine = package::working(facts);
    for suite in suites {
        let examined = packages.get(&suite.name);
        for case in suite.cases.iter().filter(|case| filter.takes(case)) {
            if !case.check.needs_device() {
                match filter.package {
                    PackageGiven::Yes => plan.tasks.push(task(suite, case, None)),
                    PackageGiven::No => {
                        plan.skips
                            .push(skip(suite, case, None, SkipReason::NoPackage));
                    }
                }
                continue;
            }
            if let Some(because) = &nothing {
                let reason = SkipReason::NoDevice {
                    because: because.clone(),
                };
                plan.skips.push(skip(suite, case, None, reason));
                continue;
            }
            for (index, device) in &devices {
                let here = task(suite, case, Some((*index, device)));
                let refused = || package::refusal(examined?, &machine, *index);
                // Who limits a suite to some machines promises nothing of the others. A package that cannot
                // work where its suite belongs is worse news than a kernel that has nothing to run on.
                let reason = match requirement::of_suite(suite, case, device, facts) {
                    Some(reason) => Some(reason),
                    None => match refused() {
                        Some(answer) if must_run(suite) => {
                            let name = here.package.as_deref().unwrap_or_default();
                            let finding = package::finding(name, answer);
                            plan.failures.push(PlannedFailure {
                                task: here,
                                finding,
                            });
                            continue;
                        }
                        Some(answer) => Some(package::reason(answer)),
                        None => requirement::of_check(case, device, facts, catalogue),
                    },
                };
                match reason {
                    Some(reason) => plan.skips.push(skip(suite, case, Some(device), reason)),
                    None => plan.tasks.push(here),
                }
            }
        }
    }
    plan
}

/// What forbids any work on this machine: a fault, or no device without any fault to explain it.
///
/// A fault beside usable devices does not forbid work: NVML may refuse while CUDA runs well.
pub(crate) fn obstacle(facts: &MachineFacts) -> Option<Option<&MachineFault>> {
    let fatal = facts.faults.iter().find(|fault| {
        let hung_or_died = matches!(
            fault,
            MachineFault::ProbeTimedOut { .. } | MachineFault::ProbeDied { .. }
        );
        hung_or_died || fault.needs_attention()
    });
    match fatal {
        Some(fault) => Some(Some(fault)),
        None if facts.devices.is_empty() => Some(facts.faults.first()),
        None => None,
    }
}

fn must_run(suite: &Suite) -> bool {
    suite
        .package
        .as_ref()
        .is_some_and(|package| package.must_run)
}

fn no_device() -> String {
    MachineFault::NoDevice.to_string()
}

fn id(suite: &Suite, case: &Case, device: Option<&Device>) -> TaskId {
    TaskId {
        suite: suite.name.clone(),
        case: case.name.clone(),
        device: device.map(|device| device.ordinal),
    }
}

fn skip(suite: &Suite, case: &Case, device: Option<&Device>, reason: SkipReason) -> PlannedSkip {
    PlannedSkip {
        id: id(suite, case, device),
        package: suite.package.as_ref().map(|package| package.name.clone()),
        reason,
    }
}

fn task(suite: &Suite, case: &Case, device: Option<(usize, &Device)>) -> Planned {
    let own = case.limits.clone().unwrap_or_default();
    let limits: Limits = own.or(&suite.limits);
    Planned {
        id: id(suite, case, device.map(|(_, device)| device)),
        case: case.clone(),
        package: suite.package.as_ref().map(|package| package.name.clone()),
        limits,
        device: device.map(|(index, _)| index),
    }
}

#[cfg(test)]
mod tests;
