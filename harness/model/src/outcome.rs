//! How a case ended, whose fault it is, why, and what to do.
//!
//! A package that fails and a machine that cannot judge are different outcomes, all the way to the exit
//! code: `fail` and `fault`. What was not run is a `skip` with a reason, and never green.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compat::Rule;
pub use crate::fault::MachineFault;
use crate::finding::Code;
use crate::journal::Stage;
use crate::library::Library;
use crate::version::{ComputeCapability, DriverVersion, PtxIsa, Target, ToolkitVersion};

/// How a case ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything came out as it must.
    Pass,
    /// The package is at fault.
    Fail(Box<Finding>),
    /// The machine, the GPU, the driver, or the harness is at fault.
    Fault(Box<Finding>),
    /// It was not run, or could not be judged here.
    Skip(SkipReason),
    /// It failed as its suite says it must.
    ExpectedFail {
        /// How it failed.
        finding: Box<Finding>,
        /// The suite's reason.
        because: String,
    },
    /// It passed although its suite says that it must fail.
    UnexpectedPass {
        /// The suite's reason.
        because: String,
    },
}

/// A failure or a fault, with everything a person needs to act on it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What went wrong.
    pub problem: Problem,
    /// Which class of failure it belongs to.
    pub class: Class,
    /// How far the worker had come.
    pub stage: Option<Stage>,
    /// What was expected, as a sentence without a subject: `the output equals the reference`.
    pub expected: String,
    /// What happened instead, in one line.
    pub error: String,
    /// Why.
    pub cause: Cause,
    /// What to do or to type.
    pub remedy: String,
    /// More lines, such as the log of the just-in-time compiler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What went wrong, as a closed list: each has a word for JUnit and for the status column.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A wrong value.
    WrongResult,
    /// What a lower precision than the one that was asked for gives.
    ReducedPrecision,
    /// An output that was never written.
    NeverWritten,
    /// A write outside a buffer.
    StrayWrite,
    /// An input that changed.
    InputChanged,
    /// Two runs with different results.
    NotRepeatable,
    /// A CUDA call failed with this code.
    CudaError(i32),
    /// The worker ended by this exit code without a result.
    ExitCode(i32),
    /// The worker was ended by this signal.
    Signal(i32),
    /// The worker was stopped after its time limit, in seconds.
    Timeout(u64),
    /// The files of the package have this flaw.
    Flaw(Code),
    /// A library of the package cannot be opened.
    Unloadable,
    /// A call of this library failed with this code, one of its own.
    LibraryError(Library, i32),
    /// Parts of the package are of versions that do not fit together.
    VersionSkew,
    /// A library was loaded that is none of the package's and none of the driver's, or two of a kind were.
    ForeignLibrary,
    /// A library reaches the device in a lesser way than it must.
    Uncovered,
    /// Of a tester's results, this many failed.
    ResultsFailed {
        /// How many failed.
        failed: u32,
        /// How many there are.
        of: u32,
    },
    /// A tester left out results, or said what cannot be understood.
    ResultsIncomplete,
    /// A tester told of no result at all, or skipped all where it must not.
    NothingTested,
    /// A tester could not be started.
    NotStarted,
    /// By this rule the package cannot work here, although its suite says that it must.
    Incompatible(Rule),
    /// The worker took more memory than it may.
    MemoryLimit,
    /// The worker ended well, but its journal holds no result.
    NoResult,
    /// The machine.
    Machine(MachineFault),
}

