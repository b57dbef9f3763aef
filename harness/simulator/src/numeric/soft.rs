//! Rounds exact values, because the host can only round to nearest.
//!
//! A finite value is `significand * 2^exponent` with 128 bits of significand.
//! Sums, products and quotients keep every bit that matters: what is shifted out at the bottom is
//! remembered in the lowest bit, which stays at least 20 places below the last bit of any format.

mod operations;

pub(super) use operations::{Outcome, add, div, fma, mul, sqrt};

use super::Rounding;

/// The encoding of a binary floating-point format of up to 64 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) exponent_bits: u32,
    pub(super) fraction_bits: u32,
    /// Bits below the fraction that are always zero: `tf32` lives in the upper part of an `f32`.
    pub(super) padding_bits: u32,
    pub(super) top: Top,
}

/// What the largest exponent encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// Infinities and NaNs, as in IEEE 754.
    Ieee,
    /// Numbers, but for the all-ones fraction, which is the only NaN: `e4m3`.
    Numbers,
}

/// IEEE binary64.
pub(super) const F64: Layout = Layout::ieee(11, 52);
/// IEEE binary32.
pub(super) const F32: Layout = Layout::ieee(8, 23);

impl Layout {
    pub(super) const fn ieee(exponent_bits: u32, fraction_bits: u32) -> Self {
        Self {
            exponent_bits,
            fraction_bits,
            padding_bits: 0,
            top: Top::Ieee,
        }
    }

    const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    pub(super) const fn sign_bit(self) -> u64 {
        1 << (self.exponent_bits + self.fraction_bits + self.padding_bits)
    }

    /// The pattern of +infinity; for `e4m3` the largest pattern that would follow the largest number.
    pub(super) const fn infinity(self) -> u64 {
        match self.top {
            Top::Ieee => {
                ((1 << self.exponent_bits) - 1) << (self.fraction_bits + self.padding_bits)
            }
            Top::Numbers => (1 << (self.exponent_bits + self.fraction_bits)) - 1,
        }
    }

    /// The pattern of the largest finite number.
    pub(super) const fn largest(self) -> u64 {
        self.infinity() - (1 << self.padding_bits)
    }

    /// Takes a pattern apart.
    #[inline]
    pub(super) fn unpack(self, bits: u64) -> Value {
        let negative = bits & self.sign_bit() != 0;
        let magnitude = (bits & (self.sign_bit() - 1)) >> self.padding_bits;
        let infinity = self.infinity() >> self.padding_bits;
        if magnitude >= infinity {
            return if magnitude == infinity && self.top == Top::Ieee {
                Value::Infinite { negative }
            } else {
                Value::Nan
            };
        }
        if magnitude == 0 {
            return Value::Zero { negative };
        }
        let field = (magnitude >> self.fraction_bits) as i32;
        let fraction = magnitude & ((1 << self.fraction_bits) - 1);
        let (significand, field) = if field == 0 {
            (fraction, 1)
        } else {
            (fraction | 1 << self.fraction_bits, field)
        };
        Value::Finite(Exact {
            negative,
            exponent: field - self.bias() - self.fraction_bits as i32,
            significand: u128::from(significand),
        })
    }

    /// The pattern nearest to an exact non-zero value in the sense of the rounding, infinite on
    /// overflow where the rounding says so.
    #[inline]
    pub(super) fn round(self, value: Exact, rounding: Rounding) -> u64 {
        let value = value.normalised();
        let sign = if value.negative { self.sign_bit() } else { 0 };
        let fraction_bits = self.fraction_bits as i32;
        // The value lies in [2^exponent, 2^(exponent + 1)).
        let exponent = value.exponent + TOP_BIT as i32;
        let smallest = 1 - self.bias();
        let shift = exponent.max(smallest) - fraction_bits - value.exponent;
        let (kept, rest) = split(value.significand, shift as u32);
        let kept =
            kept as u64 + u64::from(rounds_up(rounding, value.negative, kept & 1 != 0, rest));
        let magnitude = if exponent < smallest {
            kept
        } else if exponent > self.bias() + 1 {
            return sign | self.overflow(rounding, value.negative);
        } else {
            // The implicit bit adds one to the exponent field, and so does a carry.
            (((exponent - smallest) as u64) << self.fraction_bits) + kept
        };
        let magnitude = magnitude << self.padding_bits;
        if magnitude >= self.infinity() {
            return sign | self.overflow(rounding, value.negative);
        }
        sign | magnitude
    }

    fn overflow(self, rounding: Rounding, negative: bool) -> u64 {
        let infinite = match rounding {
            Rounding::NearestEven | Rounding::NearestAway => true,
            Rounding::Zero => false,
            Rounding::Down => negative,
            Rounding::Up => !negative,
        };
        if infinite && self.top == Top::Ieee {
            self.infinity()
        } else {
            self.largest()
        }
    }
}

