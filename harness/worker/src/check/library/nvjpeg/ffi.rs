//! The functions of `nvjpeg.h`, read from CUDA 11.8 (nvJPEG 11.9.0), 12.9 (12.4.0), and 13.5 (13.2.3), which agree in
//! all of these.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, In, Out, Status, abi};

abi! {
    /// libnvjpeg.
    NvJpeg;
    /// Its version: 0 major, 1 minor, 2 patch.
    fn property = c"nvjpegGetProperty"(kind: i32, value: &mut i32) -> Status;
    /// The runtime's version that it was built with, in the same way.
    fn cudart_property = c"nvjpegGetCudartProperty"(kind: i32, value: &mut i32) -> Status;
    /// A handle.
    fn create = c"nvjpegCreateSimple"(handle: &mut Handle) -> Status;
    /// Ends it.
    fn destroy = c"nvjpegDestroy"(handle: Handle) -> Status;
    /// What a decoder keeps between images.
    fn create_state = c"nvjpegJpegStateCreate"(handle: Handle, state: &mut Handle) -> Status;
    /// Ends it.
    fn destroy_state = c"nvjpegJpegStateDestroy"(state: Handle) -> Status;
    /// What the header of an image says; room for four components.
    fn info = c"nvjpegGetImageInfo"(
        handle: Handle,
        data: In<'_, u8>,
        bytes: usize,
        components: &mut i32,
        subsampling: &mut i32,
        widths: Out<'_, i32>,
        heights: Out<'_, i32>,
    ) -> Status;
    /// Decodes an image into device memory.
    fn decode = c"nvjpegDecode"(
        handle: Handle,
        state: Handle,
        data: In<'_, u8>,
        bytes: usize,
        format: i32,
        image: &Image,
        stream: Handle,
    ) -> Status;
}

/// `nvjpegImage_t`: a plane for each channel, with the bytes of its rows.
#[repr(C)]
pub(super) struct Image {
    pub(super) channels: [DevicePointer; 4],
    pub(super) pitches: [usize; 4],
}

/// `NVJPEG_OUTPUT_Y`: luma alone, in one plane.
pub(super) const LUMA: i32 = 2;

/// `NVJPEG_OUTPUT_RGBI`: red, green, blue, pixel by pixel in one plane.
pub(super) const RGB: i32 = 5;
