//! A stand-in for libcudart, from `cuda_runtime_api.h` of CUDA 12.9, on the functions of the driver.

pub(crate) mod driver;

use std::ffi::{c_char, c_void};

use crate::fault;
use driver::cuda;

const SUCCESS: i32 = 0;
const INVALID_VALUE: i32 = 1;

/// `cudaPointerAttributes` of CUDA 12.
#[repr(C)]
pub(crate) struct Attributes {
    kind: i32,
    device: i32,
    device_pointer: u64,
    host_pointer: u64,
}

#[unsafe(no_mangle)]
extern "C" fn cudaGetDeviceCount(count: &mut i32) -> i32 {
    let status = cuda!("cuInit"(0 => u32));
    match status {
        SUCCESS => cuda!("cuDeviceGetCount"(&raw mut *count => *mut i32)),
        other => other,
    }
}

#[unsafe(no_mangle)]
extern "C" fn cudaRuntimeGetVersion(version: &mut i32) -> i32 {
    *version = match fault::on("cudart-version") {
        true => 11080,
        false => 12090,
    };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cudaDriverGetVersion(version: &mut i32) -> i32 {
    *version = 0;
    match cuda!("cuDriverGetVersion"(&raw mut *version => *mut i32)) {
        35 => SUCCESS,
        other => other,
    }
}

#[unsafe(no_mangle)]
extern "C" fn cudaMalloc(memory: &mut u64, bytes: usize) -> i32 {
    cuda!("cuMemAlloc_v2"(&raw mut *memory => *mut u64, bytes => usize))
}

#[unsafe(no_mangle)]
extern "C" fn cudaFree(memory: u64) -> i32 {
    cuda!("cuMemFree_v2"(memory => u64))
}

#[unsafe(no_mangle)]
extern "C" fn cudaMallocHost(memory: &mut *mut c_void, bytes: usize) -> i32 {
    cuda!("cuMemAllocHost_v2"(&raw mut *memory => *mut *mut c_void, bytes => usize))
}

#[unsafe(no_mangle)]
extern "C" fn cudaFreeHost(memory: *mut c_void) -> i32 {
    cuda!("cuMemFreeHost"(memory => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaMemset(memory: u64, byte: i32, bytes: usize) -> i32 {
    let bytes = match fault::on("cudart-memset-words") {
        // Whole words only.
        true => bytes / 4 * 4,
        false => bytes,
    };
    let [byte, ..] = byte.to_le_bytes();
    cuda!("cuMemsetD8_v2"(memory => u64, byte => u8, bytes => usize))
}

#[unsafe(no_mangle)]
extern "C" fn cudaMemcpy(to: u64, from: u64, bytes: usize, kind: i32) -> i32 {
    match kind {
        1 => cuda!("cuMemcpyHtoD_v2"(to => u64, from => u64, bytes => usize)),
        2 => cuda!("cuMemcpyDtoH_v2"(to => u64, from => u64, bytes => usize)),
        3 if fault::on("cudart-copy-silent") => SUCCESS,
        3 => cuda!("cuMemcpyDtoD_v2"(to => u64, from => u64, bytes => usize)),
        4 => cuda!("cuMemcpy"(to => u64, from => u64, bytes => usize)),
        _ => INVALID_VALUE,
    }
}

#[unsafe(no_mangle)]
extern "C" fn cudaMemcpy2D(
    to: u64,
    to_pitch: usize,
    from: u64,
    from_pitch: usize,
    width: usize,
    height: usize,
    kind: i32,
) -> i32 {
    if kind != 3 || width > to_pitch || width > from_pitch {
        return INVALID_VALUE;
    }
    let width = match fault::on("cudart-whole-rows") {
        true => to_pitch.min(from_pitch),
        false => width,
    };
    let from_pitch = match fault::on("cudart-one-pitch") {
        true => to_pitch,
        false => from_pitch,
    };
    for row in 0..height {
        let (target, source) = (
            to + (row * to_pitch) as u64,
            from + (row * from_pitch) as u64,
        );
        let status = cuda!("cuMemcpyDtoD_v2"(target => u64, source => u64, width => usize));
        if status != SUCCESS {
            return status;
        }
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn cudaMemcpyAsync(
    to: u64,
    from: u64,
    bytes: usize,
    kind: i32,
    stream: *mut c_void,
) -> i32 {
    if kind != 4 {
        return INVALID_VALUE;
    }
    // A copy that goes to the middle of something is left out.
    if fault::on("cudart-async-dropped") && !to.is_multiple_of(4) {
        return SUCCESS;
    }
    cuda!("cuMemcpyAsync"(to => u64, from => u64, bytes => usize, stream => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaPointerGetAttributes(attributes: &mut Attributes, address: u64) -> i32 {
    let mut kind = 0_i32;
    let place = (&raw mut kind).cast::<c_void>();
    // CU_POINTER_ATTRIBUTE_MEMORY_TYPE
    let status = cuda!("cuPointerGetAttribute"(place => *mut c_void, 2 => u32, address => u64));
    if status != SUCCESS {
        return status;
    }
    let mut device = 0_i32;
    let place = (&raw mut device).cast::<c_void>();
    // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
    let status = cuda!("cuPointerGetAttribute"(place => *mut c_void, 9 => u32, address => u64));
    *attributes = Attributes {
        kind: match fault::on("cudart-attributes") {
            true => 1,
            false => kind,
        },
        device,
        device_pointer: address,
        host_pointer: if kind == 1 { address } else { 0 },
    };
    status
}

#[unsafe(no_mangle)]
extern "C" fn cudaStreamCreate(stream: &mut *mut c_void) -> i32 {
    cuda!("cuStreamCreate"(&raw mut *stream => *mut *mut c_void, 0 => u32))
}

#[unsafe(no_mangle)]
extern "C" fn cudaStreamSynchronize(stream: *mut c_void) -> i32 {
    cuda!("cuStreamSynchronize"(stream => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaStreamDestroy(stream: *mut c_void) -> i32 {
    cuda!("cuStreamDestroy_v2"(stream => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaEventCreate(event: &mut *mut c_void) -> i32 {
    cuda!("cuEventCreate"(&raw mut *event => *mut *mut c_void, 0 => u32))
}

#[unsafe(no_mangle)]
extern "C" fn cudaEventRecord(event: *mut c_void, stream: *mut c_void) -> i32 {
    cuda!("cuEventRecord"(event => *mut c_void, stream => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaEventSynchronize(event: *mut c_void) -> i32 {
    cuda!("cuEventSynchronize"(event => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaEventElapsedTime(
    milliseconds: &mut f32,
    start: *mut c_void,
    end: *mut c_void,
) -> i32 {
    if fault::on("cudart-events") {
        *milliseconds = -1.0;
        return SUCCESS;
    }
    cuda!("cuEventElapsedTime"(
        &raw mut *milliseconds => *mut f32,
        start => *mut c_void,
        end => *mut c_void,
    ))
}

#[unsafe(no_mangle)]
extern "C" fn cudaEventDestroy(event: *mut c_void) -> i32 {
    cuda!("cuEventDestroy_v2"(event => *mut c_void))
}

#[unsafe(no_mangle)]
extern "C" fn cudaGetErrorName(status: i32) -> *const c_char {
    match status {
        1 => c"cudaErrorInvalidValue".as_ptr(),
        35 => c"cudaErrorInsufficientDriver".as_ptr(),
        _ => c"cudaErrorUnknown".as_ptr(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn cudaGetErrorString(status: i32) -> *const c_char {
    match status {
        35 => c"CUDA driver version is insufficient for CUDA runtime version".as_ptr(),
        _ => c"something went wrong".as_ptr(),
    }
}
