//! Conversions between number formats.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "conversions under test are defined on the bits of their operands"
)]

mod fp8;
mod half;
mod integer;
mod narrow;

use crate::Kernel;
use crate::exact::{Exact, Rounding};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "convert-integer",
        summary: "conversions among integers and floats in every rounding mode, clamped where they do not fit",
        ptx: include_str!("../../ptx/convert-integer.ptx"),
        needs: &[],
        program: integer::convert_integer,
    },
    Kernel {
        name: "convert-half",
        summary: "conversions from and to half precision with ties, overflow, and subnormal numbers",
        ptx: include_str!("../../ptx/convert-half.ptx"),
        needs: &[],
        program: half::convert_half,
    },
    Kernel {
        name: "convert-bf16-tf32",
        summary: "conversions from single precision to bf16, pairs of halves, and tf32",
        ptx: include_str!("../../ptx/convert-bf16-tf32.ptx"),
        needs: &[],
        program: narrow::convert_bf16_tf32,
    },
    Kernel {
        name: "convert-fp8",
        summary: "conversions from and to the formats e4m3 and e5m2 of eight bits",
        ptx: include_str!("../../ptx/convert-fp8.ptx"),
        needs: &[],
        program: fp8::convert_fp8,
    },
];

/// An integer of 64 bits that a float becomes: rounded, then clamped.
///
/// `None` for a NaN: zero by PTX ISA 8.7, sometimes the lowest integer by 9.0, and devices differ.
fn long(value: Exact, rounding: Rounding, low: i128, high: i128) -> Option<u64> {
    let clamped = value.whole(rounding).clamped(low, high);
    clamped.map(|value| value as u64)
}

/// The same for an integer of 32 bits or fewer, in a register of 32.
fn short(value: Exact, rounding: Rounding, low: i128, high: i128) -> Option<u64> {
    let clamped = value.whole(rounding).clamped(low, high);
    clamped.map(|value| u64::from(value as u32))
}

fn to_s64(value: Exact, rounding: Rounding) -> Option<u64> {
    long(value, rounding, i64::MIN.into(), i64::MAX.into())
}

fn to_u64(value: Exact, rounding: Rounding) -> Option<u64> {
    long(value, rounding, 0, u64::MAX.into())
}

fn to_s32(value: Exact, rounding: Rounding) -> Option<u64> {
    short(value, rounding, i32::MIN.into(), i32::MAX.into())
}

fn to_u32(value: Exact, rounding: Rounding) -> Option<u64> {
    short(value, rounding, 0, u32::MAX.into())
}
