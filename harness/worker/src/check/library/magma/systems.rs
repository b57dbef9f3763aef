//! Matrices whose factors are known and exact, in whatever order and in whatever blocks they are computed.
//!
//! A factor has powers of two on its diagonal, and beside it elements only in odd rows and even columns (or the other
//! way round above the diagonal). The square of what stands beside the diagonal is zero, so its inverse, and that of
//! every block on its diagonal, has as few bits as the factor itself: libraries that invert such blocks round nothing.

use super::super::exact::{integers, reals};
use super::matrix::Matrix;

/// Large enough for MAGMA to use the GPU: below 257 rows `dgetrf_gpu` computes on the processor alone.
pub(super) const ROWS: usize = 330;

/// A = P L U.
pub(super) struct Lu {
    pub(super) matrix: Matrix,
    /// L below the diagonal, U on and above it.
    pub(super) factors: Matrix,
    /// The row that each row is exchanged with, counted from one.
    pub(super) pivots: Vec<i64>,
}

impl Lu {
    /// Below its diagonal L has halves, so that the pivot of each column is the one element of U's size.
    pub(super) fn exact(seed: u64) -> Self {
        let halves = Matrix::of(ROWS, ROWS, some(seed, 0, 1));
        let whole = Matrix::of(ROWS, ROWS, some(seed, 1, 3));
        let lower = Matrix::new(ROWS, ROWS, |row, column| {
            if row == column {
                1.0
            } else if row > column && row % 2 == 1 && column % 2 == 0 {
                halves.at(row, column) / 2.0
            } else {
                0.0
            }
        });
        let upper = Matrix::new(ROWS, ROWS, |row, column| {
            if row == column {
                if whole.at(row, column) < 0.0 {
                    -2.0
                } else {
                    4.0
                }
            } else if row < column && row % 2 == 0 && column % 2 == 1 {
                whole.at(row, column)
            } else {
                0.0
            }
        });
        let product = lower.times(&upper);
        let places = shuffled(seed);
        let matrix = Matrix::new(ROWS, ROWS, |row, column| product.at(places[row], column));
        let factors = Matrix::new(ROWS, ROWS, |row, column| {
            if row > column {
                lower.at(row, column)
            } else {
                upper.at(row, column)
            }
        });
        Self {
            matrix,
            factors,
            pivots: pivots(places),
        }
    }
}

/// A symmetric positive definite matrix, and its lower factor.
pub(super) fn definite(seed: u64) -> (Matrix, Matrix) {
    let whole = Matrix::of(ROWS, ROWS, some(seed, 0, 3));
    let lower = Matrix::new(ROWS, ROWS, |row, column| {
        if row == column {
            if whole.at(row, column) < 0.0 {
                2.0
            } else {
                4.0
            }
        } else if row > column && row % 2 == 1 && column % 2 == 0 {
            whole.at(row, column)
        } else {
            0.0
        }
    });
    (lower.times(&lower.transposed()), lower)
}

/// Real numbers below one.
pub(super) fn real(seed: u64, array: u64, columns: usize) -> Matrix {
    Matrix::of(ROWS, columns, reals(seed, array, ROWS * columns))
}

/// Integers, as right-hand sides' solutions.
pub(super) fn whole(seed: u64, array: u64, columns: usize) -> Matrix {
    let values = integers(seed, array, 100, ROWS * columns);
    let values = values.into_iter().map(|value| value as f64).collect();
    Matrix::of(ROWS, columns, values)
}

fn some(seed: u64, array: u64, most: u32) -> Vec<f64> {
    let values = integers(seed, array, most, ROWS * ROWS);
    values.into_iter().map(|value| value as f64).collect()
}

/// Which row of L U stands in each row of the matrix.
fn shuffled(seed: u64) -> Vec<usize> {
    let keys = integers(seed, 9, 1 << 30, ROWS);
    let mut places: Vec<usize> = (0..ROWS).collect();
    places.sort_by_key(|place| keys[*place]);
    places
}

/// The exchanges that bring each row to its place, as partial pivoting makes them.
fn pivots(mut places: Vec<usize>) -> Vec<i64> {
    let mut pivots = Vec::with_capacity(places.len());
    for step in 0..places.len() {
        let found = places[step..]
            .iter()
            .position(|place| *place == step)
            .map_or(step, |offset| step + offset);
        places.swap(step, found);
        pivots.push(i64::try_from(found).unwrap_or(i64::MAX) + 1);
    }
    pivots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_those_of_partial_pivoting() {
        assert_eq!(pivots(vec![2, 0, 1]), [2, 3, 3]);
        assert_eq!(pivots(vec![0, 1]), [1, 2]);
    }

    /// The plainest elimination, with the largest element of each column as its pivot.
    #[test]
    fn elimination_finds_the_factors_exactly() {
        let lu = Lu::exact(7);
        let mut a = lu.matrix.clone();
        for step in 0..ROWS {
            let largest = (step..ROWS)
                .reduce(|best, row| {
                    if a.at(row, step).abs() > a.at(best, step).abs() {
                        row
                    } else {
                        best
                    }
                })
                .unwrap();
            assert_eq!(i64::try_from(largest).unwrap() + 1, lu.pivots[step]);
            for column in 0..ROWS {
                a.elements
                    .swap(step + column * ROWS, largest + column * ROWS);
            }
            for row in step + 1..ROWS {
                let factor = a.at(row, step) / a.at(step, step);
                a.elements[row + step * ROWS] = factor;
                if factor != 0.0 {
                    for column in step + 1..ROWS {
                        a.elements[row + column * ROWS] -= factor * a.at(step, column);
                    }
                }
            }
        }
        assert!(a == lu.factors);
    }

    #[test]
    fn the_definite_matrix_is_its_factor_squared() {
        let (matrix, lower) = definite(7);
        assert!(matrix == matrix.transposed());
        let first: f64 = lower.at(0, 0) * lower.at(0, 0);
        assert_eq!(matrix.at(0, 0), first);
        assert_eq!(matrix.at(1, 0), lower.at(1, 0) * lower.at(0, 0));
    }
}
