//! Computes `f32` instructions: nearest-even on the host's own unit, the rest exactly in software.

use super::soft::{self, F32, Outcome};
use super::{
    Comparison, Extreme, FloatClass, Mode, NanRule, Relu, Rounding, Saturation, SignRule, Subnormal,
};

/// The only NaN that `f32` operations return.
pub const NAN: u32 = 0x7fff_ffff;

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
const SMALLEST_NORMAL: u32 = 0x0080_0000;
const ONE: u32 = 0x3f80_0000;

/// `add`.
#[inline]
#[must_use]
pub fn add(a: u32, b: u32, mode: Mode) -> u32 {
    let (a, b) = (flush(a, mode.subnormal), flush(b, mode.subnormal));
    let result = if mode.rounding == Rounding::NearestEven {
        (f32::from_bits(a) + f32::from_bits(b)).to_bits()
    } else {
        known(soft::add(F32, a.into(), b.into(), mode.rounding))
    };
    finish(result, mode)
}

/// `sub`.
#[inline]
#[must_use]
pub fn sub(a: u32, b: u32, mode: Mode) -> u32 {
    add(a, b ^ SIGN, mode)
}

/// `mul`.
#[inline]
#[must_use]
pub fn mul(a: u32, b: u32, mode: Mode) -> u32 {
    let (a, b) = (flush(a, mode.subnormal), flush(b, mode.subnormal));
    let result = if mode.rounding == Rounding::NearestEven {
        (f32::from_bits(a) * f32::from_bits(b)).to_bits()
    } else {
        known(soft::mul(F32, a.into(), b.into(), mode.rounding))
    };
    finish(result, mode)
}

/// `fma`, `mad`: one rounding.
#[inline]
#[must_use]
pub fn fma(a: u32, b: u32, c: u32, mode: Mode) -> u32 {
    let (a, b) = (flush(a, mode.subnormal), flush(b, mode.subnormal));
    let c = flush(c, mode.subnormal);
    let result = if mode.rounding == Rounding::NearestEven {
        f32::from_bits(a)
            .mul_add(f32::from_bits(b), f32::from_bits(c))
            .to_bits()
    } else {
        known(soft::fma(F32, a.into(), b.into(), c.into(), mode.rounding))
    };
    finish(result, mode)
}

/// `div.rn` and its relatives.
#[inline]
#[must_use]
pub fn div(a: u32, b: u32, mode: Mode) -> u32 {
    let (a, b) = (flush(a, mode.subnormal), flush(b, mode.subnormal));
    let result = if mode.rounding == Rounding::NearestEven {
        (f32::from_bits(a) / f32::from_bits(b)).to_bits()
    } else {
        known(soft::div(F32, a.into(), b.into(), mode.rounding))
    };
    finish(result, mode)
}

/// `sqrt.rn` and its relatives.
#[inline]
#[must_use]
pub fn sqrt(a: u32, mode: Mode) -> u32 {
    let a = flush(a, mode.subnormal);
    let result = if mode.rounding == Rounding::NearestEven {
        f32::from_bits(a).sqrt().to_bits()
    } else {
        known(soft::sqrt(F32, a.into(), mode.rounding))
    };
    finish(result, mode)
}

/// `rcp.rn` and its relatives.
#[inline]
#[must_use]
pub fn rcp(a: u32, mode: Mode) -> u32 {
    div(ONE, a, mode)
}

/// `min` and `max`; the form with three operands is two calls.
#[inline]
#[must_use]
pub fn extreme(
    which: Extreme,
    a: u32,
    b: u32,
    subnormal: Subnormal,
    nan: NanRule,
    sign: SignRule,
) -> u32 {
    let (mut a, mut b) = (flush(a, subnormal), flush(b, subnormal));
    let xor_sign = (a ^ b) & SIGN;
    if sign == SignRule::Xor {
        a &= !SIGN;
        b &= !SIGN;
    }
    let result = match (is_nan(a), is_nan(b)) {
        (true, true) => return NAN,
        (true, false) | (false, true) if nan == NanRule::Propagate => return NAN,
        (true, false) => b,
        (false, true) => a,
        (false, false) => match which {
            Extreme::Minimum => {
                if order(a) <= order(b) {
                    a
                } else {
                    b
                }
            }
            Extreme::Maximum => {
                if order(a) >= order(b) {
                    a
                } else {
                    b
                }
            }
        },
    };
    match sign {
        SignRule::Ordinary => result,
        SignRule::Xor => result | xor_sign,
    }
}

