//! Double precision as IEEE 754 defines it.

use crate::catalogue::rows::{longs, program};
use crate::exact::{
    Exact,
    Rounding::{self, Down, Nearest, Up, Zero},
};
use crate::table::{
    Format, Operation,
    Reference::{Double, Within, Word},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs: a, b, c.
type Row = [f64; 3];

/// Where rounding, overflow, underflow, and special values meet.
const CORNERS: [u64; 14] = [
    0,
    1,                     // the smallest subnormal number
    0x000F_FFFF_FFFF_FFFF, // the largest subnormal number
    0x0010_0000_0000_0000, // the smallest normal number
    0x0010_0000_0000_0001,
    0x3FEF_FFFF_FFFF_FFFF, // just below 1
    0x3FF0_0000_0000_0000, // 1
    0x3FF0_0000_0000_0001, // just above 1
    0x3FF8_0000_0000_0001,
    0x433F_FFFF_FFFF_FFFF, // the last odd integer below 2^53
    0x7FDF_FFFF_FFFF_FFFF, // half of the largest number
    0x7FEF_FFFF_FFFF_FFFF, // the largest number
    0x7FF0_0000_0000_0000, // infinity
    0x7FF8_0000_0000_0000, // NaN
];

/// A random number: one third any bits, one third near 1 so that sums cancel, one third short significands
/// so that ties happen.
fn random(seed: u64, stream: u64, index: usize) -> f64 {
    let bits = input(seed, stream, index);
    f64::from_bits(match input(seed, stream + 9, index) % 3 {
        0 => bits,
        1 => bits & 0x803F_FFFF_FFFF_FFFF | 0x3FC0_0000_0000_0000,
        _ => bits & 0x800F_FFFF_E000_0000 | (0x3FE0_0000_0000_0000 + ((bits & 0x1F) << 52)),
    })
}

/// Every pair of corners with every pair of signs as a and b, and after them random rows.
fn rows(seed: u64) -> Vec<Row> {
    let corners = CORNERS.len();
    (0..1499)
        .map(|index| {
            let random = |part: u64| random(seed, 60 + part, index);
            if index < 4 * corners * corners {
                let (pair, signs) = (index / 4, index % 4);
                let signed = |corner: usize, negative: bool| {
                    f64::from_bits(CORNERS[corner % corners] | u64::from(negative) << 63)
                };
                let a = signed(pair / corners, signs & 1 != 0);
                let b = signed(pair % corners, signs & 2 != 0);
                // The addend of a fused operation: nearly the product's opposite, or a corner.
                let c = match index % 5 {
                    0 | 1 => -(a * b),
                    2 => random(2),
                    _ => signed(pair * 5 + index % 5, index % 3 == 0),
                };
                [a, b, c]
            } else {
                let (a, b) = (random(0), random(1));
                [a, b, if index % 3 == 0 { -(a * b) } else { random(2) }]
            }
        })
        .collect()
}

pub(super) fn fp64_ieee(_: &DeviceLimits, seed: u64) -> Program {
    let rows = rows(seed);
    let inputs = longs(rows.iter().flatten().map(|value| value.to_bits()));
    program("fp64_ieee", inputs, &rows, OPERATIONS)
}

fn exact(row: &Row) -> [Exact; 3] {
    row.map(Exact::double)
}

fn add(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, _] = exact(row);
    a.plus(b, rounding)
}

fn sub(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, _] = exact(row);
    a.plus(b.with_sign(!b.negative()), rounding)
}

fn mul(row: &Row) -> Exact {
    let [a, b, _] = exact(row);
    a.times(b)
}

fn fma(row: &Row, rounding: Rounding) -> Exact {
    let [a, b, c] = exact(row);
    a.times(b).plus(c, rounding)
}

fn div(row: &Row) -> Exact {
    let [a, b, _] = exact(row);
    a.over(b)
}

fn rcp(row: &Row) -> Exact {
    Exact::double(1.0).over(exact(row)[1])
}

fn sqrt(row: &Row) -> Exact {
    exact(row)[0].root()
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    (
        "add.rn.f64",
        Double(|row| add(row, Nearest).to_double(Nearest)),
    ),
    ("add.rz.f64", Double(|row| add(row, Zero).to_double(Zero))),
    ("add.rm.f64", Double(|row| add(row, Down).to_double(Down))),
    ("add.rp.f64", Double(|row| add(row, Up).to_double(Up))),
    (
        "sub.rn.f64",
        Double(|row| sub(row, Nearest).to_double(Nearest)),
    ),
    ("sub.rz.f64", Double(|row| sub(row, Zero).to_double(Zero))),
    ("sub.rm.f64", Double(|row| sub(row, Down).to_double(Down))),
    ("sub.rp.f64", Double(|row| sub(row, Up).to_double(Up))),
    ("mul.rn.f64", Double(|row| mul(row).to_double(Nearest))),
    ("mul.rz.f64", Double(|row| mul(row).to_double(Zero))),
    ("mul.rm.f64", Double(|row| mul(row).to_double(Down))),
    ("mul.rp.f64", Double(|row| mul(row).to_double(Up))),
    (
        "fma.rn.f64",
        Double(|row| fma(row, Nearest).to_double(Nearest)),
    ),
    ("fma.rz.f64", Double(|row| fma(row, Zero).to_double(Zero))),
    ("fma.rm.f64", Double(|row| fma(row, Down).to_double(Down))),
    ("fma.rp.f64", Double(|row| fma(row, Up).to_double(Up))),
    ("div.rn.f64", Double(|row| div(row).to_double(Nearest))),
    ("div.rz.f64", Double(|row| div(row).to_double(Zero))),
    ("div.rm.f64", Double(|row| div(row).to_double(Down))),
    ("div.rp.f64", Double(|row| div(row).to_double(Up))),
    ("rcp.rn.f64", Double(|row| rcp(row).to_double(Nearest))),
    ("rcp.rz.f64", Double(|row| rcp(row).to_double(Zero))),
    ("rcp.rm.f64", Double(|row| rcp(row).to_double(Down))),
    ("rcp.rp.f64", Double(|row| rcp(row).to_double(Up))),
    ("sqrt.rn.f64", Double(|row| sqrt(row).to_double(Nearest))),
    ("sqrt.rz.f64", Double(|row| sqrt(row).to_double(Zero))),
    ("sqrt.rm.f64", Double(|row| sqrt(row).to_double(Down))),
    ("sqrt.rp.f64", Double(|row| sqrt(row).to_double(Up))),
    ("abs.f64", Double(|[a, ..]| a.abs())),
    ("neg.f64", Double(|[a, ..]| -a)),
    // PTX takes the sign from the first operand.
    ("copysign.f64", Double(|[a, b, _]| b.copysign(*a))),
    // Of a number and a NaN, the number; of two zeros, either.
    (
        "min.f64",
        Within(Format::Double, |[a, b, _]| (a.min(*b), 0.0)),
    ),
    (
        "max.f64",
        Within(Format::Double, |[a, b, _]| (a.max(*b), 0.0)),
    ),
    (
        "setp.lt.f64",
        Double(|[a, b, _]| if a < b { *a } else { *b }),
    ),
    (
        "set.geu.u32.f64",
        Word(|[a, _, c]| {
            let unordered = a.is_nan() || c.is_nan();
            if unordered || a >= c { u32::MAX } else { 0 }
        }),
    ),
    (
        "set.eq.u32.f64",
        Word(|[a, b, _]| if a == b { u32::MAX } else { 0 }),
    ),
];
