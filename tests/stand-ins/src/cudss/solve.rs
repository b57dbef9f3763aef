//! Elimination of sparse equations.

use std::collections::BTreeMap;

use super::{Matrix, SINGLE};
use crate::{fault, memory};

/// The rows of a sparse matrix.
pub(super) fn equations(matrix: &Matrix) -> Option<Vec<BTreeMap<usize, f64>>> {
    let Matrix::Sparse {
        rows,
        elements,
        starts,
        columns,
        values,
        kind,
        symmetric,
        half,
    } = matrix
    else {
        return None;
    };
    let (rows, elements) = (
        usize::try_from(*rows).ok()?,
        usize::try_from(*elements).ok()?,
    );
    let starts = memory::read::<i32>(*starts, rows + 1)?;
    let columns = memory::read::<i32>(*columns, elements)?;
    let values = numbers(*kind, *values, elements)?;
    let mut equations = vec![BTreeMap::new(); rows];
    for row in 0..rows {
        for at in usize::try_from(starts[row]).ok()?..usize::try_from(starts[row + 1]).ok()? {
            let column = usize::try_from(columns[at]).ok()?;
            equations[row].insert(column, values[at]);
            // `CUDSS_MVIEW_FULL` is 0.
            if *symmetric && *half != 0 && !fault::on("cudss-one-half") {
                equations[column].insert(row, values[at]);
            }
        }
    }
    let general = !*symmetric && *kind != SINGLE;
    if general && fault::on("cudss-single-factors") {
        for value in equations.iter_mut().flat_map(BTreeMap::values_mut) {
            *value = rounded(*value);
        }
    }
    Some(equations)
}

/// Elimination row by row, without exchanges.
///
/// Scaling by what is no power of two costs the last bit.
pub(super) fn solve(
    equations: &[BTreeMap<usize, f64>],
    scaled: bool,
    matrix: &Matrix,
    solution: &Matrix,
    right: &Matrix,
) -> Option<()> {
    let (
        Matrix::Dense { at: to, .. },
        Matrix::Dense {
            rows,
            at: from,
            kind,
        },
    ) = (solution, right)
    else {
        return None;
    };
    let (to, from, kind) = (*to, *from, *kind);
    let count = usize::try_from(*rows).ok()?;
    let mut rows = equations.to_vec();
    let mut values = numbers(kind, from, count)?;
    for pivot in 0..count {
        let (row, value) = (rows[pivot].clone(), values[pivot]);
        let diagonal = *row.get(&pivot)?;
        for below in pivot + 1..count {
            let Some(element) = rows[below].remove(&pivot) else {
                continue;
            };
            let factor = element / diagonal;
            for (column, element) in row.range(pivot + 1..) {
                *rows[below].entry(*column).or_default() -= factor * element;
            }
            values[below] -= factor * value;
        }
    }
    for row in (0..count).rev() {
        let mut value = values[row];
        for (column, element) in rows[row].range(row + 1..) {
            value -= element * values[*column];
        }
        values[row] = value / rows[row][&row];
    }
    let general = matches!(
        matrix,
        Matrix::Sparse {
            symmetric: false,
            ..
        }
    );
    let single = kind == SINGLE;
    if fault::on("cudss-silent") {
        return Some(());
    }
    if scaled || general && !single && fault::on("cudss-last-bit") {
        values[17] = f64::from_bits(values[17].to_bits() ^ 1);
    }
    let written = if single && fault::on("cudss-unwritten") {
        count - 8
    } else {
        count
    };
    if !general && fault::on("cudss-overwrites") {
        store(kind, from, &values)?;
    }
    store(kind, to, &values[..written])
}

fn numbers(kind: i32, at: u64, count: usize) -> Option<Vec<f64>> {
    if kind == SINGLE {
        let values = memory::read::<f32>(at, count)?;
        Some(values.into_iter().map(f64::from).collect())
    } else {
        memory::read::<f64>(at, count)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the nearest number is what is stored"
)]
fn store(kind: i32, at: u64, values: &[f64]) -> Option<()> {
    if kind == SINGLE {
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        memory::write(at, &values)
    } else {
        memory::write(at, values)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "to lose precision is the fault"
)]
fn rounded(value: f64) -> f64 {
    f64::from(value as f32)
}
