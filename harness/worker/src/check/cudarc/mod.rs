//! Contexts, streams, and memory through cudarc.
//!
//! cudarc finds the driver by name, looks functions up when they are called, and panics where one is
//! missing, also inside destructors. So library and functions are looked for before it is used.

mod ffi;

use std::ffi::CStr;
use std::path::Path;
use std::sync::Arc;

use cudacheck_model::fault::MachineFault;
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DriverError};

use crate::driver::{CallError, CudaStatus};

/// The functions of the driver that cudarc calls on behalf of [`Memory`].
const NEEDED: &[&CStr] = &[
    c"cuInit",
    c"cuDeviceGet",
    c"cuDeviceGetAttribute",
    c"cuDevicePrimaryCtxRetain",
    c"cuDevicePrimaryCtxRelease_v2",
    c"cuCtxGetCurrent",
    c"cuCtxSetCurrent",
    c"cuMemGetInfo_v2",
    c"cuMemAlloc_v2",
    c"cuMemFree_v2",
    c"cuMemcpyHtoDAsync_v2",
    c"cuMemcpyDtoHAsync_v2",
    c"cuStreamSynchronize",
    c"cuGetErrorName",
    c"cuGetErrorString",
];

/// Used instead of the synchronous ones where the device has memory pools.
const NEEDED_BY_POOLS: &[&CStr] = &[c"cuMemAllocAsync", c"cuMemFreeAsync"];

/// Whether the device has memory pools, by `CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED` (115).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pools {
    Supported,
    Absent,
}

/// Makes sure that cudarc finds a driver, and lets it open the one that it will use.
pub(super) fn ready(library: &Path) -> Result<(), MachineFault> {
    if ffi::finds_a_driver() {
        ffi::open();
        Ok(())
    } else {
        Err(MachineFault::LibraryUnusable {
            library: library.to_owned(),
            reason:
                "no library of the names that cudarc tries (libcuda.so, libcuda.so.1) can be loaded"
                    .to_owned(),
        })
    }
}

/// Makes sure that the driver has every function that cudarc will call.
pub(super) fn complete(library: &Path, pools: Pools) -> Result<(), MachineFault> {
    let pools = match pools {
        Pools::Supported => NEEDED_BY_POOLS,
        Pools::Absent => &[],
    };
    let missing = NEEDED.iter().chain(pools).find(|name| !ffi::has(name));
    match missing {
        None => Ok(()),
        Some(name) => Err(MachineFault::LibraryUnusable {
            library: library.to_owned(),
            reason: format!("it has no function `{}`", name.to_string_lossy()),
        }),
    }
}

/// The device's memory, by the default stream of its primary context.
pub(super) struct Memory {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
}

/// One piece of device memory.
pub(super) struct Piece {
    slice: CudaSlice<u8>,
    pub(super) address: u64,
}

impl Memory {
    /// Retains the primary context and makes it current.
    pub(super) fn open() -> Result<Self, CallError> {
        let context = CudaContext::new(0).map_err(failed("cuDevicePrimaryCtxRetain"))?;
        ffi::without_events(&context);
        Ok(Self {
            stream: context.default_stream(),
            context,
        })
    }

    /// Bytes of device memory that are free.
    pub(super) fn free_bytes(&self) -> Result<u64, CallError> {
        let (free, _) = self
            .context
            .mem_get_info()
            .map_err(failed("cuMemGetInfo_v2"))?;
        Ok(free as u64)
    }

    pub(super) fn allocate(&self, bytes: usize) -> Result<Piece, CallError> {
        let function = if self.context.has_async_alloc() {
            "cuMemAllocAsync"
        } else {
            "cuMemAlloc_v2"
        };
        let slice = ffi::allocate(&self.stream, bytes).map_err(failed(function))?;
        // Allocations are ordered by the stream; kernels are launched on it, but copies need not be.
        self.stream
            .synchronize()
            .map_err(failed("cuStreamSynchronize"))?;
        let address = ffi::address(&slice, &self.stream);
        Ok(Piece { slice, address })
    }

    /// Frees, and reports what a destructor cannot.
    pub(super) fn free(&self, piece: Piece) -> Result<(), CallError> {
        let function = if self.context.has_async_alloc() {
            "cuMemFreeAsync"
        } else {
            "cuMemFree_v2"
        };
        drop(piece);
        self.context.check_err().map_err(failed(function))
    }

    /// Copies to the start of a piece, and waits.
    pub(super) fn write(&self, piece: &mut Piece, bytes: &[u8]) -> Result<(), CallError> {
        self.stream
            .memcpy_htod(bytes, &mut piece.slice)
            .map_err(failed("cuMemcpyHtoDAsync_v2"))?;
        self.stream
            .synchronize()
            .map_err(failed("cuStreamSynchronize"))
    }

    /// Copies from the start of a piece, and waits: a copy to pageable memory may still be under way.
    pub(super) fn read(&self, piece: &Piece, bytes: &mut [u8]) -> Result<(), CallError> {
        let view = piece.slice.slice(..bytes.len());
        self.stream
            .memcpy_dtoh(&view, bytes)
            .map_err(failed("cuMemcpyDtoHAsync_v2"))?;
        self.stream
            .synchronize()
            .map_err(failed("cuStreamSynchronize"))
    }

    /// Releases the context, and reports what is still on record.
    pub(super) fn close(self) -> Result<(), CallError> {
        self.context.check_err().map_err(failed("cuMemFree_v2"))
    }
}

fn failed(function: &'static str) -> impl Fn(DriverError) -> CallError {
    move |error| CallError::Status {
        function,
        status: CudaStatus(ffi::code(error)),
    }
}
