//! Products in the types and with the endings that cuBLASLt documents, each exact with every algorithm on offer.

use half::{bf16 as Brain, f16 as Half};

use super::super::cublas::ffi::{ComputeType, DataType, Operation, Scalar};
use super::super::cublas::loss::lost;
use super::super::cublas::product::{Bounds, Exact, Factors, Form, Gap, Integers, Shape};
use super::super::cublas::trial::Gate;
use super::super::{Bench, Opened, Verdict};
use super::matmul::{After, Arithmetic, Problem};

const N: Operation = Operation::PLAIN;
const T: Operation = Operation::TRANSPOSED;

/// Workspace on offer: what NVIDIA advises for all but the newest devices.
const WORKSPACE: u64 = 4 << 20;

const SINGLE: Arithmetic = Arithmetic {
    compute: ComputeType::F32,
    scale: DataType::F32,
    factor: |value| Scalar::f32(f32::exactly(value)),
};

/// 3 · 257 · 63 · 63 + 5 · 63 < 2^22.
const F32: Bounds = Bounds {
    a: 63,
    b: 63,
    c: 63,
};

/// 3 · 256 · 9 · 9 + 5 · 63 < 65504, the greatest number of half precision.
const SHORT: Bounds = Bounds { a: 9, b: 9, c: 63 };

/// Odd in every dimension, and small: each product is made five times.
const SMALL: Shape = Shape {
    m: 67,
    n: 35,
    k: 131,
};

/// A product in single precision, which the others are changed from.
fn plain<'a>(title: &'a str, batch: &'a [Integers], form: Form) -> Problem<'a> {
    Problem {
        title,
        batch,
        form,
        factors: Factors::PRODUCT,
        arithmetic: SINGLE,
        after: After::Nothing,
        workspace: WORKSPACE,
        gate: Gate::NONE,
    }
}

/// All ways to store the operands, and C beside D.
pub(super) fn f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    for (shape, gap, forms) in [
        (Shape::ODD, Gap::Odd, [(N, N), (T, T)]),
        (Shape::EVEN, Gap::None, [(N, T), (T, N)]),
    ] {
        let batch = [Integers::new(bench.seed, shape, F32)];
        for (op_a, op_b) in forms {
            let form = Form::new(op_a, op_b, gap);
            let title = format!("cublasLtMatmul of f32 {form} {shape}");
            let problem = Problem {
                factors: Factors::BOTH,
                ..plain(&title, &batch, form)
            };
            problem.run::<f32, f32>(opened, bench, |_| None)?;
        }
    }
    Ok(())
}

/// Operands of 16 bits, of which TF32 keeps 11: 64 · 2^15 · 1 < 2^22.
pub(super) fn f32_precision(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shape = Shape {
        m: 128,
        n: 64,
        k: 64,
    };
    for (a, b) in [(1 << 15, 1), (1, 1 << 15)] {
        let batch = [Integers::new(bench.seed, shape, Bounds { a, b, c: 0 })];
        let form = Form::new(T, N, Gap::None);
        let problem = plain("cublasLtMatmul of f32 in f32", &batch, form);
        problem.run::<f32, f32>(opened, bench, |found| lost(&batch[0], found))?;
    }
    Ok(())
}

/// 3 · 131 · 2^20 · 2^20 < 2^49.
pub(super) fn f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let bounds = Bounds {
        a: 1 << 20,
        b: 1 << 20,
        c: 1 << 20,
    };
    let batch = [Integers::new(bench.seed, SMALL, bounds)];
    let problem = Problem {
        factors: Factors::BOTH,
        arithmetic: Arithmetic {
            compute: ComputeType::F64,
            scale: DataType::F64,
            factor: |value| Scalar::f64(f64::exactly(value)),
        },
        ..plain("cublasLtMatmul of f64", &batch, Form::new(T, N, Gap::Odd))
    };
    problem.run::<f64, f64>(opened, bench, |_| None)
}

pub(super) fn f16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let gate = Gate::since(5, 3, "operands in half precision");
    short::<Half>(opened, bench, "cublasLtMatmul of f16", gate)
}

