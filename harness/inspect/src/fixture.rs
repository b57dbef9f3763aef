//! Packages made up for tests: files with only the header that a loader looks at, and facts as a reader would give.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cudacheck_model::package::{
    CodeGroup, CodeKind, CodeSection, CodeVersion, Compression, ElfClass, ElfFacts,
    ExecutableStack, FileKind, FoundBy, Machine, NeededVersions, OpenedName, OpenedNameEvidence,
    PACKAGE_SCHEMA, PackageFacts, PackageFile,
};
use cudacheck_model::version::{PtxIsa, Target};
use tempfile::TempDir;

use crate::resolve::{LoaderContext, LoaderKind, Resolution, resolve};

/// A system below a directory of its own, with a package on it.
pub(crate) struct Tree {
    root: TempDir,
    facts: PackageFacts,
    pub(crate) context: LoaderContext,
}

impl Tree {
    /// A distribution's system without any file but the loader.
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        let context = LoaderContext {
            sysroot: Some(root.path().to_owned()),
            kind: LoaderKind::ByFile,
            ..LoaderContext::default()
        };
        let facts = PackageFacts {
            schema: PACKAGE_SCHEMA,
            ..PackageFacts::default()
        };
        let tree = Self {
            root,
            facts,
            context,
        };
        tree.plain(
            "/lib64/ld-linux-x86-64.so.2",
            &head(Machine::X86_64, ElfClass::Elf64),
        );
        tree
    }

    /// Where a path of the system is on this machine.
    pub(crate) fn host(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// Writes a file that is not of the package.
    pub(crate) fn plain(&self, path: &str, bytes: &[u8]) {
        let host = self.host(path);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        fs::write(host, bytes).unwrap();
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let host = self.host(path);
        fs::create_dir_all(host.parent().unwrap()).unwrap();
        symlink(target, host).unwrap();
    }

    /// Adds a library for x86-64 to the package.
    pub(crate) fn library(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut ElfFacts),
    ) -> &mut PackageFile {
        self.file(path, FileKind::SharedObject, Machine::X86_64, change)
    }

    /// Adds a program for x86-64 to the package.
    pub(crate) fn program(
        &mut self,
        path: &str,
        change: impl FnOnce(&mut ElfFacts),
    ) -> &mut PackageFile {
        self.file(path, FileKind::Executable, Machine::X86_64, |elf| {
            elf.soname = None;
            elf.interpreter = Some("/lib64/ld-linux-x86-64.so.2".to_owned());
            change(elf);
        })
    }

    /// Adds a file to the package. A library's SONAME is the name of the file unless that is changed.
    pub(crate) fn file(
        &mut self,
        path: &str,
        kind: FileKind,
        machine: Machine,
        change: impl FnOnce(&mut ElfFacts),
    ) -> &mut PackageFile {
        let mut elf = ElfFacts {
            class: ElfClass::Elf64,
            soname: Path::new(path)
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            needed: Vec::new(),
            rpath: None,
            runpath: None,
            interpreter: None,
            no_default_directories: false,
            needed_versions: Vec::new(),
            provided_versions: Vec::new(),
            driver_symbols: Vec::new(),
            executable_stack: ExecutableStack::No,
            opened_names: Vec::new(),
        };
        change(&mut elf);
        let bytes = head(machine, elf.class);
        self.plain(path, &bytes);
        let is_loaded = matches!(kind, FileKind::SharedObject | FileKind::Executable);
        self.facts.files.push(PackageFile {
            path: self.host(path),
            aliases: Vec::new(),
            kind,
            size: bytes.len() as u64,
            machine: Some(machine),
            elf: is_loaded.then_some(elf),
            code: Vec::new(),
        });
        self.facts.files.last_mut().unwrap()
    }

    /// The facts, in the order in which a reader gives them.
    pub(crate) fn facts(&self) -> PackageFacts {
        let mut facts = self.facts.clone();
        facts.roots = vec![self.host("/p")];
        facts.files.sort_by(|one, other| one.path.cmp(&other.path));
        facts
    }

    pub(crate) fn resolve(&self) -> Resolution {
        resolve(&self.facts(), &self.context)
    }
}

/// The first bytes of an ELF file.
pub(crate) fn head(machine: Machine, class: ElfClass) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    if class == ElfClass::Elf32 {
        bytes[4] = 1;
    }
    bytes[16] = 3;
    assert!(
        [Machine::X86_64, Machine::Aarch64].contains(&machine),
        "no test needs {machine:?}"
    );
    bytes[18] = if machine == Machine::X86_64 { 62 } else { 183 };
    bytes
}

pub(crate) fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn opened(names: &[&str]) -> Vec<OpenedName> {
    let string = |name: &&str| OpenedName {
        name: (*name).to_owned(),
        evidence: OpenedNameEvidence::String,
    };
    names.iter().map(string).collect()
}

pub(crate) fn needed_versions(file: &str, versions: &[&str]) -> NeededVersions {
    NeededVersions {
        file: file.to_owned(),
        versions: strings(versions),
        weak: Vec::new(),
    }
}

/// A section with one container of machine code for each target, and of PTX for the others.
pub(crate) fn code(cubins: &[&str], ptx: &[&str]) -> Vec<CodeSection> {
    let group = |kind, version, target: &&str| CodeGroup {
        kind,
        target: Some(target.parse::<Target>().unwrap()),
        version,
        compression: Compression::None,
        concatenated: false,
        count: 1,
        stored_bytes: 64,
        unpacked_bytes: 64,
    };
    let abi = CodeVersion::ElfAbi(7);
    let isa = CodeVersion::PtxIsa(PtxIsa::new(8, 0));
    let machine_code = cubins
        .iter()
        .map(|target| group(CodeKind::Cubin, abi, target));
    let text = ptx.iter().map(|target| group(CodeKind::Ptx, isa, target));
    let groups: Vec<_> = machine_code.chain(text).collect();
    vec![CodeSection {
        name: ".nv_fatbin".to_owned(),
        found_by: FoundBy::FatbinSection,
        containers: 1,
        entries: groups.len() as u64,
        groups,
        profiles: Vec::new(),
        containers_without_profile: 0,
        options: Vec::new(),
        identifiers: Vec::new(),
    }]
}
