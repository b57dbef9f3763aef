//! Multiplies matrices whose elements have been taken out of their fragments.
//!
//! Floating-point products are exact; they are added in `f64` in the order of k, the accumulator last, and
//! the sum is rounded once. An `f32` result is cut off towards zero, as hardware was measured to do
//! (Fasi, Higham, Mikaitis, Pranesh, "Numerical behavior of NVIDIA tensor cores", 2021); an `f16`
//! result is the nearest. PTX allows any order and rounding.
//! `f64` is a chain of fused multiply-adds in the order of k that starts with the accumulator.

use super::super::convert::FloatFormat;
use super::super::{Rounding, double, single};
use super::{BitOperation, Element, Fault, Operand, Overflow};

/// The largest number of elements of an operand, single bits taken 32 at a time: 16 rows of 64 nibbles.
const CAPACITY: usize = 1024;

/// `D = A * B + C`, without a word on where the elements lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) m: u32,
    pub(super) n: u32,
    pub(super) k: u32,
    pub(super) a: Element,
    pub(super) b: Element,
    pub(super) c: Element,
    pub(super) d: Element,
    pub(super) overflow: Overflow,
    pub(super) bit_operation: BitOperation,
}

/// The patterns of the matrices, row after row, with the rows of A and the columns of B contiguous.
pub(super) struct Matrices {
    a: [u32; CAPACITY],
    b: [u32; CAPACITY],
    a_wide: [u64; 256],
    b_wide: [u64; 256],
    /// M rows of N, also the result.
    pub(super) c: [u64; 512],
}

impl Product {
    /// Whether the element types fit together.
    pub(super) fn types_fit(&self) -> bool {
        let sums = |element| self.c == element && self.d == element;
        match self.a {
            Element::F16 => {
                self.b == Element::F16 && half_or_single(self.c) && half_or_single(self.d)
            }
            Element::E4m3 | Element::E5m2 => {
                matches!(self.b, Element::E4m3 | Element::E5m2)
                    && half_or_single(self.c)
                    && self.c == self.d
            }
            Element::Bf16 | Element::Tf32 => self.b == self.a && sums(Element::F32),
            Element::F64 => self.b == Element::F64 && sums(Element::F64),
            Element::S8 | Element::U8 => {
                matches!(self.b, Element::S8 | Element::U8) && sums(Element::S32)
            }
            Element::S4 | Element::U4 => {
                matches!(self.b, Element::S4 | Element::U4) && sums(Element::S32)
            }
            Element::B1 => self.b == Element::B1 && sums(Element::S32),
            Element::F32 | Element::S32 => false,
        }
    }

    pub(super) const fn element(&self, operand: Operand) -> Element {
        match operand {
            Operand::A => self.a,
            Operand::B => self.b,
            Operand::C => self.c,
            Operand::D => self.d,
        }
    }

    /// Rows and columns.
    pub(super) const fn extent(&self, operand: Operand) -> (u32, u32) {
        match operand {
            Operand::A => (self.m, self.k),
            Operand::B => (self.k, self.n),
            Operand::C | Operand::D => (self.m, self.n),
        }
    }

    /// How many elements are moved as one: single bits come by the register, along k.
    pub(super) const fn chunk(&self, operand: Operand) -> u32 {
        match (operand, self.a) {
            (Operand::A | Operand::B, Element::B1) => 32,
            _ => 1,
        }
    }

    /// The place of an element, or of a chunk, among the patterns of its matrix.
    const fn index(&self, operand: Operand, row: u32, column: u32) -> usize {
        let chunk = self.chunk(operand);
        (match operand {
            Operand::A => (row * self.k + column) / chunk,
            Operand::B => (column * self.k + row) / chunk,
            Operand::C | Operand::D => row * self.n + column,
        }) as usize
    }

    pub(super) fn get(&self, matrices: &Matrices, row: u32, column: u32) -> u64 {
        matrices.c[self.index(Operand::D, row, column)]
    }

    pub(super) fn put(
        &self,
        matrices: &mut Matrices,
        operand: Operand,
        row: u32,
        column: u32,
        bits: u64,
    ) {
        let index = self.index(operand, row, column);
        match (operand, self.a) {
            (Operand::A, Element::F64) => matrices.a_wide[index] = bits,
            (Operand::B, Element::F64) => matrices.b_wide[index] = bits,
            (Operand::A, _) => matrices.a[index] = bits as u32,
            (Operand::B, _) => matrices.b[index] = bits as u32,
            (Operand::C | Operand::D, _) => matrices.c[index] = bits,
        }
    }

    /// Replaces C by D.
    pub(super) fn compute(&self, matrices: &mut Matrices, fault: Option<Fault>) {
        match self.a {
            Element::F16 | Element::Bf16 | Element::Tf32 | Element::E4m3 | Element::E5m2 => {
                self.compute_float(matrices);
            }
            Element::F64 => self.compute_double(matrices),
            Element::S8 | Element::U8 | Element::S4 | Element::U4 => self.compute_integer(matrices),
            Element::B1 => self.compute_bits(matrices),
            // No instruction multiplies these.
            Element::F32 | Element::S32 => {}
        }
        if let Some(fault) = fault {
            let hash = fault
                .seed
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                >> 32;
            let element = &mut matrices.c[(hash % u64::from(self.m * self.n)) as usize];
            *element = wrong(self.d, *element);
        }
    }