pub(super) fn bf16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let gate = Gate::since(8, 0, "arithmetic in bfloat16");
    short::<Brain>(opened, bench, "cublasLtMatmul of bf16", gate)
}

/// Short operands whose sums are single: once with long results, and once with results that are rounded once.
fn short<I: Exact>(opened: &Opened<'_>, bench: &Bench<'_>, title: &str, gate: Gate) -> Verdict {
    let batch = [Integers::new(bench.seed, SMALL, SHORT)];
    let problem = Problem {
        factors: Factors::BOTH,
        gate,
        ..plain(title, &batch, Form::new(N, T, Gap::Odd))
    };
    problem.run::<I, I>(opened, bench, |_| None)?;
    let batch = [Integers::new(bench.seed, Shape::EVEN, F32)];
    let problem = Problem {
        gate,
        ..plain(title, &batch, Form::new(T, N, Gap::None))
    };
    problem.run::<I, f32>(opened, bench, |_| None)
}

/// Bytes, in the one form that the documentation has for column-major matrices: A transposed, B not, and every size a
/// multiple of four.
pub(super) fn s8(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let bounds = Bounds {
        a: 127,
        b: 127,
        c: 0,
    };
    let shape = Shape {
        m: 132,
        n: 68,
        k: 260,
    };
    for (shape, gap) in [(shape, Gap::Fours), (Shape::EVEN, Gap::None)] {
        let batch = [Integers::new(bench.seed, shape, bounds)];
        let problem = Problem {
            arithmetic: Arithmetic {
                compute: ComputeType::I32,
                scale: DataType::I32,
                factor: |value| Scalar::i32(i32::exactly(value)),
            },
            gate: Gate::since(7, 2, "a product of bytes on tensor cores"),
            ..plain("cublasLtMatmul of s8", &batch, Form::new(T, N, gap))
        };
        problem.run::<i8, i32>(opened, bench, |_| None)?;
    }
    Ok(())
}

pub(super) fn bias(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    ending(opened, bench, After::Bias)
}

pub(super) fn relu_bias(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    ending(opened, bench, After::ReluBias)
}

/// A bias for each row: the ending of a layer of a neural network, in the types that such layers have.
fn ending(opened: &Opened<'_>, bench: &Bench<'_>, after: After) -> Verdict {
    // 256 · 2 · 2 + 100 < 2^11: exact in half precision too, wherever the bias is added.
    let bounds = Bounds { a: 2, b: 2, c: 0 };
    let batch = [Integers::new(bench.seed, Shape::EVEN, bounds)];
    let form = Form::new(T, N, Gap::None);
    let title = format!("cublasLtMatmul of f32 with {after:?}");
    let problem = Problem {
        after,
        ..plain(&title, &batch, form)
    };
    problem.run::<f32, f32>(opened, bench, |_| None)?;
    let title = format!("cublasLtMatmul of f16 with {after:?}");
    let problem = Problem {
        after,
        gate: Gate::since(5, 3, "operands in half precision"),
        ..plain(&title, &batch, form)
    };
    problem.run::<Half, Half>(opened, bench, |_| None)
}

/// Several products at equal distances.
pub(super) fn strided_batched(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shape = Shape {
        m: 33,
        n: 17,
        k: 65,
    };
    let batch: Vec<_> = (0..5)
        .map(|index| Integers::new(bench.seed.wrapping_add(index), shape, SHORT))
        .collect();
    let title = "cublasLtMatmul of f32, batched";
    let problem = plain(title, &batch, Form::new(N, T, Gap::Odd));
    problem.run::<f32, f32>(opened, bench, |_| None)
}

/// No workspace at all, with a product that is best computed in slices: what is on offer must do without.
pub(super) fn without_workspace(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shape = Shape {
        m: 32,
        n: 32,
        k: 2048,
    };
    // 2048 · 26 · 26 < 2^22.
    let bounds = Bounds { a: 26, b: 26, c: 0 };
    let batch = [Integers::new(bench.seed, shape, bounds)];
    let problem = Problem {
        workspace: 0,
        ..plain(
            "cublasLtMatmul of f32 without workspace",
            &batch,
            Form::new(T, N, Gap::None),
        )
    };
    problem.run::<f32, f32>(opened, bench, |_| None)
}
