//! Complex arrays on the device, and how far a transform may be from the exact one.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::Verdict;
use super::transform::Complex;
use crate::check::library::exact::{self, Real};

/// Half of the distance from one to the next number: the largest relative error of one operation.
pub(super) trait Rounded: Real {
    const UNIT: f64;
}

impl Rounded for f32 {
    const UNIT: f64 = 1.0 / (1 << 24) as f64;
}

impl Rounded for f64 {
    const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
}

/// A signal of random numbers below one, which f32 holds exactly.
pub(super) fn signal(seed: u64, array: u64, count: usize) -> Vec<Complex> {
    complex(&exact::reals(seed, array, 2 * count))
}

/// A one and then zeros, whose transform is all ones.
pub(super) fn impulse(count: usize) -> Vec<Complex> {
    let mut signal = vec![[0.0, 0.0]; count];
    signal[0] = [1.0, 0.0];
    signal
}

/// Pairs as complex numbers.
pub(super) fn complex<T: Real>(parts: &[T]) -> Vec<Complex> {
    let pairs = parts.chunks_exact(2);
    pairs.map(|it| [it[0].value(), it[1].value()]).collect()
}

/// Complex numbers as pairs, rounded.
pub(super) fn parts<T: Real>(numbers: &[Complex]) -> Vec<T> {
    numbers.iter().flatten().map(|part| T::of(*part)).collect()
}

/// The largest distance of each part of a transform from the exact one.
///
/// Each of the log2 n passes multiplies by a root, which is off by at most its own rounding, and adds, which is an
/// error of about 7 units of rounding in norm (Higham, Accuracy and Stability, theorem 24.2), spread over all
/// elements. This is 8 units of the root mean square of the exact transform for each pass. Transforms in f32 on a CPU
/// (pocketfft, of all lengths of these tests) stay within a tenth of it, and a wrong twelfth bit of an average element
/// is 10 to 45 times as much.
pub(super) fn bound<T: Rounded>(passes: f64, exact: &[Complex]) -> f64 {
    8.0 * T::UNIT * passes * mean_square(exact).sqrt()
}

/// Passes of a transform of n numbers, a power of two or not.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
pub(super) fn passes(n: usize) -> f64 {
    (n as f64).log2()
}

/// The mean of the squares of the absolute values.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
pub(super) fn mean_square(numbers: &[Complex]) -> f64 {
    let sum: f64 = numbers.iter().flatten().map(|part| part * part).sum();
    sum / numbers.len() as f64
}

/// Goes on if every part is within the bound.
pub(super) fn near<T: Real>(what: &str, expected: &[Complex], found: &[T], bound: f64) -> Verdict {
    let expected: Vec<f64> = expected.iter().flatten().copied().collect();
    let bounds = vec![bound; expected.len()];
    exact::near(&expected, found, &bounds, |index| place(what, index))
}

/// Goes on if every element is one.
pub(super) fn ones<T: Real>(found: &[T]) -> Verdict {
    let expected: Vec<T> = (0..found.len())
        .map(|index| T::of(if index % 2 == 0 { 1.0 } else { 0.0 }))
        .collect();
    exact::same(&expected, found, |index| {
        place("the transform of an impulse", index)
    })
}

/// Goes on if what came back from transforming there and back, divided by its number, is the signal: the root mean
/// square of the difference may be 4 units of rounding for each pass there and each back.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
pub(super) fn back<T: Rounded>(signal: &[Complex], found: &[T], passes: f64) -> Verdict {
    let count = signal.len() as f64;
    let differences: Vec<Complex> = complex(found)
        .iter()
        .zip(signal)
        .map(|(found, was)| [found[0] / count - was[0], found[1] / count - was[1]])
        .collect();
    let error = mean_square(&differences).sqrt();
    let bound = 4.0 * T::UNIT * passes * mean_square(signal).sqrt();
    // Written so that a NaN is not within.
    if error <= bound {
        return Ok(());
    }
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: "the inverse of the transform is the signal".to_owned(),
        found: format!("its root mean square differs by {error:.3e}, and {bound:.3e} is allowed"),
    }))
}

fn place(what: &str, index: usize) -> String {
    let part = ["real", "imaginary"][index % 2];
    format!("the {part} part of {what}[{}]", index / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_twelfth_bit_of_a_part_is_seen() {
        let exact = vec![[3.0, -4.0]; 1024];
        let bound = bound::<f32>(passes(1024), &exact);
        let mut found: Vec<f32> = parts(&exact);
        assert!(near("X", &exact, &found, bound).is_ok());
        found[77] = f32::from_bits(found[77].to_bits() ^ 1 << 12);
        assert!(near("X", &exact, &found, bound).is_err());
        // A NaN is near to nothing.
        found[77] = f32::NAN;
        assert!(near("X", &exact, &found, bound).is_err());
    }

    #[test]
    fn the_way_back_divides_by_the_length() {
        let signal = signal(1, 2, 64);
        let whole: Vec<Complex> = signal.iter().map(|it| it.map(|part| part * 64.0)).collect();
        assert!(back::<f32>(&signal, &parts(&whole), 6.0).is_ok());
        assert!(back::<f32>(&signal, &parts(&signal), 6.0).is_err());
    }
}
