//! The libraries of a package that there are checks for, each with the parts that it asks the loader for.

pub(crate) mod impostor;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cudacheck_model::finding::EdgeKind;
use cudacheck_model::library::{Host, Library, Part, PartNeed, Subject, Subjects, Territory};
use cudacheck_model::package::{Machine, PackageFacts, PackageFile};

use crate::known::{self, Need};
use crate::resolve::{Found, LoaderContext, ResolvedEdge, STORE, resolve_from};

/// The libraries of a package. Where several of one kind are in it, each has a label: its SONAME, or the directory below
/// the given paths that tells it from the others.
///
/// A library for another kind of machine is left out where there is one for this machine, as toolkits for several
/// machines have. What only has the name of a library is in, since a program that asks for the name gets it.
///
/// The driver's directories, exceptions, and loaders are the machine's, and not filled in here.
pub fn subjects(facts: &PackageFacts) -> Subjects {
    let mut subjects = Subjects::new();
    let mut foreign = Subjects::new();
    for file in &facts.files {
        let Some(library) = library(file) else {
            continue;
        };
        let of_machine = if is_for_this_machine(file) {
            &mut subjects
        } else {
            &mut foreign
        };
        let subject = subject(facts, file);
        let others = of_machine.entry(library).or_default();
        // Two names of one file are one library.
        if others.iter().all(|other| other.path != subject.path) {
            others.push(subject);
        }
    }
    for (library, others) in foreign {
        subjects.entry(library).or_insert(others);
    }
    for (library, path) in impostor::impostors(facts) {
        if !in_stubs(&path) {
            let subject = nothing(facts, &path, impostor::soname(library, &path));
            subjects.entry(library).or_default().push(subject);
        }
    }
    for of_kind in subjects.values_mut() {
        label(of_kind, &facts.roots);
    }
    subjects
}

/// Whether this machine's loader takes a file.
fn is_for_this_machine(file: &PackageFile) -> bool {
    match (file.machine, std::env::consts::ARCH) {
        (Some(Machine::X86_64), arch) => arch == "x86_64",
        (Some(Machine::Aarch64), arch) => arch == "aarch64",
        (Some(Machine::Ppc64le), arch) => arch == "powerpc64",
        (
            Some(Machine::X86 | Machine::Arm | Machine::Ppc64 | Machine::Cuda | Machine::Other(_))
            | None,
            _,
        ) => false,
    }
}

/// Which library a file is: by its SONAME, else by its name.
fn library(file: &PackageFile) -> Option<Library> {
    if in_stubs(&file.path) {
        return None;
    }
    let elf = file.elf.as_ref()?;
    let by_name = || file.path.file_name()?.to_str();
    Library::of_file(elf.soname.as_deref().or_else(by_name)?)
}

/// Stubs have the names of libraries, and nothing in them.
fn in_stubs(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "stubs")
}

