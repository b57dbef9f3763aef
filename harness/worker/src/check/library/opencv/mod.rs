//! OpenCV's core: whether it was built with CUDA, for which architectures, and whether this device is one of them.
//!
//! What OpenCV computes is tested by its own tests; here it is asked what it knows of itself, which needs no C++.

mod built;
mod ffi;

use cudacheck_model::journal::CheckResult;
use cudacheck_model::version::ComputeCapability;

use super::{Bench, Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status};
use built::{Architectures, BuildInformation};
use ffi::Core;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[("built-architectures", built_architectures)],
    device: &[("device-architecture", device_architecture)],
    explain,
};

/// `cv::Error::GpuNotSupported`: built without CUDA.
const GPU_NOT_SUPPORTED: Status = Status(-216);
/// `cv::Error::GpuApiCallError`: a call of CUDA failed.
const GPU_API_CALL_ERROR: Status = Status(-217);
/// `CUDA_ERROR_NO_BINARY_FOR_GPU`, with which every kernel of this OpenCV would fail.
const NO_BINARY: i32 = 209;

/// Counting devices is the one thing that neither throws without a driver nor without CUDA.
fn cold(opened: &Opened<'_>) -> Verdict {
    let devices = opened.value(Core::new(&opened.library).devices())?;
    opened.note("device-count", devices.to_string());
    Ok(())
}

/// The SONAME is `libopencv_core.so.4.5d`, `.so.405`, or `.so.414` for 4.5 and 4.14.
fn versions(opened: &Opened<'_>) -> Verdict {
    let core = Core::new(&opened.library);
    let (major, minor) = (opened.value(core.major())?, opened.value(core.minor())?);
    let revision = opened.value(core.revision())?;
    let version = format!("{major}.{minor}.{revision}");
    opened.note("version", version.as_str());
    let information = BuildInformation::of(&core);
    if let Some(cuda) = information.cuda() {
        opened.note("cuda-version", cuda);
    }
    let soname = &opened.subject.soname;
    let Some((_, number)) = soname.split_once(".so.") else {
        return Ok(());
    };
    let fits = number == format!("{major}{minor:02}")
        || number == format!("{major}.{minor}")
        || number.starts_with(&format!("{major}.{minor}."));
    if fits {
        return Ok(());
    }
    Err(opened.skew(
        format!("{soname} is of the version that its name says"),
        format!("cv::getVersionMajor, Minor, and Revision say {version}"),
    ))
}

/// Says for which architectures it was built, which its build information tells as well.
fn built_architectures(opened: &Opened<'_>) -> Verdict {
    let core = Core::new(&opened.library);
    let found = architectures(opened, &core)?;
    if found.is_empty() {
        return Err(opened.refused("cv::cuda::TargetArchs", GPU_API_CALL_ERROR));
    }
    match BuildInformation::of(&core).architectures() {
        Some(told) if told != found => Err(opened.skew(
            format!(
                "cv::getBuildInformation tells of {}, and so does cv::cuda::TargetArchs",
                told.text()
            ),
            format!("cv::cuda::TargetArchs has {}", found.text()),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The device must be counted, and code for it must be there.
fn device_architecture(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let core = Core::new(&opened.library);
    let found = architectures(opened, &core)?;
    bench.computes();
    let devices = opened.value(core.devices())?;
    if devices < 1 {
        let mut stop = opened.refused("cv::cuda::getCudaEnabledDeviceCount", GPU_API_CALL_ERROR);
        if let CheckResult::Library { text, .. } = &mut *stop {
            *text = if devices < 0 {
                "the driver is older than the CUDA runtime of this OpenCV asks for".to_owned()
            } else {
                "it counts no device, where the driver has one".to_owned()
            };
        }
        return Err(stop);
    }
    let here = bench.capability();
    bench.compares();
    if !found.reaches(here) {
        return Err(Box::new(CheckResult::Cuda {
            function: "a kernel of OpenCV".to_owned(),
            code: NO_BINARY,
            name: "CUDA_ERROR_NO_BINARY_FOR_GPU".to_owned(),
            text: format!(
                "cv::cuda::TargetArchs has no code for {}: it has {}",
                here.sm(),
                found.text()
            ),
            log: String::new(),
        }));
    }
    // Its own opinion: OpenCV refuses a device that it thinks it cannot use, whatever would run.
    let thinks = opened.value_if_there(core.is_compatible((&[0]).into()))?;
    if thinks.is_set() {
        return Ok(());
    }
    let mut stop = opened.refused("cv::cuda::DeviceInfo::isCompatible", GPU_API_CALL_ERROR);
    if let CheckResult::Library { text, .. } = &mut *stop {
        *text = format!(
            "it says that it cannot use {}, though it has {}",
            here.sm(),
            found.text()
        );
    }
    Err(stop)
}

/// What it was built for. Stops if it was built without CUDA, where asking would end the process.
fn architectures(opened: &Opened<'_>, core: &Core<'_>) -> Result<Architectures, Stop> {
    let information = BuildInformation::of(core);
    if information.is_without_cuda() {
        return Err(opened.refused("cv::cuda::TargetArchs", GPU_NOT_SUPPORTED));
    }
    if let Some(cuda) = information.cuda() {
        opened.note("cuda-version", cuda);
    }
    let ask = |capability: ComputeCapability| {
        let number = |value: u32| i32::try_from(value).unwrap_or(0);
        let (major, minor) = (number(capability.major), number(capability.minor));
        Ok::<_, Stop>((
            opened.value(core.has_machine_code(major, minor))?.is_set(),
            opened.value(core.has_ptx(major, minor))?.is_set(),
        ))
    };
    let found = Architectures::ask(ask)?;
    opened.note("machine-code", Architectures::list(&found.machine_code));
    opened.note("ptx", Architectures::list(&found.ptx));
    Ok(found)
}

/// OpenCV has no function for it; these are the names and meanings in `opencv2/core/base.hpp`.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let (name, text) = match status {
        GPU_NOT_SUPPORTED => (
            "cv::Error::GpuNotSupported",
            "it was built without CUDA, and would throw",
        ),
        GPU_API_CALL_ERROR => (
            "cv::Error::GpuApiCallError",
            "it names no architecture that it was built for",
        ),
        _ => ("", ""),
    };
    Named {
        name: name.to_owned(),
        text: text.to_owned(),
        log: String::new(),
    }
}
