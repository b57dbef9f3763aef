//! The way of a caller through the exported functions, pointers and all.

use std::ffi::CStr;

use super::context::*;
use super::device::*;
use super::launch::*;
use super::memory::*;
use super::module::*;
use super::stream::*;
use super::value::{Bytes, In, Out, Room, Text};
use super::*;

#[test]
fn every_function_is_found_once() {
    let mut names: Vec<&str> = function_names().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    // What cudarc calls on the way from a context to its drop.
    for name in [
        "cuInit",
        "cuDeviceGet",
        "cuDevicePrimaryCtxRetain",
        "cuDeviceGetAttribute",
        "cuCtxGetCurrent",
        "cuCtxSetCurrent",
        "cuDeviceGetName",
        "cuMemAlloc_v2",
        "cuMemAllocAsync",
        "cuEventCreate",
        "cuMemcpyHtoDAsync_v2",
        "cuMemsetD8Async",
        "cuModuleLoadData",
        "cuModuleGetFunction",
        "cuLaunchKernel",
        "cuMemcpyDtoHAsync_v2",
        "cuCtxSynchronize",
        "cuStreamCreate",
        "cuEventRecord",
        "cuEventSynchronize",
        "cuEventDestroy_v2",
        "cuStreamDestroy_v2",
        "cuStreamSynchronize",
        "cuModuleUnload",
        "cuMemFree_v2",
        "cuMemFreeAsync",
        "cuDevicePrimaryCtxRelease_v2",
        "cuGetErrorName",
        "cuGetErrorString",
    ] {
        assert!(names.binary_search(&name).is_ok(), "{name}");
    }
}

#[test]
fn a_panic_is_an_unknown_error() {
    let status = call("cuInit", || panic!("a defect of the simulator"));
    assert_eq!(status, Status::UNKNOWN);
}

const STORE: &CStr = c".version 6.0
.target sm_50
.address_size 64
.visible .global .align 4 .u32 factor = 3;
.visible .entry store(.param .u64 out, .param .u32 value)
{
    .reg .b64 %rd<3>;
    .reg .b32 %r<5>;
    ld.param.u64 %rd0, [out];
    ld.param.u32 %r0, [value];
    ld.global.u32 %r1, [factor];
    mov.u32 %r2, %tid.x;
    mad.lo.u32 %r3, %r0, %r1, %r2;
    mul.wide.u32 %rd1, %r2, 4;
    add.u64 %rd2, %rd0, %rd1;
    st.global.u32 [%rd2], %r3;
    ret;
}
";

/// A context, current in this thread, that is given back at the end.
struct Current(Handle);

impl Current {
    fn new() -> Self {
        let mut context = 0;
        assert_eq!(cuInit(0), Status::SUCCESS);
        let retained = cuDevicePrimaryCtxRetain(Out::from(&mut context), 0);
        assert_eq!(retained, Status::SUCCESS);
        assert_eq!(cuCtxSetCurrent(context), Status::SUCCESS);
        Self(context)
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        assert_eq!(cuCtxSetCurrent(0), Status::SUCCESS);
        assert_eq!(cuDevicePrimaryCtxRelease_v2(0), Status::SUCCESS);
    }
}

fn load(text: &CStr) -> (Status, Handle, String) {
    let mut module = 0;
    let mut error = [0_u8; 256];
    let names = [5, 6, 2];
    let mut values = [error.as_mut_ptr().expose_provenance() as u64, 256, 0];
    let status = cuModuleLoadDataEx(
        Out::from(&mut module),
        Text::from(text),
        3,
        In::from(&names[..]),
        Out::from(&mut values[0]),
    );
    let length = usize::try_from(values[1]).unwrap();
    let log = String::from_utf8_lossy(&error[..length]).into_owned();
    (status, module, log)
}

