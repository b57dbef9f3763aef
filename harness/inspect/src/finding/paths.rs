//! Search paths: whether they lead to the driver, to stubs, or to where they must not lead.

use std::collections::BTreeMap;
use std::path::Path;

use cudacheck_model::finding::{
    EdgeKind, Elsewhere, Evidence, Finding, Flaw, Rule, Severity, StubWins,
};

use super::{Loadable, Package, base, parent, shown};
use crate::known::{self, Need};
use crate::resolve::{Found, ResolvedEdge, is_stubs, normal};

pub(super) fn judge(package: &Package<'_>, file: Loadable<'_>, findings: &mut Vec<Finding>) {
    let written: Vec<&str> = match file.search_path() {
        // glibc takes a path that is wholly empty for none.
        Some(path) if !path.is_empty() => path.split(':').collect(),
        Some(_) | None => Vec::new(),
    };
    let asks: Vec<&ResolvedEdge> = package
        .resolution
        .all_of(file.path())
        .filter(|edge| is_driver_asked_for(file, edge))
        .collect();
    if !file.is_driver() {
        driver_directory(package, file, &written, &asks, findings);
        stubs(file, &written, &asks, findings);
    }
    elements(package, file, &written, findings);
    if let (Some(rpath), None) = (&file.elf.rpath, &file.elf.runpath)
        && !rpath.is_empty()
    {
        let flaw = Flaw::OldStyleRpath {
            rpath: rpath.clone(),
        };
        findings.push(Finding::new(
            Severity::Warning,
            Evidence::of(file.path()),
            flaw,
        ));
    }
}

fn is_driver_asked_for(file: Loadable<'_>, edge: &ResolvedEdge) -> bool {
    let name = base(&edge.edge.name);
    let known = file.soname().and_then(|soname| known::opened(soname, name));
    let is_searched_for = !edge.edge.name.contains('/');
    is_searched_for
        && known::driver_library(name).is_some()
        && known.is_none_or(|known| known.need != Need::Optional)
}

/// A file that asks for the driver must have the driver's directory on its own path, since no other path serves it.
fn driver_directory(
    package: &Package<'_>,
    file: Loadable<'_>,
    written: &[&str],
    asks: &[&ResolvedEdge],
    findings: &mut Vec<Finding>,
) {
    let directory = &known::driver().directory;
    if written
        .iter()
        .any(|element| normal(Path::new(element)) == Path::new(directory))
    {
        return;
    }
    // A driver that the package itself brings, as for Jetson devices, is found through the package's own paths.
    let is_own = |edge: &&&ResolvedEdge| match &edge.found {
        Found::File {
            path,
            rule: Rule::Rpath { .. } | Rule::Runpath | Rule::Path,
            ..
        } => !is_stubs(&parent(path)),
        Found::File { .. }
        | Found::Driver { .. }
        | Found::Unusable { .. }
        | Found::LeftToSystem
        | Found::Missing => false,
    };
    let own = asks.iter().filter(|edge| edge.within.is_none());
    let lacking: Vec<&&ResolvedEdge> = own.filter(|edge| !is_own(edge)).collect();
    let Some(first) = lacking.first() else { return };
    let is_inherited = asks
        .iter()
        .any(|edge| edge.within.is_some() && matches!(edge.found, Found::Driver { .. }));
    let is_perhaps = lacking.iter().all(|edge| {
        let name = base(&edge.edge.name);
        let is_core = name.starts_with("libcuda.so") || name.starts_with("libnvidia-ml.so");
        edge.edge.kind == EdgeKind::PerhapsOpened && !is_core
    });
    let (severity, elsewhere) = match () {
        () if is_inherited => (Severity::Warning, Elsewhere::InheritedRpath),
        // Who names the driver opens it; who names its decoder may be a library that can do without.
        () if package.is_nix(file.path()) && is_perhaps => (Severity::Warning, Elsewhere::Nowhere),
        () if package.is_nix(file.path()) => (Severity::Error, Elsewhere::Nowhere),
        () => (Severity::Note, Elsewhere::SystemDirectories),
    };
    let evidence = Evidence {
        edge: Some(first.edge.clone()),
        rule: first.found.rule().cloned(),
        ..Evidence::of(file.path())
    };
    let flaw = Flaw::DriverDirectoryMissing {
        names: lacking.iter().map(|edge| edge.edge.name.clone()).collect(),
        directory: directory.clone(),
        elsewhere,
    };
    findings.push(Finding::new(severity, evidence, flaw));
}