/// `neg`.
#[inline]
#[must_use]
pub fn neg(a: u32, subnormal: Subnormal) -> u32 {
    flush(a, subnormal) ^ SIGN
}

/// `abs`.
#[inline]
#[must_use]
pub fn abs(a: u32, subnormal: Subnormal) -> u32 {
    flush(a, subnormal) & !SIGN
}

/// What `.ftz` does to an operand or a result.
#[inline]
#[must_use]
pub fn flush(a: u32, subnormal: Subnormal) -> u32 {
    match subnormal {
        Subnormal::Flush if a & INFINITY == 0 => a & SIGN,
        Subnormal::Keep | Subnormal::Flush => a,
    }
}

/// What `.sat` does to a result: [0, 1], and +0 for a NaN.
#[inline]
#[must_use]
pub fn saturate(a: u32) -> u32 {
    if a & SIGN != 0 || is_nan(a) {
        0
    } else {
        a.min(ONE)
    }
}

/// The relation of two values.
#[inline]
#[must_use]
pub fn compare(a: u32, b: u32, subnormal: Subnormal) -> Comparison {
    let (a, b) = (
        f32::from_bits(flush(a, subnormal)),
        f32::from_bits(flush(b, subnormal)),
    );
    match a.partial_cmp(&b) {
        Some(std::cmp::Ordering::Less) => Comparison::Less,
        Some(std::cmp::Ordering::Equal) => Comparison::Equal,
        Some(std::cmp::Ordering::Greater) => Comparison::Greater,
        None => Comparison::Unordered,
    }
}

/// `testp`.
#[inline]
#[must_use]
pub fn testp(class: FloatClass, a: u32) -> bool {
    let magnitude = a & !SIGN;
    let subnormal = magnitude != 0 && magnitude < SMALLEST_NORMAL;
    match class {
        FloatClass::Finite => magnitude < INFINITY,
        FloatClass::Infinite => magnitude == INFINITY,
        FloatClass::Number => magnitude <= INFINITY,
        FloatClass::NotANumber => magnitude > INFINITY,
        FloatClass::Normal => magnitude < INFINITY && !subnormal,
        FloatClass::Subnormal => subnormal,
    }
}

/// `copysign`: the sign of the first operand on the magnitude of the second.
#[inline]
#[must_use]
pub fn copysign(sign_from: u32, magnitude_from: u32) -> u32 {
    sign_from & SIGN | magnitude_from & !SIGN
}

/// Applies to a result what the modifiers and the NaN rule say.
#[inline]
pub(super) fn finish(result: u32, mode: Mode) -> u32 {
    let result = if is_nan(result) {
        NAN
    } else {
        flush(result, mode.subnormal)
    };
    let result = match mode.saturation {
        Saturation::None => result,
        Saturation::Unit => saturate(result),
        Saturation::Finite if result & !SIGN == INFINITY => result - 1,
        Saturation::Finite => result,
    };
    match mode.relu {
        Relu::On if result & SIGN != 0 => 0,
        Relu::Off | Relu::On => result,
    }
}

#[inline]
pub(super) fn is_nan(a: u32) -> bool {
    a & !SIGN > INFINITY
}

/// A number that orders patterns as their values, with -0 before +0.
#[inline]
fn order(a: u32) -> i32 {
    let a = a as i32;
    a ^ (((a >> 31) as u32) >> 1) as i32
}

#[inline]
fn known(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Bits(bits) => bits as u32,
        Outcome::Nan => NAN,
    }
}