#[test]
fn a_kernel_runs_from_module_to_copy() {
    let current = Current::new();
    let (status, module, log) = load(STORE);
    assert_eq!((status, log.as_str()), (Status::SUCCESS, ""));
    let (mut store, mut address, mut factor, mut bytes) = (0, 0, 0, 0);
    let found = cuModuleGetFunction(Out::from(&mut store), module, Text::from(c"store"));
    assert_eq!(found, Status::SUCCESS);
    let missing = cuModuleGetFunction(Out::from(&mut factor), module, Text::from(c"stor"));
    assert_eq!(missing, Status::NOT_FOUND);
    let found = cuModuleGetGlobal_v2(
        Out::from(&mut factor),
        Out::from(&mut bytes),
        module,
        Text::from(c"factor"),
    );
    assert_eq!((found, bytes), (Status::SUCCESS, 4));
    let five = 5_u32.to_ne_bytes();
    assert_eq!(
        cuMemcpyHtoD_v2(factor, Bytes::from(&five[..]), 4),
        Status::SUCCESS
    );
    assert_eq!(cuMemAlloc_v2(Out::from(&mut address), 16), Status::SUCCESS);
    assert_eq!(cuMemsetD32_v2(address, 0, 4), Status::SUCCESS);

    let value = 7_u32;
    let place = |value: *const u8| value.expose_provenance() as u64;
    let pointers = [
        place((&raw const address).cast()),
        place((&raw const value).cast()),
    ];
    let launched = cuLaunchKernel(
        store,
        1,
        1,
        1,
        3,
        1,
        1,
        0,
        0,
        In::from(&pointers[..]),
        In::null(),
    );
    assert_eq!(launched, Status::SUCCESS);
    assert_eq!(cuStreamSynchronize(0), Status::SUCCESS);
    let mut back = [0; 16];
    let copied = cuMemcpyDtoH_v2(Room::from(&mut back[..]), address, 16);
    assert_eq!(copied, Status::SUCCESS);
    assert_eq!(back, [35, 0, 0, 0, 36, 0, 0, 0, 37, 0, 0, 0, 0, 0, 0, 0]);

    // The same parameters in one buffer.
    let mut buffer = [0_u8; 12];
    buffer[..8].copy_from_slice(&address.to_ne_bytes());
    buffer[8..].copy_from_slice(&9_u32.to_ne_bytes());
    let length = 12_usize;
    let extra = [
        1,
        place(buffer.as_ptr()),
        2,
        place((&raw const length).cast()),
        0,
    ];
    let launched = cuLaunchKernel(
        store,
        1,
        1,
        1,
        1,
        1,
        1,
        0,
        0,
        In::null(),
        In::from(&extra[..]),
    );
    assert_eq!(launched, Status::SUCCESS);
    assert_eq!(
        cuMemcpyDtoH_v2(Room::from(&mut back[..]), address, 4),
        Status::SUCCESS
    );
    assert_eq!(back[0], 45);
    let neither = cuLaunchKernel(store, 1, 1, 1, 1, 1, 1, 0, 0, In::null(), In::null());
    assert_eq!(neither, Status::INVALID_VALUE);

    assert_eq!(cuMemFree_v2(address), Status::SUCCESS);
    assert_eq!(cuModuleUnload(module), Status::SUCCESS);
    assert_eq!(cuModuleUnload(module), Status::INVALID_HANDLE);
    assert_ne!(current.0, 0);
}

#[test]
fn what_does_not_compile_says_why() {
    let _current = Current::new();
    let (status, _, log) = load(c".version 99.0\n.target sm_50\n.address_size 64\n");
    assert_eq!(status, Status::UNSUPPORTED_PTX_VERSION);
    assert!(log.contains("99.0"), "{log}");
    let (status, _, _) = load(c"\x7fELF is no PTX");
    assert_eq!(status, Status::NO_BINARY_FOR_GPU);
}

#[test]
fn host_memory_is_pinned_until_it_is_freed() {
    let _current = Current::new();
    let mut pointer = 0;
    assert_eq!(
        cuMemAllocHost_v2(Out::from(&mut pointer), 5000),
        Status::SUCCESS
    );
    assert_eq!(pointer % 4096, 0);
    let mut kind = 0_u32;
    let asked = cuPointerGetAttribute(Out::from(&mut kind).of(), 2, pointer + 4999);
    assert_eq!((asked, kind), (Status::SUCCESS, 1));
    assert_eq!(cuMemFreeHost(Bytes::at(pointer)), Status::SUCCESS);
    assert_eq!(cuMemFreeHost(Bytes::at(pointer)), Status::INVALID_VALUE);
}

#[test]
fn calls_without_a_context_are_refused() {
    let _current = Current::new();
    std::thread::spawn(|| {
        let mut address = 0;
        let answer = cuMemAlloc_v2(Out::from(&mut address), 16);
        assert_eq!(answer, Status::INVALID_CONTEXT);
        assert_eq!(cuCtxSynchronize(), Status::INVALID_CONTEXT);
        assert_eq!(cuCtxSetCurrent(0x1234), Status::CONTEXT_IS_DESTROYED);
        let mut context = 1;
        assert_eq!(cuCtxGetCurrent(Out::from(&mut context)), Status::SUCCESS);
        assert_eq!(context, 0);
    })
    .join()
    .unwrap();
}
