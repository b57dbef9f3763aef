//! A stand-in for the libraries of NPP, from `nppi_*.h` of CUDA 12.9: images of one byte a pixel, row by row.

mod pixels;

use crate::{fault, memory};

const SUCCESS: i32 = 0;
const NULL_POINTER: i32 = -8;
const SIZE_ERROR: i32 = -6;
const STEP_ERROR: i32 = -14;
const KERNEL_EXECUTION: i32 = -1000;

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Size {
    width: i32,
    height: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Point {
    x: i32,
    y: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Rectangle {
    corner: Point,
    size: Size,
}

/// `NppStreamContext`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StreamContext {
    stream: u64,
    device: i32,
    multiprocessors: i32,
    threads_per_multiprocessor: i32,
    threads_per_block: i32,
    shared_per_block: usize,
    major: i32,
    minor: i32,
    flags: u32,
    reserved: i32,
}

#[repr(C)]
pub(crate) struct Version {
    parts: [i32; 3],
}

#[unsafe(no_mangle)]
extern "C" fn nppGetLibVersion() -> *const Version {
    static RIGHT: Version = Version { parts: [12, 4, 1] };
    static WRONG: Version = Version { parts: [11, 8, 0] };
    match fault::on("npp-version") {
        true => &raw const WRONG,
        false => &raw const RIGHT,
    }
}

/// Where an image of this many rows lies in device memory.
#[derive(Clone, Copy)]
struct Image {
    at: u64,
    step: usize,
    width: usize,
    height: usize,
}

impl Image {
    fn new(at: u64, step: i32, size: Size) -> Result<Self, i32> {
        let number = |value: i32| usize::try_from(value).map_err(|_| SIZE_ERROR);
        let image = Self {
            at,
            step: number(step)?,
            width: number(size.width)?,
            height: number(size.height)?,
        };
        match (at, image.step >= image.width) {
            (0, _) => Err(NULL_POINTER),
            (_, false) => Err(STEP_ERROR),
            (_, true) => Ok(image),
        }
    }

    fn row(self, row: usize) -> Result<Vec<u8>, i32> {
        let at = self.at + (row * self.step) as u64;
        memory::read(at, self.width).ok_or(KERNEL_EXECUTION)
    }

    fn put(self, row: usize, pixels: &[u8]) -> Result<(), i32> {
        let at = self.at + (row * self.step) as u64;
        memory::write(at, pixels).ok_or(KERNEL_EXECUTION)
    }
}

/// Does the work, unless the library has no code for the device or the context was not filled in.
fn computed(context: StreamContext, work: impl FnOnce() -> Result<(), i32>) -> i32 {
    let filled = context.multiprocessors > 0
        && context.threads_per_block > 0
        && context.threads_per_multiprocessor > 0
        && context.shared_per_block > 0
        && context.major > 0;
    if !filled {
        // NPP_STREAM_CTX_ERROR
        return -215;
    }
    if fault::no_code("npp") {
        return KERNEL_EXECUTION;
    }
    match work() {
        Ok(()) => SUCCESS,
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
extern "C" fn nppiAdd_8u_C1RSfs_Ctx(
    one: u64,
    one_step: i32,
    two: u64,
    two_step: i32,
    sum: u64,
    sum_step: i32,
    size: Size,
    scale: i32,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let one = Image::new(one, one_step, size)?;
        let two = Image::new(two, two_step, size)?;
        let sum = Image::new(sum, sum_step, size)?;
        for row in 0..sum.height {
            let (left, right) = (one.row(row)?, two.row(row)?);
            let mut line = Vec::new();
            for (a, b) in left.iter().zip(&right) {
                let wide = (u32::from(*a) + u32::from(*b)) >> scale;
                line.push(match fault::on("npp-add-wraps") {
                    true => a.wrapping_add(*b),
                    false => u8::try_from(wide).unwrap_or(255),
                });
            }
            if fault::on("npp-add-vectors") {
                // Whole vectors only.
                line.truncate(line.len() / 16 * 16);
            }
            sum.put(row, &line)?;
            if fault::on("npp-add-operand") && row == 3 {
                one.put(row, &line)?;
            }
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiResize_8u_C1R_Ctx(
    from: u64,
    from_step: i32,
    from_size: Size,
    from_part: Rectangle,
    to: u64,
    to_step: i32,
    to_size: Size,
    to_part: Rectangle,
    interpolation: i32,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let corners = [from_part.corner, to_part.corner];
        if corners.iter().any(|corner| (corner.x, corner.y) != (0, 0)) || interpolation != 1 {
            return Err(-3);
        }
        if from_part.size.width != from_size.width || to_part.size.width != to_size.width {
            return Err(SIZE_ERROR);
        }
        let source = Image::new(from, from_step, from_size)?;
        let target = Image::new(to, to_step, to_size)?;
        for row in 0..target.height {
            let line = source.row(row * source.height / target.height)?;
            let nearest = |column: usize| column * source.width / target.width;
            let mut pixels = Vec::new();
            for column in 0..target.width {
                let pixel = line[nearest(column)];
                let next = line[(nearest(column) + 1).min(source.width - 1)];
                pixels.push(match fault::on("npp-resize-linear") {
                    true if column % 2 == 1 => pixel.midpoint(next),
                    true | false => pixel,
                });
            }
            if fault::on("npp-resize-mirrored") {
                pixels.reverse();
            }
            target.put(row, &pixels)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiFilter_8u_C1R_Ctx(
    from: u64,
    from_step: i32,
    to: u64,
    to_step: i32,
    size: Size,
    weights: u64,
    weights_size: Size,
    anchor: Point,
    divisor: i32,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        if (weights_size.width, weights_size.height) != (3, 3) || (anchor.x, anchor.y) != (1, 1) {
            return Err(-33);
        }
        let target = Image::new(to, to_step, size)?;
        let mut weights: Vec<i32> = memory::read(weights, 9).ok_or(KERNEL_EXECUTION)?;
        if fault::on("npp-filter-transposed") {
            weights = [0, 3, 6, 1, 4, 7, 2, 5, 8]
                .map(|index| weights[index])
                .to_vec();
        }
        let step = u64::try_from(from_step).map_err(|_| STEP_ERROR)?;
        for row in 0..target.height {
            // The lines above, of, and below the row, each from one pixel before it to one behind it.
            let mut lines: Vec<Vec<u8>> = Vec::new();
            for line in 0..3 {
                let at = from + (row as u64 + line) * step - step - 1;
                lines.push(memory::read(at, target.width + 2).ok_or(KERNEL_EXECUTION)?);
            }
            let mut pixels = Vec::new();
            for column in 0..target.width {
                let mut sum = 0;
                for (line, weights) in lines.iter().zip(weights.chunks(3)) {
                    for (pixel, weight) in line[column..].iter().zip(weights) {
                        sum += i32::from(*pixel) * weight;
                    }
                }
                let most = if fault::on("npp-filter-saturates-early") {
                    254
                } else {
                    255
                };
                pixels.push(u8::try_from((sum / divisor).clamp(0, most)).unwrap_or_default());
            }
            target.put(row, &pixels)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiSumGetBufferHostSize_8u_C1R_Ctx(
    size: Size,
    bytes: &mut usize,
    _: StreamContext,
) -> i32 {
    *bytes = usize::try_from(size.height).unwrap_or_default() * 8;
    if fault::on("npp-sum-scratch") {
        *bytes = 64;
    }
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nppiSum_8u_C1R_Ctx(
    from: u64,
    step: i32,
    size: Size,
    scratch: u64,
    sum: u64,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let image = Image::new(from, step, size)?;
        let mut sums = Vec::new();
        for row in 0..image.height {
            let pixels = match fault::on("npp-sum-padding") {
                true => memory::read::<u8>(image.at + (row * image.step) as u64, image.step),
                false => Some(image.row(row)?),
            };
            let pixels = pixels.ok_or(KERNEL_EXECUTION)?;
            sums.push(pixels.iter().map(|pixel| f64::from(*pixel)).sum::<f64>());
        }
        memory::write(scratch, &sums).ok_or(KERNEL_EXECUTION)?;
        if fault::on("npp-sum-silent") {
            return Ok(());
        }
        let total: f64 = sums.iter().sum();
        memory::write(sum, &[total]).ok_or(KERNEL_EXECUTION)
    })
}
