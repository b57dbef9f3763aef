//! The functions of `cuda_runtime_api.h`, the same from CUDA 11 to 13.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{Status, Words, abi};

abi! {
    /// libcudart.
    Cudart;
    /// Devices that are visible; the first call that needs the driver.
    fn device_count = c"cudaGetDeviceCount"(count: &mut i32) -> Status;
    /// 1000 times the major version and 10 times the minor.
    fn runtime_version = c"cudaRuntimeGetVersion"(version: &mut i32) -> Status;
    /// `cudaErrorInsufficientDriver`.
    fn error_name = c"cudaGetErrorName"(status: Status) -> Words;
    /// A sentence.
    fn error_text = c"cudaGetErrorString"(status: Status) -> Words;
}
