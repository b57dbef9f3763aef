//! Bindings of the functions that decide what is known of a machine, and of a check's hot calls.
//!
//! Types and numbers are those of `cuda.h`; each function is described in NVIDIA's driver API reference,
//! <https://docs.nvidia.com/cuda/cuda-driver-api/>. The library stays open for the life of the process,
//! which is what every SAFETY comment below means by an open library.
#![expect(
    unsafe_code,
    reason = "every call into the driver is a call of a foreign function"
)]

mod describe;
mod execute;

use std::ffi::c_int;
use std::path::{Path, PathBuf};

use super::{CallError, CudaStatus};
use crate::library::SharedLibrary;

pub(crate) use execute::{Context, Geometry, Module};

/// An open driver library.
pub(crate) struct Driver {
    library: SharedLibrary,
    path: PathBuf,
}

/// A `CUdevice`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DeviceHandle(pub(crate) c_int);

/// Looks a function up and calls it. The last argument is the part of the SAFETY comment that differs: why
/// these arguments are what the function asks for.
macro_rules! call {
    ($driver:expr, $name:literal, fn($($type:ty),* $(,)?), ($($argument:expr),* $(,)?), $why:literal) => {{
        const NAME: &CStr = match CStr::from_bytes_with_nul(concat!($name, "\0").as_bytes()) {
            Ok(name) => name,
            Err(_) => panic!("a function's name has no NUL in it"),
        };
        // SAFETY: the type is the function's declaration in `cuda.h`.
        let function = unsafe {
            $driver
                .library
                .function::<unsafe extern "C" fn($($type),*) -> c_int>(NAME)
        };
        match function {
            None => Err(CallError::Missing { function: $name }),
            Some(function) => {
                const _WHY: &str = $why;
                // SAFETY: the library is open and the type is that of `cuda.h`; of the arguments, `_WHY` says it.
                let status = unsafe { function($($argument),*) };
                checked($name, status)
            }
        }
    }};
}

use call;

fn checked(function: &'static str, status: c_int) -> Result<(), CallError> {
    match CudaStatus(status) {
        CudaStatus::SUCCESS => Ok(()),
        status => Err(CallError::Status { function, status }),
    }
}

impl Driver {
    /// Opens a driver library.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        Ok(Self {
            library: SharedLibrary::open(path)?,
            path: path.to_owned(),
        })
    }

    /// The file that was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn until_nul(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
