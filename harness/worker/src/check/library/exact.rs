//! Operands of small integers, whose sums and products no device has a reason to round, and the comparison of results.
//!
//! With |a| and |b| bounded so that every partial sum is exact in the accumulator, the result does not depend on the
//! order of summation, on tensor cores, or on TF32: the tolerance is zero, and any wrong bit shows.

use std::fmt::Display;

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::{Stop, Verdict};

/// A byte that no test writes on purpose: what still has it was never written.
pub(super) const POISON: u8 = 0xA5;

/// An element of an array on the device.
pub(super) trait Element: Copy + PartialEq + Display {
    /// Its size in bytes.
    const SIZE: usize;
    /// Its bytes, the lowest first.
    fn put(self, into: &mut Vec<u8>);
    /// From its bytes; there are [`Element::SIZE`].
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! elements {
    ($($type:ty),*) => {$(
        impl Element for $type {
            const SIZE: usize = size_of::<$type>();
            fn put(self, into: &mut Vec<u8>) {
                into.extend(self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("the caller cuts pieces of this size"))
            }
        }
    )*};
}

elements!(
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    f32,
    f64,
    half::f16,
    half::bf16
);

/// A floating-point element, which references in f64 are rounded to.
pub(super) trait Real: Element {
    /// The nearest element.
    fn of(value: f64) -> Self;
    /// Its value, which f64 holds exactly.
    fn value(self) -> f64;
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn value(self) -> f64 {
        self
    }
}

impl Real for f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the nearest f32 is what is asked for"
    )]
    fn of(value: f64) -> Self {
        value as Self
    }
    fn value(self) -> f64 {
        Self::into(self)
    }
}

impl Real for half::f16 {
    fn of(value: f64) -> Self {
        Self::from_f64(value)
    }
    fn value(self) -> f64 {
        self.to_f64()
    }
}

impl Real for half::bf16 {
    fn of(value: f64) -> Self {
        Self::from_f64(value)
    }
    fn value(self) -> f64 {
        self.to_f64()
    }
}

/// What TF32 keeps of a number: 10 bits after the leading one, rounded to nearest, ties away from zero, as the
/// conversion `cvt.rna.tf32.f32` does.
pub(super) fn tf32(value: f64) -> f64 {
    f64::from_bits((value.to_bits() + TF32_LOST / 2 + 1) & !TF32_LOST)
}

/// The ways in which operands become TF32: rounded with ties away from zero, rounded with ties to even, and cut off by
/// multipliers that do not look at the other bits.
pub(super) const TF32: [fn(f64) -> f64; 3] = [
    tf32,
    |value| {
        let bits = value.to_bits();
        let even = bits & (TF32_LOST + 1) == 0;
        f64::from_bits((bits + TF32_LOST / 2 + u64::from(!even)) & !TF32_LOST)
    },
    |value| f64::from_bits(value.to_bits() & !TF32_LOST),
];

/// The bits of an f64 that TF32 does not keep.
const TF32_LOST: u64 = (1 << (52 - 10)) - 1;

/// Tells that what was found is what TF32 gives.
pub(super) fn named_tf32(mut stop: Stop) -> Stop {
    if let CheckResult::Mismatch { kind, found, .. } = &mut *stop {
        *kind = MismatchKind::ReducedPrecision;
        found.push_str("; it is what TF32 gives, which was not asked for");
    }
    stop
}

/// The bytes of an array.
pub(super) fn bytes<T: Element>(elements: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(elements.len() * T::SIZE);
    for element in elements {
        element.put(&mut bytes);
    }
    bytes
}

/// An array from its bytes.
pub(super) fn elements<T: Element>(bytes: &[u8]) -> Vec<T> {
    bytes.chunks_exact(T::SIZE).map(T::get).collect()
}

/// Integers from -`most` to `most`, made by `splitmix64` from the seed, the array's number, and the index.
pub(super) fn integers(seed: u64, array: u64, most: u32, count: usize) -> Vec<i64> {
    let range = u64::from(most) * 2 + 1;
    let start = mixed(seed ^ mixed(array));
    (0..count as u64)
        .map(|index| {
            let value = mixed(start.wrapping_add(index)) % range;
            value.cast_signed() - i64::from(most)
        })
        .collect()
}

/// Real numbers below one in absolute value, with 24 random bits, made as [`integers`] are.
pub(super) fn reals(seed: u64, array: u64, count: usize) -> Vec<f64> {
    integers(seed, array, 1 << 23, count)
        .into_iter()
        .map(|value| value as f64 / f64::from(1 << 23))
        .collect()
}

/// One step of Vigna's `splitmix64`, a bijection whose outputs pass as random.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Goes on if both arrays are equal, element by element. `place` names an element: `C[3, 7]`.
pub(super) fn same<T: Element>(
    expected: &[T],
    found: &[T],
    place: impl Fn(usize) -> String,
) -> Verdict {
    judge(expected, found, place, |_, expected, found| {
        expected == found
    })
}

