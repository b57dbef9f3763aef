//! The 16-bit format with the exponents of single precision.

use half::bf16;

use super::{Row, add, bits, cut_off, fma, max, max_or_nan, min, min_or_nan, mul, rows, sub};
use crate::catalogue::rows::{program, words};
use crate::exact::{BFLOAT, Exact, Rounding::Nearest};
use crate::table::{
    Format, Operation,
    Reference::{Bfloat, Short, Within},
};
use crate::{DeviceLimits, Program};

/// Where rounding, overflow, underflow, and special values meet. The first two are harmless.
const CORNERS: [u16; 13] = [
    0x3F80, // 1
    0x4000, // 2
    0x0000, // 0
    0x0001, // the smallest subnormal number
    0x007F, // the largest subnormal number
    0x0080, // the smallest normal number
    0x0081, 0x3F7F, // just below 1
    0x3F81, // just above 1
    0x3FC1, 0x7F7F, // the largest number
    0x7F80, // infinity
    0x7FC0, // NaN
];

pub(super) fn bf16_arithmetic(_: &DeviceLimits, seed: u64) -> Program {
    let rows = rows(seed, 170, 1201, BFLOAT, &CORNERS);
    let inputs = words(rows.iter().copied().flatten());
    program("bf16_arithmetic", inputs, &rows, FUSED)
}

pub(super) fn bf16_sums(_: &DeviceLimits, seed: u64) -> Program {
    let rows = rows(seed, 180, 1129, BFLOAT, &CORNERS);
    let inputs = words(rows.iter().copied().flatten());
    program("bf16_sums", inputs, &rows, SUMS)
}

/// Each operand from its half.
fn operands(row: &Row, halves: [u32; 3]) -> [Exact; 3] {
    [0, 1, 2].map(|operand| Exact::read(BFLOAT, bits(row, operand, halves[operand]).into()))
}

fn bfloat(value: Exact) -> bf16 {
    bf16::from_bits(value.round(BFLOAT, Nearest) as u16)
}

fn lane(row: &Row, operand: usize, half: u32) -> f64 {
    bf16::from_bits(bits(row, operand, half)).to_f64()
}

/// In the order in which the kernel stores them.
const FUSED: &[Operation<Row>] = &[
    (
        "fma.rn.bf16x2, lower",
        Bfloat(|row| bfloat(fma(operands(row, [0; 3])))),
    ),
    (
        "fma.rn.bf16x2, upper",
        Bfloat(|row| bfloat(fma(operands(row, [1; 3])))),
    ),
    (
        "fma.rn.relu.bf16x2, lower",
        Within(Format::Bfloat, |row| {
            cut_off(bfloat(fma(operands(row, [0; 3]))).to_f64())
        }),
    ),
    (
        "fma.rn.relu.bf16x2, upper",
        Within(Format::Bfloat, |row| {
            cut_off(bfloat(fma(operands(row, [1; 3]))).to_f64())
        }),
    ),
    (
        "min.bf16x2, lower",
        Within(Format::Bfloat, |row| min(lane(row, 0, 0), lane(row, 1, 0))),
    ),
    (
        "min.bf16x2, upper",
        Within(Format::Bfloat, |row| min(lane(row, 0, 1), lane(row, 1, 1))),
    ),
    (
        "max.bf16x2, lower",
        Within(Format::Bfloat, |row| max(lane(row, 0, 0), lane(row, 1, 0))),
    ),
    (
        "max.bf16x2, upper",
        Within(Format::Bfloat, |row| max(lane(row, 0, 1), lane(row, 1, 1))),
    ),
    (
        "min.NaN.bf16x2, lower",
        Within(Format::Bfloat, |row| {
            min_or_nan(lane(row, 0, 0), lane(row, 1, 0))
        }),
    ),
    (
        "min.NaN.bf16x2, upper",
        Within(Format::Bfloat, |row| {
            min_or_nan(lane(row, 0, 1), lane(row, 1, 1))
        }),
    ),
    (
        "max.NaN.bf16x2, lower",
        Within(Format::Bfloat, |row| {
            max_or_nan(lane(row, 0, 0), lane(row, 1, 0))
        }),
    ),
    (
        "max.NaN.bf16x2, upper",
        Within(Format::Bfloat, |row| {
            max_or_nan(lane(row, 0, 1), lane(row, 1, 1))
        }),
    ),
    (
        "neg.bf16x2, lower",
        Bfloat(|row| -bf16::from_bits(bits(row, 0, 0))),
    ),
    (
        "neg.bf16x2, upper",
        Bfloat(|row| -bf16::from_bits(bits(row, 0, 1))),
    ),
    (
        "abs.bf16x2, lower",
        Bfloat(|row| bf16::from_bits(bits(row, 0, 0) & 0x7FFF)),
    ),
    (
        "abs.bf16x2, upper",
        Bfloat(|row| bf16::from_bits(bits(row, 0, 1) & 0x7FFF)),
    ),
    (
        "fma.rn.bf16",
        Bfloat(|row| bfloat(fma(operands(row, [0, 1, 0])))),
    ),
    (
        "min.bf16",
        Within(Format::Bfloat, |row| min(lane(row, 0, 1), lane(row, 1, 0))),
    ),
];

/// In the order in which the kernel stores them.
const SUMS: &[Operation<Row>] = &[
    (
        "add.rn.bf16x2, lower",
        Bfloat(|row| bfloat(add(operands(row, [0; 3])))),
    ),
    (
        "add.rn.bf16x2, upper",
        Bfloat(|row| bfloat(add(operands(row, [1; 3])))),
    ),
    (
        "sub.rn.bf16x2, lower",
        Bfloat(|row| bfloat(sub(operands(row, [0; 3])))),
    ),
    (
        "sub.rn.bf16x2, upper",
        Bfloat(|row| bfloat(sub(operands(row, [1; 3])))),
    ),
    (
        "mul.rn.bf16x2, lower",
        Bfloat(|row| bfloat(mul(operands(row, [0; 3])))),
    ),
    (
        "mul.rn.bf16x2, upper",
        Bfloat(|row| bfloat(mul(operands(row, [1; 3])))),
    ),
    (
        "add.rn.bf16",
        Bfloat(|row| bfloat(add(operands(row, [0, 1, 0])))),
    ),
    (
        "sub.rn.bf16",
        Bfloat(|row| bfloat(sub(operands(row, [1, 0, 0])))),
    ),
    (
        "mul.rn.bf16",
        Bfloat(|row| bfloat(mul(operands(row, [1, 1, 0])))),
    ),
    (
        "setp.le.bf16x2",
        Short(|row| {
            u16::from(lane(row, 0, 0) <= lane(row, 1, 0))
                + 2 * u16::from(lane(row, 0, 1) <= lane(row, 1, 1))
        }),
    ),
];
