//! What the entries of the tables are made of. Every field that an entry may leave out has its meaning here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compat::gpu::{GpuClass, GpuKind};
use crate::compat::jetpack::JetPackVersion;
use crate::suite::Platform;
use crate::version::{ComputeCapability, DriverVersion, PtxIsa, Target, ToolkitVersion};

/// Where a table's entries come from, by the names that they cite.
pub type Sources = BTreeMap<String, Source>;

/// Where something is known from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Source {
    /// A document or a repository, or what was run.
    pub what: String,
    /// How it was obtained.
    pub kind: SourceKind,
}

/// How something is known.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Somebody wrote it.
    Read,
    /// It was tried.
    Run,
}

/// How sure an entry is. Answers that rest on an unsure one say so.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Guessed from its neighbours, or by one voice only.
    Low,
    /// Written down somewhere, but neither tried nor NVIDIA's word.
    Medium,
    /// NVIDIA's word, or tried.
    #[default]
    High,
}

/// Toolkits, in the order of their versions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolkits {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// For each major version since 11, the lowest driver of minor-version compatibility.
    pub floors: Vec<Floor>,
    /// The toolkits.
    pub toolkits: Vec<Toolkit>,
}

/// The lowest driver of minor-version compatibility.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// The toolkits' major version.
    pub major: u32,
    /// The driver.
    pub driver: DriverVersion,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// A toolkit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolkit {
    /// Its version.
    pub version: ToolkitVersion,
    /// The branch of the driver that it came with.
    #[serde(default)]
    pub branch: Option<u32>,
    /// The first Linux driver that it came with.
    #[serde(default)]
    pub driver: Option<DriverVersion>,
    /// The version of PTX that its compiler emits.
    pub ptx: PtxIsa,
    /// What its assembler makes machine code for. Empty if not known.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Its updates, the oldest first.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// The newest host compilers that it takes. Absent if not known.
    #[serde(default)]
    pub compilers: Option<Compilers>,
    /// The platforms it is made for.
    pub platforms: Vec<Platform>,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What else is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// The newest major versions of host compilers that a toolkit takes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Compilers {
    /// GCC.
    pub gcc: u32,
    /// Clang.
    pub clang: u32,
}

/// An update of a toolkit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `GA`, `Update 1`.
    pub name: String,
    /// The Linux driver it came with.
    pub driver: DriverVersion,
}

/// Branches of the driver, in the order of their numbers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Drivers {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// The branches.
    pub branches: Vec<Branch>,
    /// Packages that bring a newer libcuda to an older kernel module.
    pub compat_packages: CompatPackages,
}

/// A branch of the driver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Its number.
    pub branch: u32,
    /// The CUDA version that it supports.
    pub cuda: ToolkitVersion,
    /// The newest PTX that its just-in-time compiler accepts.
    pub ptx: PtxIsa,
    /// What a driver of this branch answered when it was tried.
    #[serde(default)]
    pub seen: Option<Seen>,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What else is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// What a driver answered when it was tried.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The driver.
    pub driver: DriverVersion,
    /// What `cuDriverGetVersion` answered.
    pub cuda: ToolkitVersion,
    /// The newest PTX that its compiler accepted.
    pub ptx: PtxIsa,
}

/// NVIDIA's matrix of forward compatibility packages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatPackages {
    /// Branches of the kernel's driver that NVIDIA lists.
    pub bases: Vec<u32>,
    /// Names of sources.
    pub sources: Vec<String>,
    /// The packages.
    pub packages: Vec<CompatPackage>,
}

/// A package `cuda-compat-M-n`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CompatPackage {
    /// The CUDA version that it brings.
    pub cuda: ToolkitVersion,
    /// Branches on which it is of use.
    pub usable_on: Vec<u32>,
    /// Branches that have this version anyway.
    pub needless_on: Vec<u32>,
    /// Branches that the note in the package's libcuda names, where it was read.
    #[serde(default)]
    pub admits: Vec<u32>,
}

/// GPUs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpus {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// Generations by their capability, in its order.
    pub capabilities: Vec<Generation>,
    /// Products by name.
    pub products: Vec<Product>,
}

