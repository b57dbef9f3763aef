//! What is wrong with a package, as far as its files tell: each flaw with its evidence, its cause, and its remedy.
//!
//! Codes are stable: scripts and suites name them. A flaw is closed data, its sentences are made from that data in
//! `text`, so that a new flaw does not compile before it has a class, a cause, and a remedy.

mod text;

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::outcome::{Class, Explained};
use crate::version::Target;

/// Something that is wrong with a package, ready to be shown.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The name of the flaw, for scripts.
    pub code: Code,
    /// Which class of failure it belongs to.
    pub class: Class,
    /// Whether it will fail.
    pub severity: Severity,
    /// Where it was seen.
    pub evidence: Evidence,
    /// What it is.
    pub flaw: Flaw,
    /// One line that says what it is.
    pub message: String,
    /// Why.
    pub cause: String,
    /// What to do or to type.
    pub remedy: String,
}

impl Finding {
    /// A finding with the sentences of its flaw.
    pub fn new(severity: Severity, evidence: Evidence, flaw: Flaw) -> Self {
        Self {
            code: flaw.code(),
            class: flaw.class(),
            severity,
            evidence,
            message: flaw.to_string(),
            cause: flaw.cause().text().to_owned(),
            remedy: flaw.remedy(),
            flaw,
        }
    }
}

/// How bad it is. Ordered: the worst is the greatest.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It may be meant so.
    Note,
    /// It fails in some surroundings, or costs something.
    Warning,
    /// It fails wherever the package is used as it is.
    Error,
}

/// Where a flaw was seen.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// The file.
    #[serde(serialize_with = "printable")]
    pub file: PathBuf,
    /// What the file asks the loader for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<Edge>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// The other file: what would be taken, or what is in conflict.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "printable_or_none"
    )]
    pub other: Option<PathBuf>,
    /// The program or library that was loaded first, where the flaw shows only with it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "printable_or_none"
    )]
    pub within: Option<PathBuf>,
}

impl Evidence {
    /// A file, and nothing more.
    pub fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }
}

/// What a file asks the loader for.
#[derive(
    Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub struct Edge {
    /// When it asks.
    pub kind: EdgeKind,
    /// The name it asks for.
    pub name: String,
}

/// When a file asks for another.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// `DT_NEEDED`: before the file itself is usable.
    Needed,
    /// By name while it runs; its library is known to do so.
    Opened,
    /// Perhaps by name while it runs: the name is among its strings.
    PerhapsOpened,
}

/// By which rule of the loader a file is taken. See `ld.so(8)`.
#[derive(
    Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Rule {
    /// A file of this name or SONAME is loaded already.
    AlreadyLoaded,
    /// `DT_RPATH` of the file itself, or of one that led to its being loaded.
    Rpath {
        /// The file that has it.
        #[serde(serialize_with = "printable")]
        of: PathBuf,
    },
    /// `LD_LIBRARY_PATH`.
    LibraryPath,
    /// `DT_RUNPATH` of the file itself.
    Runpath,
    /// The loader's cache, mostly `/etc/ld.so.cache`.
    Cache,
    /// The loader's built-in directories.
    DefaultDirectory,
    /// The name is itself a path.
    Path,
}

/// The names of the flaws. They do not change.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "`Flaw` says what each means")]
pub enum Code {
    DriverDirectoryMissing,
    StubsOnPath,
    OldStyleRpath,
    UsrLocalCudaOnPath,
    BuildPathOnPath,
    CurrentDirectoryOnPath,
    DependencyMissing,
    OpenedNameMissing,
    UnusableFileTaken,
    AbsoluteNameOpened,
    SymbolVersionMissing,
    DriverSymbolsUnlinked,
    ExecutableStack,
    CudaMajorsMixed,
    SonameTwice,
    CudnnVersionsMixed,
    OtherPlatform,
    ToolkitMonolith,
    StaticLibraries,
    StubsInClosure,
    NoGpuCode,
    MachineCodeMissing,
    MachineCodeUnexpected,
    PtxMissing,
    PtxUnexpected,
}

