//! Judges one package on one GPU of one machine: every rule that applies is one step, and the worst step decides.
//!
//! Pure, like everything here. What nobody knows is `unknown` or a bound, never a guess.

pub(super) mod code;
pub(super) mod driver;
pub(super) mod forward;
mod library;
mod oracle;

pub(super) use oracle::question as jit_question;

use super::answer::{Domain, ErrorCode, Prospect, Rule, Step};
use super::gpu::Gpu;
use super::machine::Machine;
use super::package::Package;
use super::system;
use super::tables::Confidence;
use crate::cuda;
use crate::fault::MachineFault;
use crate::suite::Platform;

/// All steps for one GPU, in the order in which a program would meet them; without one, those of the driver alone.
///
/// Empty only if nothing is known of the package at all.
pub(super) fn steps(package: &Package, machine: &Machine, gpu: Option<&Gpu>) -> Vec<Step> {
    let mut steps = Vec::new();
    let hidden = visibility(machine, gpu);
    // Devices that a variable hides are no fault of the machine.
    let faults = machine.faults.iter();
    let faults = faults.filter(|fault| hidden.is_none() || **fault != MachineFault::NoDevice);
    steps.extend(faults.filter_map(fault));
    steps.extend(hidden);
    steps.extend(oracle::version(machine));
    steps.extend(platform(package, machine));
    steps.extend(system_libraries(package, machine));
    steps.extend(mismatch(machine));
    let (loaded, step) = forward::loaded(machine, gpu);
    steps.extend(step);
    steps.extend(gpu.and_then(|gpu| driver::knows_gpu(machine, loaded, gpu)));
    let by_tables = driver::takes_toolkit(package, machine, gpu, loaded);
    steps.extend(oracle::runtime(machine, loaded, by_tables));
    steps.extend(library::floors(package, machine, gpu));
    let code = match gpu {
        Some(gpu) => code::fits(package, machine, gpu, loaded),
        None => code::without_gpu(package),
    };
    if let Some(gpu) = gpu
        && code.as_ref().map(|step| step.rule) != Some(Rule::OracleJit)
    {
        steps.extend(oracle::remark(package, machine, gpu, loaded));
    }
    steps.extend(code);
    steps
}

/// The step that decides: the worst, and of those equally bad the first.
///
/// Of those that run, the most restricted one, but what is said of machine code is the reason where nothing restricts.
pub(super) fn deciding(steps: &[Step]) -> Option<&Step> {
    let worst = steps.iter().map(|step| step.prospect).max()?;
    let mut those = steps.iter().filter(|step| step.prospect == worst);
    if worst == Prospect::Runs {
        those.next_back()
    } else {
        those.next()
    }
}

/// What a fault of the machine means for every program that needs a GPU. Nothing, if it concerns only its management.
fn fault(fault: &MachineFault) -> Option<Step> {
    let fails = |domain: Domain, code: u32| {
        let step = Step::new(Rule::MachineFault, Prospect::Fails, fault.to_string());
        Some(step.error(domain, code))
    };
    match fault {
        // Tried: the runtime gives 35 when there is no libcuda.so.1.
        MachineFault::DriverNotFound { .. } | MachineFault::LibraryUnusable { .. } => {
            fails(Domain::Cudart, 35)
        }
        MachineFault::StubLibrary { .. } => fails(Domain::Cuda, 34),
        MachineFault::DriverMismatch { .. } => fails(Domain::Cuda, 803),
        MachineFault::ModuleNotLoaded
        | MachineFault::NoDevice
        | MachineFault::DeviceLost { .. } => fails(Domain::Cuda, 100),
        MachineFault::Cuda { code, .. } => {
            let code = u32::try_from(*code)
                .ok()
                .filter(|_| cuda::name(*code).is_some());
            code.map_or_else(
                || fails(Domain::Cuda, 999),
                |code| fails(Domain::Cuda, code),
            )
        }
        MachineFault::ProbeTimedOut { .. }
        | MachineFault::ProbeDied { .. }
        | MachineFault::DeviceUnfit { .. }
        | MachineFault::Unkillable { .. }
        | MachineFault::Harness { .. } => Some(Step::new(
            Rule::MachineFault,
            Prospect::Unknown,
            fault.to_string(),
        )),
        MachineFault::Nvml { .. } => None,
    }
}

/// The CUDA driver libraries that a process loads must be of the kernel module's version.
fn mismatch(machine: &Machine) -> Option<Step> {
    let (module, library) = (machine.driver.as_ref()?, machine.library.as_ref()?);
    if module == library || machine.compat.is_some() || machine.is_jetson() {
        return None;
    }
    let text =
        format!("the kernel module is of driver {module}, but its libraries are of {library}");
    let step = Step::new(Rule::DriverMismatch, Prospect::Fails, text).error(Domain::Cuda, 803);
    Some(step.or_error(Domain::Nvml, 18))
}

