//! Knows where `mma.sync` keeps each element, as the PTX ISA lays fragments out.

use super::product::{Matrices, Product};
use super::{BitOperation, Element, Fault, Lanes, Operand, Order, Overflow, element, set_element};

/// An `mma.sync` instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mma {
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
    /// `.alayout`: `.row`, but for `m8n8k4` with `f16`.
    pub a_order: Order,
    /// `.blayout`: `.col`, but for `m8n8k4` with `f16`.
    pub b_order: Order,
    /// `.satfinite` for integers.
    pub overflow: Overflow,
    /// `.xor` or `.and` for single bits.
    pub bit_operation: BitOperation,
}

impl Mma {
    /// Computes D from fragments of [`Mma::registers`] registers each.
    ///
    /// `m8n8k4` with `f16` computes four independent products, one per two groups of four lanes; a fault is
    /// in one of them.
    ///
    /// # Panics
    ///
    /// If [`Mma::check`] is false, or a slice is too short.
    pub fn multiply(
        &self,
        a: &[Lanes],
        b: &[Lanes],
        c: &[Lanes],
        d: &mut [Lanes],
        fault: Option<Fault>,
    ) {
        assert!(self.check(), "not an instruction of PTX: {self:?}");
        if !self.is_quad_pair() {
            return self.multiply_lanes(0..32, a, b, c, d, fault);
        }
        let faulty = fault.map(|fault| fault.seed as usize >> 8 & 3);
        for pair in 0..4 {
            let lanes = (4 * pair..4 * pair + 4).chain(4 * pair + 16..4 * pair + 20);
            let fault = fault.filter(|_| faulty == Some(pair));
            self.multiply_lanes(lanes, a, b, c, d, fault);
        }
    }

    /// Whether PTX has this combination of shape, types and layouts.
    #[must_use]
    pub fn check(&self) -> bool {
        if !self.product().types_fit() {
            return false;
        }
        if self.is_quad_pair() {
            return true;
        }
        let shapes: &[(u32, u32, u32)] = match self.a {
            Element::F16 | Element::Bf16 => &[(16, 8, 8), (16, 8, 16)],
            Element::Tf32 => &[(16, 8, 4), (16, 8, 8)],
            Element::F64 => &[(8, 8, 4), (16, 8, 4), (16, 8, 8), (16, 8, 16)],
            Element::E4m3 | Element::E5m2 => &[(16, 8, 16), (16, 8, 32)],
            Element::S8 | Element::U8 => &[(8, 8, 16), (16, 8, 16), (16, 8, 32)],
            Element::S4 | Element::U4 => &[(8, 8, 32), (16, 8, 32), (16, 8, 64)],
            Element::B1 => &[(8, 8, 128), (16, 8, 128), (16, 8, 256)],
            Element::F32 | Element::S32 => &[],
        };
        (self.a_order, self.b_order) == (Order::Row, Order::Column)
            && shapes.contains(&(self.m, self.n, self.k))
    }

    /// The 32-bit registers of a fragment; an `f64` counts as two.
    #[must_use]
    pub fn registers(&self, operand: Operand) -> usize {
        self.elements(operand) * self.product().element(operand).bits() as usize / 32
    }

    /// The elements that one lane holds.
    #[must_use]
    pub fn elements(&self, operand: Operand) -> usize {
        let (rows, columns) = self.product().extent(operand);
        let lanes = if self.is_quad_pair() { 8 } else { 32 };
        (rows * columns / lanes) as usize
    }

    /// The row and the column of an element of a lane, the lowest bits of the first register first.
    #[must_use]
    pub fn position(&self, operand: Operand, lane: usize, index: usize) -> (u32, u32) {
        let (lane, index) = (lane as u32, index as u32);
        if self.is_quad_pair() {
            return self.quad_pair_position(operand, lane, index);
        }
        let (group, member) = (lane >> 2, lane & 3);
        match operand {
            Operand::A => {
                let per_register = per_register(self.a);
                let (register, slot) = (index / per_register, index % per_register);
                // Sixteen rows are two registers of eight, before k goes on.
                let blocks = self.m / 8;
                let row = group + 8 * (register % blocks);
                (
                    row,
                    (4 * (register / blocks) + member) * per_register + slot,
                )
            }
            Operand::B => {
                let per_register = per_register(self.b);
                let (register, slot) = (index / per_register, index % per_register);
                ((4 * register + member) * per_register + slot, group)
            }
            Operand::C | Operand::D => (group + 8 * (index / 2), 2 * member + index % 2),
        }
    }

    const fn quad_pair_position(&self, operand: Operand, lane: u32, index: u32) -> (u32, u32) {
        let upper = if lane < 16 { 0 } else { 4 };
        let member = lane % 4;
        match (operand, self.a_order, self.b_order) {
            (Operand::A, Order::Row, _) => (member + upper, index),
            (Operand::A, Order::Column, _) => (index + upper, member),
            (Operand::B, _, Order::Row) => (member, index + upper),
            (Operand::B, _, Order::Column) => (index, member + upper),
            (Operand::C | Operand::D, ..) => {
                let element = match operand {
                    Operand::C => self.c,
                    Operand::A | Operand::B | Operand::D => self.d,
                };
                if element.bits() == 16 {
                    return (member + upper, index);
                }
                let row = (lane & 1) + (index & 2) + upper;
                (row, (index & 4) + (lane & 2) + (index & 1))
            }
        }
    }

    fn multiply_lanes(
        &self,
        lanes: impl Iterator<Item = usize> + Clone,
        a: &[Lanes],
        b: &[Lanes],
        c: &[Lanes],
        d: &mut [Lanes],
        fault: Option<Fault>,
    ) {
        let product = self.product();
        let mut matrices = Matrices::zero();
        for (operand, fragment) in [(Operand::A, a), (Operand::B, b), (Operand::C, c)] {
            let chunk = product.chunk(operand) as usize;
            let bits = product.element(operand).bits() * chunk as u32;
            for index in 0..self.elements(operand) / chunk {
                for lane in lanes.clone() {
                    let (row, column) = self.position(operand, lane, index * chunk);
                    let value = element(fragment, lane, index, bits);
                    product.put(&mut matrices, operand, row, column, value);
                }
            }
        }
        product.compute(&mut matrices, fault);
        for index in 0..self.elements(Operand::D) {
            for lane in lanes.clone() {
                let (row, column) = self.position(Operand::D, lane, index);
                let value = product.get(&matrices, row, column);
                set_element(d, lane, index, self.d.bits(), value);
            }
        }
    }

    /// The first tensor cores' shape: a warp computes four products.
    const fn is_quad_pair(&self) -> bool {
        matches!((self.m, self.n, self.k, self.a), (8, 8, 4, Element::F16))
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

/// Elements that lie in one register, which for `f64` has 64 bits.
const fn per_register(element: Element) -> u32 {
    if element.bits() == 64 {
        1
    } else {
        32 / element.bits()
    }
}
