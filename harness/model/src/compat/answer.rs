//! The answer: a verdict in one sentence, the rules that decided it with their numbers, and what to do.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::bound::Bound;
use super::gpu::Gpu;
use super::machine::MachineSummary;
use super::tables::Confidence;
use crate::version::ToolkitVersion;

/// The schema number of [`Answer`] as JSON.
pub const COMPAT_SCHEMA: u32 = 1;

/// Whether a package will run on a machine.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// [`COMPAT_SCHEMA`].
    pub schema: u32,
    /// In one word.
    pub verdict: Verdict,
    /// In one sentence, without a full stop.
    pub sentence: String,
    /// What was asked about.
    pub package: PackageSummary,
    /// Where it shall run.
    pub machine: MachineSummary,
    /// For each GPU; one entry without a GPU if none is known.
    pub devices: Vec<DeviceAnswer>,
}

/// A package as an answer repeats it.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackageSummary {
    /// What it is called.
    pub name: String,
    /// The toolkit that it was built with.
    pub toolkit: Bound<ToolkitVersion>,
    /// Its GPU code: `sm_80`, `compute_90 (PTX 8.4)`. Absent if not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Vec<String>>,
    /// How this was found out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether a package will run on one GPU.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceAnswer {
    /// The GPU; absent if none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,
    /// In one word.
    pub verdict: Verdict,
    /// What happens.
    pub prospect: Prospect,
    /// The rule that decided.
    pub rule: Rule,
    /// In one sentence, without a full stop.
    pub sentence: String,
    /// The error that a user would meet first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// Everything that was looked at, in the order in which it was.
    pub steps: Vec<Step>,
    /// What to do, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
    /// How sure the least sure step is that the answer rests on.
    pub confidence: Confidence,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It runs.
    Supported,
    /// It runs, within limits that are named.
    Limited,
    /// It does not run, or NVIDIA does not support it.
    Unsupported,
    /// The tables do not tell.
    Unknown,
}

impl Verdict {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
        }
    }
}

/// What happens when the package is used. Ordered from good to bad.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// It runs.
    Runs,
    /// It runs on an older driver of the same major version, without what only a newer one has.
    RunsMinorCompat,
    /// It runs after the driver has compiled its PTX.
    RunsJit,
    /// It runs by a forward compatibility package.
    RunsWithCompat,
    /// Nobody knows.
    Unknown,
    /// NVIDIA does not support it. It may run.
    NotSupported,
    /// It fails.
    Fails,
}

impl Prospect {
    /// The verdict for it.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Runs => Verdict::Supported,
            Self::RunsMinorCompat | Self::RunsJit | Self::RunsWithCompat => Verdict::Limited,
            Self::Unknown => Verdict::Unknown,
            Self::NotSupported | Self::Fails => Verdict::Unsupported,
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// By which rule.
    pub rule: Rule,
    /// What follows from it alone.
    pub prospect: Prospect,
    /// With its numbers, as a sentence without a full stop.
    pub text: String,
    /// The error that a user would meet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// Errors that may be met in its place, or that other libraries report for the same reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_errors: Vec<ErrorCode>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// An error, by the library that reports it and its number.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ErrorCode {
    /// Whose numbers these are.
    pub domain: Domain,
    /// The number.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
}

/// Whose numbers.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// The CUDA driver, and the runtime where it passes the driver's errors on.
    Cuda,
    /// The CUDA runtime's own.
    Cudart,
    /// The management library.
    Nvml,
    /// cuBLAS.
    Cublas,
    /// cuDNN.
    Cudnn,
    /// Messages of the kernel module.
    Xid,
}

macro_rules! rules {
    ($($variant:ident $key:literal $doc:literal;)*) => {
        /// The rules, by the names that answers carry.
        #[derive(Clone, Copy, Debug, serde::Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Rule {
            $(#[doc = $doc] $variant,)*
        }

        impl Rule {
            /// All of them, with their names and meanings.
            pub const ALL: &[(Self, &'static str, &'static str)] = &[$((Self::$variant, $key, $doc)),*];

            /// The name.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                }
            }
        }
    };
}

