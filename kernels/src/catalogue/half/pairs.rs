//! Half precision, two numbers at a time and alone.

use std::cmp::Ordering;

use half::f16;

use super::{Row, add, bits, cut_off, fma, max, max_or_nan, min, min_or_nan, mul, rows, sub};
use crate::catalogue::rows::{program, words};
use crate::exact::{Exact, HALF, Rounding::Nearest};
use crate::table::{
    Format, Operation,
    Reference::{Half, Within, Word},
};
use crate::{DeviceLimits, Program};

/// Where rounding, overflow, underflow, and special values meet. The first two are harmless.
const CORNERS: [u16; 13] = [
    0x3C00, // 1
    0x4000, // 2
    0x0000, // 0
    0x0001, // the smallest subnormal number
    0x03FF, // the largest subnormal number
    0x0400, // the smallest normal number
    0x0401, 0x3BFF, // just below 1
    0x3C01, // just above 1
    0x3E01, 0x7BFF, // the largest number
    0x7C00, // infinity
    0x7E00, // NaN
];

pub(super) fn half_arithmetic(_: &DeviceLimits, seed: u64) -> Program {
    let rows = rows(seed, 150, 1213, HALF, &CORNERS);
    let inputs = words(rows.iter().copied().flatten());
    program("half_arithmetic", inputs, &rows, ARITHMETIC)
}

pub(super) fn half_minmax(_: &DeviceLimits, seed: u64) -> Program {
    let rows = rows(seed, 160, 1103, HALF, &CORNERS);
    let inputs = words(rows.iter().copied().flatten());
    program("half_minmax", inputs, &rows, ORDER)
}

fn operands(row: &Row, half: u32) -> [Exact; 3] {
    mixed(row, [half; 3])
}

/// Each operand from a half of its own.
fn mixed(row: &Row, halves: [u32; 3]) -> [Exact; 3] {
    [0, 1, 2].map(|operand| Exact::read(HALF, bits(row, operand, halves[operand]).into()))
}

fn flushed(operands: [Exact; 3]) -> [Exact; 3] {
    operands.map(|operand| operand.flushed(HALF))
}

fn half(value: Exact) -> f16 {
    f16::from_bits(value.round(HALF, Nearest) as u16)
}

fn lane(row: &Row, operand: usize, half: u32) -> f64 {
    f16::from_bits(bits(row, operand, half)).to_f64()
}

/// What `.ftz` makes of an operand.
fn flush(value: f64) -> f64 {
    if value.abs() < f16::MIN_POSITIVE.to_f64() {
        0f64.copysign(value)
    } else {
        value
    }
}

/// Clamped to [0, 1]; a NaN becomes +0, and a zero of either sign is right.
fn saturated(value: f16) -> (f64, f64) {
    let value = value.to_f64();
    (
        if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        },
        0.0,
    )
}

/// In the order in which the kernel stores them.
const ARITHMETIC: &[Operation<Row>] = &[
    (
        "add.rn.f16x2, lower",
        Half(|row| half(add(operands(row, 0)))),
    ),
    (
        "add.rn.f16x2, upper",
        Half(|row| half(add(operands(row, 1)))),
    ),
    (
        "sub.rn.f16x2, lower",
        Half(|row| half(sub(operands(row, 0)))),
    ),
    (
        "sub.rn.f16x2, upper",
        Half(|row| half(sub(operands(row, 1)))),
    ),
    (
        "mul.rn.f16x2, lower",
        Half(|row| half(mul(operands(row, 0)))),
    ),
    (
        "mul.rn.f16x2, upper",
        Half(|row| half(mul(operands(row, 1)))),
    ),
    (
        "fma.rn.f16x2, lower",
        Half(|row| half(fma(operands(row, 0)))),
    ),
    (
        "fma.rn.f16x2, upper",
        Half(|row| half(fma(operands(row, 1)))),
    ),
    (
        "add.rn.ftz.f16x2, lower",
        Half(|row| half(add(flushed(operands(row, 0))).flushed(HALF))),
    ),
    (
        "add.rn.ftz.f16x2, upper",
        Half(|row| half(add(flushed(operands(row, 1))).flushed(HALF))),
    ),
    (
        "sub.rn.ftz.f16x2, lower",
        Half(|row| half(sub(flushed(operands(row, 0))).flushed(HALF))),
    ),
    (
        "sub.rn.ftz.f16x2, upper",
        Half(|row| half(sub(flushed(operands(row, 1))).flushed(HALF))),
    ),
    (
        "mul.rn.ftz.f16x2, lower",
        Half(|row| half(mul(flushed(operands(row, 0))).flushed(HALF))),
    ),
    (
        "mul.rn.ftz.f16x2, upper",
        Half(|row| half(mul(flushed(operands(row, 1))).flushed(HALF))),
    ),
    (
        "fma.rn.ftz.f16x2, lower",
        Half(|row| half(fma(flushed(operands(row, 0))).flushed(HALF))),
    ),
    (
        "fma.rn.ftz.f16x2, upper",
        Half(|row| half(fma(flushed(operands(row, 1))).flushed(HALF))),
    ),
    (
        "add.rn.sat.f16x2, lower",
        Within(Format::Half, |row| saturated(half(add(operands(row, 0))))),
    ),
    (
        "add.rn.sat.f16x2, upper",
        Within(Format::Half, |row| saturated(half(add(operands(row, 1))))),
    ),
    (
        "sub.rn.sat.f16x2, lower",
        Within(Format::Half, |row| saturated(half(sub(operands(row, 0))))),
    ),
    (
        "sub.rn.sat.f16x2, upper",
        Within(Format::Half, |row| saturated(half(sub(operands(row, 1))))),
    ),
    (
        "mul.rn.sat.f16x2, lower",
        Within(Format::Half, |row| saturated(half(mul(operands(row, 0))))),
    ),
    (
        "mul.rn.sat.f16x2, upper",
        Within(Format::Half, |row| saturated(half(mul(operands(row, 1))))),
    ),
    (
        "fma.rn.sat.f16x2, lower",
        Within(Format::Half, |row| saturated(half(fma(operands(row, 0))))),
    ),
    (
        "fma.rn.sat.f16x2, upper",
        Within(Format::Half, |row| saturated(half(fma(operands(row, 1))))),
    ),
    ("add.rn.f16", Half(|row| half(add(mixed(row, [0, 1, 0]))))),
    ("sub.rn.f16", Half(|row| half(sub(mixed(row, [0, 1, 0]))))),
    ("mul.rn.f16", Half(|row| half(mul(mixed(row, [0, 1, 0]))))),
    ("fma.rn.f16", Half(|row| half(fma(mixed(row, [1, 0, 1]))))),
    (
        "setp.lt.f16x2",
        Word(|row| {
            u32::from(lane(row, 0, 0) < lane(row, 1, 0))
                + 2 * u32::from(lane(row, 0, 1) < lane(row, 1, 1))
        }),
    ),
    (
        "setp.geu.f16",
        Word(|row| {
            let (a, b) = (lane(row, 0, 0), lane(row, 1, 0));
            let number = !lane(row, 0, 1).is_nan();
            u32::from(!matches!(a.partial_cmp(&b), Some(Ordering::Less))) + 2 * u32::from(number)
        }),
    ),
];

