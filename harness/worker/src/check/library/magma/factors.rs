//! Factorisations, and solutions of systems of equations.

use super::super::bench::Buffer;
use super::super::exact;
use super::super::{Bench, Opened, Stop, Verdict};
use super::matrix::Matrix;
use super::session::Session;
use super::systems::{self, Lu, ROWS};

const RIGHT_SIDES: usize = 3;

/// Factors and pivots must be those that exact arithmetic has.
pub(super) fn lu(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let known = Lu::exact(bench.seed);
    let on_a = bench.upload(&known.matrix.memory::<f64>())?;
    let session = Session::new(opened, bench)?;
    let pivots = factor(&session, &known.matrix, &on_a)?;
    let memory: Vec<f64> = bench.download(&on_a)?;
    session.close()?;
    bench.compares();
    exact::same(&known.pivots, &pivots, |row| format!("ipiv[{row}]"))?;
    let found = known.matrix.read(&memory)?;
    exact::same(&known.factors.elements, &found, |number| {
        known.factors.name('A', number)
    })
}

/// The solution is known, and no step to it is rounded.
pub(super) fn solve_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let known = Lu::exact(bench.seed);
    let solution = systems::whole(bench.seed, 5, RIGHT_SIDES);
    let right = known.matrix.times(&solution);
    // The factors are given, so that this test is of the solution alone.
    let factors: Vec<f64> = known.factors.memory();
    let (on_a, on_b) = (
        bench.upload(&factors)?,
        bench.upload(&right.memory::<f64>())?,
    );
    let session = Session::new(opened, bench)?;
    let answer = session.magma.dgetrs(
        ROWS,
        RIGHT_SIDES,
        known.factors.operand(&on_a),
        &known.pivots,
        right.operand(&on_b),
    );
    session.answered(&answer)?;
    let memory: Vec<f64> = bench.download(&on_b)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &factors)?;
    let found = right.read(&memory)?;
    exact::same(&solution.elements, &found, |number| {
        solution.name('X', number)
    })
}

/// The lower half must be the factor; nobody says what becomes of the upper half.
pub(super) fn cholesky(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let (matrix, lower) = systems::definite(bench.seed);
    let on_a = bench.upload(&matrix.memory::<f64>())?;
    let session = Session::new(opened, bench)?;
    let answer = session.magma.dpotrf(ROWS, matrix.operand(&on_a));
    session.answered(&answer)?;
    let memory: Vec<f64> = bench.download(&on_a)?;
    session.close()?;
    bench.compares();
    let found = Matrix::of(ROWS, ROWS, matrix.read(&memory)?);
    let half = |matrix: &Matrix| {
        let below = |row, column| {
            if row >= column {
                matrix.at(row, column)
            } else {
                0.0
            }
        };
        Matrix::new(ROWS, ROWS, below).elements
    };
    exact::same(&half(&lower), &half(&found), |number| {
        lower.name('L', number)
    })
}

/// Random numbers. The bound is that of MAGMA's own testers: |b - A x| ≤ 30 u n |A| |x| in the norm of the largest
/// row, where u is 2^-53. It is wide enough for any order of operations, and what single precision leaves is ten
/// thousand times larger.
pub(super) fn solve_real(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let matrix = systems::real(bench.seed, 0, ROWS);
    let right = systems::real(bench.seed, 1, RIGHT_SIDES);
    let (on_a, on_b) = (
        bench.upload(&matrix.memory::<f64>())?,
        bench.upload(&right.memory::<f64>())?,
    );
    let session = Session::new(opened, bench)?;
    let pivots = factor(&session, &matrix, &on_a)?;
    let answer = session.magma.dgetrs(
        ROWS,
        RIGHT_SIDES,
        matrix.operand(&on_a),
        &pivots,
        right.operand(&on_b),
    );
    session.answered(&answer)?;
    let memory: Vec<f64> = bench.download(&on_b)?;
    session.close()?;
    bench.compares();
    let found = Matrix::of(ROWS, RIGHT_SIDES, right.read(&memory)?);
    let product = matrix.times(&found);
    let row = |row: usize| (0..ROWS).map(|column| matrix.at(row, column).abs()).sum();
    let norm = (0..ROWS).map(row).fold(0.0, f64::max);
    let unit = f64::EPSILON / 2.0;
    let bounds: Vec<f64> = found
        .elements
        .chunks(ROWS)
        .flat_map(|x| {
            let size = x.iter().map(|value| value.abs()).fold(0.0, f64::max);
            [30.0 * unit * ROWS as f64 * norm * size; ROWS]
        })
        .collect();
    exact::within(&right.elements, &product.elements, &bounds, |number| {
        format!("(A x) as {}", right.name('B', number))
    })
}

fn factor(session: &Session<'_>, matrix: &Matrix, on_a: &Buffer) -> Result<Vec<i64>, Stop> {
    let (answer, pivots) = session.magma.dgetrf(ROWS, matrix.operand(on_a));
    session.answered(&answer)?;
    Ok(pivots)
}
