//! Products of sparse with dense matrices; a vector is a matrix of one column.

use std::ffi::c_void;

use super::descriptors::{Dense, Sparse};
use super::{EXECUTION_FAILED, NOT_SUPPORTED, SUCCESS};
use crate::{fault, memory};

const TRANSPOSE: u32 = 1;

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseSpMV_bufferSize(
    _handle: *mut c_void,
    _operation: u32,
    _alpha: *const c_void,
    _a: *const Sparse,
    _x: *const Dense,
    _beta: *const c_void,
    _y: *const Dense,
    _compute: u32,
    _algorithm: u32,
    size: *mut usize,
) -> i32 {
    // SAFETY: the caller passes a place for a number.
    unsafe { *size = 0 };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseSpMV(
    _handle: *mut c_void,
    operation: u32,
    alpha: *const c_void,
    a: *const Sparse,
    x: *const Dense,
    beta: *const c_void,
    y: *const Dense,
    compute: u32,
    algorithm: u32,
    _work: u64,
) -> i32 {
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(a) = (unsafe { a.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    let fits = if a.is_csr {
        [0, 2, 3].contains(&algorithm)
    } else {
        [0, 1, 4].contains(&algorithm)
    };
    if !fits {
        return NOT_SUPPORTED;
    }
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(x) = (unsafe { x.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(y) = (unsafe { y.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    // SAFETY: the caller passes a factor of the type that it computes in.
    let factors = [alpha, beta].map(|it| unsafe { factor(it, compute) });
    status(product(a, operation, x, 0, y, factors, algorithm))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseSpMM_bufferSize(
    _handle: *mut c_void,
    _operation: u32,
    _operation_of_b: u32,
    _alpha: *const c_void,
    _a: *const Sparse,
    _b: *const Dense,
    _beta: *const c_void,
    _c: *const Dense,
    _compute: u32,
    _algorithm: u32,
    size: *mut usize,
) -> i32 {
    // SAFETY: the caller passes a place for a number.
    unsafe { *size = 100 };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseSpMM(
    _handle: *mut c_void,
    operation: u32,
    operation_of_b: u32,
    alpha: *const c_void,
    a: *const Sparse,
    b: *const Dense,
    beta: *const c_void,
    c: *const Dense,
    compute: u32,
    algorithm: u32,
    _work: u64,
) -> i32 {
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(a) = (unsafe { a.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    let fits = if a.is_csr {
        [0, 4, 6, 12].contains(&algorithm)
    } else {
        [0, 1, 2, 3, 5].contains(&algorithm)
    };
    if !fits {
        return NOT_SUPPORTED;
    }
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(b) = (unsafe { b.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    // SAFETY: the caller passes a descriptor that was handed out.
    let Some(c) = (unsafe { c.as_ref() }) else {
        return NOT_SUPPORTED;
    };
    // SAFETY: the caller passes a factor of the type that it computes in.
    let factors = [alpha, beta].map(|it| unsafe { factor(it, compute) });
    status(product(
        a,
        operation,
        b,
        operation_of_b,
        c,
        factors,
        algorithm,
    ))
}

/// # Safety
///
/// `factor` points to a number of this type.
unsafe fn factor(factor: *const c_void, kind: u32) -> f64 {
    if kind == 0 {
        // SAFETY: the caller promises the type.
        f64::from(unsafe { *factor.cast::<f32>() })
    } else {
        // SAFETY: the caller promises the type.
        unsafe { *factor.cast::<f64>() }
    }
}

fn status(done: Option<()>) -> i32 {
    let fails = fault::no_code("cusparse") || fault::on("cusparse-execution-failed");
    if fails || done.is_none() {
        EXECUTION_FAILED
    } else {
        SUCCESS
    }
}

/// `c = alpha * op(a) * op(b) + beta * c`.
fn product(
    a: &Sparse,
    operation: u32,
    b: &Dense,
    operation_of_b: u32,
    c: &Dense,
    [alpha, beta]: [f64; 2],
    algorithm: u32,
) -> Option<()> {
    let on = |name: &str| fault::on(&format!("cusparse-{name}"));
    if on("silent") {
        return Some(());
    }
    let is_vector = c.columns == 1;
    let beta = if on("beta-ignored") { 0.0 } else { beta };
    let from = read(b)?;
    let mut into = read(c)?;
    let mut sums = vec![0.0; into.len()];
    for (row, column, value) in a.elements()? {
        let lost = a.is_csr && operation == TRANSPOSE && is_vector && on("lost-additions");
        if lost && row % 64 == 63 {
            continue;
        }
        let (row, column) = if operation == TRANSPOSE {
            (column, row)
        } else {
            (row, column)
        };
        for other in 0..c.columns {
            let across = operation_of_b == TRANSPOSE && !on("transpose-of-b-ignored");
            let at = if across {
                b.place(other, column)
            } else {
                b.place(column, other)
            };
            let short = a.kind == 0 && on("tf32");
            let (left, right) = (value, from[at % from.len()]);
            sums[c.place(row, other)] += if short {
                shortened(left) * shortened(right)
            } else {
                left * right
            };
        }
    }
    for row in 0..c.rows {
        // The kernel for elements with rows has forgotten its last block.
        let forgotten = !a.is_csr && row >= c.rows / 32 * 32;
        let name = if is_vector {
            "vector-tail-unwritten"
        } else {
            "matrix-tail-unwritten"
        };
        if forgotten && on(name) {
            continue;
        }
        for column in 0..c.columns {
            let at = c.place(row, column);
            into[at] = alpha * sums[at] + beta * into[at];
        }
    }
    let last = c.place(c.rows - 1, c.columns - 1);
    let plain = operation != TRANSPOSE && a.is_csr && !c.in_rows;
    if c.kind == 1 && on("double-in-single") {
        into.iter_mut().for_each(|it| *it = f64::from(*it as f32));
    }
    if !is_vector && plain && on("gap-written") {
        into[c.rows] = 0.0;
    }
    if is_vector && on("one-too-many") {
        into.push(into[0]);
    }
    if is_vector && plain && c.kind == 0 && algorithm == 3 && on("second-algorithm-bit") {
        let turned = (into[last] as f32).to_bits() ^ 1 << 12;
        into[last] = f64::from(f32::from_bits(turned));
    }
    write(c, &into)?;
    if on("operand-overwritten") {
        memory::write(b.values, &[1f32])?;
    }
    Some(())
}

/// What TF32 keeps of a number.
fn shortened(value: f64) -> f64 {
    let bits = (value as f32).to_bits();
    f64::from(f32::from_bits((bits + 0x1000) & 0xFFFF_E000))
}

/// The elements of a dense matrix with those between them.
fn read(dense: &Dense) -> Option<Vec<f64>> {
    if dense.kind == 1 {
        return memory::read(dense.values, dense.length());
    }
    let single: Vec<f32> = memory::read(dense.values, dense.length())?;
    Some(single.into_iter().map(f64::from).collect())
}

fn write(dense: &Dense, elements: &[f64]) -> Option<()> {
    if dense.kind == 1 {
        return memory::write(dense.values, elements);
    }
    let single: Vec<f32> = elements.iter().map(|it| *it as f32).collect();
    memory::write(dense.values, &single)
}
