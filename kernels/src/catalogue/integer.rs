//! Integer arithmetic and bit operations.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the operations under test are defined on the bits of their operands"
)]

mod bits;

use super::rows::{program, words};
use crate::table::{
    Operation,
    Reference::{Long, Word},
};
use crate::{DeviceLimits, Kernel, Program, input};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "int-arithmetic",
        summary: "products, quotients, saturation, and carry chains of 16, 32, and 64 bits; a failure means wrong integer units or a miscompiling driver",
        ptx: include_str!("../../ptx/int-arithmetic.ptx"),
        needs: &[],
        program: int_arithmetic,
    },
    Kernel {
        name: "int-bits",
        summary: "bit fields, counts, byte permutes, shifts beyond the width, and three-input logic; a failure means wrong integer units or a miscompiling driver",
        ptx: include_str!("../../ptx/int-bits.ptx"),
        needs: &[],
        program: bits::int_bits,
    },
    Kernel {
        name: "dp4a",
        summary: "dot products of bytes in every mix of signs; a failure makes quantised networks wrong",
        ptx: include_str!("../../ptx/dp4a.ptx"),
        needs: &[],
        program: dp4a,
    },
];

/// A row of inputs: the registers a, b, c, d.
type Row = [u32; 4];

/// Values where carries, signs, and halves meet.
const CORNERS: [u32; 14] = [
    0,
    1,
    2,
    3,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFE,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// Every pair of corners as a and b, and after them random rows of every magnitude.
fn rows(seed: u64, stream: u64, count: usize) -> Vec<Row> {
    let corners = CORNERS.len();
    (0..count)
        .map(|index| {
            let random = |part: u64| {
                let bits = input(seed, stream + part, index);
                // Half of the random values are short, so that quotients and carries vary.
                let short = bits >> 32 & 1 == 1;
                (bits as u32) >> if short { bits >> 33 & 31 } else { 0 }
            };
            if index < corners * corners {
                let (a, b) = (index / corners, index % corners);
                // The other two walk through the corners with periods of their own.
                let (c, d) = ((index * 5 + a) % corners, (index * 3 + b + 1) % corners);
                [a, b, c, d].map(|corner| CORNERS[corner])
            } else {
                [random(0), random(1), random(2), random(3)]
            }
        })
        .collect()
}

fn flat(rows: &[Row]) -> Vec<u8> {
    words(rows.iter().copied().flatten())
}

fn int_arithmetic(_: &DeviceLimits, seed: u64) -> Program {
    let mut rows = rows(seed, 10, 1021);
    for row in &mut rows {
        // Division by zero and the one overflowing quotient have no defined result.
        if row[3] == 0 {
            row[3] = 7;
        }
        let overflows_32 = row[0] == 0x8000_0000 && row[3] == u32::MAX;
        let overflows_64 = x(row) == 1 << 63 && y(row) == u64::MAX;
        if overflows_32 || overflows_64 {
            row[3] = 5;
        }
    }
    program("int_arithmetic", flat(&rows), &rows, ARITHMETIC)
}

/// The 64-bit operand b:a.
fn x(row: &Row) -> u64 {
    u64::from(row[1]) << 32 | u64::from(row[0])
}

/// The 64-bit operand d:c.
fn y(row: &Row) -> u64 {
    u64::from(row[3]) << 32 | u64::from(row[2])
}

/// The word `index` of a 128-bit value.
fn word(value: u128, index: u32) -> u32 {
    (value >> (32 * index)) as u32
}

/// The 128-bit operand d:c:b:a.
fn low_first(row: &Row) -> u128 {
    u128::from(y(row)) << 64 | u128::from(x(row))
}

/// The 128-bit operand a:d:c:b.
fn rotated(row: &Row) -> u128 {
    low_first(row).rotate_right(32) // a moves from the lowest word to the highest
}

fn sum(row: &Row) -> u128 {
    low_first(row).wrapping_add(rotated(row))
}

fn difference(row: &Row) -> u128 {
    low_first(row).wrapping_sub(rotated(row))
}

fn product(row: &Row) -> u128 {
    u128::from(x(row)) * u128::from(y(row))
}

/// The upper half of the signed product of a and b.
fn high_signed(a: u32, b: u32) -> i32 {
    ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as i32
}

/// The upper half of the unsigned product of a and b.
fn high_unsigned(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

/// A result of 16 bits with the low half of a above it.
fn below(a: u32, result: u16) -> u32 {
    a << 16 | u32::from(result)
}

/// In the order in which the kernel stores them.
const ARITHMETIC: &[Operation<Row>] = &[
    ("add.s64", Long(|row| x(row).wrapping_add(y(row)))),
    ("sub.s64", Long(|row| x(row).wrapping_sub(y(row)))),
    ("mul.lo.s64", Long(|row| x(row).wrapping_mul(y(row)))),
    ("mul.hi.u64", Long(|row| (product(row) >> 64) as u64)),
    (
        "mul.hi.s64",
        Long(|row| ((i128::from(x(row) as i64) * i128::from(y(row) as i64)) >> 64) as u64),
    ),
    (
        "mad.lo.s64",
        Long(|row| x(row).wrapping_mul(y(row)).wrapping_add(x(row))),
    ),
    (
        "mul.wide.u32",
        Long(|[a, b, ..]| u64::from(*a) * u64::from(*b)),
    ),
    (
        "mul.wide.s32",
        Long(|[a, b, ..]| (i64::from(*a as i32) * i64::from(*b as i32)) as u64),
    ),
    (
        "mad.wide.u32",
        Long(|row| (u64::from(row[0]) * u64::from(row[1])).wrapping_add(y(row))),
    ),
    (
        "mad.wide.s32",
        Long(|row| {
            ((i64::from(row[0] as i32) * i64::from(row[1] as i32)) as u64).wrapping_add(y(row))
        }),
    ),
    ("div.u64", Long(|row| x(row) / y(row))),
    (
        "div.s64",
        Long(|row| (x(row) as i64 / y(row) as i64) as u64),
    ),
    ("rem.u64", Long(|row| x(row) % y(row))),
    (
        "rem.s64",
        Long(|row| (x(row) as i64 % y(row) as i64) as u64),
    ),
    (
        "min.s64",
        Long(|row| (x(row) as i64).min(y(row) as i64) as u64),
    ),
    ("max.u64", Long(|row| x(row).max(y(row)))),
    ("abs.s64", Long(|row| (x(row) as i64).wrapping_abs() as u64)),
    ("neg.s64", Long(|row| y(row).wrapping_neg())),
    ("add.u32", Word(|[a, b, ..]| a.wrapping_add(*b))),
    (
        "add.sat.s32",
        Word(|[a, b, ..]| (*a as i32).saturating_add(*b as i32) as u32),
    ),
    ("sub.u32", Word(|[a, b, ..]| a.wrapping_sub(*b))),
    (
        "sub.sat.s32",
        Word(|[a, b, ..]| (*a as i32).saturating_sub(*b as i32) as u32),
    ),
    ("mul.lo.s32", Word(|[a, b, ..]| a.wrapping_mul(*b))),
    ("mul.hi.u32", Word(|[a, b, ..]| high_unsigned(*a, *b))),
    ("mul.hi.s32", Word(|[a, b, ..]| high_signed(*a, *b) as u32)),
    (
        "mad.lo.u32",
        Word(|[a, b, c, _]| a.wrapping_mul(*b).wrapping_add(*c)),
    ),
    (
        "mad.hi.u32",
        Word(|[a, b, c, _]| high_unsigned(*a, *b).wrapping_add(*c)),
    ),
    (
        "mad.hi.s32",
        Word(|[a, b, c, _]| (high_signed(*a, *b) as u32).wrapping_add(*c)),
    ),
    (
        "mad.hi.sat.s32",
        Word(|[a, b, c, _]| high_signed(*a, *b).saturating_add(*c as i32) as u32),
    ),
    (
        "mul.wide.u16",
        Word(|[a, b, ..]| u32::from(*a as u16) * u32::from(*b as u16)),
    ),
    (
        "mul.wide.s16",
        Word(|[a, b, ..]| (i32::from(*a as i16) * i32::from(*b as i16)) as u32),
    ),
    (
        "sad.u32",
        Word(|[a, b, c, _]| a.abs_diff(*b).wrapping_add(*c)),
    ),
    (
        "sad.s32",
        Word(|[a, b, c, _]| (*a as i32).abs_diff(*b as i32).wrapping_add(*c)),
    ),
    ("div.u32", Word(|[a, .., d]| a / d)),
    ("div.s32", Word(|[a, .., d]| (*a as i32 / *d as i32) as u32)),
    ("rem.u32", Word(|[a, .., d]| a % d)),
    ("rem.s32", Word(|[a, .., d]| (*a as i32 % *d as i32) as u32)),
    ("min.u32", Word(|[a, b, ..]| *a.min(b))),
    (
        "min.s32",
        Word(|[a, b, ..]| (*a as i32).min(*b as i32) as u32),
    ),
    ("max.u32", Word(|[a, b, ..]| *a.max(b))),
    (
        "max.s32",
        Word(|[a, b, ..]| (*a as i32).max(*b as i32) as u32),
    ),
    ("abs.s32", Word(|[a, ..]| (*a as i32).wrapping_abs() as u32)),
    ("neg.s32", Word(|[a, ..]| a.wrapping_neg())),
    (
        "add.u16",
        Word(|[a, b, ..]| below(*a, (*a as u16).wrapping_add(*b as u16))),
    ),
    (
        "mul.lo.u16",
        Word(|[a, b, ..]| below(*a, (*a as u16).wrapping_mul(*b as u16))),
    ),
    (
        "mul.hi.s16",
        Word(|[a, b, ..]| {
            below(
                *a,
                ((i32::from(*a as i16) * i32::from(*b as i16)) >> 16) as u16,
            )
        }),
    ),
    ("add.cc, word 0", Word(|row| word(sum(row), 0))),
    ("addc.cc, word 1", Word(|row| word(sum(row), 1))),
    ("addc.cc, word 2", Word(|row| word(sum(row), 2))),
    ("addc, word 3", Word(|row| word(sum(row), 3))),
    ("sub.cc, word 0", Word(|row| word(difference(row), 0))),
    ("subc.cc, word 1", Word(|row| word(difference(row), 1))),
    ("subc.cc, word 2", Word(|row| word(difference(row), 2))),
    ("subc, word 3", Word(|row| word(difference(row), 3))),
    ("mad.cc product, word 0", Word(|row| word(product(row), 0))),
    ("mad.cc product, word 1", Word(|row| word(product(row), 1))),
    ("mad.cc product, word 2", Word(|row| word(product(row), 2))),
    ("mad.cc product, word 3", Word(|row| word(product(row), 3))),
];

fn dp4a(_: &DeviceLimits, seed: u64) -> Program {
    let mut rows = rows(seed, 20, 509);
    // Bytes at their extremes, so that a wrong sign shows in each of the four products.
    for (index, row) in rows.iter_mut().enumerate().take(64) {
        row[0] = (input(seed, 24, index) as u32) | 0x8080_8080;
        row[1] = (input(seed, 25, index) as u32) | 0x8000_0080;
    }
    program("dp4a", flat(&rows), &rows, DOT_PRODUCTS)
}

/// Byte `index`, sign-extended.
fn signed(value: u32, index: u32) -> i64 {
    i64::from((value >> (8 * index)) as i8)
}

/// Byte `index`, zero-extended.
fn unsigned(value: u32, index: u32) -> i64 {
    i64::from((value >> (8 * index)) as u8)
}

/// Half `index`, sign-extended.
fn signed_half(value: u32, index: u32) -> i64 {
    i64::from((value >> (16 * index)) as i16)
}

/// Half `index`, zero-extended.
fn unsigned_half(value: u32, index: u32) -> i64 {
    i64::from((value >> (16 * index)) as u16)
}

/// Extends one element of a packed operand.
type Element = fn(u32, u32) -> i64;

fn dot4([a, b, c, _]: &Row, left: Element, right: Element) -> u32 {
    let products: i64 = (0..4).map(|index| left(*a, index) * right(*b, index)).sum();
    (i64::from(*c) + products) as u32
}

/// `first` is the first of the two bytes of b.
fn dot2([a, b, _, d]: &Row, left: Element, right: Element, first: u32) -> u32 {
    let products: i64 = (0..2)
        .map(|index| left(*a, index) * right(*b, first + index))
        .sum();
    (i64::from(*d) + products) as u32
}

/// In the order in which the kernel stores them.
const DOT_PRODUCTS: &[Operation<Row>] = &[
    ("dp4a.u32.u32", Word(|row| dot4(row, unsigned, unsigned))),
    ("dp4a.u32.s32", Word(|row| dot4(row, unsigned, signed))),
    ("dp4a.s32.u32", Word(|row| dot4(row, signed, unsigned))),
    ("dp4a.s32.s32", Word(|row| dot4(row, signed, signed))),
    (
        "dp2a.lo.u32.u32",
        Word(|row| dot2(row, unsigned_half, unsigned, 0)),
    ),
    (
        "dp2a.lo.u32.s32",
        Word(|row| dot2(row, unsigned_half, signed, 0)),
    ),
    (
        "dp2a.lo.s32.u32",
        Word(|row| dot2(row, signed_half, unsigned, 0)),
    ),
    (
        "dp2a.lo.s32.s32",
        Word(|row| dot2(row, signed_half, signed, 0)),
    ),
    (
        "dp2a.hi.u32.u32",
        Word(|row| dot2(row, unsigned_half, unsigned, 2)),
    ),
    (
        "dp2a.hi.u32.s32",
        Word(|row| dot2(row, unsigned_half, signed, 2)),
    ),
    (
        "dp2a.hi.s32.u32",
        Word(|row| dot2(row, signed_half, unsigned, 2)),
    ),
    (
        "dp2a.hi.s32.s32",
        Word(|row| dot2(row, signed_half, signed, 2)),
    ),
];
