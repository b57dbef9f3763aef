//! One product: C := alpha op(A) op(B) + beta C, by the definition.

use super::number::{self, load, size, store};
use super::{EXECUTION_FAILED, INVALID_VALUE, NOT_SUPPORTED, SUCCESS};

/// A matrix on the device, column by column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix {
    pub(crate) at: u64,
    /// A `cudaDataType`.
    pub(crate) data: i32,
    pub(crate) leading: usize,
}

/// What a product is made of.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    /// `cublasOperation_t`.
    pub(crate) operations: [i32; 2],
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
    pub(crate) a: Matrix,
    pub(crate) b: Matrix,
    pub(crate) c: Matrix,
    /// Where the result goes: C itself, or another.
    pub(crate) d: Matrix,
    pub(crate) habits: Habits,
}

/// How the arithmetic is done. The honest ones are the default.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    /// What becomes of each operand.
    pub(crate) operand: fn(f64) -> f64,
    /// What becomes of a sum after each term.
    pub(crate) sum: fn(f64) -> f64,
    /// What becomes of a result before it is stored, with its row.
    pub(crate) result: fn(f64) -> f64,
    /// What is added to each row.
    pub(crate) bias: Option<Matrix>,
    /// Results from this row and this column on are never stored.
    pub(crate) unwritten: Option<(usize, usize)>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            operand: |value| value,
            sum: |value| value,
            result: |value| value,
            bias: None,
            unwritten: None,
        }
    }
}

impl Product {
    /// Computes it. The answer is a status.
    pub(crate) fn run(&self) -> i32 {
        let Self {
            operations: [op_a, op_b],
            m,
            n,
            k,
            ..
        } = *self;
        let rows_of_a = if op_a == 0 { m } else { k };
        let rows_of_b = if op_b == 0 { k } else { n };
        if self.a.leading < rows_of_a || self.b.leading < rows_of_b || self.d.leading < m {
            return INVALID_VALUE;
        }
        let Some(bytes) = size(self.d.data) else {
            return NOT_SUPPORTED;
        };
        let (Some(left), Some(right)) = (self.left(), self.right()) else {
            return EXECUTION_FAILED;
        };
        let bias = self
            .habits
            .bias
            .map(|bias| load(bias.data, bias.at, m).unwrap_or_default());
        for column in 0..n {
            let b = &right[column * k..][..k];
            let old = if self.beta == 0.0 {
                Some(vec![0.0; m])
            } else {
                let bytes = size(self.c.data).unwrap_or(0);
                let at = self.c.at + (column * self.c.leading) as u64 * bytes;
                load(self.c.data, at, m)
            };
            let Some(old) = old else {
                return EXECUTION_FAILED;
            };
            let mut values = Vec::with_capacity(m);
            for (row, a) in left.chunks(k).enumerate() {
                let mut sum = 0.0;
                for (a, b) in a.iter().zip(b) {
                    sum = (self.habits.sum)(sum + a * b);
                }
                let mut value = self.alpha * sum + self.beta * old[row];
                if let Some(bias) = &bias {
                    value += bias[row];
                }
                values.push((self.habits.result)(value));
            }
            if let Some((rows, columns)) = self.habits.unwritten
                && column >= columns
            {
                values.truncate(rows);
            }
            let place = (column * self.d.leading) as u64 * bytes;
            if store(self.d.data, self.d.at + place, &values).is_none() {
                return EXECUTION_FAILED;
            }
        }
        SUCCESS
    }

    /// op(A), row by row.
    fn left(&self) -> Option<Vec<f64>> {
        let Self { m, k, a, .. } = *self;
        let mut rows = vec![0.0; m * k];
        if self.operations[0] == 0 {
            for inner in 0..k {
                let column = vector(a, inner, m)?;
                for (row, value) in column.into_iter().enumerate() {
                    rows[row * k + inner] = (self.habits.operand)(value);
                }
            }
        } else {
            for (row, place) in rows.chunks_mut(k).enumerate() {
                for (place, value) in place.iter_mut().zip(vector(a, row, k)?) {
                    *place = (self.habits.operand)(value);
                }
            }
        }
        Some(rows)
    }

    /// op(B), column by column.
    fn right(&self) -> Option<Vec<f64>> {
        let Self { n, k, b, .. } = *self;
        let mut columns = vec![0.0; k * n];
        if self.operations[1] == 0 {
            for (column, place) in columns.chunks_mut(k).enumerate() {
                for (place, value) in place.iter_mut().zip(vector(b, column, k)?) {
                    *place = (self.habits.operand)(value);
                }
            }
        } else {
            for inner in 0..k {
                let values = vector(b, inner, n)?;
                for (column, value) in values.into_iter().enumerate() {
                    columns[column * k + inner] = (self.habits.operand)(value);
                }
            }
        }
        Some(columns)
    }
}

/// The first elements of a stored column.
fn vector(matrix: Matrix, column: usize, count: usize) -> Option<Vec<f64>> {
    let offset = (column * matrix.leading) as u64 * size(matrix.data)?;
    load(matrix.data, matrix.at + offset, count)
}

/// A sum that is kept in half precision.
pub(crate) fn half(value: f64) -> f64 {
    number::keep(value, 11)
}
