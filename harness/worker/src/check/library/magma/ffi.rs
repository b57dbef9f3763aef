//! The C functions of `magma_auxiliary.h`, `magma_d.h`, `magmablas_d.h`, and `magmablas_s.h` of MAGMA 2.
//!
//! Read from the headers of 2.6.2 and 2.9.0 and of the repository after it (2.10), which declare all of them alike.
//! `magma_int_t` is `int`, or `long long int` where MAGMA was built with `MAGMA_ILP64`; no name and no SONAME tells, so
//! there are two tables, and `magma_version` tells which one to use. `magma_device_t` is a `magma_int_t`; enumerations
//! are `int` in both.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::c_char;

use crate::library::{DevicePointer, Handle, In, Out, Words, abi};

/// `magma_trans_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Transposition(pub(super) i32);

impl Transposition {
    pub(super) const NONE: Self = Self(111);
    pub(super) const TRANSPOSED: Self = Self(112);
}

/// `MagmaLower` of `magma_uplo_t`.
pub(super) const LOWER: i32 = 122;

abi! {
    /// What is called before it is known how wide an integer is.
    Width;
    /// Writes three `magma_int_t`, for each of which there is room for 64 bits.
    fn version = c"magma_version"(major: Out<'_, i64>, minor: Out<'_, i64>, micro: Out<'_, i64>) -> ();
}

macro_rules! magma {
    ($(#[$about:meta])* $table:ident, $int:ty) => {
        abi! {
            $(#[$about])*
            $table;
            fn init = c"magma_init"() -> $int;
            fn finalize = c"magma_finalize"() -> $int;
            /// Not how many there are: what the variable `MAGMA_NUM_GPUS` says, or one.
            fn gpus = c"magma_num_gpus"() -> $int;
            /// Fills in the numbers of so many devices at most.
            fn devices = c"magma_getdevices"(devices: Out<'_, $int>, size: $int, count: &mut $int) -> ();
            fn error_text = c"magma_strerror"(error: $int) -> Words;
            /// Returns nothing; what goes wrong is printed to stderr.
            fn create_queue = c"magma_queue_create_internal"(
                device: $int,
                queue: &mut Handle,
                function: In<'_, c_char>,
                file: In<'_, c_char>,
                line: i32,
            ) -> ();
            fn synchronize = c"magma_queue_sync_internal"(
                queue: Handle,
                function: In<'_, c_char>,
                file: In<'_, c_char>,
                line: i32,
            ) -> ();
            fn destroy_queue = c"magma_queue_destroy_internal"(
                queue: Handle,
                function: In<'_, c_char>,
                file: In<'_, c_char>,
                line: i32,
            ) -> ();
            fn allocate = c"magma_malloc"(memory: &mut DevicePointer, bytes: usize) -> $int;
            fn free = c"magma_free_internal"(
                memory: DevicePointer,
                function: In<'_, c_char>,
                file: In<'_, c_char>,
                line: i32,
            ) -> $int;
            /// By cuBLAS.
            fn dgemm = c"magma_dgemm"(
                a_as: Transposition, b_as: Transposition,
                m: $int, n: $int, k: $int,
                alpha: f64, a: DevicePointer, lda: $int,
                b: DevicePointer, ldb: $int,
                beta: f64, c: DevicePointer, ldc: $int,
                queue: Handle,
            ) -> ();
            /// By MAGMA's own kernels.
            fn own_dgemm = c"magmablas_dgemm"(
                a_as: Transposition, b_as: Transposition,
                m: $int, n: $int, k: $int,
                alpha: f64, a: DevicePointer, lda: $int,
                b: DevicePointer, ldb: $int,
                beta: f64, c: DevicePointer, ldc: $int,
                queue: Handle,
            ) -> ();
            /// By MAGMA's own kernels.
            fn own_sgemm = c"magmablas_sgemm"(
                a_as: Transposition, b_as: Transposition,
                m: $int, n: $int, k: $int,
                alpha: f32, a: DevicePointer, lda: $int,
                b: DevicePointer, ldb: $int,
                beta: f32, c: DevicePointer, ldc: $int,
                queue: Handle,
            ) -> ();
            /// The pivots lie in the host's memory.
            fn dgetrf = c"magma_dgetrf_gpu"(
                m: $int, n: $int,
                a: DevicePointer, lda: $int,
                pivots: Out<'_, $int>,
                info: &mut $int,
            ) -> $int;
            fn dgetrs = c"magma_dgetrs_gpu"(
                a_as: Transposition,
                n: $int, right_sides: $int,
                a: DevicePointer, lda: $int,
                pivots: Out<'_, $int>,
                b: DevicePointer, ldb: $int,
                info: &mut $int,
            ) -> $int;
            fn dpotrf = c"magma_dpotrf_gpu"(
                half: i32,
                n: $int,
                a: DevicePointer, lda: $int,
                info: &mut $int,
            ) -> $int;
        }
    };
}

magma! {
    /// Integers of 32 bits.
    Lp64, i32
}

magma! {
    /// Integers of 64 bits.
    Ilp64, i64
}
