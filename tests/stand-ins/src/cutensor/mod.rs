//! A stand-in for libcutensor, from `cutensor.h` of cuTENSOR 2.8.

mod algebra;
mod describe;
mod tensor;

use std::ffi::{c_char, c_void};

use crate::{fault, memory};
use algebra::Operation;
use tensor::Kind;

const SUCCESS: i32 = 0;
const INVALID_VALUE: i32 = 7;
const EXECUTION_FAILED: i32 = 13;
const CUDA_ERROR: i32 = 18;

/// What a `cutensorPlan_t` points to.
struct Plan {
    operation: Operation,
    /// Whether it may run on a kernel that was compiled for it.
    compiled: bool,
}

/// The workspace that every contraction and reduction asks for.
const WORKSPACE: u64 = 512;

/// A `cutensorComputeDescriptor_t`; the header declares variables of this type.
#[repr(transparent)]
struct Compute(*const i32);

// SAFETY: it points to a number that nobody changes.
unsafe impl Sync for Compute {}

static SINGLE: i32 = 0;
static DOUBLE: i32 = 1;

#[unsafe(no_mangle)]
static CUTENSOR_COMPUTE_DESC_32F: Compute = Compute(&raw const SINGLE);

#[unsafe(no_mangle)]
static CUTENSOR_COMPUTE_DESC_64F: Compute = Compute(&raw const DOUBLE);

#[unsafe(no_mangle)]
extern "C" fn cutensorGetVersion() -> usize {
    if fault::on("cutensor-version") {
        10_700
    } else {
        20_800
    }
}

#[unsafe(no_mangle)]
extern "C" fn cutensorGetCudartVersion() -> usize {
    12_090
}

