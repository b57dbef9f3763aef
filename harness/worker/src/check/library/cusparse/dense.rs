//! Sparse matrix times dense matrix.

use super::described::{Dense, Format, Matrix, Value, padded, work, written};
use super::ffi::{Base, Cusparse, DataType, DenseAlgorithm, Operation, Order};
use super::sparse::matrix;
use super::{Opened, Verdict, handle};
use crate::check::library::bench::Bench;
use crate::check::library::exact;

/// The factors of the product and of what was there before.
const ALPHA: f64 = 3.0;
const BETA: f64 = -2.0;

/// Columns of the dense matrices.
const WIDTH: usize = 9;

/// How a product is asked for.
struct Way {
    format: Format,
    operation: Operation,
    operation_of_b: Operation,
    order: Order,
    algorithms: &'static [DenseAlgorithm],
}

pub(super) fn csr(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    product(opened, bench, &CSR)
}

const CSR: Way = Way {
    format: Format::Csr,
    operation: Operation::NON_TRANSPOSE,
    operation_of_b: Operation::NON_TRANSPOSE,
    order: Order::COL,
    algorithms: &[DenseAlgorithm::DEFAULT, DenseAlgorithm::CSR_ALG1],
};

pub(super) fn transposed(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        operation: Operation::TRANSPOSE,
        operation_of_b: Operation::TRANSPOSE,
        algorithms: &[DenseAlgorithm::DEFAULT],
        ..CSR
    };
    product(opened, bench, &way)
}

pub(super) fn rows(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        order: Order::ROW,
        algorithms: &[DenseAlgorithm::DEFAULT, DenseAlgorithm::CSR_ALG2],
        ..CSR
    };
    product(opened, bench, &way)
}

pub(super) fn coo(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        format: Format::Coo,
        algorithms: &[DenseAlgorithm::DEFAULT, DenseAlgorithm::COO_ALG1],
        ..CSR
    };
    product(opened, bench, &way)
}

/// With integers: 3·257·8·8 and 2·100 stay far below 2^22, so that no order of summation rounds anything.
fn product(opened: &Opened<'_>, bench: &Bench<'_>, way: &Way) -> Verdict {
    let whole = |array, most, count| -> Vec<f64> {
        let integers = exact::integers(bench.seed, array, most, count);
        integers.into_iter().map(|it| it as f64).collect()
    };
    let a = matrix(bench.seed, |count| whole(0, 8, count));
    let effective = if way.operation == Operation::TRANSPOSE {
        a.transposed()
    } else {
        a.clone()
    };
    let (m, k) = (effective.rows, effective.columns);
    // Column after column, as they are multiplied.
    let b = whole(1, 8, k * WIDTH);
    let c = whole(2, 100, m * WIDTH);
    let products = b.chunks_exact(k).flat_map(|column| effective.times(column));
    let expected: Vec<f64> = products
        .zip(&c)
        .map(|(new, old)| ALPHA * new + BETA * old)
        .collect();
    let b_is_in_rows = (way.order == Order::ROW) != (way.operation_of_b == Operation::TRANSPOSE);
    let (b, b_length) = lines(b, k, b_is_in_rows);
    let c_is_in_rows = way.order == Order::ROW;
    let (expected, length) = lines(expected, m, c_is_in_rows);
    let (c, _) = lines(c, m, c_is_in_rows);
    let expected: Vec<f32> = padded(&expected, length, 5);

    let api = Cusparse::new(&opened.library);
    let handle = handle(opened, bench)?;
    let matrix = Matrix::<f32>::place(opened, bench, &a, way.format, Base::ZERO)?;
    let from = Dense::place::<f32>(opened, bench, &b, (b_length, 3), way.order)?;
    let alpha = [f32::factor(ALPHA)];
    let beta = [f32::factor(BETA)];
    for algorithm in way.algorithms {
        let into = Dense::place::<f32>(opened, bench, &c, (length, 5), way.order)?;
        let mut size = 0;
        opened.ok(api.spmm_size(
            handle,
            way.operation,
            way.operation_of_b,
            (&alpha).into(),
            matrix.handle,
            from.handle,
            (&beta).into(),
            into.handle,
            DataType::R_32F,
            *algorithm,
            &mut size,
        ))?;
        let work = work(bench, size)?;
        bench.computes();
        opened.ok(api.spmm(
            handle,
            way.operation,
            way.operation_of_b,
            (&alpha).into(),
            matrix.handle,
            from.handle,
            (&beta).into(),
            into.handle,
            DataType::R_32F,
            *algorithm,
            work,
        ))?;
        let found: Vec<f32> = bench.download(&into.buffer)?;
        bench.unchanged("B", &from.buffer, &padded::<f32>(&b, b_length, 3))?;
        bench.compares();
        written("C", &padded::<f32>(&c, length, 5), &found)?;
        exact::same(&expected, &found, |index| {
            let (line, at) = (index / (length + 5), index % (length + 5));
            let lines = if c_is_in_rows { "row" } else { "column" };
            if at < length {
                format!(
                    "element {at} of {lines} {line} of C by algorithm {}",
                    algorithm.0
                )
            } else {
                format!("what lies after {lines} {line} of C, which nobody may write,")
            }
        })?;
        into.end(opened)?;
    }
    matrix.end(opened, bench)?;
    from.end(opened)?;
    opened.ok(api.destroy(handle))
}

/// Columns of so many elements as they are, or as rows; and how long these lines are.
fn lines(columns: Vec<f64>, length: usize, as_rows: bool) -> (Vec<f64>, usize) {
    if !as_rows {
        return (columns, length);
    }
    let count = columns.len() / length;
    let rows = (0..length).flat_map(|row| {
        let columns = &columns;
        (0..count).map(move |column| columns[column * length + row])
    });
    (rows.collect(), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_columns_across() {
        let columns = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(lines(columns.clone(), 3, false), (columns.clone(), 3));
        let rows = vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        assert_eq!(lines(columns, 3, true), (rows, 2));
    }
}
