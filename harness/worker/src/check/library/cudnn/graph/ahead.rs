//! Plans for a device that is not here, which shows without one whether cuDNN finds the compiler of its kernels.
//!
//! Since 9.8 a plan can be made from a device's description in place of a handle. Which words such a description has is
//! not documented; these are what 9.10.2 and 9.28.0 take. A release that takes others is not judged by it. The library
//! looks for libcuda even so, and refuses every engine without it.

use cudacheck_model::journal::CheckResult;
use cudacheck_model::outcome::SkipReason;

use super::super::super::{Opened, Verdict};
use super::super::ffi::{Attribute, Kind};
use super::super::parts;
use super::super::session::Session;
use super::descriptor::Descriptor;
use super::engine::{self, Planned};
use crate::library::Status;

/// An H100 as the library would describe it. 900 is its capability, 12080 the CUDA version of its driver.
const DEVICE: &str = r#"{
    "deviceName": "NVIDIA H100", "cudaDeviceId": 0, "pciDeviceId": 590352606, "deviceVer": 900, "driverVer": 12080,
    "isTccDriver": 0, "supportCoopLaunch": 1, "multiProcessorCount": 132, "warpSize": 32,
    "maxThreadsPerSM": 2048, "maxThreadsPerBlock": 1024, "maxCtasPerSM": 32,
    "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
    "regsPerBlock": 65536, "maxRegistersPerSM": 65536,
    "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024,
    "totalGlobalMem": 85000000000, "l2CacheSize": 52428800, "memoryBusWidth": 5120,
    "smClockRateKHz": 1980000, "memClockRateKHz": 2619000
}"#;

/// The first release that takes [`DEVICE`].
const SINCE: usize = 91_000;

/// Makes a plan for a graph that no engine computes without compiling a kernel.
pub(in super::super) fn planned(opened: &Opened<'_>) -> Verdict {
    let mut session = Session::elsewhere(opened);
    let version = opened.value(session.api.version())?;
    if version < SINCE {
        return Err(opened.not_supported("plans for a device that is not here, before cuDNN 9.10"));
    }
    if !parts::has_driver(opened.subject) {
        let because = "cuDNN makes no plan without libcuda.so.1".to_owned();
        return Err(Box::new(CheckResult::Skip {
            reason: SkipReason::NoDevice { because },
        }));
    }
    let device = Descriptor::new(&session, Kind::DEVICE_PROPERTIES)?
        .text(Attribute::DEVICE_DESCRIPTION, DEVICE)?;
    match device.status_of_finishing()? {
        Status(0) => {}
        status if engine::is_missing_library(status) => {
            return Err(opened.refused("cudnnBackendFinalize", status));
        }
        _ => {
            let what = "the description of a device, of which this release takes another";
            return Err(opened.not_supported(what));
        }
    }
    session.device = Some(device.handle);
    let (graph, engines) = super::fusion(&session)?;
    let compiled = engines
        .iter()
        .filter(|engine| engine.is_compiled_at_run_time());
    let mut refused = None;
    for engine in compiled {
        match engine::plan(&session, engine)? {
            Planned::Ready(_) => {
                opened.note("engine-planned", engine.index.to_string());
                return Ok(());
            }
            Planned::NotSupported(status) => refused = Some(status),
        }
    }
    engine::why_not_offered(&session, graph)?;
    Err(match refused {
        Some(status) => opened.refused("cudnnBackendFinalize", status),
        None => opened.not_supported("any engine that is compiled at run time, for an H100"),
    })
}
