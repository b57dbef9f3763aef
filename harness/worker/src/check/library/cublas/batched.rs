//! Many small products in one call: at equal distances in memory, and by arrays of pointers.

use cudacheck_model::journal::MismatchKind;
use half::f16;

use super::super::exact;
use super::super::{Bench, Opened, Verdict};
use super::comparison::judge;
use super::ffi::{Algorithm, ComputeType, MathMode, Operation, Scalar};
use super::product::{Bounds, Exact, Factors, Form, Gap, Integers, Shape, number, poison, stored};
use super::trial::Gate;
use super::{Session, mismatch};

const SHAPE: Shape = Shape {
    m: 33,
    n: 17,
    k: 65,
};
/// 3 · 65 · 9 · 9 + 5 · 63 < 2^14, so that results in half precision do not overflow.
const BOUNDS: Bounds = Bounds { a: 9, b: 9, c: 63 };
const COUNT: usize = 7;
/// Elements between the end of a matrix and the beginning of the next.
const BETWEEN: usize = 11;

const FORM: Form = Form::new(Operation::TRANSPOSED, Operation::PLAIN, Gap::Odd);

/// Whether each product has a B of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Right {
    Own,
    /// The distance is zero, which the documentation allows for operands.
    Shared,
}

/// `cublasGemmStridedBatchedEx`.
pub(super) fn strided(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    at_distances::<f32>(&session, bench, Right::Own, Gate::NONE)?;
    at_distances::<f32>(&session, bench, Right::Shared, Gate::NONE)?;
    let gate = Gate::since(5, 3, "operands in half precision");
    // Partial sums in the type of the result would not be wrong, but would not be exact.
    session.mode(MathMode::FULL_REDUCTION)?;
    at_distances::<f16>(&session, bench, Right::Own, gate)?;
    session.end()
}

fn at_distances<T: Exact>(
    session: &Session<'_>,
    bench: &Bench<'_>,
    right: Right,
    gate: Gate,
) -> Verdict {
    let batch = batch(bench.seed, right);
    let [layout_a, layout_b, layout_c] = FORM.layouts(SHAPE);
    let [stride_a, stride_b, stride_c] = FORM.layouts(SHAPE).map(|it| it.length() + BETWEEN);
    let mut a = Vec::new();
    let mut b = Vec::new();
    let mut before = Vec::new();
    let mut expected = Vec::new();
    let scattered = |memory: &mut Vec<T>, matrix: Vec<T>, outside: T| {
        memory.extend(matrix);
        memory.extend([outside; BETWEEN]);
    };
    for integers in &batch {
        let one = matrices::<T>(integers);
        scattered(&mut a, one.a, T::OUTSIDE);
        scattered(&mut b, one.b, T::OUTSIDE);
        scattered(&mut before, one.before, poison());
        scattered(&mut expected, one.expected, poison());
    }
    let on_device_a = bench.upload(&a)?;
    let on_device_b = bench.upload(&b)?;
    let on_device_c = bench.upload(&before)?;
    let far = |stride: usize| i64::from(number(stride));
    bench.computes();
    let called = session.api.gemm_strided_batched_ex(
        session.handle,
        FORM.op_a,
        FORM.op_b,
        number(SHAPE.m),
        number(SHAPE.n),
        number(SHAPE.k),
        &Scalar::f32(f32::exactly(Factors::BOTH.alpha)),
        on_device_a.at,
        T::TYPE,
        layout_a.leading(),
        far(stride_a),
        on_device_b.at,
        T::TYPE,
        layout_b.leading(),
        match right {
            Right::Own => far(stride_b),
            Right::Shared => 0,
        },
        &Scalar::f32(f32::exactly(Factors::BOTH.beta)),
        on_device_c.at,
        T::TYPE,
        layout_c.leading(),
        far(stride_c),
        number(COUNT),
        ComputeType::F32,
        Algorithm::DEFAULT,
    );
    gate.pass(session.opened, bench, called)?;
    let found: Vec<T> = bench.download(&on_device_c)?;
    bench.compares();
    for (index, start) in (0..found.len()).step_by(stride_c).enumerate() {
        let title = format!("product {index} of cublasGemmStridedBatchedEx {FORM} {SHAPE}");
        let matrix = start..start + layout_c.length();
        let gap = matrix.end..start + stride_c;
        judge(
            &title,
            layout_c,
            &before[matrix.clone()],
            &expected[matrix.clone()],
            &found[matrix],
            || None,
        )?;
        if exact::bytes(&found[gap.clone()]) != exact::bytes(&before[gap]) {
            return mismatch(
                MismatchKind::StrayWrite,
                format!("{title} writes nothing behind its C"),
                "elements between two matrices were written".to_owned(),
            );
        }
    }
    bench.unchanged("A", &on_device_a, &a)?;
    bench.unchanged("B", &on_device_b, &b)
}

