//! Conversions: every `f16`, `bf16` and byte, against values that are decoded digit by digit.

use proptest::prelude::*;

use crate::numeric::convert::{
    FloatFormat, IntFormat, bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16, float_to_float,
    float_to_int, int_to_float, int_to_int, pack_f32x2, pack_fp8x2_from_f16x2, round_to_integral,
    unpack_fp8x2,
};
use crate::numeric::{Mode, Relu, Rounding, Saturation, Signedness, Subnormal, double, single};

const ROUNDINGS: [Rounding; 5] = [
    Rounding::NearestEven,
    Rounding::Zero,
    Rounding::Down,
    Rounding::Up,
    Rounding::NearestAway,
];

/// The value of a small pattern by the definition of the format.
fn decoded(bits: u32, exponent_bits: u32, fraction_bits: u32, infinite: Infinite) -> f64 {
    let field = bits >> fraction_bits & ((1 << exponent_bits) - 1);
    let fraction = bits & ((1 << fraction_bits) - 1);
    let bias = (1 << (exponent_bits - 1)) - 1;
    let sign = if bits >> (exponent_bits + fraction_bits) & 1 == 0 {
        1.0
    } else {
        -1.0
    };
    let top = field == (1 << exponent_bits) - 1;
    let unit = 2_f64.powi(-(fraction_bits as i32));
    let magnitude = match infinite {
        Infinite::Exists if top && fraction == 0 => f64::INFINITY,
        Infinite::Exists if top => f64::NAN,
        Infinite::Missing if top && fraction == (1 << fraction_bits) - 1 => f64::NAN,
        Infinite::Exists | Infinite::Missing if field == 0 => {
            f64::from(fraction) * unit * 2_f64.powi(1 - bias)
        }
        Infinite::Exists | Infinite::Missing => {
            (1.0 + f64::from(fraction) * unit) * 2_f64.powi(field as i32 - bias)
        }
    };
    sign * magnitude
}

#[derive(Clone, Copy)]
enum Infinite {
    Exists,
    Missing,
}

/// A narrow format with all its finite values in order.
struct Narrow {
    format: FloatFormat,
    /// Patterns of the magnitudes from zero, and one beyond the largest.
    magnitudes: Vec<f64>,
    sign: u32,
}

fn narrow(format: FloatFormat) -> Narrow {
    let (exponent_bits, fraction_bits, infinite, count) = match format {
        FloatFormat::F16 => (5, 10, Infinite::Exists, 0x7c00),
        FloatFormat::Bf16 => (8, 7, Infinite::Exists, 0x7f80),
        FloatFormat::E4m3 => (4, 3, Infinite::Missing, 0x7f),
        FloatFormat::E5m2 => (5, 2, Infinite::Exists, 0x7c),
        FloatFormat::F64 | FloatFormat::F32 | FloatFormat::Tf32 => unreachable!("not narrow"),
    };
    let mut magnitudes: Vec<f64> = (0..count)
        .map(|bits| decoded(bits, exponent_bits, fraction_bits, infinite))
        .collect();
    let step = magnitudes[count as usize - 1] - magnitudes[count as usize - 2];
    magnitudes.push(magnitudes[count as usize - 1] + step);
    Narrow {
        format,
        magnitudes,
        sign: 1 << (exponent_bits + fraction_bits),
    }
}

impl Narrow {
    /// The pattern by search, the last one being "beyond".
    fn search(&self, value: f64, rounding: Rounding) -> u32 {
        let magnitude = value.abs();
        let beyond = self.magnitudes.len() - 1;
        let above = self
            .magnitudes
            .partition_point(|&m| m < magnitude)
            .min(beyond);
        let index = if self.magnitudes[above] <= magnitude {
            above
        } else {
            let (low, high) = (above - 1, above);
            let middle = f64::midpoint(self.magnitudes[low], self.magnitudes[high]);
            let up = match rounding {
                Rounding::NearestEven => magnitude > middle || magnitude == middle && high % 2 == 0,
                Rounding::NearestAway => magnitude >= middle,
                Rounding::Zero => false,
                Rounding::Down => value < 0.0,
                Rounding::Up => value > 0.0,
            };
            if up { high } else { low }
        };
        let infinite = match rounding {
            Rounding::NearestEven | Rounding::NearestAway => true,
            Rounding::Zero => false,
            Rounding::Down => value < 0.0,
            Rounding::Up => value > 0.0,
        };
        let byte = matches!(self.format, FloatFormat::E4m3 | FloatFormat::E5m2);
        let index = if index == beyond && (byte || !infinite) {
            beyond - 1
        } else {
            index
        };
        index as u32
            | if value.is_sign_negative() {
                self.sign
            } else {
                0
            }
    }

