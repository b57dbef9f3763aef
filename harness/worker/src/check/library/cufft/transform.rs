//! The discrete Fourier transform by its definition, in f64.
//!
//! Sums are compensated, so that what is left is the error of the roots: about 2^-53 of the root mean square, and four
//! times that at the worst of a thousand elements. That is a twentieth of what is allowed to a transform in f64, and
//! nothing beside one in f32.

use std::f64::consts::TAU;

use super::ffi::Direction;

/// A complex number: its real and its imaginary part.
pub(super) type Complex = [f64; 2];

/// The transform of a signal: element k is the sum of `x[j]` times e to the power of ±2πi·jk/n.
pub(super) fn transform(signal: &[Complex], direction: Direction) -> Vec<Complex> {
    let roots = roots(signal.len(), direction);
    (0..signal.len()).map(|k| bin(signal, &roots, k)).collect()
}

/// Some elements of the transform.
pub(super) fn bins(signal: &[Complex], direction: Direction, which: &[usize]) -> Vec<Complex> {
    let roots = roots(signal.len(), direction);
    which.iter().map(|k| bin(signal, &roots, *k)).collect()
}

/// The transform of rows that lie one after the other: of every row, then of every column.
pub(super) fn transform_2d(
    signal: &[Complex],
    columns: usize,
    direction: Direction,
) -> Vec<Complex> {
    let rows = signal.chunks_exact(columns);
    let half: Vec<Complex> = rows.flat_map(|row| transform(row, direction)).collect();
    let mut whole = half.clone();
    for column in 0..columns {
        let numbers: Vec<Complex> = half.iter().skip(column).step_by(columns).copied().collect();
        for (row, number) in transform(&numbers, direction).into_iter().enumerate() {
            whole[row * columns + column] = number;
        }
    }
    whole
}

/// One element of the transform.
fn bin(signal: &[Complex], roots: &[Complex], k: usize) -> Complex {
    let mut sum = [Sum::default(), Sum::default()];
    let mut at = 0;
    for [re, im] in signal {
        let [cosine, sine] = roots[at];
        sum[0].add(re * cosine - im * sine);
        sum[1].add(re * sine + im * cosine);
        at += k;
        if at >= roots.len() {
            at -= roots.len();
        }
    }
    sum.map(|sum| sum.total + sum.lost)
}

/// A sum with what rounding has taken from it, after Neumaier (1974).
#[derive(Default)]
struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let next = self.total + term;
        let (large, small) = if self.total.abs() >= term.abs() {
            (self.total, term)
        } else {
            (term, self.total)
        };
        self.lost += (large - next) + small;
        self.total = next;
    }
}

/// The n-th roots of one, in the order of the direction.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
fn roots(n: usize, direction: Direction) -> Vec<Complex> {
    let step = TAU / n as f64 * f64::from(direction.0);
    (0..n)
        .map(|j| {
            let (sine, cosine) = (step * j as f64).sin_cos();
            [cosine, sine]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &[Complex], expected: &[Complex]) {
        let near = |a: &Complex, b: &Complex| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-14;
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(expected).all(|(a, b)| near(a, b)),
            "{found:?}"
        );
    }

    #[test]
    fn four_numbers_by_hand() {
        let signal = [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0]];
        let expected = [[10.0, 0.0], [-2.0, 2.0], [-2.0, 0.0], [-2.0, -2.0]];
        check(&transform(&signal, Direction::FORWARD), &expected);
        check(
            &bins(&signal, Direction::FORWARD, &[3, 1]),
            &[expected[3], expected[1]],
        );
        let back = transform(&expected, Direction::INVERSE);
        let scaled: Vec<Complex> = back.iter().map(|it| it.map(|part| part / 4.0)).collect();
        check(&scaled, &signal);
    }

    #[test]
    fn an_impulse_in_the_second_row_turns_the_sign_of_odd_rows() {
        let mut signal = [[0.0, 0.0]; 6];
        signal[3] = [1.0, 0.0];
        let expected = [
            [1.0, 0.0],
            [1.0, 0.0],
            [1.0, 0.0],
            [-1.0, 0.0],
            [-1.0, 0.0],
            [-1.0, 0.0],
        ];
        check(&transform_2d(&signal, 3, Direction::FORWARD), &expected);
    }
}
