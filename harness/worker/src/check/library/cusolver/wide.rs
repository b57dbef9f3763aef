//! The functions with 64-bit sizes and pivots, which CUDA 11.1 and newer have.

use super::ffi::{Cusolver, DataType, Operation};
use super::lu::{COLUMNS, GAPS, solution};
use super::matrices;
use super::placed::{info, place, same, together};
use super::{Opened, Verdict, handle};
use crate::check::library::bench::Bench;
use crate::check::library::exact;
use crate::library::{Handle, Status};

/// The same matrix as for the other functions, of 200 by 200 integers.
pub(super) fn exact(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 200;
    const F64: DataType = DataType::R_64F;
    let known = matrices::lu(bench.seed, N, None);
    let solution = solution(bench.seed, N);
    let api = Cusolver::new(&opened.library);
    let handle = handle(opened, bench)?;
    let mut parameters = Handle::NULL;
    let status = opened.value_if_there(api.create_parameters(&mut parameters))?;
    if status != Status(0) {
        return Err(opened.refused("cusolverDnCreateParams", status));
    }
    let a = place::<f64>(bench, &known.matrix.elements, N, GAPS.0)?;
    let b = place::<f64>(bench, &known.matrix.apply(&solution), N, GAPS.1)?;
    let (n, lda, ldb) = (i64::from(a.n), i64::from(a.leading), i64::from(b.leading));
    let (mut on_device, mut on_host) = (0, 0);
    let sized = api.xgetrf_size(
        handle,
        parameters,
        n,
        n,
        F64,
        a.buffer.at,
        lda,
        F64,
        &mut on_device,
        &mut on_host,
    );
    let status = opened.value_if_there(sized)?;
    if status != Status(0) {
        return Err(opened.refused("cusolverDnXgetrf_bufferSize", status));
    }
    let work = bench.poisoned::<u8>(on_device)?;
    let mut host_work = vec![0u64; on_host.div_ceil(8)];
    let pivots = bench.poisoned::<i64>(N)?;
    let [factored, solved] = [bench.poisoned::<i32>(1)?, bench.poisoned::<i32>(1)?];
    opened.ok(api.xgetrf(
        handle,
        parameters,
        n,
        n,
        F64,
        a.buffer.at,
        lda,
        pivots.at,
        F64,
        work.at,
        on_device,
        host_work.as_mut_slice().into(),
        on_host,
        factored.at,
    ))?;
    opened.ok(api.xgetrs(
        handle,
        parameters,
        Operation::N,
        n,
        COLUMNS as i64,
        F64,
        a.buffer.at,
        lda,
        pivots.at,
        F64,
        b.buffer.at,
        ldb,
        solved.at,
    ))?;
    bench.synchronize()?;
    bench.compares();
    info(bench, "the factorisation", &factored, 0)?;
    info(bench, "solving", &solved, 0)?;
    let found: Vec<i64> = bench.download(&pivots)?;
    exact::same(&known.pivots, &found, |column| {
        format!("the pivot of column {column}")
    })?;
    same::<f64>(
        bench,
        "LU",
        a,
        &together(&known.lower, &known.upper).elements,
    )?;
    same::<f64>(bench, "x", b, &solution)?;
    // What works on the host may do so until the device has ended.
    drop(host_work);
    opened.ok(api.destroy_parameters(parameters))?;
    opened.ok(api.destroy(handle))
}
