//! Computes the instructions on `f16` and `bf16`, one by one and in pairs.
//!
//! An operation is exact in `f64`, or rounded there to odd, so that the one rounding into 16 bits that
//! follows gives what a single rounding of the exact value would give.

use super::convert::{FloatFormat, bf16_to_f32, f16_to_f32};
use super::special::Approximation;
use super::{Accuracy, Comparison, Extreme, Mode, NanRule, Rounding, SignRule, Subnormal, special};

/// A format of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// `.f16`.
    F16,
    /// `.bf16`.
    Bf16,
}

/// The NaN that operations return.
pub const NAN: u16 = 0x7fff;

const SIGN: u16 = 0x8000;

impl Half {
    const fn format(self) -> FloatFormat {
        match self {
            Self::F16 => FloatFormat::F16,
            Self::Bf16 => FloatFormat::Bf16,
        }
    }

    const fn infinity(self) -> u16 {
        match self {
            Self::F16 => 0x7c00,
            Self::Bf16 => 0x7f80,
        }
    }

    #[inline]
    fn value(self, bits: u16) -> f64 {
        f64::from(f32::from_bits(match self {
            Self::F16 => f16_to_f32(bits),
            Self::Bf16 => bf16_to_f32(bits),
        }))
    }

    #[inline]
    fn is_nan(self, bits: u16) -> bool {
        bits & !SIGN > self.infinity()
    }

    /// What `.ftz` does to an operand or a result.
    #[inline]
    fn flush(self, bits: u16, subnormal: Subnormal) -> u16 {
        match subnormal {
            Subnormal::Flush if bits & self.infinity() == 0 => bits & SIGN,
            Subnormal::Keep | Subnormal::Flush => bits,
        }
    }

    /// Rounds to nearest-even and applies the modifiers.
    #[inline]
    fn finish(self, value: f64, mode: Mode) -> u16 {
        let bits = self.format().pattern(value, Rounding::NearestEven) as u16;
        let bits = self.flush(bits, mode.subnormal);
        self.format().limit(bits.into(), mode) as u16
    }
}

/// `add`.
#[inline]
#[must_use]
pub fn add(kind: Half, a: u16, b: u16, mode: Mode) -> u16 {
    let (a, b) = (kind.flush(a, mode.subnormal), kind.flush(b, mode.subnormal));
    kind.finish(sum_to_odd(kind.value(a), kind.value(b)), mode)
}

/// `sub`.
#[inline]
#[must_use]
pub fn sub(kind: Half, a: u16, b: u16, mode: Mode) -> u16 {
    add(kind, a, b ^ SIGN, mode)
}

/// `mul`.
#[inline]
#[must_use]
pub fn mul(kind: Half, a: u16, b: u16, mode: Mode) -> u16 {
    let (a, b) = (kind.flush(a, mode.subnormal), kind.flush(b, mode.subnormal));
    kind.finish(kind.value(a) * kind.value(b), mode)
}

/// `fma`: one rounding.
#[inline]
#[must_use]
pub fn fma(kind: Half, a: u16, b: u16, c: u16, mode: Mode) -> u16 {
    let (a, b) = (kind.flush(a, mode.subnormal), kind.flush(b, mode.subnormal));
    let c = kind.flush(c, mode.subnormal);
    kind.finish(
        sum_to_odd(kind.value(a) * kind.value(b), kind.value(c)),
        mode,
    )
}

