//! Factorisation of positive matrices, and what both factorisations say of matrices that have no factors.

use super::ffi::{Cusolver, Triangle};
use super::lu::{COLUMNS, GAPS, factor, solution};
use super::matrices::{self, Square};
use super::placed::{extent, info as informed, place, same, small};
use super::precision::{Placed, Precision};
use super::{Opened, Stop, Verdict, handle};
use crate::check::library::bench::{Bench, Buffer};
use crate::check::library::exact;
use crate::library::Handle;

/// An integer matrix of 200 by 200 whose factor is of integers, by each of its triangles, and integer solutions.
/// Elements are at most 416 and right-hand sides 333000, so that f32 holds every number on the way.
pub(super) fn exact<T: Precision>(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 200;
    let (lower, matrix) = matrices::cholesky(bench.seed, N);
    let solution = solution(bench.seed, N);
    let right = matrix.apply(&solution);
    let api = Cusolver::new(&opened.library);
    let handle = handle(opened, bench)?;
    let mut done = Vec::new();
    for triangle in [Triangle::LOWER, Triangle::UPPER] {
        let half = half(&matrix, triangle);
        let (a, info) = factor_positive::<T>(opened, bench, handle, triangle, &half)?;
        let b = place::<T>(bench, &right, N, GAPS.1)?;
        let solved = bench.poisoned::<i32>(1)?;
        let columns = (b, small(COLUMNS));
        opened.ok(T::cholesky_solve(
            &api, handle, triangle, a, columns, solved,
        ))?;
        done.push((triangle, a, info, b, solved));
    }
    bench.synchronize()?;
    bench.compares();
    for (triangle, a, info, b, solved) in done {
        informed(bench, "the factorisation", &info, 0)?;
        informed(bench, "solving", &solved, 0)?;
        let (name, factor) = if triangle == Triangle::LOWER {
            ("L", lower.clone())
        } else {
            ("U", lower.transposed())
        };
        let found = super::placed::columns::<T>(bench, a)?;
        let found = Square {
            n: N,
            elements: found,
        };
        let [expected, found] = [factor, found].map(|it| half_or_zero(&it, triangle).elements);
        exact::same(&expected, &found, |index| {
            format!("{name}[{}, {}]", index % N, index / N)
        })?;
        same::<T>(bench, "x", b, &solution)?;
    }
    opened.ok(api.destroy(handle))
}

/// A matrix whose pivot of column 17 is zero, and one whose leading part of 23 rows is not positive: the first is
/// reported as 18, the second as 23.
pub(super) fn info(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 40;
    let api = Cusolver::new(&opened.library);
    let handle = handle(opened, bench)?;
    let singular = matrices::lu(bench.seed, N, Some(17)).matrix;
    let factored = factor::<f64>(opened, bench, handle, &singular)?;
    let (_, mut indefinite) = matrices::cholesky(bench.seed, N);
    // The last pivot of this part is at most 16, and so becomes negative.
    indefinite.elements[22 * N + 22] -= 17.0;
    let half = half(&indefinite, Triangle::LOWER);
    let (_, info) = factor_positive::<f64>(opened, bench, handle, Triangle::LOWER, &half)?;
    bench.synchronize()?;
    bench.compares();
    informed(bench, "factoring a singular matrix", &factored.info, 18)?;
    informed(bench, "factoring an indefinite matrix", &info, 23)?;
    opened.ok(api.destroy(handle))
}

/// Puts a matrix onto the device and factors it as a positive one.
fn factor_positive<T: Precision>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    handle: Handle,
    triangle: Triangle,
    matrix: &Square,
) -> Result<(Placed, Buffer), Stop> {
    let api = Cusolver::new(&opened.library);
    let a = place::<T>(bench, &matrix.elements, matrix.n, GAPS.0)?;
    let mut length = 0;
    opened.ok(T::cholesky_size(&api, handle, triangle, a, &mut length))?;
    let work = bench.poisoned::<T>(extent(length))?;
    let info = bench.poisoned::<i32>(1)?;
    opened.ok(T::cholesky(&api, handle, triangle, a, (work, length), info))?;
    Ok((a, info))
}

/// The matrix with a large number in the triangle that is not meant, which shows if it is used.
fn half(matrix: &Square, triangle: Triangle) -> Square {
    Square::of(matrix.n, |row, column| {
        if is_in(row, column, triangle) {
            matrix.at(row, column)
        } else {
            1e6
        }
    })
}

/// The triangle that is meant; the other may hold anything.
fn half_or_zero(matrix: &Square, triangle: Triangle) -> Square {
    Square::of(matrix.n, |row, column| {
        if is_in(row, column, triangle) {
            matrix.at(row, column)
        } else {
            0.0
        }
    })
}

fn is_in(row: usize, column: usize, triangle: Triangle) -> bool {
    if triangle == Triangle::LOWER {
        row >= column
    } else {
        row <= column
    }
}
