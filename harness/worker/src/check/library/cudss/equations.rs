//! Tridiagonal systems of equations whose solution is known.

use super::super::exact::{integers, reals};

/// Rows, on purpose no multiple of anything.
pub(super) const ROWS: usize = 1000;

/// A matrix by rows, and a right-hand side.
pub(super) struct Equations {
    /// Where each row begins, and where the last ends.
    pub(super) row_start: Vec<i32>,
    pub(super) columns: Vec<i32>,
    pub(super) values: Vec<f64>,
    pub(super) right: Vec<f64>,
}

/// Which elements a matrix is given by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Given {
    All,
    /// Those on and below the diagonal; the matrix is symmetric.
    Lower,
}

impl Equations {
    /// A system whose factors and solution are exact in whatever order it is eliminated, and the solution.
    ///
    /// Only odd rows have elements beside the diagonal, and they stand in even columns. So neither eliminating an
    /// even unknown nor an odd one changes any other element: the factors are the elements themselves, divided by
    /// diagonals, which are powers of two and larger than what stands beside them, so that no pivoting moves them.
    pub(super) fn exact(seed: u64) -> (Self, Vec<f64>) {
        let signs = integers(seed, 0, 1, ROWS);
        let beside = integers(seed, 1, 3, 2 * ROWS);
        let solution = integers(seed, 2, 1000, ROWS);
        let rows = (0..ROWS).map(|row| {
            let diagonal = if signs[row] < 0 { -4.0 } else { 8.0 };
            let (left, right) = (beside[2 * row] as f64, beside[2 * row + 1] as f64);
            if row % 2 == 0 {
                [None, Some(diagonal), None]
            } else {
                [Some(left), Some(diagonal), Some(right)]
            }
        });
        let mut equations = Self::of_rows(rows);
        let solution: Vec<f64> = solution.into_iter().map(|value| value as f64).collect();
        equations.right = equations.times(&solution, Given::All);
        (equations, solution)
    }

    /// Real numbers: a diagonal larger than the two negative numbers beside it together, so that no pivot grows.
    pub(super) fn dominant(seed: u64) -> Self {
        let beside = reals(seed, 0, 2 * ROWS);
        let more = reals(seed, 1, ROWS);
        let rows = (0..ROWS).map(|row| {
            let (left, right) = (-beside[2 * row].abs(), -beside[2 * row + 1].abs());
            let diagonal = 0.125 + more[row].abs() - left - right;
            [Some(left), Some(diagonal), Some(right)]
        });
        let mut equations = Self::of_rows(rows);
        equations.right = reals(seed, 2, ROWS);
        equations
    }

    /// The lower half of a symmetric matrix, which is positive definite because its diagonal is larger than the
    /// numbers beside it together.
    pub(super) fn definite(seed: u64) -> Self {
        let beside = reals(seed, 0, ROWS + 1);
        let more = reals(seed, 1, ROWS);
        let rows = (0..ROWS).map(|row| {
            let (left, right) = (beside[row], beside[row + 1]);
            let diagonal = 0.125 + more[row].abs() + left.abs() + right.abs();
            [Some(left), Some(diagonal), None]
        });
        let mut equations = Self::of_rows(rows);
        equations.right = reals(seed, 2, ROWS);
        equations
    }

    /// From what stands to the left of the diagonal, on it, and to the right.
    fn of_rows(rows: impl Iterator<Item = [Option<f64>; 3]>) -> Self {
        let mut equations = Self {
            row_start: vec![0],
            columns: Vec::new(),
            values: Vec::new(),
            right: Vec::new(),
        };
        for (row, elements) in rows.enumerate() {
            for (offset, element) in elements.into_iter().enumerate() {
                let column = (row + offset).checked_sub(1).filter(|it| *it < ROWS);
                if let (Some(column), Some(element)) = (column, element) {
                    equations.columns.push(index(column));
                    equations.values.push(element);
                }
            }
            equations.row_start.push(index(equations.values.len()));
        }
        equations
    }

    /// The product of the matrix with a vector.
    pub(super) fn times(&self, vector: &[f64], given: Given) -> Vec<f64> {
        let mut product = vec![0.0; ROWS];
        for (row, ends) in self.row_start.windows(2).enumerate() {
            for at in place(ends[0])..place(ends[1]) {
                let column = place(self.columns[at]);
                product[row] += self.values[at] * vector[column];
                if given == Given::Lower && column != row {
                    product[column] += self.values[at] * vector[row];
                }
            }
        }
        product
    }

    /// Every element in absolute value.
    pub(super) fn sizes(&self) -> Self {
        let sizes = |values: &[f64]| values.iter().map(|value| value.abs()).collect();
        Self {
            row_start: self.row_start.clone(),
            columns: self.columns.clone(),
            values: sizes(&self.values),
            right: sizes(&self.right),
        }
    }
}

fn index(value: usize) -> i32 {
    i32::try_from(value).expect("a thousand rows have few thousand elements")
}

fn place(value: i32) -> usize {
    usize::try_from(value).expect("indices are not negative")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_end_at_the_edges() {
        let equations = Equations::dominant(7);
        assert_eq!(equations.row_start[..3], [0, 2, 5]);
        assert_eq!(equations.columns[..5], [0, 1, 0, 1, 2]);
        assert_eq!(equations.values.len(), 3 * ROWS - 2);
        assert_eq!(equations.row_start[ROWS], index(3 * ROWS - 2));
        let half = Equations::definite(7);
        assert_eq!(half.values.len(), 2 * ROWS - 1);
    }

    #[test]
    fn the_exact_system_is_solved_in_either_order() {
        let (equations, solution) = Equations::exact(7);
        let diagonal = |row: usize| {
            let ends = place(equations.row_start[row])..place(equations.row_start[row + 1]);
            let found = ends
                .clone()
                .find(|at| place(equations.columns[*at]) == row)
                .unwrap();
            equations.values[found]
        };
        let mut found = vec![0.0; ROWS];
        for parity in [0, 1] {
            for row in (parity..ROWS).step_by(2) {
                let mut rest = equations.right[row];
                for at in place(equations.row_start[row])..place(equations.row_start[row + 1]) {
                    let column = place(equations.columns[at]);
                    if column != row {
                        rest -= equations.values[at] * found[column];
                    }
                }
                found[row] = rest / diagonal(row);
            }
        }
        assert_eq!(found, solution);
        let largest = equations.sizes().times(&vec![1000.0; ROWS], Given::All);
        assert!(largest.iter().all(|value| *value < f64::from(1 << 24)));
    }

    #[test]
    fn half_of_a_symmetric_matrix_stands_for_the_whole() {
        let equations = Equations::definite(7);
        let mut first = vec![0.0; ROWS];
        first[0] = 1.0;
        let column = equations.times(&first, Given::Lower);
        assert_eq!(column[0], equations.values[0]);
        assert_eq!(column[1], equations.values[1]);
        assert_eq!(column[2..], [0.0; ROWS - 2]);
    }
}
