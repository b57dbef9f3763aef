//! Bindings of three functions of libcudart that need no device: those of `cuda_runtime_api.h` that ask for versions
//! and count devices. A status is an integer here, never an enum.
#![expect(
    unsafe_code,
    reason = "every call into libcudart is a call of a foreign function"
)]

use std::ffi::{CStr, c_int};
use std::path::Path;

use cudacheck_model::oracle::RuntimeStatus;

use crate::library::SharedLibrary;

/// All three are `cudaError_t f(int *)`.
type Ask = unsafe extern "C" fn(*mut c_int) -> c_int;

/// An open libcudart with its functions. It is never closed.
pub(super) struct Runtime {
    runtime_version: Ask,
    driver_version: Ask,
    device_count: Ask,
}

impl Runtime {
    /// Opens a libcudart.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words, or which function the library lacks.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let library = SharedLibrary::open(path)?;
        let missing = |name: &CStr| format!("it has no `{}`", name.to_string_lossy());
        // SAFETY: the type is the function's declaration in `cuda_runtime_api.h`.
        let runtime_version = unsafe { library.function::<Ask>(c"cudaRuntimeGetVersion") };
        // SAFETY: as above.
        let driver_version = unsafe { library.function::<Ask>(c"cudaDriverGetVersion") };
        // SAFETY: as above.
        let device_count = unsafe { library.function::<Ask>(c"cudaGetDeviceCount") };
        Ok(Self {
            runtime_version: runtime_version.ok_or_else(|| missing(c"cudaRuntimeGetVersion"))?,
            driver_version: driver_version.ok_or_else(|| missing(c"cudaDriverGetVersion"))?,
            device_count: device_count.ok_or_else(|| missing(c"cudaGetDeviceCount"))?,
        })
    }

    /// `cudaRuntimeGetVersion`.
    pub(super) fn runtime_version(&self) -> Result<i32, RuntimeStatus> {
        ask(self.runtime_version)
    }

    /// `cudaDriverGetVersion`, which answers 0 where there is no driver.
    pub(super) fn driver_version(&self) -> Result<i32, RuntimeStatus> {
        ask(self.driver_version)
    }

    /// `cudaGetDeviceCount`.
    pub(super) fn device_count(&self) -> Result<i32, RuntimeStatus> {
        ask(self.device_count)
    }
}

fn ask(function: Ask) -> Result<i32, RuntimeStatus> {
    let mut value = 0;
    // SAFETY: the library is open, and the pointer is to a live integer.
    let status = RuntimeStatus(unsafe { function(&raw mut value) });
    if status == RuntimeStatus::SUCCESS {
        Ok(value)
    } else {
        Err(status)
    }
}
