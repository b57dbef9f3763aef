//! Where the package shall run: this machine, a recorded one, or one that somebody has only named.

use schemars::JsonSchema;
use serde::Serialize;

use super::bound::Bound;
use super::gpu::Gpu;
use super::jetpack::{self, JetPackVersion};
use super::tables;
use super::variable::{VariableSummary, Variables};
use crate::facts::{MachineFacts, ModuleFlavour};
use crate::fault::MachineFault;
use crate::oracle::{ForwardNote, JitAnswer, OracleAnswer, RuntimeAnswer};
use crate::suite::Platform;
use crate::version::{DriverVersion, PtxIsa, ToolkitVersion};

/// A machine, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// NVIDIA's name of its platform.
    pub platform: Option<Platform>,
    /// The driver's version: the kernel module's.
    pub driver: Option<DriverVersion>,
    /// The version of the driver's libraries, if it may differ from the kernel module's.
    pub library: Option<DriverVersion>,
    /// What the driver answers to `cuDriverGetVersion`, if it was asked.
    pub cuda: Option<ToolkitVersion>,
    /// The JetPack of a Jetson.
    pub jetpack: Option<JetPackVersion>,
    /// What its distribution calls itself.
    pub distribution: Option<String>,
    /// The CUDA version of a forward compatibility package that is in use.
    pub compat: Option<ToolkitVersion>,
    /// Which kernel modules are loaded.
    pub modules: Option<ModuleFlavour>,
    /// Its GPUs. With none, the driver alone decides.
    pub gpus: Vec<Gpu>,
    /// Variables that change what the driver does.
    pub variables: Variables,
    /// What is wrong with it, if it was probed.
    pub faults: Vec<MachineFault>,
    /// What its driver's own files said, if they were asked.
    pub oracle: Option<OracleAnswer>,
}

/// What a driver can do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ability {
    /// The CUDA version that it supports.
    pub cuda: Bound<ToolkitVersion>,
    /// The newest PTX that its just-in-time compiler accepts.
    pub ptx: Bound<PtxIsa>,
}

impl Ability {
    /// That of a driver that supports a CUDA version.
    pub fn of(cuda: Bound<ToolkitVersion>) -> Self {
        Self {
            cuda,
            ptx: tables::ptx_of(cuda),
        }
    }
}

impl Machine {
    /// A machine with this driver and GPU.
    pub fn named(driver: DriverVersion, gpu: Gpu) -> Self {
        Self {
            driver: Some(driver),
            gpus: vec![gpu],
            ..Self::default()
        }
    }

    /// What a probe found.
    pub fn from_facts(facts: &MachineFacts) -> Self {
        let jetson = facts.jetson.as_ref();
        let jetpack = jetson.and_then(|jetson| {
            let written = jetson.jetpack.as_ref().and_then(|text| text.parse().ok());
            let l4t = || jetson.l4t.as_ref()?.parse().ok();
            let release = || jetpack::release_of_l4t(&l4t()?);
            written.or_else(|| release().map(|release| release.jetpack[1].clone()))
        });
        let module = facts.driver.kernel_module.as_ref();
        let library = facts.driver.libcuda.as_ref();
        let devices = facts.devices.iter();
        let mut machine = Self {
            platform: None,
            driver: facts.driver.version().cloned(),
            library: library.and_then(|library| library.version.clone()),
            cuda: facts.driver.cuda,
            jetpack,
            distribution: facts.host.distribution.clone(),
            compat: None,
            modules: module.map(|module| module.flavour),
            gpus: devices
                .map(|device| Gpu::device(device.ordinal, &device.name, device.compute_capability))
                .collect(),
            variables: Variables::default(),
            faults: facts.faults.clone(),
            oracle: None,
        };
        if facts.host.wsl {
            // The number is that of the Windows driver, whose branches and floors are others: what it answers decides.
            machine.driver = None;
            machine.library = None;
        }
        machine.platform = match facts.host.architecture.as_deref() {
            Some("x86_64") => Some(Platform::LinuxX86_64),
            Some("aarch64") if jetson.is_some() => machine.jetson_platform(),
            Some("aarch64") => Some(Platform::LinuxSbsa),
            Some("ppc64le") => Some(Platform::LinuxPpc64le),
            Some(_) | None => None,
        };
        machine
    }

    /// The platform of a Jetson's release.
    pub fn jetson_platform(&self) -> Option<Platform> {
        let version = self.jetpack.as_ref()?;
        jetpack::release(version).map(|release| release.platform)
    }

    /// Whether it is a Jetson with a JetPack.
    pub(super) fn is_jetson(&self) -> bool {
        self.jetpack.is_some()
    }

    /// What its driver can do by itself.
    pub(super) fn ability(&self) -> Ability {
        let driver = self.driver.as_ref();
        let known = self.cuda.map(Bound::exactly);
        let jetpack = || self.jetpack.as_ref().map(jetpack::cuda);
        let branch = || driver.map(|driver| tables::cuda_of(driver.branch()));
        let cuda = known.or_else(jetpack).or_else(branch);
        Ability::of(cuda.unwrap_or(Bound::UNKNOWN))
    }

    /// The driver in one phrase: `driver 535.104.05 (supports CUDA 12.2)`.
    pub fn driver_phrase(&self) -> String {
        let cuda = self.ability().cuda;
        match (&self.driver, &self.jetpack) {
            (None, None) if self.cuda.is_none() => "an unknown driver".to_owned(),
            (None, None) => format!("a driver that supports CUDA {cuda}"),
            (_, Some(jetpack)) => format!("JetPack {jetpack} (supports CUDA {cuda})"),
            (Some(driver), None) => format!("driver {driver} (supports CUDA {cuda})"),
        }
    }
}

/// A machine as an answer repeats it.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineSummary {
    /// NVIDIA's name of its platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The driver's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<DriverVersion>,
    /// The JetPack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jetpack: Option<JetPackVersion>,
    /// The CUDA version that the driver supports.
    pub cuda: Bound<ToolkitVersion>,
    /// The newest PTX that its just-in-time compiler accepts.
    pub ptx: Bound<PtxIsa>,
    /// The forward compatibility package in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compat: Option<ToolkitVersion>,
    /// The environment variables that are set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<VariableSummary>,
    /// What the driver's own files said, if they were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle: Option<OracleSummary>,
}

/// What a driver's own files said, as an answer repeats it.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OracleSummary {
    /// What `cuDriverGetVersion` answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cuda: Option<ToolkitVersion>,
    /// What the driver's compiler answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jit: Vec<JitAnswer>,
    /// What the package's libcudart answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<RuntimeAnswer>,
    /// The note of its libcuda on forward compatibility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward: Option<ForwardNote>,
    /// What could not be asked, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<String>,
}

impl From<&OracleAnswer> for OracleSummary {
    fn from(answer: &OracleAnswer) -> Self {
        Self {
            cuda: answer.cuda,
            jit: answer.jit.clone(),
            runtime: answer.runtime.clone(),
            forward: answer.forward.clone(),
            complaints: answer.complaints.clone(),
        }
    }
}

impl From<&Machine> for MachineSummary {
    fn from(machine: &Machine) -> Self {
        let ability = machine.ability();
        Self {
            platform: machine.platform,
            driver: machine.driver.clone(),
            jetpack: machine.jetpack.clone(),
            cuda: ability.cuda,
            ptx: ability.ptx,
            compat: machine.compat,
            variables: machine.variables.summary(),
            oracle: machine.oracle.as_ref().map(Into::into),
        }
    }
}
