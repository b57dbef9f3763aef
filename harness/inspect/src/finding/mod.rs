//! What is wrong with a package: judges what was read and what a loader would take, and reads nothing itself.

mod closure;
mod code;
mod edges;
mod paths;
mod platform;
#[cfg(test)]
mod tests;

pub use code::{Expectation, ExpectationError, PtxExpectation};
pub use platform::{Redistribution, UnknownRedistribution};

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cudacheck_model::finding::{EdgeKind, Finding};
use cudacheck_model::package::{ElfFacts, FileKind, PackageFacts, PackageFile};

use crate::known;
use crate::resolve::Resolution;

/// What a package is asked for beyond working at all.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The platform that it must be for.
    pub platform: Option<Redistribution>,
    /// The GPU code that it must have, no more and no less.
    pub expected: Option<Expectation>,
}

/// Everything that is wrong, the worst first, then by file.
pub fn findings(
    facts: &PackageFacts,
    resolution: &Resolution,
    question: &Question,
) -> Vec<Finding> {
    let package = Package::new(facts, resolution);
    let mut findings = Vec::new();
    for file in package.loadable() {
        paths::judge(&package, file, &mut findings);
        edges::judge(&package, file, &mut findings);
    }
    closure::judge(&package, &mut findings);
    if let Some(expected) = &question.expected {
        code::judge(&package, expected, &mut findings);
    }
    if let Some(asked) = question.platform {
        platform::judge(&package, asked, &mut findings);
    }
    findings.sort_by(|one, other| {
        let key = |finding: &Finding| {
            (
                Reverse(finding.severity),
                finding.evidence.file.clone(),
                finding.code,
            )
        };
        key(one).cmp(&key(other))
    });
    findings
}

/// What was read, at hand for all judgements.
struct Package<'a> {
    facts: &'a PackageFacts,
    resolution: &'a Resolution,
    by_path: HashMap<&'a Path, &'a PackageFile>,
    /// Who takes a file because it needs it, or is known to open it.
    askers: HashMap<&'a Path, Vec<&'a Path>>,
}

/// A file that a loader loads, with what it tells the loader.
#[derive(Clone, Copy)]
struct Loadable<'a> {
    file: &'a PackageFile,
    elf: &'a ElfFacts,
}

impl<'a> Package<'a> {
    fn new(facts: &'a PackageFacts, resolution: &'a Resolution) -> Self {
        let outside = resolution.outside.values();
        let files = facts.files.iter().chain(outside);
        let by_path = files.map(|file| (file.path.as_path(), file)).collect();
        let mut askers: HashMap<&Path, Vec<&Path>> = HashMap::new();
        for edge in &resolution.edges {
            let is_certain = match edge.edge.kind {
                EdgeKind::Needed | EdgeKind::Opened => true,
                EdgeKind::PerhapsOpened => false,
            };
            if let Some(real) = edge.found.real().filter(|_| is_certain) {
                askers.entry(real).or_default().push(&edge.file);
            }
        }
        Self {
            facts,
            resolution,
            by_path,
            askers,
        }
    }

    fn loadable(&self) -> impl Iterator<Item = Loadable<'a>> {
        self.facts.files.iter().filter_map(Loadable::of)
    }

    fn file(&self, path: &Path) -> Option<&'a PackageFile> {
        self.by_path.get(path).copied()
    }

    /// Whether a file's loader searches nothing of the system.
    fn is_nix(&self, file: &Path) -> bool {
        self.resolution.without_system.contains(file)
    }
}

impl<'a> Loadable<'a> {
    fn of(file: &'a PackageFile) -> Option<Self> {
        match file.kind {
            FileKind::SharedObject | FileKind::Executable => Some(Self {
                file,
                elf: file.elf.as_ref()?,
            }),
            FileKind::Relocatable
            | FileKind::Archive
            | FileKind::Fatbin
            | FileKind::Cubin
            | FileKind::Dll => None,
        }
    }

    fn path(&self) -> &'a Path {
        &self.file.path
    }

    fn soname(&self) -> Option<&'a str> {
        self.elf.soname.as_deref()
    }

    /// Whether it is itself a library of a driver, real or a stub.
    fn is_driver(&self) -> bool {
        self.soname()
            .is_some_and(|soname| known::driver_library(soname).is_some())
    }

    /// The search path that the loader uses.
    fn search_path(&self) -> Option<&'a str> {
        self.elf.runpath.as_deref().or(self.elf.rpath.as_deref())
    }
}

/// The name of a file without its directories.
fn base(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}
