//! Matrices whose factors are known exactly, and whose factorisation rounds nowhere.
//!
//! A lower factor has elements below its diagonal only where the row is odd and the column even, so that the square of
//! this part is zero: its inverse has the same elements with the other sign, and no algorithm, be it one that inverts
//! blocks of the diagonal, meets a number that the factors do not have. An upper factor is the same the other way
//! round. Their product has elements nearly everywhere, sums of up to n/2 products.

use crate::check::library::exact;

/// A square matrix, column after column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Square {
    pub(super) n: usize,
    pub(super) elements: Vec<f64>,
}

impl Square {
    pub(super) fn of(n: usize, element: impl Fn(usize, usize) -> f64) -> Self {
        let elements = (0..n * n)
            .map(|index| element(index % n, index / n))
            .collect();
        Self { n, elements }
    }

    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.elements[column * self.n + row]
    }

    /// The product, leaving out what is zero.
    pub(super) fn times(&self, other: &Self) -> Self {
        let n = self.n;
        let mut elements = vec![0.0; n * n];
        for (column, into) in elements.chunks_exact_mut(n).enumerate() {
            for k in 0..n {
                let factor = other.at(k, column);
                if factor != 0.0 {
                    let from = &self.elements[k * n..(k + 1) * n];
                    into.iter_mut()
                        .zip(from)
                        .for_each(|(sum, it)| *sum += it * factor);
                }
            }
        }
        Self { n, elements }
    }

    /// The product with columns.
    pub(super) fn apply(&self, columns: &[f64]) -> Vec<f64> {
        let mut all = Vec::with_capacity(columns.len());
        for column in columns.chunks_exact(self.n) {
            all.extend((0..self.n).map(|row| {
                let products = column.iter().enumerate().map(|(k, x)| self.at(row, k) * x);
                products.sum::<f64>()
            }));
        }
        all
    }

    pub(super) fn transposed(&self) -> Self {
        Self::of(self.n, |row, column| self.at(column, row))
    }

    pub(super) fn absolute(&self) -> Self {
        Self::of(self.n, |row, column| self.at(row, column).abs())
    }

    /// The root of the sum of all squares.
    pub(super) fn norm(&self) -> f64 {
        self.elements.iter().map(|it| it * it).sum::<f64>().sqrt()
    }
}

/// A matrix with its factors: exchanging rows as the pivots say gives the product of `lower` and `upper`.
pub(super) struct Lu {
    pub(super) matrix: Square,
    pub(super) lower: Square,
    pub(super) upper: Square,
    /// For each column, the row that its row was exchanged with, counted from one.
    pub(super) pivots: Vec<i64>,
}

/// An integer matrix. Below the diagonal of `lower` are halves, so that the pivot of each column, ±2, is alone the
/// largest of its column, and only one order of rows is right. The pivot of column `singular` is zero.
pub(super) fn lu(seed: u64, n: usize, singular: Option<usize>) -> Lu {
    let halves = exact::integers(seed, 0, 1, n * n);
    let twos = exact::integers(seed, 1, 2, n * n);
    let lower = Square::of(n, |row, column| {
        if row == column {
            1.0
        } else if row > column && row % 2 == 1 && column % 2 == 0 {
            halves[column * n + row] as f64 / 2.0
        } else {
            0.0
        }
    });
    let upper = Square::of(n, |row, column| {
        if row == column {
            let sign = if twos[row] < 0 { -2.0 } else { 2.0 };
            if singular == Some(row) { 0.0 } else { sign }
        } else if row < column && row % 2 == 0 && column % 2 == 1 {
            twos[column * n + row] as f64 * 2.0
        } else {
            0.0
        }
    });
    let product = lower.times(&upper);
    // Row `order[i]` of the product becomes row i of the matrix.
    let order = shuffled(seed, n);
    let matrix = Square::of(n, |row, column| product.at(order[row], column));
    Lu {
        pivots: exchanges(&order),
        matrix,
        lower,
        upper,
    }
}

