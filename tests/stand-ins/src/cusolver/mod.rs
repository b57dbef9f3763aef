//! A stand-in for libcusolver, from `cusolver_common.h` and `cusolverDn.h` of CUDA 12.9.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are small and positive, and results are rounded to f32"
)]

mod elimination;
mod wide;

use std::ffi::c_void;
use std::ptr;

use crate::{fault, memory};
use elimination::{Columns, Float};

const SUCCESS: i32 = 0;
const NOT_INITIALIZED: i32 = 1;
const INVALID_VALUE: i32 = 3;
const EXECUTION_FAILED: i32 = 6;

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverGetVersion(version: *mut i32) -> i32 {
    let value = if fault::on("cusolver-version") {
        11604
    } else {
        11705
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *version = value };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverGetProperty(property: u32, value: *mut i32) -> i32 {
    let Some(number) = [11, 7, 5].get(property as usize) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = *number };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnCreate(handle: *mut *mut c_void) -> i32 {
    if !memory::has_driver() || fault::on("cusolver-no-cublas") {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes a place for a handle.
    unsafe { *handle = ptr::without_provenance_mut(0x5001) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusolverDnDestroy(handle: *mut c_void) -> i32 {
    if handle.is_null() {
        NOT_INITIALIZED
    } else {
        SUCCESS
    }
}

/// The functions of one precision.
macro_rules! precision {
    ($type:ty, $getrf_size:ident, $getrf:ident, $getrs:ident, $potrf_size:ident, $potrf:ident, $potrs:ident, $letter:literal) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $getrf_size(
            _handle: *mut c_void,
            m: i32,
            n: i32,
            _a: u64,
            _lda: i32,
            length: *mut i32,
        ) -> i32 {
            // SAFETY: the caller passes a place for a number.
            unsafe { *length = m.max(n) };
            SUCCESS
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $getrf(
            _handle: *mut c_void,
            m: i32,
            n: i32,
            a: u64,
            lda: i32,
            _work: u64,
            pivots: u64,
            info: u64,
        ) -> i32 {
            if m != n {
                return INVALID_VALUE;
            }
            done(lu::<$type>(
                $letter,
                (a, n as usize, lda as usize),
                pivots,
                info,
            ))
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $getrs(
            _handle: *mut c_void,
            operation: u32,
            n: i32,
            columns: i32,
            a: u64,
            lda: i32,
            pivots: u64,
            b: u64,
            ldb: i32,
            info: u64,
        ) -> i32 {
            let ignored = fault::on(&format!("cusolver-{}getrs-transpose-ignored", $letter));
            let transposed = operation == 1 && !ignored;
            done(lu_solve::<$type>(
                transposed,
                (a, n as usize, lda as usize),
                pivots,
                (b, columns as usize, ldb as usize),
                info,
            ))
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $potrf_size(
            _handle: *mut c_void,
            _uplo: u32,
            _n: i32,
            _a: u64,
            _lda: i32,
            length: *mut i32,
        ) -> i32 {
            // SAFETY: the caller passes a place for a number.
            unsafe { *length = 1 };
            SUCCESS
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $potrf(
            _handle: *mut c_void,
            uplo: u32,
            n: i32,
            a: u64,
            lda: i32,
            _work: u64,
            _length: i32,
            info: u64,
        ) -> i32 {
            let ignored = fault::on(&format!("cusolver-{}potrf-upper-ignored", $letter));
            let upper = uplo == 1 && !ignored;
            done(cholesky::<$type>(
                upper,
                (a, n as usize, lda as usize),
                info,
            ))
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $potrs(
            _handle: *mut c_void,
            uplo: u32,
            n: i32,
            columns: i32,
            a: u64,
            lda: i32,
            b: u64,
            ldb: i32,
            info: u64,
        ) -> i32 {
            done(cholesky_solve::<$type>(
                uplo == 1,
                (a, n as usize, lda as usize),
                (b, columns as usize, ldb as usize),
                info,
            ))
        }
    };
}

precision!(
    f64,
    cusolverDnDgetrf_bufferSize,
    cusolverDnDgetrf,
    cusolverDnDgetrs,
    cusolverDnDpotrf_bufferSize,
    cusolverDnDpotrf,
    cusolverDnDpotrs,
    "d"
);
precision!(
    f32,
    cusolverDnSgetrf_bufferSize,
    cusolverDnSgetrf,
    cusolverDnSgetrs,
    cusolverDnSpotrf_bufferSize,
    cusolverDnSpotrf,
    cusolverDnSpotrs,
    "s"
);

fn done(done: Option<()>) -> i32 {
    let fails = fault::no_code("cusolver") || fault::on("cusolver-execution-failed");
    if fails || done.is_none() {
        EXECUTION_FAILED
    } else {
        SUCCESS
    }
}

/// Where a matrix is: its address, its columns, and the rows from one column to the next.
type Place = (u64, usize, usize);

/// Factors a square matrix in place.
fn lu<T: Float>(letter: &str, (at, n, leading): Place, pivots: u64, info: u64) -> Option<()> {
    let mut a = Columns::<T>::read(at, n, leading)?;
    let (exchanged, zero) = if letter == "d" && fault::on("cusolver-double-in-single") {
        let mut single = a.map(|it| it as f32);
        let found = single.eliminate(n);
        for column in 0..n {
            for row in 0..n {
                a.set(row, column, T::from_wide(single.at(row, column).wide()));
            }
        }
        found
    } else {
        a.eliminate(n)
    };
    if fault::on("cusolver-factor-bit") {
        let last = a.at(n - 1, n - 2);
        a.set(n - 1, n - 2, last.turned(12));
    }
    if fault::on("cusolver-gap-written") {
        a.set(n, 0, T::from_wide(0.0));
    }
    a.write(at)?;
    let exchanged: Vec<i32> = exchanged.into_iter().map(|row| row as i32 + 1).collect();
    give(pivots, &exchanged)?;
    report(info, zero)
}

/// Replaces the columns of b by solutions.
fn lu_solve<T: Float>(
    transposed: bool,
    (at, n, leading): Place,
    pivots: u64,
    (to, columns, apart): Place,
    info: u64,
) -> Option<()> {
    let a = Columns::<T>::read(at, n, leading)?;
    let pivots: Vec<i32> = memory::read(pivots, n)?;
    let rows: Vec<usize> = pivots.iter().map(|it| (*it - 1).max(0) as usize).collect();
    let mut b = Columns::<T>::read(to, columns, apart)?;
    for column in 0..columns {
        a.solve(&rows, transposed, &mut b, column);
    }
    b.write(to)?;
    if fault::on("cusolver-factors-overwritten") {
        memory::write(at, &[T::from_wide(7.0)])?;
    }
    report(info, None)
}

fn cholesky<T: Float>(upper: bool, (at, n, leading): Place, info: u64) -> Option<()> {
    let mut a = Columns::<T>::read(at, n, leading)?;
    if upper {
        a.flip(n);
    }
    let bad = a.root(n);
    if upper {
        a.flip(n);
    }
    a.write(at)?;
    report(info, bad)
}

fn cholesky_solve<T: Float>(
    upper: bool,
    (at, n, leading): Place,
    (to, columns, apart): Place,
    info: u64,
) -> Option<()> {
    let mut a = Columns::<T>::read(at, n, leading)?;
    if upper {
        a.flip(n);
    }
    let mut b = Columns::<T>::read(to, columns, apart)?;
    for column in 0..columns {
        a.solve_with_root(n, &mut b, column);
    }
    b.write(to)?;
    report(info, None)
}

/// Writes the number of the column that is at fault, or zero.
fn report(info: u64, column: Option<usize>) -> Option<()> {
    let number = match column {
        Some(column) if !fault::on("cusolver-info-zero") => column as i32 + 1,
        _ => 0,
    };
    give(info, &[number])
}

/// Writes, unless nothing is written.
fn give<T: memory::Plain>(at: u64, elements: &[T]) -> Option<()> {
    if fault::on("cusolver-silent") {
        return Some(());
    }
    memory::write(at, elements)
}