impl Problem {
    /// The word in JUnit's `type` attribute, without the `cudacheck.` before it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::WrongResult => "wrong-result",
            Self::ReducedPrecision => "reduced-precision",
            Self::NeverWritten => "never-written",
            Self::StrayWrite => "stray-write",
            Self::InputChanged => "input-changed",
            Self::NotRepeatable => "not-repeatable",
            Self::CudaError(209) => "no-kernel-image",
            Self::CudaError(_) => "cuda-error",
            Self::ExitCode(_) => "exit-code",
            Self::Signal(_) => "signal",
            Self::Timeout(_) => "timeout",
            Self::Flaw(code) => code.word(),
            Self::Unloadable => "unloadable-library",
            Self::LibraryError(..) => "library-error",
            Self::VersionSkew => "version-skew",
            Self::ForeignLibrary => "foreign-library",
            Self::Uncovered => "not-covered",
            Self::ResultsFailed { .. } => "results-failed",
            Self::ResultsIncomplete => "results-incomplete",
            Self::NothingTested => "nothing-tested",
            Self::NotStarted => "not-started",
            Self::Incompatible(_) => "incompatible-package",
            Self::MemoryLimit => "memory-limit",
            Self::NoResult => "no-result",
            Self::Machine(fault) => fault.word(),
        }
    }
}

/// The classes that must be told apart, after the Nixpkgs CUDA team.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It was built for something else than was asked for.
    Build,
    /// Loading of shared libraries.
    Loading,
    /// Machine code for the device is missing.
    Architecture,
    /// Numbers are wrong.
    Numerical,
    /// Performance and closure size.
    ClosureSize,
    /// The program crashed, hung, or ended early.
    Execution,
    /// The machine, the GPU, the driver, or the harness.
    Machine,
}

/// Why something happened: proven by a rule, or unknown. Never guessed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A rule shows it.
    Proven(String),
    /// No rule shows it.
    Unknown,
}

impl Cause {
    /// A cause that a rule shows.
    pub fn proven(text: impl Into<String>) -> Self {
        Self::Proven(text.into())
    }

    /// The sentence for a report.
    pub fn text(&self) -> &str {
        match self {
            Self::Proven(text) => text,
            Self::Unknown => "unknown",
        }
    }
}

/// Something that can say why it happened and what to do.
pub trait Explained {
    /// Why.
    fn cause(&self) -> Cause;
    /// What to do or to type.
    fn remedy(&self) -> String;
}