/// What a pattern stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Nan,
    Infinite { negative: bool },
    Zero { negative: bool },
    Finite(Exact),
}

/// A finite value other than zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    pub(super) negative: bool,
    pub(super) exponent: i32,
    pub(super) significand: u128,
}

/// The highest bit of a normalised significand; one bit above it takes a carry.
const TOP_BIT: u32 = 126;

impl Exact {
    #[inline]
    fn normalised(self) -> Self {
        let zeros = self.significand.leading_zeros();
        if zeros == 0 {
            return Self {
                exponent: self.exponent + 1,
                significand: shift_right_sticky(self.significand, 1),
                ..self
            };
        }
        let shift = zeros - 1;
        Self {
            exponent: self.exponent - shift as i32,
            significand: self.significand << shift,
            ..self
        }
    }

    /// The exact sum, or `None` if it is zero.
    #[inline]
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (a, b) = (self.normalised(), other.normalised());
        let (high, low) = if a.exponent >= b.exponent {
            (a, b)
        } else {
            (b, a)
        };
        let distance = (high.exponent - low.exponent) as u32;
        let aligned = shift_right_sticky(low.significand, distance);
        let (negative, significand) = if high.negative == low.negative {
            (high.negative, high.significand + aligned)
        } else if high.significand >= aligned {
            (high.negative, high.significand - aligned)
        } else {
            (low.negative, aligned - high.significand)
        };
        (significand != 0).then_some(Self {
            negative,
            exponent: high.exponent,
            significand,
        })
    }

    /// The exact product of two values of at most 64 significant bits.
    #[inline]
    pub(super) fn times(self, other: Self) -> Self {
        Self {
            negative: self.negative != other.negative,
            exponent: self.exponent + other.exponent,
            significand: self.significand * other.significand,
        }
    }

    /// The quotient to 64 bits and a bit for the remainder, of values of at most 64 significant bits.
    #[inline]
    pub(super) fn over(self, other: Self) -> Self {
        let up = self.significand.leading_zeros();
        let dividend = self.significand << up;
        let down = (other.significand as u64).leading_zeros();
        let divisor = other.significand << down;
        let (quotient, remainder) = (dividend / divisor, dividend % divisor);
        Self {
            negative: self.negative != other.negative,
            exponent: self.exponent - up as i32 - (other.exponent - down as i32) - 1,
            significand: quotient << 1 | u128::from(remainder != 0),
        }
    }

    /// The square root to 63 bits and a bit for the remainder; the sign is ignored.
    #[inline]
    pub(super) fn root(self) -> Self {
        let mut value = self.normalised();
        if value.exponent & 1 != 0 {
            value.significand <<= 1;
            value.exponent -= 1;
        }
        let root = value.significand.isqrt();
        Self {
            negative: false,
            exponent: value.exponent / 2 - 1,
            significand: root << 1 | u128::from(root * root != value.significand),
        }
    }
}

/// What was cut off below the last bit kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

#[inline]
fn split(significand: u128, shift: u32) -> (u128, Rest) {
    if shift == 0 {
        return (significand, Rest::Nothing);
    }
    if shift > 128 {
        return (
            0,
            if significand == 0 {
                Rest::Nothing
            } else {
                Rest::BelowHalf
            },
        );
    }
    let half = 1_u128 << (shift - 1);
    let low = significand & (half | (half - 1));
    let rest = match low.cmp(&half) {
        std::cmp::Ordering::Less if low == 0 => Rest::Nothing,
        std::cmp::Ordering::Less => Rest::BelowHalf,
        std::cmp::Ordering::Equal => Rest::Half,
        std::cmp::Ordering::Greater => Rest::AboveHalf,
    };
    (significand.checked_shr(shift).unwrap_or(0), rest)
}

#[inline]
fn rounds_up(rounding: Rounding, negative: bool, odd: bool, rest: Rest) -> bool {
    match rounding {
        Rounding::NearestEven => rest == Rest::AboveHalf || rest == Rest::Half && odd,
        Rounding::NearestAway => rest == Rest::AboveHalf || rest == Rest::Half,
        Rounding::Zero => false,
        Rounding::Down => negative && rest != Rest::Nothing,
        Rounding::Up => !negative && rest != Rest::Nothing,
    }
}

#[inline]
fn shift_right_sticky(significand: u128, distance: u32) -> u128 {
    if distance == 0 {
        return significand;
    }
    if distance >= 128 {
        return u128::from(significand != 0);
    }
    significand >> distance | u128::from(significand << (128 - distance) != 0)
}
