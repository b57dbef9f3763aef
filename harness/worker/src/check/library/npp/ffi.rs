//! The functions of `nppcore.h` and `nppi_*.h`, read from CUDA 11.8 (NPP 11.8.0), 12.9 (12.4.1), and 13.5 (13.2.0).
//!
//! Nearly all agree. `nppiSumGetBufferHostSize_8u_C1R_Ctx` writes an `int` in 11 and a `size_t` in 12 and 13:
//! eight bytes that are zero before the call hold either. In the same way `nppsAdd_32f_Ctx` takes its length as an `int` in
//! 11 and as a `size_t` in 12 and 13: a small number fills a register for either. `NppStreamContext` has one layout in all of them; its last
//! word is reserved up to 12 and the number of a workspace in 13, where 0 is none.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, Status, abi};

abi! {
    /// libnppc.
    Core;
    /// Major, minor, build; a structure that is never freed.
    fn version = c"nppGetLibVersion"() -> Version;
}

abi! {
    /// libnppial.
    Arithmetic;
    /// The sum of two images, divided by a power of two.
    fn add = c"nppiAdd_8u_C1RSfs_Ctx"(
        one: DevicePointer,
        one_step: i32,
        two: DevicePointer,
        two_step: i32,
        sum: DevicePointer,
        sum_step: i32,
        size: Size,
        scale: i32,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppig.
    Geometry;
    /// An image in another size.
    fn resize = c"nppiResize_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        from_size: Size,
        from_part: Rectangle,
        to: DevicePointer,
        to_step: i32,
        to_size: Size,
        to_part: Rectangle,
        interpolation: i32,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppif.
    Filters;
    /// The sum of the neighbours of each pixel with integer weights, divided. The weights lie in device memory.
    fn filter = c"nppiFilter_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        to: DevicePointer,
        to_step: i32,
        size: Size,
        weights: DevicePointer,
        weights_size: Size,
        anchor: Point,
        divisor: i32,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppist.
    Statistics;
    /// Bytes of scratch memory that [`Statistics::sum`] needs.
    fn sum_scratch = c"nppiSumGetBufferHostSize_8u_C1R_Ctx"(
        size: Size,
        bytes: &mut u64,
        context: StreamContext,
    ) -> Status;
    /// The sum over an image as a double in device memory.
    fn sum = c"nppiSum_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        size: Size,
        scratch: DevicePointer,
        sum: DevicePointer,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppidei.
    Exchange;
    /// Rows become columns; the size is the source's.
    fn transpose = c"nppiTranspose_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        to: DevicePointer,
        to_step: i32,
        size: Size,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppim.
    Morphology;
    /// The largest of the nine pixels around each.
    fn dilate = c"nppiDilate3x3_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        to: DevicePointer,
        to_step: i32,
        size: Size,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppitc.
    Thresholds;
    /// What is greater becomes the threshold.
    fn cut = c"nppiThreshold_GT_8u_C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        to: DevicePointer,
        to_step: i32,
        size: Size,
        threshold: u8,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnppicc.
    Colours;
    /// Red, green, and blue of each pixel become one brightness.
    fn gray = c"nppiRGBToGray_8u_C3C1R_Ctx"(
        from: DevicePointer,
        from_step: i32,
        to: DevicePointer,
        to_step: i32,
        size: Size,
        context: StreamContext,
    ) -> Status;
}

abi! {
    /// libnpps.
    Signals;
    /// The sum of two signals.
    fn add = c"nppsAdd_32f_Ctx"(
        one: DevicePointer,
        two: DevicePointer,
        sum: DevicePointer,
        length: usize,
        context: StreamContext,
    ) -> Status;
}

/// `NppiSize`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

/// `NppiPoint`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

/// `NppiRect`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Rectangle {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// `NppStreamContext`: the stream, and what the library would otherwise ask the runtime for.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct StreamContext {
    pub(super) stream: Handle,
    pub(super) device: i32,
    pub(super) multiprocessors: i32,
    pub(super) threads_per_multiprocessor: i32,
    pub(super) threads_per_block: i32,
    pub(super) shared_memory_per_block: usize,
    pub(super) capability_major: i32,
    pub(super) capability_minor: i32,
    pub(super) stream_flags: u32,
    pub(super) reserved: u32,
}

/// A pointer to an `NppLibraryVersion`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Version(*const [i32; 3]);

impl Version {
    /// Major, minor, build; none if the library has none.
    pub(super) fn parts(self) -> Option<[i32; 3]> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the library returned a pointer to its own three integers, and it is never closed.
        Some(unsafe { self.0.read() })
    }
}
