//! What files ask for and do not get, or get in a form that they cannot use.

use std::collections::BTreeMap;
use std::path::Path;

use cudacheck_model::finding::{EdgeKind, Evidence, Finding, Flaw, OpenedNeed, Severity};
use cudacheck_model::package::{ExecutableStack, FileKind, NeededVersions};

use super::{Loadable, Package, base, shown};
use crate::known::{self, Need};
use crate::resolve::{Found, ResolvedEdge};

pub(super) fn judge<'a>(package: &Package<'a>, file: Loadable<'a>, findings: &mut Vec<Finding>) {
    for edge in package.resolution.all_of(file.path()) {
        match (edge.edge.kind, &edge.found) {
            (EdgeKind::Needed, Found::Missing) => missing(package, file, edge, findings),
            (_, Found::Unusable { path, because, .. }) => {
                let severity = match edge.edge.kind {
                    EdgeKind::Needed => Severity::Error,
                    EdgeKind::Opened | EdgeKind::PerhapsOpened => Severity::Warning,
                };
                let flaw = Flaw::UnusableFileTaken {
                    name: edge.edge.name.clone(),
                    because: because.clone(),
                };
                let evidence = Evidence {
                    other: Some(path.clone()),
                    ..evidence(edge)
                };
                findings.push(Finding::new(severity, evidence, flaw));
            }
            (EdgeKind::Needed, Found::File { real, .. }) => {
                versions(package, file, edge, real, findings)
            }
            (EdgeKind::Needed, Found::Driver { .. } | Found::LeftToSystem)
            | (
                EdgeKind::Opened | EdgeKind::PerhapsOpened,
                Found::File { .. } | Found::Driver { .. } | Found::LeftToSystem | Found::Missing,
            ) => {}
        }
    }
    opened(package, file, findings);
    driver_symbols(package, file, findings);
    let is_library = file.file.kind == FileKind::SharedObject;
    if is_library && file.elf.executable_stack == ExecutableStack::Yes {
        findings.push(Finding::new(
            Severity::Warning,
            Evidence::of(file.path()),
            Flaw::ExecutableStack,
        ));
    }
}

fn evidence(edge: &ResolvedEdge) -> Evidence {
    Evidence {
        edge: Some(edge.edge.clone()),
        rule: edge.found.rule().cloned(),
        other: edge.found.real().map(Path::to_owned),
        within: edge.within.clone(),
        ..Evidence::of(&edge.file)
    }
}

fn missing<'a>(
    package: &Package<'a>,
    file: Loadable<'a>,
    edge: &ResolvedEdge,
    findings: &mut Vec<Finding>,
) {
    // A driver is never of the package; whether it can be found is judged by the search path.
    if known::driver_library(&edge.edge.name).is_some() || edge.within.is_some() {
        return;
    }
    let found_within = rescued(package, file, &edge.edge.name);
    let severity = if found_within.is_some() {
        Severity::Warning
    } else {
        Severity::Error
    };
    let evidence = Evidence {
        within: None,
        ..evidence(edge)
    };
    let flaw = Flaw::DependencyMissing {
        name: edge.edge.name.clone(),
        found_within: found_within.map(shown),
    };
    findings.push(Finding::new(severity, evidence, flaw));
}

/// The start with which a file gets what it does not get on its own.
fn rescued<'a>(package: &Package<'a>, file: Loadable<'a>, name: &str) -> Option<&'a Path> {
    let mut edges = package.resolution.all_of(file.path());
    let is_rescue = |edge: &&'a ResolvedEdge| edge.edge.name == name && edge.found.real().is_some();
    edges
        .find(is_rescue)
        .and_then(|edge| edge.within.as_deref())
}

