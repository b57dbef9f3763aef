//! Decides what a run will do before it does anything: tasks, skips with their sentence, and failures of what
//! must work and cannot.
//!
//! Pure: the same suites, facts, catalogue, filter, and packages give the same plan, byte for byte.

mod filter;
mod package;
mod platform;
mod requirement;
mod subject;

use cudacheck_model::catalogue::Catalogue;
use cudacheck_model::compat;
use cudacheck_model::facts::{Device, MachineFacts};
use cudacheck_model::library::{Subject, Subjects};
use cudacheck_model::outcome::{MachineFault, SkipReason};
use cudacheck_model::plan::{Plan, Planned, PlannedFailure, PlannedSkip};
use cudacheck_model::suite::{Case, Check, Devices, Limits, Suite};
use cudacheck_model::task::TaskId;

pub use filter::{DeviceFilter, Filter, PackageGiven};
pub use package::{Packages, asks_for_files, packages};
pub use platform::platform;
pub(crate) use requirement::within;

/// Expands suites into one task for each case, library, and device, and one skip for each that cannot be judged here.
///
/// On a machine that offers no usable device every case that needs one becomes a skip with the machine's fault as
/// its sentence.
pub fn plan(
    suites: &[Suite],
    facts: &MachineFacts,
    catalogue: &Catalogue,
    filter: &Filter,
    packages: &Packages,
    subjects: &Subjects,
) -> Plan {
    let devices: Vec<(usize, &Device)> = filter.devices.of(&facts.devices);
    let nothing = obstacle(facts).map(|fault| fault.map_or_else(no_device, |it| it.to_string()));
    let nothing = nothing.or_else(|| {
        devices
            .is_empty()
            .then(|| format!("no device matches {}", filter.devices))
    });
    let mut expansion = Expansion {
        facts,
        catalogue,
        devices,
        nothing,
        machine: package::working(facts),
        plan: Plan::default(),
    };
    for suite in suites {
        let examined = packages.get(&suite.name);
        for case in suite.cases.iter().filter(|case| filter.takes(case)) {
            match subject::of_case(case, filter, subjects) {
                Err(reason) => expansion.skip(suite, case, None, None, reason),
                Ok(found) => {
                    for subject in found {
                        expansion.case(suite, case, examined, subject);
                    }
                }
            }
        }
    }
    expansion.plan
}

/// What a case is expanded with.
struct Expansion<'a> {
    facts: &'a MachineFacts,
    catalogue: &'a Catalogue,
    devices: Vec<(usize, &'a Device)>,
    /// Why no device can be used.
    nothing: Option<String>,
    machine: compat::Machine,
    plan: Plan,
}

impl<'a> Expansion<'a> {
    /// One case, on the files of one library if it is about a library.
    fn case(
        &mut self,
        suite: &Suite,
        case: &Case,
        examined: Option<&compat::Package>,
        subject: Option<&Subject>,
    ) {
        if let Some(reason) = subject.and_then(|subject| subject::unknown(case, subject)) {
            return self.skip(suite, case, subject, None, reason);
        }
        if !case.check.needs_device() {
            self.plan.tasks.push(task(suite, case, subject, None));
            return;
        }
        if let Some(because) = &self.nothing {
            let reason = SkipReason::NoDevice {
                because: because.clone(),
            };
            return self.skip(suite, case, subject, None, reason);
        }
        let (alone, beside) = self.split(case);
        for (index, device) in alone {
            let mut here = task(suite, case, subject, Some((index, device)));
            here.beside.clone_from(&beside);
            let refused = || package::refusal(examined?, &self.machine, index);
            // Who limits a suite to some machines promises nothing of the others. A package that cannot
            // work where its suite belongs is worse news than a kernel that has nothing to run on.
            let reason = match requirement::of_suite(suite, case, device, self.facts) {
                Some(reason) => Some(reason),
                None => match refused() {
                    Some(answer) if must_run(suite) => {
                        let name = here.package.as_deref().unwrap_or_default();
                        let finding = package::finding(name, answer);
                        self.plan.failures.push(PlannedFailure {
                            task: here,
                            finding,
                        });
                        continue;
                    }
                    Some(answer) => Some(package::reason(answer)),
                    None => requirement::of_check(case, device, self.facts, self.catalogue),
                },
            };
            match reason {
                Some(reason) => self.skip(suite, case, subject, Some(device), reason),
                None => self.plan.tasks.push(here),
            }
        }
    }

    /// The devices on each of which a case is run, and those that each run sees besides.
    fn split(&self, case: &Case) -> (Vec<(usize, &'a Device)>, Vec<usize>) {
        match (&case.check, self.devices.split_first()) {
            (Check::Library(check), Some((first, others))) if check.devices == Devices::All => {
                let others = others.iter().map(|(index, _)| *index);
                (vec![*first], others.collect())
            }
            (
                Check::Library(_) | Check::Kernel(_) | Check::Linkage(_) | Check::Tester(_),
                Some(_) | None,
            ) => (self.devices.clone(), Vec::new()),
        }
    }

    fn skip(
        &mut self,
        suite: &Suite,
        case: &Case,
        subject: Option<&Subject>,
        device: Option<&Device>,
        reason: SkipReason,
    ) {
        self.plan.skips.push(PlannedSkip {
            id: id(suite, case, subject, device),
            package: suite.package.as_ref().map(|package| package.name.clone()),
            reason,
        });
    }
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

fn id(suite: &Suite, case: &Case, subject: Option<&Subject>, device: Option<&Device>) -> TaskId {
    TaskId {
        suite: suite.name.clone(),
        case: case.name.clone(),
        subject: subject.and_then(|subject| subject.label.clone()),
        device: device.map(|device| device.ordinal),
    }
}

fn task(
    suite: &Suite,
    case: &Case,
    subject: Option<&Subject>,
    device: Option<(usize, &Device)>,
) -> Planned {
    let own = case.limits.clone().unwrap_or_default();
    let limits: Limits = own.or(&suite.limits);
    Planned {
        id: id(suite, case, subject, device.map(|(_, device)| device)),
        case: case.clone(),
        package: suite.package.as_ref().map(|package| package.name.clone()),
        limits,
        device: device.map(|(index, _)| index),
        beside: Vec::new(),
        subject: subject.cloned(),
        must_run: must_run(suite),
    }
}

#[cfg(test)]
mod tests;
