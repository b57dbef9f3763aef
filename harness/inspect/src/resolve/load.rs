//! A process that is loaded in thought: a file, what it needs breadth first, and then what the files open by name.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use cudacheck_model::finding::{Edge, EdgeKind};
use cudacheck_model::package::{
    ElfClass, ElfFacts, FileKind, Machine, OpenedName, OpenedNameEvidence, PackageFile,
};

use super::Found;
use super::context::{Defaults, LoaderContext, LoaderKind, STORE, interpreter, platform};
use super::search::search;
use super::search_path::{Element, elements};
use super::system::{Library, System};
use crate::known;

/// Objects that are loaded in one process; a real one has hundreds.
const MOST_OBJECTS: usize = 4096;

/// Names that one file asks for; a real one has dozens.
const MOST_NAMES: usize = 4096;

/// Whether everything was searched for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// It was.
    Complete,
    /// There was more than is ever searched for.
    CutOff,
}

/// Everything that is loaded for one file.
pub(super) struct Process<'s, 'a> {
    pub(super) system: &'s System<'a>,
    pub(super) context: &'s LoaderContext,
    pub(super) defaults: Defaults,
    pub(super) platform: String,
    pub(super) interpreter: Option<PathBuf>,
    /// Whether Nix's loader is the one.
    pub(super) is_nix: bool,
    /// Whether the first object is a program, whose `DT_RPATH` serves everything.
    pub(super) is_program: bool,
    /// What fits into the process.
    pub(super) wanted: (ElfClass, Machine),
    pub(super) objects: Vec<Object<'a>>,
}

/// A file in the process.
pub(super) struct Object<'a> {
    library: Library<'a>,
    /// As the loader found it.
    pub(super) path: PathBuf,
    /// Behind all links.
    pub(super) real: PathBuf,
    /// What `$ORIGIN` stands for.
    pub(super) origin: PathBuf,
    /// The object that asked for it first.
    pub(super) loader: Option<usize>,
    /// What it was asked for as.
    names: Vec<String>,
    /// `DT_RPATH`, unless it has a `DT_RUNPATH`.
    pub(super) rpath: Vec<Element>,
    pub(super) runpath: Vec<Element>,
}

/// What an object of the package asked for and got.
pub(super) struct Record<'r> {
    pub(super) file: &'r Path,
    pub(super) edge: Edge,
    pub(super) found: Found,
}

impl Object<'_> {
    /// What the file says to the loader. A library without is one that asks for nothing.
    pub(super) fn elf(&self) -> &ElfFacts {
        static NOTHING: ElfFacts = nothing();
        self.library.file().elf.as_ref().unwrap_or(&NOTHING)
    }

    pub(super) fn answers_to(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name) || self.elf().soname.as_deref() == Some(name)
    }
}

impl<'s, 'a> Process<'s, 'a> {
    /// A process that begins with a file of the package, if it is one that can be loaded.
    pub(super) fn start(
        system: &'s System<'a>,
        context: &'s LoaderContext,
        file: &'a PackageFile,
    ) -> Option<Self> {
        let is_program = match file.kind {
            FileKind::Executable => true,
            FileKind::SharedObject => false,
            FileKind::Relocatable
            | FileKind::Archive
            | FileKind::Fatbin
            | FileKind::Cubin
            | FileKind::Dll => return None,
        };
        let elf = file.elf.as_ref()?;
        let machine = file.machine?;
        let path = system.inside(&file.path);
        let real = system.follow(&path)?;
        let is_nix = match context.kind {
            LoaderKind::Distribution => false,
            LoaderKind::Nix => true,
            LoaderKind::ByFile => match &elf.interpreter {
                Some(interpreter) => Path::new(interpreter).starts_with(STORE),
                None => path.starts_with(STORE),
            },
        };
        let own = elf.interpreter.as_deref().map(Path::new);
        let (defaults, interpreter) = if is_nix {
            let known = own
                .filter(|path| path.starts_with(STORE))
                .or_else(|| system.interpreter_below(STORE));
            (Defaults::nix(known), known)
        } else {
            let known = own.or_else(|| interpreter(machine).map(Path::new));
            (
                Defaults::distribution(machine, |path| system.has(path)),
                known,
            )
        };
        let mut process = Self {
            system,
            context,
            defaults,
            platform: context
                .platform
                .clone()
                .unwrap_or_else(|| platform(machine).to_owned()),
            interpreter: interpreter.map(Path::to_owned),
            is_nix,
            is_program,
            wanted: (elf.class, machine),
            objects: Vec::new(),
        };
        // The kernel tells a program its place without links; a library knows only the path it was found by.
        let shown = if is_program { real.clone() } else { path };
        process.add(Library::Given(file), shown, real, None, Vec::new());
        Some(process)
    }

