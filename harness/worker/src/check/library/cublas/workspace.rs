//! Products in memory that the caller lends: the library uses it, and nothing around it.

use super::super::{Bench, Opened, Verdict};
use super::Session;
use super::ffi::Operation;
use super::gemm;
use super::product::{Bounds, Factors, Form, Gap, Integers, Shape};

/// 1 MiB: enough for what is computed here, and a multiple of the 256 bytes that the documentation asks for.
const BYTES: usize = 1 << 20;

pub(super) fn workspace(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    // So few results, each of so many terms, are computed in slices whose sums meet in the workspace.
    // 3 · 2048 · 26 · 26 < 2^22.
    let bounds = Bounds {
        a: 26,
        b: 26,
        c: 63,
    };
    let shape = Shape {
        m: 32,
        n: 32,
        k: 2048,
    };
    let session = Session::begin(opened, bench)?;
    let lent = bench.poisoned::<u8>(BYTES)?;
    opened.ok(session.api.set_workspace(session.handle, lent.at, BYTES))?;
    let integers = Integers::new(bench.seed, shape, bounds);
    let form = Form::new(Operation::TRANSPOSED, Operation::PLAIN, Gap::None);
    gemm::single(&session, bench, &integers, form, Factors::BOTH)?;
    bench.compares();
    // Copying it back is what looks at the bytes around it.
    bench.download::<u8>(&lent)?;
    session.end()
}
