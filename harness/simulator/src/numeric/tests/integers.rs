//! Integer instructions, against the loops over bits by which the PTX ISA defines them.

use proptest::prelude::*;

use crate::numeric::Signedness::{self, Signed, Unsigned};
use crate::numeric::integer::{
    PairHalf, PrmtMode, ShiftLimit, abs, add_sat, bfe, bfi, bfind, bfind_shiftamt, bmsk, brev, clz,
    div, dp2a, dp4a, fns, lop3, mad_hi_sat, mad24_hi, mad24_hi_sat, mad24_lo, max, min, mul_hi,
    mul_lo, mul_wide_product, mul24_hi, mul24_lo, neg, popc, prmt, rem, sad, shf_left, shf_right,
    shl, shr, sub_sat, szext,
};

fn bit(a: u64, index: u32) -> bool {
    a >> index & 1 == 1
}

fn bfe_by_bits(bits: u32, signedness: Signedness, a: u64, position: u32, length: u32) -> u64 {
    let top = bits - 1;
    let (position, length) = (position & 0xff, length & 0xff);
    let fill = signedness == Signed && length != 0 && bit(a, (position + length - 1).min(top));
    (0..bits).fold(0, |d, i| {
        let inside = i < length && position + i <= top;
        d | u64::from(if inside { bit(a, position + i) } else { fill }) << i
    })
}

fn bfi_by_bits(bits: u32, a: u64, b: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    (0..bits).fold(0, |f, i| {
        let inside = i >= position && i - position < length;
        f | u64::from(if inside {
            bit(a, i - position)
        } else {
            bit(b, i)
        }) << i
    })
}

fn fns_by_bits(mask: u32, base: u32, offset: i32) -> u32 {
    if offset == 0 {
        return if bit(mask.into(), base) {
            base
        } else {
            u32::MAX
        };
    }
    let mut count = offset.unsigned_abs() - 1;
    let step = i64::from(offset.signum());
    let mut position = i64::from(base);
    while (0..32).contains(&position) {
        if bit(mask.into(), position as u32) {
            if count == 0 {
                return position as u32;
            }
            count -= 1;
        }
        position += step;
    }
    u32::MAX
}

fn bmsk_by_words(limit: ShiftLimit, a: u32, b: u32) -> u32 {
    let (a1, b1) = (a & 31, b & 31);
    let clamped = limit == ShiftLimit::Clamp;
    let mask0 = if clamped && a >= 32 {
        0
    } else {
        u32::MAX << a1
    };
    let mask1 = if a1 + b1 >= 32 || clamped && (a >= 32 || b >= 32) {
        0
    } else if b1 == 0 {
        u32::MAX
    } else {
        u32::MAX << (a1 + b1)
    };
    mask0 & !mask1
}

