//! Analysis, factorisation, and solution, and the comparison with what is known.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::exact::{self, POISON, Real};
use super::super::{Bench, Opened, Stop, Verdict};
use super::equations::{Equations, Given, ROWS};
use super::ffi::{
    BASE_ZERO, BeforeOffsets, COLUMN_MAJOR, CONFIG_MATCHING, Cudss, DATA_INFO, DataType,
    MATCHING_NONE, MatrixType, SinceOffsets, View,
};
use super::{Csr, Version};
use crate::library::{DevicePointer, Handle, Status};

pub(super) fn lu_f64_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    exact_solution::<f64>(opened, bench, DataType::R_64F)
}

/// Every number on the way is an integer below 2^24, or a quarter or an eighth of one with as few bits.
pub(super) fn lu_f32_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    exact_solution::<f32>(opened, bench, DataType::R_32F)
}

fn exact_solution<T: Real>(opened: &Opened<'_>, bench: &Bench<'_>, data: DataType) -> Verdict {
    let (equations, solution) = Equations::exact(bench.seed);
    let kind = (data, MatrixType::GENERAL, View::FULL);
    let found: Vec<T> = solve(opened, bench, &equations, kind)?;
    let expected: Vec<T> = solution.into_iter().map(T::of).collect();
    exact::same(&expected, &found, |row| format!("x[{row}]"))
}

pub(super) fn lu_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let equations = Equations::dominant(bench.seed);
    let kind = (DataType::R_64F, MatrixType::GENERAL, View::FULL);
    let found = solve(opened, bench, &equations, kind)?;
    residual(&equations, Given::All, &found)
}

pub(super) fn cholesky_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let equations = Equations::definite(bench.seed);
    let kind = (DataType::R_64F, MatrixType::POSITIVE_DEFINITE, View::LOWER);
    let found = solve(opened, bench, &equations, kind)?;
    residual(&equations, Given::Lower, &found)
}

/// Goes on if A x is b but for rounding errors, row by row.
///
/// The computed x solves (A + E) x = b with |E| ≤ γ |L| |U| for γ of three times as many roundings as a row of a
/// factor has elements (Higham, Accuracy and Stability of Numerical Algorithms, theorems 9.4 and 10.4). A nested
/// dissection of a chain of n unknowns has at most 2 log2 n in a row, which makes 60. Without growth of pivots, which
/// dominant diagonals prevent, |L| |U| is at most 3 |A| in rows (theorem 9.12). A result from single precision misses
/// the bound by a factor of millions.
fn residual(equations: &Equations, given: Given, found: &[f64]) -> Verdict {
    written(found)?;
    const ROUNDINGS: f64 = 3.0 * 60.0;
    let unit = f64::EPSILON / 2.0;
    let product = equations.times(found, given);
    let sizes: Vec<f64> = found.iter().map(|value| value.abs()).collect();
    let sizes = equations.sizes().times(&sizes, given);
    let bounds: Vec<f64> = sizes
        .iter()
        .zip(&equations.right)
        .map(|(size, right)| ROUNDINGS * unit * (size + right.abs()))
        .collect();
    exact::within(&equations.right, &product, &bounds, |row| {
        format!("(A x)[{row}]")
    })
}

/// Goes on if there is a solution at all.
fn written(found: &[f64]) -> Verdict {
    let untouched = |value: &f64| exact::bytes(&[*value]).iter().all(|byte| *byte == POISON);
    let Some(row) = found.iter().position(untouched) else {
        return Ok(());
    };
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::NeverWritten,
        expected: "every element of x is written".to_owned(),
        found: format!("x[{row}] was never written"),
    }))
}

