//! Single precision as IEEE 754 defines it.

use crate::catalogue::rows::{program, words};
use crate::exact::{
    Exact,
    Rounding::{self, Down, Nearest, Up, Zero},
    SINGLE,
};
use crate::table::{
    Operation,
    Reference::{Near, Single},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs: a, b, c, and one word that only fills the row.
pub(super) type Row = [f32; 4];

/// Where rounding, overflow, underflow, and special values meet.
const CORNERS: [u32; 16] = [
    0x0000_0000, // 0
    0x0000_0001, // the smallest subnormal number
    0x0000_0003,
    0x007F_FFFF, // the largest subnormal number
    0x0080_0000, // the smallest normal number
    0x0080_0001,
    0x3F7F_FFFF, // just below 1
    0x3F80_0000, // 1
    0x3F80_0001, // just above 1
    0x3FC0_0001,
    0x4B7F_FFFF, // the last odd integer below 2^24
    0x4BFF_FFFF,
    0x7EFF_FFFF, // half of the largest number
    0x7F7F_FFFF, // the largest number
    0x7F80_0000, // infinity
    0x7FC0_0000, // NaN
];

/// A random number: one third any bits, one third near 1 so that sums cancel, one third short significands
/// so that ties happen.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is one number"
)]
pub(super) fn random(seed: u64, stream: u64, index: usize) -> f32 {
    let bits = input(seed, stream, index);
    let word = bits as u32;
    f32::from_bits(match bits >> 32 {
        choice if choice % 3 == 0 => word,
        choice if choice % 3 == 1 => word & 0x81FF_FFFF | 0x3E00_0000,
        _ => word & 0x807F_F000 | (0x3F00_0000 + (word & 0xF) * 0x0080_0000),
    })
}

/// Every pair of corners with every pair of signs as a and b, and after them random rows.
pub(super) fn rows(seed: u64, stream: u64, count: usize) -> Vec<Row> {
    let corners = CORNERS.len();
    (0..count)
        .map(|index| {
            let random = |part| random(seed, stream + part, index);
            if index < 4 * corners * corners {
                let (pair, signs) = (index / 4, index as u64 % 4);
                let signed = |corner: usize, negative: bool| {
                    f32::from_bits(CORNERS[corner % corners] | u32::from(negative) << 31)
                };
                let a = signed(pair / corners, signs & 1 != 0);
                let b = signed(pair % corners, signs & 2 != 0);
                // The addend of a fused operation: nearly the product's opposite, or a corner.
                let c = match index % 5 {
                    0 | 1 => -(a * b),
                    2 => random(2),
                    _ => signed(pair * 7 + index % 5, index % 3 == 0),
                };
                [a, b, c, 0.0]
            } else {
                let (a, b) = (random(0), random(1));
                let c = if index % 3 == 0 { -(a * b) } else { random(2) };
                [a, b, c, 0.0]
            }
        })
        .collect()
}

pub(super) fn flat(rows: &[Row]) -> Vec<u8> {
    words(rows.iter().flatten().map(|value| value.to_bits()))
}

pub(super) fn fp32_ieee(_: &DeviceLimits, seed: u64) -> Program {
    let mut rows = rows(seed, 40, 1999);
    for row in &mut rows {
        let flushed = row.map(|value| Exact::single(value).flushed(SINGLE));
        let [a, b, c, _] = flushed;
        let results = [
            a.times(b),
            a.times(b).plus(c, Nearest),
            a.over(b),
            Exact::single(1.0).over(b),
        ];
        if results.into_iter().any(|result| result.straddles(SINGLE)) {
            *row = [1.25, 3.0, -3.75, 0.0];
        }
    }
    program("fp32_ieee", flat(&rows), &rows, OPERATIONS)
}

fn exact(row: &Row) -> [Exact; 4] {
    row.map(Exact::single)
}

fn add(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, ..] = exact(row);
    a.plus(b, rounding)
}

fn sub(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, ..] = exact(row);
    a.plus(b.with_sign(!b.negative()), rounding)
}

fn mul(row: &Row) -> Exact {
    let [a, b, ..] = exact(row);
    a.times(b)
}

fn fma(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, c, _] = exact(row);
    a.times(b).plus(c, rounding)
}

fn div(row: &Row) -> Exact {
    let [a, b, ..] = exact(row);
    a.over(b)
}

fn rcp(row: &Row) -> Exact {
    Exact::single(1.0).over(exact(row)[1])
}

fn sqrt(row: &Row) -> Exact {
    exact(row)[0].root()
}

/// The row as an operation with `.ftz` sees it.
fn ftz(row: &Row) -> Row {
    row.map(|value| {
        let flushed = Exact::single(value).flushed(SINGLE);
        flushed.to_single(Nearest)
    })
}

