//! Products, quotients, sums with saturation, and what else counts.

use super::super::Signedness;
use super::{low, value};

/// The product of `2 * bits` bits, in two's complement and zero-extended: `mul.wide`, and `mad.wide`'s
/// first step.
#[inline]
#[must_use]
pub const fn mul_wide_product(bits: u32, signedness: Signedness, a: u64, b: u64) -> u128 {
    let product = match signedness {
        Signedness::Unsigned => low(bits, a) as u128 * low(bits, b) as u128,
        Signedness::Signed => (value(bits, signedness, a) * value(bits, signedness, b)) as u128,
    };
    if bits >= 64 {
        product
    } else {
        product & ((1 << (2 * bits)) - 1)
    }
}

/// `mul.hi`.
#[inline]
#[must_use]
pub const fn mul_hi(bits: u32, signedness: Signedness, a: u64, b: u64) -> u64 {
    (mul_wide_product(bits, signedness, a, b) >> bits) as u64
}

/// `mul.lo`; the sign makes no difference.
#[inline]
#[must_use]
pub const fn mul_lo(bits: u32, a: u64, b: u64) -> u64 {
    low(bits, a.wrapping_mul(b))
}

/// The 48-bit product of the low 24 bits.
#[inline]
const fn product24(signedness: Signedness, a: u32, b: u32) -> i64 {
    (value(24, signedness, a as u64) * value(24, signedness, b as u64)) as i64
}

/// `mul24.lo`: the low 32 bits of the 48-bit product.
#[inline]
#[must_use]
pub const fn mul24_lo(signedness: Signedness, a: u32, b: u32) -> u32 {
    product24(signedness, a, b) as u32
}

/// `mul24.hi`: the high 32 bits of the 48-bit product.
#[inline]
#[must_use]
pub const fn mul24_hi(signedness: Signedness, a: u32, b: u32) -> u32 {
    (product24(signedness, a, b) >> 16) as u32
}

/// `mad24.lo`.
#[inline]
#[must_use]
pub const fn mad24_lo(signedness: Signedness, a: u32, b: u32, c: u32) -> u32 {
    mul24_lo(signedness, a, b).wrapping_add(c)
}

/// `mad24.hi`.
#[inline]
#[must_use]
pub const fn mad24_hi(signedness: Signedness, a: u32, b: u32, c: u32) -> u32 {
    mul24_hi(signedness, a, b).wrapping_add(c)
}

/// `mad24.hi.sat.s32`.
#[inline]
#[must_use]
pub const fn mad24_hi_sat(a: i32, b: i32, c: i32) -> i32 {
    (mul24_hi(Signedness::Signed, a as u32, b as u32) as i32).saturating_add(c)
}

/// `add.sat.s32`.
#[inline]
#[must_use]
pub const fn add_sat(a: i32, b: i32) -> i32 {
    a.saturating_add(b)
}

/// `sub.sat.s32`.
#[inline]
#[must_use]
pub const fn sub_sat(a: i32, b: i32) -> i32 {
    a.saturating_sub(b)
}

/// `mad.hi.sat.s32`.
#[inline]
#[must_use]
pub const fn mad_hi_sat(a: i32, b: i32, c: i32) -> i32 {
    (((a as i64 * b as i64) >> 32) as i32).saturating_add(c)
}

/// `sad`: `c + |a - b|`.
#[inline]
#[must_use]
pub const fn sad(bits: u32, signedness: Signedness, a: u64, b: u64, c: u64) -> u64 {
    let difference = (value(bits, signedness, a) - value(bits, signedness, b)).unsigned_abs();
    low(bits, c.wrapping_add(difference as u64))
}

/// `div`. PTX leaves a division by zero open: here all bits are ones. The most negative number divided
/// by -1 is itself.
#[inline]
#[must_use]
pub const fn div(bits: u32, signedness: Signedness, a: u64, b: u64) -> u64 {
    let (a, b) = (value(bits, signedness, a), value(bits, signedness, b));
    low(bits, if b == 0 { u64::MAX } else { (a / b) as u64 })
}

/// `rem`, with the sign of the dividend. PTX leaves a division by zero open: here it gives the dividend.
#[inline]
#[must_use]
pub const fn rem(bits: u32, signedness: Signedness, a: u64, b: u64) -> u64 {
    let (a, b) = (value(bits, signedness, a), value(bits, signedness, b));
    low(bits, if b == 0 { a as u64 } else { (a % b) as u64 })
}

/// `abs`; that of the most negative number is itself.
#[inline]
#[must_use]
pub const fn abs(bits: u32, a: u64) -> u64 {
    low(
        bits,
        value(bits, Signedness::Signed, a).unsigned_abs() as u64,
    )
}

/// `neg`.
#[inline]
#[must_use]
pub const fn neg(bits: u32, a: u64) -> u64 {
    low(bits, a.wrapping_neg())
}

/// `min`.
#[inline]
#[must_use]
pub const fn min(bits: u32, signedness: Signedness, a: u64, b: u64) -> u64 {
    low(
        bits,
        if value(bits, signedness, a) <= value(bits, signedness, b) {
            a
        } else {
            b
        },
    )
}

/// `max`.
#[inline]
#[must_use]
pub const fn max(bits: u32, signedness: Signedness, a: u64, b: u64) -> u64 {
    low(
        bits,
        if value(bits, signedness, a) >= value(bits, signedness, b) {
            a
        } else {
            b
        },
    )
}
