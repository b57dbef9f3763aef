//! Machines that the simulator can be: drivers, devices, and the files by which a real one would be known.
//!
//! A profile is data. The driver answers from it, and the probe of a machine reads its `files` as it would
//! read those of a real host, so that both tell the same story.

mod attribute;
mod linker_cache;

use std::collections::BTreeMap;

use cudacheck_model::version::{ComputeCapability, DriverVersion, PtxIsa, ToolkitVersion};
use serde::Deserialize;
use thiserror::Error;

pub use attribute::Attribute;

/// How the UUID of every simulated device begins, so that no report mistakes one for a real device.
pub const SIMULATED_UUID: &str = "GPU-51d0";

/// A machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The word after `--simulate`.
    pub name: String,
    /// What it stands for, in one line.
    pub summary: String,
    /// The driver.
    pub driver: Driver,
    /// What initialisation answers, where it is not success.
    #[serde(default)]
    pub initialisation: Initialisation,
    /// How much of NVML the machine has.
    pub nvml: Nvml,
    /// The devices, in the driver's order.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// Where the driver's libraries lie.
    pub libraries: Vec<Library>,
    /// Text files by absolute path: what a probe of the machine reads. A machine with `/etc/ld.so.conf` also has the
    /// `/etc/ld.so.cache` that `ldconfig` would write for its libraries; it is made when the profile is read.
    pub files: BTreeMap<String, String>,
}

/// A driver.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Driver {
    /// The version of its libraries; on Jetsons up to JetPack 5 the number of the L4T release.
    pub version: DriverVersion,
    /// The CUDA version that it supports.
    pub cuda: ToolkitVersion,
    /// The newest PTX that its JIT compiler takes.
    pub ptx_isa_max: PtxIsa,
}

/// What `cuInit` and `nvmlInit_v2` answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Initialisation {
    /// The `CUresult` of `cuInit`.
    #[serde(default)]
    pub cuda: u32,
    /// The `nvmlReturn_t` of `nvmlInit_v2`.
    #[serde(default)]
    pub nvml: u32,
}

/// How much of NVML a machine has.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Nvml {
    /// Every query is answered.
    Full,
    /// Identity is answered, and most measurements are `NVML_ERROR_NOT_SUPPORTED`: Orin.
    Limited,
    /// There is no such library: Jetsons up to JetPack 5.
    Absent,
}

/// A device.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Device {
    /// The product name that `cuDeviceGetName` answers.
    pub name: String,
    /// What NVML calls it, where that differs.
    #[serde(default)]
    pub nvml_name: Option<String>,
    /// `GPU-51d0…`, in the form of RFC 9562.
    pub uuid: String,
    /// Its compute capability.
    pub compute_capability: ComputeCapability,
    /// Bytes that `cuDeviceTotalMem` answers.
    pub memory: u64,
    /// Bytes that NVML answers, which counts what the driver keeps for itself.
    #[serde(default)]
    pub nvml_memory: Option<u64>,
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// The clock in kHz.
    pub clock_khz: u32,
    /// Where it sits: domain, bus, device.
    pub pci: Pci,
    /// Whether its memory has error correction, and whether that is on.
    pub ecc: Switch,
    /// Whether it can be cut into instances, and whether it is.
    pub mig: Switch,
    /// Who may use it.
    #[serde(default)]
    pub compute_mode: ComputeMode,
    /// Every further answer of `cuDeviceGetAttribute`; an attribute that is not named answers 0.
    pub attributes: BTreeMap<Attribute, i32>,
}

/// An address on the PCI bus; all zero where there is none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pci {
    /// The domain.
    pub domain: u32,
    /// The bus.
    pub bus: u32,
    /// The device.
    pub device: u32,
    /// Device and vendor: `0x233010DE` for an H100 SXM.
    pub id: u32,
}

/// A feature that a device may lack.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// The device does not have it.
    Unsupported,
    /// The device has it, and it is off.
    Disabled,
    /// The device has it, and it is on.
    Enabled,
}

/// `CUcomputemode`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ComputeMode {
    /// Any process may use the device.
    #[default]
    Default,
    /// No process may.
    Prohibited,
    /// One process at a time may.
    ExclusiveProcess,
}

