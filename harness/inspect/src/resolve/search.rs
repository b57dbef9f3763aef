//! The search for one name, in the order of `_dl_map_object` of glibc.

use std::path::{Path, PathBuf};

use cudacheck_model::finding::Rule;

use super::Found;
use super::context::{Unseen, is_c_library, is_loader};
use super::load::{Object, Process};
use super::search_path::{Element, Variables, fill, normal};
use super::system::{Asked, Look};
use crate::known;

/// What a name gives an object of a process, where the objects in `scope` are loaded.
pub(super) fn search(
    process: &Process<'_, '_>,
    asker: usize,
    name: &str,
    scope: &[usize],
) -> Found {
    if let Some(loaded) = loaded(process, name, scope) {
        return loaded;
    }
    if name.contains('/') {
        return at_path(process, asker, name);
    }
    if is_loader(name) {
        return the_loader(process);
    }
    let asked = process.asked(asker, name);
    let known = asked
        .as_ref()
        .and_then(|asked| process.system.known.borrow().get(asked).cloned());
    if let Some(known) = known {
        return known;
    }
    let found = not_loaded(process, asker, name);
    if let Some(asked) = asked {
        process
            .system
            .known
            .borrow_mut()
            .insert(asked, found.clone());
    }
    found
}

fn not_loaded(process: &Process<'_, '_>, asker: usize, name: &str) -> Found {
    match by_paths(process, asker, name, DriverDirectory::Known) {
        Some(Found::Driver {
            directory, rule, ..
        }) => {
            let otherwise = by_paths(process, asker, name, DriverDirectory::Absent);
            let otherwise = Box::new(otherwise.unwrap_or_else(|| unseen(process, name)));
            Found::Driver {
                directory,
                rule,
                otherwise,
            }
        }
        Some(found) => found,
        None => unseen(process, name),
    }
}

/// Whether the driver's directory is on the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum DriverDirectory {
    /// It is, with the driver in it.
    Known,
    /// It is not.
    Absent,
}

fn by_paths(
    process: &Process<'_, '_>,
    asker: usize,
    name: &str,
    driver: DriverDirectory,
) -> Option<Found> {
    let name = Wanted { name, driver };
    by_rpath(process, asker, name)
        .or_else(|| in_library_path(process, name))
        .or_else(|| {
            let runpath = &process.objects[asker].runpath;
            in_elements(process, runpath, name, || Rule::Runpath)
        })
        .or_else(|| in_cache(process, asker, name))
        .or_else(|| {
            let has_defaults = !process.objects[asker].elf().no_default_directories;
            let directories = &process.defaults.directories;
            let mut searched = directories.iter().filter(|_| has_defaults);
            searched.find_map(|directory| {
                in_directory(process, directory, name, &Rule::DefaultDirectory)
            })
        })
}

/// A name that is searched for.
#[derive(Clone, Copy)]
struct Wanted<'n> {
    name: &'n str,
    driver: DriverDirectory,
}

/// A name matches what an object was loaded for, and its SONAME.
fn loaded(process: &Process<'_, '_>, name: &str, scope: &[usize]) -> Option<Found> {
    let mut objects = scope.iter().map(|index| &process.objects[*index]);
    let object = objects.find(|object| object.answers_to(name))?;
    Some(already(process, object))
}

fn already(process: &Process<'_, '_>, object: &Object<'_>) -> Found {
    Found::File {
        path: object.path.clone(),
        real: process.system.name(&object.real),
        rule: Rule::AlreadyLoaded,
    }
}

fn at_path(process: &Process<'_, '_>, asker: usize, name: &str) -> Found {
    let filled = PathBuf::from(fill(
        name,
        &process.variables(&process.objects[asker].origin),
    ));
    // A relative path depends on where the program is started, which no file tells.
    if !filled.is_absolute() {
        return Found::Missing;
    }
    match process.system.look_at(&filled, process.wanted) {
        Look::Fits(real) => Found::File {
            path: filled,
            real: process.system.name(&real),
            rule: Rule::Path,
        },
        Look::Unusable(because) => Found::Unusable {
            path: filled,
            rule: Rule::Path,
            because,
        },
        Look::Absent => Found::Missing,
    }
}

/// The loader is loaded before anything else, from where the program says.
fn the_loader(process: &Process<'_, '_>) -> Found {
    let path = process.interpreter.as_deref();
    match path.and_then(|path| Some((path, process.system.follow(path)?))) {
        Some((path, real)) => Found::File {
            path: path.to_owned(),
            real: process.system.name(&real),
            rule: Rule::AlreadyLoaded,
        },
        None => Found::LeftToSystem,
    }
}