/// Stubs answer every call with an error: where they come first, the package finds no device.
fn stubs(
    file: Loadable<'_>,
    written: &[&str],
    asks: &[&ResolvedEdge],
    findings: &mut Vec<Finding>,
) {
    let mut taken: BTreeMap<String, Finding> = BTreeMap::new();
    for edge in asks {
        let (found, wins) = match &edge.found {
            Found::Driver { otherwise, .. } => (&**otherwise, StubWins::WithoutDriverDirectory),
            found @ (Found::File { .. }
            | Found::Unusable { .. }
            | Found::LeftToSystem
            | Found::Missing) => (found, StubWins::Always),
        };
        let Found::File { path, .. } = found else {
            continue;
        };
        let directory = parent(path);
        if !is_stubs(&directory) {
            continue;
        }
        let severity = match wins {
            StubWins::Always => Severity::Error,
            StubWins::WithoutDriverDirectory | StubWins::Never => Severity::Warning,
        };
        let evidence = Evidence {
            edge: Some(edge.edge.clone()),
            rule: edge.found.rule().cloned(),
            other: Some(path.clone()),
            within: edge.within.clone(),
            ..Evidence::of(file.path())
        };
        let finding = Finding::new(
            severity,
            evidence,
            Flaw::StubsOnPath {
                directory: shown(&directory),
                wins,
            },
        );
        let worst = taken
            .entry(shown(&directory))
            .or_insert_with(|| finding.clone());
        if worst.severity < finding.severity {
            *worst = finding;
        }
    }
    for element in written {
        let tail = element
            .trim_start_matches("${ORIGIN}")
            .trim_start_matches("$ORIGIN")
            .trim_end_matches('/');
        let is_taken = taken
            .keys()
            .any(|directory| directory.trim_end_matches('/').ends_with(tail));
        if is_stubs(Path::new(element)) && !is_taken {
            let flaw = Flaw::StubsOnPath {
                directory: (*element).to_owned(),
                wins: StubWins::Never,
            };
            findings.push(Finding::new(
                Severity::Warning,
                Evidence::of(file.path()),
                flaw,
            ));
        }
    }
    findings.extend(taken.into_values());
}

/// Elements that lead to where nothing of the package or of the system is.
fn elements(
    package: &Package<'_>,
    file: Loadable<'_>,
    written: &[&str],
    findings: &mut Vec<Finding>,
) {
    let mut has_relative = false;
    for element in written {
        if element.starts_with("$ORIGIN") || element.starts_with("${ORIGIN}") {
            continue;
        }
        let directory = normal(Path::new(element));
        let flaw = match () {
            () if !directory.is_absolute() => {
                has_relative = true;
                continue;
            }
            () if is_usr_local_cuda(&directory) => Flaw::UsrLocalCudaOnPath {
                directory: (*element).to_owned(),
            },
            () if is_at_home(package, file, &directory) => continue,
            () => Flaw::BuildPathOnPath {
                directory: (*element).to_owned(),
            },
        };
        findings.push(Finding::new(
            Severity::Warning,
            Evidence::of(file.path()),
            flaw,
        ));
    }
    if has_relative {
        let flaw = Flaw::CurrentDirectoryOnPath {
            path: written.join(":"),
        };
        findings.push(Finding::new(
            Severity::Warning,
            Evidence::of(file.path()),
            flaw,
        ));
    }
}

fn is_usr_local_cuda(directory: &Path) -> bool {
    let rest = directory.strip_prefix("/usr/local").ok();
    let first = rest.and_then(|rest| rest.components().next());
    first.is_some_and(|name| name.as_os_str().to_string_lossy().starts_with("cuda"))
}

/// Whether a directory is where files of this kind may look: the package, the store, or the system.
fn is_at_home(package: &Package<'_>, file: Loadable<'_>, directory: &Path) -> bool {
    const SYSTEM: [&str; 9] = [
        "/lib",
        "/lib32",
        "/lib64",
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/libexec",
        "/usr/local/lib",
        "/usr/local/lib64",
    ];
    let driver = known::driver();
    let is_below = |root: &str| directory.starts_with(root);
    is_below("/nix/store")
        || is_below(&driver.directory)
        || driver.aliases.iter().any(|alias| is_below(alias))
        || package
            .resolution
            .roots
            .iter()
            .any(|root| directory.starts_with(root))
        || (!package.is_nix(file.path()) && SYSTEM.into_iter().any(is_below))
}