fn szext_by_words(limit: ShiftLimit, signedness: Signedness, a: u32, b: u32) -> u32 {
    let b1 = b & 31;
    let too_large = b >= 32 && limit == ShiftLimit::Clamp;
    let mask = if too_large { 0 } else { u32::MAX << b1 };
    let sign = b1 != 0 && !too_large && signedness == Signed && bit(a.into(), b1 - 1);
    a & !mask | if sign { mask } else { 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn bit_fields(a in any::<u64>(), b in any::<u64>(), position in 0_u32..300, length in 0_u32..300, near in 0_u32..70) {
        for (bits, mask) in [(32, u64::from(u32::MAX)), (64, u64::MAX)] {
            for (position, length) in [(position, length), (near, length % 70), (position % 70, near)] {
                for signedness in [Unsigned, Signed] {
                    prop_assert_eq!(
                        bfe(bits, signedness, a & mask, position, length),
                        bfe_by_bits(bits, signedness, a & mask, position, length)
                    );
                }
                prop_assert_eq!(
                    bfi(bits, a & mask, b & mask, position, length),
                    bfi_by_bits(bits, a, b, position, length) & mask
                );
            }
        }
        for limit in [ShiftLimit::Clamp, ShiftLimit::Wrap] {
            for (x, y) in [(position, length), (near, length % 40)] {
                prop_assert_eq!(bmsk(limit, x, y), bmsk_by_words(limit, x, y));
                for signedness in [Unsigned, Signed] {
                    let expected = szext_by_words(limit, signedness, a as u32, x);
                    prop_assert_eq!(szext(limit, signedness, a as u32, x), expected);
                }
            }
        }
    }

    #[test]
    fn searches(mask in any::<u32>(), sparse in any::<u32>(), base in 0_u32..32, offset in -33_i32..34, a in any::<u64>(), shift in 0_u32..64) {
        for mask in [mask, mask & sparse] {
            prop_assert_eq!(fns(mask, base, offset), fns_by_bits(mask, base, offset));
        }
        for a in [a >> shift, ((a as i64) >> shift) as u64] {
            for bits in [32, 64] {
                let top = bits - 1;
                for signedness in [Unsigned, Signed] {
                    let a = if signedness == Signed && bit(a, top) { !a } else { a };
                    let expected = (0..bits).rev().find(|&i| bit(a, i)).unwrap_or(u32::MAX);
                    prop_assert_eq!(bfind(bits, Unsigned, a), expected);
                    let shiftamt = if expected == u32::MAX { expected } else { top - expected };
                    prop_assert_eq!(bfind_shiftamt(bits, Unsigned, a), shiftamt);
                    prop_assert_eq!(clz(bits, a), shiftamt.min(bits));
                }
                let flipped = if bit(a, top) { !a } else { a };
                let expected = (0..bits).rev().find(|&i| bit(flipped, i)).unwrap_or(u32::MAX);
                prop_assert_eq!(bfind(bits, Signed, a), expected);
            }
        }
        prop_assert_eq!(popc(32, a), (a as u32).count_ones());
        prop_assert_eq!(brev(32, a), u64::from((a as u32).reverse_bits()));
        prop_assert_eq!(brev(64, a), a.reverse_bits());
    }

    #[test]
    fn shifts_and_logic(a in any::<u32>(), b in any::<u32>(), c in any::<u32>(), amount in 0_u32..80, table in any::<u8>()) {
        let expected = (0..32).fold(0, |d, i| {
            let row = (a >> i & 1) * 4 + (b >> i & 1) * 2 + (c >> i & 1);
            d | u32::from(table >> row & 1) << i
        });
        prop_assert_eq!(lop3(a, b, c, table), expected);
        for (limit, n) in [(ShiftLimit::Clamp, amount.min(32)), (ShiftLimit::Wrap, amount & 31)] {
            // As the PTX ISA writes it: (b << n) | (a >> (32 - n)) and (b << (32 - n)) | (a >> n).
            let left = |x: u32, n: u32| x.checked_shl(n).unwrap_or(0);
            let right = |x: u32, n: u32| x.checked_shr(n).unwrap_or(0);
            prop_assert_eq!(shf_left(limit, a, b, amount), left(b, n) | right(a, 32 - n));
            prop_assert_eq!(shf_right(limit, a, b, amount), left(b, 32 - n) | right(a, n));
        }
        prop_assert_eq!(shl(32, a.into(), amount), u64::from(a.checked_shl(amount).unwrap_or(0)));
        prop_assert_eq!(shr(32, Unsigned, a.into(), amount), u64::from(a.checked_shr(amount).unwrap_or(0)));
        prop_assert_eq!(shr(32, Signed, a.into(), amount), u64::from(((a as i32) >> amount.min(31)) as u32));
        prop_assert_eq!(shr(16, Signed, a.into(), amount), u64::from(((a as i16) >> amount.min(15)) as u16));
    }

    #[test]
    fn products(a in any::<u64>(), b in any::<u64>(), c in any::<u32>()) {
        prop_assert_eq!(mul_hi(64, Unsigned, a, b), ((u128::from(a) * u128::from(b)) >> 64) as u64);
        let signed = i128::from(a as i64) * i128::from(b as i64);
        prop_assert_eq!(mul_hi(64, Signed, a, b), (signed >> 64) as u64);
        prop_assert_eq!(mul_wide_product(64, Signed, a, b), signed as u128);
        let (x, y) = (a as u32, b as u32);
        let signed = i64::from(x as i32) * i64::from(y as i32);
        prop_assert_eq!(mul_hi(32, Signed, a, b), u64::from((signed >> 32) as u32));
        prop_assert_eq!(mul_hi(32, Unsigned, a, b), (u64::from(x) * u64::from(y)) >> 32);
        prop_assert_eq!(mul_wide_product(32, Signed, a, b), u128::from(signed as u64));
        prop_assert_eq!(mul_lo(32, a, b), u64::from(x.wrapping_mul(y)));
        let short = i32::from(a as i16) * i32::from(b as i16);
        prop_assert_eq!(mul_hi(16, Signed, a, b), u64::from((short >> 16) as u16));
        prop_assert_eq!(mul_wide_product(16, Signed, a, b), u128::from(short as u32));
        let (x24, y24) = (i64::from((x << 8) as i32 >> 8), i64::from((y << 8) as i32 >> 8));
        prop_assert_eq!(mul24_lo(Signed, x, y), (x24 * y24) as u32);
        prop_assert_eq!(mul24_hi(Signed, x, y), ((x24 * y24) >> 16) as u32);
        let (u24, v24) = (u64::from(x & 0xff_ffff), u64::from(y & 0xff_ffff));
        prop_assert_eq!(mul24_lo(Unsigned, x, y), (u24 * v24) as u32);
        prop_assert_eq!(mul24_hi(Unsigned, x, y), ((u24 * v24) >> 16) as u32);
        prop_assert_eq!(mad24_lo(Unsigned, x, y, c), ((u24 * v24) as u32).wrapping_add(c));
        prop_assert_eq!(mad24_hi(Signed, x, y, c), (((x24 * y24) >> 16) as u32).wrapping_add(c));
        let clamped = ((x24 * y24) >> 16) + i64::from(c as i32);
        let clamped = clamped.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        prop_assert_eq!(mad24_hi_sat(x as i32, y as i32, c as i32), clamped);
        let clamped = (signed >> 32) + i64::from(c as i32);
        let clamped = clamped.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        prop_assert_eq!(mad_hi_sat(x as i32, y as i32, c as i32), clamped);
    }

    #[test]
    fn sums_and_quotients(a in any::<u64>(), b in any::<u64>(), c in any::<u64>(), shift in 0_u32..64) {
        let b = b >> shift;
        let (x, y) = (a as i32, b as i32);
        prop_assert_eq!(sad(32, Signed, a, b, c), u64::from((c as u32).wrapping_add(x.abs_diff(y))));
        prop_assert_eq!(sad(64, Unsigned, a, b, c), c.wrapping_add(a.abs_diff(b)));
        prop_assert_eq!(sad(16, Signed, a, b, c), u64::from((c as u16).wrapping_add((a as i16).abs_diff(b as i16))));
        if y != 0 {
            prop_assert_eq!(div(32, Signed, a, b), u64::from(x.wrapping_div(y) as u32));
            prop_assert_eq!(rem(32, Signed, a, b), u64::from(x.wrapping_rem(y) as u32));
            prop_assert_eq!(div(32, Unsigned, a, b), u64::from(x as u32 / y as u32));
        }
        if b != 0 {
            prop_assert_eq!(div(64, Signed, a, b), (a as i64).wrapping_div(b as i64) as u64);
            prop_assert_eq!(rem(64, Unsigned, a, b), a % b);
        }
        prop_assert_eq!(min(32, Signed, a, b), u64::from(x.min(y) as u32));
        prop_assert_eq!(max(16, Unsigned, a, b), u64::from((a as u16).max(b as u16)));
        prop_assert_eq!(abs(32, a), u64::from(x.unsigned_abs()));
        prop_assert_eq!(neg(16, a), u64::from((a as u16).wrapping_neg()));
        prop_assert_eq!(add_sat(x, y), (i64::from(x) + i64::from(y)).clamp(i32::MIN.into(), i32::MAX.into()) as i32);
        prop_assert_eq!(sub_sat(x, y), (i64::from(x) - i64::from(y)).clamp(i32::MIN.into(), i32::MAX.into()) as i32);
    }

    #[test]
    fn dot_products(a in any::<u32>(), b in any::<u32>(), c in any::<u32>()) {
        let byte = |word: u32, index: u32, sign| {
            let byte = i64::from(word >> (8 * index) & 0xff);
            if sign == Signed && byte > 127 { byte - 256 } else { byte }
        };
        let half = |word: u32, index: u32, sign| {
            let half = i64::from(word >> (16 * index) & 0xffff);
            if sign == Signed && half > 32767 { half - 65536 } else { half }
        };
        for a_sign in [Signed, Unsigned] {
            for b_sign in [Signed, Unsigned] {
                let four: i64 = (0..4).map(|i| byte(a, i, a_sign) * byte(b, i, b_sign)).sum();
                prop_assert_eq!(dp4a(a, a_sign, b, b_sign, c), (four + i64::from(c)) as u32);
                for (which, first) in [(PairHalf::Low, 0), (PairHalf::High, 2)] {
                    let two: i64 =
                        (0..2).map(|i| half(a, i, a_sign) * byte(b, first + i, b_sign)).sum();
                    prop_assert_eq!(dp2a(which, a, a_sign, b, b_sign, c), (two + i64::from(c)) as u32);
                }
            }
        }
    }
}

/// The bytes of the operands name themselves, but for their top bits.
#[test]
fn permutations() {
    #[track_caller]
    fn check(mode: PrmtMode, selector: u32, expected: u32) {
        let result = prmt(mode, 0x8321_1000, 0x7665_d443, selector);
        assert_eq!(format!("{result:08x}"), format!("{expected:08x}"));
    }
    check(PrmtMode::Default, 0x3210, 0x8321_1000);
    check(PrmtMode::Default, 0x7654, 0x7665_d443);
    check(PrmtMode::Default, 0x0123, 0x0010_2183);
    check(PrmtMode::Default, 0xdb98, 0xffff_0000);
    check(PrmtMode::Default, 0xffff_5555, 0xd4d4_d4d4);
    // The tables of the PTX ISA, from the most significant byte to the least.
    check(PrmtMode::ForwardFour, 0, 0x8321_1000);
    check(PrmtMode::ForwardFour, 1, 0x4383_2110);
    check(PrmtMode::ForwardFour, 2, 0xd443_8321);
    check(PrmtMode::ForwardFour, 3, 0x65d4_4383);
    check(PrmtMode::BackwardFour, 0, 0xd465_7600);
    check(PrmtMode::BackwardFour, 1, 0x6576_0010);
    check(PrmtMode::BackwardFour, 2, 0x7600_1021);
    check(PrmtMode::BackwardFour, 3, 0x0010_2183);
    check(PrmtMode::ReplicateEight, 2, 0x2121_2121);
    check(PrmtMode::EdgeClampLeft, 0, 0x8321_1000);
    check(PrmtMode::EdgeClampLeft, 1, 0x8321_1010);
    check(PrmtMode::EdgeClampLeft, 2, 0x8321_2121);
    check(PrmtMode::EdgeClampLeft, 3, 0x8383_8383);
    check(PrmtMode::EdgeClampRight, 0, 0x0000_0000);
    check(PrmtMode::EdgeClampRight, 1, 0x1010_1000);
    check(PrmtMode::EdgeClampRight, 2, 0x2121_1000);
    check(PrmtMode::EdgeClampRight, 3, 0x8321_1000);
    check(PrmtMode::ReplicateSixteen, 0, 0x1000_1000);
    check(PrmtMode::ReplicateSixteen, 1, 0x8321_8321);
    check(PrmtMode::ReplicateSixteen, 2, 0x1000_1000);
    check(PrmtMode::ReplicateSixteen, 3, 0x8321_8321);
}

#[test]
fn divisions_that_ptx_leaves_open_do_not_panic() {
    assert_eq!(div(32, Unsigned, 5, 0), 0xffff_ffff);
    assert_eq!(rem(32, Signed, 5, 0), 5);
    assert_eq!(div(64, Signed, 1 << 63, u64::MAX), 1 << 63);
    assert_eq!(rem(64, Signed, 1 << 63, u64::MAX), 0);
}
