//! The code's part: whether the package has machine code or PTX that this GPU can run with this driver.

use std::collections::BTreeSet;

use super::driver::Loaded;
use super::oracle;
use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::bound::{Bound, Known};
use crate::compat::gpu::Gpu;
use crate::compat::machine::Machine;
use crate::compat::package::{self, Code, Container, Contents, Package};
use crate::compat::reach::{self, Fit};
use crate::compat::tables::{self, Confidence};
use crate::version::{PtxIsa, Target, TargetReach};

/// What is missing to judge code without a GPU. Nothing, if there is no code, or if it is whatever fits.
pub(crate) fn without_gpu(package: &Package) -> Option<Step> {
    match &package.code {
        Contents::Assumed => None,
        Contents::Listed(code) if code.is_empty() => None,
        Contents::Listed(code) => {
            let text = format!(
                "which GPU the machine has is not known; the package carries {}",
                enumerate(code)
            );
            Some(Step::new(Rule::UnknownGpu, Prospect::Unknown, text))
        }
    }
}

/// Whether code of the package runs on the GPU.
pub(crate) fn fits(
    package: &Package,
    machine: &Machine,
    gpu: &Gpu,
    loaded: Loaded,
) -> Option<Step> {
    match &package.code {
        Contents::Listed(code) if code.is_empty() => {
            let text = "the package has no GPU code of its own".to_owned();
            Some(Step::new(Rule::NoGpuCode, Prospect::Runs, text))
        }
        Contents::Listed(code) => {
            let step = listed(code, package, machine, gpu, loaded);
            Some(with_gaps(step, package, machine, gpu, loaded))
        }
        Contents::Assumed if package.toolkit == Bound::UNKNOWN => None,
        Contents::Assumed => Some(assumed(package, machine, gpu, loaded)),
    }
}

fn listed(code: &[Code], package: &Package, machine: &Machine, gpu: &Gpu, loaded: Loaded) -> Step {
    let mut fits: Vec<(Fit, Target)> = Vec::new();
    if machine.variables.force_jit().is_none() {
        fits = code
            .iter()
            .filter_map(|code| match code {
                Code::Machine(target) => {
                    Some((reach::machine_code_runs(*target, gpu.capability), *target))
                }
                Code::Ptx(..) => None,
            })
            .collect();
    }
    let best = fits.iter().filter(|(fit, _)| matches!(fit, Fit::Runs(_)));
    let best = best.max_by_key(|(_, target)| target.capability);
    if let Some((Fit::Runs(confidence), target)) = best {
        let text = format!("machine code for {target} runs on {}", gpu.label());
        return Step::new(Rule::Sass, Prospect::Runs, text).sure(*confidence);
    }
    if let Some((_, target)) = fits.iter().find(|(fit, _)| *fit == Fit::NotSupported) {
        return across_tegra(*target, gpu);
    }
    let ptx = reaching(code, package, gpu);
    if let Some(step) = ptx_step(&ptx, machine, gpu, loaded) {
        return step;
    }
    if let Some((_, target)) = fits.iter().find(|(fit, _)| *fit == Fit::Unknown) {
        let text = format!(
            "whether machine code for {target} runs on {} is not known",
            gpu.label()
        );
        return Step::new(Rule::UnknownGpu, Prospect::Unknown, text);
    }
    no_code(code, machine, gpu)
}

/// The PTX among it that reaches the GPU.
fn reaching(code: &[Code], package: &Package, gpu: &Gpu) -> Vec<(Target, Bound<PtxIsa>)> {
    code.iter()
        .filter_map(|code| match code {
            Code::Ptx(target, isa) => Some((*target, package::ptx_version(*isa, package.toolkit))),
            Code::Machine(_) => None,
        })
        .filter(|(target, _)| reach::ptx_reaches(*target, gpu.capability))
        .collect()
}

/// The PTX of a package that a driver would compile for the GPU: of what reaches it, the oldest.
pub(crate) fn candidate(package: &Package, gpu: &Gpu) -> Option<(Target, Bound<PtxIsa>)> {
    let ptx = match &package.code {
        Contents::Listed(code) => reaching(code, package, gpu),
        Contents::Assumed => {
            let known: Vec<&tables::Toolkit> = package::possible(package.toolkit).collect();
            made(&known, package, gpu)
        }
    };
    oldest(&ptx).copied()
}

