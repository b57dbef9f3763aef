//! The driver's part: whether it knows the GPU, and whether it takes programs of the toolkit.

use super::forward::package_name;
use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::bound::{Bound, Known};
use crate::compat::gpu::Gpu;
use crate::compat::jetpack;
use crate::compat::machine::{Ability, Machine};
use crate::compat::package::{self, Package};
use crate::compat::tables::{self, Confidence};
use crate::facts::ModuleFlavour;
use crate::version::{ComputeCapability, ToolkitVersion};

/// The libcuda that a program loads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loaded {
    /// What it can do.
    pub(crate) ability: Ability,
    /// Where it is from.
    pub(crate) from: Origin,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// The machine's driver.
    Driver,
    /// A forward compatibility package.
    Compat(ToolkitVersion),
}

impl Loaded {
    /// In one phrase, with the newest PTX that it accepts left to the caller.
    pub(crate) fn phrase(self, machine: &Machine) -> String {
        match self.from {
            Origin::Driver => machine.driver_phrase(),
            Origin::Compat(cuda) => package_name(cuda, machine),
        }
    }
}

/// Whether the driver's branch supports a GPU. Nothing to say if it does.
pub(crate) fn knows_gpu(machine: &Machine, loaded: Loaded, gpu: &Gpu) -> Option<Step> {
    let Some(generation) = tables::generation(gpu.capability) else {
        let text = format!("{} is newer than the tables", gpu.label());
        let step = Step::new(Rule::UnknownGpu, Prospect::Unknown, text);
        let newest = tables::drivers()
            .branches
            .last()
            .map_or(0, |branch| branch.branch);
        let known_driver = machine
            .driver
            .as_ref()
            .is_some_and(|driver| driver.branch() <= newest);
        return Some(if known_driver {
            let text = format!(
                "{} is newer than the tables, and so newer than {}",
                gpu.label(),
                machine.driver_phrase()
            );
            Step { text, ..step }
        } else {
            step
        });
    };
    if machine.is_jetson() || gpu.is_tegra() {
        return None;
    }
    let turing = ComputeCapability::new(7, 5);
    if machine.modules == Some(ModuleFlavour::Open) && gpu.capability < turing {
        let text = format!(
            "the open kernel modules are loaded, and {} is older than Turing",
            gpu.label()
        );
        let step = Step::new(Rule::OpenModules, Prospect::Fails, text);
        return Some(step.error(Domain::Cuda, 100).sure(Confidence::Medium));
    }
    let span = generation.branches.as_ref()?;
    let own = machine.driver.as_ref().map(|driver| driver.branch());
    let by_cuda = |cuda: ToolkitVersion| {
        let mut all = tables::drivers().branches.iter();
        all.find(|branch| branch.cuda == cuda)
            .map(|branch| branch.branch)
    };
    let own = own.or_else(|| by_cuda(machine.cuda?))?;
    let architecture = &generation.architecture;
    if own < span.first {
        let text = format!(
            "{} needs driver branch {} or newer; this is {}",
            gpu.label(),
            span.first,
            machine.driver_phrase()
        );
        let step = Step::new(Rule::GpuNewerThanDriver, Prospect::Fails, text);
        return Some(
            step.error(Domain::Cuda, 100)
                .sure(generation.confidence.min(Confidence::Medium)),
        );
    }
    let libraries = match loaded.from {
        Origin::Driver => own,
        Origin::Compat(cuda) => by_cuda(cuda).unwrap_or(own).max(own),
    };
    let last = span.last.filter(|last| libraries > *last)?;
    let text = format!(
        "branch {last} of the driver is the last for {architecture} such as {}; this is {}",
        gpu.label(),
        loaded.phrase(machine)
    );
    let step = Step::new(Rule::GpuDroppedByDriver, Prospect::Fails, text);
    Some(step.error(Domain::Cuda, 100).sure(Confidence::Medium))
}

