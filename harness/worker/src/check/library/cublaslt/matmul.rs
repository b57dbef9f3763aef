//! Describes a product to cuBLASLt, asks for algorithms, and runs each of them.

use cudacheck_model::journal::{CheckResult, MismatchKind, Stage};

use super::super::cublas::ffi::{ComputeType, DataType, Operation, Scalar};
use super::super::cublas::product::{
    Exact, Factors, Form, Integers, Layout, number, poison, stored,
};
use super::super::cublas::trial::Gate;
use super::super::exact;
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{
    Candidate, CublasLt, Epilogue, LayoutAttribute, MatmulAttribute, PreferenceAttribute,
    REDUCTION_IN_COMPUTE_TYPE,
};
use super::place::Place;
use crate::library::{DevicePointer, Handle, Out, Status};

/// Algorithms that are asked for: the first, and four further ones.
const CANDIDATES: usize = 5;

/// `CUBLAS_STATUS_NOT_SUPPORTED`.
const NOT_SUPPORTED: Status = Status(15);

/// A product, or several at equal distances.
pub(super) struct Problem<'a> {
    pub(super) title: &'a str,
    pub(super) batch: &'a [Integers],
    pub(super) form: Form,
    pub(super) factors: Factors,
    pub(super) arithmetic: Arithmetic,
    pub(super) after: After,
    /// Bytes of workspace that an algorithm may need.
    pub(super) workspace: u64,
    pub(super) gate: Gate,
}

/// What sums and factors are made of.
#[derive(Clone, Copy)]
pub(super) struct Arithmetic {
    pub(super) compute: ComputeType,
    pub(super) scale: DataType,
    /// A factor of this type.
    pub(super) factor: fn(i64) -> Scalar,
}

/// What is done to a result before it is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    Nothing,
    /// A number is added to each row.
    Bias,
    /// The same, and then what is below zero becomes zero.
    ReluBias,
}

impl After {
    fn epilogue(self) -> Option<Epilogue> {
        match self {
            Self::Nothing => None,
            Self::Bias => Some(Epilogue::BIAS),
            Self::ReluBias => Some(Epilogue::RELU_BIAS),
        }
    }

    /// Applies it to a dense matrix of so many rows.
    fn applied(self, rows: usize, bias: &[i64], result: Vec<i64>) -> Vec<i64> {
        let biased = result.into_iter().enumerate();
        let biased = biased.map(|(index, value)| match self {
            Self::Nothing => value,
            Self::Bias => value + bias[index % rows],
            Self::ReluBias => (value + bias[index % rows]).max(0),
        });
        biased.collect()
    }
}

/// Descriptors of one product.
struct Described {
    matmul: Handle,
    /// Of A, B, and C; that of C serves D too.
    layouts: [Handle; 3],
    preference: Handle,
}

