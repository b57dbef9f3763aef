//! Asks the rules of compatibility, before anything is run, whether the package of a suite can work on a device.

use std::collections::BTreeMap;

use cudacheck_model::compat::{self, DeviceAnswer, Machine, Prospect, Rule};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::outcome::{Cause, Class, Finding, Problem, SkipReason};
use cudacheck_model::package::PackageFacts;
use cudacheck_model::suite::Suite;

use super::filter::Filter;

/// What is known of the packages that suites examine, by the suites' names.
pub type Packages = BTreeMap<String, compat::Package>;

/// The packages of suites, from what they say of them and from the files, if these were read.
pub fn packages(suites: &[Suite], files: Option<&PackageFacts>) -> Packages {
    let known = suites.iter().filter_map(|suite| {
        let declared = suite.package.as_ref()?;
        let mut package = match files {
            Some(facts) => compat::Package::from_facts(&declared.name, facts),
            None => compat::Package::named(&declared.name),
        };
        if let Some(toolkit) = declared.toolkit {
            package.toolkit = compat::Bound::exactly(toolkit);
        } else if files.is_none() {
            return None;
        }
        Some((suite.name.clone(), package))
    });
    known.collect()
}

/// Whether anything would be asked about the files of a package: only of a suite that examines one on a device.
pub fn asks_for_files(suites: &[Suite], filter: &Filter) -> bool {
    let mut examining = suites.iter().filter(|suite| suite.package.is_some());
    examining.any(|suite| {
        let mut cases = suite.cases.iter().filter(|case| filter.takes(case));
        cases.any(|case| case.check.needs_device())
    })
}

/// A machine to ask about, whose driver and devices have shown that they work.
///
/// Faults beside usable devices forbid nothing, and a driver that runs is not of two versions that do not fit.
pub(super) fn working(facts: &MachineFacts) -> Machine {
    Machine {
        faults: Vec::new(),
        library: None,
        ..Machine::from_facts(facts)
    }
}

/// The answer for a device on which the package cannot work.
///
/// What NVIDIA only does not support may run: that is tried, as is what nobody knows.
pub(super) fn refusal(
    package: &compat::Package,
    machine: &Machine,
    device: usize,
) -> Option<DeviceAnswer> {
    let answer = compat::ask_one(package, machine, Some(machine.gpus.get(device)?));
    // The driver offers the device: where a table says that it does not, the table is wrong.
    let refuted = matches!(
        answer.rule,
        Rule::GpuDroppedByDriver | Rule::GpuNewerThanDriver | Rule::OpenModules
    );
    (answer.prospect == Prospect::Fails && !refuted).then_some(answer)
}

pub(super) fn reason(answer: DeviceAnswer) -> SkipReason {
    SkipReason::Incompatible {
        sentence: answer.sentence,
        rule: answer.rule,
    }
}

/// The failure of a package that must work and cannot.
pub(super) fn finding(package: &str, answer: DeviceAnswer) -> Finding {
    let error = match answer.error {
        Some(error) => format!("it would fail with {} ({})", error.name, error.code),
        None => "it would fail".to_owned(),
    };
    Finding {
        problem: Problem::Incompatible(answer.rule),
        class: class(answer.rule),
        stage: None,
        expected: format!("{package} runs on this device with this driver"),
        error: format!("not run: {error}"),
        cause: Cause::proven(answer.sentence),
        remedy: match answer.remedies.as_slice() {
            [] => "cudacheck compat, with the package's path, says what was looked at".to_owned(),
            remedies => remedies.join("; or "),
        },
        details: Vec::new(),
    }
}

/// What rules say of GPU code and of platforms is about the build; all others are about what a driver loads.
fn class(rule: Rule) -> Class {
    let architecture = matches!(
        rule,
        Rule::PtxTooNew
            | Rule::NoCodeForGpu
            | Rule::ToolkitDroppedGpu
            | Rule::JitDisabled
            | Rule::DgpuSassOnTegra
            | Rule::TegraSassOnDgpu
            | Rule::OtherPlatform
            | Rule::SbsaOnJetson
            | Rule::JetsonBuildOnSbsa
            | Rule::LibraryDroppedGpu
    );
    if architecture {
        Class::Architecture
    } else {
        Class::Loading
    }
}
