//! Computes `f64` instructions: nearest-even on the host's own unit, the rest exactly in software.

use super::soft::{self, F64, Outcome};
use super::{Comparison, Extreme, FloatClass, Rounding};

/// The NaN of an invalid operation without a NaN operand: `CUDART_NAN` of `math_constants.h`.
pub const NAN: u64 = 0xfff8_0000_0000_0000;

const SIGN: u64 = 1 << 63;
const INFINITY: u64 = 0x7ff0_0000_0000_0000;
const SMALLEST_NORMAL: u64 = 1 << 52;
const QUIET: u64 = 1 << 51;
const ONE: u64 = 0x3ff0_0000_0000_0000;

/// `add`.
#[inline]
#[must_use]
pub fn add(a: u64, b: u64, rounding: Rounding) -> u64 {
    if rounding == Rounding::NearestEven {
        finish((f64::from_bits(a) + f64::from_bits(b)).to_bits(), [a, b])
    } else {
        known(soft::add(F64, a, b, rounding), [a, b])
    }
}

/// `sub`.
#[inline]
#[must_use]
pub fn sub(a: u64, b: u64, rounding: Rounding) -> u64 {
    if is_nan(b) {
        quiet_of([a, b])
    } else {
        add(a, b ^ SIGN, rounding)
    }
}

/// `mul`.
#[inline]
#[must_use]
pub fn mul(a: u64, b: u64, rounding: Rounding) -> u64 {
    if rounding == Rounding::NearestEven {
        finish((f64::from_bits(a) * f64::from_bits(b)).to_bits(), [a, b])
    } else {
        known(soft::mul(F64, a, b, rounding), [a, b])
    }
}

/// `fma`, `mad`: one rounding.
#[inline]
#[must_use]
pub fn fma(a: u64, b: u64, c: u64, rounding: Rounding) -> u64 {
    if rounding == Rounding::NearestEven {
        let result = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
        finish(result.to_bits(), [a, b, c])
    } else {
        known(soft::fma(F64, a, b, c, rounding), [a, b, c])
    }
}

/// `div.rn` and its relatives.
#[inline]
#[must_use]
pub fn div(a: u64, b: u64, rounding: Rounding) -> u64 {
    if rounding == Rounding::NearestEven {
        finish((f64::from_bits(a) / f64::from_bits(b)).to_bits(), [a, b])
    } else {
        known(soft::div(F64, a, b, rounding), [a, b])
    }
}

/// `sqrt.rn` and its relatives.
#[inline]
#[must_use]
pub fn sqrt(a: u64, rounding: Rounding) -> u64 {
    if rounding == Rounding::NearestEven {
        finish(f64::from_bits(a).sqrt().to_bits(), [a])
    } else {
        known(soft::sqrt(F64, a, rounding), [a])
    }
}

/// `rcp.rn` and its relatives.
#[inline]
#[must_use]
pub fn rcp(a: u64, rounding: Rounding) -> u64 {
    div(ONE, a, rounding)
}

/// `min` and `max`.
#[inline]
#[must_use]
pub fn extreme(which: Extreme, a: u64, b: u64) -> u64 {
    match (is_nan(a), is_nan(b)) {
        (true, true) => a | QUIET,
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
    }
}

/// `neg`.
#[inline]
#[must_use]
pub const fn neg(a: u64) -> u64 {
    a ^ SIGN
}

/// `abs`.
#[inline]
#[must_use]
pub const fn abs(a: u64) -> u64 {
    a & !SIGN
}

/// The relation of two values.
#[inline]
#[must_use]
pub fn compare(a: u64, b: u64) -> Comparison {
    match f64::from_bits(a).partial_cmp(&f64::from_bits(b)) {
        Some(std::cmp::Ordering::Less) => Comparison::Less,
        Some(std::cmp::Ordering::Equal) => Comparison::Equal,
        Some(std::cmp::Ordering::Greater) => Comparison::Greater,
        None => Comparison::Unordered,
    }
}

/// `testp`.
#[inline]
#[must_use]
pub fn testp(class: FloatClass, a: u64) -> bool {
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
pub const fn copysign(sign_from: u64, magnitude_from: u64) -> u64 {
    sign_from & SIGN | magnitude_from & !SIGN
}

#[inline]
pub(super) fn is_nan(a: u64) -> bool {
    a & !SIGN > INFINITY
}

#[inline]
fn finish<const N: usize>(result: u64, operands: [u64; N]) -> u64 {
    if is_nan(result) {
        quiet_of(operands)
    } else {
        result
    }
}

#[inline]
fn known<const N: usize>(outcome: Outcome, operands: [u64; N]) -> u64 {
    match outcome {
        Outcome::Bits(bits) => bits,
        Outcome::Nan => quiet_of(operands),
    }
}

#[cold]
fn quiet_of<const N: usize>(operands: [u64; N]) -> u64 {
    operands
        .into_iter()
        .find(|&operand| is_nan(operand))
        .map_or(NAN, |nan| nan | QUIET)
}

/// A number that orders patterns as their values, with -0 before +0.
#[inline]
fn order(a: u64) -> i64 {
    let a = a as i64;
    a ^ (((a >> 63) as u64) >> 1) as i64
}
