//! Keeps the fragments of `wmma` in an order of its own, which PTX leaves to the implementation.
//!
//! Number the elements of A and C row by row, and those of B column by column: then lane 0 has the first
//! ones, lane 1 the next, and so on. Where a fragment has more room than the matrix has elements, as for
//! `f16`, the numbering starts again, and every copy is loaded alike.

use super::product::{Matrices, Product};
use super::{BitOperation, Element, Fault, Lanes, Operand, Order, Overflow, element, set_element};

/// A family of `wmma.load`, `wmma.mma` and `wmma.store` that work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wmma {
    /// Rows of A and D.
    pub m: u32,
    /// Columns of B and D.
    pub n: u32,
    /// Columns of A and rows of B.
    pub k: u32,
    /// `.atype`.
    pub a: Element,
    /// `.btype`.
    pub b: Element,
    /// `.ctype`.
    pub c: Element,
    /// `.dtype`.
    pub d: Element,
    /// `.satfinite` for integers.
    pub overflow: Overflow,
    /// `.xor` or `.and` for single bits.
    pub bit_operation: BitOperation,
}

/// One memory access of a load or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the address operand.
    pub byte_offset: u64,
    /// The size of the access: 1, 2, or 4.
    pub bytes: u32,
    /// Where in the register the lowest bit belongs.
    pub shift: u32,
}

impl Wmma {
    /// Computes D from fragments of [`Wmma::registers`] registers each.
    ///
    /// # Panics
    ///
    /// If [`Wmma::check`] is false, or a slice is too short.
    pub fn multiply(
        &self,
        a: &[Lanes],
        b: &[Lanes],
        c: &[Lanes],
        d: &mut [Lanes],
        fault: Option<Fault>,
    ) {
        assert!(self.check(), "not an instruction of PTX: {self:?}");
        let product = self.product();
        let mut matrices = Matrices::zero();
        for (operand, fragment) in [(Operand::A, a), (Operand::B, b), (Operand::C, c)] {
            let chunk = product.chunk(operand) as usize;
            let bits = product.element(operand).bits() * chunk as u32;
            for index in 0..self.elements(operand) / chunk {
                for lane in 0..32 {
                    let (row, column) = self.position(operand, lane, index * chunk);
                    let value = element(fragment, lane, index, bits);
                    product.put(&mut matrices, operand, row, column, value);
                }
            }
        }
        product.compute(&mut matrices, fault);
        for index in 0..self.elements(Operand::D) {
            for lane in 0..32 {
                let (row, column) = self.position(Operand::D, lane, index);
                let value = product.get(&matrices, row, column);
                set_element(d, lane, index, self.d.bits(), value);
            }
        }
    }

    /// Whether PTX has this combination of shape and types.
    #[must_use]
    pub fn check(&self) -> bool {
        let shapes: &[(u32, u32, u32)] = match self.a {
            Element::F16 | Element::Bf16 | Element::S8 | Element::U8 => {
                &[(16, 16, 16), (32, 8, 16), (8, 32, 16)]
            }
            Element::Tf32 => &[(16, 16, 8)],
            Element::F64 => &[(8, 8, 4)],
            Element::S4 | Element::U4 => &[(8, 8, 32)],
            Element::B1 => &[(8, 8, 128)],
            Element::F32 | Element::S32 | Element::E4m3 | Element::E5m2 => &[],
        };
        // The types of A and B agree in `wmma`, also in their sign.
        self.a == self.b && self.product().types_fit() && shapes.contains(&(self.m, self.n, self.k))
    }

    /// The 32-bit registers of a fragment; an `f64` counts as two.
    #[must_use]
    pub fn registers(&self, operand: Operand) -> usize {
        let element = self.product().element(operand);
        match (operand, element) {
            // Sixteen elements whatever the shape: some have copies.
            (Operand::A | Operand::B, Element::F16) => 8,
            _ => {
                let (rows, columns) = self.product().extent(operand);
                (rows * columns * element.bits() / 1024) as usize
            }
        }
    }

    /// The memory accesses that make up one 32-bit register.
    #[must_use]
    pub fn pieces(&self, operand: Operand) -> usize {
        match self.product().element(operand).bits() {
            8 => 4,
            16 => 2,
            // Narrower elements lie side by side in memory as in the register.
            _ => 1,
        }
    }

    /// Where one piece of one register of one lane lies; the stride counts elements.
    #[must_use]
    pub fn place(
        &self,
        operand: Operand,
        order: Order,
        stride: u64,
        lane: usize,
        register: usize,
        piece: usize,
    ) -> Place {
        let bits = self.product().element(operand).bits();
        let index = match bits {
            64 => register / 2,
            _ => register * (32 / bits) as usize + piece,
        };
        let (row, column) = self.position(operand, lane, index);
        let (slow, fast) = match order {
            Order::Row => (row, column),
            Order::Column => (column, row),
        };
        let offset_bits = (u64::from(slow)
            .wrapping_mul(stride)
            .wrapping_add(u64::from(fast)))
        .wrapping_mul(u64::from(bits));
        let word = if bits == 64 {
            4 * (register as u64 & 1)
        } else {
            0
        };
        Place {
            byte_offset: (offset_bits / 8).wrapping_add(word),
            bytes: if matches!(bits, 8 | 16) { bits / 8 } else { 4 },
            shift: if matches!(bits, 8 | 16) {
                piece as u32 * bits
            } else {
                0
            },
        }
    }

    /// The elements that one lane holds, copies included.
    fn elements(&self, operand: Operand) -> usize {
        self.registers(operand) * 32 / self.product().element(operand).bits() as usize
    }

    /// The row and the column of an element of a lane.
    fn position(&self, operand: Operand, lane: usize, index: usize) -> (u32, u32) {
        let (rows, columns) = self.product().extent(operand);
        let number = (lane * self.elements(operand) + index) as u32 % (rows * columns);
        match operand {
            Operand::B => (number % rows, number / rows),
            Operand::A | Operand::C | Operand::D => (number / columns, number % columns),
        }
    }

    const fn product(&self) -> Product {
        Product {
            m: self.m,
            n: self.n,
            k: self.k,
            a: self.a,
            b: self.b,
            c: self.c,
            d: self.d,
            overflow: self.overflow,
            bit_operation: self.bit_operation,
        }
    }
}
