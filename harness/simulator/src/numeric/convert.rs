//! Computes `cvt` between all number formats of PTX.
//!
//! Every format but the wide integers fits into an `f64`, so a conversion is one exact step into `f64`
//! and one rounding out of it.

mod format;

pub use format::{FloatFormat, IntFormat};

use super::soft::Exact;
use super::{Mode, Relu, Rounding, Saturation, Signedness, Subnormal, single};

/// `cvt` from one floating-point format to another, also to the same one.
///
/// A NaN becomes the canonical NaN of the destination, but for `f32` to `f64` and `f64` to `f64`, which
/// keep the payload.
///
/// From `f32` to `f16`, `.ftz` changes nothing: `ptxas` writes the same instruction with and without it, and
/// devices keep the subnormal operand.
#[inline]
#[must_use]
pub fn float_to_float(from: FloatFormat, to: FloatFormat, bits: u64, mode: Mode) -> u64 {
    let bits = match to {
        FloatFormat::F16 => bits,
        FloatFormat::F64
        | FloatFormat::F32
        | FloatFormat::Tf32
        | FloatFormat::Bf16
        | FloatFormat::E4m3
        | FloatFormat::E5m2 => from.flush(bits, mode.subnormal),
    };
    let result = match (from, to) {
        (FloatFormat::F64, FloatFormat::F64) => bits,
        (FloatFormat::F32, FloatFormat::F64) if single::is_nan(bits as u32) => {
            (bits & 0x8000_0000) << 32 | 0x7ff8_0000_0000_0000 | (bits & 0x7f_ffff) << 29
        }
        _ => to.pattern(from.value(bits), mode.rounding),
    };
    to.limit(to.flush(result, mode.subnormal), mode)
}

/// `cvt` with an integer rounding between equal formats: the whole number, still a float.
#[inline]
#[must_use]
pub fn round_to_integral(format: FloatFormat, bits: u64, mode: Mode) -> u64 {
    let bits = format.flush(bits, mode.subnormal);
    let value = format.value(bits);
    let result = if value.is_nan() {
        if format == FloatFormat::F64 {
            bits
        } else {
            format.nan()
        }
    } else {
        // Nothing is rounded here: a whole number below the top of a format has fewer bits than it.
        format.pattern(integral(value, mode.rounding), Rounding::NearestEven)
    };
    format.limit(result, mode)
}

/// `cvt` from a float to an integer: rounded, then clamped to the range of the destination.
///
/// A NaN gives zero, or `1 << (bits - 1)` where either side has 64 bits.
/// The result is extended to 64 bits by its own sign.
#[inline]
#[must_use]
pub fn float_to_int(
    from: FloatFormat,
    to: IntFormat,
    bits: u64,
    rounding: Rounding,
    subnormal: Subnormal,
) -> u64 {
    let value = from.value(from.flush(bits, subnormal));
    if value.is_nan() {
        if from != FloatFormat::F64 && to.bits != 64 {
            return 0;
        }
        let top = 1 << (to.bits - 1);
        return match to.signedness {
            Signedness::Unsigned => top,
            Signedness::Signed => to.value(top) as u64,
        };
    }
    let whole = integral(value, rounding);
    match (to.signedness, to.bits) {
        (Signedness::Unsigned, 64) => whole as u64,
        (Signedness::Signed, 64) => whole as i64 as u64,
        _ => to.clamp(i128::from(whole as i64)),
    }
}

/// `cvt` from an integer to a float.
#[inline]
#[must_use]
pub fn int_to_float(from: IntFormat, to: FloatFormat, bits: u64, mode: Mode) -> u64 {
    let value = from.value(bits);
    let result = match (to, mode.rounding, from.signedness) {
        (FloatFormat::F32, Rounding::NearestEven, Signedness::Unsigned) => {
            (value as u64 as f32).to_bits().into()
        }
        (FloatFormat::F32, Rounding::NearestEven, Signedness::Signed) => {
            (value as i64 as f32).to_bits().into()
        }
        (FloatFormat::F64, Rounding::NearestEven, Signedness::Unsigned) => {
            (value as u64 as f64).to_bits()
        }
        (FloatFormat::F64, Rounding::NearestEven, Signedness::Signed) => {
            (value as i64 as f64).to_bits()
        }
        _ if value == 0 => 0,
        (_, rounding, _) => to.layout().round(
            Exact {
                negative: value < 0,
                exponent: 0,
                significand: value.unsigned_abs(),
            },
            rounding,
        ),
    };
    to.limit(result, mode)
}