/// The GPUs of one compute capability.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Their capability.
    pub capability: ComputeCapability,
    /// `Ampere`.
    pub architecture: String,
    /// What kind of hardware they are.
    pub kind: GpuKind,
    /// Toolkits that make machine code for them.
    pub toolkits: Span<ToolkitVersion>,
    /// Branches of the driver that support them. Absent for those whose driver is part of Jetson Linux.
    #[serde(default)]
    pub branches: Option<Span<u32>>,
    /// The first version of PTX with this target.
    pub ptx: PtxIsa,
    /// The devices that run code for this target with the suffix `f`.
    #[serde(default)]
    pub family: Vec<ComputeCapability>,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What else is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// From the first to the last, both included; without a last one it goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span<T> {
    /// The first.
    pub first: T,
    /// The last.
    #[serde(default = "none")]
    pub last: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// Products of one capability and class.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Their capability.
    pub capability: ComputeCapability,
    /// Their class.
    pub class: GpuClass,
    /// Their names.
    pub names: Vec<String>,
}

/// Releases of JetPack, in the order of their versions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JetPacks {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// The releases.
    pub releases: Vec<JetPackRelease>,
    /// Packages that bring a newer libcuda.
    pub upgrades: Vec<JetPackUpgrade>,
}

/// A release of JetPack, or several that agree in everything that matters here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JetPackRelease {
    /// The first and the last of them.
    pub jetpack: [JetPackVersion; 2],
    /// The first and the last version of Jetson Linux.
    pub l4t: [JetPackVersion; 2],
    /// The CUDA version that its driver supports.
    pub cuda: ToolkitVersion,
    /// The driver's version, where it has one.
    #[serde(default)]
    pub driver: Option<DriverVersion>,
    /// Whose packages it takes.
    pub platform: Platform,
    /// The modules it runs on.
    pub modules: Vec<String>,
    /// cuDNN.
    #[serde(default)]
    pub cudnn: Option<String>,
    /// TensorRT.
    #[serde(default)]
    pub tensorrt: Option<String>,
    /// OpenCV.
    #[serde(default)]
    pub opencv: Option<String>,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What else is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// Packages that bring a newer libcuda to a JetPack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JetPackUpgrade {
    /// The first and the last release.
    pub jetpack: [JetPackVersion; 2],
    /// The CUDA versions that are offered.
    pub offered: Vec<ToolkitVersion>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// Libraries beside the toolkit: what each version needs, and what their file names reveal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Libraries {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// File names that belong to some major versions of CUDA only.
    pub sonames: Vec<Soname>,
    /// What versions of libraries need.
    pub floors: Vec<LibraryFloor>,
}

/// What the name of a library reveals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soname {
    /// The beginning of the name, up to `.so.`.
    pub library: String,
    /// Versions in the name, and the CUDA major versions that each belongs to.
    pub majors: BTreeMap<String, Vec<u32>>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// What versions of a library need.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibraryFloor {
    /// `cudnn`.
    pub library: String,
    /// The first and the last version, compared as far as the last is written.
    pub versions: [String; 2],
    /// The CUDA major versions that it is built for.
    pub cuda: Vec<u32>,
    /// The lowest capability.
    pub capability: ComputeCapability,
    /// The lowest driver for each CUDA major version.
    #[serde(default)]
    pub drivers: BTreeMap<u32, DriverVersion>,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// What else is to say.
    #[serde(default)]
    pub note: Option<String>,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// Distributions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Systems {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// The distributions.
    pub systems: Vec<System>,
}

/// The newest symbol versions that a distribution's libraries define.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// What `PRETTY_NAME` of `/etc/os-release` begins with.
    pub named: Vec<String>,
    /// Major versions of JetPack that are this system.
    #[serde(default)]
    pub jetpacks: Vec<u32>,
    /// The C library: `2.35`.
    pub glibc: String,
    /// The C++ library: `3.4.30`.
    pub glibcxx: String,
    /// `1.3.13`.
    pub cxxabi: String,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// Environment variables that matter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableTable {
    /// Always 1.
    pub schema: u32,
    /// Cited below.
    pub sources: Sources,
    /// The variables.
    pub variables: Vec<Variable>,
}

/// An environment variable.
#[derive(Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it does, as a sentence without a full stop.
    pub effect: String,
    /// Whether a rule looks at it.
    pub changes: Changes,
    /// How sure the entry is.
    #[serde(default)]
    pub confidence: Confidence,
    /// Names of sources.
    pub sources: Vec<String>,
}

/// What depends on a variable.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changes {
    /// The answer.
    Verdict,
    /// Nothing in the answer, but something for users.
    Nothing,
}
