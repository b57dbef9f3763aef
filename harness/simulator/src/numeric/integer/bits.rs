//! Shifts, bit fields, permutations, and counts.

use super::super::Signedness;
use super::{low, value};

/// Which bytes `prmt` selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrmtMode {
    /// Four selectors of four bits; the top bit of each replicates the sign of the byte.
    #[default]
    Default,
    /// `.f4e`: four bytes from the selector upwards.
    ForwardFour,
    /// `.b4e`: four bytes from the selector downwards.
    BackwardFour,
    /// `.rc8`: one byte, four times.
    ReplicateEight,
    /// `.ecl`: the byte index, at least the selector.
    EdgeClampLeft,
    /// `.ecr`: the byte index, at most the selector.
    EdgeClampRight,
    /// `.rc16`: one half, twice.
    ReplicateSixteen,
}

/// What happens to an amount beyond the width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShiftLimit {
    /// `.clamp`: it counts as the width.
    #[default]
    Clamp,
    /// `.wrap`: only its low five bits count.
    Wrap,
}

impl ShiftLimit {
    const fn apply(self, amount: u32) -> u32 {
        match self {
            Self::Clamp if amount > 32 => 32,
            Self::Clamp => amount,
            Self::Wrap => amount & 31,
        }
    }
}

/// `prmt`: bytes of `a` are 0 to 3, those of `b` are 4 to 7.
#[inline]
#[must_use]
pub fn prmt(mode: PrmtMode, a: u32, b: u32, selector: u32) -> u32 {
    let bytes = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
    let one = selector & 3;
    let picked = |index: u32| match mode {
        PrmtMode::Default => {
            let nibble = selector >> (4 * index) & 15;
            let byte = bytes[(nibble & 7) as usize];
            if nibble & 8 == 0 {
                byte
            } else {
                ((byte as i8) >> 7) as u8
            }
        }
        PrmtMode::ForwardFour => bytes[((one + index) & 7) as usize],
        PrmtMode::BackwardFour => bytes[(one.wrapping_sub(index) & 7) as usize],
        PrmtMode::ReplicateEight => bytes[one as usize],
        PrmtMode::EdgeClampLeft => bytes[index.max(one) as usize],
        PrmtMode::EdgeClampRight => bytes[index.min(one) as usize],
        PrmtMode::ReplicateSixteen => bytes[((one & 1) * 2 + (index & 1)) as usize],
    };
    u32::from_le_bytes([picked(0), picked(1), picked(2), picked(3)])
}

/// `shf.l`: the upper word of `high:low` shifted left.
#[inline]
#[must_use]
pub const fn shf_left(limit: ShiftLimit, low: u32, high: u32, amount: u32) -> u32 {
    let pair = (high as u64) << 32 | low as u64;
    ((pair << limit.apply(amount)) >> 32) as u32
}

/// `shf.r`: the lower word of `high:low` shifted right.
#[inline]
#[must_use]
pub const fn shf_right(limit: ShiftLimit, low: u32, high: u32, amount: u32) -> u32 {
    let pair = (high as u64) << 32 | low as u64;
    (pair >> limit.apply(amount)) as u32
}

/// `shl`; amounts beyond the width give zero.
#[inline]
#[must_use]
pub const fn shl(bits: u32, a: u64, amount: u32) -> u64 {
    if amount >= bits {
        0
    } else {
        low(bits, a << amount)
    }
}

/// `shr`; amounts beyond the width give zero or, signed, copies of the sign.
#[inline]
#[must_use]
pub const fn shr(bits: u32, signedness: Signedness, a: u64, amount: u32) -> u64 {
    let amount = if amount > bits { bits } else { amount };
    low(bits, (value(bits, signedness, a) >> amount) as u64)
}

/// `bfe`: position and length are their low eight bits; what lies above the top bit is the sign, which
/// is that of the field, or of the operand where the field reaches beyond it.
#[inline]
#[must_use]
pub const fn bfe(bits: u32, signedness: Signedness, a: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let a = value(bits, signedness, a);
    let from = if position > bits { bits } else { position };
    // Beyond the top bit, `a` continues with copies of its sign, or with zeros.
    let field = a >> from;
    if length >= bits {
        return low(bits, field as u64);
    }
    let up = 128 - length;
    let field = match signedness {
        Signedness::Unsigned => (((field as u128) << up) >> up) as u64,
        Signedness::Signed => ((field << up) >> up) as u64,
    };
    low(bits, field)
}

