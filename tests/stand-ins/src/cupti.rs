//! A stand-in for libcupti, from `cupti_activity.h` of CUDA 12.9.
//!
//! It sees no launches: for that it would have to be inside the driver. It makes up the record of the one launch that
//! the check makes, so that the check's callbacks, its walk over records, and its verdict can be seen to work.

use std::ffi::c_char;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{mem, ptr};

use crate::{fault, memory};

const SUCCESS: i32 = 0;
const MAX_LIMIT_REACHED: i32 = 12;
const NOT_INITIALIZED: i32 = 15;
const INSUFFICIENT_PRIVILEGES: i32 = 35;

type Request = extern "C" fn(*mut *mut u8, *mut usize, *mut usize);
type Complete = extern "C" fn(*mut u8, u32, *mut u8, usize, usize);

static REQUEST: AtomicUsize = AtomicUsize::new(0);
static COMPLETE: AtomicUsize = AtomicUsize::new(0);
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Bytes of every record that this makes.
const RECORD: usize = 176;

#[unsafe(no_mangle)]
extern "C" fn cuptiGetVersion(version: &mut u32) -> i32 {
    *version = match fault::on("cupti-version") {
        true => 130_000,
        false => 28,
    };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cuptiGetResultString(status: i32, name: &mut *const c_char) -> i32 {
    *name = match status {
        SUCCESS => c"CUPTI_SUCCESS",
        MAX_LIMIT_REACHED => c"CUPTI_ERROR_MAX_LIMIT_REACHED",
        NOT_INITIALIZED => c"CUPTI_ERROR_NOT_INITIALIZED",
        INSUFFICIENT_PRIVILEGES => c"CUPTI_ERROR_INSUFFICIENT_PRIVILEGES",
        _ => c"CUPTI_ERROR_UNKNOWN",
    }
    .as_ptr();
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cuptiActivityRegisterCallbacks(request: Request, complete: Complete) -> i32 {
    REQUEST.store(request as usize, Ordering::SeqCst);
    COMPLETE.store(complete as usize, Ordering::SeqCst);
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cuptiActivityEnable(kind: u32) -> i32 {
    if !memory::has_driver() {
        return NOT_INITIALIZED;
    }
    if fault::on("cupti-privileges") {
        return INSUFFICIENT_PRIVILEGES;
    }
    ENABLED.store(kind == 10, Ordering::SeqCst);
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cuptiActivityDisable(_: u32) -> i32 {
    ENABLED.store(false, Ordering::SeqCst);
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuptiActivityFlushAll(_: u32) -> i32 {
    if !ENABLED.load(Ordering::SeqCst) || fault::on("cupti-silent") {
        return SUCCESS;
    }
    let (request, complete) = (
        REQUEST.load(Ordering::SeqCst),
        COMPLETE.load(Ordering::SeqCst),
    );
    if request == 0 || complete == 0 {
        return NOT_INITIALIZED;
    }
    // SAFETY: the number came from a function of this type.
    let request = unsafe { mem::transmute::<usize, Request>(request) };
    // SAFETY: the number came from a function of this type.
    let complete = unsafe { mem::transmute::<usize, Complete>(complete) };
    let (mut buffer, mut size, mut most) = (ptr::null_mut(), 0, 0);
    request(&raw mut buffer, &raw mut size, &raw mut most);
    // Another kind of record goes before the launch's, as there is in practice.
    let mut bytes = record(1);
    bytes.extend(record(10));
    if fault::on("cupti-twice") {
        bytes.extend(record(10));
    }
    if buffer.is_null() || !buffer.addr().is_multiple_of(8) || size < bytes.len() {
        return MAX_LIMIT_REACHED;
    }
    // SAFETY: the callback gave a buffer of so many bytes.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len()) };
    complete(ptr::null_mut(), 0, buffer, size, bytes.len());
    SUCCESS
}

/// A `CUpti_ActivityKernel9`, as far as anybody reads it.
fn record(kind: u32) -> Vec<u8> {
    let mut bytes = vec![0; RECORD];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &kind.to_le_bytes());
    let end: u64 = match fault::on("cupti-times") {
        true => 999,
        false => 2500,
    };
    put(16, &1000_u64.to_le_bytes());
    put(24, &end.to_le_bytes());
    let blocks: i32 = match fault::on("cupti-shape") {
        true => 36,
        false => 37,
    };
    for (index, value) in [blocks, 1, 1, 64, 1, 1].into_iter().enumerate() {
        put(52 + 4 * index, &value.to_le_bytes());
    }
    bytes
}

#[unsafe(no_mangle)]
extern "C" fn cuptiActivityGetNextRecord(
    buffer: *mut u8,
    valid_bytes: usize,
    record: &mut *mut u8,
) -> i32 {
    let next = match record.is_null() {
        true => buffer,
        false => record.wrapping_add(RECORD),
    };
    if next.addr() + RECORD > buffer.addr() + valid_bytes {
        return MAX_LIMIT_REACHED;
    }
    *record = next;
    SUCCESS
}
