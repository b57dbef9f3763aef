//! What a driver tells of itself and of its devices, without a context.

use std::ffi::{CStr, c_char, c_int, c_uint};
use std::ptr;

use super::{CallError, CudaStatus, DeviceHandle, Driver, call, checked, until_nul};

impl Driver {
    /// `cuDriverGetVersion`, which answers before `cuInit` and without a device.
    pub(crate) fn version(&self) -> Result<c_int, CallError> {
        let mut version = 0;
        call!(
            self,
            "cuDriverGetVersion",
            fn(*mut c_int),
            (&raw mut version),
            "the pointer is to a live integer"
        )?;
        Ok(version)
    }

    /// `cuInit`.
    pub(crate) fn initialize(&self) -> Result<(), CallError> {
        call!(self, "cuInit", fn(c_uint), (0), "the only flags are 0")
    }

    /// `cuDeviceGetCount`.
    pub(crate) fn device_count(&self) -> Result<c_int, CallError> {
        let mut count = 0;
        call!(
            self,
            "cuDeviceGetCount",
            fn(*mut c_int),
            (&raw mut count),
            "the pointer is to a live integer"
        )?;
        Ok(count)
    }

    /// `cuDeviceGet`.
    pub(crate) fn device(&self, ordinal: c_int) -> Result<DeviceHandle, CallError> {
        let mut device = 0;
        call!(
            self,
            "cuDeviceGet",
            fn(*mut c_int, c_int),
            (&raw mut device, ordinal),
            "the pointer is to a live integer"
        )?;
        Ok(DeviceHandle(device))
    }

    /// `cuDeviceGetName`.
    pub(crate) fn device_name(&self, device: DeviceHandle) -> Result<String, CallError> {
        let mut bytes = [0u8; 256];
        call!(
            self,
            "cuDeviceGetName",
            fn(*mut c_char, c_int, c_int),
            (bytes.as_mut_ptr().cast(), 255, device.0),
            "the buffer has 255 bytes, and one more that stays 0"
        )?;
        Ok(until_nul(&bytes))
    }

    /// `cuDeviceGetAttribute`. An attribute that the driver does not know is an error.
    pub(crate) fn attribute(
        &self,
        device: DeviceHandle,
        number: c_int,
    ) -> Result<c_int, CallError> {
        let mut value = 0;
        call!(
            self,
            "cuDeviceGetAttribute",
            fn(*mut c_int, c_int, c_int),
            (&raw mut value, number, device.0),
            "the pointer is to a live integer, and a driver refuses a number that it does not know"
        )?;
        Ok(value)
    }

    /// `cuDeviceTotalMem_v2`, in bytes.
    pub(crate) fn total_memory(&self, device: DeviceHandle) -> Result<u64, CallError> {
        let mut bytes = 0usize;
        call!(
            self,
            "cuDeviceTotalMem_v2",
            fn(*mut usize, c_int),
            (&raw mut bytes, device.0),
            "the pointer is to a live size"
        )?;
        Ok(bytes as u64)
    }

    /// `cuDeviceGetUuid_v2`, or `cuDeviceGetUuid` where the driver has only that.
    pub(crate) fn uuid(&self, device: DeviceHandle) -> Result<[u8; 16], CallError> {
        let mut uuid = [0u8; 16];
        let newer = call!(
            self,
            "cuDeviceGetUuid_v2",
            fn(*mut [u8; 16], c_int),
            (&raw mut uuid, device.0),
            "a `CUuuid` is 16 bytes"
        );
        if matches!(newer, Err(CallError::Missing { .. })) {
            call!(
                self,
                "cuDeviceGetUuid",
                fn(*mut [u8; 16], c_int),
                (&raw mut uuid, device.0),
                "a `CUuuid` is 16 bytes"
            )?;
        } else {
            newer?;
        }
        Ok(uuid)
    }

    /// `cuDeviceGetPCIBusId`: `0000:65:00.0`.
    pub(crate) fn pci_bus_id(&self, device: DeviceHandle) -> Result<String, CallError> {
        let mut bytes = [0u8; 32];
        call!(
            self,
            "cuDeviceGetPCIBusId",
            fn(*mut c_char, c_int, c_int),
            (bytes.as_mut_ptr().cast(), 31, device.0),
            "the buffer has 31 bytes, and one more that stays 0"
        )?;
        Ok(until_nul(&bytes))
    }

    /// `cuGetErrorName`.
    pub(crate) fn error_name(&self, status: CudaStatus) -> Option<String> {
        let mut name: *const c_char = ptr::null();
        call!(
            self,
            "cuGetErrorName",
            fn(c_int, *mut *const c_char),
            (status.0, &raw mut name),
            "the pointer is to a live pointer"
        )
        .ok()?;
        text(name)
    }

    /// `cuGetErrorString`.
    pub(crate) fn error_text(&self, status: CudaStatus) -> Option<String> {
        let mut sentence: *const c_char = ptr::null();
        call!(
            self,
            "cuGetErrorString",
            fn(c_int, *mut *const c_char),
            (status.0, &raw mut sentence),
            "the pointer is to a live pointer"
        )
        .ok()?;
        text(sentence)
    }
}

/// A driver's constant text.
fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the driver gave the pointer for a status it knows: to a constant, NUL-terminated text that
    // lives as long as the library, which is never closed.
    let text = unsafe { CStr::from_ptr(pointer) };
    Some(text.to_string_lossy().into_owned())
}
