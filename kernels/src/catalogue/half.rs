//! Arithmetic in 16-bit formats.

#![expect(
    clippy::cast_possible_truncation,
    reason = "rows are packed from the low bits of a hash"
)]

mod bfloat;
mod pairs;

use crate::Kernel;
use crate::exact::{
    Exact, Format,
    Rounding::{Nearest, Zero},
};
use crate::input;

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "half-arithmetic",
        summary: "sums, products, and fused ones of half precision, in pairs and alone; a failure means double rounding or exchanged halves",
        ptx: include_str!("../../ptx/half-arithmetic.ptx"),
        needs: &[],
        program: pairs::half_arithmetic,
    },
    Kernel {
        name: "half-minmax",
        summary: "minima and maxima of half precision with NaN, and fused products cut off below zero",
        ptx: include_str!("../../ptx/half-minmax.ptx"),
        needs: &[],
        program: pairs::half_minmax,
    },
    Kernel {
        name: "bf16-arithmetic",
        summary: "fused products, minima, and signs in bf16",
        ptx: include_str!("../../ptx/bf16-arithmetic.ptx"),
        needs: &[],
        program: bfloat::bf16_arithmetic,
    },
    Kernel {
        name: "bf16-sums",
        summary: "sums and products in bf16 rounded once, which devices before compute capability 9.0 compose of others",
        ptx: include_str!("../../ptx/bf16-sums.ptx"),
        needs: &[],
        program: bfloat::bf16_sums,
    },
];

/// A row of inputs: a, b, c, each two numbers of 16 bits.
type Row = [u32; 3];

/// The bits of operand `operand` in half `half`, 0 for the lower one.
fn bits(row: &Row, operand: usize, half: u32) -> u16 {
    (row[operand] >> (16 * half)) as u16
}

/// Every pair of corners with every pair of signs in one half, and random numbers of like magnitude, so
/// that sums cancel and ties happen.
fn rows(seed: u64, stream: u64, count: usize, format: Format, corners: &[u16]) -> Vec<Row> {
    let number = |part: u64, index: usize| {
        let random = input(seed, stream + part, index);
        let sign = (random >> 16) as u16 & 0x8000;
        let bits = match random >> 40 & 3 {
            0 => random as u16 & 0x7FFF,
            // Exponents near that of 1.
            1 | 2 => {
                let fraction = format.precision - 1;
                let one = (1u16 << (format.exponent - 1)) - 1;
                let exponent = one - 4 + (random >> 32) as u16 % 8;
                exponent << fraction | random as u16 & ((1 << fraction) - 1)
            }
            _ => corners[(random >> 44) as usize % corners.len()],
        };
        sign | bits
    };
    (0..count)
        .map(|index| {
            let one_half = |half: u64| {
                let [mut a, mut b, mut c] = [0, 1, 2].map(|part| number(3 * half + part, index));
                // The two halves walk through the pairs from opposite ends.
                let place = if half == 0 { index } else { count - 1 - index };
                if place < 4 * corners.len() * corners.len() {
                    let (pair, signs) = (place / 4, place as u16 % 4);
                    a = corners[pair / corners.len()] | (signs & 1) << 15;
                    b = corners[pair % corners.len()] | (signs & 2) << 14;
                }
                if place % 3 == 0 {
                    // A fused operation that cancels.
                    let [x, y] = [a, b].map(|bits| Exact::read(format, bits.into()));
                    c = x.times(y).round(format, Zero) as u16 ^ 0x8000;
                }
                // What nothing says about `.ftz`: results that round up to the smallest normal number.
                let [x, y, z] =
                    [a, b, c].map(|bits| Exact::read(format, bits.into()).flushed(format));
                let product = x.times(y);
                if product.straddles(format) || product.plus(z, Nearest).straddles(format) {
                    (a, b) = (corners[1], corners[0]);
                }
                [a, b, c]
            };
            let (lower, upper) = (one_half(0), one_half(1));
            [0, 1, 2].map(|operand| u32::from(upper[operand]) << 16 | u32::from(lower[operand]))
        })
        .collect()
}

fn add([a, b, _]: [Exact; 3]) -> Exact {
    a.plus(b, Nearest)
}

fn sub([a, b, _]: [Exact; 3]) -> Exact {
    a.plus(b.with_sign(!b.negative()), Nearest)
}

fn mul([a, b, _]: [Exact; 3]) -> Exact {
    a.times(b)
}

fn fma([a, b, c]: [Exact; 3]) -> Exact {
    a.times(b).plus(c, Nearest)
}

/// Of a number and a NaN, the number; of two zeros, either.
fn min(a: f64, b: f64) -> (f64, f64) {
    (a.min(b), 0.0)
}

fn max(a: f64, b: f64) -> (f64, f64) {
    (a.max(b), 0.0)
}

/// With `.NaN`: of a number and a NaN, the NaN.
fn min_or_nan(a: f64, b: f64) -> (f64, f64) {
    (
        if a.is_nan() {
            a
        } else if b.is_nan() {
            b
        } else {
            a.min(b)
        },
        0.0,
    )
}

fn max_or_nan(a: f64, b: f64) -> (f64, f64) {
    (
        if a.is_nan() {
            a
        } else if b.is_nan() {
            b
        } else {
            a.max(b)
        },
        0.0,
    )
}

/// `.relu`: below zero there is only zero, of either sign.
fn cut_off(value: f64) -> (f64, f64) {
    (
        if value.is_nan() {
            value
        } else {
            value.max(0.0)
        },
        0.0,
    )
}