rules! {
    MachineFault "machine-fault" "On a machine whose driver does not work nothing runs.";
    Sass "sass" "Machine code runs on devices of its major version with the same or a higher minor one.";
    NoGpuCode "no-gpu-code" "A package without GPU code of its own asks nothing of the device.";
    ToolkitTargets "toolkit-targets" "A toolkit makes machine code for this device; whether the package has it is not known.";
    Backward "backward" "A driver runs everything built with a toolkit up to the CUDA version that it supports.";
    MinorCompat "minor-compat" "Since CUDA 11 a driver at or above the floor of a major version runs all its toolkits, within limits.";
    PtxJit "ptx-jit" "PTX is compiled by the driver for every device from its target on.";
    CompatPackage "compat-package" "A forward compatibility package brings a newer libcuda to an older kernel module.";
    OracleJit "oracle-jit" "What the driver's own compiler says of PTX counts more than the tables.";
    OracleDriver "oracle-driver" "What the driver says of its CUDA version counts more than the tables.";
    OracleRuntime "oracle-runtime" "What the package's own libcudart says of the driver counts more than the tables.";
    OracleForward "oracle-forward" "The note in a libcuda on the kernel modules beside which it runs counts more than the tables.";
    PtxTooNew "ptx-too-new" "A driver's just-in-time compiler refuses PTX that is newer than itself.";
    NoCodeForGpu "no-code-for-gpu" "Without machine code or PTX for a device nothing runs on it.";
    ToolkitDroppedGpu "toolkit-dropped-gpu" "Toolkits no longer make code for devices that NVIDIA has dropped.";
    JitDisabled "jit-disabled" "CUDA_DISABLE_PTX_JIT forbids the compilation of PTX.";
    NoVisibleDevice "no-visible-device" "CUDA_VISIBLE_DEVICES hides devices.";
    GpuDroppedByDriver "gpu-dropped-by-driver" "Later branches of the driver no longer support a device.";
    GpuNewerThanDriver "gpu-newer-than-driver" "A driver does not know devices that came after it.";
    OpenModules "open-modules" "The open kernel modules support Turing and newer only.";
    DriverTooOld "driver-too-old" "A toolkit needs a driver of its major version.";
    DriverMismatch "driver-mismatch" "Kernel module and libraries must be of one driver.";
    CompatNotAllowed "compat-not-allowed" "Forward compatibility packages are for data centers, selected RTX, and Jetson.";
    CompatOlderThanDriver "compat-older-than-driver" "A forward compatibility package must be newer than the kernel's driver.";
    CompatBaseNotListed "compat-base-not-listed" "NVIDIA lists the branches on which a forward compatibility package works.";
    UpgradeNotOffered "upgrade-not-offered" "NVIDIA offers upgrade packages for some pairs of JetPack and CUDA only.";
    JetsonNoMinorCompat "jetson-no-minor-compat" "On JetPack 5 and 6 the driver takes toolkits up to its own CUDA version.";
    DgpuSassOnTegra "dgpu-sass-on-tegra" "Machine code for desktop devices is not supported on Tegra.";
    TegraSassOnDgpu "tegra-sass-on-dgpu" "Machine code for Tegra is not supported on desktop devices.";
    OtherPlatform "other-platform" "A package runs on the platforms that it is built for.";
    SbsaOnJetson "sbsa-on-jetson" "Up to JetPack 6, builds for Arm servers are not for Jetson.";
    JetsonBuildOnSbsa "jetson-build-on-sbsa" "Builds for Jetson up to JetPack 6 are not for Arm servers.";
    LibraryDroppedGpu "library-dropped-gpu" "A library has code from some capability on.";
    LibraryCudaMajor "library-cuda-major" "A library is built for some major versions of CUDA.";
    LibraryDriver "library-driver" "A library needs a driver of its own.";
    SystemLibraries "system-libraries" "The C and C++ libraries of a distribution have symbols up to a version.";
    UnknownLibrary "unknown-library" "This version of a library is not in the tables.";
    UnknownToolkit "unknown-toolkit" "The tables do not tell enough of the toolkit.";
    UnknownDriver "unknown-driver" "The tables do not tell enough of the driver.";
    UnknownGpu "unknown-gpu" "The tables do not tell enough of the device.";
}

/// The JSON schema of [`Answer`].
pub fn json_schema() -> Schema {
    schema_for!(Answer)
}