/// `DT_RPATH` of the asker, of what led to it, and of the program. A `DT_RUNPATH` of the asker switches all off.
fn by_rpath(process: &Process<'_, '_>, asker: usize, name: Wanted<'_>) -> Option<Found> {
    if process.objects[asker].elf().runpath.is_some() {
        return None;
    }
    let mut next = Some(asker);
    let mut is_program_done = false;
    while let Some(index) = next {
        is_program_done |= index == 0;
        let found = by_rpath_of(process, index, name);
        if found.is_some() {
            return found;
        }
        next = process.objects[index].loader;
    }
    if process.is_program && !is_program_done {
        by_rpath_of(process, 0, name)
    } else {
        None
    }
}

fn by_rpath_of(process: &Process<'_, '_>, index: usize, name: Wanted<'_>) -> Option<Found> {
    let object = &process.objects[index];
    let of = || process.system.name(&object.real);
    in_elements(process, &object.rpath, name, || Rule::Rpath { of: of() })
}

fn in_library_path(process: &Process<'_, '_>, name: Wanted<'_>) -> Option<Found> {
    let mut directories = process.context.library_path.iter();
    directories.find_map(|directory| in_directory(process, directory, name, &Rule::LibraryPath))
}

fn in_elements(
    process: &Process<'_, '_>,
    elements: &[Element],
    name: Wanted<'_>,
    rule: impl Fn() -> Rule,
) -> Option<Found> {
    let mut directories = elements
        .iter()
        .filter_map(|element| element.directory.as_deref());
    directories.find_map(|directory| in_directory(process, directory, name, &rule()))
}

fn in_directory(
    process: &Process<'_, '_>,
    directory: &Path,
    name: Wanted<'_>,
    rule: &Rule,
) -> Option<Found> {
    let hardware = process.context.hardware.iter();
    let special = hardware.map(|level| directory.join("glibc-hwcaps").join(level));
    let searched = special.chain(std::iter::once(directory.to_owned()));
    for directory in searched {
        let path = || directory.join(name.name);
        match process.system.look(&directory, name.name, process.wanted) {
            Look::Fits(real) => {
                let real = process.system.name(&real);
                return Some(Found::File {
                    path: path(),
                    real,
                    rule: rule.clone(),
                });
            }
            Look::Unusable(because) => {
                return Some(Found::Unusable {
                    path: path(),
                    rule: rule.clone(),
                    because,
                });
            }
            Look::Absent => {}
        }
    }
    // The driver's directory is part of the running system: what it holds there is known without being here.
    let is_driver = name.driver == DriverDirectory::Known
        && known::driver_library(name.name).is_some()
        && normal(directory) == Path::new(&known::driver().directory);
    is_driver.then(|| Found::Driver {
        directory: directory.to_owned(),
        rule: rule.clone(),
        otherwise: Box::new(Found::Missing),
    })
}

fn in_cache(process: &Process<'_, '_>, asker: usize, name: Wanted<'_>) -> Option<Found> {
    let cache = process.system.cache(&process.defaults.cache);
    let path = cache.lookup(name.name, process.wanted.1)?.to_owned();
    let in_default = process
        .defaults
        .directories
        .iter()
        .any(|directory| path.starts_with(directory));
    if in_default && process.objects[asker].elf().no_default_directories {
        return None;
    }
    match process.system.look_at(&path, process.wanted) {
        Look::Fits(real) => {
            let real = process.system.name(&real);
            Some(Found::File {
                path,
                real,
                rule: Rule::Cache,
            })
        }
        Look::Unusable(because) => Some(Found::Unusable {
            path,
            rule: Rule::Cache,
            because,
        }),
        Look::Absent => None,
    }
}

/// What was not found may still be there, where the system itself is not.
fn unseen(process: &Process<'_, '_>, name: &str) -> Found {
    let is_nvidia = known::driver_library(name).is_some() || known::toolkit_majors(name).is_some();
    match process.defaults.unseen {
        Unseen::CLibrary if is_c_library(name) => Found::LeftToSystem,
        Unseen::System if !is_nvidia => Found::LeftToSystem,
        Unseen::Nothing | Unseen::CLibrary | Unseen::System => Found::Missing,
    }
}

impl Process<'_, '_> {
    /// A search that has the same answer in every process: no inherited path has a say in it.
    fn asked(&self, asker: usize, name: &str) -> Option<Asked> {
        let has_own_path = self.objects[asker].elf().runpath.is_some();
        let mut chain = std::iter::successors(self.objects[asker].loader, |index| {
            self.objects[*index].loader
        });
        let is_inherited = chain.any(|index| !self.objects[index].rpath.is_empty());
        let of_program = self.is_program && asker != 0 && !self.objects[0].rpath.is_empty();
        (has_own_path || !(is_inherited || of_program)).then(|| Asked {
            asker: self.objects[asker].path.clone(),
            name: name.to_owned(),
            is_nix: self.is_nix,
            interpreter: self.interpreter.clone(),
        })
    }

    /// What the variables of a search path stand for in a file of this directory.
    pub(super) fn variables<'v>(&'v self, origin: &'v Path) -> Variables<'v> {
        Variables {
            origin,
            lib: &self.defaults.lib,
            platform: &self.platform,
        }
    }
}
