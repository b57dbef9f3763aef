//! Conversions from and to half precision.

use half::f16;

use super::{to_s32, to_s64, to_u32, to_u64};
use crate::catalogue::rows::program;
use crate::exact::{
    Exact, HALF,
    Rounding::{self, Down, Nearest, Up, Zero},
};
use crate::table::{
    Format, Operation,
    Reference::{Double, Half, Integer, Single, Within},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs.
struct Row {
    d: f64,
    f: f32,
    w: i32,
    h: u16,
}

/// Around the ends of the format: the smallest subnormal and half of it, the smallest normal number, 1, the
/// largest number, and where rounding to nearest overflows.
const CORNERS: [f64; 10] = [
    0.0,
    5.960_464_477_539_063e-8,
    2.980_232_238_769_531_5e-8,
    6.103_515_625e-5,
    6.097_555_160_522_461e-5,
    1.0,
    65_504.0,
    65_520.0,
    f64::INFINITY,
    f64::NAN,
];

pub(super) fn convert_half(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Row> = (0..2039).map(|index| row(seed, index)).collect();
    let inputs = rows
        .iter()
        .flat_map(|row| {
            let mut bytes = Vec::with_capacity(24);
            bytes.extend(row.d.to_le_bytes());
            bytes.extend(row.f.to_le_bytes());
            bytes.extend(row.w.to_le_bytes());
            bytes.extend(row.h.to_le_bytes());
            bytes.resize(24, 0);
            bytes
        })
        .collect();
    program("convert_half", inputs, &rows, OPERATIONS)
}

fn row(seed: u64, index: usize) -> Row {
    let bits = input(seed, 120, index);
    let noise = input(seed, 121, index);
    let negative = |value: f64| if noise & 1 == 1 { -value } else { value };
    // Every pattern of 16 bits within 32 rows of it, so that each exponent occurs.
    let h = (index * 33) as u16 ^ (noise >> 48) as u16 & 31;
    let corner = CORNERS[index / 7 % CORNERS.len()];
    let d = match index % 7 {
        0 => negative(corner),
        1 => negative(f64::from_bits(corner.to_bits() + 1)),
        2 => negative(f64::from_bits(corner.to_bits().saturating_sub(1))),
        // Halfway between two neighbours, or a little beside it: there, rounding twice goes wrong.
        3 | 4 => {
            let lower = f16::from_bits(bits as u16 & 0x7BFE).to_f64();
            let upper = f16::from_bits((bits as u16 & 0x7BFE) + 1).to_f64();
            let tie = f64::midpoint(lower, upper);
            negative(f64::from_bits(tie.to_bits() + (noise >> 1 & 1)))
        }
        5 => f64::from_bits(bits & 0x800F_FFFF_FFFF_FFFF | (990 + (noise >> 8) % 60) << 52),
        _ => f64::from(f32::from_bits(bits as u32)),
    };
    let w = (bits >> 32) as i32 >> (noise >> 16 & 31);
    Row {
        d,
        f: d as f32,
        w,
        h,
    }
}

impl Row {
    fn f(&self) -> Exact {
        Exact::single(self.f)
    }

    fn h(&self) -> Exact {
        Exact::read(HALF, self.h.into())
    }
}

fn half(value: Exact, rounding: Rounding) -> f16 {
    f16::from_bits(value.round(HALF, rounding) as u16)
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
const OPERATIONS: &[Operation<Row>] = &[
    ("cvt.f64.f16", Double(|row| row.h().to_double(Nearest))),
    (
        "cvt.rni.s64.f16",
        Integer(Format::Long, |row| to_s64(row.h(), Nearest)),
    ),
    (
        "cvt.rzi.u64.f16",
        Integer(Format::Long, |row| to_u64(row.h(), Zero)),
    ),
    ("cvt.f32.f16", Single(|row| row.h().to_single(Nearest))),
    (
        "cvt.rni.s32.f16",
        Integer(Format::Word, |row| to_s32(row.h(), Nearest)),
    ),
    (
        "cvt.rzi.s32.f16",
        Integer(Format::Word, |row| to_s32(row.h(), Zero)),
    ),
    (
        "cvt.rmi.s32.f16",
        Integer(Format::Word, |row| to_s32(row.h(), Down)),
    ),
    (
        "cvt.rpi.s32.f16",
        Integer(Format::Word, |row| to_s32(row.h(), Up)),
    ),
    (
        "cvt.rzi.u32.f16",
        Integer(Format::Word, |row| to_u32(row.h(), Zero)),
    ),
    ("cvt.rn.f16.f32", Half(|row| half(row.f(), Nearest))),
    ("cvt.rz.f16.f32", Half(|row| half(row.f(), Zero))),
    ("cvt.rm.f16.f32", Half(|row| half(row.f(), Down))),
    ("cvt.rp.f16.f32", Half(|row| half(row.f(), Up))),
    (
        "cvt.rp.sat.f16.f32",
        Within(Format::Half, |row| saturated(half(row.f(), Up))),
    ),
    (
        "cvt.rn.sat.f16.f32",
        Within(Format::Half, |row| saturated(half(row.f(), Nearest))),
    ),
    (
        "cvt.rn.f16.f64",
        Half(|row| half(Exact::double(row.d), Nearest)),
    ),
    (
        "cvt.rz.f16.f64",
        Half(|row| half(Exact::double(row.d), Zero)),
    ),
    (
        "cvt.rm.f16.f64",
        Half(|row| half(Exact::double(row.d), Down)),
    ),
    ("cvt.rp.f16.f64", Half(|row| half(Exact::double(row.d), Up))),
    (
        "cvt.rn.f16.s32",
        Half(|row| half(Exact::integer(row.w.into()), Nearest)),
    ),
    (
        "cvt.rz.f16.u32",
        Half(|row| half(Exact::integer((row.w as u32).into()), Zero)),
    ),
    (
        "cvt.rm.f16.s32",
        Half(|row| half(Exact::integer(row.w.into()), Down)),
    ),
    (
        "cvt.rp.f16.s64",
        Half(|row| half(Exact::integer(row.w.into()), Up)),
    ),
    (
        "cvt.rni.f16.f16",
        Half(|row| half(row.h().whole(Nearest), Nearest)),
    ),
    (
        "cvt.rzi.f16.f16",
        Half(|row| half(row.h().whole(Zero), Nearest)),
    ),
    (
        "cvt.rmi.f16.f16",
        Half(|row| half(row.h().whole(Down), Nearest)),
    ),
    (
        "cvt.rpi.f16.f16",
        Half(|row| half(row.h().whole(Up), Nearest)),
    ),
    (
        "cvt.sat.f16.f16",
        Within(Format::Half, |row| saturated(f16::from_bits(row.h))),
    ),
    (
        "cvt.rn.f16.f32 of cvt.f32.f16",
        Half(|row| f16::from_bits(row.h)),
    ),
];