/// In the order in which the kernel stores them.
const ORDER: &[Operation<Row>] = &[
    (
        "min.f16x2, lower",
        Within(Format::Half, |row| min(lane(row, 0, 0), lane(row, 1, 0))),
    ),
    (
        "min.f16x2, upper",
        Within(Format::Half, |row| min(lane(row, 0, 1), lane(row, 1, 1))),
    ),
    (
        "max.f16x2, lower",
        Within(Format::Half, |row| max(lane(row, 0, 0), lane(row, 1, 0))),
    ),
    (
        "max.f16x2, upper",
        Within(Format::Half, |row| max(lane(row, 0, 1), lane(row, 1, 1))),
    ),
    (
        "min.NaN.f16x2, lower",
        Within(Format::Half, |row| {
            min_or_nan(lane(row, 0, 0), lane(row, 1, 0))
        }),
    ),
    (
        "min.NaN.f16x2, upper",
        Within(Format::Half, |row| {
            min_or_nan(lane(row, 0, 1), lane(row, 1, 1))
        }),
    ),
    (
        "max.NaN.f16x2, lower",
        Within(Format::Half, |row| {
            max_or_nan(lane(row, 0, 0), lane(row, 1, 0))
        }),
    ),
    (
        "max.NaN.f16x2, upper",
        Within(Format::Half, |row| {
            max_or_nan(lane(row, 0, 1), lane(row, 1, 1))
        }),
    ),
    (
        "min.ftz.f16x2, lower",
        Within(Format::Half, |row| {
            min(flush(lane(row, 0, 0)), flush(lane(row, 1, 0)))
        }),
    ),
    (
        "min.ftz.f16x2, upper",
        Within(Format::Half, |row| {
            min(flush(lane(row, 0, 1)), flush(lane(row, 1, 1)))
        }),
    ),
    (
        "max.ftz.f16x2, lower",
        Within(Format::Half, |row| {
            max(flush(lane(row, 0, 0)), flush(lane(row, 1, 0)))
        }),
    ),
    (
        "max.ftz.f16x2, upper",
        Within(Format::Half, |row| {
            max(flush(lane(row, 0, 1)), flush(lane(row, 1, 1)))
        }),
    ),
    (
        "fma.rn.relu.f16x2, lower",
        Within(Format::Half, |row| {
            cut_off(half(fma(operands(row, 0))).to_f64())
        }),
    ),
    (
        "fma.rn.relu.f16x2, upper",
        Within(Format::Half, |row| {
            cut_off(half(fma(operands(row, 1))).to_f64())
        }),
    ),
    (
        "min.f16",
        Within(Format::Half, |row| min(lane(row, 0, 0), lane(row, 1, 1))),
    ),
    (
        "max.NaN.f16",
        Within(Format::Half, |row| {
            max_or_nan(lane(row, 0, 1), lane(row, 1, 0))
        }),
    ),
    (
        "neg.f16x2, lower",
        Half(|row| -f16::from_bits(bits(row, 0, 0))),
    ),
    (
        "neg.f16x2, upper",
        Half(|row| -f16::from_bits(bits(row, 0, 1))),
    ),
    (
        "abs.f16x2, lower",
        Half(|row| f16::from_bits(bits(row, 0, 0) & 0x7FFF)),
    ),
    (
        "abs.f16x2, upper",
        Half(|row| f16::from_bits(bits(row, 0, 1) & 0x7FFF)),
    ),
];
