//! What every call is given beside its images: the stream's context, and sizes as the library counts them.

use super::super::Bench;
use super::ffi::{Rectangle, Size, StreamContext};
use super::image::Shape;
use crate::library::Handle;

/// What the library would ask the runtime for.
pub(super) fn context(bench: &Bench<'_>) -> StreamContext {
    // The numbers of `CUdevice_attribute`.
    const THREADS_PER_BLOCK: i32 = 1;
    const SHARED_MEMORY_PER_BLOCK: i32 = 8;
    const MULTIPROCESSORS: i32 = 16;
    const THREADS_PER_MULTIPROCESSOR: i32 = 39;
    let capability = bench.capability();
    let shared = bench.attribute(SHARED_MEMORY_PER_BLOCK);
    StreamContext {
        stream: Handle::NULL,
        device: 0,
        multiprocessors: bench.attribute(MULTIPROCESSORS),
        threads_per_multiprocessor: bench.attribute(THREADS_PER_MULTIPROCESSOR),
        threads_per_block: bench.attribute(THREADS_PER_BLOCK),
        shared_memory_per_block: usize::try_from(shared).unwrap_or(0),
        capability_major: i32::try_from(capability.major).unwrap_or(0),
        capability_minor: i32::try_from(capability.minor).unwrap_or(0),
        stream_flags: 0,
        reserved: 0,
    }
}

pub(super) fn size(shape: Shape) -> Size {
    Size {
        width: number(shape.width),
        height: number(shape.height),
    }
}

pub(super) fn whole(shape: Shape) -> Rectangle {
    Rectangle {
        x: 0,
        y: 0,
        width: number(shape.width),
        height: number(shape.height),
    }
}

pub(super) fn number(value: usize) -> i32 {
    i32::try_from(value).expect("the shapes of this module are small")
}
