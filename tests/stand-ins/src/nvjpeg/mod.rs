//! A stand-in for libnvjpeg, from `nvjpeg.h` of CUDA 12.9, for baseline files without anything rare.

mod file;

use std::slice;

use crate::{fault, memory};
use file::{Decoded, File};

const SUCCESS: i32 = 0;
const INVALID_PARAMETER: i32 = 2;
const BAD_JPEG: i32 = 3;
const NOT_SUPPORTED: i32 = 4;
const EXECUTION_FAILED: i32 = 6;
const ARCH_MISMATCH: i32 = 7;

/// `nvjpegImage_t`.
#[repr(C)]
pub(crate) struct Image {
    channels: [u64; 4],
    pitches: [usize; 4],
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegGetProperty(kind: u32, value: &mut i32) -> i32 {
    let version = match fault::on("nvjpeg-version") {
        true => [11, 9, 0],
        false => [12, 4, 0],
    };
    part(version, kind, value)
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegGetCudartProperty(kind: u32, value: &mut i32) -> i32 {
    let version = match fault::on("nvjpeg-cudart-version") {
        true => [11, 8, 0],
        false => [12, 9, 0],
    };
    part(version, kind, value)
}

fn part(version: [i32; 3], kind: u32, value: &mut i32) -> i32 {
    match version.get(kind as usize) {
        Some(number) => {
            *value = *number;
            SUCCESS
        }
        None => INVALID_PARAMETER,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegCreateSimple(handle: &mut u64) -> i32 {
    if !memory::has_driver() {
        return EXECUTION_FAILED;
    }
    if fault::no_code("nvjpeg") {
        return ARCH_MISMATCH;
    }
    *handle = 0x1001;
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegDestroy(handle: u64) -> i32 {
    valid(handle, 0x1001)
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegJpegStateCreate(handle: u64, state: &mut u64) -> i32 {
    *state = 0x2002;
    valid(handle, 0x1001)
}

#[unsafe(no_mangle)]
extern "C" fn nvjpegJpegStateDestroy(state: u64) -> i32 {
    valid(state, 0x2002)
}

fn valid(number: u64, expected: u64) -> i32 {
    match number == expected {
        true => SUCCESS,
        false => INVALID_PARAMETER,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvjpegGetImageInfo(
    _: u64,
    data: *const u8,
    bytes: usize,
    components: &mut i32,
    subsampling: &mut i32,
    widths: &mut [i32; 4],
    heights: &mut [i32; 4],
) -> i32 {
    // SAFETY: the caller passes so many bytes.
    let data = unsafe { slice::from_raw_parts(data, bytes) };
    let file = match File::read(data) {
        Some(file) => file,
        None if fault::on("nvjpeg-accepts-truncated") => return SUCCESS,
        None => return BAD_JPEG,
    };
    let number = |value: usize| i32::try_from(value).unwrap_or(-1);
    *components = number(file.components.len());
    let factors = file.components[0].factors;
    *subsampling = match (file.components.len(), factors) {
        (1, _) => 6,
        (_, (2, 2)) if fault::on("nvjpeg-subsampling") => 1,
        (_, (2, 2)) => 2,
        (_, (1, 1)) => 0,
        _ => -1,
    };
    for (index, component) in file.components.iter().enumerate() {
        let (across, down) = (
            factors.0 / component.factors.0,
            factors.1 / component.factors.1,
        );
        widths[index] = number(file.width.div_ceil(across));
        heights[index] = number(file.height.div_ceil(down));
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvjpegDecode(
    _: u64,
    _: u64,
    data: *const u8,
    bytes: usize,
    format: i32,
    image: &Image,
    _: u64,
) -> i32 {
    // SAFETY: the caller passes so many bytes.
    let data = unsafe { slice::from_raw_parts(data, bytes) };
    let Some(decoded) = File::read(data).and_then(|file| file.decode()) else {
        return BAD_JPEG;
    };
    if fault::on("nvjpeg-silent") {
        return SUCCESS;
    }
    let (at, pitch) = (image.channels[0], image.pitches[0]);
    for row in 0..decoded.height {
        let line = match format {
            2 => luma(&decoded, row),
            5 => colours(&decoded, row),
            _ => return NOT_SUPPORTED,
        };
        if memory::write(at + (row * pitch) as u64, &line).is_none() {
            return EXECUTION_FAILED;
        }
    }
    SUCCESS
}

fn luma(decoded: &Decoded, row: usize) -> Vec<u8> {
    let mut line = Vec::new();
    for column in 0..decoded.width {
        line.push(decoded.at(0, row, column));
    }
    if fault::on("nvjpeg-luma-off-by-one") {
        line[0] ^= 1;
    }
    if fault::on("nvjpeg-luma-last-block") {
        line.truncate(line.len() / 8 * 8);
    }
    line
}

/// Fixed point with 16 bits of fraction, as many decoders have it.
fn colours(decoded: &Decoded, row: usize) -> Vec<u8> {
    let mut line = Vec::new();
    for column in 0..decoded.width {
        let luma = i32::from(decoded.at(0, row, column)) << 16;
        let mut blue = i32::from(decoded.at(1, row, column)) - 128;
        let mut red = i32::from(decoded.at(2, row, column)) - 128;
        // Only where colour is as fine as luma: the other way has code of its own.
        if fault::on("nvjpeg-swapped-colours") && !decoded.is_subsampled() {
            (blue, red) = (red, blue);
        }
        if fault::on("nvjpeg-420-without-colour") && decoded.is_subsampled() {
            (blue, red) = (0, 0);
        }
        let round = |value: i32| ((value + 0x8000) >> 16).clamp(0, 255).to_le_bytes()[0];
        line.push(round(luma + 91881 * red));
        line.push(round(luma - 22554 * blue - 46802 * red));
        line.push(round(luma + 116_130 * blue));
    }
    line
}
