//! A stand-in for libnccl, from `nccl.h` of NCCL 2.32. Operations of a group wait for its end, then everything is done
//! at once: each device's operands are read, and the result is written to each.

use std::ffi::c_char;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use crate::cudart::driver::cuda;
use crate::{fault, memory};

const SUCCESS: i32 = 0;
const UNHANDLED_CUDA_ERROR: i32 = 1;
const INVALID_ARGUMENT: i32 = 4;

/// What an `ncclComm_t` points to.
pub(crate) struct Communicator {
    rank: usize,
    ranks: usize,
    device: i32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    AllReduce,
    ReduceScatter,
    AllGather,
    Broadcast { root: usize },
}

/// One device's part of an operation.
#[derive(Clone, Copy)]
struct Part {
    kind: Kind,
    rank: usize,
    ranks: usize,
    device: i32,
    from: u64,
    to: u64,
    /// Elements that this device brings; for a scatter those that it gets.
    count: usize,
    data_type: i32,
}

#[derive(Default)]
struct Group {
    depth: u32,
    parts: Vec<Part>,
}

static GROUP: Mutex<Group> = Mutex::new(Group {
    depth: 0,
    parts: Vec::new(),
});

#[unsafe(no_mangle)]
extern "C" fn ncclGetVersion(version: &mut i32) -> i32 {
    *version = match fault::on("nccl-version") {
        true => 1_08_03,
        false => 2_32_03,
    };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ncclCommInitAll(
    communicators: *mut *mut Communicator,
    count: i32,
    devices: *const i32,
) -> i32 {
    if !memory::has_driver() || fault::no_code("nccl") {
        return UNHANDLED_CUDA_ERROR;
    }
    let Ok(ranks) = usize::try_from(count) else {
        return INVALID_ARGUMENT;
    };
    for rank in 0..ranks {
        // SAFETY: the caller passes as many devices as it says.
        let device = unsafe { devices.add(rank) };
        // SAFETY: there is a number in each place.
        let device = unsafe { *device };
        let made = Communicator {
            rank,
            ranks,
            device,
        };
        // SAFETY: the caller passes as many places as it says.
        let place = unsafe { communicators.add(rank) };
        // SAFETY: it is a place for a pointer.
        unsafe { *place = Box::into_raw(Box::new(made)) };
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ncclCommDestroy(communicator: *mut Communicator) -> i32 {
    if communicator.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: the pointer came from `ncclCommInitAll`.
    drop(unsafe { Box::from_raw(communicator) });
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn ncclCommGetAsyncError(_: &Communicator, error: &mut i32) -> i32 {
    *error = match fault::on("nccl-async-error") {
        true => 6,
        false => SUCCESS,
    };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn ncclGroupStart() -> i32 {
    let mut group = GROUP.lock().unwrap_or_else(PoisonError::into_inner);
    group.depth += 1;
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn ncclGroupEnd() -> i32 {
    let mut group = GROUP.lock().unwrap_or_else(PoisonError::into_inner);
    group.depth = group.depth.saturating_sub(1);
    if group.depth > 0 {
        return SUCCESS;
    }
    let parts = std::mem::take(&mut group.parts);
    drop(group);
    done(&parts)
}

#[unsafe(no_mangle)]
extern "C" fn ncclAllReduce(
    from: u64,
    to: u64,
    count: usize,
    data_type: i32,
    operation: i32,
    communicator: &Communicator,
    _: u64,
) -> i32 {
    if operation == SCALED {
        return scaled(communicator, [from, to], count, data_type);
    }
    if operation != 0 {
        return INVALID_ARGUMENT;
    }
    start(Kind::AllReduce, communicator, [from, to], count, data_type)
}

/// The number of the one operation that can be created.
const SCALED: i32 = 77;

/// What its operands are multiplied with.
static FACTOR: Mutex<f32> = Mutex::new(1.0);

#[unsafe(no_mangle)]
unsafe extern "C" fn ncclRedOpCreatePreMulSum(
    operation: &mut i32,
    factor: *const f32,
    data_type: i32,
    residence: i32,
    _: &Communicator,
) -> i32 {
    if data_type != 7 || residence != 1 {
        return INVALID_ARGUMENT;
    }
    // SAFETY: the caller says that it is a number in the host's memory.
    let factor = unsafe { *factor };
    *FACTOR.lock().unwrap_or_else(PoisonError::into_inner) = factor;
    *operation = SCALED;
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn ncclRedOpDestroy(operation: i32, _: &Communicator) -> i32 {
    if operation == SCALED {
        SUCCESS
    } else {
        INVALID_ARGUMENT
    }
}

/// The scaled sum over the only device.
fn scaled(communicator: &Communicator, [from, to]: [u64; 2], count: usize, data_type: i32) -> i32 {
    if communicator.ranks != 1 || data_type != 7 {
        return INVALID_ARGUMENT;
    }
    let factor = *FACTOR.lock().unwrap_or_else(PoisonError::into_inner);
    let factor = if fault::on("nccl-factor-ignored") {
        1.0
    } else {
        factor
    };
    let done = on_device(communicator.device, || {
        let operand: Vec<f32> = memory::read(from, count)?;
        let product: Vec<f32> = operand.iter().map(|value| value * factor).collect();
        memory::write(to, &product)
    });
    if done.is_some() {
        SUCCESS
    } else {
        UNHANDLED_CUDA_ERROR
    }
}

#[unsafe(no_mangle)]
extern "C" fn ncclReduceScatter(
    from: u64,
    to: u64,
    part: usize,
    data_type: i32,
    operation: i32,
    communicator: &Communicator,
    _: u64,
) -> i32 {
    if operation != 0 {
        return INVALID_ARGUMENT;
    }
    start(
        Kind::ReduceScatter,
        communicator,
        [from, to],
        part,
        data_type,
    )
}

#[unsafe(no_mangle)]
extern "C" fn ncclAllGather(
    from: u64,
    to: u64,
    part: usize,
    data_type: i32,
    communicator: &Communicator,
    _: u64,
) -> i32 {
    start(Kind::AllGather, communicator, [from, to], part, data_type)
}

#[unsafe(no_mangle)]
extern "C" fn ncclBroadcast(
    from: u64,
    to: u64,
    count: usize,
    data_type: i32,
    root: i32,
    communicator: &Communicator,
    _: u64,
) -> i32 {
    let Ok(root) = usize::try_from(root) else {
        return INVALID_ARGUMENT;
    };
    let kind = Kind::Broadcast { root };
    start(kind, communicator, [from, to], count, data_type)
}

fn start(
    kind: Kind,
    communicator: &Communicator,
    [from, to]: [u64; 2],
    count: usize,
    data_type: i32,
) -> i32 {
    let part = Part {
        kind,
        rank: communicator.rank,
        ranks: communicator.ranks,
        device: communicator.device,
        from,
        to,
        count,
        data_type,
    };
    let mut group = GROUP.lock().unwrap_or_else(PoisonError::into_inner);
    if group.depth > 0 {
        group.parts.push(part);
        return SUCCESS;
    }
    drop(group);
    done(&[part])
}

/// Does an operation of which every device has brought its part.
fn done(parts: &[Part]) -> i32 {
    let Some(first) = parts.first() else {
        return SUCCESS;
    };
    let whole = parts.len() == first.ranks && parts.iter().all(|part| part.kind == first.kind);
    if !whole {
        return 5;
    }
    match first.data_type {
        2 => computed::<i32>(parts, |one, two| one + two, |one| one ^ 0x1000),
        7 => computed::<f32>(
            parts,
            |one, two| one + two,
            |one| f32::from_bits(one.to_bits() ^ 0x1000),
        ),
        _ => INVALID_ARGUMENT,
    }
}

fn computed<T: memory::Plain>(
    parts: &[Part],
    add: impl Fn(T, T) -> T,
    flip: impl Fn(T) -> T,
) -> i32 {
    // The context of the caller, who expects to find it afterwards.
    let mut before: *mut std::ffi::c_void = ptr::null_mut();
    cuda!("cuCtxGetCurrent"(&raw mut before => *mut *mut std::ffi::c_void));
    let status = exchanged(parts, add, flip);
    cuda!("cuCtxSetCurrent"(before => *mut std::ffi::c_void));
    status
}

fn exchanged<T: memory::Plain>(
    parts: &[Part],
    add: impl Fn(T, T) -> T,
    flip: impl Fn(T) -> T,
) -> i32 {
    let mut operands: Vec<Vec<T>> = Vec::new();
    for part in parts {
        let count = match part.kind {
            Kind::ReduceScatter => part.count * part.ranks,
            Kind::AllReduce | Kind::AllGather | Kind::Broadcast { .. } => part.count,
        };
        let read = on_device(part.device, || memory::read(part.from, count));
        match read {
            Some(operand) => operands.push(operand),
            None => return UNHANDLED_CUDA_ERROR,
        }
    }
    for part in parts {
        let sum = || {
            let mut sum = operands[0].clone();
            for operand in &operands[1..] {
                for (total, value) in sum.iter_mut().zip(operand) {
                    *total = add(*total, *value);
                }
            }
            sum
        };
        let mut result = match part.kind {
            Kind::AllReduce => sum(),
            Kind::ReduceScatter => sum()[part.rank * part.count..][..part.count].to_vec(),
            Kind::AllGather => operands.concat(),
            Kind::Broadcast { root } => operands[root].clone(),
        };
        spoil(part, &mut result, &flip);
        let written = on_device(part.device, || memory::write(part.to, &result));
        if written.is_none() {
            return UNHANDLED_CUDA_ERROR;
        }
    }
    SUCCESS
}

/// What goes wrong, by the kind of the operation.
fn spoil<T: memory::Plain>(part: &Part, result: &mut Vec<T>, flip: impl Fn(T) -> T) {
    let is_last = part.ranks > 1 && part.rank == part.ranks - 1;
    let kind = match part.kind {
        Kind::AllReduce => "all-reduce",
        Kind::ReduceScatter => "reduce-scatter",
        Kind::AllGather => "all-gather",
        Kind::Broadcast { .. } => "broadcast",
    };
    if fault::on(&format!("nccl-{kind}-bit")) || is_last && fault::on("nccl-last-device-bit") {
        result[5000] = flip(result[5000]);
    }
    if fault::on(&format!("nccl-{kind}-silent")) {
        result.clear();
    }
    if fault::on(&format!("nccl-{kind}-short")) {
        result.truncate(result.len() / 512 * 512);
    }
}

/// Works with a device's primary context as the current one.
fn on_device<R>(device: i32, work: impl FnOnce() -> Option<R>) -> Option<R> {
    let mut context: *mut std::ffi::c_void = ptr::null_mut();
    let retained = cuda!("cuDevicePrimaryCtxRetain"(
        &raw mut context => *mut *mut std::ffi::c_void,
        device => i32,
    ));
    let current = cuda!("cuCtxSetCurrent"(context => *mut std::ffi::c_void));
    let done = work();
    cuda!("cuDevicePrimaryCtxRelease_v2"(device => i32));
    (retained == SUCCESS && current == SUCCESS)
        .then_some(done)
        .flatten()
}

#[unsafe(no_mangle)]
extern "C" fn ncclGetErrorString(status: i32) -> *const c_char {
    match status {
        SUCCESS => c"no error".as_ptr(),
        UNHANDLED_CUDA_ERROR => {
            c"unhandled cuda error (run with NCCL_DEBUG=INFO for details)".as_ptr()
        }
        INVALID_ARGUMENT => c"invalid argument (run with NCCL_DEBUG=WARN for details)".as_ptr(),
        6 => c"remote process exited or there was a network error".as_ptr(),
        _ => c"unknown result code".as_ptr(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn ncclGetLastError(_: u64) -> *const c_char {
    c"the stand-in keeps no log".as_ptr()
}
