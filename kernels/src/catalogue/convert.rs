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
