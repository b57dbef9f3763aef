//! Bit fields, counts, permutes, and shifts, each reference a bit-by-bit transcript of the PTX ISA.

use super::{Row, flat, rows, x};
use crate::catalogue::rows::program;
use crate::table::{
    Operation,
    Reference::{Long, Single, Word},
};
use crate::{DeviceLimits, Program, input};

/// Amounts around every width and limit: c and d are positions, lengths, distances, and selectors.
const AMOUNTS: [u32; 22] = [
    0,
    1,
    2,
    5,
    8,
    15,
    16,
    24,
    30,
    31,
    32,
    33,
    40,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    257,
    0xFFFF_FFFF,
];

pub(super) fn int_bits(_: &DeviceLimits, seed: u64) -> Program {
    let mut rows = rows(seed, 30, 1237);
    for (index, row) in rows.iter_mut().enumerate() {
        // Every pair of amounts, then random words as selectors, then short random amounts.
        match index % 4 {
            0 | 1 => {
                let pair = index / 4 * 2 + index % 4;
                row[2] = AMOUNTS[pair / AMOUNTS.len() % AMOUNTS.len()];
                row[3] = AMOUNTS[pair % AMOUNTS.len()];
            }
            2 => row[2] = input(seed, 34, index) as u32,
            _ => {
                row[0] = input(seed, 36, index) as u32;
                row[1] = input(seed, 37, index) as u32;
                row[2] = input(seed, 34, index) as u32 % 70;
                row[3] = input(seed, 35, index) as u32 % 70;
            }
        }
    }
    program("int_bits", flat(&rows), &rows, OPERATIONS)
}

/// The 64-bit operand a:b, the halves of x exchanged.
fn y(row: &Row) -> u64 {
    x(row).rotate_left(32)
}

fn bit(value: u64, index: u32) -> bool {
    value >> index & 1 == 1
}

/// Collects bits, the lowest first.
fn collect(width: u32, at: impl Fn(u32) -> bool) -> u64 {
    (0..width).fold(0, |value, index| value | u64::from(at(index)) << index)
}

/// `bfe.u32` and `bfe.u64`: bits beyond the operand are zero.
fn extract(value: u64, width: u32, [.., c, d]: &Row) -> u64 {
    let (position, length) = (c & 0xFF, d & 0xFF);
    collect(width, |index| {
        index < length && position + index < width && bit(value, position + index)
    })
}

/// `bfe.s32` and `bfe.s64`: bits beyond the field repeat its highest, or the operand's.
fn extract_signed(value: u64, width: u32, [.., c, d]: &Row) -> u64 {
    let (position, length) = (c & 0xFF, d & 0xFF);
    let sign = length > 0 && bit(value, (position + length - 1).min(width - 1));
    collect(width, |index| {
        if index < length && position + index < width {
            bit(value, position + index)
        } else {
            sign
        }
    })
}

/// `bfi`: the low bits of the field replace bits of the base.
fn insert(field: u64, base: u64, width: u32, [.., c, d]: &Row) -> u64 {
    let (position, length) = (c & 0xFF, d & 0xFF);
    collect(width, |index| {
        if (position..position + length).contains(&index) {
            bit(field, index - position)
        } else {
            bit(base, index)
        }
    })
}

/// `bfind`: the position of the highest bit that differs from the sign, or all ones.
fn find(value: u64, width: u32) -> u32 {
    (0..width)
        .rev()
        .find(|index| bit(value, *index))
        .unwrap_or(u32::MAX)
}

fn find_signed(value: u64, width: u32) -> u32 {
    let negative = bit(value, width - 1);
    (0..width)
        .rev()
        .find(|index| bit(value, *index) != negative)
        .unwrap_or(u32::MAX)
}

/// Byte `index` of b:a; with the fourth bit of the selector, its sign eight times.
fn selected(row: &Row, selector: u32) -> u32 {
    let byte = (x(row) >> (8 * (selector & 7))) as u8;
    if selector & 8 == 0 {
        u32::from(byte)
    } else {
        u32::from(byte >> 7) * 0xFF
    }
}

/// `prmt` with one selector for each byte of the result, the lowest first.
fn permute(row: &Row, selectors: [u32; 4]) -> u32 {
    selectors
        .iter()
        .rev()
        .fold(0, |value, selector| value << 8 | selected(row, *selector))
}

fn permute_by_nibbles(row: &Row) -> u32 {
    permute(row, [0, 1, 2, 3].map(|index| row[2] >> (4 * index) & 15))
}

/// What a shift does whose amount reaches the width: nothing is left of the operand.
fn left(value: u64, width: u32, amount: u32) -> u64 {
    collect(width, |index| index >= amount && bit(value, index - amount))
}