/// The result as an operation with `.ftz` returns it.
fn flush(result: Exact, rounding: Rounding) -> f32 {
    result.flushed(SINGLE).to_single(rounding)
}

/// Clamped to [0, 1]. Whether -0 becomes +0 is open, so a zero of either sign is right.
fn saturated(result: Exact) -> (f64, f64) {
    let value = f64::from(result.to_single(Nearest));
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
const OPERATIONS: &[Operation<Row>] = &[
    (
        "add.rn.f32",
        Single(|row| add(row, Nearest).to_single(Nearest)),
    ),
    ("add.rz.f32", Single(|row| add(row, Zero).to_single(Zero))),
    ("add.rm.f32", Single(|row| add(row, Down).to_single(Down))),
    ("add.rp.f32", Single(|row| add(row, Up).to_single(Up))),
    (
        "sub.rn.f32",
        Single(|row| sub(row, Nearest).to_single(Nearest)),
    ),
    ("sub.rz.f32", Single(|row| sub(row, Zero).to_single(Zero))),
    ("sub.rm.f32", Single(|row| sub(row, Down).to_single(Down))),
    ("sub.rp.f32", Single(|row| sub(row, Up).to_single(Up))),
    ("mul.rn.f32", Single(|row| mul(row).to_single(Nearest))),
    ("mul.rz.f32", Single(|row| mul(row).to_single(Zero))),
    ("mul.rm.f32", Single(|row| mul(row).to_single(Down))),
    ("mul.rp.f32", Single(|row| mul(row).to_single(Up))),
    (
        "fma.rn.f32",
        Single(|row| fma(row, Nearest).to_single(Nearest)),
    ),
    ("fma.rz.f32", Single(|row| fma(row, Zero).to_single(Zero))),
    ("fma.rm.f32", Single(|row| fma(row, Down).to_single(Down))),
    ("fma.rp.f32", Single(|row| fma(row, Up).to_single(Up))),
    ("div.rn.f32", Single(|row| div(row).to_single(Nearest))),
    ("div.rz.f32", Single(|row| div(row).to_single(Zero))),
    ("div.rm.f32", Single(|row| div(row).to_single(Down))),
    ("div.rp.f32", Single(|row| div(row).to_single(Up))),
    ("rcp.rn.f32", Single(|row| rcp(row).to_single(Nearest))),
    ("rcp.rz.f32", Single(|row| rcp(row).to_single(Zero))),
    ("rcp.rm.f32", Single(|row| rcp(row).to_single(Down))),
    ("rcp.rp.f32", Single(|row| rcp(row).to_single(Up))),
    ("sqrt.rn.f32", Single(|row| sqrt(row).to_single(Nearest))),
    ("sqrt.rz.f32", Single(|row| sqrt(row).to_single(Zero))),
    ("sqrt.rm.f32", Single(|row| sqrt(row).to_single(Down))),
    ("sqrt.rp.f32", Single(|row| sqrt(row).to_single(Up))),
    (
        "add.rn.ftz.f32",
        Single(|row| flush(add(&ftz(row), Nearest), Nearest)),
    ),
    (
        "mul.rn.ftz.f32",
        Single(|row| flush(mul(&ftz(row)), Nearest)),
    ),
    ("mul.rz.ftz.f32", Single(|row| flush(mul(&ftz(row)), Zero))),
    (
        "fma.rn.ftz.f32",
        Single(|row| flush(fma(&ftz(row), Nearest), Nearest)),
    ),
    (
        "div.rn.ftz.f32",
        Single(|row| flush(div(&ftz(row)), Nearest)),
    ),
    (
        "rcp.rn.ftz.f32",
        Single(|row| flush(rcp(&ftz(row)), Nearest)),
    ),
    (
        "sqrt.rn.ftz.f32",
        Single(|row| flush(sqrt(&ftz(row)), Nearest)),
    ),
    ("add.rn.sat.f32", Near(|row| saturated(add(row, Nearest)))),
    ("mul.rn.sat.f32", Near(|row| saturated(mul(row)))),
    ("fma.rn.sat.f32", Near(|row| saturated(fma(row, Nearest)))),
    ("abs.f32", Single(|[a, ..]| a.abs())),
    ("neg.f32", Single(|[a, ..]| -a)),
    ("abs.ftz.f32", Single(|row| ftz(row)[1].abs())),
    ("neg.ftz.f32", Single(|row| -ftz(row)[1])),
    // PTX takes the sign from the first operand.
    ("copysign.f32", Single(|[a, b, ..]| b.copysign(*a))),
];
