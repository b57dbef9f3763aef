//! A stand-in for libmagma, from the headers of MAGMA 2.9.
//!
//! A `magma_int_t` of either width arrives in the lower half of a register or of a place on the stack, on the platforms
//! that the tests run on, so the functions take 64 bits and look at 32. What they write is as wide as the fault
//! `magma-ilp64` says.

mod factor;
mod product;

use std::ffi::{c_char, c_int, c_void};

use crate::{fault, memory};
use factor::Columns;

type Int = i64;

const UNKNOWN: Int = -116;
const DEVICE_ALLOC: Int = -113;

const TRANSPOSED: i32 = 112;

/// The value of a `magma_int_t`.
fn size(value: Int) -> usize {
    usize::try_from(value & 0x7FFF_FFFF).unwrap_or(0)
}

/// # Safety
///
/// `to` is a place for a `magma_int_t`, at this distance in such numbers.
unsafe fn put(to: *mut c_void, distance: usize, value: i32) {
    if fault::on("magma-ilp64") {
        // SAFETY: the caller promises the place.
        let place = unsafe { to.cast::<i64>().add(distance) };
        // SAFETY: as above.
        unsafe { *place = i64::from(value) };
    } else {
        // SAFETY: the caller promises the place.
        let place = unsafe { to.cast::<i32>().add(distance) };
        // SAFETY: as above.
        unsafe { *place = value };
    }
}