/// `cvt` between integers: cut off or extended, or with any saturation clamped.
#[inline]
#[must_use]
pub fn int_to_int(from: IntFormat, to: IntFormat, bits: u64, saturation: Saturation) -> u64 {
    let value = from.value(bits);
    match saturation {
        Saturation::None => to.value(value as u64) as u64,
        Saturation::Unit | Saturation::Finite => to.clamp(value),
    }
}

/// `cvt` of two `f32` into a packed pair; the first operand goes to the upper half.
///
/// The pair has 32 bits for `f16` and `bf16`, and 16 bits for the formats of one byte.
#[inline]
#[must_use]
pub fn pack_f32x2(to: FloatFormat, high: u32, low: u32, mode: Mode) -> u32 {
    let high = float_to_float(FloatFormat::F32, to, high.into(), mode) as u32;
    let low = float_to_float(FloatFormat::F32, to, low.into(), mode) as u32;
    let width = match to {
        FloatFormat::E4m3 | FloatFormat::E5m2 => 8,
        FloatFormat::F64
        | FloatFormat::F32
        | FloatFormat::Tf32
        | FloatFormat::F16
        | FloatFormat::Bf16 => 16,
    };
    high << width | low
}

/// `cvt.rn.f16x2.e4m3x2` and `cvt.rn.f16x2.e5m2x2`.
#[inline]
#[must_use]
pub fn unpack_fp8x2(from: FloatFormat, bits: u16, relu: Relu) -> u32 {
    let mode = Mode { relu, ..Mode::RN };
    let [low, high] = bits
        .to_le_bytes()
        .map(|byte| float_to_float(from, FloatFormat::F16, byte.into(), mode) as u32);
    high << 16 | low
}

/// `cvt.rn.satfinite.e4m3x2.f16x2` and `cvt.rn.satfinite.e5m2x2.f16x2`.
#[inline]
#[must_use]
pub fn pack_fp8x2_from_f16x2(to: FloatFormat, bits: u32, mode: Mode) -> u16 {
    let convert = |half| float_to_float(FloatFormat::F16, to, u64::from(half), mode) as u16;
    convert(bits >> 16) << 8 | convert(bits & 0xffff)
}

/// The value of an `f16`; a NaN becomes the canonical one.
#[inline]
#[must_use]
pub fn f16_to_f32(bits: u16) -> u32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7fff);
    if magnitude > 0x7c00 {
        single::NAN
    } else if magnitude == 0x7c00 {
        sign | 0x7f80_0000
    } else if magnitude >= 0x0400 {
        // Both formats differ in the width of the fraction and in the bias of the exponent.
        sign | ((magnitude << 13) + ((127 - 15) << 23))
    } else {
        // A subnormal counts units of 2^-24.
        sign | (magnitude as f32 * f32::from_bits(0x3380_0000)).to_bits()
    }
}

/// The nearest `f16`; a NaN becomes the canonical one.
#[inline]
#[must_use]
pub fn f32_to_f16(bits: u32, rounding: Rounding) -> u16 {
    match rounding {
        Rounding::NearestEven if !single::is_nan(bits) => {
            half::f16::from_f32(f32::from_bits(bits)).to_bits()
        }
        Rounding::NearestEven
        | Rounding::Zero
        | Rounding::Down
        | Rounding::Up
        | Rounding::NearestAway => {
            FloatFormat::F16.pattern(f64::from(f32::from_bits(bits)), rounding) as u16
        }
    }
}

/// The value of a `bf16`; a NaN becomes the canonical one.
#[inline]
#[must_use]
pub fn bf16_to_f32(bits: u16) -> u32 {
    let wide = u32::from(bits) << 16;
    if single::is_nan(wide) {
        single::NAN
    } else {
        wide
    }
}

/// The nearest `bf16`; a NaN becomes the canonical one.
#[inline]
#[must_use]
pub fn f32_to_bf16(bits: u32, rounding: Rounding) -> u16 {
    match rounding {
        Rounding::NearestEven if !single::is_nan(bits) => {
            // Half a unit less one, and one more if the last bit kept is odd.
            ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
        }
        Rounding::NearestEven
        | Rounding::Zero
        | Rounding::Down
        | Rounding::Up
        | Rounding::NearestAway => {
            FloatFormat::Bf16.pattern(f64::from(f32::from_bits(bits)), rounding) as u16
        }
    }
}

#[inline]
fn integral(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::NearestEven => value.round_ties_even(),
        Rounding::Zero => value.trunc(),
        Rounding::Down => value.floor(),
        Rounding::Up => value.ceil(),
        Rounding::NearestAway => value.round(),
    }
}