fn visibility(machine: &Machine, gpu: Option<&Gpu>) -> Option<Step> {
    let list = machine.variables.visible_devices.as_deref()?;
    let hidden = |text: String| {
        let step = Step::new(Rule::NoVisibleDevice, Prospect::Fails, text);
        Some(step.error(Domain::Cuda, 100))
    };
    let entries = list.split(',').map(str::trim);
    if list.trim().is_empty() {
        return hidden("CUDA_VISIBLE_DEVICES is empty, which hides every device".to_owned());
    }
    // The driver stops at the first entry that names no device.
    let numbers: Vec<Option<u32>> = entries.map(|entry| entry.parse().ok()).collect();
    let first_invalid = numbers
        .iter()
        .position(Option::is_none)
        .unwrap_or(numbers.len());
    let by_name = list.contains("GPU-") || list.contains("MIG-");
    match gpu.and_then(|gpu| gpu.ordinal) {
        _ if by_name => None,
        _ if first_invalid == 0 => hidden(format!(
            "CUDA_VISIBLE_DEVICES is `{list}`, which hides every device"
        )),
        Some(ordinal) if !numbers[..first_invalid].contains(&Some(ordinal)) => hidden(format!(
            "CUDA_VISIBLE_DEVICES is `{list}`, which hides device {ordinal}"
        )),
        Some(_) | None => None,
    }
}

fn platform(package: &Package, machine: &Machine) -> Option<Step> {
    let here = machine.platform.or_else(|| machine.jetson_platform())?;
    if package.platforms.is_empty() || package.platforms.contains(&here) {
        return None;
    }
    let built: Vec<&str> = package
        .platforms
        .iter()
        .map(|each| platform_name(*each))
        .collect();
    let built = built.join(" and ");
    let only = |platform| package.platforms.contains(&platform);
    let step = match here {
        Platform::LinuxAarch64 if only(Platform::LinuxSbsa) => Step::new(
            Rule::SbsaOnJetson,
            Prospect::NotSupported,
            format!(
                "the package is built for {built}: its libraries have no code for this Jetson, whose platform is linux-aarch64"
            ),
        ),
        Platform::LinuxSbsa if only(Platform::LinuxAarch64) => Step::new(
            Rule::JetsonBuildOnSbsa,
            Prospect::NotSupported,
            format!(
                "the package is built for {built}, the Jetsons up to JetPack 6; this machine is linux-sbsa"
            ),
        ),
        Platform::LinuxX86_64
        | Platform::LinuxSbsa
        | Platform::LinuxAarch64
        | Platform::LinuxPpc64le => Step::new(
            Rule::OtherPlatform,
            Prospect::Fails,
            format!(
                "the package is built for {built}; this machine is {}",
                platform_name(here)
            ),
        ),
    };
    Some(step)
}

/// A file that needs newer symbols than the system's libraries have does not load.
fn system_libraries(package: &Package, machine: &Machine) -> Option<Step> {
    if package.symbols.is_empty() {
        return None;
    }
    let system = system::of(machine)?;
    let mut needed = package.symbols.iter();
    let (version, newest) = needed.find_map(|version| {
        let newest = system::newest(system, version.family)?;
        (newest < *version).then_some((version, newest))
    })?;
    let name = system.named.first().map_or("the system", String::as_str);
    let text = format!(
        "files of the package need {version}, and the libraries of {name} define versions up to {newest}: the loader \
         refuses them"
    );
    let step = Step::new(Rule::SystemLibraries, Prospect::Fails, text);
    Some(step.sure(system.confidence))
}

/// NVIDIA's name of a platform.
pub fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxX86_64 => "linux-x86_64",
        Platform::LinuxSbsa => "linux-sbsa",
        Platform::LinuxAarch64 => "linux-aarch64",
        Platform::LinuxPpc64le => "linux-ppc64le",
    }
}

impl Step {
    fn new(rule: Rule, prospect: Prospect, text: String) -> Self {
        Self {
            rule,
            prospect,
            text,
            error: None,
            other_errors: Vec::new(),
            confidence: Confidence::High,
            doubt: None,
        }
    }

    fn error(self, domain: Domain, code: u32) -> Self {
        Self {
            error: Some(ErrorCode::new(domain, code)),
            ..self
        }
    }

    fn or_error(mut self, domain: Domain, code: u32) -> Self {
        self.other_errors.push(ErrorCode::new(domain, code));
        self
    }

    fn sure(self, confidence: Confidence) -> Self {
        Self {
            confidence: self.confidence.min(confidence),
            ..self
        }
    }

    fn doubted(self, confidence: Confidence, why: impl Into<String>) -> Self {
        Self {
            doubt: Some(why.into()),
            ..self.sure(confidence)
        }
    }
}

impl ErrorCode {
    /// A code of one of the tables.
    pub(super) fn new(domain: Domain, code: u32) -> Self {
        let name = match (domain, code) {
            (Domain::Cuda, _) => i32::try_from(code).ok().and_then(cuda::name),
            (Domain::Cudart, 35) => Some("cudaErrorInsufficientDriver"),
            (Domain::Cudart, 3) => Some("cudaErrorInitializationError"),
            (Domain::Nvml, 18) => Some("NVML_ERROR_LIB_RM_VERSION_MISMATCH"),
            (Domain::Cudnn, 6) => Some("CUDNN_STATUS_ARCH_MISMATCH"),
            (Domain::Cudnn, 3005) => Some("CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER"),
            (Domain::Cudnn, 3007) => Some("CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH"),
            (Domain::Cudart | Domain::Nvml | Domain::Cublas | Domain::Cudnn | Domain::Xid, _) => {
                None
            }
        };
        Self {
            domain,
            code,
            name: name.expect("rules name errors that are listed here"),
        }
    }
}
