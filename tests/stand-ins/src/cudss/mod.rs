//! A stand-in for libcudss, from `cudss.h` of cuDSS 0.5 to 1.0: it is 1.0 unless a fault says otherwise.

mod solve;

use std::collections::BTreeMap;
use std::ffi::c_void;

use crate::{fault, memory};
use solve::{equations, solve};

const SUCCESS: i32 = 0;
const INVALID_VALUE: i32 = 3;
const EXECUTION_FAILED: i32 = 5;

/// `CUDA_R_32F` and `CUDA_R_32I`.
const SINGLE: i32 = 0;
const INTEGER: i32 = 10;

/// What a `cudssMatrix_t` points to.
enum Matrix {
    Dense {
        rows: i64,
        at: u64,
        kind: i32,
    },
    Sparse {
        rows: i64,
        elements: i64,
        starts: u64,
        columns: u64,
        values: u64,
        kind: i32,
        symmetric: bool,
        half: i32,
    },
}

/// What a `cudssData_t` points to.
#[derive(Default)]
struct Data {
    analysed: bool,
    rows: Option<Vec<BTreeMap<usize, f64>>>,
    info: i32,
}

fn version() -> [i32; 3] {
    if fault::on("cudss-0.5") {
        [0, 5, 0]
    } else if fault::on("cudss-0.6") {
        [0, 6, 0]
    } else if fault::on("cudss-0.7") {
        [0, 7, 1]
    } else if fault::on("cudss-0.8") {
        [0, 8, 0]
    } else if fault::on("cudss-2.0") {
        [2, 0, 0]
    } else {
        [1, 0, 0]
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssGetProperty(property: i32, value: *mut i32) -> i32 {
    let Some(number) = usize::try_from(property)
        .ok()
        .and_then(|at| version().get(at).copied())
    else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = number };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssCreate(handle: *mut *mut c_void) -> i32 {
    if !memory::has_driver() {
        return EXECUTION_FAILED;
    }
    // SAFETY: the caller passes a place for a handle.
    unsafe { give(handle, 1u8) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssDestroy(handle: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cudssCreate` made.
    unsafe { take::<u8>(handle) }
}

/// What a `cudssConfig_t` points to.
struct Config {
    matching: i32,
}

/// From 1.0 on the default is `CUDSS_MATCHING_ALG_AUTO`, 6.
#[unsafe(no_mangle)]
unsafe extern "C" fn cudssConfigCreate(config: *mut *mut c_void) -> i32 {
    let matching = if version()[0] == 0 { 0 } else { 6 };
    // SAFETY: the caller passes a place for a configuration.
    unsafe { give(config, Config { matching }) }
}

/// `CUDSS_CONFIG_MATCHING_ALG` is 3 from 0.8 on, and something else before.
#[unsafe(no_mangle)]
unsafe extern "C" fn cudssConfigSet(
    config: *mut c_void,
    parameter: i32,
    value: *const c_void,
    bytes: usize,
) -> i32 {
    let [major, minor, _] = version();
    if (major, minor) < (0, 8) || parameter != 3 || bytes != size_of::<i32>() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes so many bytes.
    let matching = unsafe { value.cast::<i32>().read_unaligned() };
    // SAFETY: the caller passes a configuration.
    unsafe { &mut *config.cast::<Config>() }.matching = matching;
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssConfigDestroy(config: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cudssConfigCreate` made.
    unsafe { take::<Config>(config) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssDataCreate(_handle: *mut c_void, data: *mut *mut c_void) -> i32 {
    // SAFETY: the caller passes a place for data.
    unsafe { give(data, Data::default()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssDataDestroy(_handle: *mut c_void, data: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cudssDataCreate` made.
    unsafe { take::<Data>(data) }
}

/// `CUDSS_DATA_INFO` is 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn cudssDataGet(
    _handle: *mut c_void,
    data: *mut c_void,
    parameter: i32,
    value: *mut c_void,
    bytes: usize,
    written: *mut usize,
) -> i32 {
    if parameter != 0 || bytes != size_of::<i32>() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes data.
    let info = unsafe { &*data.cast::<Data>() }.info;
    // SAFETY: the caller passes a place for so many bytes.
    unsafe { value.cast::<i32>().write_unaligned(info) };
    // SAFETY: the caller passes a place for a size.
    unsafe { *written = bytes };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssMatrixCreateDn(
    matrix: *mut *mut c_void,
    rows: i64,
    columns: i64,
    leading: i64,
    at: u64,
    kind: i32,
    layout: i32,
) -> i32 {
    if columns != 1 || leading < rows || layout != 0 {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for a matrix.
    unsafe { give(matrix, Matrix::Dense { rows, at, kind }) }
}

/// The last argument is one that callers with a header before 0.8 do not pass; it is not looked at then.
#[unsafe(no_mangle)]
unsafe extern "C" fn cudssMatrixCreateCsr(
    matrix: *mut *mut c_void,
    rows: i64,
    columns: i64,
    elements: i64,
    starts: u64,
    ends: u64,
    column_indices: u64,
    values: u64,
    ninth: i32,
    tenth: i32,
    eleventh: i32,
    twelfth: i32,
    thirteenth: i32,
    fourteenth: i32,
) -> i32 {
    let [major, minor, _] = version();
    let (types, rest) = if major == 0 && minor < 8 {
        ([ninth, ninth, tenth], [eleventh, twelfth, thirteenth])
    } else {
        ([ninth, tenth, eleventh], [twelfth, thirteenth, fourteenth])
    };
    let [offset, index, kind] = types;
    let [matrix_type, half, base] = rest;
    if rows != columns || ends != 0 || [offset, index] != [INTEGER; 2] || base != 0 {
        return INVALID_VALUE;
    }
    let made = Matrix::Sparse {
        rows,
        elements,
        starts,
        columns: column_indices,
        values,
        kind,
        // `CUDSS_MTYPE_SPD`
        symmetric: matrix_type == 3,
        half,
    };
    // SAFETY: the caller passes a place for a matrix.
    unsafe { give(matrix, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssMatrixDestroy(matrix: *mut c_void) -> i32 {
    // SAFETY: the caller passes what one of the functions above made.
    unsafe { take::<Matrix>(matrix) }
}

/// What a phase is, by the number that the version gives it.
enum Phase {
    Analysis,
    Factorization,
    Solve,
}

fn phase(number: i32) -> Option<Phase> {
    let first = fault::on("cudss-0.5");
    match number {
        1 if first => Some(Phase::Analysis),
        2 if first => Some(Phase::Factorization),
        8 if first => Some(Phase::Solve),
        3 if !first => Some(Phase::Analysis),
        4 if !first => Some(Phase::Factorization),
        112 if fault::on("cudss-0.6") => Some(Phase::Solve),
        1008 if !first && !fault::on("cudss-0.6") => Some(Phase::Solve),
        _ => None,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cudssExecute(
    _handle: *mut c_void,
    number: i32,
    config: *mut c_void,
    data: *mut c_void,
    matrix: *mut c_void,
    solution: *mut c_void,
    right: *mut c_void,
) -> i32 {
    if fault::no_code("cudss") {
        return EXECUTION_FAILED;
    }
    // SAFETY: the caller passes data.
    let data = unsafe { &mut *data.cast::<Data>() };
    // SAFETY: the caller passes a configuration.
    let scaled = unsafe { &*config.cast::<Config>() }.matching != 0;
    // SAFETY: the caller passes a matrix.
    let matrix = unsafe { &*matrix.cast::<Matrix>() };
    // SAFETY: the caller passes a matrix.
    let solution = unsafe { &*solution.cast::<Matrix>() };
    // SAFETY: the caller passes a matrix.
    let right = unsafe { &*right.cast::<Matrix>() };
    match phase(number) {
        None => INVALID_VALUE,
        Some(Phase::Analysis) => {
            data.analysed = true;
            SUCCESS
        }
        Some(Phase::Factorization) if !data.analysed => INVALID_VALUE,
        Some(Phase::Factorization) => match equations(matrix) {
            Some(rows) => {
                if rows.iter().any(BTreeMap::is_empty) || fault::on("cudss-singular") {
                    data.info = 1;
                }
                data.rows = Some(rows);
                SUCCESS
            }
            None => EXECUTION_FAILED,
        },
        Some(Phase::Solve) => match data
            .rows
            .as_ref()
            .map(|rows| solve(rows, scaled, matrix, solution, right))
        {
            Some(Some(())) => SUCCESS,
            Some(None) => EXECUTION_FAILED,
            None => INVALID_VALUE,
        },
    }
}

/// # Safety
///
/// `place` is a place for a pointer.
unsafe fn give<T>(place: *mut *mut c_void, value: T) -> i32 {
    let made = Box::into_raw(Box::new(value)).cast();
    // SAFETY: the caller promises the place.
    unsafe { *place = made };
    SUCCESS
}

/// # Safety
///
/// `made` was given as a `T`, and is not used again.
unsafe fn take<T>(made: *mut c_void) -> i32 {
    // SAFETY: the caller promises that it is a box of this type.
    drop(unsafe { Box::from_raw(made.cast::<T>()) });
    SUCCESS
}