impl Problem<'_> {
    /// Runs every algorithm that the library offers. `diagnose` may say more of a wrong result.
    pub(super) fn run<I: Exact, O: Exact>(
        &self,
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        diagnose: impl Fn(&[O]) -> Option<String>,
    ) -> Verdict {
        let api = CublasLt::new(&opened.library);
        let mut handle = Handle::NULL;
        opened.ok(api.create(&mut handle))?;
        bench.journal.stage(Stage::Allocate);

        let shape = self.batch[0].shape;
        let places = self.form.layouts(shape).map(|layout| Place {
            layout,
            count: self.batch.len(),
        });
        let [place_a, place_b, place_c] = places;
        let bias = exact::integers(bench.seed, 3, 100, shape.m);
        let operand = |dense: fn(&Integers) -> &[i64], rows, operation, place: Place| {
            let matrices = self.batch.iter().map(|integers| {
                let layout = place.layout;
                stored(
                    dense(integers),
                    rows,
                    operation,
                    layout,
                    I::OUTSIDE,
                    I::exactly,
                )
            });
            place.joined(matrices, I::OUTSIDE)
        };
        let a = operand(|it| &it.a, shape.m, self.form.op_a, place_a);
        let b = operand(|it| &it.b, shape.k, self.form.op_b, place_b);
        let result = |dense: &dyn Fn(&Integers) -> Vec<i64>| {
            let matrices = self.batch.iter().map(|integers| {
                let values = dense(integers);
                let plain = Operation::PLAIN;
                stored(
                    &values,
                    shape.m,
                    plain,
                    place_c.layout,
                    poison(),
                    O::exactly,
                )
            });
            place_c.joined(matrices, poison::<O>())
        };
        let c = result(&|integers| integers.c.clone());
        let expected = result(&|integers| {
            let product = integers.result(self.factors);
            self.after.applied(shape.m, &bias, product)
        });
        let bias: Vec<O> = bias.into_iter().map(O::exactly).collect();
        let on_device_a = bench.upload(&a)?;
        let on_device_b = bench.upload(&b)?;
        let on_device_c = bench.upload(&c)?;
        let on_device_bias = bench.upload(&bias)?;

        bench.journal.stage(Stage::FirstCall);
        let described = self.describe::<I, O>(opened, api, places, on_device_bias.at)?;
        let candidates = self.candidates(opened, bench, api, handle, &described)?;
        opened.note("algorithms", candidates.len().to_string());
        let [alpha, beta] = [self.factors.alpha, self.factors.beta].map(self.arithmetic.factor);
        let [layout_a, layout_b, layout_c] = described.layouts;
        for (index, candidate) in candidates.iter().enumerate() {
            let title = format!("{}, algorithm {index}", self.title);
            let before = vec![poison::<O>(); c.len()];
            let on_device_d = bench.upload(&before)?;
            let workspace = bench.poisoned::<u8>(candidate.workspace.max(1))?;
            bench.computes();
            opened.ok(api.matmul(
                handle,
                described.matmul,
                &alpha,
                on_device_a.at,
                layout_a,
                on_device_b.at,
                layout_b,
                &beta,
                on_device_c.at,
                layout_c,
                on_device_d.at,
                layout_c,
                &candidate.algorithm,
                if candidate.workspace == 0 {
                    DevicePointer::NULL
                } else {
                    workspace.at
                },
                candidate.workspace,
                Handle::NULL,
            ))?;
            let found: Vec<O> = bench.download(&on_device_d)?;
            // Copying it back is what looks at the bytes around it: the algorithm takes no more than it said.
            bench.download::<u8>(&workspace)?;
            bench.compares();
            place_c.judge(&title, &before, &expected, &found, || diagnose(&found))?;
            bench.unchanged("A", &on_device_a, &a)?;
            bench.unchanged("B", &on_device_b, &b)?;
            bench.unchanged("C", &on_device_c, &c)?;
            bench.unchanged("the bias", &on_device_bias, &bias)?;
        }
        described.destroy(opened, api)?;
        opened.ok(api.destroy(handle))
    }

    fn describe<I: Exact, O: Exact>(
        &self,
        opened: &Opened<'_>,
        api: CublasLt<'_>,
        places: [Place; 3],
        bias: DevicePointer,
    ) -> Result<Described, Stop> {
        let Arithmetic { compute, scale, .. } = self.arithmetic;
        let mut matmul = Handle::NULL;
        opened.ok(api.matmul_create(&mut matmul, compute, scale))?;
        for (attribute, operation) in [
            (MatmulAttribute::TRANSPOSE_A, self.form.op_a),
            (MatmulAttribute::TRANSPOSE_B, self.form.op_b),
        ] {
            opened.ok(api.matmul_set(matmul, attribute, &Scalar::i32(operation.0), WORD))?;
        }
        if let Some(Epilogue(epilogue)) = self.after.epilogue() {
            let attribute = MatmulAttribute::EPILOGUE;
            opened.ok(api.matmul_set(matmul, attribute, &Scalar::i32(epilogue), WORD))?;
            let attribute = MatmulAttribute::BIAS_POINTER;
            opened.ok(api.matmul_set(matmul, attribute, &Scalar::u64(bias.0), LONG))?;
        }
        let mut layouts = [Handle::NULL; 3];
        for ((handle, place), data) in
            layouts
                .iter_mut()
                .zip(places)
                .zip([I::TYPE, I::TYPE, O::TYPE])
        {
            let Layout {
                rows,
                columns,
                apart,
            } = place.layout;
            let leading = i64::from(number(apart));
            opened.ok(api.layout_create(handle, data, rows as u64, columns as u64, leading))?;
            if place.count > 1 {
                let count = Scalar::i32(number(place.count));
                let stride = Scalar::u64(place.stride() as u64);
                opened.ok(api.layout_set(*handle, LayoutAttribute::BATCH_COUNT, &count, WORD))?;
                opened.ok(api.layout_set(*handle, LayoutAttribute::BATCH_STRIDE, &stride, LONG))?;
            }
        }
        let mut preference = Handle::NULL;
        opened.ok(api.preference_create(&mut preference))?;
        let workspace = Scalar::u64(self.workspace);
        let attribute = PreferenceAttribute::WORKSPACE;
        opened.ok(api.preference_set(preference, attribute, &workspace, LONG))?;
        // Partial sums that are rounded to the type of the result would not be wrong, but would not be exact.
        let schemes = Scalar::i32(REDUCTION_IN_COMPUTE_TYPE);
        let attribute = PreferenceAttribute::REDUCTION_SCHEMES;
        opened.ok(api.preference_set(preference, attribute, &schemes, WORD))?;
        Ok(Described {
            matmul,
            layouts,
            preference,
        })
    }

    /// What the library offers, the fastest first. There must be something.
    fn candidates(
        &self,
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        api: CublasLt<'_>,
        handle: Handle,
        described: &Described,
    ) -> Result<Vec<Candidate>, Stop> {
        let mut candidates = [Candidate::UNSET; CANDIDATES];
        let mut returned = 0;
        let [a, b, c] = described.layouts;
        let called = api.heuristic(
            handle,
            described.matmul,
            a,
            b,
            c,
            c,
            described.preference,
            number(CANDIDATES),
            Out::from(&mut candidates),
            &mut returned,
        );
        self.gate.pass(opened, bench, called)?;
        let returned = usize::try_from(returned).unwrap_or(0).min(CANDIDATES);
        let valid = candidates.into_iter().take(returned);
        let valid: Vec<_> = valid.filter(|it| it.state == Status(0)).collect();
        if valid.is_empty() {
            self.gate.excuse(opened, bench)?;
            return Err(opened.refused(called.function.to_string_lossy(), NOT_SUPPORTED));
        }
        let greatest = valid.iter().map(|it| it.workspace as u64).max();
        match greatest {
            Some(greatest) if greatest > self.workspace => Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::WrongResult,
                expected: format!(
                    "{} needs no more workspace than the preference of {} bytes",
                    self.title, self.workspace
                ),
                found: format!("an algorithm is offered that needs {greatest} bytes"),
            })),
            Some(_) | None => Ok(valid),
        }
    }
}

/// Sizes of attributes, in bytes.
const WORD: usize = 4;
const LONG: usize = 8;

impl Described {
    fn destroy(self, opened: &Opened<'_>, api: CublasLt<'_>) -> Verdict {
        opened.ok(api.preference_destroy(self.preference))?;
        for layout in self.layouts {
            opened.ok(api.layout_destroy(layout))?;
        }
        opened.ok(api.matmul_destroy(self.matmul))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_is_added_to_rows() {
        let applied = |after: After| after.applied(2, &[10, -20], vec![1, 2, 3, 40]);
        assert_eq!(applied(After::Nothing), [1, 2, 3, 40]);
        assert_eq!(applied(After::Bias), [11, -18, 13, 20]);
        assert_eq!(applied(After::ReluBias), [11, 0, 13, 20]);
    }
}
