//! D = α reduce(A) + β C over modes that D does not have.

use super::super::exact::{Real, integers};
use super::super::{Bench, Opened, Verdict};
use super::ffi::{Compute, DataType, Operator};
use super::operation::{Session, modes};
use super::tensor::{self, Extents, Tensor};
use crate::library::{Handle, In};

const EXTENTS: Extents = &[('m', 23), ('h', 17), ('k', 9), ('v', 5)];

/// What is reduced, and how.
struct Reduction {
    a: &'static str,
    d: &'static str,
    most: u32,
    operator: Operator,
    alpha: f64,
    beta: f64,
    combine: fn(f64, f64) -> f64,
    start: f64,
}

/// Sums of 153 elements up to 4096 stay below 2^20, and f32 has every integer of the result.
pub(super) fn sum_f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let sum = Reduction {
        a: "mhkv",
        d: "vm",
        most: 4096,
        operator: Operator::ADD,
        alpha: 3.0,
        beta: -2.0,
        combine: |sum, element| sum + element,
        start: 0.0,
    };
    reduce::<f32>(opened, bench, (DataType::R_32F, Compute::F32), &sum)
}

/// Largest elements, each of 45, without scaling, so that the result is one of the elements.
pub(super) fn max_f64(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let max = Reduction {
        a: "kmvh",
        d: "mh",
        most: u32::MAX / 4,
        operator: Operator::MAX,
        alpha: 1.0,
        beta: 0.0,
        combine: f64::max,
        start: f64::NEG_INFINITY,
    };
    reduce::<f64>(opened, bench, (DataType::R_64F, Compute::F64), &max)
}

fn reduce<T: Real>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    (data, compute): (DataType, Compute),
    wanted: &Reduction,
) -> Verdict {
    let (a, d) = (
        Tensor::new(wanted.a, EXTENTS),
        Tensor::new(wanted.d, EXTENTS),
    );
    let some = |array, tensor: &Tensor| -> Vec<f64> {
        let values = integers(bench.seed, array, wanted.most, tensor.count());
        values.into_iter().map(|value| value as f64).collect()
    };
    let (value_a, value_c) = (some(0, &a), some(1, &d));
    let (memory_a, memory_c): (Vec<T>, Vec<T>) = (a.memory(&value_a), d.memory(&value_c));
    let (on_a, on_c) = (bench.upload(&memory_a)?, bench.upload(&memory_c)?);
    let on_d = bench.poisoned::<T>(d.span())?;
    let session = Session::new(opened, bench)?;
    let mut operation = Handle::NULL;
    let (modes_a, modes_d) = (modes(&a), modes(&d));
    let third = session.tensor(&d, data)?;
    session.ok(session.api.create_reduction(
        session.handle,
        &mut operation,
        session.tensor(&a, data)?,
        In::from(modes_a.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        Operator::IDENTITY,
        third,
        In::from(modes_d.as_slice()),
        wanted.operator,
        session.compute(compute)?,
    ))?;
    let plan = session.plan(operation)?;
    let (alpha, beta) = (plan.scalar(wanted.alpha), plan.scalar(wanted.beta));
    session.ok(session.api.reduce(
        session.handle,
        plan.handle,
        In::from(alpha.as_slice()),
        on_a.at,
        In::from(beta.as_slice()),
        on_c.at,
        on_d.at,
        plan.workspace,
        plan.workspace_bytes,
        Handle::NULL,
    ))?;
    let found: Vec<T> = bench.download(&on_d)?;
    session.close()?;
    bench.compares();
    bench.unchanged("A", &on_a, &memory_a)?;
    bench.unchanged("C", &on_c, &memory_c)?;
    let reduced = tensor::contract(&d, &[(&a, &value_a)], EXTENTS, wanted.combine, wanted.start);
    let pairs = reduced.iter().zip(&value_c);
    let expected: Vec<f64> = pairs
        .map(|(reduced, c)| wanted.alpha * reduced + wanted.beta * c)
        .collect();
    tensor::same(&d, &expected, &found)
}
