//! The files of the system that a package will run on: which are there, and what their headers say.
//!
//! This is all that resolution reads. Directories are listed once, and links are followed inside of the system's root,
//! as they would be on that system.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use cudacheck_model::package::{ElfClass, FileKind, Machine, PackageFacts, PackageFile};

use super::Found;
use super::cache::Cache;
use crate::{Options, Search};

/// As many links as the kernel follows.
const MOST_LINKS: u32 = 40;

/// Searches that are made for one package: beyond it, its files are made to keep a reader busy.
const MOST_SEARCHES: u64 = 20_000_000;

/// Bytes of the largest cache that is read.
const LARGEST_CACHE: u64 = 16 << 20;

/// The files of a system, and of a package on it.
pub(super) struct System<'a> {
    sysroot: Option<PathBuf>,
    facts: &'a PackageFacts,
    /// Given paths outside of the system's root: they are found where they are.
    roots: Vec<PathBuf>,
    /// Files of the package by their path with all links followed.
    given: HashMap<PathBuf, usize>,
    listings: RefCell<HashMap<PathBuf, Option<Rc<Listing>>>>,
    outside: RefCell<HashMap<PathBuf, Option<Rc<PackageFile>>>>,
    heads: RefCell<HashMap<PathBuf, Head>>,
    caches: RefCell<HashMap<PathBuf, Rc<Cache>>>,
    followed: RefCell<HashMap<PathBuf, Option<PathBuf>>>,
    searches: Cell<u64>,
    /// What was found for a file and a name where nothing but the file decides.
    pub(super) known: RefCell<HashMap<Asked, Found>>,
}

/// A file, as it was found, and a name that it asks for, by which loader.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Asked {
    pub(super) asker: PathBuf,
    pub(super) name: String,
    pub(super) is_nix: bool,
    pub(super) interpreter: Option<PathBuf>,
}

/// A library with its facts.
#[derive(Clone)]
pub(super) enum Library<'a> {
    /// Of the package.
    Given(&'a PackageFile),
    /// Of the system.
    Outside(Rc<PackageFile>),
}

impl Library<'_> {
    pub(super) fn file(&self) -> &PackageFile {
        match self {
            Self::Given(file) => file,
            Self::Outside(file) => file,
        }
    }
}

/// What a loader sees at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// Nothing, or a library for another machine: the search goes on.
    Absent,
    /// Something that ends the search.
    Unusable(String),
    /// A library for the machine, with its path behind all links.
    Fits(PathBuf),
}

/// What the first bytes of a file say.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Head {
    Elf(ElfClass, Machine),
    Unusable(String),
    Unreadable,
}

struct Listing {
    real: PathBuf,
    names: HashSet<OsString>,
}

impl<'a> System<'a> {
    pub(super) fn new(facts: &'a PackageFacts, sysroot: Option<&Path>) -> Self {
        let sysroot =
            sysroot.map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        let mut system = Self {
            sysroot,
            facts,
            roots: Vec::new(),
            given: HashMap::new(),
            listings: RefCell::default(),
            outside: RefCell::default(),
            heads: RefCell::default(),
            caches: RefCell::default(),
            followed: RefCell::default(),
            searches: Cell::new(0),
            known: RefCell::default(),
        };
        let absolute = facts
            .roots
            .iter()
            .filter_map(|root| std::path::absolute(root).ok());
        system.roots = absolute
            .filter(|root| system.below_sysroot(root).is_none())
            .collect();
        for (index, file) in facts.files.iter().enumerate() {
            for name in std::iter::once(&file.path).chain(&file.aliases) {
                if let Some(real) = system.follow(&system.inside(name)) {
                    system.given.entry(real).or_insert(index);
                }
            }
        }
        system
    }

    /// A path on the system, for a path on this machine.
    pub(super) fn inside(&self, path: &Path) -> PathBuf {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        self.below_sysroot(&path).unwrap_or(path)
    }