/// The PTX that toolkits make for the GPU at best.
fn made(known: &[&tables::Toolkit], package: &Package, gpu: &Gpu) -> Vec<(Target, Bound<PtxIsa>)> {
    let newest = known
        .iter()
        .flat_map(|toolkit| &toolkit.targets)
        .filter(|target| target.reach == TargetReach::Baseline)
        .filter(|target| reach::ptx_reaches(**target, gpu.capability))
        // The PTX of a target that the toolkit dropped is dropped with it.
        .max();
    let isa = tables::ptx_of(package.toolkit);
    newest.map(|target| (*target, isa)).into_iter().collect()
}

fn oldest(ptx: &[(Target, Bound<PtxIsa>)]) -> Option<&(Target, Bound<PtxIsa>)> {
    ptx.iter().min_by_key(|(target, isa)| {
        (
            isa.at_most.is_none(),
            isa.at_most,
            std::cmp::Reverse(target.capability),
        )
    })
}

/// Says how many containers hold nothing for the GPU, although others do: libraries leave out what they do not need.
fn with_gaps(step: Step, package: &Package, machine: &Machine, gpu: &Gpu, loaded: Loaded) -> Step {
    if step.prospect >= Prospect::Unknown {
        return step;
    }
    let empty = |container: &&Container| {
        let step = listed(&container.code, package, machine, gpu, loaded);
        step.prospect == Prospect::Fails
    };
    let all: u64 = package
        .containers
        .iter()
        .map(|container| container.count)
        .sum();
    let gaps: u64 = package
        .containers
        .iter()
        .filter(empty)
        .map(|container| container.count)
        .sum();
    if gaps == 0 {
        return step;
    }
    let text = format!(
        "{}; {gaps} of its {all} containers of code hold nothing for it, and fail if they are asked for",
        step.text
    );
    Step { text, ..step }
}

fn no_code(code: &[Code], machine: &Machine, gpu: &Gpu) -> Step {
    let forced = machine.variables.force_jit();
    let forced = forced.map_or_else(String::new, |name| {
        format!("{name} forbids machine code, and ")
    });
    let text = format!(
        "{forced}the package carries {}; none of it runs on {}",
        enumerate(code),
        gpu.label()
    );
    let step = Step::new(Rule::NoCodeForGpu, Prospect::Fails, text).error(Domain::Cuda, 209);
    let suffixed = code.iter().any(|code| match code {
        Code::Machine(target) | Code::Ptx(target, _) => {
            target.reach != TargetReach::Baseline && target.capability.major == gpu.capability.major
        }
    });
    if suffixed {
        step.doubted(
            Confidence::Medium,
            "that the error is 209 for code with a suffix is not tried",
        )
    } else {
        step
    }
}

/// GPU code in words: `machine code for sm_80, sm_86 and PTX for compute_86`.
pub(crate) fn enumerate(code: &[Code]) -> String {
    let (mut machine, mut ptx) = (BTreeSet::new(), BTreeSet::new());
    for code in code {
        match code {
            Code::Machine(target) => machine.insert(*target),
            Code::Ptx(target, _) => ptx.insert(*target),
        };
    }
    let machine: Vec<String> = machine.iter().map(ToString::to_string).collect();
    let ptx: Vec<String> = ptx.iter().map(|target| compute(*target)).collect();
    match (machine.is_empty(), ptx.is_empty()) {
        (true, true) => "no GPU code".to_owned(),
        (false, true) => format!("machine code for {} and no PTX", machine.join(", ")),
        (true, false) => format!("PTX for {} and no machine code", ptx.join(", ")),
        (false, false) => format!(
            "machine code for {} and PTX for {}",
            machine.join(", "),
            ptx.join(", ")
        ),
    }
}

/// A target as NVIDIA writes that of PTX: `compute_90`.
pub(crate) fn compute(target: Target) -> String {
    target.to_string().replace("sm_", "compute_")
}

fn across_tegra(target: Target, gpu: &Gpu) -> Step {
    let (rule, text) = if gpu.is_tegra() {
        let text = format!(
            "machine code for {target} is made for desktop GPUs or other Jetsons, and NVIDIA supports only its own on {}",
            gpu.label()
        );
        (Rule::DgpuSassOnTegra, text)
    } else {
        let text = format!(
            "machine code for {target} is made for Jetson, and NVIDIA does not support it on {}",
            gpu.label()
        );
        (Rule::TegraSassOnDgpu, text)
    };
    let why =
        "NVIDIA's linker accepts it, so that it probably runs; that shows nothing about a package";
    Step::new(rule, Prospect::NotSupported, text).doubted(Confidence::Medium, why)
}