#[unsafe(no_mangle)]
extern "C" fn cutensorGetErrorString(status: i32) -> *const c_char {
    let text = match status {
        SUCCESS => c"CUTENSOR_STATUS_SUCCESS",
        INVALID_VALUE => c"CUTENSOR_STATUS_INVALID_VALUE",
        EXECUTION_FAILED => c"CUTENSOR_STATUS_EXECUTION_FAILED",
        CUDA_ERROR => c"CUTENSOR_STATUS_CUDA_ERROR",
        _ => c"unknown",
    };
    text.as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreate(handle: *mut *mut c_void) -> i32 {
    if !memory::has_driver() {
        return CUDA_ERROR;
    }
    // SAFETY: the caller passes a place for a handle.
    unsafe { give(handle, 1u8) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorDestroy(handle: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cutensorCreate` made.
    unsafe { take::<u8>(handle) }
}

/// `CUTENSOR_OPERATION_DESCRIPTOR_SCALAR_TYPE` is 1.
#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorOperationDescriptorGetAttribute(
    _handle: *mut c_void,
    operation: *mut c_void,
    attribute: i32,
    value: *mut c_void,
    bytes: usize,
) -> i32 {
    if attribute != 1 || bytes != size_of::<i32>() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes an operation.
    let operation = unsafe { &*operation.cast::<Operation>() };
    // SAFETY: the caller passes a place for so many bytes.
    unsafe {
        value
            .cast::<i32>()
            .write_unaligned(operation.scalar().number());
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreatePlanPreference(
    _handle: *mut c_void,
    preference: *mut *mut c_void,
    algorithm: i32,
    jit: i32,
) -> i32 {
    let Some(jit) = u8::try_from(jit)
        .ok()
        .filter(|jit| algorithm == -1 && *jit < 2)
    else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a preference.
    unsafe { give(preference, jit) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorDestroyPlanPreference(preference: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cutensorCreatePlanPreference` made.
    unsafe { take::<u8>(preference) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorEstimateWorkspaceSize(
    _handle: *mut c_void,
    _operation: *mut c_void,
    _preference: *mut c_void,
    wanted: i32,
    bytes: *mut u64,
) -> i32 {
    if !(1..=3).contains(&wanted) {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { *bytes = WORKSPACE };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorCreatePlan(
    _handle: *mut c_void,
    plan: *mut *mut c_void,
    operation: *mut c_void,
    preference: *mut c_void,
    limit: u64,
) -> i32 {
    // SAFETY: the caller passes an operation.
    let operation = unsafe { &*operation.cast::<Operation>() };
    // SAFETY: the caller passes a preference.
    let compiled = unsafe { *preference.cast::<u8>() } == 1;
    if operation.needs_workspace() && limit < WORKSPACE {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a place for a plan.
    unsafe {
        give(
            plan,
            Plan {
                operation: operation.clone(),
                compiled,
            },
        )
    }
}

/// `CUTENSOR_PLAN_REQUIRED_WORKSPACE` is 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorPlanGetAttribute(
    _handle: *mut c_void,
    plan: *mut c_void,
    attribute: i32,
    value: *mut c_void,
    bytes: usize,
) -> i32 {
    if attribute != 0 || bytes != size_of::<u64>() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes a plan.
    let needs = unsafe { &*plan.cast::<Plan>() }.operation.needs_workspace();
    let required = if needs { WORKSPACE } else { 0 };
    // SAFETY: the caller passes a place for so many bytes.
    unsafe { value.cast::<u64>().write_unaligned(required) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorDestroyPlan(plan: *mut c_void) -> i32 {
    // SAFETY: the caller passes what `cutensorCreatePlan` made.
    unsafe { take::<Plan>(plan) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorContract(
    _handle: *mut c_void,
    plan: *mut c_void,
    alpha: *const c_void,
    a: u64,
    b: u64,
    beta: *const c_void,
    c: u64,
    d: u64,
    workspace: u64,
    workspace_bytes: u64,
    _stream: *mut c_void,
) -> i32 {
    // SAFETY: the caller passes a plan, and scalars of its type.
    unsafe {
        run(
            plan,
            &[alpha, beta],
            &[a, b, c],
            d,
            (workspace, workspace_bytes),
        )
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorReduce(
    _handle: *mut c_void,
    plan: *mut c_void,
    alpha: *const c_void,
    a: u64,
    beta: *const c_void,
    c: u64,
    d: u64,
    workspace: u64,
    workspace_bytes: u64,
    _stream: *mut c_void,
) -> i32 {
    // SAFETY: the caller passes a plan, and scalars of its type.
    unsafe {
        run(
            plan,
            &[alpha, beta],
            &[a, c],
            d,
            (workspace, workspace_bytes),
        )
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorPermute(
    _handle: *mut c_void,
    plan: *mut c_void,
    alpha: *const c_void,
    a: u64,
    b: u64,
    _stream: *mut c_void,
) -> i32 {
    // SAFETY: the caller passes a plan, and a scalar of its type.
    unsafe { run(plan, &[alpha], &[a], b, (0, 0)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorElementwiseBinaryExecute(
    _handle: *mut c_void,
    plan: *mut c_void,
    alpha: *const c_void,
    a: u64,
    gamma: *const c_void,
    c: u64,
    d: u64,
    _stream: *mut c_void,
) -> i32 {
    // SAFETY: the caller passes a plan, and scalars of its type.
    unsafe { run(plan, &[alpha, gamma], &[a, c], d, (0, 0)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cutensorElementwiseTrinaryExecute(
    _handle: *mut c_void,
    plan: *mut c_void,
    alpha: *const c_void,
    a: u64,
    beta: *const c_void,
    b: u64,
    gamma: *const c_void,
    c: u64,
    d: u64,
    _stream: *mut c_void,
) -> i32 {
    // SAFETY: the caller passes a plan, and scalars of its type.
    unsafe { run(plan, &[alpha, beta, gamma], &[a, b, c], d, (0, 0)) }
}

/// # Safety
///
/// `plan` is a plan, and each of `scalars` points to a scalar of its type.
unsafe fn run(
    plan: *mut c_void,
    scalars: &[*const c_void],
    operands: &[u64],
    result: u64,
    (workspace, workspace_bytes): (u64, u64),
) -> i32 {
    if fault::no_code("cutensor") {
        return EXECUTION_FAILED;
    }
    // SAFETY: the caller promises a plan.
    let Plan {
        operation,
        compiled,
    } = unsafe { &*plan.cast::<Plan>() };
    let scalar = |at: &*const c_void| match operation.scalar() {
        // SAFETY: the caller promises a scalar of this type.
        Kind::Double => unsafe { at.cast::<f64>().read_unaligned() },
        // SAFETY: the caller promises a scalar of this type.
        Kind::Single | Kind::Half => f64::from(unsafe { at.cast::<f32>().read_unaligned() }),
    };
    let scalars: Vec<f64> = scalars.iter().map(scalar).collect();
    if operation.needs_workspace() {
        if workspace == 0 || workspace_bytes < WORKSPACE {
            return INVALID_VALUE;
        }
        let all = usize::try_from(workspace_bytes).unwrap_or(0);
        if memory::write(workspace, &vec![0u8; all]).is_none() {
            return EXECUTION_FAILED;
        }
    }
    if fault::on("cutensor-silent") {
        return SUCCESS;
    }
    match operation.run(*compiled, &scalars, operands, result) {
        Some(()) => SUCCESS,
        None => EXECUTION_FAILED,
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