/// The factor and the matrix, which is the factor times its transpose: integers, with powers of two on the diagonal
/// of the factor.
pub(super) fn cholesky(seed: u64, n: usize) -> (Square, Square) {
    let small = exact::integers(seed, 0, 2, n * n);
    let powers = [1.0, 2.0, 4.0];
    let lower = Square::of(n, |row, column| {
        if row == column {
            powers[row % 3]
        } else if row > column && row % 2 == 1 && column % 2 == 0 {
            small[column * n + row] as f64
        } else {
            0.0
        }
    });
    let matrix = lower.times(&lower.transposed());
    (lower, matrix)
}

/// The numbers below n in an order that the seed gives.
fn shuffled(seed: u64, n: usize) -> Vec<usize> {
    let mut keys: Vec<(i64, usize)> = exact::integers(seed, 2, u32::MAX >> 1, n)
        .into_iter()
        .zip(0..)
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, index)| index).collect()
}

/// The exchanges by which rows that stand in this order come to stand in theirs, in the way of LAPACK.
fn exchanges(order: &[usize]) -> Vec<i64> {
    let mut rows = order.to_vec();
    let mut pivots = Vec::with_capacity(rows.len());
    for column in 0..rows.len() {
        let found = rows.iter().position(|row| *row == column);
        let place = found.expect("every number stands in the order once");
        rows.swap(column, place);
        pivots.push(i64::try_from(place + 1).expect("matrices are small"));
    }
    pivots
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gauss's elimination with exchanges, as it is in every book.
    fn eliminate(matrix: &Square) -> (Square, Vec<i64>) {
        let mut a = matrix.clone();
        let n = a.n;
        let mut pivots = Vec::new();
        for k in 0..n {
            let mut best = k;
            for row in k..n {
                if a.at(row, k).abs() > a.at(best, k).abs() {
                    best = row;
                }
            }
            pivots.push(i64::try_from(best + 1).unwrap());
            for column in 0..n {
                a.elements.swap(column * n + k, column * n + best);
            }
            for row in k + 1..n {
                let factor = a.at(row, k) / a.at(k, k);
                a.elements[k * n + row] = factor;
                for column in k + 1..n {
                    let less = factor * a.at(k, column);
                    a.elements[column * n + row] -= less;
                }
            }
        }
        (a, pivots)
    }

    #[test]
    fn elimination_finds_the_factors() {
        let known = lu(5, 31, None);
        let (both, pivots) = eliminate(&known.matrix);
        assert_eq!(pivots, known.pivots);
        let expected = Square::of(31, |row, column| {
            if row > column {
                known.lower.at(row, column)
            } else {
                known.upper.at(row, column)
            }
        });
        assert_eq!(both, expected);
        assert!(known.matrix.elements.iter().all(|it| it.fract() == 0.0));
    }

    #[test]
    fn a_product_by_hand() {
        let a = Square {
            n: 2,
            elements: vec![1.0, 3.0, 2.0, 4.0],
        };
        let b = Square {
            n: 2,
            elements: vec![5.0, 7.0, 6.0, 8.0],
        };
        assert_eq!(a.times(&b).elements, [19.0, 43.0, 22.0, 50.0]);
        assert_eq!(a.apply(&[5.0, 7.0]), [19.0, 43.0]);
        assert_eq!(a.transposed().apply(&[1.0, 0.0]), [1.0, 2.0]);
    }

    #[test]
    fn exchanges_put_rows_into_order() {
        assert_eq!(exchanges(&[2, 0, 1]), [2, 3, 3]);
        assert_eq!(exchanges(&[0, 1, 2]), [1, 2, 3]);
    }

    #[test]
    fn the_factor_of_a_positive_matrix_is_lower() {
        let (lower, matrix) = cholesky(3, 12);
        assert_eq!(matrix, matrix.transposed());
        assert!(lower.at(0, 1).abs() < f64::EPSILON);
        assert_eq!(matrix.at(0, 0).to_bits(), 1f64.to_bits());
    }
}
