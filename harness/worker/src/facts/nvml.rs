//! Asks the management library for what the driver API does not tell.

use std::path::Path;

use cudacheck_model::facts::ComputeMode;
use cudacheck_model::version::{DriverVersion, ToolkitVersion};
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{ComputeMode as Mode, EccCounter, MemoryError};
use nvml_wrapper::error::NvmlError;

/// What the library said, as far as it said anything.
#[derive(Debug)]
pub(super) enum Answer {
    /// There is no library, or none that was asked.
    Absent,
    /// It cannot be loaded, or is not what its name says.
    Unusable(String),
    /// `nvmlInit_v2` failed with this number and sentence.
    Refused(u32, String),
    /// It works.
    Answered(Answers),
}

/// What a working library answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) driver: Option<DriverVersion>,
    pub(super) cuda: Option<ToolkitVersion>,
    pub(super) devices: Vec<Managed>,
    /// Present if the library says of a device that it was lost: its sentence.
    pub(super) lost: Option<String>,
}

/// A device as the library sees it. A Jetson's answers hardly anything.
#[derive(Debug)]
pub(super) struct Managed {
    pub(super) uuid: Option<String>,
    pub(super) ecc: Option<bool>,
    pub(super) ecc_uncorrected: Option<u64>,
    pub(super) mig: Option<bool>,
    pub(super) compute_mode: Option<ComputeMode>,
}

/// `NVML_ERROR_NOT_SUPPORTED` of `nvml.h`.
pub(super) const NOT_SUPPORTED: u32 = 3;
/// `NVML_ERROR_DRIVER_NOT_LOADED` of `nvml.h`.
pub(super) const DRIVER_NOT_LOADED: u32 = 9;
/// `NVML_ERROR_GPU_IS_LOST` of `nvml.h`.
pub(super) const GPU_IS_LOST: u32 = 15;
/// `NVML_ERROR_LIB_RM_VERSION_MISMATCH` of `nvml.h`.
pub(super) const VERSION_MISMATCH: u32 = 18;

/// Opens a library and asks it.
pub(super) fn ask(library: &Path) -> Answer {
    match Nvml::builder().lib_path(library.as_os_str()).init() {
        Ok(nvml) => Answer::Answered(answers(&nvml)),
        Err(NvmlError::LibloadingError(error)) => Answer::Unusable(
            std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), ToString::to_string),
        ),
        Err(NvmlError::FailedToLoadSymbol(text)) => Answer::Unusable(text),
        Err(error) => {
            let text = error.to_string();
            Answer::Refused(error.into(), text)
        }
    }
}

fn answers(nvml: &Nvml) -> Answers {
    let cuda = nvml.sys_cuda_driver_version().ok();
    let cuda = cuda.and_then(|number| u32::try_from(number).ok());
    let count = nvml.device_count().unwrap_or(0);
    let (devices, refusals): (Vec<_>, Vec<_>) = (0..count)
        .map(|index| nvml.device_by_index(index))
        .partition(Result::is_ok);
    // Other refusals are ordinary: a device of another user, or one that the library does not know.
    let lost = refusals.into_iter().filter_map(Result::err);
    let lost = lost
        .filter(|error| matches!(error, NvmlError::GpuLost))
        .map(|error| error.to_string());
    Answers {
        lost: lost.last(),
        driver: nvml
            .sys_driver_version()
            .ok()
            .and_then(|text| text.parse().ok()),
        cuda: cuda
            .filter(|number| *number > 0)
            .map(ToolkitVersion::from_api),
        devices: devices
            .into_iter()
            .flatten()
            .map(|device| Managed {
                ecc_uncorrected: device
                    .total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)
                    .ok(),
                uuid: device.uuid().ok(),
                ecc: device
                    .is_ecc_enabled()
                    .ok()
                    .map(|state| state.currently_enabled),
                mig: device.mig_mode().ok().map(|mode| mode.current == 1),
                compute_mode: device.compute_mode().ok().map(|mode| match mode {
                    // The second is an old name; drivers no longer set it.
                    Mode::Default => ComputeMode::Default,
                    Mode::ExclusiveThread | Mode::ExclusiveProcess => ComputeMode::ExclusiveProcess,
                    Mode::Prohibited => ComputeMode::Prohibited,
                }),
            })
            .collect(),
    }
}
