//! Computes the matrix instructions of a warp: which lane holds which element, and the products.
//!
//! A fragment is a slice of [`Lanes`], one per 32-bit register; an `f64` register is two of them, the low
//! word first.

mod mma;
mod product;
mod rows;
mod wmma;

pub use mma::Mma;
pub use rows::{ldmatrix, stmatrix};
pub use wmma::{Place, Wmma};

/// One 32-bit register of all 32 lanes.
pub type Lanes = [u32; 32];

/// The type of a matrix's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// `.f16`.
    F16,
    /// `.bf16`.
    Bf16,
    /// `.tf32`; the low 13 bits of the register do not count.
    Tf32,
    /// `.f32`.
    F32,
    /// `.f64`.
    F64,
    /// `.s8`.
    S8,
    /// `.u8`.
    U8,
    /// `.s4`.
    S4,
    /// `.u4`.
    U4,
    /// `.s32`.
    S32,
    /// `.e4m3`.
    E4m3,
    /// `.e5m2`.
    E5m2,
    /// `.b1`.
    B1,
}

impl Element {
    /// The width in bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::B1 => 1,
            Self::S4 | Self::U4 => 4,
            Self::S8 | Self::U8 | Self::E4m3 | Self::E5m2 => 8,
            Self::F16 | Self::Bf16 => 16,
            Self::Tf32 | Self::F32 | Self::S32 => 32,
            Self::F64 => 64,
        }
    }
}

/// How a matrix lies in memory or, for `mma.m8n8k4`, in a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// `.row`: the elements of a row are neighbours.
    #[default]
    Row,
    /// `.col`: the elements of a column are neighbours.
    Column,
}

/// The matrices of `D = A * B + C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// M rows of K.
    A,
    /// K rows of N.
    B,
    /// M rows of N.
    C,
    /// M rows of N.
    D,
}

/// What takes the place of the product of single bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BitOperation {
    /// `.xor.popc`.
    #[default]
    Xor,
    /// `.and.popc`.
    And,
}

/// What happens to a sum that 32 bits cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It wraps around.
    #[default]
    Wrap,
    /// `.satfinite`: it becomes the nearest `i32`.
    Saturate,
}

/// Makes one element of the result wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Chooses the element.
    pub seed: u64,
}

/// Reads the element at an index of a lane's part of a fragment.
#[inline]
fn element(fragment: &[Lanes], lane: usize, index: usize, bits: u32) -> u64 {
    if bits == 64 {
        return u64::from(fragment[2 * index + 1][lane]) << 32
            | u64::from(fragment[2 * index][lane]);
    }
    let per_register = (32 / bits) as usize;
    let word = u64::from(fragment[index / per_register][lane]);
    word >> ((index % per_register) as u32 * bits) & ((1 << bits) - 1)
}

/// Writes the element at an index of a lane's part of a fragment.
#[inline]
fn set_element(fragment: &mut [Lanes], lane: usize, index: usize, bits: u32, value: u64) {
    if bits == 64 {
        fragment[2 * index][lane] = value as u32;
        fragment[2 * index + 1][lane] = (value >> 32) as u32;
        return;
    }
    let per_register = (32 / bits) as usize;
    let shift = (index % per_register) as u32 * bits;
    let mask = (((1_u64 << bits) - 1) << shift) as u32;
    let word = &mut fragment[index / per_register][lane];
    *word = *word & !mask | (value << shift) as u32 & mask;
}

#[cfg(test)]
mod tests;
