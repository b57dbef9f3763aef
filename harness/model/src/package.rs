//! What a package contains, as it was read from its files: GPU code, what the loader is told, and what could not be read.
//!
//! Libraries hold tens of thousands of pieces of GPU code, hostile files as many as their writer likes. The facts
//! therefore count pieces that agree in everything a reader decides by, and keep single pieces only where somebody
//! asks for them: [`CodeEntry`] is handed to a visitor and never collected here.

mod code;
mod coverage;
mod elf;

pub use code::{
    CodeEntry, CodeGroup, CodeKind, CodeSection, CodeVersion, Compression, ContainerProfile,
    FoundBy, HostSystem, IrVersion, Loadable,
};
pub use coverage::{Coverage, CoverageVerdict, coverage, is_tegra, machine_code_runs_on};
pub use elf::{
    ElfClass, ElfFacts, ExecutableStack, Machine, NeededVersions, OpenedName, OpenedNameEvidence,
};

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// The schema number of [`PackageFacts`] as JSON.
pub const PACKAGE_SCHEMA: u32 = 1;

/// Everything that was read of a package.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageFacts {
    /// [`PACKAGE_SCHEMA`].
    pub schema: u32,
    /// The paths that were given, as they were given.
    #[serde(serialize_with = "printable_all")]
    pub roots: Vec<PathBuf>,
    /// The files that are one of [`FileKind`], ordered by path. A file of several names is here once.
    pub files: Vec<PackageFile>,
    /// What is wrong with files, or kept them from being read, in the order of the files.
    pub warnings: Vec<ReadWarning>,
    /// How many warnings there were beyond those that are kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warnings_left_out: u64,
    /// How much there was to read.
    pub counts: PackageCounts,
}

impl PackageFacts {
    /// All sections with GPU code of all files.
    pub fn code(&self) -> impl Iterator<Item = &CodeSection> {
        self.files.iter().flat_map(|file| &file.code)
    }
}

/// How much there was to read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageCounts {
    /// Regular files below the given paths, of every kind.
    pub files: u64,
    /// Bytes of these files, as the file system states them.
    pub bytes: u64,
    /// Files with GPU code.
    pub files_with_code: u64,
    /// Containers of GPU code.
    pub containers: u64,
    /// Pieces of GPU code in them, those inside concatenated pieces included.
    pub entries: u64,
}

/// A file that a loader, a linker, or a driver reads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageFile {
    /// Where it is: below the root it was found under, links on the way not resolved.
    #[serde(serialize_with = "printable")]
    pub path: PathBuf,
    /// Other names of the same file below the given paths: `libcublas.so.12` beside `libcublas.so.12.9.1.4`.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "printable_all"
    )]
    pub aliases: Vec<PathBuf>,
    /// What it is.
    pub kind: FileKind,
    /// Bytes, as the file system states them.
    pub size: u64,
    /// What the file is made for. Absent for bare fatbins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// What the loader is told, for ELF files that are loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elf: Option<ElfFacts>,
    /// Sections with GPU code, in the order of the file. The members of an archive are counted together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code: Vec<CodeSection>,
}

/// What a file is.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// An ELF library or plug-in.
    SharedObject,
    /// An ELF program, position independent or not.
    Executable,
    /// An ELF object that a linker has still to link.
    Relocatable,
    /// A static library: an archive of objects.
    Archive,
    /// Containers of GPU code and nothing else.
    Fatbin,
    /// Machine code of a GPU: an ELF file of its own kind.
    Cubin,
    /// A Windows library or program.
    Dll,
}

/// Something that is wrong with a file, or kept it from being read.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReadWarning {
    /// What kind of fault it is.
    pub code: WarningCode,
    /// The file; for a member of an archive, the archive.
    #[serde(serialize_with = "printable")]
    pub file: PathBuf,
    /// The byte at which the fault is, counted from the start of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What was found, as a fragment without a full stop.
    pub message: String,
}

/// The kinds of faults of files.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum WarningCode {
    /// The file or directory could not be opened or read.
    Unreadable,
    /// A FIFO, a socket, or a device, which is not read.
    NotAFile,
    /// A link that leads nowhere, in a circle, or to a directory outside of the given paths.
    LinkNotFollowed,
    /// A file ends before something that its headers promise.
    Truncated,
    /// The headers of an ELF file, an archive, or a Windows library contradict themselves.
    MalformedFile,
    /// The header of a container is wrong.
    MalformedContainer,
    /// The header of a piece of GPU code is wrong.
    MalformedEntry,
    /// A number that no known tool writes; read as if it were the known one.
    UnknownVersion,
    /// A piece of GPU code of a kind that is not known.
    UnknownKind,
    /// There is more than is kept: what is counted is right, what is listed is not complete.
    LimitReached,
    /// A payload that could not be unpacked or written.
    NotExtracted,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Paths are bytes, JSON is text: what is not text is shown as far as it can be, since failing to print the facts
/// of a whole tree for the sake of one name would help nobody.
fn printable<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

fn printable_all<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}
