//! What a machine is, as a worker found it: the driver, the devices, the distribution, the Jetson.
//!
//! Facts are observations with their source. What is missing is absent, never guessed; what is wrong is a
//! [`MachineFault`] beside the facts, so that a half-broken machine still says everything it can.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::outcome::MachineFault;
use crate::version::{ComputeCapability, DriverVersion, ToolkitVersion};

/// The schema number of [`MachineFacts`] as JSON.
pub const FACTS_SCHEMA: u32 = 1;

/// Everything that is known of a machine.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineFacts {
    /// [`FACTS_SCHEMA`].
    pub schema: u32,
    /// The profile, if the GPU is simulated. Every report repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// The operating system.
    pub host: Host,
    /// The NVIDIA driver's parts.
    pub driver: DriverFacts,
    /// The devices, in the order of the driver.
    pub devices: Vec<Device>,
    /// Present on a Jetson.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jetson: Option<Jetson>,
    /// What is wrong with the machine, each with cause and remedy.
    pub faults: Vec<MachineFault>,
}

/// The operating system.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Host {
    /// `/proc/sys/kernel/hostname`.
    pub name: Option<String>,
    /// `/proc/sys/kernel/osrelease`.
    pub kernel: Option<String>,
    /// `PRETTY_NAME` of `/etc/os-release`.
    pub distribution: Option<String>,
    /// `x86_64`, `aarch64`.
    pub architecture: Option<String>,
    /// Bytes of memory, from `/proc/meminfo`.
    pub memory_bytes: Option<u64>,
    /// Whether this is the Windows Subsystem for Linux.
    pub wsl: bool,
}

/// The parts of an NVIDIA driver, which must fit together.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriverFacts {
    /// The kernel's side, from `/proc/driver/nvidia/version`.
    pub kernel_module: Option<KernelModule>,
    /// The driver API's library that workers use.
    pub libcuda: Option<Library>,
    /// The management library.
    pub nvml: Option<Library>,
    /// The CUDA version that the driver supports: `cuDriverGetVersion`.
    pub cuda: Option<ToolkitVersion>,
    /// The driver's version as NVML answers.
    pub nvml_driver: Option<DriverVersion>,
    /// Other files of these names that were found but not taken, in the order of the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<Library>,
}

impl DriverFacts {
    /// The driver's version by the best source there is: the kernel module, the management library, the
    /// library's file name.
    pub fn version(&self) -> Option<&DriverVersion> {
        let module = self.kernel_module.as_ref().map(|module| &module.version);
        let library = || {
            self.libcuda
                .as_ref()
                .and_then(|library| library.version.as_ref())
        };
        module.or(self.nvml_driver.as_ref()).or_else(library)
    }
}

/// The kernel module.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KernelModule {
    /// Its version.
    pub version: DriverVersion,
    /// `open`, `proprietary`, or what else the text reveals.
    pub flavour: ModuleFlavour,
}

/// Which of NVIDIA's kernel modules is loaded.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleFlavour {
    /// The open kernel modules: Turing and newer only.
    Open,
    /// The proprietary kernel modules.
    Proprietary,
}

/// A library of the driver on disk.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Library {
    /// Where it was found, before links are followed.
    pub path: PathBuf,
    /// The file behind the links, if it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<PathBuf>,
    /// By which rule it was found.
    pub found_by: LookupRule,
    /// The version in its file name, or the one it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<DriverVersion>,
    /// Why it was passed over, or could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<String>,
}

/// Where drivers are looked for, in the order of the search.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupRule {
    /// Named by the user.
    Given,
    /// `/run/opengl-driver/lib`, where NixOS puts the driver.
    RunOpenglDriver,
    /// `/usr/lib/wsl/lib`.
    Wsl,
    /// A Jetson's directories of L4T.
    Jetson,
    /// `/etc/ld.so.cache`.
    LdSoCache,
    /// The loader's default directories and their multi-architecture variants.
    DefaultDirectory,
}

/// A CUDA device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Device {
    /// The driver's number for it, when all are visible.
    pub ordinal: u32,
    /// The product's name.
    pub name: String,
    /// `GPU-…`. Absent where the driver has no such function.
    pub uuid: Option<String>,
    /// What it can do.
    pub compute_capability: ComputeCapability,
    /// Bytes of device memory; on integrated devices shared with the host.
    pub memory_bytes: u64,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// `0000:65:00.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pci: Option<String>,
    /// Whether it shares the host's memory, as on Jetson.
    pub integrated: bool,
    /// Whether error correction is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecc: Option<bool>,
    /// Uncorrectable memory errors since the driver was loaded, where the device counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecc_uncorrected: Option<u64>,
    /// Whether it is divided into instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mig: Option<bool>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_mode: Option<ComputeMode>,
    /// `CUdevice_attribute` numbers and their values.
    pub attributes: BTreeMap<i32, i32>,
}

impl Device {
    /// A name that is the same on every run: the UUID, else the ordinal.
    pub fn key(&self) -> String {
        self.uuid
            .clone()
            .unwrap_or_else(|| format!("device-{}", self.ordinal))
    }
}

/// Who may use a device, as in `CUcomputemode` of `cuda.h`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeMode {
    /// Any number of processes.
    Default,
    /// No process.
    Prohibited,
    /// One process at a time.
    ExclusiveProcess,
}

/// What makes a Jetson a Jetson.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Jetson {
    /// The model by the device tree.
    pub model: Option<String>,
    /// The system on chip: `tegra234`.
    pub soc: Option<String>,
    /// Jetson Linux, formerly Linux for Tegra: `36.4.3`.
    pub l4t: Option<String>,
    /// The JetPack that carries this L4T: `6.2`. Several share one; then this is the last.
    pub jetpack: Option<String>,
}
