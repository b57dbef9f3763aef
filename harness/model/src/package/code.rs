//! GPU code as packages embed it: sections hold containers, containers hold entries.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::{PtxIsa, Target};

/// GPU code in one section of a file.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CodeSection {
    /// `.nv_fatbin`, `.rodata`; empty for a file that has no sections.
    pub name: String,
    /// How the code was found.
    pub found_by: FoundBy,
    /// Containers. Each is a translation unit, of which a device needs one entry that it can run.
    pub containers: u64,
    /// Entries in these containers, those inside concatenated entries included, the concatenating ones not.
    pub entries: u64,
    /// The entries, counted by everything that a reader decides by. Ordered.
    pub groups: Vec<CodeGroup>,
    /// The containers, counted by what a device could load from them. Ordered.
    pub profiles: Vec<ContainerProfile>,
    /// Containers that no profile counts, since there were more kinds of them than are kept.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub containers_without_profile: u64,
    /// Options that the entries carry for the compiler in the driver, without repetition; the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Names that the entries carry, mostly of source files, without repetition; the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
}

/// How GPU code was found in a file.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// In a section that NVIDIA's tools make for it and list.
    FatbinSection,
    /// In another section, by searching its bytes. `cuobjdump` does not list it.
    DeepScan,
    /// The file is nothing else.
    WholeFile,
}

/// Entries that agree in everything a reader decides by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CodeGroup {
    /// What it is.
    pub kind: CodeKind,
    /// What it is made for. Absent for kinds that have none.
    pub target: Option<Target>,
    /// Which version of its format it is in.
    pub version: CodeVersion,
    /// How it is compressed. Entries inside a concatenated one are compressed with it.
    pub compression: Compression,
    /// Whether it is inside a concatenated entry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub concatenated: bool,
    /// How many there are.
    pub count: u64,
    /// Bytes they take in the file, padding not counted. Zero inside concatenated entries.
    pub stored_bytes: u64,
    /// Bytes they have when unpacked.
    pub unpacked_bytes: u64,
}

/// Containers of which a device could load the same.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ContainerProfile {
    /// How many there are.
    pub containers: u64,
    /// What can be loaded from each, ordered. Empty where all code has first to be linked, and where there is none:
    /// linkers leave containers behind whose machine code has no kernels.
    pub loadable: Vec<Loadable>,
}

/// Code that a driver loads as it is.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Loadable {
    /// Machine code.
    Cubin(Target),
    /// PTX, which the driver compiles if it knows this version of the language.
    Ptx(Target, PtxIsa),
}

/// One piece of GPU code, as its header describes it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CodeEntry {
    /// Where its header is, counted from the start of the file.
    pub offset: u64,
    /// What it is.
    pub kind: CodeKind,
    /// What it is made for. Absent for kinds that have none.
    pub target: Option<Target>,
    /// Which version of its format it is in.
    pub version: CodeVersion,
    /// How it is compressed.
    pub compression: Compression,
    /// Bytes it takes in the file, padding not counted.
    pub stored_bytes: u64,
    /// Bytes it has when unpacked.
    pub unpacked_bytes: u64,
    /// Whether it is inside a concatenated entry, which then follows it nowhere: it was the entry before.
    pub concatenated: bool,
    /// Whether it carries debug information.
    pub debug: bool,
    /// Whether its payload is scrambled, so that it can only be listed.
    pub scrambled: bool,
    /// The operating system of the tool that made it.
    pub host: Option<HostSystem>,
    /// Its name, mostly that of a source file.
    pub identifier: Option<String>,
    /// Options for the compiler in the driver.
    pub options: Option<String>,
}

/// What a piece of GPU code is. The names are those of `cuobjdump` where it has one.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// PTX: text that the driver compiles.
    Ptx,
    /// Machine code.
    Cubin,
    /// Machine code before ELF, of toolkits up to 2.
    LegacyCubin,
    /// Intermediate code that nvJitLink links and compiles. A driver cannot load it.
    LtoIr,
    /// Machine code under the number that tools treat as machine code but do not name.
    OtherElf,
    /// An index of entries.
    Index,
    /// PTX that has still to be linked.
    RelocatablePtx,
    /// Tile IR, which the driver compiles.
    TileIr,
    /// Several entries compressed together.
    Concatenated,
    /// A number that no known tool writes.
    Unknown(u16),
}

/// The version of the format of a piece of GPU code.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CodeVersion {
    /// The language of PTX.
    PtxIsa(PtxIsa),
    /// The binary interface of machine code: 7 up to toolkit 12, 8 since.
    ElfAbi(u16),
    /// The version of anything else.
    Ir(IrVersion),
}

/// Two numbers whose meaning depends on the kind of code: `1.67`.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct IrVersion {
    /// `1` of `1.67`.
    pub major: u16,
    /// `67` of `1.67`.
    pub minor: u16,
}

/// How a payload is compressed.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Not at all.
    None,
    /// An LZ4 block.
    Lz4,
    /// A Zstandard frame.
    Zstd,
    /// By a method that is not known.
    Unknown,
}

/// The operating system of the tool that made a piece of code.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum HostSystem {
    /// Linux.
    Linux,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

impl CodeGroup {
    /// What a driver could load of it.
    pub fn loadable(&self) -> Option<Loadable> {
        loadable(self.kind, self.target, self.version)
    }
}

impl CodeEntry {
    /// What a driver could load of it.
    pub fn loadable(&self) -> Option<Loadable> {
        loadable(self.kind, self.target, self.version)
    }
}

fn loadable(kind: CodeKind, target: Option<Target>, version: CodeVersion) -> Option<Loadable> {
    match (kind, version) {
        (CodeKind::Ptx, CodeVersion::PtxIsa(isa)) => Some(Loadable::Ptx(target?, isa)),
        (CodeKind::Ptx, CodeVersion::ElfAbi(_) | CodeVersion::Ir(_)) => None,
        (CodeKind::Cubin | CodeKind::OtherElf, _) => Some(Loadable::Cubin(target?)),
        (
            CodeKind::LegacyCubin
            | CodeKind::LtoIr
            | CodeKind::Index
            | CodeKind::RelocatablePtx
            | CodeKind::TileIr
            | CodeKind::Concatenated
            | CodeKind::Unknown(_),
            _,
        ) => None,
    }
}

impl fmt::Display for CodeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ptx => "PTX",
            Self::Cubin => "cubin",
            Self::LegacyCubin => "legacy cubin",
            Self::LtoIr => "LTO-IR",
            Self::OtherElf => "other ELF",
            Self::Index => "index",
            Self::RelocatablePtx => "relocatable PTX",
            Self::TileIr => "Tile IR",
            Self::Concatenated => "concatenated",
            Self::Unknown(number) => return write!(formatter, "kind {number:#x}"),
        })
    }
}

impl fmt::Display for CodeVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PtxIsa(isa) => isa.fmt(formatter),
            Self::ElfAbi(abi) => write!(formatter, "1.{abi}"),
            Self::Ir(version) => version.fmt(formatter),
        }
    }
}

impl fmt::Display for IrVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl From<IrVersion> for String {
    fn from(version: IrVersion) -> Self {
        version.to_string()
    }
}

impl FromStr for IrVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(major, minor)| {
            let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
            Some(Self { major, minor })
        });
        parts.ok_or_else(|| format!("`{text}` is not a version such as \"1.67\""))
    }
}

impl TryFrom<String> for IrVersion {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
