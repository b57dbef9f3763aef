//! Conversions from single precision to the formats of tensor cores.

use half::{bf16, f16};

use crate::catalogue::rows::{program, words};
use crate::exact::{
    BFLOAT, Exact, HALF,
    Rounding::{self, Nearest, NearestAway, Zero},
    TENSOR,
};
use crate::table::{
    Format, Operation,
    Reference::{Bfloat, Half, Single, Within},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs: a, b, c, and one word that only fills the row.
type Row = [f32; 4];

const CORNERS: [u32; 12] = [
    0x0000_0000,
    0x0000_0001,
    0x0000_8000, // half of the smallest subnormal number of bf16
    0x007F_FFFF,
    0x3F80_0000,
    0x3F80_8000, // halfway between two numbers of bf16
    0x3F81_8000,
    0x3F80_1000, // halfway between two numbers of tf32
    0x477F_F000, // where half precision overflows
    0x7F7F_FFFF, // where bf16 overflows
    0x7F80_0000,
    0x7FC0_0000,
];

pub(super) fn convert_bf16_tf32(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Row> = (0..1153)
        .map(|index| {
            [0, 1, 2].map(|part| number(input(seed, 130 + part, index), index + 5 * part as usize))
        })
        .map(|[a, b, c]| [a, b, c, 0.0])
        .collect();
    let inputs = words(rows.iter().flatten().map(|value| value.to_bits()));
    program("convert_bf16_tf32", inputs, &rows, OPERATIONS)
}

/// A corner, a tie of one of the formats, a number that half precision holds, or any bits.
fn number(bits: u64, index: usize) -> f32 {
    let word = bits as u32;
    f32::from_bits(match bits >> 32 & 7 {
        0 => CORNERS[index % CORNERS.len()] | word & 0x8000_0000,
        1 => word & 0xFFFF_0000 | 0x8000,
        2 => word & 0xFFFF_E000 | 0x1000,
        3 => word & 0x87FF_E000 | 0x3800_1000,
        4 | 5 => word & 0x87FF_FFFF | 0x3800_0000,
        _ => word,
    })
}

fn bfloat(value: f32, rounding: Rounding) -> bf16 {
    bf16::from_bits(Exact::single(value).round(BFLOAT, rounding) as u16)
}

fn half(value: f32, rounding: Rounding) -> f16 {
    f16::from_bits(Exact::single(value).round(HALF, rounding) as u16)
}

/// The upper 19 bits hold the number; the kernel clears the others.
fn tensor(value: f32) -> f32 {
    let bits = Exact::single(value).round(TENSOR, NearestAway) as u32;
    f32::from_bits(bits << 13)
}

/// `.relu`: below zero there is only zero, of either sign.
fn cut_off(value: f64) -> (f64, f64) {
    (
        if value.is_nan() {
            value
        } else {
            value.max(0.0)
        },
        0.0,
    )
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    ("cvt.rn.bf16.f32", Bfloat(|[a, ..]| bfloat(*a, Nearest))),
    ("cvt.rz.bf16.f32", Bfloat(|[a, ..]| bfloat(*a, Zero))),
    (
        "cvt.rn.relu.bf16.f32",
        Within(Format::Bfloat, |[_, _, c, _]| {
            cut_off(bfloat(*c, Nearest).to_f64())
        }),
    ),
    (
        "cvt.rz.relu.bf16.f32",
        Within(Format::Bfloat, |[_, _, c, _]| {
            cut_off(bfloat(*c, Zero).to_f64())
        }),
    ),
    (
        "cvt.rn.bf16x2.f32, lower",
        Bfloat(|[_, b, ..]| bfloat(*b, Nearest)),
    ),
    (
        "cvt.rn.bf16x2.f32, upper",
        Bfloat(|[a, ..]| bfloat(*a, Nearest)),
    ),
    (
        "cvt.rz.bf16x2.f32, lower",
        Bfloat(|[_, b, ..]| bfloat(*b, Zero)),
    ),
    (
        "cvt.rz.bf16x2.f32, upper",
        Bfloat(|[a, ..]| bfloat(*a, Zero)),
    ),
    (
        "cvt.rn.f16x2.f32, lower",
        Half(|[_, b, ..]| half(*b, Nearest)),
    ),
    ("cvt.rn.f16x2.f32, upper", Half(|[a, ..]| half(*a, Nearest))),
    ("cvt.rz.f16x2.f32, lower", Half(|[_, b, ..]| half(*b, Zero))),
    ("cvt.rz.f16x2.f32, upper", Half(|[a, ..]| half(*a, Zero))),
    (
        "cvt.rn.relu.bf16x2.f32, lower",
        Within(Format::Bfloat, |[_, b, ..]| {
            cut_off(bfloat(*b, Nearest).to_f64())
        }),
    ),
    (
        "cvt.rn.relu.bf16x2.f32, upper",
        Within(Format::Bfloat, |[_, _, c, _]| {
            cut_off(bfloat(*c, Nearest).to_f64())
        }),
    ),
    (
        "cvt.rn.relu.f16x2.f32, lower",
        Within(Format::Half, |[_, b, ..]| {
            cut_off(half(*b, Nearest).to_f64())
        }),
    ),
    (
        "cvt.rn.relu.f16x2.f32, upper",
        Within(Format::Half, |[_, _, c, _]| {
            cut_off(half(*c, Nearest).to_f64())
        }),
    ),
    ("cvt.rna.tf32.f32", Single(|[a, ..]| tensor(*a))),
];