    /// Loads what is needed and what is opened, and records what each file of the package got.
    pub(super) fn run(mut self, record: &mut dyn FnMut(Record<'_>)) -> End {
        let mut scope = vec![0];
        let mut end = self.load_needed(0, &mut scope, record);
        // Each chain of opened names sees what was loaded before it, and nothing that another chain loaded.
        let mut pending = vec![(scope.clone(), scope)];
        let mut seen: HashSet<PathBuf> = self
            .objects
            .iter()
            .map(|object| object.real.clone())
            .collect();
        while let Some((askers, scope)) = pending.pop() {
            for asker in askers {
                for name in opened_names(&self.objects[asker]) {
                    if !self.system.may_search() {
                        return End::CutOff;
                    }
                    let found = self.open(asker, &name, &scope);
                    self.record(asker, name.edge, &found, record);
                    let Found::File { path, .. } = found else {
                        continue;
                    };
                    let Some(real) = self.system.follow(&path) else {
                        continue;
                    };
                    if self.objects.len() >= MOST_OBJECTS || !seen.insert(real.clone()) {
                        continue;
                    }
                    let Some(library) = self.system.library(&real) else {
                        continue;
                    };
                    let mut inner = scope.clone();
                    let opened = self.add(library, path, real, Some(asker), name.tried);
                    inner.push(opened);
                    end = end.and(self.load_needed(opened, &mut inner, record));
                    let new: Vec<usize> = (opened..self.objects.len()).collect();
                    seen.extend(new.iter().map(|index| self.objects[*index].real.clone()));
                    pending.push((new, inner));
                }
            }
        }
        end
    }

    fn load_needed(
        &mut self,
        first: usize,
        scope: &mut Vec<usize>,
        record: &mut dyn FnMut(Record<'_>),
    ) -> End {
        let mut queue = VecDeque::from([first]);
        while let Some(asker) = queue.pop_front() {
            let mut names = self.objects[asker].elf().needed.clone();
            names.truncate(MOST_NAMES);
            for name in names {
                if !self.system.may_search() {
                    return End::CutOff;
                }
                let found = search(self, asker, &name, scope);
                let edge = Edge {
                    kind: EdgeKind::Needed,
                    name: name.clone(),
                };
                self.record(asker, edge, &found, record);
                let Found::File { path, .. } = found else {
                    continue;
                };
                let Some(real) = self.system.follow(&path) else {
                    continue;
                };
                if let Some(known) = scope
                    .iter()
                    .find(|index| self.objects[**index].real == real)
                {
                    self.objects[*known].names.push(name);
                    continue;
                }
                if self.objects.len() >= MOST_OBJECTS {
                    continue;
                }
                let Some(library) = self.system.library(&real) else {
                    continue;
                };
                let new = self.add(library, path, real, Some(asker), vec![name]);
                scope.push(new);
                queue.push_back(new);
            }
        }
        End::Complete
    }

    /// The first of the names that gives anything.
    fn open(&self, asker: usize, name: &Opened, scope: &[usize]) -> Found {
        let mut answer = Found::Missing;
        for tried in &name.tried {
            let found = search(self, asker, tried, scope);
            match found {
                Found::File { .. } | Found::Driver { .. } => return found,
                Found::Unusable { .. } => answer = found,
                Found::LeftToSystem if answer == Found::Missing => answer = found,
                Found::LeftToSystem | Found::Missing => {}
            }
        }
        answer
    }

    fn add(
        &mut self,
        library: Library<'a>,
        path: PathBuf,
        real: PathBuf,
        loader: Option<usize>,
        names: Vec<String>,
    ) -> usize {
        let origin = path.parent().unwrap_or(Path::new("/")).to_owned();
        let variables = self.variables(&origin);
        let split =
            |text: Option<&String>| text.map_or_else(Vec::new, |text| elements(text, &variables));
        let (rpath, runpath) = match &library.file().elf {
            Some(elf) if elf.runpath.is_some() => (Vec::new(), split(elf.runpath.as_ref())),
            Some(elf) => (split(elf.rpath.as_ref()), Vec::new()),
            None => (Vec::new(), Vec::new()),
        };
        self.objects.push(Object {
            library,
            path,
            real,
            origin,
            loader,
            names,
            rpath,
            runpath,
        });
        self.objects.len() - 1
    }

    fn record(&self, asker: usize, edge: Edge, found: &Found, record: &mut dyn FnMut(Record<'_>)) {
        match &self.objects[asker].library {
            Library::Given(file) => record(Record {
                file: &file.path,
                edge,
                found: found.clone(),
            }),
            // What the system's own libraries get is the system's matter.
            Library::Outside(_) => {}
        }
    }
}

impl End {
    fn and(self, other: Self) -> Self {
        if self == Self::Complete { other } else { self }
    }
}

/// A name that an object opens, and the names that it then tries.
struct Opened {
    edge: Edge,
    tried: Vec<String>,
}

fn opened_names(object: &Object<'_>) -> Vec<Opened> {
    let elf = object.elf();
    let is_linked = |name: &str| {
        elf.soname.as_deref() == Some(name) || elf.needed.iter().any(|needed| needed == name)
    };
    let later = elf
        .opened_names
        .iter()
        .take(MOST_NAMES)
        .filter(|opened| !is_linked(&opened.name));
    later
        .filter_map(|opened| tried(elf.soname.as_deref(), opened))
        .collect()
}

fn tried(soname: Option<&str>, opened: &OpenedName) -> Option<Opened> {
    let base = opened
        .name
        .rsplit_once('/')
        .map_or(opened.name.as_str(), |(_, base)| base);
    let known = soname.and_then(|soname| known::opened(soname, base));
    let tried = match known {
        Some(known) if base == opened.name => known.tried(base),
        Some(_) | None => vec![opened.name.clone()],
    };
    // What is filled in at run time is known only from the table.
    let tried: Vec<String> = tried
        .into_iter()
        .filter(|name| !name.contains('%'))
        .collect();
    let kind = match (known, opened.evidence) {
        (Some(_), _) | (None, OpenedNameEvidence::Known) => EdgeKind::Opened,
        (None, OpenedNameEvidence::String) => EdgeKind::PerhapsOpened,
    };
    (!tried.is_empty()).then(|| Opened {
        edge: Edge {
            kind,
            name: opened.name.clone(),
        },
        tried,
    })
}

const fn nothing() -> ElfFacts {
    ElfFacts {
        class: ElfClass::Elf64,
        soname: None,
        needed: Vec::new(),
        rpath: None,
        runpath: None,
        interpreter: None,
        no_default_directories: false,
        needed_versions: Vec::new(),
        provided_versions: Vec::new(),
        driver_symbols: Vec::new(),
        executable_stack: cudacheck_model::package::ExecutableStack::No,
        opened_names: Vec::new(),
    }
}