fn right(value: u64, width: u32, amount: u32) -> u64 {
    collect(width, |index| {
        index
            .checked_add(amount)
            .is_some_and(|from| from < width && bit(value, from))
    })
}

fn right_signed(value: u64, width: u32, amount: u32) -> u64 {
    collect(width, |index| {
        bit(value, index.saturating_add(amount).min(width - 1))
    })
}

/// The upper half of b:a shifted left.
fn funnel_left(row: &Row, amount: u32) -> u32 {
    ((x(row) << amount) >> 32) as u32
}

/// The lower half of b:a shifted right.
fn funnel_right(row: &Row, amount: u32) -> u32 {
    (x(row) >> amount) as u32
}

/// `lop3`: bit `4a + 2b + c` of the table for each triple of bits.
fn lookup([a, b, c, _]: &Row, table: u64) -> u32 {
    collect(32, |index| {
        let one = |word: u32| word >> index & 1;
        bit(table, 4 * one(*a) + 2 * one(*b) + one(*c))
    }) as u32
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    ("bfe.u64", Long(|row| extract(x(row), 64, row))),
    ("bfe.s64", Long(|row| extract_signed(x(row), 64, row))),
    ("bfi.b64", Long(|row| insert(x(row), y(row), 64, row))),
    ("brev.b64", Long(|row| x(row).reverse_bits())),
    ("shl.b64", Long(|row| left(x(row), 64, row[2]))),
    ("shr.u64", Long(|row| right(x(row), 64, row[2]))),
    ("shr.s64", Long(|row| right_signed(x(row), 64, row[2]))),
    ("and.b64", Long(|row| x(row) & y(row))),
    ("not.b64", Long(|row| !x(row))),
    (
        "bfe.u32",
        Word(|row| extract(row[0].into(), 32, row) as u32),
    ),
    (
        "bfe.s32",
        Word(|row| extract_signed(row[0].into(), 32, row) as u32),
    ),
    (
        "bfi.b32",
        Word(|row| insert(row[0].into(), row[1].into(), 32, row) as u32),
    ),
    ("brev.b32", Word(|[a, ..]| a.reverse_bits())),
    ("popc.b32", Word(|[a, ..]| a.count_ones())),
    ("popc.b64", Word(|row| x(row).count_ones())),
    ("clz.b32", Word(|[a, ..]| a.leading_zeros())),
    ("clz.b64", Word(|row| y(row).leading_zeros())),
    ("bfind.u32", Word(|[a, ..]| find((*a).into(), 32))),
    ("bfind.s32", Word(|[a, ..]| find_signed((*a).into(), 32))),
    (
        "bfind.shiftamt.u32",
        Word(|[a, ..]| match find((*a).into(), 32) {
            u32::MAX => u32::MAX,
            position => 31 - position,
        }),
    ),
    ("bfind.u64", Word(|row| find(x(row), 64))),
    ("bfind.s64", Word(|row| find_signed(y(row), 64))),
    ("prmt.b32", Word(permute_by_nibbles)),
    (
        "prmt.b32.f4e",
        Word(|row| permute(row, [0, 1, 2, 3].map(|byte| (row[2] & 3) + byte))),
    ),
    (
        "prmt.b32.b4e",
        Word(|row| permute(row, [8, 7, 6, 5].map(|byte| ((row[2] & 3) + byte) & 7))),
    ),
    ("prmt.b32.rc8", Word(|row| permute(row, [row[2] & 3; 4]))),
    (
        "prmt.b32.ecl",
        Word(|row| permute(row, [0, 1, 2, 3].map(|byte: u32| byte.max(row[2] & 3)))),
    ),
    (
        "prmt.b32.ecr",
        Word(|row| permute(row, [0, 1, 2, 3].map(|byte: u32| byte.min(row[2] & 3)))),
    ),
    (
        "prmt.b32.rc16",
        Word(|row| permute(row, [0, 1, 0, 1].map(|byte| (row[2] & 1) * 2 + byte))),
    ),
    (
        "shl.b32",
        Word(|row| left(row[0].into(), 32, row[2]) as u32),
    ),
    (
        "shr.u32",
        Word(|row| right(row[0].into(), 32, row[2]) as u32),
    ),
    (
        "shr.s32",
        Word(|row| right_signed(row[0].into(), 32, row[2]) as u32),
    ),
    ("shf.l.wrap.b32", Word(|row| funnel_left(row, row[2] & 31))),
    (
        "shf.l.clamp.b32",
        Word(|row| funnel_left(row, row[2].min(32))),
    ),
    ("shf.r.wrap.b32", Word(|row| funnel_right(row, row[2] & 31))),
    (
        "shf.r.clamp.b32",
        Word(|row| funnel_right(row, row[2].min(32))),
    ),
    ("and.b32", Word(|[a, b, ..]| a & b)),
    ("or.b32", Word(|[a, b, ..]| a | b)),
    ("xor.b32", Word(|[a, b, ..]| a ^ b)),
    ("not.b32", Word(|[a, ..]| !a)),
    ("cnot.b32", Word(|[.., d]| u32::from(*d == 0))),
    ("lop3.b32 0x96", Word(|row| lookup(row, 0x96))),
    ("lop3.b32 0xE8", Word(|row| lookup(row, 0xE8))),
    ("lop3.b32 0x2D", Word(|row| lookup(row, 0x2D))),
    (
        "setp.lt.s32",
        Word(|[a, b, ..]| if (*a as i32) < *b as i32 { 1 } else { 2 | 4 }),
    ),
    (
        "setp.hi.and.u32",
        Word(|[a, b, c, d]| {
            let not_less = *a as i32 >= *b as i32;
            if c > d && not_less { *a } else { *b }
        }),
    ),
    (
        "set.ge.f32.s32",
        Single(|[a, .., d]| if *a as i32 >= *d as i32 { 1.0 } else { 0.0 }),
    ),
    (
        "set.lt.f32.u32",
        Single(|[a, .., d]| if a < d { 1.0 } else { 0.0 }),
    ),
    (
        "slct.s32.s32",
        Word(|[a, b, c, _]| if *a as i32 >= 0 { *b } else { *c }),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, row: Row, expected: u64) {
        let found = OPERATIONS.iter().find(|(known, _)| *known == name);
        let value = match found {
            Some((_, Long(reference))) => Some(reference(&row)),
            Some((_, Word(reference))) => Some(reference(&row).into()),
            Some(_) | None => None,
        };
        assert_eq!(value, Some(expected), "`{name}` of {row:x?}");
    }

    #[test]
    fn the_references_agree_with_the_examples_of_the_manual() {
        check("bfe.u32", [0x1234_5678, 0, 8, 8], 0x56);
        check("bfe.u32", [0x1234_5678, 0, 28, 8], 0x1);
        check("bfe.u32", [0xFFFF_FFFF, 0, 8, 0], 0);
        check("bfe.s32", [0x0000_8000, 0, 8, 8], 0xFFFF_FF80);
        check("bfe.s32", [0x8000_0000, 0, 40, 8], 0xFFFF_FFFF);
        check("bfi.b32", [0xAB, 0x1111_1111, 8, 8], 0x1111_AB11);
        check("bfi.b32", [0xAB, 0x1111_1111, 28, 8], 0xB111_1111);
        check("bfi.b32", [0xAB, 0x1111_1111, 32, 8], 0x1111_1111);
        check("bfind.u32", [0, 0, 0, 0], 0xFFFF_FFFF);
        check("bfind.s32", [0xFFFF_FF00, 0, 0, 0], 7);
        check("bfind.shiftamt.u32", [0x8000_0000, 0, 0, 0], 0);
        check(
            "prmt.b32",
            [0x3322_1100, 0x7766_5544, 0x1AF4, 0],
            0x1100_0044,
        );
        check(
            "prmt.b32.f4e",
            [0x3322_1100, 0x7766_5544, 2, 0],
            0x5544_3322,
        );
        check(
            "prmt.b32.b4e",
            [0x3322_1100, 0x7766_5544, 1, 0],
            0x6677_0011,
        );
        check("prmt.b32.ecl", [0x3322_1100, 0, 2, 0], 0x3322_2222);
        check("prmt.b32.ecr", [0x3322_1100, 0, 2, 0], 0x2222_1100);
        check("prmt.b32.rc16", [0x3322_1100, 0, 1, 0], 0x3322_3322);
        check(
            "shf.l.clamp.b32",
            [0x8000_0001, 0x1234_5678, 32, 0],
            0x8000_0001,
        );
        check(
            "shf.l.wrap.b32",
            [0x8000_0001, 0x1234_5678, 33, 0],
            0x2468_ACF1,
        );
        check(
            "shf.r.clamp.b32",
            [0x8000_0001, 0x1234_5678, 99, 0],
            0x1234_5678,
        );
        check("shr.s32", [0x8000_0000, 0, 99, 0], 0xFFFF_FFFF);
        check(
            "lop3.b32 0x2D",
            [0b1111_0000, 0b1100_1100, 0b1010_1010, 0],
            0xFFFF_FF2D,
        );
    }
}
