//! Sparse matrices and their products, by the definition.

use crate::check::library::exact;

/// A matrix by its elements, row after row, with the columns of each row in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sparse {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) elements: Vec<Element>,
}

/// An element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Element {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) value: f64,
}

/// A matrix of 300 rows and 257 columns: every fifth row is empty, the eighth is full, and the others have up to 12
/// elements. The values are the next of `values`.
pub(super) fn matrix(seed: u64, values: impl Fn(usize) -> Vec<f64>) -> Sparse {
    const ROWS: usize = 300;
    // A prime, so that steps of any width reach other columns each time.
    const COLUMNS: usize = 257;
    let chance = exact::integers(seed, 10, 1 << 20, 3 * ROWS);
    let draw = |index: usize, below: u64| {
        let chance = chance[index].unsigned_abs() % below;
        usize::try_from(chance).unwrap_or(0)
    };
    let mut places = Vec::new();
    for row in 0..ROWS {
        let length = match row {
            7 => COLUMNS,
            _ if row % 5 == 0 => 0,
            _ => 1 + draw(3 * row, 12),
        };
        let first = draw(3 * row + 1, 257);
        let step = 1 + draw(3 * row + 2, 256);
        let mut columns: Vec<usize> = (0..length)
            .map(|at| (first + at * step) % COLUMNS)
            .collect();
        columns.sort_unstable();
        places.extend(columns.into_iter().map(|column| (row, column)));
    }
    let values = values(places.len());
    Sparse {
        rows: ROWS,
        columns: COLUMNS,
        elements: places
            .into_iter()
            .zip(values)
            .map(|((row, column), value)| Element { row, column, value })
            .collect(),
    }
}

impl Sparse {
    pub(super) fn transposed(&self) -> Self {
        let mut elements: Vec<Element> = self
            .elements
            .iter()
            .map(|it| Element {
                row: it.column,
                column: it.row,
                value: it.value,
            })
            .collect();
        elements.sort_by_key(|it| (it.row, it.column));
        Self {
            rows: self.columns,
            columns: self.rows,
            elements,
        }
    }

    /// What becomes of the values.
    pub(super) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        let mut changed = self.clone();
        for element in &mut changed.elements {
            element.value = change(element.value);
        }
        changed
    }

    /// The product with a vector.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; self.rows];
        for element in &self.elements {
            product[element.row] += element.value * vector[element.column];
        }
        product
    }

    /// Where each row begins among the elements, and where the last ends, counted from the base.
    pub(super) fn offsets(&self, base: u32) -> Vec<i32> {
        let before = |row| self.elements.iter().filter(|it| it.row < row).count();
        (0..=self.rows)
            .map(|row| index(before(row), base))
            .collect()
    }

    /// The row of each element, counted from the base.
    pub(super) fn row_indices(&self, base: u32) -> Vec<i32> {
        self.elements.iter().map(|it| index(it.row, base)).collect()
    }

    /// The column of each element, counted from the base.
    pub(super) fn column_indices(&self, base: u32) -> Vec<i32> {
        self.elements
            .iter()
            .map(|it| index(it.column, base))
            .collect()
    }
}

/// A number as cuSPARSE takes it.
fn index(number: usize, base: u32) -> i32 {
    let base = usize::try_from(base).unwrap_or(0);
    i32::try_from(number + base).expect("the matrices of the tests are small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Sparse {
        let element = |row, column, value| Element { row, column, value };
        // 1 0 2
        // 0 0 0
        // 0 3 0
        // 4 5 6
        Sparse {
            rows: 4,
            columns: 3,
            elements: vec![
                element(0, 0, 1.0),
                element(0, 2, 2.0),
                element(2, 1, 3.0),
                element(3, 0, 4.0),
                element(3, 1, 5.0),
                element(3, 2, 6.0),
            ],
        }
    }

    #[test]
    fn products_by_hand() {
        assert_eq!(
            small().times(&[1.0, 10.0, 100.0]),
            [201.0, 0.0, 30.0, 654.0]
        );
        let transposed = small().transposed();
        assert_eq!(
            transposed.times(&[1.0, 10.0, 100.0, 1000.0]),
            [4001.0, 5300.0, 6002.0]
        );
    }

    #[test]
    fn indices_by_hand() {
        assert_eq!(small().offsets(0), [0, 2, 2, 3, 6]);
        assert_eq!(small().offsets(1), [1, 3, 3, 4, 7]);
        assert_eq!(small().row_indices(1), [1, 1, 3, 4, 4, 4]);
        assert_eq!(small().column_indices(0), [0, 2, 1, 0, 1, 2]);
    }

    #[test]
    fn the_matrix_has_empty_and_full_rows_and_no_element_twice() {
        let matrix = matrix(7, |count| vec![1.0; count]);
        let lengths: Vec<i32> = matrix
            .offsets(0)
            .windows(2)
            .map(|it| it[1] - it[0])
            .collect();
        assert_eq!(lengths[0], 0);
        assert_eq!(lengths[7], 257);
        assert!(lengths.iter().all(|length| *length <= 12 || *length == 257));
        let twice =
            |pair: &[Element]| (pair[0].row, pair[0].column) >= (pair[1].row, pair[1].column);
        assert!(!matrix.elements.windows(2).any(twice));
    }
}
