//! Triangular systems, by substitution.

use super::{Context, EXECUTION_FAILED, INVALID_VALUE, NOT_INITIALIZED, SUCCESS};
use crate::{fault, memory};

/// A square matrix whose elements are computed from a stored triangle.
struct Triangle {
    stored: Vec<f64>,
    leading: usize,
    /// `CUBLAS_FILL_MODE_UPPER`.
    upper: bool,
    transposed: bool,
    unit: bool,
}

impl Triangle {
    /// An element of op(A).
    fn element(&self, row: usize, column: usize) -> f64 {
        let (row, column) = if self.transposed {
            (column, row)
        } else {
            (row, column)
        };
        if row == column && self.unit {
            1.0
        } else if row == column || (row < column) == self.upper {
            self.stored[column * self.leading + row]
        } else {
            0.0
        }
    }

    /// Whether op(A) has its elements above the diagonal.
    fn acts_upper(&self) -> bool {
        self.upper != self.transposed
    }

    /// x with op(A) x = b.
    fn solve(&self, b: &mut [f64]) {
        let order = b.len();
        let rows: Vec<usize> = if self.acts_upper() {
            (0..order).rev().collect()
        } else {
            (0..order).collect()
        };
        for (done, row) in rows.iter().enumerate() {
            let known: f64 = rows[..done]
                .iter()
                .map(|column| self.element(*row, *column) * b[*column])
                .sum();
            b[*row] = (b[*row] - known) / self.element(*row, *row);
        }
    }

    /// x with x op(A) = b, which is the transposed system.
    fn solve_from_right(&self, b: &mut [f64]) {
        let order = b.len();
        let columns: Vec<usize> = if self.acts_upper() {
            (0..order).collect()
        } else {
            (0..order).rev().collect()
        };
        for (done, column) in columns.iter().enumerate() {
            let known: f64 = columns[..done]
                .iter()
                .map(|row| b[*row] * self.element(*row, *column))
                .sum();
            b[*column] = (b[*column] - known) / self.element(*column, *column);
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasDtrsm_v2(
    handle: *const Context,
    side: i32,
    uplo: i32,
    trans: i32,
    diag: i32,
    m: i32,
    n: i32,
    alpha: *const f64,
    a: u64,
    lda: i32,
    b: u64,
    ldb: i32,
) -> i32 {
    if handle.is_null() {
        return NOT_INITIALIZED;
    }
    if fault::no_code("cublas") {
        return EXECUTION_FAILED;
    }
    if fault::on("cublas-silent") {
        return SUCCESS;
    }
    // SAFETY: the caller passes a number of the host's memory.
    let alpha = unsafe { *alpha };
    let [Ok(m), Ok(n), Ok(lda), Ok(ldb)] = [m, n, lda, ldb].map(usize::try_from) else {
        return INVALID_VALUE;
    };
    let order = if side == 0 { m } else { n };
    let stored = memory::read::<f64>(a, lda * (order - 1) + order);
    let right = memory::read::<f64>(b, ldb * (n - 1) + m);
    let (Some(stored), Some(mut right)) = (stored, right) else {
        return EXECUTION_FAILED;
    };
    let triangle = Triangle {
        stored,
        leading: lda,
        upper: uplo == 1,
        transposed: trans != 0,
        unit: diag == 1 && !fault::on("cublas-trsm-diagonal-read"),
    };
    if side == 0 {
        for column in 0..n {
            let mut vector: Vec<f64> = (0..m)
                .map(|row| alpha * right[column * ldb + row])
                .collect();
            triangle.solve(&mut vector);
            right[column * ldb..][..m].copy_from_slice(&vector);
        }
    } else {
        for row in 0..m {
            let mut vector: Vec<f64> = (0..n)
                .map(|column| alpha * right[column * ldb + row])
                .collect();
            triangle.solve_from_right(&mut vector);
            for (column, value) in vector.into_iter().enumerate() {
                right[column * ldb + row] = value;
            }
        }
    }
    memory::write(b, &right).map_or(EXECUTION_FAILED, |()| SUCCESS)
}