/// Goes on if every element is within its bound. A NaN is within none.
pub(super) fn within(
    expected: &[f64],
    found: &[f64],
    bounds: &[f64],
    place: impl Fn(usize) -> String,
) -> Verdict {
    judge(expected, found, place, |index, expected, found| {
        (expected - found).abs() <= bounds[index]
    })
}

/// Goes on if every element is within its bound of a reference in f64. What was never written is told apart.
pub(super) fn near<T: Real>(
    expected: &[f64],
    found: &[T],
    bounds: &[f64],
    place: impl Fn(usize) -> String,
) -> Verdict {
    let values: Vec<f64> = found.iter().map(|element| element.value()).collect();
    let untouched = |index: &usize| bytes(&[found[*index]]).iter().all(|byte| *byte == POISON);
    match within(expected, &values, bounds, &place) {
        Ok(()) => Ok(()),
        Err(stop) => Err((0..found.len())
            .find(untouched)
            .map_or(stop, |index| never_written(expected[index], &place(index)))),
    }
}

/// An element that still has its poison.
fn never_written(expected: f64, place: &str) -> Box<CheckResult> {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::NeverWritten,
        expected: format!("{place} is {expected}"),
        found: format!("{place} was never written, expected {expected}"),
    })
}

fn judge<T: Element>(
    expected: &[T],
    found: &[T],
    place: impl Fn(usize) -> String,
    agrees: impl Fn(usize, &T, &T) -> bool,
) -> Verdict {
    let pairs = expected.iter().zip(found).enumerate();
    let wrong: Vec<usize> = pairs
        .filter(|(index, (expected, found))| !agrees(*index, expected, found))
        .map(|(index, _)| index)
        .collect();
    let Some(&first) = wrong.first() else {
        debug_assert_eq!(expected.len(), found.len(), "both arrays have one shape");
        return Ok(());
    };
    let poison = [found[first]];
    let untouched = bytes(&poison).iter().all(|byte| *byte == POISON);
    let (kind, what) = if untouched {
        (MismatchKind::NeverWritten, "was never written".to_owned())
    } else {
        (MismatchKind::WrongResult, format!("is {}", found[first]))
    };
    Err(Box::new(CheckResult::Mismatch {
        kind,
        expected: format!("{} is {}", place(first), expected[first]),
        found: format!(
            "{} {what}, expected {}; {} of {} differ",
            place(first),
            expected[first],
            wrong.len(),
            expected.len()
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &[f32], found: &[f32], kind: Option<MismatchKind>) {
        let verdict = same(expected, found, |index| format!("C[{index}]"));
        let told = verdict.err().map(|stop| {
            let CheckResult::Mismatch { kind, .. } = *stop else {
                panic!("{stop:?}");
            };
            kind
        });
        assert_eq!(told, kind);
    }

    #[test]
    fn a_wrong_bit_and_an_unwritten_element_are_told_apart() {
        let poison = f32::from_le_bytes([POISON; 4]);
        check(&[1.0, 2.0], &[1.0, 2.0], None);
        check(&[0.0], &[-0.0], None);
        check(
            &[1.0, 2.0],
            &[1.0, 2.0f32.next_up()],
            Some(MismatchKind::WrongResult),
        );
        check(
            &[1.0, 2.0],
            &[1.0, poison],
            Some(MismatchKind::NeverWritten),
        );
        check(&[1.0], &[f32::NAN], Some(MismatchKind::WrongResult));
    }

    #[test]
    fn integers_are_within_their_bound_and_differ_by_array() {
        let one = integers(7, 0, 4, 1000);
        assert!(one.iter().all(|value| value.abs() <= 4));
        assert!((-4..=4).all(|value| one.contains(&value)));
        assert_ne!(one, integers(7, 1, 4, 1000));
        assert_eq!(one, integers(7, 0, 4, 1000));
    }

    #[test]
    fn tf32_keeps_eleven_bits() {
        assert_eq!(tf32(2047.0), 2047.0);
        assert_eq!(tf32(-2049.0), -2050.0);
        assert_eq!(tf32(4097.0), 4096.0);
        assert_eq!(tf32(0.0), 0.0);
        let ways = |value: f64| TF32.map(|round| round(value));
        assert_eq!(ways(4095.0), [4096.0, 4096.0, 4094.0]);
        assert_eq!(ways(2049.0), [2050.0, 2048.0, 2048.0]);
        assert_eq!(ways(-2051.0), [-2052.0, -2052.0, -2050.0]);
    }

    #[test]
    fn what_is_put_is_got() {
        let values = [1.5f64, -0.0, f64::INFINITY];
        assert_eq!(elements::<f64>(&bytes(&values)), values);
    }
}