/// Why a case was not run. Each prints as one sentence.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum SkipReason {
    /// No usable device.
    #[error("there is no device to run on: {because}")]
    NoDevice {
        /// Why not.
        because: String,
    },
    /// The device is too old or of another family.
    #[error("needs a device of {needs}; this one is {}", has.sm())]
    Capability {
        /// The PTX target.
        needs: Target,
        /// The device's capability.
        has: ComputeCapability,
    },
    /// The suite's bounds on the compute capability exclude the device.
    #[error("needs compute capability {needs}; this device has {has}")]
    CapabilityBounds {
        /// The bounds as text.
        needs: String,
        /// The device's capability.
        has: ComputeCapability,
    },
    /// The driver does not know the PTX instruction set.
    #[error("needs PTX ISA {needs}; this driver's just-in-time compiler knows up to {has}")]
    PtxIsa {
        /// The kernel's `.version`.
        needs: PtxIsa,
        /// The newest that the driver knows.
        has: PtxIsa,
    },
    /// The driver is older than the suite asks for.
    #[error("needs driver {needs} or newer; this one is {has}")]
    DriverVersion {
        /// The lowest that suffices.
        needs: DriverVersion,
        /// The driver's.
        has: DriverVersion,
    },
    /// The driver supports an older CUDA version than the suite asks for.
    #[error("needs a driver that supports CUDA {needs}; this one supports {has}")]
    CudaVersion {
        /// The lowest that suffices.
        needs: ToolkitVersion,
        /// What the driver supports.
        has: ToolkitVersion,
    },
    /// A device attribute is too low.
    #[error("needs {attribute} of at least {needs}; this device has {has}")]
    Attribute {
        /// The attribute's name.
        attribute: String,
        /// The lowest that suffices.
        needs: i32,
        /// The device's.
        has: i32,
    },
    /// The suite is for another platform.
    #[error("needs platform {needs}; this is {has}")]
    Platform {
        /// The suite's platforms.
        needs: String,
        /// This machine's.
        has: String,
    },
    /// Too little device memory.
    #[error("needs {needs} MiB of device memory; this device has {has} MiB")]
    Memory {
        /// The lowest that suffices.
        needs: u64,
        /// The device's.
        has: u64,
    },
    /// Too few devices.
    #[error("needs {needs} devices; there are {has}")]
    Devices {
        /// The lowest that suffices.
        needs: u32,
        /// How many there are.
        has: u32,
    },
    /// A fact that a requirement compares with is not known.
    #[error("needs to know {what}, which could not be found out")]
    UnknownFact {
        /// Which fact.
        what: String,
    },
    /// The device was withdrawn after a fault.
    #[error("device {device} was withdrawn from this run: {because}")]
    DeviceWithdrawn {
        /// Its ordinal.
        device: u32,
        /// The fault.
        because: String,
    },
    /// The package cannot work on this device with this driver.
    #[error("{sentence}")]
    Incompatible {
        /// Why not.
        sentence: String,
        /// The rule that decided.
        rule: Rule,
    },
    /// The package does not have the library.
    #[error("the package has no {library}")]
    NotInPackage {
        /// The library.
        library: Library,
    },
    /// The checks do not know the functions of a library of this name.
    #[error(
        "cudacheck does not know the functions of {soname}, and calls none that it does not know; it knows {known}"
    )]
    UnknownAbi {
        /// What the library is called.
        soname: String,
        /// The names that are known.
        known: String,
    },
    /// The library has no such function; older and newer ones have.
    #[error("{library} has no function `{function}`")]
    NoFunction {
        /// What the library is called.
        library: String,
        /// The function.
        function: String,
    },
    /// A right is missing that only an administrator can give.
    #[error("{what}")]
    Privilege {
        /// Which, and how it is given.
        what: String,
    },
    /// The library says that it cannot do this on this device, as its documentation does.
    #[error("{what}")]
    NotSupported {
        /// What, and where that is said.
        what: String,
    },
    /// The package does not have the program, or a file that it needs.
    #[error("the package has no `{file}`")]
    NoTester {
        /// The file, below the package.
        file: String,
    },
    /// The tester itself decided that it cannot test here.
    #[error("the tester says: {because}")]
    Tester {
        /// In its words.
        because: String,
    },
    /// There is no package to examine.
    #[error("there is no package to examine: name its paths with --package")]
    NoPackage,
    /// The run was interrupted before it.
    #[error("the run was interrupted before this case had ended")]
    Interrupted,
}

impl SkipReason {
    /// The word in JUnit's `type` attribute, without the `cudacheck.` before it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoDevice { .. } => "no-gpu",
            Self::Capability { .. }
            | Self::CapabilityBounds { .. }
            | Self::Attribute { .. }
            | Self::Memory { .. } => "incompatible-hardware",
            Self::PtxIsa { .. } | Self::DriverVersion { .. } | Self::CudaVersion { .. } => {
                "driver-too-old"
            }
            Self::Platform { .. } => "other-platform",
            Self::Devices { .. } => "too-few-devices",
            Self::UnknownFact { .. } => "unknown-fact",
            Self::DeviceWithdrawn { .. } => "device-withdrawn",
            Self::Incompatible { .. } => "incompatible-package",
            Self::NotInPackage { .. } => "not-in-package",
            Self::UnknownAbi { .. } => "unknown-abi",
            Self::NoFunction { .. } => "no-function",
            Self::Privilege { .. } => "no-privilege",
            Self::NotSupported { .. } => "not-supported",
            Self::NoTester { .. } => "no-tester",
            Self::Tester { .. } => "tester-skips",
            Self::NoPackage => "no-package",
            Self::Interrupted => "interrupted",
        }
    }
}