/// Whether the driver takes programs of the toolkit.
pub(crate) fn takes_toolkit(
    package: &Package,
    machine: &Machine,
    gpu: Option<&Gpu>,
    loaded: Loaded,
) -> Option<Step> {
    let toolkit = package.toolkit;
    let driver = loaded.ability.cuda;
    let phrase = loaded.phrase(machine);
    let name = format!("toolkit {toolkit}");
    if toolkit == Bound::UNKNOWN {
        let text = "which toolkit it is built with is not known".to_owned();
        return Some(Step::new(Rule::UnknownToolkit, Prospect::Unknown, text));
    }
    if driver == Bound::UNKNOWN {
        let text = match gpu {
            Some(gpu) if gpu.is_tegra() => "which JetPack the Jetson has is not known".to_owned(),
            Some(_) | None => "which driver the machine has is not known".to_owned(),
        };
        return Some(Step::new(Rule::UnknownDriver, Prospect::Unknown, text));
    }
    let major = package::major(toolkit);
    // A package of a version in the table's last major reaches whatever the driver of that major reaches.
    let newer = driver.reaches(toolkit);
    let step = match newer {
        Known::Yes => {
            let text = format!("{name} is not newer than {phrase}");
            Step::new(Rule::Backward, Prospect::Runs, text)
        }
        Known::No | Known::Maybe => match major {
            Some(major) => same_major(machine, gpu, loaded, toolkit, major),
            None if newer == Known::No => {
                // What refuses the lowest toolkit that it can be refuses all later ones. What takes it may
                // do so by minor-version compatibility, which ends with its major version.
                let lowest = toolkit.at_least.map(|lowest| lowest.major);
                let same =
                    lowest.filter(|lowest| driver.at_most.map(|it| it.major) == Some(*lowest));
                match same.map(|major| same_major(machine, gpu, loaded, toolkit, major)) {
                    Some(step) if step.prospect < Prospect::Unknown => undecided(&name, &phrase),
                    Some(step) => step,
                    None => too_old(&name, &phrase, toolkit),
                }
            }
            None => undecided(&name, &phrase),
        },
    };
    Some(match (listed_confidence(machine, loaded), &step.doubt) {
        (Some(confidence), _) => step.sure(confidence),
        (None, Some(_)) => step.sure(Confidence::Medium),
        (None, None) => {
            let why = "it is not in the tables, and taken to lie between those that are before and after it";
            step.doubted(Confidence::Medium, why)
        }
    })
}

fn undecided(name: &str, phrase: &str) -> Step {
    let text = format!("whether {phrase} is new enough for {name} is not known");
    Step::new(Rule::UnknownToolkit, Prospect::Unknown, text)
}

fn too_old(name: &str, phrase: &str, toolkit: Bound<ToolkitVersion>) -> Step {
    let needs = match toolkit.at_least {
        Some(lowest) if lowest.major >= 11 => format!("CUDA {}", lowest.major),
        Some(lowest) => format!("CUDA {lowest}"),
        None => "a newer CUDA".to_owned(),
    };
    let text = format!("{name} needs a driver that supports {needs}; this is {phrase}");
    Step::new(Rule::DriverTooOld, Prospect::Fails, text).error(Domain::Cudart, 35)
}

