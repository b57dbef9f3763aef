//! Dot products of bytes and halves.

use super::super::Signedness;

/// Which two bytes of the second operand `dp2a` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairHalf {
    /// `.lo`: bytes 0 and 1.
    #[default]
    Low,
    /// `.hi`: bytes 2 and 3.
    High,
}

/// `dp4a`: `c` plus the products of four pairs of bytes, wrapping.
#[inline]
#[must_use]
pub fn dp4a(a: u32, a_sign: Signedness, b: u32, b_sign: Signedness, c: u32) -> u32 {
    let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
    a.into_iter().zip(b).fold(c, |sum, (a, b)| {
        sum.wrapping_add((byte(a, a_sign) * byte(b, b_sign)) as u32)
    })
}

/// `dp2a`: `c` plus the products of two halves and two bytes, wrapping.
#[inline]
#[must_use]
pub fn dp2a(half: PairHalf, a: u32, a_sign: Signedness, b: u32, b_sign: Signedness, c: u32) -> u32 {
    let [b0, b1, b2, b3] = b.to_le_bytes();
    let (low, high) = match half {
        PairHalf::Low => (b0, b1),
        PairHalf::High => (b2, b3),
    };
    let word = |a: u32| match a_sign {
        Signedness::Unsigned => i32::from(a as u16),
        Signedness::Signed => i32::from(a as i16),
    };
    c.wrapping_add((word(a) * byte(low, b_sign)) as u32)
        .wrapping_add((word(a >> 16) * byte(high, b_sign)) as u32)
}

#[inline]
fn byte(byte: u8, signedness: Signedness) -> i32 {
    match signedness {
        Signedness::Unsigned => i32::from(byte),
        Signedness::Signed => i32::from(byte as i8),
    }
}