/// `bfi`: position and length are their low eight bits; what does not fit is dropped.
#[inline]
#[must_use]
pub const fn bfi(bits: u32, insert: u64, base: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position >= bits || length == 0 {
        return low(bits, base);
    }
    let field = if length >= 64 {
        u64::MAX
    } else {
        (1 << length) - 1
    };
    let mask = field << position;
    low(bits, base & !mask | (insert << position) & mask)
}

/// `bfind`: the position of the highest bit that is not a copy of the sign, all ones if there is none.
#[inline]
#[must_use]
pub const fn bfind(bits: u32, signedness: Signedness, a: u64) -> u32 {
    let value = value(bits, signedness, a);
    let magnitude = low(bits, if value < 0 { !value } else { value } as u64);
    63_u32.wrapping_sub(magnitude.leading_zeros())
}

/// `bfind.shiftamt`: how far to shift left to bring that bit to the top.
#[inline]
#[must_use]
pub const fn bfind_shiftamt(bits: u32, signedness: Signedness, a: u64) -> u32 {
    let position = bfind(bits, signedness, a);
    if position == u32::MAX {
        position
    } else {
        bits - 1 - position
    }
}

/// `fns`: the position of the n-th set bit, counted from the base upwards or downwards; an offset of
/// zero asks for the base itself. All ones if there is none.
#[inline]
#[must_use]
pub const fn fns(mask: u32, base: u32, offset: i32) -> u32 {
    if base > 31 {
        return u32::MAX;
    }
    let (step, wanted) = match offset {
        0 => {
            return if mask >> base & 1 != 0 {
                base
            } else {
                u32::MAX
            };
        }
        1.. => (1, offset.unsigned_abs()),
        _ => (u32::MAX, offset.unsigned_abs()),
    };
    let (mut position, mut found) = (base, 0);
    while position < 32 {
        found += mask >> position & 1;
        if found == wanted {
            return position;
        }
        position = position.wrapping_add(step);
    }
    u32::MAX
}

/// `lop3`: bit `4a + 2b + c` of the table, for each position.
#[inline]
#[must_use]
pub const fn lop3(a: u32, b: u32, c: u32, table: u8) -> u32 {
    let mut result = 0;
    let mut row = 0;
    while row < 8 {
        if table >> row & 1 != 0 {
            let a = if row & 4 == 0 { !a } else { a };
            let b = if row & 2 == 0 { !b } else { b };
            let c = if row & 1 == 0 { !c } else { c };
            result |= a & b & c;
        }
        row += 1;
    }
    result
}

/// `bmsk`: a mask of a width from a position upwards.
#[inline]
#[must_use]
pub const fn bmsk(limit: ShiftLimit, position: u32, width: u32) -> u32 {
    let (position, width) = (limit.apply(position), limit.apply(width));
    let mask = if width >= 32 {
        u64::MAX
    } else {
        (1 << width) - 1
    };
    (mask << position) as u32
}

/// `szext`: the low bits, sign-extended or zero-extended.
#[inline]
#[must_use]
pub const fn szext(limit: ShiftLimit, signedness: Signedness, a: u32, bits: u32) -> u32 {
    match limit.apply(bits) {
        0 => 0,
        bits => value(bits, signedness, a as u64) as u32,
    }
}

/// `popc`.
#[inline]
#[must_use]
pub const fn popc(bits: u32, a: u64) -> u32 {
    low(bits, a).count_ones()
}

/// `clz`.
#[inline]
#[must_use]
pub const fn clz(bits: u32, a: u64) -> u32 {
    low(bits, a).leading_zeros() - (64 - bits)
}

/// `brev`.
#[inline]
#[must_use]
pub const fn brev(bits: u32, a: u64) -> u64 {
    low(bits, a).reverse_bits() >> (64 - bits)
}