/// What becomes of PTX that reaches the GPU; nothing if there is none.
fn ptx_step(
    ptx: &[(Target, Bound<PtxIsa>)],
    machine: &Machine,
    gpu: &Gpu,
    loaded: Loaded,
) -> Option<Step> {
    let (target, isa) = oldest(ptx)?;
    let compute = compute(*target);
    if let Some(name) = machine.variables.disable_jit() {
        let text = format!(
            "{name} forbids the compilation of the PTX for {compute}, and no machine code runs on {}",
            gpu.label()
        );
        let step = Step::new(Rule::JitDisabled, Prospect::Fails, text).error(Domain::Cuda, 223);
        return Some(step.or_error(Domain::Cuda, 209));
    }
    let accepts = loaded.ability.ptx;
    if let Some(step) = oracle::decides(*target, *isa, machine, gpu, loaded) {
        return Some(step);
    }
    let phrase = loaded.phrase(machine);
    let jit = |verb: &str| {
        format!(
            "PTX {isa} for {compute} {verb} {phrase}, whose compiler accepts PTX up to {}",
            ceiling(accepts)
        )
    };
    Some(match accepts.reaches(*isa) {
        Known::Yes => {
            let text = format!(
                "there is no machine code for {}, but PTX {isa} for {compute}, which {phrase} compiles when it is first used",
                gpu.label()
            );
            Step::new(Rule::PtxJit, Prospect::RunsJit, text)
        }
        Known::No => {
            let text = format!(
                "there is no machine code for {}, and {}",
                gpu.label(),
                jit("is too new for")
            );
            Step::new(Rule::PtxTooNew, Prospect::Fails, text).error(Domain::Cuda, 222)
        }
        Known::Maybe => {
            let text = format!(
                "there is no machine code for {}, and whether {phrase} compiles PTX {isa} is not known",
                gpu.label()
            );
            Step::new(Rule::UnknownDriver, Prospect::Unknown, text)
        }
    })
}

fn ceiling(accepts: Bound<PtxIsa>) -> String {
    accepts
        .at_most
        .map_or("an unknown version".to_owned(), |isa| isa.to_string())
}

/// What a toolkit could make for the GPU, where it is not known what the package has.
fn assumed(package: &Package, machine: &Machine, gpu: &Gpu, loaded: Loaded) -> Step {
    let known: Vec<&tables::Toolkit> = package::possible(package.toolkit)
        .filter(|toolkit| !toolkit.targets.is_empty())
        .collect();
    let name = format!("toolkit {}", package.toolkit);
    if known.is_empty() {
        let text = format!("for which GPUs {name} makes code is not known");
        return Step::new(Rule::UnknownToolkit, Prospect::Unknown, text);
    }
    let best = |toolkit: &tables::Toolkit| {
        let runs = |target: &&Target| {
            matches!(
                reach::machine_code_runs(**target, gpu.capability),
                Fit::Runs(_)
            ) && target.reach == TargetReach::Baseline
        };
        toolkit
            .targets
            .iter()
            .filter(runs)
            .max_by_key(|target| target.capability)
            .copied()
    };
    let forced = machine.variables.force_jit().is_some();
    let targets: Vec<Option<Target>> = known.iter().map(|toolkit| best(toolkit)).collect();
    match targets.iter().flatten().max() {
        Some(target) if !forced && targets.iter().all(Option::is_some) => {
            let isa = tables::ptx_of(package.toolkit);
            let accepts = loaded.ability.ptx;
            // Where the driver's own compiler was asked, a step of its own says what came of it.
            let asked = oracle::answer_for_package(package, machine, gpu, loaded).is_some();
            let only = if !asked && accepts.reaches(isa) == Known::No {
                format!(
                    "; the package must have it, since the driver refuses PTX {isa} with error 222 (it accepts up to {})",
                    ceiling(accepts)
                )
            } else {
                "; whether the package has it is not known".to_owned()
            };
            let text = format!(
                "{name} makes machine code for {target}, which runs on {}{only}",
                gpu.label()
            );
            let confidence = known.iter().map(|toolkit| toolkit.confidence).max();
            return Step::new(Rule::ToolkitTargets, Prospect::Runs, text)
                .sure(confidence.unwrap_or_default());
        }
        Some(target) if !forced => {
            let text = format!(
                "{name} may make machine code for {target}; that depends on its exact version"
            );
            return Step::new(Rule::UnknownToolkit, Prospect::Unknown, text);
        }
        Some(_) | None => {}
    }
    let ptx = made(&known, package, gpu);
    ptx_step(&ptx, machine, gpu, loaded).unwrap_or_else(|| {
        let text = format!("{name} makes no code for {}", gpu.label());
        Step::new(Rule::ToolkitDroppedGpu, Prospect::Fails, text).error(Domain::Cuda, 209)
    })
}
