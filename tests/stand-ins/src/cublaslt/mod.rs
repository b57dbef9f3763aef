//! A stand-in for libcublasLt, from `cublasLt.h` of cuBLAS 12.9.1.

mod descriptor;
mod matmul;

use std::ffi::c_char;

use crate::cublas::{INVALID_VALUE, NOT_INITIALIZED, SUCCESS, VERSION, name, text};
use crate::{fault, memory};

/// What a `cublasLtHandle_t` points to.
struct Context {
    /// Told by whether it is still what it was.
    mark: u32,
}

const MARK: u32 = 0x4c74;

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtCreate(handle: *mut *mut Context) -> i32 {
    if !memory::has_driver() || fault::on("cublaslt-handle-refused") {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes a place for a handle.
    unsafe { *handle = Box::into_raw(Box::new(Context { mark: MARK })) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtDestroy(handle: *mut Context) -> i32 {
    if handle.is_null() {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes what `cublasLtCreate` made, once.
    drop(unsafe { Box::from_raw(handle) });
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtGetVersion() -> usize {
    let [major, minor, patch] = VERSION.map(|part| usize::try_from(part).unwrap_or(0));
    let major = if fault::on("cublaslt-version-major") {
        major - 1
    } else {
        major
    };
    let patch = if fault::on("cublaslt-version-patch") {
        patch + 1
    } else {
        patch
    };
    major * 10000 + minor * 100 + patch
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtGetCudartVersion() -> usize {
    12080
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtGetProperty(which: i32, value: *mut i32) -> i32 {
    let part = usize::try_from(which).ok().and_then(|it| VERSION.get(it));
    let Some(part) = part else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = *part };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtGetStatusName(status: i32) -> *const c_char {
    name(status).as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn cublasLtGetStatusString(status: i32) -> *const c_char {
    text(status).as_ptr()
}
