//! Matrices by columns, with unused rows below each, which must stay as they are.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::Stop;
use super::super::bench::Buffer;
use super::super::exact::{self, POISON, Real};
use super::api::Operand;
use super::ffi::Transposition;

/// Unused rows below a matrix.
const GAP: usize = 5;

/// A matrix by columns, without gaps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) elements: Vec<f64>,
}

impl Matrix {
    pub(super) fn new(rows: usize, columns: usize, element: impl Fn(usize, usize) -> f64) -> Self {
        let columns_of = |column| (0..rows).map(move |row| (row, column));
        let elements = (0..columns)
            .flat_map(columns_of)
            .map(|(row, column)| element(row, column))
            .collect();
        Self {
            rows,
            columns,
            elements,
        }
    }

    /// From numbers in the order of columns.
    pub(super) fn of(rows: usize, columns: usize, elements: Vec<f64>) -> Self {
        Self {
            rows,
            columns,
            elements,
        }
    }

    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.elements[row + column * self.rows]
    }

    pub(super) fn transposed(&self) -> Self {
        Self::new(self.columns, self.rows, |row, column| self.at(column, row))
    }

    pub(super) fn times(&self, right: &Self) -> Self {
        let mut product = Self::new(self.rows, right.columns, |_, _| 0.0);
        for column in 0..right.columns {
            for inner in 0..self.columns {
                let factor = right.at(inner, column);
                if factor == 0.0 {
                    continue;
                }
                for row in 0..self.rows {
                    product.elements[row + column * self.rows] += self.at(row, inner) * factor;
                }
            }
        }
        product
    }

    /// Elements from one column to the next in memory.
    pub(super) fn leading(&self) -> usize {
        self.rows + GAP
    }

    /// Its memory; the gaps are poison.
    pub(super) fn memory<T: Real>(&self) -> Vec<T> {
        let poison = T::get(&vec![POISON; T::SIZE]);
        let mut memory = Vec::with_capacity(self.leading() * self.columns);
        for column in self.elements.chunks(self.rows) {
            memory.extend(column.iter().map(|element| T::of(*element)));
            memory.extend([poison; GAP]);
        }
        memory
    }

    /// A matrix of this shape from its memory. Stops if anything was written below a column.
    pub(super) fn read<T: Real>(&self, memory: &[T]) -> Result<Vec<T>, Stop> {
        let mut elements = Vec::with_capacity(self.elements.len());
        let mut strays = 0;
        for column in memory.chunks(self.leading()) {
            let (inner, gap) = column.split_at(self.rows);
            elements.extend(inner);
            strays += exact::bytes(gap)
                .iter()
                .filter(|byte| **byte != POISON)
                .count();
        }
        if strays > 0 {
            return Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::StrayWrite,
                expected: "nothing is written below the rows of the result".to_owned(),
                found: format!("{strays} bytes between its columns were written"),
            }));
        }
        Ok(elements)
    }

    /// On the device, as the library takes it.
    pub(super) fn operand(&self, buffer: &Buffer) -> Operand {
        Operand {
            at: buffer.at,
            leading: self.leading(),
            as_is: Transposition::NONE,
        }
    }

    /// `C[3, 7]`.
    pub(super) fn name(&self, letter: char, number: usize) -> String {
        format!("{letter}[{}, {}]", number % self.rows, number / self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_rows_by_columns() {
        let a = Matrix::of(2, 3, vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        let b = Matrix::of(3, 1, vec![1.0, 0.0, -1.0]);
        assert_eq!(a.times(&b).elements, [-2.0, -2.0]);
        assert_eq!(a.transposed().elements, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(a.name('A', 5), "A[1, 2]");
    }

    #[test]
    fn gaps_are_left_out_and_watched() {
        let a = Matrix::of(2, 2, vec![1.0, 2.0, 3.0, 4.0]);
        let mut memory = a.memory::<f32>();
        assert_eq!(memory.len(), 2 * (2 + GAP));
        assert_eq!(a.read(&memory).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        memory[2] = 0.0;
        assert!(a.read(&memory).is_err());
    }
}
