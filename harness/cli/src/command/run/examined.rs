//! What the packages of a run contain: the libraries that can be checked, where their parts may come from, and which
//! loader they need.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cudacheck_inspect::subject::subjects;
use cudacheck_inspect::{Options, Search, inspect};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::library::{Loader, Subject, Subjects};
use cudacheck_model::package::PackageFacts;

use crate::arguments::RunArguments;
use crate::command::inspect::closure;

/// Where Nix keeps packages.
const STORE: &str = "/nix/store";

/// How thoroughly the files of packages are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Depth {
    /// For the GPU code in them.
    Code,
    /// Also for what they open by name.
    Names,
}

/// What the packages contain.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// What their files reveal. Nothing, if none of them is one that a GPU's program is made of.
    pub(super) files: Option<PackageFacts>,
    /// Their libraries, if the files were read for names.
    pub(super) libraries: Subjects,
    /// How thoroughly they were read; none if they were not.
    pub(super) depth: Option<Depth>,
}

/// Reads the files of the packages.
pub(super) fn examine(packages: &[PathBuf], depth: Depth) -> Examined {
    let search = match depth {
        Depth::Code => Search::FatbinSections,
        Depth::Names => Search::Everywhere,
    };
    let options = Options {
        search,
        ..Options::default()
    };
    let facts = inspect(packages, &options, &|_| {});
    let libraries = match depth {
        Depth::Code => Subjects::new(),
        Depth::Names => subjects(&facts),
    };
    Examined {
        files: (!facts.files.is_empty()).then_some(facts),
        libraries,
        depth: Some(depth),
    }
}

/// Adds all that the command line says of the libraries.
pub(super) fn complete(
    libraries: &mut Subjects,
    packages: &[PathBuf],
    arguments: &RunArguments,
    directory: &Path,
) {
    if libraries.is_empty() {
        return;
    }
    let closure = closure_of(packages);
    let own = own_c_library();
    for subject in libraries.values_mut().flatten() {
        let known = closure.clone().unwrap_or_else(|| stored(subject));
        let territory = &mut subject.territory;
        territory.closure.extend(known);
        territory
            .excepted
            .clone_from(&arguments.allow_host_libraries);
        subject.loader = match &arguments.loader {
            Some(path) => loader(path, "as --loader says".to_owned(), directory),
            None => newer_loader(subject, own.as_deref(), directory),
        };
    }
}

/// Adds what only the machine knows: where the driver's libraries are. Its facts name files as programs of that machine
/// do; a simulated one has them below its own root.
pub(super) fn on_machine(libraries: &mut Subjects, facts: &MachineFacts, sysroot: &Path) {
    let found = [&facts.driver.libcuda, &facts.driver.nvml];
    let mut directories = BTreeSet::new();
    for library in found.into_iter().flatten() {
        let path = sysroot.join(library.path.strip_prefix("/").unwrap_or(&library.path));
        let real = fs::canonicalize(&path).ok();
        let files = [Some(path), real];
        directories.extend(
            files
                .iter()
                .flatten()
                .filter_map(|file| file.parent())
                .map(Path::to_owned),
        );
    }
    for subject in libraries.values_mut().flatten() {
        subject.territory.driver.extend(directories.iter().cloned());
    }
}

/// The closure of store paths; none if Nix is not here to tell it.
fn closure_of(roots: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let stored: Vec<PathBuf> = roots
        .iter()
        .filter_map(|root| fs::canonicalize(root).ok())
        .filter(|root| root.starts_with(STORE))
        .collect();
    if stored.is_empty() {
        return Some(Vec::new());
    }
    closure(&stored).ok()
}

/// The store paths that the search paths of a library lead to: each is written in a file of the package, so Nix would
/// name it as well. Without it, a package would be blamed for what belongs to it.
fn stored(subject: &Subject) -> Vec<PathBuf> {
    let found = subject.parts.iter().filter_map(|part| part.found.as_ref());
    let below = found.filter_map(|path| path.strip_prefix(STORE).ok());
    let names: BTreeSet<_> = below.filter_map(|path| path.components().next()).collect();
    names
        .into_iter()
        .map(|name| Path::new(STORE).join(name))
        .collect()
}

/// The C library of this process, in which workers run unless they are started through another loader.
fn own_c_library() -> Option<PathBuf> {
    mapped("libc.so.6")
}

/// A library of this process by its name.
fn mapped(name: &str) -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    let mut named = paths.filter(|path| Path::new(path).file_name().is_some_and(|it| it == name));
    named.next().map(PathBuf::from)
}

/// The loader of the library's own closure, if its C library is newer than the worker's: only that one can load it.
fn newer_loader(subject: &Subject, own: Option<&Path>, directory: &Path) -> Option<Loader> {
    let part = subject.parts.iter().find(|part| part.name == "libc.so.6")?;
    let theirs = part.found.as_deref()?;
    let own = own?;
    if fs::canonicalize(own).ok()? == fs::canonicalize(theirs).ok()? {
        return None;
    }
    let (new, old) = (glibc(theirs)?, glibc(own)?);
    if new <= old {
        return None;
    }
    let of = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    let because = format!(
        "its glibc {} is newer than the worker's {}",
        of(new),
        of(old)
    );
    let beside = fs::read_dir(theirs.parent()?).ok()?.flatten();
    let mut loaders = beside.map(|entry| entry.path()).filter(|path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("ld-linux-") && name.contains(".so"))
    });
    loader(&loaders.next()?, because, directory)
}

/// A loader with the few libraries that the worker itself needs, and no others: a whole directory of the host on its
/// search path would hide what the package lacks.
fn loader(path: &Path, because: String, directory: &Path) -> Option<Loader> {
    let path = std::path::absolute(path).ok()?;
    let links = directory.join("loader");
    fs::create_dir_all(&links).ok()?;
    if let Some(unwinder) = mapped("libgcc_s.so.1") {
        // The link of an earlier library of this run is the same.
        let _ = symlink(unwinder, links.join("libgcc_s.so.1"));
    }
    Some(Loader {
        library_path: vec![path.parent()?.to_owned(), links],
        path,
        because,
    })
}

/// The newest version of symbols that a C library has.
fn glibc(library: &Path) -> Option<(u32, u32)> {
    let options = Options {
        search: Search::FatbinSections,
        ..Options::default()
    };
    let facts = inspect(&[library.to_owned()], &options, &|_| {});
    let elf = facts.files.first()?.elf.as_ref()?;
    let number = |version: &String| {
        let (major, minor) = version.strip_prefix("GLIBC_")?.split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    };
    elf.provided_versions.iter().filter_map(number).max()
}

#[cfg(test)]
mod tests {
    use cudacheck_model::library::{Part, PartNeed, Territory};

    use super::*;

    #[test]
    fn what_search_paths_lead_to_belongs_to_a_package_of_nix() {
        let part = |path: &str| Part {
            name: "x".to_owned(),
            need: PartNeed::Linked,
            found: Some(PathBuf::from(path)),
            driver: false,
        };
        let subject = Subject {
            label: None,
            soname: "libcudnn.so.9".to_owned(),
            path: PathBuf::from("/nix/store/a-cudnn/lib/libcudnn.so.9"),
            parts: vec![
                part("/nix/store/b-cublas/lib/libcublasLt.so.12"),
                part("/nix/store/b-cublas/lib/libcublas.so.12"),
                part("/usr/lib/libz.so.1"),
            ],
            territory: Territory::default(),
            loader: None,
        };
        assert_eq!(stored(&subject), [PathBuf::from("/nix/store/b-cublas")]);
    }
}
