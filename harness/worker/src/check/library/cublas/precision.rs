//! Whether single precision is single precision: the operands' last bits must count, unless TF32 was asked for.
//!
//! An operand of TF32 has 11 significant bits. The exact tests have no more, so that they pass whatever unit computes;
//! here operands have 16, and are so few and so small that every sum is still exact. What uses TF32 is then wrong by
//! just what TF32 loses, and can be named.

use cudacheck_model::journal::MismatchKind;

use super::super::{Bench, Opened, Verdict};
use super::ffi::{Algorithm, ComputeType, MathMode, Operation, Scalar};
use super::loss::lost;
use super::product::{Bounds, Exact, Factors, Form, Gap, Integers, Shape, number, poison, stored};
use super::reals::Reals;
use super::trial::{Call, Gate, Trial};
use super::{Session, mismatch};
use crate::library::{Called, Status};

const N: Operation = Operation::PLAIN;
const T: Operation = Operation::TRANSPOSED;

/// Half the distance between neighbouring numbers below one: of single and double precision, and of TF32.
const UNIT_F32: f64 = 1.0 / (1u64 << 24) as f64;
const UNIT_F64: f64 = 1.0 / (1u64 << 53) as f64;
const UNIT_TF32: f64 = 1.0 / (1u64 << 11) as f64;

/// An arithmetic that may have been used instead, and how far it rounds operands.
type Coarser = (&'static str, f64);

const F32: Coarser = ("single precision", UNIT_F32);
const TF32: Coarser = ("TF32", UNIT_TF32);
const BF16: Coarser = ("bfloat16", 1.0 / 256.0);

/// Operands of 16 bits, of which TF32 keeps 11: 64 · 2^15 · 1 < 2^22.
pub(super) fn unasked(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    let shapes = [
        Shape {
            m: 128,
            n: 64,
            k: 64,
        },
        Shape {
            m: 65,
            n: 33,
            k: 63,
        },
    ];
    for mode in [Mode::Default, Mode::Pedantic] {
        session.mode(mode.number())?;
        for shape in shapes {
            for (a, b) in [(1 << 15, 1), (1, 1 << 15)] {
                let integers = Integers::new(bench.seed, shape, Bounds { a, b, c: 0 });
                for (function, title) in [
                    (Function::Sgemm, "cublasSgemm"),
                    (
                        Function::GemmEx(ComputeType::F32),
                        "cublasGemmEx of f32 in f32",
                    ),
                ] {
                    let trial = Trial {
                        session: &session,
                        bench,
                        title: &format!("{title} in the {} mode", mode.name()),
                        integers: &integers,
                        form: Form::new(T, N, Gap::None),
                        factors: Factors::PRODUCT,
                        gate: Gate::NONE,
                    };
                    trial.run::<f32, f32>(
                        |call| function.call(&session, call),
                        |found| lost(&integers, found),
                    )?;
                }
            }
        }
    }
    session.end()
}

/// TF32 where it is asked for: whole numbers of 11 bits lose nothing, and real numbers no more than TF32 takes.
pub(super) fn asked(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const GATE: Gate = Gate::since(8, 0, "arithmetic in TF32");
    let session = Session::begin(opened, bench)?;
    session.mode(MathMode::TF32)?;
    // 257 · 1024 · 15 < 2^22.
    let bounds = Bounds {
        a: 1024,
        b: 15,
        c: 0,
    };
    for (shape, op_a, gap) in [(Shape::ODD, N, Gap::Odd), (Shape::EVEN, T, Gap::None)] {
        let integers = Integers::new(bench.seed, shape, bounds);
        let trial = |title| Trial {
            session: &session,
            bench,
            title,
            integers: &integers,
            form: Form::new(op_a, N, gap),
            factors: Factors::PRODUCT,
            gate: GATE,
        };
        for (function, title) in [
            (Function::Sgemm, "cublasSgemm in the TF32 mode"),
            (
                Function::GemmEx(ComputeType::F32_FAST_TF32),
                "cublasGemmEx of f32 in TF32",
            ),
        ] {
            trial(title).run::<f32, f32>(
                |call| function.call(&session, call),
                |found| lost(&integers, found),
            )?;
        }
    }
    let reals = Reals::single(bench.seed, Shape::EVEN);
    let found = measured::<f32>(&session, bench, &reals, |call| {
        Function::Sgemm.call(&session, call)
    })?;
    let expected = reals.product();
    let strict = reals.bounds(UNIT_F32, 0.0, &expected);
    let loose = reals.bounds(UNIT_F32, UNIT_TF32, &expected);
    let used = beyond(&expected, &found, &strict).is_some();
    opened.note("tf32", if used { "used" } else { "not used" });
    let title = "cublasSgemm in the TF32 mode";
    near(title, &reals, &expected, &found, &loose, BF16)?;
    session.end()
}

/// Real numbers in single precision, where fractions and small terms count.
pub(super) fn real_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    for shape in [Shape::ODD, Shape::EVEN] {
        let reals = Reals::single(bench.seed, shape);
        let expected = reals.product();
        let bounds = reals.bounds(UNIT_F32, 0.0, &expected);
        for mode in [Mode::Default, Mode::Pedantic] {
            session.mode(mode.number())?;
            let found = measured::<f32>(&session, bench, &reals, |call| {
                Function::Sgemm.call(&session, call)
            })?;
            let title = format!("cublasSgemm in the {} mode", mode.name());
            near(&title, &reals, &expected, &found, &bounds, TF32)?;
        }
    }
    session.end()
}

