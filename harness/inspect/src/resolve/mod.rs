//! Which files a loader would take for a package, by its own rules and without running anything.
//!
//! Every file is taken as a program or as a library that somebody opens, its dependencies are gone through breadth
//! first as glibc's `dl-deps.c` does, and then what the loaded files open by name. What a file gets on its own is the
//! answer; where another start gives it something else, by an inherited `DT_RPATH` or because a name is loaded
//! already, that is kept beside it. A name that is opened sees what is loaded before it by its own chain only: a
//! driver that something else opened first would hide that a search path lacks it.
//!
//! The rules are those of `elf/dl-load.c` of glibc 2.27 and later. Not followed: `LD_PRELOAD`, `LD_AUDIT`, set-user-id
//! programs, the `tls` and `haswell` directories that ended with glibc 2.33, and other C libraries.

mod cache;
mod context;
mod load;
mod search;
mod search_path;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use context::STORE;
pub use context::{LoaderContext, LoaderKind};
pub(crate) use search_path::{is_stubs, normal};

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use cudacheck_model::finding::{Edge, Rule};
use cudacheck_model::package::{PackageFacts, PackageFile};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use load::{End, Process, Record};
use system::System;

/// Resolves every edge of every file of a package.
pub fn resolve(facts: &PackageFacts, context: &LoaderContext) -> Resolution {
    let system = System::new(facts, context.sysroot.as_deref());
    let mut collected = Collected::default();
    for file in &facts.files {
        if let Some(process) = Process::start(&system, context, file) {
            if process.is_nix {
                collected.without_system.insert(file.path.clone());
            }
            let end = process.run(&mut |record| collected.take(&file.path, record));
            collected.unfinished += u64::from(end == End::CutOff);
        }
    }
    let roots = facts.roots.iter().map(|root| system.inside(root)).collect();
    Resolution {
        roots,
        ..collected.finish(&system)
    }
}

/// What every file gets when one file of the package is loaded first, in the order in which the loader asks.
///
/// Empty where `start` is no program and no library of the package.
pub fn resolve_from(
    facts: &PackageFacts,
    context: &LoaderContext,
    start: &Path,
) -> Vec<ResolvedEdge> {
    let system = System::new(facts, context.sysroot.as_deref());
    let file = facts.files.iter().find(|file| file.path == start);
    let mut edges = Vec::new();
    if let Some(process) = file.and_then(|file| Process::start(&system, context, file)) {
        // A file that is made to be endless gives as much as was searched for.
        let _: End = process.run(&mut |Record { file, edge, found }| {
            let within = (file != start).then(|| start.to_owned());
            edges.push(ResolvedEdge {
                file: file.to_owned(),
                edge,
                found,
                within,
            });
        });
    }
    edges
}

/// What a loader would take.
#[derive(Clone, Debug, Default, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Resolution {
    /// What each file gets when it is loaded on its own, in the order of the files and of what they ask for.
    pub edges: Vec<ResolvedEdge>,
    /// Files that are loaded by Nix's loader, which searches nothing of the system.
    #[serde(serialize_with = "printable_all")]
    pub without_system: BTreeSet<PathBuf>,
    /// The given paths, as the system sees them.
    #[serde(serialize_with = "printable_all")]
    pub roots: Vec<PathBuf>,
    /// What files get instead when another file is loaded first, where that is something else.
    pub within: Vec<ResolvedEdge>,
    /// Files for which not everything was searched for, since there was more than any real package asks for.
    #[serde(skip_serializing_if = "is_zero")]
    pub unfinished: u64,
    /// Files that are taken but not below the given paths, by their path with all links resolved.
    #[serde(skip)]
    pub outside: BTreeMap<PathBuf, PackageFile>,
}

impl Resolution {
    /// What a file gets on its own, and what it gets when something else was loaded first.
    pub fn all_of<'r>(&'r self, file: &'r Path) -> impl Iterator<Item = &'r ResolvedEdge> {
        let first = self
            .within
            .partition_point(|edge| edge.file.as_path() < file);
        let within = self.within[first..]
            .iter()
            .take_while(move |edge| edge.file == file);
        self.of(file).chain(within)
    }

    /// What a file gets on its own.
    pub fn of<'r>(&'r self, file: &'r Path) -> impl Iterator<Item = &'r ResolvedEdge> {
        let first = self
            .edges
            .partition_point(|edge| edge.file.as_path() < file);
        self.edges[first..]
            .iter()
            .take_while(move |edge| edge.file == file)
    }
}

/// One thing that a file asks for, and what it gets.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ResolvedEdge {
    /// The file that asks, as the facts name it.
    #[serde(serialize_with = "printable")]
    pub file: PathBuf,
    /// What it asks for.
    pub edge: Edge,
    /// What it gets.
    pub found: Found,
    /// The file that was loaded first, where that is another.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "printable_or_none"
    )]
    pub within: Option<PathBuf>,
}

