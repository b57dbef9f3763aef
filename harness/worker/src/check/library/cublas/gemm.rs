//! Matrix products in every type, each exact.
//!
//! In f32 the sums stay below 2^22, two bits below what the accumulator holds, since tensor cores align the terms of
//! a sum before they add them. In f16 they stay below 2^11, in f64 below 2^52.

use half::f16 as Half;

use super::super::{Bench, Opened, Verdict};
use super::Session;
use super::ffi::{Algorithm, ComputeType, DataType, MathMode, Operation, Scalar};
use super::product::{Bounds, Exact, Factors, Form, Gap, Integers, Shape};
use super::trial::{Gate, Trial};

const N: Operation = Operation::PLAIN;
const T: Operation = Operation::TRANSPOSED;
const C: Operation = Operation::CONJUGATE_TRANSPOSED;

/// 3 · 257 · 63 · 63 + 5 · 63 < 2^22.
const F32: Bounds = Bounds {
    a: 63,
    b: 63,
    c: 63,
};

/// Memory from which the large product is made: 12 MiB of operands, and time that a device has and a CPU has not.
const GENEROUS: u64 = 512 << 20;

/// All ways to store the operands, and every dimension odd.
pub(super) fn f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    let odd = Integers::new(bench.seed, Shape::ODD, F32);
    for (op_a, op_b) in [(N, N), (N, T), (T, N), (T, T), (C, C)] {
        let form = Form::new(op_a, op_b, Gap::Odd);
        single(&session, bench, &odd, form, Factors::BOTH)?;
    }
    let even = Integers::new(bench.seed, Shape::EVEN, F32);
    let form = Form::new(N, N, Gap::None);
    single(&session, bench, &even, form, Factors::PRODUCT)?;
    session.end()
}

/// The mode that allows no other arithmetic than that of the operands' type.
pub(super) fn f32_pedantic(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    session.mode(MathMode::PEDANTIC)?;
    for (shape, op_a, gap) in [(Shape::ODD, N, Gap::Odd), (Shape::EVEN, T, Gap::None)] {
        let integers = Integers::new(bench.seed, shape, F32);
        let form = Form::new(op_a, N, gap);
        single(&session, bench, &integers, form, Factors::BOTH)?;
    }
    session.end()
}

/// A result of many tiles; with 512 MiB of memory to use, a large one.
pub(super) fn f32_tiles(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shape = if bench.budget >= GENEROUS {
        Shape {
            m: 1024,
            n: 1024,
            k: 1024,
        }
    } else {
        Shape {
            m: 512,
            n: 512,
            k: 32,
        }
    };
    let session = Session::begin(opened, bench)?;
    let integers = Integers::new(bench.seed, shape, F32);
    let form = Form::new(N, N, Gap::None);
    single(&session, bench, &integers, form, Factors::PRODUCT)?;
    session.end()
}

/// `cublasSgemm`.
pub(super) fn single(
    session: &Session<'_>,
    bench: &Bench<'_>,
    integers: &Integers,
    form: Form,
    factors: Factors,
) -> Verdict {
    let trial = Trial {
        session,
        bench,
        title: "cublasSgemm",
        integers,
        form,
        factors,
        gate: Gate::NONE,
    };
    let [alpha, beta] = [factors.alpha, factors.beta].map(f32::exactly);
    trial.run::<f32, f32>(
        |call| {
            session.api.sgemm(
                session.handle,
                call.op_a,
                call.op_b,
                call.m,
                call.n,
                call.k,
                &alpha,
                call.a,
                call.lda,
                call.b,
                call.ldb,
                &beta,
                call.c,
                call.ldc,
            )
        },
        |_| None,
    )
}

/// 3 · 257 · 2^20 · 2^20 < 2^50.
pub(super) fn f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let bounds = Bounds {
        a: 1 << 20,
        b: 1 << 20,
        c: 1 << 20,
    };
    let session = Session::begin(opened, bench)?;
    let [alpha, beta] = [Factors::BOTH.alpha, Factors::BOTH.beta].map(f64::exactly);
    for (shape, op_a, op_b, gap) in [(Shape::ODD, N, T, Gap::Odd), (Shape::EVEN, T, N, Gap::None)] {
        let trial = Trial {
            session: &session,
            bench,
            title: "cublasDgemm",
            integers: &Integers::new(bench.seed, shape, bounds),
            form: Form::new(op_a, op_b, gap),
            factors: Factors::BOTH,
            gate: Gate::NONE,
        };
        trial.run::<f64, f64>(
            |call| {
                session.api.dgemm(
                    session.handle,
                    call.op_a,
                    call.op_b,
                    call.m,
                    call.n,
                    call.k,
                    &alpha,
                    call.a,
                    call.lda,
                    call.b,
                    call.ldb,
                    &beta,
                    call.c,
                    call.ldc,
                )
            },
            |_| None,
        )?;
    }
    session.end()
}