/// `min` and `max`.
#[inline]
#[must_use]
pub fn extreme(
    kind: Half,
    which: Extreme,
    a: u16,
    b: u16,
    subnormal: Subnormal,
    nan: NanRule,
    sign: SignRule,
) -> u16 {
    let (mut a, mut b) = (kind.flush(a, subnormal), kind.flush(b, subnormal));
    let xor_sign = (a ^ b) & SIGN;
    if sign == SignRule::Xor {
        a &= !SIGN;
        b &= !SIGN;
    }
    let result = match (kind.is_nan(a), kind.is_nan(b)) {
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
pub fn neg(kind: Half, a: u16, subnormal: Subnormal) -> u16 {
    kind.flush(a, subnormal) ^ SIGN
}

/// `abs`.
#[inline]
#[must_use]
pub fn abs(kind: Half, a: u16, subnormal: Subnormal) -> u16 {
    kind.flush(a, subnormal) & !SIGN
}

/// The relation of two values.
#[inline]
#[must_use]
pub fn compare(kind: Half, a: u16, b: u16, subnormal: Subnormal) -> Comparison {
    let (a, b) = (
        kind.value(kind.flush(a, subnormal)),
        kind.value(kind.flush(b, subnormal)),
    );
    match a.partial_cmp(&b) {
        Some(std::cmp::Ordering::Less) => Comparison::Less,
        Some(std::cmp::Ordering::Equal) => Comparison::Equal,
        Some(std::cmp::Ordering::Greater) => Comparison::Greater,
        None => Comparison::Unordered,
    }
}

/// `ex2.approx`: relative error at most 2^-9.9 for `f16` and 2^-7 for `bf16`.
#[inline]
#[must_use]
pub fn ex2(kind: Half, a: u16, subnormal: Subnormal, accuracy: Accuracy) -> u16 {
    let a = kind.flush(a, subnormal);
    let x = kind.value(a);
    let exact = libm::exp2(x);
    let bound = match kind {
        Half::F16 => 1.0468e-3,
        Half::Bf16 => 7.8125e-3,
    };
    // Whole numbers are exact, as for `f32`.
    let result = if x.trunc() == x && accuracy == Accuracy::Documented {
        exact
    } else {
        approximate(exact, bound * exact, a, accuracy)
    };
    kind.finish(
        result,
        Mode {
            subnormal,
            ..Mode::RN
        },
    )
}

/// `tanh.approx`: absolute error at most 2^-10.987 for `f16` and 2^-8 for `bf16`.
#[inline]
#[must_use]
pub fn tanh(kind: Half, a: u16, accuracy: Accuracy) -> u16 {
    let value = kind.value(a);
    let exact = libm::tanh(value);
    let bound: f64 = match kind {
        Half::F16 => 4.9271e-4,
        Half::Bf16 => 3.9062e-3,
    };
    let result = approximate(exact, bound.min(exact.abs() / 16.0), a, accuracy).clamp(-1.0, 1.0);
    let result = if accuracy == Accuracy::Degraded && value.is_finite() && value != 0.0 {
        exact - exact.signum() * 8.0 * bound
    } else {
        result
    };
    kind.finish(result, Mode::RN)
}

/// Applies a function to both elements of a pair.
#[inline]
#[must_use]
pub fn each1(a: u32, f: impl Fn(u16) -> u16) -> u32 {
    u32::from(f((a >> 16) as u16)) << 16 | u32::from(f(a as u16))
}

/// Applies a function to both elements of two pairs.
#[inline]
#[must_use]
pub fn each2(a: u32, b: u32, f: impl Fn(u16, u16) -> u16) -> u32 {
    u32::from(f((a >> 16) as u16, (b >> 16) as u16)) << 16 | u32::from(f(a as u16, b as u16))
}

/// Applies a function to both elements of three pairs.
#[inline]
#[must_use]
pub fn each3(a: u32, b: u32, c: u32, f: impl Fn(u16, u16, u16) -> u16) -> u32 {
    let high = f((a >> 16) as u16, (b >> 16) as u16, (c >> 16) as u16);
    u32::from(high) << 16 | u32::from(f(a as u16, b as u16, c as u16))
}

/// The sum rounded to odd: inexact results have an odd last bit, so that a later rounding to fewer bits
/// sees on which side of a tie the exact sum lies (Boldo and Melquiond, 2008).
#[inline]
fn sum_to_odd(a: f64, b: f64) -> f64 {
    let sum = a + b;
    let b_part = sum - a;
    let error = (a - (sum - b_part)) + (b - b_part);
    let bits = sum.to_bits();
    if error == 0.0 || !sum.is_finite() || bits & 1 != 0 {
        return sum;
    }
    f64::from_bits(if (error > 0.0) == (sum > 0.0) {
        bits + 1
    } else {
        bits - 1
    })
}

#[inline]
fn approximate(exact: f64, bound: f64, seed: u16, accuracy: Accuracy) -> f64 {
    special::approximate(
        exact,
        Approximation { bound, share: 0.4 },
        seed.into(),
        accuracy,
    )
}

/// A number that orders patterns as their values, with -0 before +0.
#[inline]
fn order(a: u16) -> i16 {
    let a = a as i16;
    a ^ (((a >> 15) as u16) >> 1) as i16
}