impl Code {
    /// The name as it stands in JSON, in JUnit, and in suites.
    pub fn word(self) -> &'static str {
        match self {
            Self::DriverDirectoryMissing => "driver-directory-missing",
            Self::StubsOnPath => "stubs-on-path",
            Self::OldStyleRpath => "old-style-rpath",
            Self::UsrLocalCudaOnPath => "usr-local-cuda-on-path",
            Self::BuildPathOnPath => "build-path-on-path",
            Self::CurrentDirectoryOnPath => "current-directory-on-path",
            Self::DependencyMissing => "dependency-missing",
            Self::OpenedNameMissing => "opened-name-missing",
            Self::UnusableFileTaken => "unusable-file-taken",
            Self::AbsoluteNameOpened => "absolute-name-opened",
            Self::SymbolVersionMissing => "symbol-version-missing",
            Self::DriverSymbolsUnlinked => "driver-symbols-unlinked",
            Self::ExecutableStack => "executable-stack",
            Self::CudaMajorsMixed => "cuda-majors-mixed",
            Self::SonameTwice => "soname-twice",
            Self::CudnnVersionsMixed => "cudnn-versions-mixed",
            Self::OtherPlatform => "other-platform",
            Self::ToolkitMonolith => "toolkit-monolith",
            Self::StaticLibraries => "static-libraries",
            Self::StubsInClosure => "stubs-in-closure",
            Self::NoGpuCode => "no-gpu-code",
            Self::MachineCodeMissing => "machine-code-missing",
            Self::MachineCodeUnexpected => "machine-code-unexpected",
            Self::PtxMissing => "ptx-missing",
            Self::PtxUnexpected => "ptx-unexpected",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// What can be wrong, with what is needed to say so.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Flaw {
    /// A file asks for the driver's libraries, but the loader is not told where the driver is.
    DriverDirectoryMissing {
        /// The driver's libraries that it asks for.
        names: Vec<String>,
        /// Where the driver is on NixOS.
        directory: String,
        /// Whether another way leads to a driver.
        elsewhere: Elsewhere,
    },
    /// A search path holds a directory of stubs, which answer every call with an error.
    StubsOnPath {
        /// The directory, as written or as found.
        directory: String,
        /// Whether a stub would be loaded.
        wins: StubWins,
    },
    /// `DT_RPATH`, which `LD_LIBRARY_PATH` cannot override and which dependencies inherit.
    OldStyleRpath {
        /// As written.
        rpath: String,
    },
    /// A search path leads to `/usr/local/cuda`.
    UsrLocalCudaOnPath {
        /// The element, as written.
        directory: String,
    },
    /// A search path leads outside of the package and of the system: to where it was built.
    BuildPathOnPath {
        /// The element, as written.
        directory: String,
    },
    /// A search path has an empty or relative element: the current directory is searched.
    CurrentDirectoryOnPath {
        /// The path, as written.
        path: String,
    },
    /// A file in `DT_NEEDED` that the loader finds nowhere.
    DependencyMissing {
        /// Its name.
        name: String,
        /// A program of the package whose `DT_RPATH` makes up for it.
        found_within: Option<String>,
    },
    /// A name that is opened at run time, and that nothing provides.
    OpenedNameMissing {
        /// The name, or several of which one would do.
        names: Vec<String>,
        /// How it is known, and whether the file can do without.
        need: OpenedNeed,
        /// What does not work without it.
        without: Option<String>,
        /// Where a file of the name is, though the loader does not look there.
        present_at: Option<String>,
    },
    /// The search ends at a file that the loader cannot use.
    UnusableFileTaken {
        /// The name that was searched for.
        name: String,
        /// Why it cannot be used.
        because: String,
    },
    /// A library is opened at a fixed place of a distribution.
    AbsoluteNameOpened {
        /// The path.
        path: String,
    },
    /// The file that is taken lacks versions of symbols that are needed of it.
    SymbolVersionMissing {
        /// The name in `DT_NEEDED`.
        name: String,
        /// The versions it lacks.
        versions: Vec<String>,
        /// The release of GCC or of glibc that has them all, if it is known.
        first_in: Option<String>,
    },
    /// Symbols of the driver are undefined, and the file does not need the driver's library.
    DriverSymbolsUnlinked {
        /// The driver's library.
        library: String,
        /// The symbols.
        symbols: Vec<String>,
    },
    /// The file asks for a stack that code can run on.
    ExecutableStack,
    /// Libraries of two major versions of the toolkit.
    CudaMajorsMixed {
        /// The SONAMEs, by major version.
        majors: Vec<MajorLibraries>,
        /// Whether one program loads both.
        together: Together,
    },
    /// Two different files with one SONAME.
    SonameTwice {
        /// The SONAME.
        soname: String,
        /// The files.
        files: Vec<String>,
        /// Whether one program loads both.
        together: Together,
    },
    /// Parts of cuDNN of different versions.
    CudnnVersionsMixed {
        /// The parts with their versions.
        parts: Vec<String>,
    },
    /// Files for another platform than the one asked for.
    OtherPlatform {
        /// NVIDIA's name of the platform asked for.
        asked: String,
        /// NVIDIA's names of the platforms that it is for, or the machine.
        built_for: String,
        /// How many files.
        files: u64,
        /// The attribute of `pkgsCross` that builds for the platform asked for.
        pkgs_cross: String,
    },
    /// The whole toolkit, compiler and all.
    ToolkitMonolith {
        /// The directory.
        root: String,
        /// Bytes of its libraries and programs.
        bytes: u64,
    },
    /// Static libraries.
    StaticLibraries {
        /// How many.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Stubs of the driver's libraries.
    StubsInClosure {
        /// How many.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Code for GPUs is expected, but there is none.
    NoGpuCode {
        /// What is expected.
        expected: String,
    },
    /// Machine code that is expected is not there.
    MachineCodeMissing {
        /// What is expected and missing.
        targets: Vec<Target>,
        /// What is there.
        present: Vec<Target>,
    },
    /// Machine code that is not expected.
    MachineCodeUnexpected {
        /// What is there and not expected.
        targets: Vec<Target>,
    },
    /// PTX is expected, but there is none.
    PtxMissing {
        /// For which target, or any.
        target: Option<Target>,
    },
    /// PTX that is not expected.
    PtxUnexpected {
        /// What it is for.
        targets: Vec<Target>,
    },
}

/// Whether another way than a search path of the package leads to a driver.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Elsewhere {
    /// No: the loader searches nothing of the system.
    Nowhere,
    /// On distributions whose loader's cache knows the driver.
    SystemDirectories,
    /// Through the `DT_RPATH` of programs of the package.
    InheritedRpath,
}

/// Whether a stub would be loaded in place of the driver.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StubWins {
    /// It comes before any directory of the driver.
    Always,
    /// The driver's directory comes first, but where that is absent, as outside of NixOS, the stub is loaded.
    WithoutDriverDirectory,
    /// Nothing that is asked for is in it.
    Never,
}

/// How much a name that is opened is needed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenedNeed {
    /// The library is known not to work without it.
    Required,
    /// The library is known to lack a feature without it.
    Feature,
    /// Only the string is known.
    String,
}

/// Whether two files that exclude one another meet in one process.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Together {
    /// One file leads to both.
    OneProcess,
    /// They are only in one closure.
    OneClosure,
}

/// Libraries that belong to a major version of the toolkit.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MajorLibraries {
    /// `12`.
    pub major: u32,
    /// The SONAMEs.
    pub sonames: Vec<String>,
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
