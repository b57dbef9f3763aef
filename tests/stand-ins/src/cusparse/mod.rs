//! A stand-in for libcusparse, from `cusparse.h` of CUDA 12.9.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are small and positive, and results are rounded to f32"
)]

mod descriptors;
mod product;

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::{fault, memory};

const SUCCESS: i32 = 0;
const NOT_INITIALIZED: i32 = 1;
const INVALID_VALUE: i32 = 3;
const EXECUTION_FAILED: i32 = 6;
const NOT_SUPPORTED: i32 = 10;

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseGetProperty(property: u32, value: *mut i32) -> i32 {
    let major = if fault::on("cusparse-version") {
        11
    } else {
        12
    };
    let Some(number) = [major, 5, 10].get(property as usize).copied() else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = number };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseGetVersion(handle: *mut c_void, version: *mut i32) -> i32 {
    if handle.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { *version = 12510 };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseGetErrorName(status: i32) -> *const c_char {
    match status {
        NOT_INITIALIZED => c"CUSPARSE_STATUS_NOT_INITIALIZED",
        EXECUTION_FAILED => c"CUSPARSE_STATUS_EXECUTION_FAILED",
        _ => c"unrecognized error code",
    }
    .as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseGetErrorString(status: i32) -> *const c_char {
    match status {
        NOT_INITIALIZED => c"initialization error",
        EXECUTION_FAILED => c"kernel launch failure",
        _ => c"unrecognized error code",
    }
    .as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseCreate(handle: *mut *mut c_void) -> i32 {
    if !memory::has_driver() || fault::on("cusparse-not-initialized") {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes a place for a handle.
    unsafe { *handle = ptr::without_provenance_mut(0x5003) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseDestroy(handle: *mut c_void) -> i32 {
    if handle.is_null() {
        NOT_INITIALIZED
    } else {
        SUCCESS
    }
}
