//! Conversions from and to the two formats of eight bits.

use half::f16;

use crate::catalogue::rows::program;
use crate::table::{
    Operation,
    Reference::{Half, Short},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs. `positive` and `nonzero` hold no negative numbers that round to zero: whether `.relu`
/// leaves a negative zero is open.
struct Row {
    floats: [f32; 4],
    pair: u32,
    positive: u32,
    bytes: u16,
    nonzero: u16,
}

pub(super) fn convert_fp8(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Row> = (0..1409).map(|index| row(seed, index)).collect();
    let inputs = rows
        .iter()
        .flat_map(|row| {
            let mut bytes = Vec::with_capacity(32);
            bytes.extend(row.floats.iter().flat_map(|value| value.to_le_bytes()));
            bytes.extend(row.pair.to_le_bytes());
            bytes.extend(row.positive.to_le_bytes());
            bytes.extend(row.bytes.to_le_bytes());
            bytes.extend(row.nonzero.to_le_bytes());
            bytes.resize(32, 0);
            bytes
        })
        .collect();
    program("convert_fp8", inputs, &rows, OPERATIONS)
}

fn row(seed: u64, index: usize) -> Row {
    let floats = [0, 1, 2, 3].map(|part| number(input(seed, 140 + part, index)));
    let halves = [0, 1, 2, 3].map(|part| f16::from_f32(number(input(seed, 144 + part, index))));
    let pack =
        |lower: f16, upper: f16| u32::from(upper.to_bits()) << 16 | u32::from(lower.to_bits());
    let bytes = input(seed, 148, index);
    let nonzero = |byte: u8| if byte == 0x80 { 0x81 } else { byte };
    Row {
        floats: [floats[0], floats[1], clear(floats[2]), clear(floats[3])],
        pair: pack(halves[0], halves[1]),
        positive: pack(
            f16::from_f32(clear(halves[2].to_f32())),
            f16::from_f32(clear(halves[3].to_f32())),
        ),
        // Each byte occurs, the lower one in turn.
        bytes: u16::from_le_bytes([index as u8, bytes as u8]),
        nonzero: u16::from_le_bytes([
            nonzero((bytes >> 8) as u8),
            nonzero((index as u8).wrapping_mul(5)),
        ]),
    }
}

/// A number of one of the formats, a tie between two, one a little beside a tie, or any bits; no negative
/// NaN, whose sign is open.
fn number(bits: u64) -> f32 {
    let code = bits as u8 & 0x7F;
    let format = if bits >> 8 & 1 == 0 { E4M3 } else { E5M2 };
    let value = format.value(code.min(format.largest));
    let next = format.value((code + 1).min(format.largest));
    let tie = f32::midpoint(value, next);
    let magnitude = match bits >> 9 & 7 {
        0 => value,
        1 | 2 => tie,
        3 => f32::from_bits(tie.to_bits() + (1 << 13)),
        4 => f32::from_bits(tie.to_bits().saturating_sub(1 << 13)),
        5 => f32::from_bits((bits >> 32) as u32 & 0x0FFF_FFFF | 0x3000_0000),
        _ => f32::from_bits((bits >> 32) as u32 & 0x7FFF_FFFF),
    };
    if magnitude.is_nan() {
        f32::NAN
    } else if bits >> 12 & 1 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// Makes a negative number that rounds to zero positive.
fn clear(value: f32) -> f32 {
    if value.abs() < 0.002 {
        value.abs()
    } else {
        value
    }
}

/// `.relu`: below zero there is only zero.
fn cut_off(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

fn half(pair: u32, index: u32) -> f32 {
    f16::from_bits((pair >> (16 * index)) as u16).to_f32()
}

/// A format of eight bits.
#[derive(Clone, Copy)]
struct Small {
    /// Bits of the fraction.
    fraction: u32,
    /// What is subtracted from the exponent's bits.
    bias: i32,
    /// The code of the largest number.
    largest: u8,
    /// The code of infinity, where there is one.
    infinity: Option<u8>,
}

const E4M3: Small = Small {
    fraction: 3,
    bias: 7,
    largest: 0x7E,
    infinity: None,
};

const E5M2: Small = Small {
    fraction: 2,
    bias: 15,
    largest: 0x7B,
    infinity: Some(0x7C),
};

impl Small {
    /// The number that a code stands for.
    fn value(self, code: u8) -> f32 {
        let magnitude = code & 0x7F;
        let exponent = i32::from(magnitude >> self.fraction);
        let fraction = f32::from(magnitude & ((1 << self.fraction) - 1));
        let unit = (1 << self.fraction) as f32;
        let value = if self.infinity == Some(magnitude) {
            f32::INFINITY
        } else if magnitude > self.largest {
            f32::NAN
        } else if exponent == 0 {
            fraction / unit * (1.0 - self.bias as f32).exp2()
        } else {
            (1.0 + fraction / unit) * ((exponent - self.bias) as f32).exp2()
        };
        if code & 0x80 == 0 { value } else { -value }
    }

    /// The code of the nearest finite number, the even one of two equally near.
    fn nearest(self, value: f32) -> u8 {
        if value.is_nan() {
            return 0x7F;
        }
        let wanted = f64::from(value.abs());
        let distance = |code: u8| (f64::from(self.value(code)) - wanted).abs();
        let magnitude = if wanted >= f64::from(self.value(self.largest)) {
            self.largest
        } else {
            (0..self.largest)
                .find(|code| f64::from(self.value(code + 1)) > wanted)
                .map_or(self.largest, |lower| {
                    match distance(lower).total_cmp(&distance(lower + 1)) {
                        std::cmp::Ordering::Less => lower,
                        std::cmp::Ordering::Greater => lower + 1,
                        std::cmp::Ordering::Equal => lower + lower % 2,
                    }
                })
        };
        magnitude | u8::from(value.is_sign_negative()) << 7
    }
}

/// Two codes in the order of memory.
fn two(format: Small, lower: f32, upper: f32) -> u16 {
    u16::from_le_bytes([format.nearest(lower), format.nearest(upper)])
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    (
        "cvt.rn.satfinite.e4m3x2.f32",
        Short(|row| two(E4M3, row.floats[1], row.floats[0])),
    ),
    (
        "cvt.rn.satfinite.e5m2x2.f32",
        Short(|row| two(E5M2, row.floats[1], row.floats[0])),
    ),
    (
        "cvt.rn.satfinite.relu.e4m3x2.f32",
        Short(|row| two(E4M3, cut_off(row.floats[3]), cut_off(row.floats[2]))),
    ),
    (
        "cvt.rn.satfinite.relu.e5m2x2.f32",
        Short(|row| two(E5M2, cut_off(row.floats[3]), cut_off(row.floats[2]))),
    ),
    (
        "cvt.rn.satfinite.e4m3x2.f16x2",
        Short(|row| two(E4M3, half(row.pair, 0), half(row.pair, 1))),
    ),
    (
        "cvt.rn.satfinite.e5m2x2.f16x2",
        Short(|row| two(E5M2, half(row.pair, 0), half(row.pair, 1))),
    ),
    (
        "cvt.rn.satfinite.relu.e4m3x2.f16x2",
        Short(|row| {
            two(
                E4M3,
                cut_off(half(row.positive, 0)),
                cut_off(half(row.positive, 1)),
            )
        }),
    ),
    (
        "cvt.rn.satfinite.relu.e5m2x2.f16x2",
        Short(|row| {
            two(
                E5M2,
                cut_off(half(row.positive, 0)),
                cut_off(half(row.positive, 1)),
            )
        }),
    ),
    (
        "cvt.rn.f16x2.e4m3x2, lower",
        Half(|row| f16::from_f32(E4M3.value(row.bytes as u8))),
    ),
    (
        "cvt.rn.f16x2.e4m3x2, upper",
        Half(|row| f16::from_f32(E4M3.value((row.bytes >> 8) as u8))),
    ),
    (
        "cvt.rn.f16x2.e5m2x2, lower",
        Half(|row| f16::from_f32(E5M2.value(row.bytes as u8))),
    ),
    (
        "cvt.rn.f16x2.e5m2x2, upper",
        Half(|row| f16::from_f32(E5M2.value((row.bytes >> 8) as u8))),
    ),
    (
        "cvt.rn.relu.f16x2.e4m3x2, lower",
        Half(|row| f16::from_f32(cut_off(E4M3.value(row.nonzero as u8)))),
    ),
    (
        "cvt.rn.relu.f16x2.e4m3x2, upper",
        Half(|row| f16::from_f32(cut_off(E4M3.value((row.nonzero >> 8) as u8)))),
    ),
    (
        "cvt.rn.relu.f16x2.e5m2x2, lower",
        Half(|row| f16::from_f32(cut_off(E5M2.value(row.nonzero as u8)))),
    ),
    (
        "cvt.rn.relu.f16x2.e5m2x2, upper",
        Half(|row| f16::from_f32(cut_off(E5M2.value((row.nonzero >> 8) as u8)))),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: Small, value: f32, expected: u8) {
        assert_eq!(format.nearest(value), expected, "{value:e}");
    }

    #[test]
    fn codes_are_those_of_the_specification() {
        check(E4M3, 448.0, 0x7E);
        check(E4M3, 1e9, 0x7E);
        check(E4M3, f32::NEG_INFINITY, 0xFE);
        check(E4M3, 0.015_625, 0x08);
        check(E4M3, 0.001_953_125, 0x01);
        check(E4M3, 0.000_976_562_5, 0x00); // half of the smallest, to even
        check(E4M3, -0.000_976_6, 0x81);
        check(E4M3, f32::NAN, 0x7F);
        check(E5M2, 57_344.0, 0x7B);
        check(E5M2, 60_000.0, 0x7B);
        check(E5M2, 1.0, 0x3C);
        check(E5M2, 1.125, 0x3C); // halfway, to even
        check(E5M2, 1.375, 0x3E);
        check(E5M2, 1.525_879e-5, 0x01);
        assert!(E5M2.value(0x7C).is_infinite());
        assert!(E4M3.value(0x7F).is_nan());
        for code in (0..=0xFF).filter(|code| code & 0x7F <= 0x7B) {
            check(E5M2, E5M2.value(code), code);
            check(E4M3, E4M3.value(code), code);
        }
    }
}