/// `cublasSgemmBatched`. The pointers are not in the order of the matrices.
pub(super) fn pointers(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    let batch = batch(bench.seed, Right::Own);
    let [layout_a, layout_b, layout_c] = FORM.layouts(SHAPE);
    let order = |index: usize| index * 3 % COUNT;
    let matrices: Vec<Matrices<f32>> = (0..COUNT).map(|it| matrices(&batch[order(it)])).collect();
    let mut on_device = Vec::new();
    for one in &matrices {
        on_device.push([
            bench.upload(&one.a)?,
            bench.upload(&one.b)?,
            bench.upload(&one.before)?,
        ]);
    }
    let array = |which: usize| {
        let addresses: Vec<u64> = (0..COUNT)
            .map(|it| on_device[order(it)][which].at.0)
            .collect();
        bench.upload(&addresses)
    };
    let arrays = [array(0)?, array(1)?, array(2)?];
    bench.computes();
    opened.ok(session.api.sgemm_batched(
        session.handle,
        FORM.op_a,
        FORM.op_b,
        number(SHAPE.m),
        number(SHAPE.n),
        number(SHAPE.k),
        &f32::exactly(Factors::BOTH.alpha),
        arrays[0].at,
        layout_a.leading(),
        arrays[1].at,
        layout_b.leading(),
        &f32::exactly(Factors::BOTH.beta),
        arrays[2].at,
        layout_c.leading(),
        number(COUNT),
    ))?;
    for (index, (one, [a, b, c])) in matrices.iter().zip(&on_device).enumerate() {
        let found: Vec<f32> = bench.download(c)?;
        bench.compares();
        let title = format!("product {index} of cublasSgemmBatched {FORM} {SHAPE}");
        judge(&title, layout_c, &one.before, &one.expected, &found, || {
            None
        })?;
        bench.unchanged("A", a, &one.a)?;
        bench.unchanged("B", b, &one.b)?;
    }
    session.end()
}

fn batch(seed: u64, right: Right) -> Vec<Integers> {
    let products = (0..COUNT as u64).map(|index| {
        let seed_b = match right {
            Right::Own => seed.wrapping_add(index),
            Right::Shared => seed,
        };
        let own = seed.wrapping_add(index);
        Integers::with_seeds([own, seed_b, own], SHAPE, BOUNDS)
    });
    products.collect()
}

/// One product in memory.
struct Matrices<T> {
    a: Vec<T>,
    b: Vec<T>,
    before: Vec<T>,
    expected: Vec<T>,
}

fn matrices<T: Exact>(integers: &Integers) -> Matrices<T> {
    let [layout_a, layout_b, layout_c] = FORM.layouts(SHAPE);
    let operand = |dense: &[i64], rows, operation, layout| {
        stored(dense, rows, operation, layout, T::OUTSIDE, T::exactly)
    };
    let result = |dense: &[i64]| {
        let plain = Operation::PLAIN;
        stored(dense, SHAPE.m, plain, layout_c, poison(), T::exactly)
    };
    Matrices {
        a: operand(&integers.a, SHAPE.m, FORM.op_a, layout_a),
        b: operand(&integers.b, SHAPE.k, FORM.op_b, layout_b),
        before: result(&integers.c),
        expected: result(&integers.result(Factors::BOTH)),
    }
}
