//! Suites: what to check, where it can be checked, and which failures are expected.
//!
//! The types below are the format. The JSON schema is generated from them, a suite file is validated
//! against that schema, so what an editor underlines is what `cudacheck validate` refuses.

mod complaint;
mod library;
mod read;
mod schema;
mod tester;
#[cfg(test)]
mod tests;
mod tree;
mod validate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use complaint::{Complaint, nearest};
pub use library::{Coverage, Devices, LibraryCheck, LibraryStage};
pub use read::{MAX_SUITE_BYTES, read};
pub use schema::json_schema;
pub use tester::{ExpectedResults, FIND, Selection, TesterCheck, TesterFormat};

use crate::finding::{Code, Severity};
use crate::version::{ComputeCapability, DriverVersion, ToolkitVersion};

/// A suite of checks.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Suite {
    /// A name of lower-case letters, digits, and hyphens.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"), length(max = 80))]
    pub name: String,
    /// What the suite shows, in one sentence.
    #[schemars(length(min = 1, max = 300))]
    pub summary: String,
    /// The package that the suite examines.
    /// Without one it examines the machine, and a failure is a fault of driver or device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// Ends of paths, such as `lib/libtorch_cuda.so` or `libopencv_cuda*`: `run --package` without a suite's name takes
    /// this suite for a package that has such a file. Suites that check libraries are taken for their libraries anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub applies_to: Vec<String>,
    /// What a machine must offer; on others the suite is skipped with a reason.
    #[serde(default)]
    pub requires: Requires,
    /// Limits of every case.
    #[serde(default)]
    pub limits: Limits,
    /// The cases, in the order in which they are run.
    #[schemars(length(min = 1, max = 10000))]
    pub cases: Vec<Case>,
}

/// The package that a suite examines.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Package {
    /// The package's name, as in `cudaPackages.saxpy`.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// The toolkit that the package was built with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolkit: Option<ToolkitVersion>,
    /// Where the rules say that the package cannot work, its cases fail. They are skipped if absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_run: bool,
}

/// What a machine must offer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Requires {
    /// The lowest driver version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverVersion>,
    /// The lowest CUDA version that the driver must support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<ToolkitVersion>,
    /// Bounds on the device's compute capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_capability: Option<CapabilityBounds>,
    /// The platforms; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platform: Vec<Platform>,
    /// The lowest device memory, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// The lowest number of devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1024))]
    pub devices: Option<u32>,
}

/// Bounds on a compute capability, both included.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CapabilityBounds {
    /// The lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<ComputeCapability>,
    /// The highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<ComputeCapability>,
}

/// NVIDIA's names of the platforms for which it redistributes CUDA.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// 64-bit PCs and servers.
    #[serde(rename = "linux-x86_64")]
    LinuxX86_64,
    /// Arm servers with discrete GPUs, and Jetson Thor.
    LinuxSbsa,
    /// Jetson up to Orin.
    LinuxAarch64,
    /// POWER servers.
    LinuxPpc64le,
}

/// Limits of one case.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Seconds until a worker is stopped; 60 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    pub time_s: Option<u64>,
    /// MiB of device memory that a check may take; 256 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_048_576))]
    pub memory_mib: Option<u64>,
    /// How often a fault of the machine is tried again; a failure of the package never is. 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 10))]
    pub retries: Option<u32>,
}

impl Check {
    /// Whether it is about the files of a package, so that it means nothing without one.
    pub fn needs_package(&self) -> bool {
        match self {
            Self::Kernel(_) => false,
            Self::Linkage(_) | Self::Library(_) => true,
            Self::Tester(check) => check.needs_package(),
        }
    }

    /// Whether it is made on a device, and so once for each.
    pub fn needs_device(&self) -> bool {
        match self {
            Self::Kernel(_) => true,
            Self::Linkage(_) => false,
            Self::Library(check) => check.needs_device(),
            Self::Tester(check) => check.needs_device(),
        }
    }
}

impl Limits {
    /// These limits, with the gaps filled from others.
    pub fn or(&self, other: &Self) -> Self {
        Self {
            time_s: self.time_s.or(other.time_s),
            memory_mib: self.memory_mib.or(other.memory_mib),
            retries: self.retries.or(other.retries),
        }
    }
}

/// One case of a suite.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// A name of lower-case letters, digits, and hyphens, unique in its suite.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"), length(max = 80))]
    pub name: String,
    /// What is checked.
    pub check: Check,
    /// Further requirements of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires: Option<Requires>,
    /// Limits that differ from the suite's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Present if the case is known to fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_failure: Option<ExpectedFailure>,
}

/// A failure that is known.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpectedFailure {
    /// Why it fails, best with a link.
    #[schemars(length(min = 10, max = 1000))]
    pub because: String,
    /// On which devices it fails; on all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_capability: Option<CapabilityBounds>,
}

/// What a case checks: exactly one of these.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Runs a PTX kernel of the catalogue and compares with its CPU reference.
    Kernel(KernelCheck),
    /// Reads the files of the package, without a device, and fails if it finds a certain flaw.
    Linkage(LinkageCheck),
    /// Loads a library of the package and calls it.
    Library(LibraryCheck),
    /// Runs a program of the package that tests it, and reports each of its results.
    Tester(Box<TesterCheck>),
}

/// A flaw that the package must not have.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinkageCheck {
    /// The flaw, by the name that `cudacheck inspect` gives it; any flaw if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Code>,
    /// How bad it must be to count; an error if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The GPU code that there must be, no more and no less: `sm_80,sm_90,ptx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub expect: Option<String>,
    /// The platform that the package must be for, by NVIDIA's name or by Nix's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub platform: Option<String>,
}

/// A kernel of the catalogue.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KernelCheck {
    /// The kernel's name; `cudacheck list --kernels` prints them all.
    pub name: String,
    /// Fixes the inputs; the run's seed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}