/// Versions of symbols: the loader refuses a file that lacks one, but only warns of one that has none at all.
fn versions(
    package: &Package<'_>,
    file: Loadable<'_>,
    edge: &ResolvedEdge,
    taken: &Path,
    findings: &mut Vec<Finding>,
) {
    let Some(provided) = package.file(taken).and_then(|taken| taken.elf.as_ref()) else {
        return;
    };
    let provided = &provided.provided_versions;
    let needed = file
        .elf
        .needed_versions
        .iter()
        .filter(|needed| needed.file == edge.edge.name);
    let lacking = |needed: &NeededVersions| {
        let strong = needed
            .versions
            .iter()
            .filter(|version| !needed.weak.contains(version));
        strong
            .filter(|version| !provided.contains(version))
            .cloned()
            .collect::<Vec<_>>()
    };
    let versions: Vec<String> = needed.flat_map(lacking).collect();
    if versions.is_empty() {
        return;
    }
    let severity = if provided.is_empty() {
        Severity::Warning
    } else {
        Severity::Error
    };
    let flaw = Flaw::SymbolVersionMissing {
        name: edge.edge.name.clone(),
        first_in: first_release(&versions),
        versions,
    };
    findings.push(Finding::new(severity, evidence(edge), flaw));
}

/// `GCC 13.1`, or `glibc 2.38`: what has all of these versions.
fn first_release(versions: &[String]) -> Option<String> {
    if let Some(gcc) = known::first_gcc(versions) {
        return Some(format!("GCC {gcc}"));
    }
    let number = |version: &String| -> Option<Vec<u32>> {
        version
            .strip_prefix("GLIBC_")?
            .split('.')
            .map(|part| part.parse().ok())
            .collect()
    };
    let numbers = versions.iter().map(number).collect::<Option<Vec<_>>>()?;
    let newest = numbers.into_iter().max()?;
    let newest: Vec<String> = newest.iter().map(ToString::to_string).collect();
    Some(format!("glibc {}", newest.join(".")))
}

/// Names that are opened. Those of one library are tried one after the other, so that one of them suffices.
fn opened<'a>(package: &Package<'a>, file: Loadable<'a>, findings: &mut Vec<Finding>) {
    let own = file.soname().and_then(known::stem).map(|(stem, _)| stem);
    let mut families: BTreeMap<&str, Vec<&'a ResolvedEdge>> = BTreeMap::new();
    for edge in package.resolution.of(file.path()) {
        let name = base(&edge.edge.name);
        let family = known::stem(name).map_or(name, |(stem, _)| stem);
        // A library looks for itself to find its place, or to stay loaded.
        if edge.edge.kind != EdgeKind::Needed && own != Some(family) {
            families.entry(family).or_default().push(edge);
        }
    }
    families.retain(|_, edges| edges.iter().all(|edge| edge.found == Found::Missing));
    let mut guessed = Vec::new();
    for edges in families.values() {
        let absolute: Vec<_> = edges
            .iter()
            .filter(|edge| edge.edge.name.starts_with('/'))
            .collect();
        if let Some(edge) = absolute.iter().find(|edge| is_of_a_system(&edge.edge.name)) {
            let is_nix = package.is_nix(file.path());
            let severity = if is_nix {
                Severity::Warning
            } else {
                Severity::Note
            };
            let flaw = Flaw::AbsoluteNameOpened {
                path: edge.edge.name.clone(),
            };
            findings.push(Finding::new(severity, evidence(edge), flaw));
        }
        let Some(first) = edges.first() else { continue };
        let is_driver = known::driver_library(base(&first.edge.name)).is_some();
        if !absolute.is_empty() || is_driver {
            continue;
        }
        let is_known = |edge: &&ResolvedEdge| {
            let name = base(&edge.edge.name);
            let by_table = file.soname().and_then(|soname| known::opened(soname, name));
            by_table.is_some() || known::toolkit_majors(name).is_some()
        };
        if edges.iter().any(is_known) {
            findings.extend(not_found(package, file, edges, first));
        } else {
            guessed.extend(edges.iter().copied());
        }
    }
    // Of libraries that are not NVIDIA's only the strings are known, and most of them are for other systems.
    if let Some(first) = guessed.first() {
        findings.extend(not_found(package, file, &guessed, first));
    }
}