fn subject(facts: &PackageFacts, file: &PackageFile) -> Subject {
    let soname = file.elf.as_ref().and_then(|elf| elf.soname.clone());
    let name = || {
        file.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let edges = resolve_from(facts, &LoaderContext::default(), &file.path);
    Subject {
        parts: parts(facts, &edges),
        ..nothing(facts, &file.path, soname.or_else(name).unwrap_or_default())
    }
}

/// What asks for nothing.
fn nothing(facts: &PackageFacts, path: &Path, soname: String) -> Subject {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let path = real(path);
    let roots: Vec<PathBuf> = facts.roots.iter().map(|root| real(root)).collect();
    Subject {
        label: None,
        soname,
        parts: Vec::new(),
        territory: Territory {
            own: own(&path, &roots),
            closure: roots,
            driver: Vec::new(),
            excepted: Vec::new(),
            host: if path.starts_with(STORE) {
                Host::Refused
            } else {
                Host::Serves
            },
        },
        path,
        loader: None,
    }
}

/// The package that a file is of: its path in a Nix store, else the given path that it lies below.
fn own(path: &Path, roots: &[PathBuf]) -> PathBuf {
    if let Ok(below) = path.strip_prefix(STORE)
        && let Some(first) = below.components().next()
    {
        return Path::new(STORE).join(first);
    }
    let root = roots.iter().find(|root| path.starts_with(root));
    match root {
        // A file that was named by itself: its parts lie beside it.
        Some(root) if root == path => path.parent().unwrap_or(path).to_owned(),
        Some(root) => root.clone(),
        None => path.parent().unwrap_or(path).to_owned(),
    }
}

/// What the library and its parts ask for, each name once for each file that asks. Names that only may be opened are
/// left out: to open what nobody opens would be a fault of the check.
fn parts(facts: &PackageFacts, edges: &[ResolvedEdge]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    // Names of one library are tried one after the other, so that one of them suffices.
    let mut families: BTreeMap<(&Path, String), usize> = BTreeMap::new();
    for edge in edges {
        let name = edge.edge.name.rsplit('/').next().unwrap_or_default();
        let (name, need) = match edge.edge.kind {
            EdgeKind::Needed => (name.to_owned(), PartNeed::Linked),
            EdgeKind::Opened => opened(facts, &edge.file, name),
            EdgeKind::PerhapsOpened => continue,
        };
        let (found, driver) = match &edge.found {
            Found::File { real, .. } => (Some(real.clone()), false),
            Found::Driver { .. } => (None, true),
            Found::Unusable { .. } | Found::LeftToSystem | Found::Missing => (None, false),
        };
        let family = known::stem(&name).map_or(name.as_str(), |(stem, _)| stem);
        let family = family.to_owned();
        let part = Part {
            need,
            found,
            driver: driver || known::driver_library(&name).is_some(),
            name,
        };
        match families.get(&(edge.file.as_path(), family.clone())) {
            Some(&known) if parts[known].found.is_some() => {}
            Some(&known) => {
                let need = stronger(parts[known].need, part.need);
                if part.found.is_some() {
                    parts[known] = part;
                }
                parts[known].need = need;
            }
            None => {
                families.insert((edge.file.as_path(), family), parts.len());
                parts.push(part);
            }
        }
    }
    parts
}

/// What a file opens: the name that it tries first, which is not always the one among its strings, and how much it
/// needs it.
fn opened(facts: &PackageFacts, asking: &Path, name: &str) -> (String, PartNeed) {
    let file = facts.files.iter().find(|file| file.path == asking);
    let soname = file.and_then(|file| file.elf.as_ref()?.soname.as_deref());
    let known = soname.and_then(|soname| known::opened(soname, name));
    let need = match known.map(|it| it.need) {
        Some(Need::Required) => PartNeed::Required,
        Some(Need::Feature) => PartNeed::Feature,
        Some(Need::Optional) | None => PartNeed::Optional,
    };
    let tried = known.and_then(|it| it.tried(name).into_iter().next());
    (tried.unwrap_or_else(|| name.to_owned()), need)
}

fn stronger(one: PartNeed, other: PartNeed) -> PartNeed {
    let rank = |need| match need {
        PartNeed::Linked => 0,
        PartNeed::Required => 1,
        PartNeed::Feature => 2,
        PartNeed::Optional => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}

/// Tells libraries of one kind apart, in words that are the same in every run.
fn label(subjects: &mut [Subject], roots: &[PathBuf]) {
    if subjects.len() < 2 {
        return;
    }
    let sonames: Vec<String> = subjects.iter().map(|it| it.soname.clone()).collect();
    for subject in subjects.iter_mut() {
        let alone = sonames
            .iter()
            .filter(|name| **name == subject.soname)
            .count()
            == 1;
        let label = if alone {
            subject.soname.clone()
        } else {
            let root = roots.iter().filter_map(|root| root.canonicalize().ok());
            let below = root.filter_map(|root| {
                let above = root.parent()?.to_owned();
                subject.path.strip_prefix(above).ok().map(Path::to_owned)
            });
            let place = below
                .into_iter()
                .next()
                .unwrap_or_else(|| subject.path.clone());
            let place = place
                .parent()
                .unwrap_or(&place)
                .to_string_lossy()
                .into_owned();
            format!("{place}/{}", subject.soname)
        };
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || "._+-".contains(c) {
                c
            } else {
                '_'
            }
        };
        subject.label = Some(label.chars().map(safe).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(path: &str, soname: &str) -> Subject {
        Subject {
            label: None,
            soname: soname.to_owned(),
            path: PathBuf::from(path),
            parts: Vec::new(),
            territory: Territory::default(),
            loader: None,
        }
    }

    #[track_caller]
    fn check(given: &[(&str, &str)], expected: &[Option<&str>]) {
        let mut subjects: Vec<_> = given
            .iter()
            .map(|(path, name)| subject(path, name))
            .collect();
        label(&mut subjects, &[]);
        let labels: Vec<_> = subjects.iter().map(|it| it.label.as_deref()).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn libraries_of_one_kind_are_told_apart() {
        check(&[("/a/libx.so.1", "libx.so.1")], &[None]);
        check(
            &[("/a/libx.so.1", "libx.so.1"), ("/a/libx.so.2", "libx.so.2")],
            &[Some("libx.so.1"), Some("libx.so.2")],
        );
        check(
            &[("/a/libx.so.1", "libx.so.1"), ("/b/libx.so.1", "libx.so.1")],
            &[Some("_a_libx.so.1"), Some("_b_libx.so.1")],
        );
    }

    #[test]
    fn a_package_of_nix_is_its_store_path() {
        let path = Path::new("/nix/store/abc-cudnn-9.1/lib/libcudnn.so.9");
        assert_eq!(own(path, &[]), Path::new("/nix/store/abc-cudnn-9.1"));
        let path = Path::new("/opt/x/lib/libcudnn.so.9");
        let roots = [PathBuf::from("/opt/x")];
        assert_eq!(own(path, &roots), Path::new("/opt/x"));
        assert_eq!(own(path, &[path.to_owned()]), Path::new("/opt/x/lib"));
    }
}
