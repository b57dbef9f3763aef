//! D = α A B + β C over two common modes, whose order differs in each tensor.

use cudacheck_model::version::ComputeCapability;

use super::super::exact::{self, Real, TF32, integers, reals};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{Compute, DataType, Jit, Operator};
use super::operation::{Session, modes};
use super::tensor::{self, Extents, Tensor};
use crate::library::{Handle, In};

/// Odd extents, none a multiple of a tile.
const EXTENTS: Extents = &[('m', 29), ('u', 11), ('n', 5), ('v', 3), ('h', 5), ('k', 7)];
/// Products in a sum: the extents of `h` and `k`.
const TERMS: usize = 5 * 7;

/// The operands, element by element, and the result that exact arithmetic has.
struct Operands {
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
    alpha: f64,
    beta: f64,
}

struct Shapes {
    a: Tensor,
    b: Tensor,
    /// Of C and of D.
    d: Tensor,
}

/// |A| is up to 2^13 - 1, of which TF32 keeps 11 bits, and |B| up to 3: sums stay below 35 · 8191 · 3 < 2^20, and
/// twice that and three times |C| below 2^22, where f32 has every integer.
pub(super) fn f32_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    f32_exact_with(opened, bench, Jit::NONE)
}

/// The same, where cuTENSOR may compile a kernel for it, for which it opens NVRTC.
///
/// Whether it has, the record tells by what is loaded: the library takes another kernel without a word if it cannot.
pub(super) fn f32_jit(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    if bench.capability() < ComputeCapability::new(8, 0) {
        return Err(opened.not_supported(
            "compilation of contractions, which cuTENSOR has from compute capability 8.0 on",
        ));
    }
    f32_exact_with(opened, bench, Jit::DEFAULT)
}

fn f32_exact_with(opened: &Opened<'_>, bench: &Bench<'_>, jit: Jit) -> Verdict {
    let shapes = Shapes::new();
    let operands = Operands::integers(bench.seed, &shapes, (8191, 3, 1000));
    let found = run::<f32>(
        opened,
        bench,
        &shapes,
        &operands,
        (DataType::R_32F, Compute::F32, jit),
    )?;
    let is_tf32 = |round: &fn(f64) -> f64| {
        let rounded = operands.rounded(round);
        tensor::same(&shapes.d, &rounded.result(&shapes), &found).is_ok()
    };
    tensor::same(&shapes.d, &operands.result(&shapes), &found).map_err(|stop| {
        if TF32.iter().any(is_tf32) {
            exact::named_tf32(stop)
        } else {
            stop
        }
    })
}

pub(super) fn f64_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shapes = Shapes::new();
    // 27 bits times 20 bits and a sum of 35 stay below 2^53, and f32 would round them.
    let operands = Operands::integers(bench.seed, &shapes, ((1 << 27) - 1, 1 << 18, 1 << 30));
    let found = run::<f64>(
        opened,
        bench,
        &shapes,
        &operands,
        (DataType::R_64F, Compute::F64, Jit::NONE),
    )?;
    tensor::same(&shapes.d, &operands.result(&shapes), &found)
}

/// Results stay within 2 · 35 · 3 · 3 + 3 · 3 = 639, below 2048, where f16 has every integer.
pub(super) fn f16_exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shapes = Shapes::new();
    let operands = Operands::integers(bench.seed, &shapes, (3, 3, 3));
    let found = run::<half::f16>(
        opened,
        bench,
        &shapes,
        &operands,
        (DataType::R_16F, Compute::F32, Jit::NONE),
    )?;
    tensor::same(&shapes.d, &operands.result(&shapes), &found)
}

/// Real operands, which are f32 numbers.
///
/// In any order of summation each product passes at most one rounding of its own, 34 of sums, one of α, and one of
/// the last sum, and β C at most two: the error is at most γ = n u / (1 - n u) with n = 37 and u = 2^-24, times
/// |α| Σ |a| |b| + |β| |c|. (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1.)
pub(super) fn f32_real(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let shapes = Shapes::new();
    let operands = Operands {
        a: reals(bench.seed, 0, shapes.a.count()),
        b: reals(bench.seed, 1, shapes.b.count()),
        c: reals(bench.seed, 2, shapes.d.count()),
        alpha: 2.0,
        beta: -3.0,
    };
    let found = run::<f32>(
        opened,
        bench,
        &shapes,
        &operands,
        (DataType::R_32F, Compute::F32, Jit::NONE),
    )?;
    let roundings = (TERMS as f64 + 2.0) * f64::from(f32::EPSILON) / 2.0;
    let relative = roundings / (1.0 - roundings);
    let sizes = operands.sizes().result(&shapes);
    let bounds: Vec<f64> = sizes.iter().map(|size| size * relative).collect();
    let found = shapes.d.elements(&found)?;
    exact::near(&operands.result(&shapes), &found, &bounds, |number| {
        shapes.d.name('D', number)
    })
}

