//! What an ELF file tells the loader, and what it will ask of it later by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an ELF file tells the loader.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ElfFacts {
    /// 32 or 64 bit.
    pub class: ElfClass,
    /// `DT_SONAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// `DT_NEEDED`, in the order of the file, which is that of the search.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed: Vec<String>,
    /// `DT_RPATH` as written: paths between colons, of which an empty one is the current directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpath: Option<String>,
    /// `DT_RUNPATH` as written. Where it is present, the loader ignores the file's `DT_RPATH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runpath: Option<String>,
    /// `PT_INTERP`: the loader that a program asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// `DF_1_NODEFLIB`: the loader's cache and default directories are not searched for what this file needs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_default_directories: bool,
    /// Versions of symbols that it needs, by file: `GLIBC_2.34` of `libc.so.6`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed_versions: Vec<NeededVersions>,
    /// Versions of symbols that it defines, its own name not counted: `GLIBCXX_3.4.30`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provided_versions: Vec<String>,
    /// Undefined symbols that the driver's libraries define: `cuInit`, `nvmlInit_v2`. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub driver_symbols: Vec<String>,
    /// Whether it asks for a stack that code can run on, which newer glibc refuses for libraries opened late.
    pub executable_stack: ExecutableStack,
    /// Names of libraries among its strings, which it may open itself. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened_names: Vec<OpenedName>,
}

/// Width of addresses.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ElfClass {
    /// 32 bit.
    Elf32,
    /// 64 bit.
    Elf64,
}

/// What a file is made for: `e_machine`, or the machine of a Windows library.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 32-bit x86.
    X86,
    /// 64-bit Arm.
    Aarch64,
    /// 32-bit Arm.
    Arm,
    /// 64-bit POWER, little endian.
    Ppc64le,
    /// 64-bit POWER, big endian.
    Ppc64,
    /// An NVIDIA GPU: a cubin.
    Cuda,
    /// Another number.
    Other(u16),
}

/// Versions of symbols that one file must define.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NeededVersions {
    /// The file, as in `DT_NEEDED`.
    pub file: String,
    /// The versions, in the order of the file.
    pub versions: Vec<String>,
    /// Those of `versions` that the loader may do without (`VER_FLG_WEAK`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weak: Vec<String>,
}

/// `PT_GNU_STACK`.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutableStack {
    /// Not asked for.
    No,
    /// Asked for.
    Yes,
    /// Not stated, which loaders take as asked for on x86.
    Unstated,
}

/// The name of a library among the strings of a file.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OpenedName {
    /// As it is written: `libnvrtc.so.12`, `libnvrtc.so.%d`, or with directories before it.
    pub name: String,
    /// How it is known that the file opens it.
    pub evidence: OpenedNameEvidence,
}

/// How it is known that a file opens a library by name.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum OpenedNameEvidence {
    /// The string is there, and the library of this SONAME is known to open it.
    Known,
    /// The string is there, which may also be a message or a fallback.
    String,
}
