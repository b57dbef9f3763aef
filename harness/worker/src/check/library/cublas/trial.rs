//! Makes one product on the device, and compares all of its memory.

use cudacheck_model::journal::Stage;
use cudacheck_model::version::ComputeCapability;

use super::super::{Bench, Opened, Verdict};
use super::comparison::judge;
use super::ffi::Operation;
use super::product::{Exact, Factors, Form, Integers, number, poison, stored};
use super::{REFUSALS, Session};
use crate::library::{Called, DevicePointer, Status};

/// What the functions of all types take alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) op_a: Operation,
    pub(super) op_b: Operation,
    pub(super) m: i32,
    pub(super) n: i32,
    pub(super) k: i32,
    pub(super) a: DevicePointer,
    pub(super) lda: i32,
    pub(super) b: DevicePointer,
    pub(super) ldb: i32,
    pub(super) c: DevicePointer,
    pub(super) ldc: i32,
}

/// Devices on which a function may say that it is not supported.
#[derive(Clone, Copy, Debug)]
pub(in crate::check::library) struct Gate {
    /// The first devices that have the arithmetic.
    since: ComputeCapability,
    what: &'static str,
}

impl Gate {
    pub(in crate::check::library) const fn since(
        major: u32,
        minor: u32,
        what: &'static str,
    ) -> Self {
        Self {
            since: ComputeCapability::new(major, minor),
            what,
        }
    }

    /// Every device computes this.
    pub(in crate::check::library) const NONE: Self = Self::since(0, 0, "");

    /// Ends the check with a skip on a device that has no such arithmetic.
    pub(in crate::check::library) fn excuse(
        self,
        opened: &Opened<'_>,
        bench: &Bench<'_>,
    ) -> Verdict {
        if bench.capability() >= self.since {
            return Ok(());
        }
        Err(opened.not_supported(format!(
            "cuBLAS refuses {}, which devices have since compute capability {}.{}",
            self.what, self.since.major, self.since.minor
        )))
    }

    /// Goes on if the call succeeded. What a device has no arithmetic for is skipped, not failed.
    pub(in crate::check::library) fn pass(
        self,
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        called: Called<Status>,
    ) -> Verdict {
        let status = opened.value(called)?;
        if REFUSALS.contains(&status) {
            self.excuse(opened, bench)?;
        }
        opened.ok(called)
    }
}

/// One product.
pub(super) struct Trial<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) bench: &'a Bench<'a>,
    /// The function and its types: `cublasSgemm`.
    pub(super) title: &'a str,
    pub(super) integers: &'a Integers,
    pub(super) form: Form,
    pub(super) factors: Factors,
    pub(super) gate: Gate,
}

impl Trial<'_> {
    /// A, B, and C on the device; one call; C as it must be, and A and B as they were. `diagnose` may say more of a wrong
    /// result, which it is given without what lies between its columns.
    pub(super) fn run<I: Exact, O: Exact>(
        &self,
        call: impl FnOnce(&Call) -> Called<Status>,
        diagnose: impl FnOnce(&[O]) -> Option<String>,
    ) -> Verdict {
        let Self {
            session,
            bench,
            title,
            integers,
            form,
            factors,
            gate,
        } = *self;
        let shape = integers.shape;
        let [layout_a, layout_b, layout_c] = form.layouts(shape);
        let a = stored(
            &integers.a,
            shape.m,
            form.op_a,
            layout_a,
            I::OUTSIDE,
            I::exactly,
        );
        let b = stored(
            &integers.b,
            shape.k,
            form.op_b,
            layout_b,
            I::OUTSIDE,
            I::exactly,
        );
        let dense = |values: &[i64]| {
            stored(
                values,
                shape.m,
                Operation::PLAIN,
                layout_c,
                poison::<O>(),
                O::exactly,
            )
        };
        // Where beta is zero, C need not hold numbers at all.
        let before = if factors.beta == 0 {
            vec![poison(); layout_c.length()]
        } else {
            dense(&integers.c)
        };
        let expected = dense(&integers.result(factors));
        let on_device_a = bench.upload(&a)?;
        let on_device_b = bench.upload(&b)?;
        let on_device_c = bench.upload(&before)?;
        bench.computes();
        let called = call(&Call {
            op_a: form.op_a,
            op_b: form.op_b,
            m: number(shape.m),
            n: number(shape.n),
            k: number(shape.k),
            a: on_device_a.at,
            lda: layout_a.leading(),
            b: on_device_b.at,
            ldb: layout_b.leading(),
            c: on_device_c.at,
            ldc: layout_c.leading(),
        });
        gate.pass(session.opened, bench, called)?;
        let found: Vec<O> = bench.download(&on_device_c)?;
        bench.compares();
        let title = format!("{title} {form} {shape}");
        judge(&title, layout_c, &before, &expected, &found, || {
            let columns = found.chunks(layout_c.apart);
            let dense: Vec<O> = columns
                .flat_map(|column| &column[..layout_c.rows])
                .copied()
                .collect();
            diagnose(&dense)
        })?;
        bench.unchanged("A", &on_device_a, &a)?;
        bench.unchanged("B", &on_device_b, &b)?;
        // What comes next is the preparation of another product.
        bench.journal.stage(Stage::Allocate);
        Ok(())
    }
}
