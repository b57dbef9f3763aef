//! What moves pixels or computes with a few of them, and signals.

use super::{Image, KERNEL_EXECUTION, STEP_ERROR, Size, StreamContext, computed};
use crate::{fault, memory};

#[unsafe(no_mangle)]
extern "C" fn nppiTranspose_8u_C1R_Ctx(
    from: u64,
    from_step: i32,
    to: u64,
    to_step: i32,
    size: Size,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let source = Image::new(from, from_step, size)?;
        let turned = Size {
            width: size.height,
            height: size.width,
        };
        let target = Image::new(to, to_step, turned)?;
        let mut lines = Vec::new();
        for row in 0..source.height {
            lines.push(source.row(row)?);
        }
        if fault::on("npp-transpose-flipped") {
            lines.reverse();
        }
        for row in 0..target.height {
            let line: Vec<u8> = lines.iter().map(|line| line[row]).collect();
            target.put(row, &line)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiDilate3x3_8u_C1R_Ctx(
    from: u64,
    from_step: i32,
    to: u64,
    to_step: i32,
    size: Size,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let target = Image::new(to, to_step, size)?;
        let step = u64::try_from(from_step).map_err(|_| STEP_ERROR)?;
        for row in 0..target.height {
            let mut best = vec![0; target.width];
            let lines = if fault::on("npp-dilate-row") {
                1..2
            } else {
                0..3
            };
            for line in lines {
                let at = from + (row as u64 + line) * step - step - 1;
                let pixels: Vec<u8> = memory::read(at, target.width + 2).ok_or(KERNEL_EXECUTION)?;
                for (column, best) in best.iter_mut().enumerate() {
                    for pixel in &pixels[column..column + 3] {
                        *best = (*best).max(*pixel);
                    }
                }
            }
            target.put(row, &best)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiThreshold_GT_8u_C1R_Ctx(
    from: u64,
    from_step: i32,
    to: u64,
    to_step: i32,
    size: Size,
    threshold: u8,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let source = Image::new(from, from_step, size)?;
        let target = Image::new(to, to_step, size)?;
        for row in 0..target.height {
            let mut line = source.row(row)?;
            for pixel in &mut line {
                let less = fault::on("npp-threshold-below");
                if less && *pixel < threshold || !less && *pixel > threshold {
                    *pixel = threshold;
                }
            }
            target.put(row, &line)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppiRGBToGray_8u_C3C1R_Ctx(
    from: u64,
    from_step: i32,
    to: u64,
    to_step: i32,
    size: Size,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let wide = Size {
            width: size.width * 3,
            height: size.height,
        };
        let source = Image::new(from, from_step, wide)?;
        let target = Image::new(to, to_step, size)?;
        let weights = match fault::on("npp-gray-bgr") {
            true => [114, 587, 299],
            false => [299, 587, 114],
        };
        for row in 0..target.height {
            let mut line = Vec::new();
            for pixel in source.row(row)?.chunks(3) {
                let weighted = pixel.iter().zip(weights);
                let sum: u32 = weighted.map(|(value, by)| u32::from(*value) * by).sum();
                line.push(u8::try_from((sum + 500) / 1000).unwrap_or(255));
            }
            target.put(row, &line)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn nppsAdd_32f_Ctx(
    one: u64,
    two: u64,
    sum: u64,
    length: usize,
    context: StreamContext,
) -> i32 {
    computed(context, || {
        let one: Vec<f32> = memory::read(one, length).ok_or(KERNEL_EXECUTION)?;
        let two: Vec<f32> = memory::read(two, length).ok_or(KERNEL_EXECUTION)?;
        let mut sums: Vec<f32> = one.iter().zip(&two).map(|(a, b)| a + b).collect();
        if fault::on("npp-signal-bit") {
            sums[77] = f32::from_bits(sums[77].to_bits() ^ 0x1000);
        }
        if fault::on("npp-signal-tail") {
            sums.truncate(length / 4 * 4);
        }
        memory::write(sum, &sums).ok_or(KERNEL_EXECUTION)
    })
}
