//! What describes a product: the operation, the matrices, and preferences.

use std::ptr;

use crate::cublas::{INVALID_VALUE, SUCCESS};

/// What a `cublasLtMatmulDesc_t` points to.
pub(super) struct Operation {
    /// A `cublasComputeType_t`.
    pub(super) compute: i32,
    /// A `cudaDataType_t`.
    pub(super) scale: i32,
    pub(super) trans: [i32; 2],
    /// A `cublasLtEpilogue_t`.
    pub(super) epilogue: i32,
    pub(super) bias: u64,
}

/// What a `cublasLtMatrixLayout_t` points to.
pub(super) struct Matrix {
    /// A `cudaDataType`.
    pub(super) data: i32,
    pub(super) rows: u64,
    pub(super) columns: u64,
    pub(super) leading: i64,
    pub(super) batch: i32,
    /// In elements.
    pub(super) stride: i64,
}

/// What a `cublasLtMatmulPreference_t` points to.
pub(super) struct Preference {
    pub(super) workspace: u64,
    /// Bits of `cublasLtReductionScheme_t`.
    pub(super) schemes: u32,
}

/// Hands an object to C.
///
/// # Safety
///
/// `place` is a place for a pointer.
unsafe fn hand_out<T>(place: *mut *mut T, object: T) -> i32 {
    // SAFETY: the caller promises the place.
    unsafe { *place = Box::into_raw(Box::new(object)) };
    SUCCESS
}

/// Takes an object back from C.
///
/// # Safety
///
/// `object` was handed out, and is not used again.
unsafe fn take_back<T>(object: *mut T) -> i32 {
    if object.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller promises that it was handed out.
    drop(unsafe { Box::from_raw(object) });
    SUCCESS
}

/// Reads an attribute of exactly this type.
///
/// # Safety
///
/// `at` points to so many bytes.
unsafe fn attribute<T: Copy>(at: *const T, bytes: usize) -> Option<T> {
    if bytes != size_of::<T>() || at.is_null() {
        return None;
    }
    // SAFETY: the caller promises the bytes, and they are as many as the type has.
    Some(unsafe { ptr::read_unaligned(at) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulDescCreate(
    place: *mut *mut Operation,
    compute: i32,
    scale: i32,
) -> i32 {
    let made = Operation {
        compute,
        scale,
        trans: [0; 2],
        epilogue: 1,
        bias: 0,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(place, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulDescDestroy(object: *mut Operation) -> i32 {
    // SAFETY: the caller passes a descriptor, for the last time.
    unsafe { take_back(object) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulDescSetAttribute(
    object: *mut Operation,
    which: i32,
    at: *const u8,
    bytes: usize,
) -> i32 {
    // SAFETY: the caller passes a descriptor that lives.
    let Some(object) = (unsafe { object.as_mut() }) else {
        return INVALID_VALUE;
    };
    if which == 8 {
        // SAFETY: the caller passes so many bytes.
        return match unsafe { attribute(at.cast::<u64>(), bytes) } {
            Some(bias) => {
                object.bias = bias;
                SUCCESS
            }
            None => INVALID_VALUE,
        };
    }
    // SAFETY: the caller passes so many bytes.
    let Some(value) = (unsafe { attribute(at.cast::<i32>(), bytes) }) else {
        return INVALID_VALUE;
    };
    match which {
        3 => object.trans[0] = value,
        4 => object.trans[1] = value,
        7 => object.epilogue = value,
        _ => return INVALID_VALUE,
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatrixLayoutCreate(
    place: *mut *mut Matrix,
    data: i32,
    rows: u64,
    columns: u64,
    leading: i64,
) -> i32 {
    let made = Matrix {
        data,
        rows,
        columns,
        leading,
        batch: 1,
        stride: 0,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(place, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatrixLayoutDestroy(object: *mut Matrix) -> i32 {
    // SAFETY: the caller passes a descriptor, for the last time.
    unsafe { take_back(object) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatrixLayoutSetAttribute(
    object: *mut Matrix,
    which: i32,
    at: *const u8,
    bytes: usize,
) -> i32 {
    // SAFETY: the caller passes a descriptor that lives.
    let Some(object) = (unsafe { object.as_mut() }) else {
        return INVALID_VALUE;
    };
    match which {
        // SAFETY: the caller passes so many bytes.
        5 => match unsafe { attribute(at.cast::<i32>(), bytes) } {
            Some(batch) => object.batch = batch,
            None => return INVALID_VALUE,
        },
        // SAFETY: the caller passes so many bytes.
        6 => match unsafe { attribute(at.cast::<i64>(), bytes) } {
            Some(stride) => object.stride = stride,
            None => return INVALID_VALUE,
        },
        _ => return INVALID_VALUE,
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulPreferenceCreate(place: *mut *mut Preference) -> i32 {
    let made = Preference {
        workspace: 0,
        schemes: 7,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(place, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulPreferenceDestroy(object: *mut Preference) -> i32 {
    // SAFETY: the caller passes a descriptor, for the last time.
    unsafe { take_back(object) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulPreferenceSetAttribute(
    object: *mut Preference,
    which: i32,
    at: *const u8,
    bytes: usize,
) -> i32 {
    // SAFETY: the caller passes a descriptor that lives.
    let Some(object) = (unsafe { object.as_mut() }) else {
        return INVALID_VALUE;
    };
    match which {
        // SAFETY: the caller passes so many bytes.
        1 => match unsafe { attribute(at.cast::<u64>(), bytes) } {
            Some(workspace) => object.workspace = workspace,
            None => return INVALID_VALUE,
        },
        // SAFETY: the caller passes so many bytes.
        3 => match unsafe { attribute(at.cast::<u32>(), bytes) } {
            Some(schemes) => object.schemes = schemes,
            None => return INVALID_VALUE,
        },
        _ => return INVALID_VALUE,
    }
    SUCCESS
}