/// Half precision throughout: 3 · 257 · 2 · 1 + 5 · 63 < 2^11.
pub(super) fn f16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const GATE: Gate = Gate::since(5, 3, "arithmetic in half precision");
    let bounds = Bounds { a: 2, b: 1, c: 63 };
    let session = Session::begin(opened, bench)?;
    let [alpha, beta] = [Factors::BOTH.alpha, Factors::BOTH.beta].map(Half::exactly);
    for (shape, op_a, op_b, gap) in [(Shape::ODD, T, N, Gap::Odd), (Shape::EVEN, N, N, Gap::None)] {
        let trial = Trial {
            session: &session,
            bench,
            title: "cublasHgemm",
            integers: &Integers::new(bench.seed, shape, bounds),
            form: Form::new(op_a, op_b, gap),
            factors: Factors::BOTH,
            gate: GATE,
        };
        trial.run::<Half, Half>(
            |call| {
                session.api.hgemm(
                    session.handle,
                    call.op_a,
                    call.op_b,
                    call.m,
                    call.n,
                    call.k,
                    &alpha,
                    call.a,
                    call.lda,
                    call.b,
                    call.ldb,
                    &beta,
                    call.c,
                    call.ldc,
                )
            },
            |_| None,
        )?;
    }
    let factors = Scalars {
        alpha: Scalar::f16(alpha),
        beta: Scalar::f16(beta),
        compute: ComputeType::F16,
    };
    let trial = Trial {
        session: &session,
        bench,
        title: "cublasGemmEx of f16 in f16",
        integers: &Integers::new(bench.seed, Shape::EVEN, bounds),
        form: Form::new(T, N, Gap::None),
        factors: Factors::BOTH,
        gate: GATE,
    };
    extended::<Half, Half>(&trial, factors)?;
    session.end()
}

/// Operands in half precision, sums in single: results far beyond 2^11, in f16 rounded once to the nearest even.
pub(super) fn f16_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const GATE: Gate = Gate::since(5, 3, "operands in half precision");
    let session = Session::begin(opened, bench)?;
    session.mode(MathMode::FULL_REDUCTION)?;
    rounded::<Half>(&session, bench, "cublasGemmEx of f16 in f32", GATE)?;
    session.end()
}

/// The same in bfloat16, which has no arithmetic of its own in cuBLAS: sums are always single.
pub(super) fn bf16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const GATE: Gate = Gate::since(8, 0, "arithmetic in bfloat16");
    let session = Session::begin(opened, bench)?;
    session.mode(MathMode::FULL_REDUCTION)?;
    rounded::<half::bf16>(&session, bench, "cublasGemmEx of bf16 in f32", GATE)?;
    session.end()
}

/// Short operands: once with long results, which are exact, and once with short ones, which are rounded.
fn rounded<I: Exact>(session: &Session<'_>, bench: &Bench<'_>, title: &str, gate: Gate) -> Verdict {
    let trial = |integers, op_a, op_b, gap| Trial {
        session,
        bench,
        title,
        integers,
        form: Form::new(op_a, op_b, gap),
        factors: Factors::BOTH,
        gate,
    };
    let scalars = Scalars::single(Factors::BOTH);
    let odd = Integers::new(bench.seed, Shape::ODD, F32);
    extended::<I, f32>(&trial(&odd, N, T, Gap::Odd), scalars)?;
    // 3 · 257 · 9 · 9 + 5 · 63 < 65504, the greatest number of half precision.
    let bounds = Bounds { a: 9, b: 9, c: 63 };
    let odd = Integers::new(bench.seed, Shape::ODD, bounds);
    extended::<I, I>(&trial(&odd, T, N, Gap::Odd), scalars)?;
    let even = Integers::new(bench.seed, Shape::EVEN, bounds);
    extended::<I, I>(&trial(&even, N, N, Gap::None), scalars)
}

/// Bytes, with sums of 32 bits. The documentation asks for leading dimensions that are multiples of four.
pub(super) fn s8(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let bounds = Bounds {
        a: 127,
        b: 127,
        c: 1 << 20,
    };
    let shape = Shape {
        m: 132,
        n: 68,
        k: 260,
    };
    let session = Session::begin(opened, bench)?;
    let scalars = Scalars {
        alpha: Scalar::i32(1),
        beta: Scalar::i32(1),
        compute: ComputeType::I32,
    };
    for (shape, op_a, gap) in [(shape, N, Gap::Fours), (Shape::EVEN, T, Gap::None)] {
        let trial = Trial {
            session: &session,
            bench,
            title: "cublasGemmEx of s8 in s32",
            integers: &Integers::new(bench.seed, shape, bounds),
            form: Form::new(op_a, N, gap),
            factors: Factors::SUM,
            gate: Gate::since(6, 1, "a dot product of bytes"),
        };
        extended::<i8, i32>(&trial, scalars)?;
    }
    session.end()
}

/// What only `cublasGemmEx` takes.
#[derive(Clone, Copy)]
pub(super) struct Scalars {
    alpha: Scalar,
    beta: Scalar,
    compute: ComputeType,
}

impl Scalars {
    /// Sums and factors in single precision.
    pub(super) fn single(factors: Factors) -> Self {
        let [alpha, beta] = [factors.alpha, factors.beta].map(|it| Scalar::f32(f32::exactly(it)));
        Self {
            alpha,
            beta,
            compute: ComputeType::F32,
        }
    }
}

/// `cublasGemmEx`.
fn extended<I: Exact, O: Exact>(trial: &Trial<'_>, scalars: Scalars) -> Verdict {
    let [short, long]: [DataType; 2] = [I::TYPE, O::TYPE];
    let session = trial.session;
    trial.run::<I, O>(
        |call| {
            session.api.gemm_ex(
                session.handle,
                call.op_a,
                call.op_b,
                call.m,
                call.n,
                call.k,
                &scalars.alpha,
                call.a,
                short,
                call.lda,
                call.b,
                short,
                call.ldb,
                &scalars.beta,
                call.c,
                long,
                call.ldc,
                scalars.compute,
                Algorithm::DEFAULT,
            )
        },
        |_| None,
    )
}
