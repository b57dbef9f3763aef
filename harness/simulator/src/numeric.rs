//! Computes what each PTX instruction computes, so that the interpreter only moves bits.
//!
//! Every value is a bit pattern: `f32` is `u32`, `f64` is `u64`, `f16` and `bf16` are `u16`, and packed
//! pairs are `u32` with element 0 in the low half.
//! Nothing here allocates, keeps state, or panics on an operand.
//! The source of the rules is the [PTX ISA](https://docs.nvidia.com/cuda/parallel-thread-execution/),
//! unless a function names another one.
//!
//! Choices that the PTX ISA leaves open:
//! * A NaN result of an `f32` operation is `0x7fffffff`, the pattern that the CUDA programming guide
//!   documents for single precision; `f16` and `bf16` use `0x7fff`.
//! * A NaN result of an `f64` operation is the first NaN operand, made quiet; where no operand is a NaN
//!   it is `0xfff8000000000000`, the `CUDART_NAN` of `math_constants.h`.
//! * `.ftz` replaces a result that is subnormal *after* rounding.
//! * `.sat` turns -0 into +0.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "registers are bit patterns: taking a part of one, or reading it as signed, is the meaning"
)]

pub mod convert;
pub mod double;
pub mod half16;
pub mod integer;
pub mod matrix;
pub mod single;
pub mod special;

mod soft;

#[cfg(test)]
mod tests;

/// How a result that lies between two representable values is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// `.rn`, `.rni`: the nearest value, on a tie the even one.
    #[default]
    NearestEven,
    /// `.rz`, `.rzi`: towards zero.
    Zero,
    /// `.rm`, `.rmi`: towards negative infinity.
    Down,
    /// `.rp`, `.rpi`: towards positive infinity.
    Up,
    /// `.rna`: the nearest value, on a tie the one away from zero.
    NearestAway,
}

/// What happens to subnormal operands and results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subnormal {
    /// They are ordinary numbers.
    #[default]
    Keep,
    /// `.ftz`: they become a zero of the same sign.
    Flush,
}

/// To which range a result is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Saturation {
    /// To none.
    #[default]
    None,
    /// `.sat`: to [0, 1], and a NaN becomes +0. For integers: to the range of the destination.
    Unit,
    /// `.satfinite`: to the finite range of the destination; a NaN stays a NaN.
    Finite,
}

/// Whether negative results become zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relu {
    /// They stay.
    #[default]
    Off,
    /// `.relu`: they become +0; a NaN becomes the canonical NaN.
    On,
}

/// What `min` and `max` return for one NaN operand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NanRule {
    /// The other operand.
    #[default]
    Number,
    /// `.NaN`: the canonical NaN.
    Propagate,
}

/// Which sign the result of `min` and `max` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignRule {
    /// That of the operand chosen.
    #[default]
    Ordinary,
    /// `.xorsign.abs`: magnitudes are compared, and the sign is the exclusive or of both signs.
    Xor,
}

/// The modifiers of a floating-point instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// `.rn` and its relatives.
    pub rounding: Rounding,
    /// `.ftz`.
    pub subnormal: Subnormal,
    /// `.sat`, `.satfinite`.
    pub saturation: Saturation,
    /// `.relu`.
    pub relu: Relu,
}

impl Mode {
    /// Nearest-even and nothing else.
    pub const RN: Self = Self::rounded(Rounding::NearestEven);

    /// The given rounding and no other modifier.
    #[must_use]
    pub const fn rounded(rounding: Rounding) -> Self {
        Self {
            rounding,
            subnormal: Subnormal::Keep,
            saturation: Saturation::None,
            relu: Relu::Off,
        }
    }
}

/// How good the `.approx` functions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accuracy {
    /// Within the documented bound, and visibly not correctly rounded.
    #[default]
    Documented,
    /// Beyond the documented bound: an injected fault.
    Degraded,
}

/// Which of two operands is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extreme {
    /// `min`.
    #[default]
    Minimum,
    /// `max`.
    Maximum,
}

/// How two floating-point values relate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// The first is less.
    #[default]
    Less,
    /// They are equal; both zeros are.
    Equal,
    /// The first is greater.
    Greater,
    /// At least one is a NaN.
    Unordered,
}

/// What `testp` asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FloatClass {
    /// Neither infinite nor a NaN.
    #[default]
    Finite,
    /// Infinite.
    Infinite,
    /// Not a NaN.
    Number,
    /// A NaN.
    NotANumber,
    /// Neither infinite, nor a NaN, nor subnormal; zero counts as normal.
    Normal,
    /// Subnormal.
    Subnormal,
}

/// Whether the top bit of an integer is its sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signedness {
    /// `.u8` to `.u64`.
    #[default]
    Unsigned,
    /// `.s8` to `.s64`.
    Signed,
}
