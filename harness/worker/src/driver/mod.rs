//! The CUDA driver API, as far as it is called without cudarc.
//!
//! A status is an integer here, never an enum: newer drivers return codes that no binding knows yet. A
//! function that a driver lacks is an error of the call, not a panic: the oldest drivers lack many.

mod ffi;

use std::fmt;

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::CheckResult;

pub(crate) use ffi::{Context, DeviceHandle, Driver, Geometry, Module};

/// What a function of the driver returned: a value of `CUresult` in `cuda.h`, known or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CudaStatus(pub(crate) i32);

impl CudaStatus {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const STUB_LIBRARY: Self = Self(34);
    pub(crate) const NO_DEVICE: Self = Self(100);
    pub(crate) const SYSTEM_DRIVER_MISMATCH: Self = Self(803);
    pub(crate) const UNKNOWN: Self = Self(999);
}

/// How a call failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum CallError {
    /// The driver has no such function.
    Missing {
        /// Its name.
        function: &'static str,
    },
    /// The function returned something else than success.
    Status {
        /// Its name.
        function: &'static str,
        /// What it returned.
        status: CudaStatus,
    },
}

impl CallError {
    pub(crate) fn status(&self) -> Option<CudaStatus> {
        match self {
            Self::Missing { .. } => None,
            Self::Status { status, .. } => Some(*status),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { function } => write!(formatter, "the driver has no `{function}`"),
            Self::Status { function, status } => {
                write!(formatter, "`{function}` returned {}", status.0)
            }
        }
    }
}

/// A code with the driver's own name and sentence for it; empty where it has none.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Driver {
    /// The driver's name and sentence for a status; those of `cuda.h` where the driver has none.
    pub(crate) fn explain(&self, status: CudaStatus) -> Named {
        let known = cudacheck_model::cuda::find(status.0);
        Named {
            name: self
                .error_name(status)
                .or_else(|| known.map(|error| error.name.to_owned()))
                .unwrap_or_default(),
            text: self
                .error_text(status)
                .or_else(|| known.map(|error| error.cause.to_owned()))
                .unwrap_or_default(),
        }
    }

    /// A failed call as a fault of the machine.
    pub(crate) fn fault(&self, error: &CallError) -> MachineFault {
        match error {
            CallError::Missing { .. } => MachineFault::LibraryUnusable {
                library: self.path().to_owned(),
                reason: error.to_string(),
            },
            CallError::Status { function, status } => {
                let Named { name, text } = self.explain(*status);
                MachineFault::Cuda {
                    function: (*function).to_owned(),
                    code: status.0,
                    name,
                    text,
                }
            }
        }
    }

    /// A failed call as the result of a check.
    pub(crate) fn failure(&self, error: &CallError, log: &str) -> CheckResult {
        match error {
            CallError::Missing { .. } => CheckResult::Machine(self.fault(error)),
            CallError::Status { function, status } => {
                let Named { name, text } = self.explain(*status);
                CheckResult::Cuda {
                    function: (*function).to_owned(),
                    code: status.0,
                    name,
                    text,
                    log: log.to_owned(),
                }
            }
        }
    }
}