    #[track_caller]
    fn check(&self, value: f64) {
        for rounding in ROUNDINGS {
            let mode = Mode::rounded(rounding);
            let result = float_to_float(FloatFormat::F64, self.format, value.to_bits(), mode);
            let expected = self.search(value, rounding);
            assert_eq!(
                result,
                u64::from(expected),
                "{:?} {rounding:?} {value:e}",
                self.format
            );
        }
    }
}

const NARROW: [FloatFormat; 4] = [
    FloatFormat::F16,
    FloatFormat::Bf16,
    FloatFormat::E4m3,
    FloatFormat::E5m2,
];

#[test]
fn values_at_and_between_all_neighbours() {
    for format in NARROW {
        let narrow = narrow(format);
        for pair in narrow.magnitudes.windows(2) {
            let middle = f64::midpoint(pair[0], pair[1]);
            for value in [
                pair[0],
                middle,
                middle.next_down(),
                middle.next_up(),
                pair[0].next_up(),
            ] {
                narrow.check(value);
                narrow.check(-value);
            }
        }
        narrow.check(1e300);
        narrow.check(-1e300);
    }
}

#[test]
fn every_half_is_widened_exactly() {
    for bits in 0..=u16::MAX {
        let value = decoded(bits.into(), 5, 10, Infinite::Exists);
        let brain = decoded(bits.into(), 8, 7, Infinite::Exists);
        for (result, value) in [(f16_to_f32(bits), value), (bf16_to_f32(bits), brain)] {
            let expected = if value.is_nan() {
                single::NAN
            } else {
                (value as f32).to_bits()
            };
            assert_eq!(result, expected, "{bits:#06x}");
        }
        assert_eq!(
            f32::from_bits(f16_to_f32(bits)).is_nan(),
            half::f16::from_bits(bits).is_nan()
        );
        for rounding in ROUNDINGS {
            let canonical = |nan: bool| if nan { 0x7fff } else { bits };
            assert_eq!(
                f32_to_f16(f16_to_f32(bits), rounding),
                canonical(value.is_nan())
            );
            assert_eq!(
                f32_to_bf16(bf16_to_f32(bits), rounding),
                canonical(brain.is_nan())
            );
        }
    }
}