    /// Whether anything has this path on the system.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.follow(path).is_some()
    }

    /// What a loader for a machine sees in a directory under a name.
    pub(super) fn look(&self, directory: &Path, name: &str, wanted: (ElfClass, Machine)) -> Look {
        let Some(listing) = self.listing(directory) else {
            return Look::Absent;
        };
        // Names without directories are looked up in the listing; the others are followed.
        if !name.contains('/') && !listing.names.contains(std::ffi::OsStr::new(name)) {
            return Look::Absent;
        }
        self.look_at(&listing.real.join(name), wanted)
    }

    /// What a loader for a machine sees at a path.
    pub(super) fn look_at(&self, path: &Path, wanted: (ElfClass, Machine)) -> Look {
        let Some(real) = self.follow(path) else {
            return Look::Absent;
        };
        let known = self.heads.borrow().get(&real).cloned();
        let head = known.unwrap_or_else(|| {
            let head = head(&self.host(&real));
            self.heads.borrow_mut().insert(real.clone(), head.clone());
            head
        });
        match head {
            Head::Elf(class, machine) if (class, machine) == wanted => Look::Fits(real),
            Head::Elf(..) | Head::Unreadable => Look::Absent,
            Head::Unusable(because) => Look::Unusable(because),
        }
    }

    /// The library at a path behind all links.
    pub(super) fn library(&self, real: &Path) -> Option<Library<'a>> {
        if let Some(index) = self.given.get(real) {
            return Some(Library::Given(&self.facts.files[*index]));
        }
        if let Some(known) = self.outside.borrow().get(real) {
            return known.clone().map(Library::Outside);
        }
        let options = Options {
            search: Search::FatbinSections,
            threads: NonZeroUsize::MIN,
        };
        let mut facts = crate::inspect(&[self.host(real)], &options, &|_| {});
        let read = facts.files.pop().map(|file| {
            Rc::new(PackageFile {
                path: real.to_owned(),
                ..file
            })
        });
        self.outside
            .borrow_mut()
            .insert(real.to_owned(), read.clone());
        read.map(Library::Outside)
    }

    /// The name by which answers speak of a file behind all links.
    pub(super) fn name(&self, real: &Path) -> PathBuf {
        match self.given.get(real) {
            Some(index) => self.facts.files[*index].path.clone(),
            None => real.to_owned(),
        }
    }

    /// The interpreter of the first program of the package that has one in this directory.
    pub(super) fn interpreter_below(&self, directory: &str) -> Option<&'a Path> {
        let programs = self
            .facts
            .files
            .iter()
            .filter(|file| file.kind == FileKind::Executable);
        let mut interpreters =
            programs.filter_map(|file| file.elf.as_ref()?.interpreter.as_deref());
        interpreters
            .find(|path| path.starts_with(directory))
            .map(Path::new)
    }

    /// A loader's cache; an empty one where there is none.
    pub(super) fn cache(&self, path: &Path) -> Rc<Cache> {
        if let Some(known) = self.caches.borrow().get(path) {
            return known.clone();
        }
        let mut bytes = Vec::new();
        let file = self
            .follow(path)
            .and_then(|real| crate::open(&self.host(&real)).ok());
        let read = file.map(|(file, _)| file.take(LARGEST_CACHE).read_to_end(&mut bytes));
        let cache = match read {
            Some(Ok(_)) => Rc::new(Cache::read(&bytes)),
            Some(Err(_)) | None => Rc::default(),
        };
        self.caches
            .borrow_mut()
            .insert(path.to_owned(), cache.clone());
        cache
    }

    /// The facts of files that were taken and are not of the package.
    pub(super) fn outside<'p>(
        &self,
        taken: impl Iterator<Item = &'p Path>,
    ) -> BTreeMap<PathBuf, PackageFile> {
        let known = self.outside.borrow();
        let mut files = BTreeMap::new();
        for real in taken {
            if let Some(Some(file)) = known.get(real) {
                files
                    .entry(real.to_owned())
                    .or_insert_with(|| PackageFile::clone(file));
            }
        }
        files
    }

    /// Counts a search, and answers whether there may be another.
    pub(super) fn may_search(&self) -> bool {
        self.searches.set(self.searches.get() + 1);
        self.searches.get() < MOST_SEARCHES
    }

    /// Follows every link on a path of the system.
    pub(super) fn follow(&self, path: &Path) -> Option<PathBuf> {
        if let Some(known) = self.followed.borrow().get(path) {
            return known.clone();
        }
        let real = self.follow_links(path);
        self.followed
            .borrow_mut()
            .insert(path.to_owned(), real.clone());
        real
    }

    fn follow_links(&self, path: &Path) -> Option<PathBuf> {
        if self.sysroot.is_none() {
            return fs::canonicalize(path).ok();
        }
        let mut pending = reversed(path);
        let mut inside = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if name == ".." {
                inside.pop();
                continue;
            }
            let next = inside.join(&name);
            let host = self.host(&next);
            if !fs::symlink_metadata(&host).ok()?.is_symlink() {
                inside = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            let target = fs::read_link(&host).ok()?;
            if target.is_absolute() {
                inside = PathBuf::from("/");
            }
            pending.extend(reversed(&target));
        }
        Some(inside)
    }

    /// Where a path of the system is on this machine.
    fn host(&self, inside: &Path) -> PathBuf {
        let Some(sysroot) = &self.sysroot else {
            return inside.to_owned();
        };
        if self
            .roots
            .iter()
            .any(|root| inside.starts_with(root) || root.starts_with(inside))
        {
            return inside.to_owned();
        }
        sysroot.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    fn below_sysroot(&self, path: &Path) -> Option<PathBuf> {
        let sysroot = self.sysroot.as_ref()?;
        let rest = match path.strip_prefix(sysroot) {
            Ok(rest) => rest.to_owned(),
            // The given path may lead to the system's root through links of this machine.
            Err(_) => fs::canonicalize(path)
                .ok()?
                .strip_prefix(sysroot)
                .ok()?
                .to_owned(),
        };
        Some(Path::new("/").join(rest))
    }

    fn listing(&self, directory: &Path) -> Option<Rc<Listing>> {
        if let Some(known) = self.listings.borrow().get(directory) {
            return known.clone();
        }
        let listing = self.follow(directory).and_then(|real| {
            let entries = fs::read_dir(self.host(&real)).ok()?;
            let names = entries.flatten().map(|entry| entry.file_name()).collect();
            Some(Rc::new(Listing { real, names }))
        });
        self.listings
            .borrow_mut()
            .insert(directory.to_owned(), listing.clone());
        listing
    }
}