/// The driver does not certainly reach the toolkit, whose major version is known.
fn same_major(
    machine: &Machine,
    gpu: Option<&Gpu>,
    loaded: Loaded,
    toolkit: Bound<ToolkitVersion>,
    major: u32,
) -> Step {
    let name = format!("toolkit {toolkit}");
    let phrase = loaded.phrase(machine);
    let majors = loaded.ability.cuda.map(|version| version.major);
    let unknown = |text: String| Step::new(Rule::UnknownDriver, Prospect::Unknown, text);
    match majors.reaches(Bound::exactly(major)) {
        Known::No => return too_old(&name, &phrase, toolkit),
        Known::Maybe => {
            return unknown(format!(
                "whether {phrase} supports CUDA {major} is not known"
            ));
        }
        Known::Yes => {}
    }
    if major < 11 {
        return match loaded.ability.cuda.reaches(toolkit) {
            Known::No => too_old(&name, &phrase, toolkit),
            Known::Yes | Known::Maybe => unknown(format!(
                "whether {phrase} is new enough for {name} is not known"
            )),
        };
    }
    let tegra = machine.is_jetson() || gpu.is_some_and(Gpu::is_tegra);
    if tegra && loaded.from == Origin::Driver {
        return jetson(machine, gpu, loaded, toolkit);
    }
    let Some(floor) = tables::floor(major) else {
        return unknown(format!("the lowest driver for CUDA {major} is not known"));
    };
    // A package of a known CUDA version comes from a driver above the floor of its major.
    let above = match (&machine.driver, loaded.from) {
        (_, Origin::Compat(_)) => true,
        (Some(driver), Origin::Driver) => *driver >= floor.driver,
        (None, Origin::Driver) => true,
    };
    if above {
        let newer = match loaded.ability.cuda.reaches(toolkit) {
            Known::No => "is",
            Known::Yes | Known::Maybe => "may be",
        };
        let text = format!(
            "{name} {newer} newer than {phrase}, but it is of the same major version, whose floor is driver {}: \
             machine code runs, functions that only a newer driver has fail with error 36",
            floor.driver
        );
        return Step::new(Rule::MinorCompat, Prospect::RunsMinorCompat, text);
    }
    let text = format!(
        "{name} needs driver {} or newer; this is {phrase}",
        floor.driver
    );
    let step = Step::new(Rule::DriverTooOld, Prospect::Fails, text);
    let step = step.error(Domain::Cudart, 3).or_error(Domain::Cudart, 35);
    let why = "the runtime compares major versions only, so that a program may get further than NVIDIA promises; \
               NVIDIA shows error 3";
    step.doubted(Confidence::Low, why)
}

/// A toolkit newer than the driver of a Jetson, of the same major version.
fn jetson(
    machine: &Machine,
    gpu: Option<&Gpu>,
    loaded: Loaded,
    toolkit: Bound<ToolkitVersion>,
) -> Step {
    let phrase = machine.driver_phrase();
    // A Jetson of which only the driver is known: CUDA 13 came to Jetson with JetPack 7.
    let by_cuda = if driver_major(loaded) >= Some(13) {
        7
    } else {
        6
    };
    let release = machine
        .jetpack
        .as_ref()
        .map_or(by_cuda, jetpack::JetPackVersion::major);
    let tegra = gpu.is_none_or(Gpu::is_tegra);
    let certain = loaded.ability.cuda.reaches(toolkit) == Known::No;
    if certain && tegra && release <= 6 {
        let text = format!(
            "toolkit {toolkit} is newer than {phrase}, and JetPack up to 6 has no minor-version compatibility"
        );
        return Step::new(Rule::JetsonNoMinorCompat, Prospect::NotSupported, text);
    }
    let text = format!(
        "toolkit {toolkit} is newer than {phrase}; NVIDIA does not say whether it runs without an upgrade package"
    );
    Step::new(Rule::JetsonNoMinorCompat, Prospect::Unknown, text)
}

fn driver_major(loaded: Loaded) -> Option<u32> {
    loaded.ability.cuda.at_least.map(|cuda| cuda.major)
}

/// How sure it is what the loaded library supports; nothing if the tables do not list it.
fn listed_confidence(machine: &Machine, loaded: Loaded) -> Option<Confidence> {
    if machine.cuda.is_some() || loaded.from != Origin::Driver {
        return Some(Confidence::High);
    }
    if let Some(version) = &machine.jetpack {
        return jetpack::release(version).map(|release| release.confidence);
    }
    let branch = machine
        .driver
        .as_ref()
        .and_then(|driver| tables::branch(driver.branch()));
    branch.map(|branch| branch.confidence)
}
