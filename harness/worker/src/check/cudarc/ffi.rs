//! The calls of cudarc that are unsafe.
#![expect(
    unsafe_code,
    reason = "cudarc cannot know whether the library it found is a driver, nor what memory holds"
)]

use std::ffi::CStr;
use std::sync::Arc;

use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtr, DriverError, sys};

/// Whether cudarc's search finds a library.
pub(super) fn finds_a_driver() -> bool {
    // SAFETY: what is found is a driver's library, or the caller learns from the process's map that it is
    // not; its initialisers run in a worker process, whose death the supervisor expects.
    unsafe { sys::is_culib_present() }
}

/// Makes cudarc open the library that it finds, and keep it.
pub(super) fn open() {
    // SAFETY: as for `finds_a_driver`, which was true; otherwise this panics.
    unsafe { sys::culib() };
}

/// Whether the library that cudarc found has this function.
pub(super) fn has(name: &CStr) -> bool {
    // SAFETY: as for `finds_a_driver`, which was true; otherwise this panics.
    let library = unsafe { sys::culib() };
    // SAFETY: the pointer is compared with null and never called.
    let symbol = unsafe { library.get::<*const u8>(name.to_bytes_with_nul()) };
    symbol.is_ok()
}

/// Does without the events by which cudarc orders several streams.
pub(super) fn without_events(context: &CudaContext) {
    // SAFETY: all memory is allocated, used, and freed on one stream, by one thread.
    unsafe { context.disable_event_tracking() }
}

/// Reserves memory that holds anything.
pub(super) fn allocate(
    stream: &Arc<CudaStream>,
    bytes: usize,
) -> Result<CudaSlice<u8>, DriverError> {
    // SAFETY: every byte pattern is a `u8`, and what is read back was written by the host before.
    unsafe { stream.alloc::<u8>(bytes) }
}

/// The address of memory. It is used while the slice lives.
pub(super) fn address(slice: &CudaSlice<u8>, stream: &CudaStream) -> u64 {
    let (address, _) = slice.device_ptr(stream);
    address
}

/// The number of an error.
pub(super) fn code(error: DriverError) -> i32 {
    i32::try_from(error.0 as u32).unwrap_or(i32::MAX)
}
