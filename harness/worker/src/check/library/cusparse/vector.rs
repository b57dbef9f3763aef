//! Sparse matrix times vector.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::described::{Format, Matrix, Value, Vector, work, written};
use super::ffi::{Base, Cusparse, Operation, VectorAlgorithm};
use super::sparse::{Sparse, matrix};
use super::{Opened, Stop, Verdict, handle};
use crate::check::library::bench::Bench;
use crate::check::library::exact;

/// The factors of the product and of what was there before.
const ALPHA: f64 = 3.0;
const BETA: f64 = -2.0;

/// How a product is asked for.
struct Way {
    format: Format,
    operation: Operation,
    base: Base,
    algorithms: &'static [VectorAlgorithm],
}

const CSR: Way = Way {
    format: Format::Csr,
    operation: Operation::NON_TRANSPOSE,
    base: Base::ZERO,
    algorithms: &[
        VectorAlgorithm::DEFAULT,
        VectorAlgorithm::CSR_ALG1,
        VectorAlgorithm::CSR_ALG2,
    ],
};

/// As it is asked for most often.
const PLAIN: Way = Way {
    algorithms: &[VectorAlgorithm::DEFAULT],
    ..CSR
};

pub(super) fn csr(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    integers::<f32>(opened, bench, &CSR)
}

pub(super) fn csr_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    integers::<f64>(opened, bench, &PLAIN)
}

/// The transposed matrix has full columns where rows were, so that many rows add to one element.
pub(super) fn transposed(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        operation: Operation::TRANSPOSE,
        ..PLAIN
    };
    integers::<f32>(opened, bench, &way)
}

pub(super) fn base_one(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        base: Base::ONE,
        ..PLAIN
    };
    integers::<f32>(opened, bench, &way)
}

pub(super) fn coo(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        format: Format::Coo,
        algorithms: &[VectorAlgorithm::DEFAULT, VectorAlgorithm::COO_ALG1],
        ..CSR
    };
    integers::<f32>(opened, bench, &way)
}

/// With integers: in f32 3·257·8·8 and 2·100 stay far below 2^22, and in f64 3·257·2^13·2^13 below 2^36, so that no
/// order of summation rounds anything. The latter is more than f32 holds.
fn integers<T: Value>(opened: &Opened<'_>, bench: &Bench<'_>, way: &Way) -> Verdict {
    let whole = |array, most, count| -> Vec<f64> {
        let integers = exact::integers(bench.seed, array, most, count);
        integers.into_iter().map(|it| it as f64).collect()
    };
    let a = matrix(bench.seed, |count| whole(0, T::MOST, count));
    let effective = effective(&a, way.operation);
    let x = whole(1, T::MOST, effective.columns);
    let y = whole(2, 100, effective.rows);
    let expected: Vec<f64> = combined(&effective.times(&x), &y);
    let expected: Vec<T> = expected.into_iter().map(T::of).collect();
    product::<T>(opened, bench, (&a, &x, &y), way, |found, algorithm| {
        exact::same(&expected, found, |row| {
            format!("y[{row}] by algorithm {}", algorithm.0)
        })
    })
}

/// With real numbers: an element of K products may be off by 4·√K·2^-24 of the sum of their absolute values, as many
/// as rounding errors of both signs add up to four times over; K is 257 at most. TF32 errs by 2^-11 in each product.
pub(super) fn real(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let a = matrix(bench.seed, |count| exact::reals(bench.seed, 0, count));
    let x = exact::reals(bench.seed, 1, a.columns);
    let y = exact::reals(bench.seed, 2, a.rows);
    let absolute = |numbers: &[f64]| numbers.iter().map(|it| it.abs()).collect::<Vec<f64>>();
    let expected = combined(&a.times(&x), &y);
    let products = a.map(f64::abs).times(&absolute(&x));
    let unit = 1.0 / f64::from(1 << 24);
    let bounds: Vec<f64> = products
        .iter()
        .zip(&y)
        .map(|(sum, was)| 4.0 * 257f64.sqrt() * unit * (ALPHA * sum + (BETA * was).abs()))
        .collect();
    let short: Vec<f64> = x.iter().map(|it| exact::tf32(*it)).collect();
    let by_tf32 = combined(&a.map(exact::tf32).times(&short), &y);
    product::<f32>(opened, bench, (&a, &x, &y), &PLAIN, |found, algorithm| {
        let place = |row| format!("y[{row}] by algorithm {}", algorithm.0);
        let verdict = exact::near(&expected, found, &bounds, place);
        let is_tf32 = exact::near(&by_tf32, found, &bounds, place).is_ok();
        verdict.map_err(|stop| if is_tf32 { named(stop) } else { stop })
    })
}

/// Says that it is TF32, which nobody asked for.
fn named(mut stop: Stop) -> Stop {
    if let CheckResult::Mismatch { kind, found, .. } = &mut *stop {
        *kind = MismatchKind::ReducedPrecision;
        found.push_str("; it is what TF32 gives, which was not asked for");
    }
    stop
}

/// The matrix that is meant.
fn effective(a: &Sparse, operation: Operation) -> Sparse {
    if operation == Operation::TRANSPOSE {
        a.transposed()
    } else {
        a.clone()
    }
}

fn combined(product: &[f64], before: &[f64]) -> Vec<f64> {
    let pairs = product.iter().zip(before);
    pairs.map(|(new, old)| ALPHA * new + BETA * old).collect()
}

/// Computes the product by every algorithm, and has each judged.
fn product<T: Value>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    (a, x, y): (&Sparse, &[f64], &[f64]),
    way: &Way,
    judge: impl Fn(&[T], VectorAlgorithm) -> Verdict,
) -> Verdict {
    let api = Cusparse::new(&opened.library);
    let handle = handle(opened, bench)?;
    let matrix = Matrix::<T>::place(opened, bench, a, way.format, way.base)?;
    let from = Vector::place::<T>(opened, bench, x)?;
    let [operand, before] = [x, y].map(|it| it.iter().copied().map(T::of).collect::<Vec<T>>());
    let alpha = [T::factor(ALPHA)];
    let beta = [T::factor(BETA)];
    for algorithm in way.algorithms {
        let into = Vector::place::<T>(opened, bench, y)?;
        let mut size = 0;
        opened.ok(api.spmv_size(
            handle,
            way.operation,
            (&alpha).into(),
            matrix.handle,
            from.handle,
            (&beta).into(),
            into.handle,
            T::TYPE,
            *algorithm,
            &mut size,
        ))?;
        let work = work(bench, size)?;
        bench.computes();
        opened.ok(api.spmv(
            handle,
            way.operation,
            (&alpha).into(),
            matrix.handle,
            from.handle,
            (&beta).into(),
            into.handle,
            T::TYPE,
            *algorithm,
            work,
        ))?;
        let found: Vec<T> = bench.download(&into.buffer)?;
        bench.unchanged("x", &from.buffer, &operand)?;
        bench.compares();
        written("y", &before, &found)?;
        judge(&found, *algorithm)?;
        into.end(opened)?;
    }
    matrix.end(opened, bench)?;
    from.end(opened)?;
    opened.ok(api.destroy(handle))
}