/// Whether a path is one of a system, and not the end of one that is put together.
fn is_of_a_system(path: &str) -> bool {
    ["/usr/", "/lib/", "/lib64/", "/opt/"]
        .into_iter()
        .any(|start| path.starts_with(start))
}

fn not_found<'a>(
    package: &Package<'a>,
    file: Loadable<'a>,
    edges: &[&ResolvedEdge],
    first: &ResolvedEdge,
) -> Option<Finding> {
    let known = edges
        .iter()
        .find_map(|edge| known::opened(file.soname()?, base(&edge.edge.name)));
    let is_nvidia = edges
        .iter()
        .any(|edge| known::toolkit_majors(base(&edge.edge.name)).is_some());
    let (need, severity) = match known.map(|known| known.need) {
        Some(Need::Optional) => return None,
        Some(Need::Required) => (OpenedNeed::Required, Severity::Error),
        Some(Need::Feature) => (OpenedNeed::Feature, Severity::Warning),
        None if is_nvidia => (OpenedNeed::String, Severity::Warning),
        None => (OpenedNeed::String, Severity::Note),
    };
    // Where something else loads it first, it is found as loaded: that is not to be relied on.
    let rescue = edges
        .iter()
        .find_map(|edge| rescued(package, file, &edge.edge.name));
    let severity = match (rescue, severity) {
        (Some(_), Severity::Error) => Severity::Warning,
        (Some(_), Severity::Warning | Severity::Note) => Severity::Note,
        (None, severity) => severity,
    };
    let mut names: Vec<String> = Vec::new();
    for edge in edges {
        let name = base(&edge.edge.name);
        let tried = known.map_or_else(|| vec![name.to_owned()], |known| known.tried(name));
        names.extend(tried);
    }
    names.dedup();
    let flaw = Flaw::OpenedNameMissing {
        present_at: present_at(package, &names),
        names,
        need,
        without: known.and_then(|known| known.without.clone()),
    };
    let evidence = Evidence {
        within: rescue.map(Path::to_owned),
        ..evidence(first)
    };
    Some(Finding::new(severity, evidence, flaw))
}

/// Where the package has a file of one of these names.
fn present_at(package: &Package<'_>, names: &[String]) -> Option<String> {
    let is_name = |file: &Path| {
        let name = file.file_name();
        name.is_some_and(|name| names.iter().any(|wanted| name == wanted.as_str()))
    };
    let mut files = package.loadable();
    let present = files.find(|other| {
        let by_soname = other
            .soname()
            .is_some_and(|soname| names.iter().any(|name| name == soname));
        by_soname || is_name(other.path()) || other.file.aliases.iter().any(|alias| is_name(alias))
    });
    present.map(|other| shown(other.path()))
}

/// Symbols of the driver that are undefined: they resolve only if the file itself needs the driver.
fn driver_symbols(package: &Package<'_>, file: Loadable<'_>, findings: &mut Vec<Finding>) {
    if file.is_driver() {
        return;
    }
    let (nvml, cuda): (Vec<String>, Vec<String>) = file
        .elf
        .driver_symbols
        .iter()
        .cloned()
        .partition(|symbol| symbol.starts_with("nvml"));
    for (library, symbols) in [("libcuda.so.1", cuda), ("libnvidia-ml.so.1", nvml)] {
        let Some(driver) = known::driver_library(library) else {
            continue;
        };
        let needs = |other: Loadable<'_>| {
            other
                .elf
                .needed
                .iter()
                .any(|needed| *needed == driver.name || *needed == driver.linked_as)
        };
        if symbols.is_empty() || needs(file) {
            continue;
        }
        // Through a dependency it works by luck: until that dependency changes.
        let mut reached = package.needed_by(file.path());
        let is_lucky =
            reached.any(|path| package.file(path).and_then(Loadable::of).is_some_and(needs));
        let severity = if is_lucky {
            Severity::Warning
        } else {
            Severity::Error
        };
        let flaw = Flaw::DriverSymbolsUnlinked {
            library: library.to_owned(),
            symbols,
        };
        findings.push(Finding::new(severity, Evidence::of(file.path()), flaw));
    }
}