/// What the loader gives for a name.
#[derive(Clone, Debug, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Found {
    /// A file.
    File {
        /// As the loader would print it: the element of the search path and the name.
        #[serde(serialize_with = "printable")]
        path: PathBuf,
        /// The file behind all links: as the facts name it, where it is below the given paths.
        #[serde(serialize_with = "printable")]
        real: PathBuf,
        /// Why it is this one.
        rule: Rule,
    },
    /// The driver of the machine that it will run on, through a directory that only that machine has.
    Driver {
        /// The directory.
        #[serde(serialize_with = "printable")]
        directory: PathBuf,
        /// Why it is searched.
        rule: Rule,
        /// What is found on a machine without this directory.
        otherwise: Box<Found>,
    },
    /// A file that the loader cannot use, and that ends its search.
    Unusable {
        /// The file.
        #[serde(serialize_with = "printable")]
        path: PathBuf,
        /// Why it is this one.
        rule: Rule,
        /// Why it cannot be used.
        because: String,
    },
    /// Something of the system that it will run on, which is not the one whose files can be read here.
    LeftToSystem,
    /// Nothing.
    Missing,
}

impl Found {
    /// The file behind all links, if it is a file.
    pub fn real(&self) -> Option<&Path> {
        match self {
            Self::File { real, .. } => Some(real),
            Self::Driver { .. } | Self::Unusable { .. } | Self::LeftToSystem | Self::Missing => {
                None
            }
        }
    }

    /// Why it is this one, if anything is found.
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::File { rule, .. } | Self::Driver { rule, .. } | Self::Unusable { rule, .. } => {
                Some(rule)
            }
            Self::LeftToSystem | Self::Missing => None,
        }
    }

    /// Whether two answers lead to the same file, whatever the rule.
    fn same_file(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { real, .. }, Self::File { real: other, .. }) => real == other,
            (Self::Driver { .. }, Self::Driver { .. }) => true,
            (Self::Unusable { path, .. }, Self::Unusable { path: other, .. }) => path == other,
            (Self::LeftToSystem, Self::LeftToSystem) | (Self::Missing, Self::Missing) => true,
            (
                Self::File { .. }
                | Self::Driver { .. }
                | Self::Unusable { .. }
                | Self::LeftToSystem
                | Self::Missing,
                _,
            ) => false,
        }
    }
}

/// What all starts gave, each answer once.
#[derive(Default)]
struct Collected {
    own: Vec<ResolvedEdge>,
    unfinished: u64,
    without_system: BTreeSet<PathBuf>,
    /// Answers of other starts with the first start that gave each.
    others: HashMap<(PathBuf, Edge, Found), PathBuf>,
}

impl Collected {
    fn take(&mut self, start: &Path, record: Record<'_>) {
        let Record { file, edge, found } = record;
        if file == start {
            self.own.push(ResolvedEdge {
                file: file.to_owned(),
                edge,
                found,
                within: None,
            });
        } else {
            let key = (file.to_owned(), edge, found);
            self.others.entry(key).or_insert_with(|| start.to_owned());
        }
    }

    fn finish(mut self, system: &System<'_>) -> Resolution {
        // The order within a file is that of the file; sorting is stable.
        self.own.sort_by(|one, other| one.file.cmp(&other.file));
        let own = Resolution {
            edges: self.own,
            ..Resolution::default()
        };
        let differs = |file: &Path, edge: &Edge, found: &Found| {
            !own.of(file)
                .any(|known| known.edge == *edge && known.found.same_file(found))
        };
        let mut within: Vec<ResolvedEdge> = self
            .others
            .into_iter()
            .filter(|((file, edge, found), _)| differs(file, edge, found))
            .map(|((file, edge, found), start)| ResolvedEdge {
                file,
                edge,
                found,
                within: Some(start),
            })
            .collect();
        within.sort_by(|one, other| {
            let key =
                |edge: &ResolvedEdge| (edge.file.clone(), edge.edge.clone(), edge.within.clone());
            key(one).cmp(&key(other))
        });
        let edges = own.edges;
        let taken = edges
            .iter()
            .chain(&within)
            .filter_map(|edge| edge.found.real());
        let outside = system.outside(taken);
        Resolution {
            edges,
            without_system: self.without_system,
            roots: Vec::new(),
            within,
            unfinished: self.unfinished,
            outside,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Paths are bytes, JSON is text: what is not text is shown as far as it can be.
fn printable<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference")]
fn printable_or_none<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => printable(path, serializer),
        None => serializer.serialize_none(),
    }
}

fn printable_all<'p, S: Serializer>(
    paths: impl IntoIterator<Item = &'p PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.into_iter().map(|path| path.to_string_lossy()))
}
