//! Factorisation with row exchanges, and solving with it.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::ffi::{Cusolver, Operation};
use super::matrices::{self, Lu, Square};
use super::placed::{columns, extent, info, place, same, small, together};
use super::precision::{Placed, Precision};
use super::{Opened, Stop, Verdict, handle};
use crate::check::library::bench::{Bench, Buffer};
use crate::check::library::exact;
use crate::library::Handle;

/// Columns of right-hand sides.
pub(super) const COLUMNS: usize = 3;

/// Rows of poison below the columns of the matrix, and of right-hand sides.
pub(super) const GAPS: (usize, usize) = (3, 5);

/// An integer matrix of 200 by 200 and integer solutions: every number on the way is exact.
///
/// With substitution the sums of products stay below 2^23 in halves, so that f32 holds them all: elements of the matrix
/// are at most 200, of the solutions 4, and of the right-hand sides 160000. Blocks that are inverted first lead to
/// sums that could exceed this only if nearly all signs were the same.
pub(super) fn exact<T: Precision>(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 200;
    let known = matrices::lu(bench.seed, N, None);
    let solution = solution(bench.seed, N);
    let api = Cusolver::new(&opened.library);
    let handle = handle(opened, bench)?;
    let factored = factor::<T>(opened, bench, handle, &known.matrix)?;
    let operations = [
        (Operation::N, known.matrix.apply(&solution)),
        (Operation::T, known.matrix.transposed().apply(&solution)),
    ];
    let mut solved = Vec::new();
    for (operation, right) in operations {
        let b = place::<T>(bench, &right, N, GAPS.1)?;
        let status = bench.poisoned::<i32>(1)?;
        let buffers = [factored.pivots, status];
        let call = T::lu_solve(
            &api,
            handle,
            operation,
            factored.a,
            (b, small(COLUMNS)),
            buffers,
        );
        opened.ok(call)?;
        solved.push((b, status));
    }
    bench.synchronize()?;
    bench.compares();
    info(bench, "the factorisation", &factored.info, 0)?;
    judge(bench, &known, &factored.pivots)?;
    same::<T>(
        bench,
        "LU",
        factored.a,
        &together(&known.lower, &known.upper).elements,
    )?;
    let names = ["x", "x of the transposed system"];
    for (name, (b, status)) in names.into_iter().zip(solved) {
        info(bench, "solving", &status, 0)?;
        same::<T>(bench, name, b, &solution)?;
    }
    opened.ok(api.destroy(handle))
}

/// Integer solutions, column after column.
pub(super) fn solution(seed: u64, n: usize) -> Vec<f64> {
    let integers = exact::integers(seed, 3, 4, n * COLUMNS);
    integers.into_iter().map(|it| it as f64).collect()
}

fn judge(bench: &Bench<'_>, known: &Lu, pivots: &Buffer) -> Verdict {
    let found: Vec<i32> = bench.download(pivots)?;
    let found: Vec<i64> = found.into_iter().map(i64::from).collect();
    exact::same(&known.pivots, &found, |column| {
        format!("the pivot of column {column}")
    })
}

pub(super) fn real_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    real::<f64>(opened, bench, 200)
}

pub(super) fn real_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    real::<f32>(opened, bench, 96)
}

/// A real matrix: its rows, exchanged as the pivots say, must be the product of the factors within rounding, no
/// multiplier may be above one, and the system must be solved.
fn real<T: Precision>(opened: &Opened<'_>, bench: &Bench<'_>, n: usize) -> Verdict {
    let numbers = exact::reals(bench.seed, 0, n * n);
    let matrix = Square::of(n, |row, column| numbers[column * n + row]);
    let right = exact::reals(bench.seed, 1, n * COLUMNS);
    let api = Cusolver::new(&opened.library);
    let handle = handle(opened, bench)?;
    let factored = factor::<T>(opened, bench, handle, &matrix)?;
    let status = bench.poisoned::<i32>(1)?;
    let b = place::<T>(bench, &right, n, GAPS.1)?;
    let buffers = [factored.pivots, status];
    let operation = Operation::N;
    let call = T::lu_solve(
        &api,
        handle,
        operation,
        factored.a,
        (b, small(COLUMNS)),
        buffers,
    );
    opened.ok(call)?;
    bench.synchronize()?;
    bench.compares();
    info(bench, "the factorisation", &factored.info, 0)?;
    info(bench, "solving", &status, 0)?;
    let found = Square {
        n,
        elements: columns::<T>(bench, factored.a)?,
    };
    let pivots: Vec<i32> = bench.download(&factored.pivots)?;
    product::<T>(&matrix, &found, &pivots)?;
    residual::<T>(&matrix, &columns::<T>(bench, b)?, &right)?;
    opened.ok(api.destroy(handle))
}

