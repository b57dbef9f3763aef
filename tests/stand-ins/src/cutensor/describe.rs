//! Descriptors of tensors and operations.

use std::ffi::c_void;
use std::slice;

use super::algebra::{Operation, Term};
use super::tensor::{Kind, Shape};
use super::{DOUBLE, INVALID_VALUE, give, take};

/// `CUTENSOR_OP_IDENTITY`, the only operator of one operand that this stand-in knows.
const IDENTITY: i32 = 1;

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreateTensorDescriptor(
    _handle: *mut c_void,
    descriptor: *mut *mut c_void,
    modes: u32,
    extents: *const i64,
    strides: *const i64,
    kind: i32,
    alignment: u32,
) -> i32 {
    let Some(kind) = Kind::of(kind) else {
        return INVALID_VALUE;
    };
    if !alignment.is_power_of_two() {
        return INVALID_VALUE;
    }
    let count = modes as usize;
    // SAFETY: the caller passes an extent for each mode.
    let extents = unsafe { slice::from_raw_parts(extents, count) };
    // SAFETY: the caller passes a stride for each mode.
    let strides = unsafe { slice::from_raw_parts(strides, count) };
    let shape = Shape {
        extents: extents.to_vec(),
        strides: strides.to_vec(),
        kind,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { give(descriptor, shape) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorDestroyTensorDescriptor(descriptor: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cutensorCreateTensorDescriptor` made.
    unsafe { take::<Shape>(descriptor) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreateContraction(
    _handle: *mut c_void,
    operation: *mut *mut c_void,
    a: *mut c_void,
    modes_a: *const i32,
    operator_a: i32,
    b: *mut c_void,
    modes_b: *const i32,
    operator_b: i32,
    c: *mut c_void,
    modes_c: *const i32,
    operator_c: i32,
    d: *mut c_void,
    modes_d: *const i32,
    compute: *const i32,
) -> i32 {
    if [operator_a, operator_b, operator_c] != [IDENTITY; 3] || c != d {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a descriptor and its modes.
    let a = unsafe { term(a, modes_a) };
    // SAFETY: as above.
    let b = unsafe { term(b, modes_b) };
    // SAFETY: as above.
    let c = unsafe { term(c, modes_c) };
    // SAFETY: as above.
    let d = unsafe { term(d, modes_d) };
    // SAFETY: the caller passes what one of the variables points to.
    let precise = unsafe { *compute } == DOUBLE;
    if c.modes != d.modes || precise != (d.shape.kind == Kind::Double) {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for an operation.
    unsafe { give(operation, Operation::Contraction { a, b, d }) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreateReduction(
    _handle: *mut c_void,
    operation: *mut *mut c_void,
    a: *mut c_void,
    modes_a: *const i32,
    operator_a: i32,
    c: *mut c_void,
    modes_c: *const i32,
    operator_c: i32,
    d: *mut c_void,
    modes_d: *const i32,
    reduce: i32,
    _compute: *const i32,
) -> i32 {
    if [operator_a, operator_c] != [IDENTITY; 2] || c != d {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a descriptor and its modes.
    let a = unsafe { term(a, modes_a) };
    // SAFETY: as above.
    let c = unsafe { term(c, modes_c) };
    // SAFETY: as above.
    let d = unsafe { term(d, modes_d) };
    if c.modes != d.modes {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for an operation.
    unsafe { give(operation, Operation::Reduction { a, d, reduce }) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreatePermutation(
    _handle: *mut c_void,
    operation: *mut *mut c_void,
    a: *mut c_void,
    modes_a: *const i32,
    operator_a: i32,
    b: *mut c_void,
    modes_b: *const i32,
    _compute: *const i32,
) -> i32 {
    if operator_a != IDENTITY {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a descriptor and its modes.
    let a = unsafe { term(a, modes_a) };
    // SAFETY: as above.
    let b = unsafe { term(b, modes_b) };
    // SAFETY: the caller passes a place for an operation.
    unsafe { give(operation, Operation::Permutation { a, b }) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreateElementwiseBinary(
    _handle: *mut c_void,
    operation: *mut *mut c_void,
    a: *mut c_void,
    modes_a: *const i32,
    operator_a: i32,
    c: *mut c_void,
    modes_c: *const i32,
    operator_c: i32,
    d: *mut c_void,
    modes_d: *const i32,
    combine: i32,
    _compute: *const i32,
) -> i32 {
    if [operator_a, operator_c] != [IDENTITY; 2] || c != d {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a descriptor and its modes.
    let a = unsafe { term(a, modes_a) };
    // SAFETY: as above.
    let c = unsafe { term(c, modes_c) };
    // SAFETY: as above.
    let d = unsafe { term(d, modes_d) };
    // SAFETY: the caller passes a place for an operation.
    unsafe { give(operation, Operation::Binary { a, c, d, combine }) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreateElementwiseTrinary(
    _handle: *mut c_void,
    operation: *mut *mut c_void,
    a: *mut c_void,
    modes_a: *const i32,
    operator_a: i32,
    b: *mut c_void,
    modes_b: *const i32,
    operator_b: i32,
    c: *mut c_void,
    modes_c: *const i32,
    operator_c: i32,
    d: *mut c_void,
    modes_d: *const i32,
    first: i32,
    second: i32,
    _compute: *const i32,
) -> i32 {
    if [operator_a, operator_b, operator_c] != [IDENTITY; 3] || c != d {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a descriptor and its modes.
    let a = unsafe { term(a, modes_a) };
    // SAFETY: as above.
    let b = unsafe { term(b, modes_b) };
    // SAFETY: as above.
    let c = unsafe { term(c, modes_c) };
    // SAFETY: as above.
    let d = unsafe { term(d, modes_d) };
    let made = Operation::Trinary {
        operands: [a, b, c],
        d,
        combine: [first, second],
    };
    // SAFETY: the caller passes a place for an operation.
    unsafe { give(operation, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorDestroyOperationDescriptor(operation: *mut c_void) -> i32 {
    // SAFETY: the caller passes what one of the functions above made.
    unsafe { take::<Operation>(operation) }
}

/// A descriptor with its modes.
///
/// # Safety
///
/// `descriptor` is a tensor's, and `modes` has one for each of its modes.
unsafe fn term(descriptor: *mut c_void, modes: *const i32) -> Term {
    // SAFETY: the caller promises a descriptor.
    let shape = unsafe { &*descriptor.cast::<Shape>() };
    // SAFETY: the caller promises so many modes.
    let modes = unsafe { slice::from_raw_parts(modes, shape.extents.len()) };
    Term {
        shape: shape.clone(),
        modes: modes.to_vec(),
    }
}