impl ComputeMode {
    /// Its number in `cuda.h` and `nvml.h`.
    pub fn number(self) -> u32 {
        match self {
            Self::Default => 0,
            Self::Prohibited => 2,
            Self::ExclusiveProcess => 3,
        }
    }
}

/// A library of the driver in the simulated root.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Library {
    /// Where it lies.
    pub path: String,
    /// What it is.
    pub serves: Serves,
}

/// What a library is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Serves {
    /// `libcuda.so.1`.
    Cuda,
    /// `libnvidia-ml.so.1`.
    Nvml,
}

/// Why a profile cannot be used.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The text is not a profile.
    #[error("{0}")]
    Syntax(String),
    /// It reads well, but describes no machine.
    #[error("profile `{profile}`: {complaint}")]
    Invalid {
        /// Its name.
        profile: String,
        /// What is wrong.
        complaint: String,
    },
}

/// The profiles that are compiled in.
const BUILT_IN: &[(&str, &str)] = &[
    ("h100", include_str!("../profiles/h100.yaml")),
    ("rtx-4090", include_str!("../profiles/rtx-4090.yaml")),
    ("gtx-1080", include_str!("../profiles/gtx-1080.yaml")),
    ("old-driver", include_str!("../profiles/old-driver.yaml")),
    ("jetson-orin", include_str!("../profiles/jetson-orin.yaml")),
    (
        "jetson-xavier",
        include_str!("../profiles/jetson-xavier.yaml"),
    ),
    ("two-gpus", include_str!("../profiles/two-gpus.yaml")),
    ("no-device", include_str!("../profiles/no-device.yaml")),
    ("mismatch", include_str!("../profiles/mismatch.yaml")),
];

/// The compiled-in profile of this name.
pub fn find(name: &str) -> Option<Profile> {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(Profile::parse(text).expect("a test parses every compiled-in profile"))
}

/// The names of the compiled-in profiles, in the order in which they are presented.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// When the text is no profile, or describes a machine that cannot be.
    pub fn parse(yaml: &str) -> Result<Self, ProfileError> {
        let mut profile: Self =
            serde_yaml::from_str(yaml).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        if profile.files.contains_key("/etc/ld.so.conf") {
            let cache = linker_cache::written(&profile.libraries);
            profile.files.insert("/etc/ld.so.cache".to_owned(), cache);
        }
        match profile.complaint() {
            Some(complaint) => Err(ProfileError::Invalid {
                profile: profile.name.clone(),
                complaint,
            }),
            None => Ok(profile),
        }
    }

    /// What NVML answers as its own version: the CUDA major version before the driver's.
    pub fn nvml_version(&self) -> String {
        format!("{}.{}", self.driver.cuda.major, self.driver.version)
    }

    fn complaint(&self) -> Option<String> {
        let relative = |path: &&String| !path.starts_with('/') || path.contains("/../");
        let paths = self.libraries.iter().map(|library| &library.path);
        if let Some(path) = paths.chain(self.files.keys()).find(relative) {
            return Some(format!("`{path}` is no absolute path"));
        }
        let serves = |what| self.libraries.iter().any(|library| library.serves == what);
        if (self.nvml == Nvml::Absent) == serves(Serves::Nvml) {
            return Some(
                "`libraries` names an NVML library exactly when `nvml` is not `absent`".to_owned(),
            );
        }
        if self.devices.is_empty() && self.initialisation.cuda == 0 {
            return Some("a driver without devices must fail to initialise".to_owned());
        }
        for (index, device) in self.devices.iter().enumerate() {
            if let Some(complaint) = device.complaint() {
                return Some(format!("device {index}: {complaint}"));
            }
            let twice = |other: &Device| other.uuid == device.uuid;
            if self.devices[..index].iter().any(twice) {
                return Some(format!("two devices have the UUID `{}`", device.uuid));
            }
        }
        None
    }
}

