//! Will this package run with that driver on that GPU, and if not, why and what to do?
//!
//! Rules on tables: nothing is opened, run, or asked. The tables are data with sources (`data/compat`), the rules are
//! NVIDIA's, and whatever neither tells is answered by a bound or by `unknown`.

mod answer;
mod bound;
mod explain;
mod gpu;
mod jetpack;
mod judge;
mod machine;
mod needs;
mod oracle;
mod package;
mod proof;
mod reach;
mod remedy;
mod system;
pub mod tables;
#[cfg(test)]
mod tests;
mod variable;

pub use answer::{
    Answer, COMPAT_SCHEMA, DeviceAnswer, Domain, ErrorCode, PackageSummary, Prospect, Rule, Step,
    Verdict, json_schema,
};
pub use bound::{Bound, Known};
pub use explain::{
    Culprit, EXPLAIN_SCHEMA, Explanation, UnknownError, catalogue, explain, explanation_sources,
};
pub use gpu::{Gpu, GpuClass, GpuKind, UnknownGpu, find as find_gpu};
pub use jetpack::{JetPackVersion, release as jetpack_release, release_of_l4t};
pub use judge::platform_name;
pub use machine::{Ability, Machine, MachineSummary, OracleSummary};
pub use needs::{GpuNeeds, Needs, needs};
pub use oracle::questions;
pub use package::{
    Code, Container, Contents, ForwardCompatibility, LibraryVersion, Package, capability_entry,
    cuda_majors, from_capabilities,
};
pub use proof::{Proof, of_no_code, of_refused_ptx};
pub use remedy::{lowest_driver, lowest_jetpack};
pub use system::{Family, SymbolVersion};
pub use variable::{UnknownVariable, VariableSummary, Variables};

use crate::version::ComputeCapability;

/// Whether a package will run on a machine.
pub fn ask(package: &Package, machine: &Machine) -> Answer {
    let mut devices: Vec<DeviceAnswer> = machine
        .gpus
        .iter()
        .map(|gpu| ask_one(package, machine, Some(gpu)))
        .collect();
    if devices.is_empty() {
        devices.push(ask_one(package, machine, None));
    }
    let (verdict, sentence) = together(&devices);
    Answer {
        schema: COMPAT_SCHEMA,
        verdict,
        sentence,
        package: summary(package),
        machine: machine.into(),
        devices,
    }
}

/// Whether a package will run on one GPU, or with the driver alone.
pub fn ask_one(package: &Package, machine: &Machine, gpu: Option<&Gpu>) -> DeviceAnswer {
    let steps = judge::steps(package, machine, gpu);
    let deciding = judge::deciding(&steps)
        .expect("the driver's step is always there")
        .clone();
    let running = deciding.prospect < Prospect::Unknown;
    let confidence = if running {
        steps
            .iter()
            .map(|step| step.confidence)
            .min()
            .unwrap_or_default()
    } else {
        deciding.confidence
    };
    DeviceAnswer {
        gpu: gpu.cloned(),
        verdict: deciding.prospect.verdict(),
        prospect: deciding.prospect,
        rule: deciding.rule,
        sentence: sentence(package, machine, gpu, &deciding),
        error: deciding.error,
        remedies: remedy::remedies(package, machine, gpu, &deciding),
        confidence,
        steps,
    }
}

/// The one verdict for all devices: what some can run and some cannot is limited.
fn together(devices: &[DeviceAnswer]) -> (Verdict, String) {
    let best = devices.iter().min_by_key(|device| device.prospect);
    let worst = devices.iter().max_by_key(|device| device.prospect);
    let (best, worst) = (
        best.expect("there is at least one answer"),
        worst.expect("there is at least one answer"),
    );
    let runs = |device: &DeviceAnswer| device.prospect < Prospect::Unknown;
    match (runs(best), runs(worst)) {
        (true, true) => {
            let label = worst.gpu.as_ref().map(Gpu::label);
            let sentence = match label.filter(|_| devices.len() > 1) {
                // One device's sentence stands for all: what it says of the driver is true of each.
                Some(label) => worst.sentence.replacen(
                    &format!(" on {label} "),
                    &format!(" on all {} devices ", devices.len()),
                    1,
                ),
                None => worst.sentence.clone(),
            };
            (worst.verdict, sentence)
        }
        (true, false) => {
            let not = devices.iter().filter(|device| !runs(device));
            let not: Vec<String> = not
                .filter_map(|device| device.gpu.as_ref())
                .map(|gpu| match gpu.ordinal {
                    Some(ordinal) => format!("device {ordinal}, {}", gpu.label()),
                    None => gpu.label(),
                })
                .collect();
            let sentence = format!("{}, but not on {}", best.sentence, not.join(" and "));
            (Verdict::Limited, sentence)
        }
        (false, _) => (best.verdict, best.sentence.clone()),
    }
}

fn sentence(package: &Package, machine: &Machine, gpu: Option<&Gpu>, deciding: &Step) -> String {
    let subject = match package.code {
        Contents::Assumed if package.name.starts_with("toolkit ") => {
            format!("what {} builds", package.name)
        }
        Contents::Assumed | Contents::Listed(_) => package.name.clone(),
    };
    let place = gpu
        .map(|gpu| format!(" on {}", gpu.label()))
        .unwrap_or_else(|| " on GPUs that toolkit and driver both support".to_owned());
    let driver = machine.driver_phrase();
    match deciding.prospect {
        Prospect::Runs => format!("{subject} runs{place} with {driver}"),
        Prospect::RunsMinorCompat => {
            format!("{subject} runs{place} with {driver}, by minor-version compatibility")
        }
        Prospect::RunsJit => {
            format!("{subject} runs{place} with {driver}, which has to compile its PTX first")
        }
        Prospect::RunsWithCompat => {
            let compat = machine
                .compat
                .map(|cuda| judge::forward::package_name(cuda, machine));
            format!(
                "{subject} runs{place} with {driver}, by {}",
                compat.unwrap_or_default()
            )
        }
        Prospect::Unknown | Prospect::NotSupported | Prospect::Fails => deciding.text.clone(),
    }
}

pub(crate) fn summary(package: &Package) -> PackageSummary {
    let code = match &package.code {
        Contents::Assumed => None,
        Contents::Listed(code) => Some(code.iter().map(ToString::to_string).collect()),
    };
    PackageSummary {
        name: package.name.clone(),
        toolkit: package.toolkit,
        code,
        notes: package.notes.clone(),
    }
}

/// Whether a release of JetPack runs on modules of a capability.
pub fn runs_on(release: &tables::JetPackRelease, capability: ComputeCapability) -> bool {
    let mut modules = release.modules.iter();
    modules.any(|module| find_gpu(module).is_ok_and(|gpu| gpu.capability == capability))
}
