//! The precisions that cuSOLVER has a set of functions for each.

use super::ffi::{Cusolver, Operation, Triangle};
use crate::check::library::bench::Buffer;
use crate::check::library::exact::Real;
use crate::library::{Called, Handle, Status};

/// A square matrix, or some columns, on the device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) buffer: Buffer,
    /// Rows that count.
    pub(super) n: i32,
    /// Rows from one column to the next.
    pub(super) leading: i32,
}

/// A precision with its functions.
pub(super) trait Precision: Real {
    /// The largest relative error of one operation.
    const UNIT: f64;
    /// Whether TF32 keeps less of a number.
    const IS_CUT_BY_TF32: bool;

    /// Elements that the factorisation with row exchanges works with.
    fn lu_size(api: &Cusolver<'_>, handle: Handle, a: Placed, work: &mut i32) -> Called<Status>;
    /// Factors with row exchanges.
    fn lu(
        api: &Cusolver<'_>,
        handle: Handle,
        a: Placed,
        work_pivots_info: [Buffer; 3],
    ) -> Called<Status>;
    /// Solves with these factors.
    fn lu_solve(
        api: &Cusolver<'_>,
        handle: Handle,
        operation: Operation,
        a: Placed,
        right: (Placed, i32),
        pivots_info: [Buffer; 2],
    ) -> Called<Status>;
    /// Elements that the factorisation of a positive matrix works with.
    fn cholesky_size(
        api: &Cusolver<'_>,
        handle: Handle,
        triangle: Triangle,
        a: Placed,
        work: &mut i32,
    ) -> Called<Status>;
    /// Factors a positive matrix.
    fn cholesky(
        api: &Cusolver<'_>,
        handle: Handle,
        triangle: Triangle,
        a: Placed,
        work: (Buffer, i32),
        info: Buffer,
    ) -> Called<Status>;
    /// Solves with its factor.
    fn cholesky_solve(
        api: &Cusolver<'_>,
        handle: Handle,
        triangle: Triangle,
        a: Placed,
        right: (Placed, i32),
        info: Buffer,
    ) -> Called<Status>;
}

macro_rules! precision {
    ($type:ty, $unit:expr, $is_cut:literal, $getrf_size:ident, $getrf:ident, $getrs:ident, $potrf_size:ident, $potrf:ident, $potrs:ident) => {
        impl Precision for $type {
            const UNIT: f64 = $unit;
            const IS_CUT_BY_TF32: bool = $is_cut;

            fn lu_size(
                api: &Cusolver<'_>,
                handle: Handle,
                a: Placed,
                work: &mut i32,
            ) -> Called<Status> {
                api.$getrf_size(handle, a.n, a.n, a.buffer.at, a.leading, work)
            }

            fn lu(
                api: &Cusolver<'_>,
                handle: Handle,
                a: Placed,
                [work, pivots, info]: [Buffer; 3],
            ) -> Called<Status> {
                api.$getrf(
                    handle,
                    a.n,
                    a.n,
                    a.buffer.at,
                    a.leading,
                    work.at,
                    pivots.at,
                    info.at,
                )
            }

            fn lu_solve(
                api: &Cusolver<'_>,
                handle: Handle,
                operation: Operation,
                a: Placed,
                (b, columns): (Placed, i32),
                [pivots, info]: [Buffer; 2],
            ) -> Called<Status> {
                api.$getrs(
                    handle,
                    operation,
                    a.n,
                    columns,
                    a.buffer.at,
                    a.leading,
                    pivots.at,
                    b.buffer.at,
                    b.leading,
                    info.at,
                )
            }

            fn cholesky_size(
                api: &Cusolver<'_>,
                handle: Handle,
                triangle: Triangle,
                a: Placed,
                work: &mut i32,
            ) -> Called<Status> {
                api.$potrf_size(handle, triangle, a.n, a.buffer.at, a.leading, work)
            }

            fn cholesky(
                api: &Cusolver<'_>,
                handle: Handle,
                triangle: Triangle,
                a: Placed,
                (work, length): (Buffer, i32),
                info: Buffer,
            ) -> Called<Status> {
                api.$potrf(
                    handle,
                    triangle,
                    a.n,
                    a.buffer.at,
                    a.leading,
                    work.at,
                    length,
                    info.at,
                )
            }

            fn cholesky_solve(
                api: &Cusolver<'_>,
                handle: Handle,
                triangle: Triangle,
                a: Placed,
                (b, columns): (Placed, i32),
                info: Buffer,
            ) -> Called<Status> {
                api.$potrs(
                    handle,
                    triangle,
                    a.n,
                    columns,
                    a.buffer.at,
                    a.leading,
                    b.buffer.at,
                    b.leading,
                    info.at,
                )
            }
        }
    };
}

precision!(
    f64,
    1.0 / (1u64 << 53) as f64,
    false,
    dgetrf_size,
    dgetrf,
    dgetrs,
    dpotrf_size,
    dpotrf,
    dpotrs
);
precision!(
    f32,
    1.0 / (1 << 24) as f64,
    true,
    sgetrf_size,
    sgetrf,
    sgetrs,
    spotrf_size,
    spotrf,
    spotrs
);