/// The solution by the library.
fn solve<T: Real>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    equations: &Equations,
    (data, matrix_type, view): (DataType, MatrixType, View),
) -> Result<Vec<T>, Stop> {
    let version = Version::of(opened)?;
    let Some((csr, phases)) = version.abi() else {
        return Err(opened.not_supported(format!(
            "cuDSS {}, whose signatures this check does not know",
            version.text()
        )));
    };
    let some = |values: &[f64]| -> Vec<T> { values.iter().map(|value| T::of(*value)).collect() };
    let (values, right) = (some(&equations.values), some(&equations.right));
    let on_rows = bench.upload(&equations.row_start)?;
    let on_columns = bench.upload(&equations.columns)?;
    let (on_values, on_right) = (bench.upload(&values)?, bench.upload(&right)?);
    let on_solution = bench.poisoned::<T>(ROWS)?;

    let api = Cudss::new(&opened.library);
    let (mut handle, mut config, mut work) = (Handle::NULL, Handle::NULL, Handle::NULL);
    opened.ok(api.create(&mut handle))?;
    opened.ok(api.create_config(&mut config))?;
    if csr == Csr::SinceOffsets {
        // From 1.0 on it scales rows and columns unless it is told not to, by factors that are no powers of two.
        let value = [MATCHING_NONE];
        opened.ok(api.configure(
            config,
            CONFIG_MATCHING,
            (&value).into(),
            size_of_val(&value),
        ))?;
    }
    opened.ok(api.create_data(handle, &mut work))?;
    let rows = i64::try_from(ROWS).unwrap_or(0);
    let dense = |at: DevicePointer| {
        let mut matrix = Handle::NULL;
        opened.ok(api.create_dense(&mut matrix, rows, 1, rows, at, data, COLUMN_MAJOR))?;
        Ok::<Handle, Stop>(matrix)
    };
    let (solution, given) = (dense(on_solution.at)?, dense(on_right.at)?);
    let mut matrix = Handle::NULL;
    let nonzeros = i64::try_from(values.len()).unwrap_or(0);
    let made = match csr {
        Csr::BeforeOffsets => BeforeOffsets::new(&opened.library).create_csr(
            &mut matrix,
            rows,
            rows,
            nonzeros,
            on_rows.at,
            DevicePointer::NULL,
            on_columns.at,
            on_values.at,
            DataType::R_32I,
            data,
            matrix_type,
            view,
            BASE_ZERO,
        ),
        Csr::SinceOffsets => SinceOffsets::new(&opened.library).create_csr(
            &mut matrix,
            rows,
            rows,
            nonzeros,
            on_rows.at,
            DevicePointer::NULL,
            on_columns.at,
            on_values.at,
            DataType::R_32I,
            DataType::R_32I,
            data,
            matrix_type,
            view,
            BASE_ZERO,
        ),
    };
    opened.ok(made)?;

    bench.computes();
    for phase in [phases.analysis, phases.factorization, phases.solve] {
        opened.ok(api.execute(handle, phase, config, work, matrix, solution, given))?;
    }
    bench.synchronize()?;
    let mut info = [0; 4];
    let mut written = 0;
    let bytes = info.len();
    opened.ok(api.data(
        handle,
        work,
        DATA_INFO,
        (&mut info).into(),
        bytes,
        &mut written,
    ))?;
    let info = i32::from_le_bytes(info);
    if info != 0 {
        // It counts from one the row at which a matrix is not what it was said to be.
        let mut stop = opened.refused("cudssExecute", Status(info));
        if let CheckResult::Library { name, text, .. } = &mut *stop {
            "CUDSS_DATA_INFO".clone_into(name);
            *text = format!("the matrix is found singular or not definite at row {info}");
        }
        return Err(stop);
    }
    let found = bench.download(&on_solution)?;
    for matrix in [matrix, solution, given] {
        opened.ok(api.destroy_matrix(matrix))?;
    }
    opened.ok(api.destroy_data(handle, work))?;
    opened.ok(api.destroy_config(config))?;
    opened.ok(api.destroy(handle))?;

    bench.compares();
    bench.unchanged("A (rows)", &on_rows, &equations.row_start)?;
    bench.unchanged("A (columns)", &on_columns, &equations.columns)?;
    bench.unchanged("A", &on_values, &values)?;
    bench.unchanged("b", &on_right, &right)?;
    Ok(found)
}
