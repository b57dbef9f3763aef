//! Computes the integer instructions whose edges the host's operators do not share.
//!
//! Operands of a given width are zero-extended in `u64`; so are results.

mod arithmetic;
mod bits;
mod dot;

pub use arithmetic::*;
pub use bits::*;
pub use dot::*;

use super::Signedness;

/// The low bits of a register.
#[inline]
const fn low(bits: u32, a: u64) -> u64 {
    if bits >= 64 { a } else { a & ((1 << bits) - 1) }
}

/// The value of the low bits of a register.
#[inline]
const fn value(bits: u32, signedness: Signedness, a: u64) -> i128 {
    match signedness {
        Signedness::Unsigned => low(bits, a) as i128,
        Signedness::Signed => {
            let shift = 64 - bits;
            (((a << shift) as i64) >> shift) as i128
        }
    }
}