impl Device {
    /// What `cuDeviceGetAttribute` answers; attributes that the profile does not name are 0.
    pub fn attribute(&self, attribute: Attribute) -> i32 {
        let derived = match attribute.number() {
            13 => Some(self.clock_khz),
            16 => Some(self.multiprocessors),
            20 => Some(self.compute_mode.number()),
            32 => Some(u32::from(self.ecc == Switch::Enabled)),
            33 => Some(self.pci.bus),
            34 => Some(self.pci.device),
            50 => Some(self.pci.domain),
            75 => Some(self.compute_capability.major),
            76 => Some(self.compute_capability.minor),
            _ => None,
        };
        if let Some(value) = derived {
            return i32::try_from(value).unwrap_or(i32::MAX);
        }
        let shared = || {
            let same = |(number, _): &&(u32, i32)| *number == attribute.number();
            attribute::SHARED
                .iter()
                .find(same)
                .map_or(0, |(_, value)| *value)
        };
        self.attributes
            .get(&attribute)
            .copied()
            .unwrap_or_else(shared)
    }

    /// The 16 bytes of the UUID, if it is one.
    pub fn uuid_bytes(&self) -> Option<[u8; 16]> {
        let text = self.uuid.strip_prefix("GPU-")?;
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        if lengths != [8, 4, 4, 4, 12] {
            return None;
        }
        let number = u128::from_str_radix(&groups.concat(), 16).ok()?;
        Some(number.to_be_bytes())
    }

    fn complaint(&self) -> Option<String> {
        let number = |name: &str| Attribute::from_name(name).map_or(0, |a| self.attribute(a));
        if !self.uuid.starts_with(SIMULATED_UUID) || self.uuid_bytes().is_none() {
            return Some(format!(
                "`{}` is no UUID of the form {SIMULATED_UUID}xxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
                self.uuid
            ));
        }
        if self.memory == 0 || self.multiprocessors == 0 || self.clock_khz == 0 {
            return Some("memory, multiprocessors and clock-khz are above 0".to_owned());
        }
        let needed = [
            "max-threads-per-multiprocessor",
            "max-blocks-per-multiprocessor",
            "max-shared-memory-per-multiprocessor",
            "max-shared-memory-per-block-optin",
        ];
        needed
            .into_iter()
            .find(|name| number(name) <= 0)
            .map(|name| format!("the attribute `{name}` is needed, above 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: (&str, &str), expected: &str) {
        let text = BUILT_IN[0].1;
        assert!(
            text.contains(change.0),
            "`{}` is not in the profile",
            change.0
        );
        let error = Profile::parse(&text.replacen(change.0, change.1, 1)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn every_built_in_profile_is_valid_and_has_its_own_name() {
        for name in names() {
            let profile = find(name).unwrap();
            assert_eq!(profile.name, name);
            assert!(!profile.files.is_empty());
        }
        assert!(find("h200").is_none());
    }

    #[test]
    fn a_broken_profile_is_refused_with_its_place() {
        check(("GPU-51d0", "GPU-61d0"), "is no UUID of the form GPU-51d0");
        check(("multiprocessors: 132", "multiprocessors: 0"), "above 0");
        check(("clock-khz:", "clock-mhz:"), "unknown field `clock-mhz`");
        check(
            (
                "max-threads-per-multiprocessor",
                "max-threads-per-multiprocesor",
            ),
            "did you mean `max-threads-per-multiprocessor`?",
        );
        check(("nvml: full", "nvml: absent"), "exactly when");
        check(("\"13.0\"", "13.0"), "in quotes");
        check(("path: /run", "path: run"), "is no absolute path");
    }

    #[test]
    fn attributes_come_from_the_device_and_its_kind() {
        let device = &find("h100").unwrap().devices[0];
        let answer = |name| device.attribute(Attribute::from_name(name).unwrap());
        assert_eq!(answer("warp-size"), 32);
        assert_eq!(answer("multiprocessor-count"), 132);
        assert_eq!(answer("compute-capability-major"), 9);
        assert_eq!(answer("max-shared-memory-per-block-optin"), 232_448);
        assert_eq!(answer("integrated"), 0);
    }

    #[test]
    fn older_drivers_know_fewer_attributes() {
        let pools = Attribute::from_number(115).unwrap();
        let cluster = Attribute::from_number(120).unwrap();
        assert!(pools.known_to(ToolkitVersion::new(11, 4)));
        assert!(!cluster.known_to(ToolkitVersion::new(11, 4)));
        assert!(cluster.known_to(ToolkitVersion::new(12, 8)));
        assert_eq!(Attribute::from_number(159), None);
        assert_eq!(pools.to_string(), "memory-pools-supported");
    }
}