/// # Safety
///
/// `from` has a `magma_int_t` at this distance.
unsafe fn get(from: *const c_void, distance: usize) -> usize {
    let value = if fault::on("magma-ilp64") {
        // SAFETY: the caller promises the number.
        let place = unsafe { from.cast::<i64>().add(distance) };
        // SAFETY: as above.
        unsafe { *place }
    } else {
        // SAFETY: the caller promises the number.
        let place = unsafe { from.cast::<i32>().add(distance) };
        // SAFETY: as above.
        i64::from(unsafe { *place })
    };
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_version(major: *mut c_void, minor: *mut c_void, micro: *mut c_void) {
    let first = if fault::on("magma-version") { 1 } else { 2 };
    for (place, number) in [(major, first), (minor, 9), (micro, 0)] {
        // SAFETY: the caller passes places for numbers.
        unsafe { put(place, 0, number) };
    }
}

#[unsafe(no_mangle)]
extern "C" fn magma_init() -> Int {
    if memory::has_driver() { 0 } else { UNKNOWN }
}

#[unsafe(no_mangle)]
extern "C" fn magma_finalize() -> Int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn magma_num_gpus() -> Int {
    1
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_getdevices(devices: *mut c_void, room: Int, count: *mut c_void) {
    let found = if size(room) == 0 || fault::on("magma-no-devices") {
        0
    } else {
        // SAFETY: the caller passes a place for so many numbers.
        unsafe { put(devices, 0, 0) };
        1
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { put(count, 0, found) };
}

#[unsafe(no_mangle)]
extern "C" fn magma_strerror(error: Int) -> *const c_char {
    let text = match i32::from_le_bytes([0, 1, 2, 3].map(|byte| error.to_le_bytes()[byte])) {
        0 => c"success",
        -113 => c"cannot allocate memory on GPU device",
        -116 => c"unknown error",
        _ => c"invalid argument",
    };
    text.as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_queue_create_internal(
    _device: Int,
    queue: *mut *mut c_void,
    _function: *const c_char,
    _file: *const c_char,
    _line: c_int,
) {
    if fault::on("magma-no-queue") {
        return;
    }
    let made = Box::into_raw(Box::new(1u8)).cast();
    // SAFETY: the caller passes a place for a queue.
    unsafe { *queue = made };
}

#[unsafe(no_mangle)]
extern "C" fn magma_queue_sync_internal(
    _queue: *mut c_void,
    _function: *const c_char,
    _file: *const c_char,
    _line: c_int,
) {
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_queue_destroy_internal(
    queue: *mut c_void,
    _function: *const c_char,
    _file: *const c_char,
    _line: c_int,
) {
    // SAFETY: the caller passes what `magma_queue_create_internal` made.
    drop(unsafe { Box::from_raw(queue.cast::<u8>()) });
}

/// What it gives is never used by a check, so it is no memory.
#[unsafe(no_mangle)]
unsafe extern "C" fn magma_malloc(place: *mut u64, _bytes: usize) -> Int {
    if fault::on("magma-allocation") {
        return DEVICE_ALLOC;
    }
    // SAFETY: the caller passes a place for an address.
    unsafe { *place = 0x1000 };
    0
}

#[unsafe(no_mangle)]
extern "C" fn magma_free_internal(
    address: u64,
    _function: *const c_char,
    _file: *const c_char,
    _line: c_int,
) -> Int {
    if address == 0x1000 { 0 } else { -115 }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_dgetrf_gpu(
    rows: Int,
    columns: Int,
    a: u64,
    leading: Int,
    pivots: *mut c_void,
    info: *mut c_void,
) -> Int {
    let count = size(columns);
    // SAFETY: the caller passes a place for a number.
    unsafe { put(info, 0, 0) };
    let Some(mut matrix) = Columns::read(a, size(rows), count, size(leading)) else {
        return UNKNOWN;
    };
    let silent = fault::no_code("magma");
    let (exchanges, singular) = if silent {
        ((0..count).collect(), None)
    } else {
        matrix.factor_lu()
    };
    for (step, row) in exchanges.iter().enumerate() {
        let row = i32::try_from(row + 1).unwrap_or(0);
        // SAFETY: the caller passes a place for so many numbers.
        unsafe { put(pivots, step, row) };
    }
    if let Some(step) = singular {
        // SAFETY: the caller passes a place for a number.
        unsafe { put(info, 0, i32::try_from(step + 1).unwrap_or(0)) };
    }
    if fault::on("magma-factor-last-bit") {
        matrix.flip(3, 5);
    }
    if fault::on("magma-single-factors") {
        matrix.shorten();
    }
    if !silent && matrix.write(a).is_none() {
        return UNKNOWN;
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_dgetrs_gpu(
    a_as: i32,
    rows: Int,
    right_sides: Int,
    a: u64,
    leading_a: Int,
    pivots: *mut c_void,
    b: u64,
    leading_b: Int,
    info: *mut c_void,
) -> Int {
    let count = size(rows);
    if a_as == TRANSPOSED {
        // SAFETY: the caller passes a place for a number.
        unsafe { put(info, 0, -1) };
        return -1;
    }
    let factors = Columns::read(a, count, count, size(leading_a));
    let right = Columns::read(b, count, size(right_sides), size(leading_b));
    let (Some(factors), Some(mut right)) = (factors, right) else {
        return UNKNOWN;
    };
    for step in 0..count {
        // SAFETY: the caller passes so many numbers.
        let row = unsafe { get(pivots, step) };
        right.exchange(step, row - 1);
    }
    right.solve(&factors);
    if fault::on("magma-solution-last-bit") {
        right.flip(4, 1);
    }
    if fault::on("magma-gap") {
        let gap = b + 8 * count as u64;
        if memory::write(gap, &[1.0f64]).is_none() {
            return UNKNOWN;
        }
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { put(info, 0, 0) };
    match right.write(b) {
        Some(()) => 0,
        None => UNKNOWN,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn magma_dpotrf_gpu(
    half: i32,
    rows: Int,
    a: u64,
    leading: Int,
    info: *mut c_void,
) -> Int {
    // `MagmaLower`
    if half != 122 {
        // SAFETY: the caller passes a place for a number.
        unsafe { put(info, 0, -1) };
        return -1;
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { put(info, 0, 0) };
    let count = size(rows);
    let Some(mut matrix) = Columns::read(a, count, count, size(leading)) else {
        return UNKNOWN;
    };
    if fault::on("magma-definite") {
        // SAFETY: the caller passes a place for a number.
        unsafe { put(info, 0, 17) };
        return 0;
    }
    let done = if fault::on("magma-last-panel") {
        count - 32
    } else {
        count
    };
    matrix.factor_cholesky(done);
    if !fault::no_code("magma") && matrix.write(a).is_none() {
        return UNKNOWN;
    }
    0
}
