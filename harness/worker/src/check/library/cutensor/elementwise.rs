//! Permutations, and element-wise sums, maxima, and products of tensors in different orders of modes.

use super::super::exact::{Real, integers};
use super::super::{Bench, Opened, Verdict};
use super::ffi::{Compute, DataType, Operator};
use super::operation::{Session, modes};
use super::tensor::{self, Extents, Tensor};
use crate::library::{Handle, In};

const EXTENTS: Extents = &[('a', 37), ('b', 19), ('c', 11)];

/// B = 3 A with all modes in another order.
pub(super) fn permutation_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    permutation::<f32>(opened, bench, DataType::R_32F, 1 << 20, 3.0)
}

/// With the factor one it only moves bits.
pub(super) fn permutation_f16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    permutation::<half::f16>(opened, bench, DataType::R_16F, 2047, 1.0)
}

fn permutation<T: Real>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    data: DataType,
    most: u32,
    alpha: f64,
) -> Verdict {
    let (a, b) = (Tensor::new("abc", EXTENTS), Tensor::new("cab", EXTENTS));
    let values = some(bench.seed, 0, most, &a);
    let memory: Vec<T> = a.memory(&values);
    let on_a = bench.upload(&memory)?;
    let on_b = bench.poisoned::<T>(b.span())?;
    let session = Session::new(opened, bench)?;
    let mut operation = Handle::NULL;
    let (modes_a, modes_b) = (modes(&a), modes(&b));
    session.ok(session.api.create_permutation(
        session.handle,
        &mut operation,
        session.tensor(&a, data)?,
        In::from(modes_a.as_slice()),
        Operator::IDENTITY,
        session.tensor(&b, data)?,
        In::from(modes_b.as_slice()),
        session.compute(Compute::F32)?,
    ))?;
    let plan = session.plan(operation)?;
    let factor = plan.scalar(alpha);
    session.ok(session.api.permute(
        session.handle,
        plan.handle,
        In::from(factor.as_slice()),
        on_a.at,
        on_b.at,
        Handle::NULL,
    ))?;
    let found: Vec<T> = bench.download(&on_b)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &memory)?;
    let expected: Vec<f64> = in_order(&b, &a, &values)
        .iter()
        .map(|value| alpha * value)
        .collect();
    tensor::same(&b, &expected, &found)
}

/// D = 2 A + 5 C, where A has its modes in another order.
pub(super) fn binary_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let (a, d) = (Tensor::new("bca", EXTENTS), Tensor::new("abc", EXTENTS));
    let (value_a, value_c) = (
        some(bench.seed, 0, 1 << 18, &a),
        some(bench.seed, 1, 1 << 18, &d),
    );
    let (memory_a, memory_c): (Vec<f32>, Vec<f32>) = (a.memory(&value_a), d.memory(&value_c));
    let (on_a, on_c) = (bench.upload(&memory_a)?, bench.upload(&memory_c)?);
    let on_d = bench.poisoned::<f32>(d.span())?;
    let session = Session::new(opened, bench)?;
    let mut operation = Handle::NULL;
    let (modes_a, modes_d) = (modes(&a), modes(&d));
    let third = session.tensor(&d, DataType::R_32F)?;
    session.ok(session.api.create_binary(
        session.handle,
        &mut operation,
        session.tensor(&a, DataType::R_32F)?,
        In::from(modes_a.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::ADD,
        session.compute(Compute::F32)?,
    ))?;
    let plan = session.plan(operation)?;
    let (alpha, gamma) = (plan.scalar(2.0), plan.scalar(5.0));
    session.ok(session.api.binary(
        session.handle,
        plan.handle,
        In::from(alpha.as_slice()),
        on_a.at,
        In::from(gamma.as_slice()),
        on_c.at,
        on_d.at,
        Handle::NULL,
    ))?;
    let found: Vec<f32> = bench.download(&on_d)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &memory_a)?;
    bench.unchanged("C", &on_c, &memory_c)?;
    let moved = in_order(&d, &a, &value_a);
    let pairs = moved.iter().zip(&value_c);
    let expected: Vec<f64> = pairs.map(|(a, c)| 2.0 * a + 5.0 * c).collect();
    tensor::same(&d, &expected, &found)
}

/// D = max(3 A, -2 B) · C, where A and B have their modes in other orders.
pub(super) fn trinary_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let (a, b) = (Tensor::new("cba", EXTENTS), Tensor::new("bac", EXTENTS));
    let d = Tensor::new("abc", EXTENTS);
    let value_a = some(bench.seed, 0, 1000, &a);
    let value_b = some(bench.seed, 1, 1000, &b);
    let value_c = some(bench.seed, 2, 1000, &d);
    let memory_a: Vec<f32> = a.memory(&value_a);
    let memory_b: Vec<f32> = b.memory(&value_b);
    let memory_c: Vec<f32> = d.memory(&value_c);
    let (on_a, on_b) = (bench.upload(&memory_a)?, bench.upload(&memory_b)?);
    let on_c = bench.upload(&memory_c)?;
    let on_d = bench.poisoned::<f32>(d.span())?;
    let session = Session::new(opened, bench)?;
    let mut operation = Handle::NULL;
    let (modes_a, modes_b, modes_d) = (modes(&a), modes(&b), modes(&d));
    let third = session.tensor(&d, DataType::R_32F)?;
    session.ok(session.api.create_trinary(
        session.handle,
        &mut operation,
        session.tensor(&a, DataType::R_32F)?,
        In::from(modes_a.as_slice()),
        Operator::IDENTITY,
        session.tensor(&b, DataType::R_32F)?,
        In::from(modes_b.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::MAX,
        Operator::MUL,
        session.compute(Compute::F32)?,
    ))?;
    let plan = session.plan(operation)?;
    let (alpha, beta) = (plan.scalar(3.0), plan.scalar(-2.0));
    let gamma = plan.scalar(1.0);
    session.ok(session.api.trinary(
        session.handle,
        plan.handle,
        In::from(alpha.as_slice()),
        on_a.at,
        In::from(beta.as_slice()),
        on_b.at,
        In::from(gamma.as_slice()),
        on_c.at,
        on_d.at,
        Handle::NULL,
    ))?;
    let found: Vec<f32> = bench.download(&on_d)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &memory_a)?;
    bench.unchanged("B", &on_b, &memory_b)?;
    bench.unchanged("C", &on_c, &memory_c)?;
    let moved_a = in_order(&d, &a, &value_a);
    let moved_b = in_order(&d, &b, &value_b);
    let triples = moved_a.iter().zip(&moved_b).zip(&value_c);
    let expected: Vec<f64> = triples
        .map(|((a, b), c)| (3.0 * a).max(-2.0 * b) * c)
        .collect();
    tensor::same(&d, &expected, &found)
}

fn some(seed: u64, array: u64, most: u32, tensor: &Tensor) -> Vec<f64> {
    let values = integers(seed, array, most, tensor.count());
    values.into_iter().map(|value| value as f64).collect()
}

/// The elements of one tensor in another's order of modes: a contraction of one factor over no mode.
fn in_order(to: &Tensor, from: &Tensor, values: &[f64]) -> Vec<f64> {
    tensor::contract(
        to,
        &[(from, values)],
        EXTENTS,
        |_, product| product,
        f64::NAN,
    )
}
