//! Matrices in the device's memory, with rows below each column that nobody may touch.

use super::matrices::Square;
use super::precision::Placed;
use super::{Stop, Verdict};
use crate::check::library::bench::{Bench, Buffer};
use crate::check::library::exact::{self, POISON, Real};

/// Columns of n rows with `gap` rows of poison below each.
pub(super) fn padded<T: Real>(columns: &[f64], n: usize, gap: usize) -> Vec<T> {
    let below: Vec<T> = exact::elements(&vec![POISON; gap * T::SIZE]);
    columns
        .chunks_exact(n)
        .flat_map(|column| column.iter().copied().map(T::of).chain(below.clone()))
        .collect()
}

/// Puts columns of n rows onto the device.
pub(super) fn place<T: Real>(
    bench: &Bench<'_>,
    columns: &[f64],
    n: usize,
    gap: usize,
) -> Result<Placed, Stop> {
    Ok(Placed {
        buffer: bench.upload(&padded::<T>(columns, n, gap))?,
        n: small(n),
        leading: small(n + gap),
    })
}

/// Goes on if the columns on the device are these, and what lies below them is untouched.
pub(super) fn same<T: Real>(
    bench: &Bench<'_>,
    what: &str,
    placed: Placed,
    expected: &[f64],
) -> Verdict {
    let (n, leading) = (extent(placed.n), extent(placed.leading));
    let found: Vec<T> = bench.download(&placed.buffer)?;
    let expected = padded(expected, n, leading - n);
    exact::same(&expected, &found, |index| {
        let (row, column) = (index % leading, index / leading);
        if row < n {
            format!("{what}[{row}, {column}]")
        } else {
            format!("what lies below column {column} of {what}")
        }
    })
}

/// The columns on the device, without what lies below them.
pub(super) fn columns<T: Real>(bench: &Bench<'_>, placed: Placed) -> Result<Vec<f64>, Stop> {
    let (n, leading) = (extent(placed.n), extent(placed.leading));
    let found: Vec<T> = bench.download(&placed.buffer)?;
    let columns = found.chunks_exact(leading);
    Ok(columns
        .flat_map(|column| column[..n].iter().map(|it| it.value()))
        .collect())
}

/// Goes on if the number that a function reports on the device is this.
pub(super) fn info(bench: &Bench<'_>, what: &str, info: &Buffer, expected: i32) -> Verdict {
    let found: Vec<i32> = bench.download(info)?;
    exact::same(&[expected], &found, |_| format!("the info of {what}"))
}

/// Both factors in one matrix, as a factorisation leaves them.
pub(super) fn together(lower: &Square, upper: &Square) -> Square {
    Square::of(lower.n, |row, column| {
        if row > column {
            lower.at(row, column)
        } else {
            upper.at(row, column)
        }
    })
}

/// A size as cuSOLVER takes it.
pub(super) fn small(size: usize) -> i32 {
    i32::try_from(size).expect("the matrices of the tests are small")
}

/// A size as slices take it.
pub(super) fn extent(size: i32) -> usize {
    usize::try_from(size).unwrap_or(0)
}