#[test]
fn every_byte_is_widened_exactly() {
    for byte in 0..=u8::MAX {
        for (format, value) in [
            (
                FloatFormat::E4m3,
                decoded(byte.into(), 4, 3, Infinite::Missing),
            ),
            (
                FloatFormat::E5m2,
                decoded(byte.into(), 5, 2, Infinite::Exists),
            ),
        ] {
            let packed = u16::from(byte) << 8 | u16::from(byte);
            let result = unpack_fp8x2(format, packed, Relu::Off);
            assert_eq!(result >> 16, result & 0xffff);
            let half = half::f16::from_bits(result as u16);
            if value.is_nan() {
                assert_eq!(half.to_bits(), 0x7fff, "{byte:#04x}");
            } else {
                assert_eq!(half.to_f64().to_bits(), value.to_bits(), "{byte:#04x}");
                let back = pack_fp8x2_from_f16x2(format, result, Mode::RN);
                let finite = if value.is_infinite() {
                    packed - 0x0101
                } else {
                    packed
                };
                assert_eq!(back, finite, "{byte:#04x}");
            }
            let clamped = unpack_fp8x2(format, byte.into(), Relu::On) as u16;
            let expected = if value.is_nan() {
                0x7fff
            } else {
                half::f16::from_f64(value.max(0.0)).to_bits() & 0x7fff
            };
            assert_eq!(clamped, expected, "{byte:#04x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn narrowing_singles_agrees_with_the_half_crate(bits in any::<u32>(), near in 0x3300_0000_u32..0x4800_0000) {
        for bits in [bits, near, near | 1 << 31] {
            let value = f32::from_bits(bits);
            prop_assume!(!value.is_nan());
            prop_assert_eq!(f32_to_f16(bits, Rounding::NearestEven), half::f16::from_f32(value).to_bits());
            prop_assert_eq!(f32_to_bf16(bits, Rounding::NearestEven), half::bf16::from_f32(value).to_bits());
            let slow = float_to_float(FloatFormat::F32, FloatFormat::F16, bits.into(), Mode::RN);
            prop_assert_eq!(slow, u64::from(half::f16::from_f32(value).to_bits()));
            let slow = float_to_float(FloatFormat::F32, FloatFormat::Bf16, bits.into(), Mode::RN);
            prop_assert_eq!(slow, u64::from(half::bf16::from_f32(value).to_bits()));
        }
    }

    #[test]
    fn doubles_become_singles(value in any::<f64>()) {
        let result = float_to_float(FloatFormat::F64, FloatFormat::F32, value.to_bits(), Mode::RN);
        prop_assert_eq!(result, u64::from((value as f32).to_bits()));
        let convert = |rounding| {
            let mode = Mode::rounded(rounding);
            let bits = float_to_float(FloatFormat::F64, FloatFormat::F32, value.to_bits(), mode);
            f32::from_bits(bits as u32)
        };
        let (down, up) = (convert(Rounding::Down), convert(Rounding::Up));
        prop_assert!(f64::from(down) <= value && value <= f64::from(up));
        prop_assert!(down == up || down.next_up() == up);
        let zero = convert(Rounding::Zero);
        prop_assert_eq!(zero, if value < 0.0 { up } else { down });
    }

    #[test]
    fn tf32_keeps_ten_bits(bits in any::<u32>()) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        let convert = |rounding| {
            float_to_float(FloatFormat::F32, FloatFormat::Tf32, bits.into(), Mode::rounded(rounding))
        };
        // Away from zero on a tie: add half a unit and cut.
        prop_assert_eq!(convert(Rounding::NearestAway), u64::from((bits + 0x1000) & !0x1fff));
        prop_assert_eq!(convert(Rounding::Zero), u64::from(bits & !0x1fff));
        let even = (bits + 0x0fff + (bits >> 13 & 1)) & !0x1fff;
        prop_assert_eq!(convert(Rounding::NearestEven), u64::from(even));
    }

    #[test]
    fn integers_become_floats(bits in any::<u64>(), shift in 0_u32..64) {
        let bits = bits >> shift;
        let to = |from, to, rounding| int_to_float(from, to, bits, Mode::rounded(rounding));
        let unsigned = IntFormat { bits: 64, signedness: Signedness::Unsigned };
        let signed = IntFormat { bits: 32, signedness: Signedness::Signed };
        prop_assert_eq!(to(unsigned, FloatFormat::F32, Rounding::NearestEven), u64::from((bits as f32).to_bits()));
        prop_assert_eq!(to(unsigned, FloatFormat::F64, Rounding::NearestEven), (bits as f64).to_bits());
        prop_assert_eq!(to(signed, FloatFormat::F64, Rounding::Up), f64::from(bits as i32).to_bits());
        let down = f32::from_bits(to(unsigned, FloatFormat::F32, Rounding::Down) as u32);
        let up = f32::from_bits(to(unsigned, FloatFormat::F32, Rounding::Up) as u32);
        prop_assert!(down as u128 <= u128::from(bits) && u128::from(bits) <= up as u128);
        prop_assert!(down == up || down.next_up() == up);
        let half = half::f16::from_f32(f32::from(bits as i16)).to_bits();
        let short = IntFormat { bits: 16, signedness: Signedness::Signed };
        prop_assert_eq!(to(short, FloatFormat::F16, Rounding::NearestEven), u64::from(half));
    }

    #[test]
    fn floats_become_integers(value in -1e6_f32..1e6, exponent in -20_i32..45) {
        let value = value * 2_f32.powi(exponent);
        for rounding in ROUNDINGS {
            let whole = match rounding {
                Rounding::NearestEven => value.round_ties_even(),
                Rounding::NearestAway => value.round(),
                Rounding::Zero => value.trunc(),
                Rounding::Down => value.floor(),
                Rounding::Up => value.ceil(),
            };
            let convert = |bits, signedness| {
                let to = IntFormat { bits, signedness };
                float_to_int(FloatFormat::F32, to, value.to_bits().into(), rounding, Subnormal::Keep)
            };
            prop_assert_eq!(convert(8, Signedness::Signed), whole as i8 as u64);
            prop_assert_eq!(convert(8, Signedness::Unsigned), u64::from(whole as u8));
            prop_assert_eq!(convert(16, Signedness::Signed), whole as i16 as u64);
            prop_assert_eq!(convert(16, Signedness::Unsigned), u64::from(whole as u16));
            prop_assert_eq!(convert(32, Signedness::Signed), whole as i32 as u64);
            prop_assert_eq!(convert(32, Signedness::Unsigned), u64::from(whole as u32));
            prop_assert_eq!(convert(64, Signedness::Signed), whole as i64 as u64);
            prop_assert_eq!(convert(64, Signedness::Unsigned), whole as u64);
            let mode = Mode::rounded(rounding);
            let result = round_to_integral(FloatFormat::F32, value.to_bits().into(), mode);
            prop_assert_eq!(result, u64::from(whole.to_bits()));
        }
    }

    #[test]
    fn integers_become_integers(bits in any::<u64>()) {
        let format = |bits, signedness| IntFormat { bits, signedness };
        let (s, u) = (Signedness::Signed, Signedness::Unsigned);
        let cut = |from, to| int_to_int(from, to, bits, Saturation::None);
        let clamp = |from, to| int_to_int(from, to, bits, Saturation::Unit);
        prop_assert_eq!(cut(format(32, s), format(64, s)), bits as i32 as i64 as u64);
        prop_assert_eq!(cut(format(64, s), format(16, u)), u64::from(bits as u16));
        prop_assert_eq!(cut(format(16, s), format(32, u)), u64::from(bits as i16 as u32));
        prop_assert_eq!(clamp(format(64, s), format(8, s)), (bits as i64).clamp(-128, 127) as u64);
        prop_assert_eq!(clamp(format(32, s), format(16, u)), (bits as i32).clamp(0, 65535) as u64);
        prop_assert_eq!(clamp(format(64, u), format(64, s)), bits.min(i64::MAX as u64));
    }
}

#[test]
fn nans_become_what_ptx_says() {
    #[track_caller]
    fn check(from: FloatFormat, bits: u32, signedness: Signedness, expected: u64) {
        let nan = if from == FloatFormat::F64 {
            0x7ff8 << 48
        } else {
            0x7fc0_0000
        };
        let to = IntFormat { bits, signedness };
        let result = float_to_int(from, to, nan, Rounding::Zero, Subnormal::Keep);
        assert_eq!(result, expected, "{result:#x}");
    }
    check(FloatFormat::F32, 32, Signedness::Signed, 0);
    check(FloatFormat::F32, 16, Signedness::Unsigned, 0);
    check(FloatFormat::F32, 64, Signedness::Signed, 1 << 63);
    check(FloatFormat::F32, 64, Signedness::Unsigned, 1 << 63);
    check(FloatFormat::F64, 32, Signedness::Unsigned, 1 << 31);
    check(
        FloatFormat::F64,
        32,
        Signedness::Signed,
        0xffff_ffff_8000_0000,
    );
    check(FloatFormat::F64, 64, Signedness::Signed, 1 << 63);
}

#[test]
fn modifiers() {
    #[track_caller]
    fn check(to: FloatFormat, value: f32, mode: Mode, expected: u64) {
        let result = float_to_float(FloatFormat::F32, to, value.to_bits().into(), mode);
        assert_eq!(result, expected, "{result:#x}");
    }
    let unit = Mode {
        saturation: Saturation::Unit,
        ..Mode::RN
    };
    let finite = Mode {
        saturation: Saturation::Finite,
        ..Mode::RN
    };
    let relu = Mode {
        relu: Relu::On,
        ..Mode::RN
    };
    let flush = Mode {
        subnormal: Subnormal::Flush,
        ..Mode::RN
    };
    check(FloatFormat::F16, 2.0, unit, 0x3c00);
    check(FloatFormat::F16, f32::NAN, unit, 0);
    check(FloatFormat::F16, -0.0, unit, 0);
    check(FloatFormat::F16, 1e9, Mode::RN, 0x7c00);
    check(FloatFormat::F16, -1e9, finite, 0xfbff);
    check(FloatFormat::F16, f32::NAN, finite, 0x7fff);
    check(FloatFormat::Bf16, -2.0, relu, 0);
    check(FloatFormat::Bf16, -f32::NAN, relu, 0x7fff);
    check(FloatFormat::Tf32, f32::INFINITY, finite, 0x7f7f_e000);
    check(FloatFormat::E4m3, f32::INFINITY, Mode::RN, 0x7e);
    check(FloatFormat::E4m3, -449.0, Mode::RN, 0xfe);
    check(FloatFormat::E4m3, f32::NAN, Mode::RN, 0x7f);
    check(FloatFormat::E5m2, f32::INFINITY, Mode::RN, 0x7b);
    check(FloatFormat::E5m2, -f32::NAN, Mode::RN, 0x7f);
    check(FloatFormat::F32, 1e-40, flush, 0);
    check(FloatFormat::F64, -1e-40, flush, 1 << 63);
    check(FloatFormat::F64, 1.5, flush, 1.5_f64.to_bits());
    let flush_up = Mode {
        rounding: Rounding::Up,
        ..flush
    };
    check(FloatFormat::F16, 1e-40, flush_up, 1);
    let nan = float_to_float(FloatFormat::F64, FloatFormat::F32, double::NAN, Mode::RN);
    assert_eq!(nan, u64::from(single::NAN));
    let one_two = pack_f32x2(FloatFormat::F16, 1_f32.to_bits(), 2_f32.to_bits(), Mode::RN);
    assert_eq!(one_two, 0x3c00_4000);
    let one_two = pack_f32x2(
        FloatFormat::E4m3,
        1_f32.to_bits(),
        2_f32.to_bits(),
        Mode::RN,
    );
    assert_eq!(one_two, 0x3840);
}
