//! The floors of libraries beside the toolkit: each release of cuDNN leaves older GPUs and drivers behind.

use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::gpu::Gpu;
use crate::compat::machine::Machine;
use crate::compat::package::{self, LibraryVersion, Package};
use crate::compat::tables::{self, LibraryFloor};

/// What the libraries of a package need. Nothing to say of one whose needs are met.
pub(crate) fn floors(package: &Package, machine: &Machine, gpu: Option<&Gpu>) -> Vec<Step> {
    let libraries = package.libraries.iter();
    libraries
        .filter_map(|library| floor(library, package, machine, gpu))
        .collect()
}

fn floor(
    library: &LibraryVersion,
    package: &Package,
    machine: &Machine,
    gpu: Option<&Gpu>,
) -> Option<Step> {
    let name = format!("{} {}", library.name, library.version);
    let major = package::major(package.toolkit);
    let Some(row) = row(library, major) else {
        let text = format!("what {name} needs is not in the tables");
        return Some(Step::new(Rule::UnknownLibrary, Prospect::Unknown, text));
    };
    let cudnn = |step: Step, old: Option<u32>, new: u32| match (library.name.as_str(), old) {
        ("cudnn", Some(old)) if library.version.starts_with('8') => step.error(Domain::Cudnn, old),
        ("cudnn", _) if !library.version.starts_with('8') => step.error(Domain::Cudnn, new),
        _ => step,
    };
    if let Some(gpu) = gpu.filter(|gpu| gpu.capability < row.capability) {
        let text = format!(
            "{name} has no code for {}: it begins at {}",
            gpu.label(),
            row.capability.sm()
        );
        let step = Step::new(Rule::LibraryDroppedGpu, Prospect::Fails, text).sure(row.confidence);
        return Some(cudnn(step, Some(6), 3007));
    }
    if let Some(major) = major.filter(|major| !row.cuda.contains(major)) {
        let majors: Vec<String> = row.cuda.iter().map(ToString::to_string).collect();
        let text = format!(
            "{name} is built for CUDA {}, the package for CUDA {major}",
            majors.join(" and ")
        );
        return Some(Step::new(Rule::LibraryCudaMajor, Prospect::Fails, text).sure(row.confidence));
    }
    let needs = major.and_then(|major| row.drivers.get(&major))?;
    let driver = machine.driver.as_ref().filter(|driver| *driver < needs)?;
    if machine.compat.is_some() || machine.jetpack.is_some() {
        return None;
    }
    let text = format!("{name} needs driver {needs} or newer; this is {driver}");
    let step = Step::new(Rule::LibraryDriver, Prospect::Fails, text).sure(row.confidence);
    Some(cudnn(step, None, 3005))
}

/// The row of a version, for the CUDA major version if there are several.
fn row(library: &LibraryVersion, major: Option<u32>) -> Option<&'static LibraryFloor> {
    let parts = numbers(&library.version);
    let rows = || {
        let rows = tables::libraries().floors.iter();
        rows.filter(|row| {
            let (first, last) = (numbers(&row.versions[0]), numbers(&row.versions[1]));
            // `9.10.2` is within `9.0` to `9.10`: the last is compared as far as it is written.
            row.library == library.name
                && parts >= first
                && parts.iter().take(last.len()).le(last.iter())
        })
    };
    let fits = |row: &&LibraryFloor| major.is_some_and(|major| row.cuda.contains(&major));
    rows().find(fits).or_else(|| rows().next())
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}