/// Real numbers in double precision.
pub(super) fn real_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    let reals = Reals::double(bench.seed, Shape::ODD);
    let found = measured::<f64>(&session, bench, &reals, |call| {
        session.api.dgemm(
            session.handle,
            call.op_a,
            call.op_b,
            call.m,
            call.n,
            call.k,
            &1.0,
            call.a,
            call.lda,
            call.b,
            call.ldb,
            &0.0,
            call.c,
            call.ldc,
        )
    })?;
    let expected = reals.product();
    let bounds = reals.bounds(UNIT_F64, 0.0, &expected);
    near("cublasDgemm", &reals, &expected, &found, &bounds, F32)?;
    session.end()
}

#[derive(Clone, Copy)]
enum Mode {
    Default,
    Pedantic,
}

impl Mode {
    fn number(self) -> MathMode {
        match self {
            Self::Default => MathMode::DEFAULT,
            Self::Pedantic => MathMode::PEDANTIC,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Pedantic => "pedantic",
        }
    }
}

/// Two ways to the same product.
#[derive(Clone, Copy)]
enum Function {
    Sgemm,
    GemmEx(ComputeType),
}

impl Function {
    /// The plain product: alpha is one, and beta is zero.
    fn call(self, session: &Session<'_>, call: &Call) -> Called<Status> {
        match self {
            Self::Sgemm => session.api.sgemm(
                session.handle,
                call.op_a,
                call.op_b,
                call.m,
                call.n,
                call.k,
                &1.0,
                call.a,
                call.lda,
                call.b,
                call.ldb,
                &0.0,
                call.c,
                call.ldc,
            ),
            Self::GemmEx(compute) => session.api.gemm_ex(
                session.handle,
                call.op_a,
                call.op_b,
                call.m,
                call.n,
                call.k,
                &Scalar::f32(1.0),
                call.a,
                f32::TYPE,
                call.lda,
                call.b,
                f32::TYPE,
                call.ldb,
                &Scalar::f32(0.0),
                call.c,
                f32::TYPE,
                call.ldc,
                compute,
                Algorithm::DEFAULT,
            ),
        }
    }
}

/// A number that operands and results of these products are.
trait Real: Exact + Into<f64> {
    fn near(value: f64) -> Self;
}

impl Real for f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "operands have no more bits than the type"
    )]
    fn near(value: f64) -> Self {
        value as Self
    }
}

impl Real for f64 {
    fn near(value: f64) -> Self {
        value
    }
}

/// What the library makes of real numbers.
fn measured<T: Real>(
    session: &Session<'_>,
    bench: &Bench<'_>,
    reals: &Reals,
    call: impl FnOnce(&Call) -> Called<Status>,
) -> Result<Vec<f64>, super::Stop> {
    let shape = reals.shape;
    let form = Form::new(N, N, Gap::None);
    let [layout_a, layout_b, layout_c] = form.layouts(shape);
    let element = |it| T::near(reals.value(it));
    let a = stored(&reals.a, shape.m, N, layout_a, T::OUTSIDE, element);
    let b = stored(&reals.b, shape.k, N, layout_b, T::OUTSIDE, element);
    let a = bench.upload(&a)?;
    let b = bench.upload(&b)?;
    let c = bench.upload(&vec![poison::<T>(); layout_c.length()])?;
    bench.computes();
    session.opened.ok(call(&Call {
        op_a: N,
        op_b: N,
        m: number(shape.m),
        n: number(shape.n),
        k: number(shape.k),
        a: a.at,
        lda: layout_a.leading(),
        b: b.at,
        ldb: layout_b.leading(),
        c: c.at,
        ldc: layout_c.leading(),
    }))?;
    let found: Vec<T> = bench.download(&c)?;
    bench.compares();
    Ok(found.into_iter().map(Into::into).collect())
}

/// The first element that is not within its bound.
fn beyond(expected: &[f64], found: &[f64], bounds: &[f64]) -> Option<usize> {
    let mut triples = expected.iter().zip(found).zip(bounds);
    // A NaN is within no bound.
    triples
        .position(|((expected, found), bound)| (expected - found).abs() > *bound || found.is_nan())
}

/// Goes on if every element is within its bound.
fn near(
    title: &str,
    reals: &Reals,
    expected: &[f64],
    found: &[f64],
    bounds: &[f64],
    (coarser, rounding): Coarser,
) -> Verdict {
    let Some(index) = beyond(expected, found, bounds) else {
        return Ok(());
    };
    let short: f64 = poison::<f32>().into();
    let long: f64 = poison();
    let untouched = |it: &f64| *it == short || *it == long;
    let place = format!(
        "C[{}, {}] of {title} {}",
        index % reals.shape.m,
        index / reals.shape.m,
        reals.shape
    );
    if found.iter().all(untouched) {
        return mismatch(
            MismatchKind::NeverWritten,
            format!("{place} is {}", expected[index]),
            format!("{place} was never written, expected {}", expected[index]),
        );
    }
    let mut told = format!(
        "{place} is {}, expected {}, which is {:.1} times as far as rounding allows",
        found[index],
        expected[index],
        (found[index] - expected[index]).abs() / bounds[index]
    );
    let loose = reals.bounds(UNIT_F32, rounding, expected);
    let mut kind = MismatchKind::WrongResult;
    if beyond(expected, found, &loose).is_none() {
        let more = format!("; no error is larger than {coarser} makes, which was not asked for");
        told.push_str(&more);
        kind = MismatchKind::ReducedPrecision;
    }
    mismatch(
        kind,
        format!(
            "{place} is {} to within {:e}",
            expected[index], bounds[index]
        ),
        told,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_beyond_every_bound() {
        assert_eq!(beyond(&[0.0], &[f64::NAN], &[1.0]), Some(0));
        assert_eq!(beyond(&[0.0, 1.0], &[0.5, 3.0], &[1.0, 1.0]), Some(1));
        assert_eq!(beyond(&[0.0], &[1.0], &[1.0]), None);
    }
}
