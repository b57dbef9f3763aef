//! The functions of `cuda_runtime_api.h`, read from CUDA 11.8, 12.9, and 13.0, which agree in all of these.
//! `cudaGetDeviceProperties` is left out: its structure grew with 12.0 and again later, under one SONAME.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, In, Out, Status, Words, abi};

abi! {
    /// libcudart.
    Cudart;
    /// Devices that are visible; the first call that needs the driver.
    fn device_count = c"cudaGetDeviceCount"(count: &mut i32) -> Status;
    /// 1000 times the major version and 10 times the minor.
    fn runtime_version = c"cudaRuntimeGetVersion"(version: &mut i32) -> Status;
    /// The CUDA version that the driver supports, in the same form; 0 without a driver.
    fn driver_version = c"cudaDriverGetVersion"(version: &mut i32) -> Status;
    /// Memory of the device.
    fn malloc = c"cudaMalloc"(memory: &mut DevicePointer, bytes: usize) -> Status;
    /// Gives it back.
    fn free = c"cudaFree"(memory: DevicePointer) -> Status;
    /// Memory of the host that the device reaches.
    fn malloc_host = c"cudaMallocHost"(memory: &mut DevicePointer, bytes: usize) -> Status;
    /// Gives it back.
    fn free_host = c"cudaFreeHost"(memory: DevicePointer) -> Status;
    /// Each byte the same.
    fn memset = c"cudaMemset"(memory: DevicePointer, byte: i32, bytes: usize) -> Status;
    /// To the device; the kind is [`TO_DEVICE`].
    fn upload = c"cudaMemcpy"(to: DevicePointer, from: In<'_, u8>, bytes: usize, kind: i32) -> Status;
    /// To the host; the kind is [`TO_HOST`].
    fn download = c"cudaMemcpy"(to: Out<'_, u8>, from: DevicePointer, bytes: usize, kind: i32) -> Status;
    /// Within the device, or wherever the addresses lie; the kind is [`WITHIN_DEVICE`] or [`BY_ADDRESS`].
    fn copy = c"cudaMemcpy"(to: DevicePointer, from: DevicePointer, bytes: usize, kind: i32) -> Status;
    /// Rows of `width` bytes within the device.
    fn copy_2d = c"cudaMemcpy2D"(
        to: DevicePointer,
        to_pitch: usize,
        from: DevicePointer,
        from_pitch: usize,
        width: usize,
        height: usize,
        kind: i32,
    ) -> Status;
    /// As the others, later.
    fn copy_async = c"cudaMemcpyAsync"(
        to: DevicePointer,
        from: DevicePointer,
        bytes: usize,
        kind: i32,
        stream: Handle,
    ) -> Status;
    /// What an address is.
    fn attributes = c"cudaPointerGetAttributes"(
        attributes: &mut Attributes,
        address: DevicePointer,
    ) -> Status;
    /// A stream.
    fn create_stream = c"cudaStreamCreate"(stream: &mut Handle) -> Status;
    /// Waits for it.
    fn synchronize_stream = c"cudaStreamSynchronize"(stream: Handle) -> Status;
    /// Ends it.
    fn destroy_stream = c"cudaStreamDestroy"(stream: Handle) -> Status;
    /// An event.
    fn create_event = c"cudaEventCreate"(event: &mut Handle) -> Status;
    /// Puts it into a stream.
    fn record = c"cudaEventRecord"(event: Handle, stream: Handle) -> Status;
    /// Waits for it.
    fn synchronize_event = c"cudaEventSynchronize"(event: Handle) -> Status;
    /// Milliseconds between two.
    fn elapsed = c"cudaEventElapsedTime"(
        milliseconds: &mut f32,
        start: Handle,
        end: Handle,
    ) -> Status;
    /// Ends it.
    fn destroy_event = c"cudaEventDestroy"(event: Handle) -> Status;
    /// `cudaErrorInsufficientDriver`.
    fn error_name = c"cudaGetErrorName"(status: Status) -> Words;
    /// A sentence.
    fn error_text = c"cudaGetErrorString"(status: Status) -> Words;
}

/// `cudaMemcpyHostToDevice`.
pub(super) const TO_DEVICE: i32 = 1;

/// `cudaMemcpyDeviceToHost`.
pub(super) const TO_HOST: i32 = 2;

/// `cudaMemcpyDeviceToDevice`.
pub(super) const WITHIN_DEVICE: i32 = 3;

/// `cudaMemcpyDefault`: the addresses themselves tell.
pub(super) const BY_ADDRESS: i32 = 4;

/// `cudaPointerAttributes`, with the words that CUDA 13 has added behind.
#[repr(C)]
pub(super) struct Attributes {
    /// 0 unknown, 1 host, 2 device, 3 managed.
    pub(super) kind: i32,
    /// The device's number.
    pub(super) device: i32,
    /// As the device addresses it.
    pub(super) on_device: DevicePointer,
    /// As the host addresses it; null if it does not.
    pub(super) on_host: DevicePointer,
    reserved: [i64; 8],
}

impl Attributes {
    /// Nothing that a library would write.
    pub(super) const UNSET: Self = Self {
        kind: -1,
        device: -1,
        on_device: DevicePointer::NULL,
        on_host: DevicePointer::NULL,
        reserved: [0; 8],
    };
}