fn run<T: Real>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    shapes: &Shapes,
    operands: &Operands,
    (data, compute, jit): (DataType, Compute, Jit),
) -> Result<Vec<T>, Stop> {
    let a: Vec<T> = shapes.a.memory(&operands.a);
    let b: Vec<T> = shapes.b.memory(&operands.b);
    let c: Vec<T> = shapes.d.memory(&operands.c);
    let (on_a, on_b) = (bench.upload(&a)?, bench.upload(&b)?);
    let on_c = bench.upload(&c)?;
    let on_d = bench.poisoned::<T>(shapes.d.span())?;
    let session = Session::new(opened, bench)?;
    let mut operation = Handle::NULL;
    let third = session.tensor(&shapes.d, data)?;
    let (modes_a, modes_b, modes_d) = (modes(&shapes.a), modes(&shapes.b), modes(&shapes.d));
    session.ok(session.api.create_contraction(
        session.handle,
        &mut operation,
        session.tensor(&shapes.a, data)?,
        In::from(modes_a.as_slice()),
        Operator::IDENTITY,
        session.tensor(&shapes.b, data)?,
        In::from(modes_b.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        session.compute(compute)?,
    ))?;
    let plan = session.plan_with(operation, jit)?;
    let (alpha, beta) = (plan.scalar(operands.alpha), plan.scalar(operands.beta));
    session.ok(session.api.contract(
        session.handle,
        plan.handle,
        In::from(alpha.as_slice()),
        on_a.at,
        on_b.at,
        In::from(beta.as_slice()),
        on_c.at,
        on_d.at,
        plan.workspace,
        plan.workspace_bytes,
        Handle::NULL,
    ))?;
    let found = bench.download(&on_d)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &a)?;
    bench.unchanged("B", &on_b, &b)?;
    bench.unchanged("C", &on_c, &c)?;
    Ok(found)
}

impl Shapes {
    fn new() -> Self {
        Self {
            a: Tensor::new("mhkn", EXTENTS),
            b: Tensor::new("ukvh", EXTENTS),
            d: Tensor::new("munv", EXTENTS),
        }
    }
}

impl Operands {
    /// Integers up to these in absolute value.
    fn integers(seed: u64, shapes: &Shapes, (a, b, c): (u32, u32, u32)) -> Self {
        let some = |array, most, count| -> Vec<f64> {
            let values = integers(seed, array, most, count);
            values.into_iter().map(|value| value as f64).collect()
        };
        Self {
            a: some(0, a, shapes.a.count()),
            b: some(1, b, shapes.b.count()),
            c: some(2, c, shapes.d.count()),
            alpha: 2.0,
            beta: -3.0,
        }
    }

    fn result(&self, shapes: &Shapes) -> Vec<f64> {
        let factors: &[(&Tensor, &[f64])] = &[(&shapes.a, &self.a), (&shapes.b, &self.b)];
        let sums = tensor::contract(
            &shapes.d,
            factors,
            EXTENTS,
            |sum, product| sum + product,
            0.0,
        );
        let pairs = sums.iter().zip(&self.c);
        pairs
            .map(|(sum, c)| self.alpha * sum + self.beta * c)
            .collect()
    }

    /// The operands as another type would take them.
    fn rounded(&self, round: impl Fn(f64) -> f64) -> Self {
        let round = |values: &[f64]| values.iter().map(|value| round(*value)).collect();
        Self {
            a: round(&self.a),
            b: round(&self.b),
            c: self.c.clone(),
            ..*self
        }
    }

    /// Everything in absolute value.
    fn sizes(&self) -> Self {
        let sizes = |values: &[f64]| values.iter().map(|value| value.abs()).collect();
        Self {
            a: sizes(&self.a),
            b: sizes(&self.b),
            c: sizes(&self.c),
            alpha: self.alpha.abs(),
            beta: self.beta.abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sum_of_the_exact_tests_is_rounded() {
        let shapes = Shapes::new();
        let largest = |most: (u32, u32, u32)| {
            let operands = Operands::integers(7, &shapes, most);
            let fill = |values: &[f64], most| vec![f64::from(most); values.len()];
            let full = Operands {
                a: fill(&operands.a, most.0),
                b: fill(&operands.b, most.1),
                c: fill(&operands.c, most.2),
                alpha: 2.0,
                beta: 3.0,
            };
            full.result(&shapes)[0]
        };
        assert!(largest((8191, 3, 1000)) < f64::from(1 << 24));
        assert!(largest((3, 3, 3)) < 2048.0);
        assert!(largest(((1 << 27) - 1, 1 << 18, 1 << 30)) < 2f64.powi(53));
    }
}
