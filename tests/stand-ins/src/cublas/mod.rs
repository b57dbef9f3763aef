//! A stand-in for libcublas, from `cublas_api.h` of cuBLAS 12.9.1.

mod level;
mod matrix;
pub(crate) mod number;
pub(crate) mod product;
mod solve;

use std::env;
use std::ffi::{CStr, c_char};
use std::sync::Mutex;

use crate::{fault, memory};
pub(crate) use matrix::factor;

pub(crate) const SUCCESS: i32 = 0;
pub(crate) const NOT_INITIALIZED: i32 = 1;
pub(crate) const INVALID_VALUE: i32 = 7;
pub(crate) const EXECUTION_FAILED: i32 = 13;
pub(crate) const NOT_SUPPORTED: i32 = 15;

/// What `cublasGetVersion_v2` says, and `cublasLtGetVersion` with it.
pub(crate) const VERSION: [i32; 3] = [12, 9, 1];

/// What a `cublasHandle_t` points to.
struct Context {
    /// A `cublasMath_t`.
    mode: i32,
    /// Memory of the caller's, and its size.
    workspace: Option<(u64, usize)>,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasCreate_v2(handle: *mut *mut Context) -> i32 {
    if !memory::has_driver() || fault::on("cublas-handle-refused") {
        return NOT_INITIALIZED;
    }
    let context = Box::new(Context {
        mode: 0,
        workspace: None,
    });
    // SAFETY: the caller passes a place for a handle.
    unsafe { *handle = Box::into_raw(context) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasDestroy_v2(handle: *mut Context) -> i32 {
    if handle.is_null() {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes what `cublasCreate_v2` made, once.
    drop(unsafe { Box::from_raw(handle) });
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasGetVersion_v2(_handle: *mut Context, version: *mut i32) -> i32 {
    log();
    let [major, minor, patch] = VERSION;
    let older = i32::from(fault::on("cublas-version-older"));
    // SAFETY: the caller passes a place for a number.
    unsafe { *version = major * 10000 + (minor - older) * 100 + patch };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasGetProperty(which: i32, value: *mut i32) -> i32 {
    let [major, minor, patch] = VERSION;
    let older = i32::from(fault::on("cublas-version-older"));
    let part = match which {
        0 => major,
        1 => minor - older,
        2 => patch,
        _ => return INVALID_VALUE,
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = part };
    SUCCESS
}

/// A `cublasLogCallback`.
type Callback = extern "C" fn(*const c_char);

/// Who listens to the log, and whether it is on.
static LOG: Mutex<(Option<Callback>, bool)> = Mutex::new((None, false));

#[unsafe(no_mangle)]
extern "C" fn cublasSetLoggerCallback(callback: Option<Callback>) -> i32 {
    match LOG.lock() {
        Ok(mut log) => {
            log.0 = callback;
            SUCCESS
        }
        Err(_) => EXECUTION_FAILED,
    }
}

#[unsafe(no_mangle)]
extern "C" fn cublasLoggerConfigure(
    on: i32,
    _stdout: i32,
    _stderr: i32,
    _file: *const c_char,
) -> i32 {
    match LOG.lock() {
        Ok(mut log) => {
            log.1 = on != 0;
            SUCCESS
        }
        Err(_) => EXECUTION_FAILED,
    }
}

/// Logs a call as the real library does, with its own version and not that of its part.
fn log() {
    let Ok((Some(listener), true)) = LOG.lock().map(|log| *log) else {
        return;
    };
    let message = if fault::on("cublas-of-another-release") {
        c"I! cuBLAS (v12.8.4) function cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int*) called:\n"
    } else {
        c"I! cuBLAS (v12.9.1) function cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int*) called:\n"
    };
    listener(message.as_ptr());
}

#[unsafe(no_mangle)]
extern "C" fn cublasGetCudartVersion() -> usize {
    12080
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasSetMathMode(handle: *mut Context, mode: i32) -> i32 {
    // SAFETY: the caller passes a handle that lives.
    match unsafe { handle.as_mut() } {
        None => NOT_INITIALIZED,
        Some(_) if ![0, 1, 2, 3].contains(&(mode & 15)) => INVALID_VALUE,
        Some(context) => {
            context.mode = mode;
            SUCCESS
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasSetWorkspace_v2(handle: *mut Context, at: u64, bytes: usize) -> i32 {
    // SAFETY: the caller passes a handle that lives.
    match unsafe { handle.as_mut() } {
        None => NOT_INITIALIZED,
        Some(_) if !at.is_multiple_of(256) => INVALID_VALUE,
        Some(context) => {
            context.workspace = Some((at, bytes));
            SUCCESS
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn cublasGetStatusName(status: i32) -> *const c_char {
    name(status).as_ptr()
}

#[unsafe(no_mangle)]
extern "C" fn cublasGetStatusString(status: i32) -> *const c_char {
    text(status).as_ptr()
}

pub(crate) fn name(status: i32) -> &'static CStr {
    match status {
        SUCCESS => c"CUBLAS_STATUS_SUCCESS",
        NOT_INITIALIZED => c"CUBLAS_STATUS_NOT_INITIALIZED",
        INVALID_VALUE => c"CUBLAS_STATUS_INVALID_VALUE",
        EXECUTION_FAILED => c"CUBLAS_STATUS_EXECUTION_FAILED",
        NOT_SUPPORTED => c"CUBLAS_STATUS_NOT_SUPPORTED",
        _ => c"unrecognized status",
    }
}

pub(crate) fn text(status: i32) -> &'static CStr {
    match status {
        SUCCESS => c"the function completed successfully",
        NOT_INITIALIZED => c"the library was not initialized",
        INVALID_VALUE => c"an unsupported value or parameter was passed to the function",
        EXECUTION_FAILED => c"the function failed to launch on the GPU",
        NOT_SUPPORTED => c"the functionality requested is not supported",
        _ => c"unrecognized status",
    }
}

/// What `NVIDIA_TF32_OVERRIDE` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Override {
    /// Nothing.
    Unset,
    /// TF32 is not used even where it is asked for.
    Off,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of NVIDIA's libraries that is a variable of the environment"
)]
pub(crate) fn tf32_override() -> Override {
    match env::var("NVIDIA_TF32_OVERRIDE").as_deref() {
        Ok("0") => Override::Off,
        Ok(_) | Err(_) => Override::Unset,
    }
}
