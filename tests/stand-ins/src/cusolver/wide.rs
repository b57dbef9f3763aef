//! The functions with 64-bit sizes, for f64.

use std::ffi::c_void;
use std::ptr;

use super::elimination::Columns;
use super::{INVALID_VALUE, SUCCESS, done, give, report};
use crate::{fault, memory};

const R_64F: u32 = 1;

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnCreateParams(parameters: *mut *mut c_void) -> i32 {
    // SAFETY: the caller passes a place for a handle.
    unsafe { *parameters = ptr::without_provenance_mut(0x5002) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnDestroyParams(_parameters: *mut c_void) -> i32 {
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnXgetrf_bufferSize(
    _handle: *mut c_void,
    _parameters: *mut c_void,
    m: i64,
    _n: i64,
    kind: u32,
    _a: u64,
    _lda: i64,
    compute: u32,
    device: *mut usize,
    host: *mut usize,
) -> i32 {
    if (kind, compute) != (R_64F, R_64F) {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { *device = m as usize * 8 };
    // SAFETY: the caller passes a place for a number.
    unsafe { *host = 24 };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnXgetrf(
    _handle: *mut c_void,
    _parameters: *mut c_void,
    _m: i64,
    n: i64,
    _kind: u32,
    a: u64,
    lda: i64,
    pivots: u64,
    _compute: u32,
    _device: u64,
    _device_size: usize,
    host: *mut u8,
    host_size: usize,
    info: u64,
) -> i32 {
    if host_size < 24 {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes so many bytes of the host's memory.
    unsafe { host.write_bytes(0x11, host_size) };
    done(factor(a, n as usize, lda as usize, pivots, info))
}

fn factor(at: u64, n: usize, leading: usize, pivots: u64, info: u64) -> Option<()> {
    let mut a = Columns::<f64>::read(at, n, leading)?;
    let (exchanged, zero) = a.eliminate(n);
    a.write(at)?;
    if fault::on("cusolver-narrow-pivots") {
        let narrow: Vec<i32> = exchanged.iter().map(|row| *row as i32 + 1).collect();
        give(pivots, &narrow)?;
    } else {
        let pivots_from_one: Vec<i64> = exchanged.iter().map(|row| *row as i64 + 1).collect();
        give(pivots, &pivots_from_one)?;
    }
    report(info, zero)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnXgetrs(
    _handle: *mut c_void,
    _parameters: *mut c_void,
    operation: u32,
    n: i64,
    columns: i64,
    _kind: u32,
    a: u64,
    lda: i64,
    pivots: u64,
    _kind_of_b: u32,
    b: u64,
    ldb: i64,
    info: u64,
) -> i32 {
    let solved = || {
        let factors = Columns::<f64>::read(a, n as usize, lda as usize)?;
        let pivots: Vec<i64> = memory::read(pivots, n as usize)?;
        let rows: Vec<usize> = pivots
            .iter()
            .map(|row| (*row - 1).max(0) as usize)
            .collect();
        let mut right = Columns::<f64>::read(b, columns as usize, ldb as usize)?;
        for column in 0..columns as usize {
            factors.solve(&rows, operation == 1, &mut right, column);
        }
        right.write(b)?;
        report(info, None)
    };
    done(solved())
}