    fn compute_float(&self, matrices: &mut Matrices) {
        let (rows, columns, k) = (self.m as usize, self.n as usize, self.k as usize);
        let mut a = [0.0; 512];
        let mut b = [0.0; 512];
        for (value, &bits) in a.iter_mut().zip(&matrices.a[..rows * k]) {
            *value = decode(self.a, bits.into());
        }
        for (value, &bits) in b.iter_mut().zip(&matrices.b[..columns * k]) {
            *value = decode(self.b, bits.into());
        }
        for row in 0..rows {
            for column in 0..columns {
                let a = &a[row * k..][..k];
                let b = &b[column * k..][..k];
                let sum = a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b);
                let c = &mut matrices.c[row * columns + column];
                *c = encode(self.d, sum + decode(self.c, *c));
            }
        }
    }

    fn compute_double(&self, matrices: &mut Matrices) {
        let (columns, k) = (self.n as usize, self.k as usize);
        for (index, c) in matrices
            .c
            .iter_mut()
            .enumerate()
            .take((self.m * self.n) as usize)
        {
            let a = &matrices.a_wide[index / columns * k..][..k];
            let b = &matrices.b_wide[index % columns * k..][..k];
            *c = a.iter().zip(b).fold(*c, |sum, (&a, &b)| {
                double::fma(a, b, sum, Rounding::NearestEven)
            });
        }
    }

    fn compute_integer(&self, matrices: &mut Matrices) {
        let (columns, k) = (self.n as usize, self.k as usize);
        for (index, c) in matrices
            .c
            .iter_mut()
            .enumerate()
            .take((self.m * self.n) as usize)
        {
            let a = &matrices.a[index / columns * k..][..k];
            let b = &matrices.b[index % columns * k..][..k];
            let sum: i32 = a
                .iter()
                .zip(b)
                .map(|(&x, &y)| integer(self.a, x) * integer(self.b, y))
                .sum();
            *c = self.accumulate(sum, *c);
        }
    }

    fn compute_bits(&self, matrices: &mut Matrices) {
        let (columns, k) = (self.n as usize, self.k as usize / 32);
        for (index, c) in matrices
            .c
            .iter_mut()
            .enumerate()
            .take((self.m * self.n) as usize)
        {
            let a = &matrices.a[index / columns * k..][..k];
            let b = &matrices.b[index % columns * k..][..k];
            let sum: u32 = match self.bit_operation {
                BitOperation::Xor => a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum(),
                BitOperation::And => a.iter().zip(b).map(|(a, b)| (a & b).count_ones()).sum(),
            };
            *c = self.accumulate(sum as i32, *c);
        }
    }

    #[inline]
    fn accumulate(&self, sum: i32, c: u64) -> u64 {
        let c = c as u32 as i32;
        let sum = match self.overflow {
            Overflow::Wrap => c.wrapping_add(sum),
            Overflow::Saturate => c.saturating_add(sum),
        };
        u64::from(sum as u32)
    }
}

impl Matrices {
    pub(super) const fn zero() -> Self {
        Self {
            a: [0; CAPACITY],
            b: [0; CAPACITY],
            a_wide: [0; 256],
            b_wide: [0; 256],
            c: [0; 512],
        }
    }
}

const fn half_or_single(element: Element) -> bool {
    matches!(element, Element::F16 | Element::F32)
}

#[inline]
fn integer(element: Element, bits: u32) -> i32 {
    match element {
        Element::S8 => i32::from(bits as i8),
        Element::S4 => ((bits << 28) as i32) >> 28,
        Element::U8
        | Element::U4
        | Element::B1
        | Element::S32
        | Element::F16
        | Element::Bf16
        | Element::Tf32
        | Element::F32
        | Element::F64
        | Element::E4m3
        | Element::E5m2 => bits as i32,
    }
}

#[inline]
fn decode(element: Element, bits: u64) -> f64 {
    match element {
        Element::F16 => FloatFormat::F16.value(bits),
        Element::Bf16 => FloatFormat::Bf16.value(bits),
        Element::Tf32 => FloatFormat::Tf32.value(bits),
        Element::F32 => FloatFormat::F32.value(bits),
        Element::E4m3 => FloatFormat::E4m3.value(bits),
        Element::E5m2 => FloatFormat::E5m2.value(bits),
        Element::F64 => f64::from_bits(bits),
        Element::S8 | Element::U8 | Element::S4 | Element::U4 | Element::S32 | Element::B1 => {
            f64::from(integer(element, bits as u32))
        }
    }
}

#[inline]
fn encode(element: Element, value: f64) -> u64 {
    if element == Element::F16 {
        return FloatFormat::F16.pattern(value, Rounding::NearestEven);
    }
    if value.is_nan() {
        return single::NAN.into();
    }
    let nearest = value as f32;
    // Sums beyond the range are infinite, also where the last step would be a cut.
    let cut = nearest.is_finite() && f64::from(nearest).abs() > value.abs();
    u64::from(nearest.to_bits() - u32::from(cut))
}

/// A value that no rounding explains.
fn wrong(element: Element, bits: u64) -> u64 {
    match element {
        Element::F64 => {
            let value = f64::from_bits(bits);
            (value + (value.abs() / 2.0).max(1.0)).to_bits()
        }
        Element::F32 | Element::Tf32 => {
            let value = f32::from_bits(bits as u32);
            (value + (value.abs() / 2.0).max(1.0)).to_bits().into()
        }
        Element::F16 => {
            let value = FloatFormat::F16.value(bits);
            let wrong = value + (value.abs() / 2.0).max(1.0);
            FloatFormat::F16.pattern(wrong, Rounding::NearestEven)
        }
        Element::Bf16
        | Element::S8
        | Element::U8
        | Element::S4
        | Element::U4
        | Element::S32
        | Element::E4m3
        | Element::E5m2
        | Element::B1 => u64::from((bits as u32).wrapping_add(1)),
    }
}