/// Every element of the product may be off by what rounding does to a sum of n products, 8·√n·u·(|L||U|) with u the
/// unit of rounding. Conventional algorithms of any order and blocking stay within n·u·(|L||U|) (Higham, theorem 9.3),
/// and LAPACK within a thirtieth of this bound, since errors have both signs. TF32 errs by 2^13 u in each product.
fn product<T: Precision>(matrix: &Square, found: &Square, pivots: &[i32]) -> Verdict {
    let n = matrix.n;
    let mut rows: Vec<usize> = (0..n).collect();
    for (column, pivot) in pivots.iter().enumerate() {
        let place = extent(*pivot).wrapping_sub(1);
        if place < column || place >= n {
            return Err(wrong(
                format!("the pivot of column {column} is from {} to {n}", column + 1),
                format!("it is {pivot}"),
            ));
        }
        rows.swap(column, place);
    }
    let steep = found.elements.iter().enumerate().find(|(index, element)| {
        // Dividing by the largest may round up by a unit or two. A NaN is no multiplier either.
        index % n > index / n && (element.abs() > 1.0 + 4.0 * T::UNIT || element.is_nan())
    });
    if let Some((index, element)) = steep {
        return Err(wrong(
            "row exchanges keep all multipliers at one or below".to_owned(),
            format!(
                "the multiplier at [{}, {}] is {element}",
                index % n,
                index / n
            ),
        ));
    }
    let lower = Square::of(n, |row, column| match row.cmp(&column) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 1.0,
        std::cmp::Ordering::Greater => found.at(row, column),
    });
    let upper = Square::of(n, |row, column| {
        if row <= column {
            found.at(row, column)
        } else {
            0.0
        }
    });
    let expected = Square::of(n, |row, column| matrix.at(rows[row], column));
    let product = lower.times(&upper);
    let sizes = lower.absolute().times(&upper.absolute());
    let factor = 8.0 * root(n) * T::UNIT;
    let bounds: Vec<f64> = sizes.elements.iter().map(|size| factor * size).collect();
    let verdict = exact::within(&expected.elements, &product.elements, &bounds, |index| {
        format!(
            "the product of the factors at [{}, {}]",
            index % n,
            index / n
        )
    });
    let errors: Vec<f64> = expected
        .elements
        .iter()
        .zip(&product.elements)
        .zip(&bounds)
        .map(|((expected, found), bound)| (expected - found).abs() / bound)
        .collect();
    verdict.map_err(|stop| {
        if T::IS_CUT_BY_TF32 && are_of_tf32(&errors) {
            named(stop)
        } else {
            stop
        }
    })
}

/// Whether errors, in units of their bounds, are those of TF32: it spoils every element that products were subtracted
/// from, most of them beyond the bound and none of them by more than 2^10 times, where a single fault spoils few or by
/// far.
fn are_of_tf32(errors: &[f64]) -> bool {
    let beyond = errors.iter().filter(|error| **error > 1.0).count();
    beyond * 4 > errors.len() && errors.iter().all(|error| *error < 1024.0)
}

/// Says that it is TF32, which nobody asked for.
fn named(mut stop: Stop) -> Stop {
    if let CheckResult::Mismatch { kind, found, .. } = &mut *stop {
        *kind = MismatchKind::ReducedPrecision;
        found.push_str("; all are as far off as TF32 makes them, which was not asked for");
    }
    stop
}

/// The norm of what is left of the right-hand sides, in units of n·‖A‖·‖x‖, is at most 30 units of rounding, as
/// MAGMA's testers ask.
fn residual<T: Precision>(matrix: &Square, solution: &[f64], right: &[f64]) -> Verdict {
    let product = matrix.apply(solution);
    let norm =
        |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|it| it * it).sum::<f64>().sqrt();
    let left = norm(&mut product.iter().zip(right).map(|(found, was)| found - was));
    let scale = root(matrix.n).powi(2) * matrix.norm() * norm(&mut solution.iter().copied());
    let error = left / scale;
    let bound = 30.0 * T::UNIT;
    // Written so that a NaN is not within.
    if error <= bound {
        return Ok(());
    }
    Err(wrong(
        "the solution solves the system".to_owned(),
        format!("what is left is {error:.3e} of it, and {bound:.3e} is allowed"),
    ))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn root(n: usize) -> f64 {
    (n as f64).sqrt()
}

fn wrong(expected: String, found: String) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected,
        found,
    })
}

/// A factored matrix on the device.
pub(super) struct Factored {
    pub(super) a: Placed,
    pub(super) pivots: Buffer,
    pub(super) info: Buffer,
}

/// Puts a matrix onto the device and factors it.
pub(super) fn factor<T: Precision>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    handle: Handle,
    matrix: &Square,
) -> Result<Factored, Stop> {
    let api = Cusolver::new(&opened.library);
    let a = place::<T>(bench, &matrix.elements, matrix.n, GAPS.0)?;
    let mut length = 0;
    opened.ok(T::lu_size(&api, handle, a, &mut length))?;
    let work = bench.poisoned::<T>(extent(length))?;
    let pivots = bench.poisoned::<i32>(matrix.n)?;
    let info = bench.poisoned::<i32>(1)?;
    opened.ok(T::lu(&api, handle, a, [work, pivots, info]))?;
    Ok(Factored { a, pivots, info })
}
