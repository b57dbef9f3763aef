//! Applies the arithmetic instructions to patterns, in any rounding.

use super::super::Rounding;
use super::{Layout, Value};

/// The result of an operation on patterns, before the NaN rules of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Outcome {
    /// No NaN was involved.
    Bits(u64),
    /// An operand is a NaN, or the operation is invalid.
    Nan,
}

/// `a + b`, correctly rounded.
pub(in super::super) fn add(layout: Layout, a: u64, b: u64, rounding: Rounding) -> Outcome {
    sum(layout, layout.unpack(a), layout.unpack(b), rounding)
}

/// `a * b`, correctly rounded.
pub(in super::super) fn mul(layout: Layout, a: u64, b: u64, rounding: Rounding) -> Outcome {
    match product(layout.unpack(a), layout.unpack(b)) {
        Value::Nan => Outcome::Nan,
        Value::Infinite { negative } => Outcome::Bits(signed(layout, negative, layout.infinity())),
        Value::Zero { negative } => Outcome::Bits(signed(layout, negative, 0)),
        Value::Finite(value) => Outcome::Bits(layout.round(value, rounding)),
    }
}

/// `a * b + c`, rounded once.
pub(in super::super) fn fma(layout: Layout, a: u64, b: u64, c: u64, rounding: Rounding) -> Outcome {
    let product = product(layout.unpack(a), layout.unpack(b));
    sum(layout, product, layout.unpack(c), rounding)
}

/// `a / b`, correctly rounded.
pub(in super::super) fn div(layout: Layout, a: u64, b: u64, rounding: Rounding) -> Outcome {
    let negative = (a ^ b) & layout.sign_bit() != 0;
    let magnitude = match (layout.unpack(a), layout.unpack(b)) {
        (Value::Nan, _)
        | (_, Value::Nan)
        | (Value::Infinite { .. }, Value::Infinite { .. })
        | (Value::Zero { .. }, Value::Zero { .. }) => return Outcome::Nan,
        (Value::Finite(a), Value::Finite(b)) => {
            return Outcome::Bits(layout.round(a.over(b), rounding));
        }
        (Value::Infinite { .. }, _) | (_, Value::Zero { .. }) => layout.infinity(),
        (Value::Zero { .. }, _) | (_, Value::Infinite { .. }) => 0,
    };
    Outcome::Bits(signed(layout, negative, magnitude))
}

/// The square root, correctly rounded; that of -0 is -0.
pub(in super::super) fn sqrt(layout: Layout, a: u64, rounding: Rounding) -> Outcome {
    match layout.unpack(a) {
        Value::Nan | Value::Infinite { negative: true } => Outcome::Nan,
        Value::Infinite { negative: false } | Value::Zero { .. } => Outcome::Bits(a),
        Value::Finite(value) if value.negative => Outcome::Nan,
        Value::Finite(value) => Outcome::Bits(layout.round(value.root(), rounding)),
    }
}

fn product(a: Value, b: Value) -> Value {
    let negative_of = |value: Value| match value {
        Value::Nan => false,
        Value::Infinite { negative } | Value::Zero { negative } => negative,
        Value::Finite(exact) => exact.negative,
    };
    let negative = negative_of(a) != negative_of(b);
    match (a, b) {
        (Value::Nan, _)
        | (_, Value::Nan)
        | (Value::Infinite { .. }, Value::Zero { .. })
        | (Value::Zero { .. }, Value::Infinite { .. }) => Value::Nan,
        (Value::Infinite { .. }, _) | (_, Value::Infinite { .. }) => Value::Infinite { negative },
        (Value::Zero { .. }, _) | (_, Value::Zero { .. }) => Value::Zero { negative },
        (Value::Finite(a), Value::Finite(b)) => Value::Finite(a.times(b)),
    }
}

fn sum(layout: Layout, a: Value, b: Value, rounding: Rounding) -> Outcome {
    // A sum that is exactly zero is -0 only if both terms are, or when rounding down.
    let zero = |both_negative: bool, both_positive: bool| {
        let negative = both_negative || !both_positive && rounding == Rounding::Down;
        Outcome::Bits(signed(layout, negative, 0))
    };
    match (a, b) {
        (Value::Nan, _) | (_, Value::Nan) => Outcome::Nan,
        (Value::Infinite { negative: a }, Value::Infinite { negative: b }) if a != b => {
            Outcome::Nan
        }
        (Value::Infinite { negative }, _) | (_, Value::Infinite { negative }) => {
            Outcome::Bits(signed(layout, negative, layout.infinity()))
        }
        (Value::Zero { negative: a }, Value::Zero { negative: b }) => zero(a && b, !a && !b),
        (Value::Zero { .. }, Value::Finite(value)) | (Value::Finite(value), Value::Zero { .. }) => {
            Outcome::Bits(layout.round(value, rounding))
        }
        (Value::Finite(a), Value::Finite(b)) => match a.plus(b) {
            Some(value) => Outcome::Bits(layout.round(value, rounding)),
            None => zero(false, false),
        },
    }
}

const fn signed(layout: Layout, negative: bool, magnitude: u64) -> u64 {
    if negative {
        magnitude | layout.sign_bit()
    } else {
        magnitude
    }
}
