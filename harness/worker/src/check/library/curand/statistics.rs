//! Moments and bits of numbers that have no reference of our own: a generator that is stuck, biased, or cut off shows.

/// How many standard deviations a sample may be off. One sample in 390 thousand million of a perfect generator is further
/// off: with more than thirty of them a run, and a new seed in each, five deviations would fail one good run in 50000.
/// The seed that is reported makes it come again.
const DEVIATIONS: f64 = 7.0;

/// What is off, as a sentence; none if nothing is.
pub(super) type Oddity = Option<String>;

/// Each of the 32 bits is set in half of the words. The number of words in which it is has the variance n/4.
pub(super) fn bits(words: &[u32]) -> Oddity {
    let count = length(words.len());
    let bound = DEVIATIONS * (count / 4.0).sqrt();
    (0..32).find_map(|bit| {
        let set = words.iter().filter(|word| *word >> bit & 1 == 1).count();
        let off = (length(set) - count / 2.0).abs();
        (off > bound).then(|| {
            format!(
                "bit {bit} is set in {set} of {} words, {:.1} standard deviations from half",
                words.len(),
                off * DEVIATIONS / bound
            )
        })
    })
}

/// The mean of words over 2^32 is 1/2 with variance 1/12n, and the mean square of their distance from 1/2 is 1/12 with
/// variance 1/180n.
pub(super) fn uniform(words: &[u32]) -> Oddity {
    let numbers: Vec<f64> = words
        .iter()
        .map(|word| (f64::from(*word) + 0.5) / 4_294_967_296.0 - 0.5)
        .collect();
    moments(&numbers, [(0.0, 1.0 / 12.0), (1.0 / 12.0, 1.0 / 180.0)])
}

/// The mean of normal numbers is 0 with variance 1/n, and the mean square is 1 with variance 2/n.
pub(super) fn normal(numbers: &[f32]) -> Oddity {
    let numbers: Vec<f64> = numbers.iter().copied().map(f64::from).collect();
    moments(&numbers, [(0.0, 1.0), (1.0, 2.0)])
}

/// Mean and mean square against what they should be, with the variance that a single number contributes.
fn moments(numbers: &[f64], expected: [(f64, f64); 2]) -> Oddity {
    let count = length(numbers.len());
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|it| it * it).sum::<f64>() / count;
    let names = ["mean", "mean square"];
    let found = names.into_iter().zip([mean, square]).zip(expected);
    found
        .into_iter()
        .find_map(|((name, value), (ideal, variance))| {
            let bound = DEVIATIONS * (variance / count).sqrt();
            let off = (value - ideal).abs();
            // A NaN is an oddity as well.
            (off > bound || off.is_nan()).then(|| {
                format!(
                    "the {name} is {value}, {:.1} standard deviations from {ideal}",
                    off * DEVIATIONS / bound
                )
            })
        })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn length(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::library::curand::philox;

    #[test]
    fn a_good_generator_is_not_odd() {
        let words = philox::words(99, 0, 20000);
        assert_eq!(bits(&words), None);
        assert_eq!(uniform(&words), None);
    }

    #[test]
    fn a_stuck_bit_a_bias_and_a_constant_are_odd() {
        let words = philox::words(99, 0, 20000);
        let stuck: Vec<u32> = words.iter().map(|word| word | 1 << 7).collect();
        assert!(bits(&stuck).is_some_and(|it| it.starts_with("bit 7 ")));
        let halved: Vec<u32> = words.iter().map(|word| word / 2).collect();
        assert!(uniform(&halved).is_some_and(|it| it.starts_with("the mean is")));
        assert!(uniform(&[1 << 31; 1000]).is_some_and(|it| it.contains("mean square")));
        assert!(normal(&[f32::NAN; 8]).is_some());
    }
}
