//! Products of matrices of integers, so that the tolerance is zero.

use super::super::exact::{self, Real, TF32, integers};
use super::super::{Bench, Opened, Stop, Verdict};
use super::api::{Magma, Operand, Shape};
use super::ffi::Transposition;
use super::matrix::Matrix;
use super::session::Session;
use crate::library::{Called, Handle};

/// No multiple of any tile.
const SHAPE: Shape = Shape {
    m: 67,
    n: 45,
    k: 83,
};

type Product = fn(&Magma<'_>, (f64, f64), [Operand; 3], Handle) -> Called<()>;

/// 20 bits by 20 bits by 83 stays below 2^53.
pub(super) fn by_cublas(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    product::<f64>(
        opened,
        bench,
        |magma, factors, operands, queue| magma.dgemm(SHAPE, factors, operands, queue),
        (1 << 20, 1 << 20),
    )
}

pub(super) fn own_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    product::<f64>(
        opened,
        bench,
        |magma, factors, operands, queue| magma.own_dgemm(SHAPE, factors, operands, queue),
        (1 << 20, 1 << 20),
    )
}

/// 8191 by 3 by 83, twice, and 8191 more stay below 2^24, and TF32 would round 8191.
pub(super) fn own_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    product::<f32>(
        opened,
        bench,
        |magma, (alpha, beta), operands, queue| {
            magma.own_sgemm(SHAPE, (f32::of(alpha), f32::of(beta)), operands, queue)
        },
        (8191, 3),
    )
}

/// First C = 2 A B onto poison, then C = 2 Aᵀ Bᵀ - C.
fn product<T: Real>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    multiply: Product,
    (most_a, most_b): (u32, u32),
) -> Verdict {
    let Shape { m, n, k } = SHAPE;
    let some = |array, most, rows: usize, columns: usize| {
        let values = integers(bench.seed, array, most, rows * columns);
        let values = values.into_iter().map(|value| value as f64).collect();
        Matrix::of(rows, columns, values)
    };
    let (a, b) = (some(0, most_a, m, k), some(1, most_b, k, n));
    let given = some(2, most_a, m, n);
    let once = Case {
        factors: (2.0, 0.0),
        a: &a,
        b: &b,
        as_is: Transposition::NONE,
        c: None,
    };
    let again = Case {
        factors: (2.0, -1.0),
        a: &a.transposed(),
        b: &b.transposed(),
        as_is: Transposition::TRANSPOSED,
        c: Some(&given),
    };
    let session = Session::new(opened, bench)?;
    let found_once = run::<T>(&session, bench, multiply, &once)?;
    let found_again = run::<T>(&session, bench, multiply, &again)?;
    session.close()?;
    bench.compares();
    let plain = a.times(&b);
    let combined = |product: &Matrix, c: Option<&Matrix>| -> Vec<f64> {
        let c = |index: usize| c.map_or(0.0, |c| c.elements[index]);
        let numbered = product.elements.iter().enumerate();
        numbered
            .map(|(index, product)| 2.0 * product - c(index))
            .collect()
    };
    let rounded = |matrix: &Matrix, round: fn(f64) -> f64| Matrix {
        elements: matrix.elements.iter().map(|value| round(*value)).collect(),
        ..*matrix
    };
    for (found, c) in [(found_once, None), (found_again, Some(&given))] {
        let is_tf32 = |round: &fn(f64) -> f64| {
            let product = rounded(&a, *round).times(&rounded(&b, *round));
            same::<T>(&given, &combined(&product, c), &found).is_ok()
        };
        same::<T>(&given, &combined(&plain, c), &found).map_err(|stop| {
            if TF32.iter().any(is_tf32) {
                exact::named_tf32(stop)
            } else {
                stop
            }
        })?;
    }
    Ok(())
}

/// One product.
struct Case<'a> {
    /// α and β.
    factors: (f64, f64),
    a: &'a Matrix,
    b: &'a Matrix,
    /// How A and B lie in memory.
    as_is: Transposition,
    /// Poison if there is none.
    c: Option<&'a Matrix>,
}

fn run<T: Real>(
    session: &Session<'_>,
    bench: &Bench<'_>,
    multiply: Product,
    case: &Case<'_>,
) -> Result<Vec<T>, Stop> {
    let empty = Matrix::new(SHAPE.m, SHAPE.n, |_, _| 0.0);
    let (a, b): (Vec<T>, Vec<T>) = (case.a.memory(), case.b.memory());
    let (on_a, on_b) = (bench.upload(&a)?, bench.upload(&b)?);
    let on_c = match case.c {
        Some(c) => bench.upload(&c.memory::<T>())?,
        None => bench.poisoned::<T>(empty.leading() * SHAPE.n)?,
    };
    let factor = |matrix: &Matrix, buffer| Operand {
        as_is: case.as_is,
        ..matrix.operand(buffer)
    };
    let operands = [
        factor(case.a, &on_a),
        factor(case.b, &on_b),
        empty.operand(&on_c),
    ];
    session.did(multiply(
        &session.magma,
        case.factors,
        operands,
        session.queue,
    ))?;
    let memory: Vec<T> = bench.download(&on_c)?;
    bench.unchanged("A", &on_a, &a)?;
    bench.unchanged("B", &on_b, &b)?;
    empty.read(&memory)
}

fn same<T: Real>(shape: &Matrix, expected: &[f64], found: &[T]) -> Verdict {
    let expected: Vec<T> = expected.iter().map(|value| T::of(*value)).collect();
    exact::same(&expected, found, |number| shape.name('C', number))
}