fn reversed(path: &Path) -> Vec<OsString> {
    let normal = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    let mut names: Vec<_> = normal.collect();
    names.reverse();
    names
}

/// What `open_verify` of glibc looks at: the first bytes.
fn head(host: &Path) -> Head {
    if host.is_dir() {
        return Head::Unusable("is a directory".to_owned());
    }
    let Ok((mut file, size)) = crate::open(host) else {
        return Head::Unreadable;
    };
    let mut start = [0; 20];
    if size < 64 || file.read_exact(&mut start).is_err() {
        return Head::Unusable("is too short for a library".to_owned());
    }
    if !start.starts_with(b"\x7fELF") {
        return Head::Unusable("is not an ELF file".to_owned());
    }
    let class = if start[4] == 2 {
        ElfClass::Elf64
    } else {
        ElfClass::Elf32
    };
    let number = [start[18], start[19]];
    let little = start[5] == 1;
    let number = if little {
        u16::from_le_bytes(number)
    } else {
        u16::from_be_bytes(number)
    };
    let machine = match number {
        3 => Machine::X86,
        21 if little => Machine::Ppc64le,
        21 => Machine::Ppc64,
        40 => Machine::Arm,
        62 => Machine::X86_64,
        183 => Machine::Aarch64,
        190 => Machine::Cuda,
        other => Machine::Other(other),
    };
    Head::Elf(class, machine)
}
