//! The functions of `cusolver_common.h` and `cusolverDn.h`, read from the headers of CUDA 11.8, 12.9, and 13.5, whose
//! declarations of these are the same. CUDA 11 and 12 have the SONAME `libcusolver.so.11`, CUDA 13 has `.so.12`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, Out, Status, abi};

/// `cublasFillMode_t`: which triangle is meant.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Triangle(u32);

impl Triangle {
    pub(super) const LOWER: Self = Self(0);
    pub(super) const UPPER: Self = Self(1);
}

/// `cublasOperation_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Operation(u32);

impl Operation {
    pub(super) const N: Self = Self(0);
    pub(super) const T: Self = Self(1);
}

/// `cudaDataType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DataType(u32);

impl DataType {
    pub(super) const R_64F: Self = Self(1);
}

/// `libraryPropertyType`: 0 is the major version, 1 the minor, 2 the patch.
pub(super) type Property = u32;

abi! {
    /// libcusolver.
    Cusolver;
    /// 1000 times the major version, 100 times the minor, and the patch.
    fn version = c"cusolverGetVersion"(version: &mut i32) -> Status;
    /// One number of the version.
    fn property = c"cusolverGetProperty"(property: Property, value: &mut i32) -> Status;
    /// A handle; the first call that needs the driver. Makes handles of cuBLAS as well.
    fn create = c"cusolverDnCreate"(handle: &mut Handle) -> Status;
    /// Ends a handle.
    fn destroy = c"cusolverDnDestroy"(handle: Handle) -> Status;

    /// Elements that `dgetrf` works with.
    fn dgetrf_size = c"cusolverDnDgetrf_bufferSize"(handle: Handle, m: i32, n: i32, a: DevicePointer, lda: i32, work: &mut i32) -> Status;
    /// Factors with row exchanges.
    fn dgetrf = c"cusolverDnDgetrf"(handle: Handle, m: i32, n: i32, a: DevicePointer, lda: i32, work: DevicePointer, pivots: DevicePointer, info: DevicePointer) -> Status;
    /// Solves with the factors.
    fn dgetrs = c"cusolverDnDgetrs"(handle: Handle, operation: Operation, n: i32, columns: i32, a: DevicePointer, lda: i32, pivots: DevicePointer, b: DevicePointer, ldb: i32, info: DevicePointer) -> Status;
    /// Elements that `dpotrf` works with.
    fn dpotrf_size = c"cusolverDnDpotrf_bufferSize"(handle: Handle, triangle: Triangle, n: i32, a: DevicePointer, lda: i32, work: &mut i32) -> Status;
    /// Factors a positive matrix.
    fn dpotrf = c"cusolverDnDpotrf"(handle: Handle, triangle: Triangle, n: i32, a: DevicePointer, lda: i32, work: DevicePointer, length: i32, info: DevicePointer) -> Status;
    /// Solves with the factor.
    fn dpotrs = c"cusolverDnDpotrs"(handle: Handle, triangle: Triangle, n: i32, columns: i32, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32, info: DevicePointer) -> Status;

    /// As `dgetrf_size`, in f32.
    fn sgetrf_size = c"cusolverDnSgetrf_bufferSize"(handle: Handle, m: i32, n: i32, a: DevicePointer, lda: i32, work: &mut i32) -> Status;
    /// As `dgetrf`, in f32.
    fn sgetrf = c"cusolverDnSgetrf"(handle: Handle, m: i32, n: i32, a: DevicePointer, lda: i32, work: DevicePointer, pivots: DevicePointer, info: DevicePointer) -> Status;
    /// As `dgetrs`, in f32.
    fn sgetrs = c"cusolverDnSgetrs"(handle: Handle, operation: Operation, n: i32, columns: i32, a: DevicePointer, lda: i32, pivots: DevicePointer, b: DevicePointer, ldb: i32, info: DevicePointer) -> Status;
    /// As `dpotrf_size`, in f32.
    fn spotrf_size = c"cusolverDnSpotrf_bufferSize"(handle: Handle, triangle: Triangle, n: i32, a: DevicePointer, lda: i32, work: &mut i32) -> Status;
    /// As `dpotrf`, in f32.
    fn spotrf = c"cusolverDnSpotrf"(handle: Handle, triangle: Triangle, n: i32, a: DevicePointer, lda: i32, work: DevicePointer, length: i32, info: DevicePointer) -> Status;
    /// As `dpotrs`, in f32.
    fn spotrs = c"cusolverDnSpotrs"(handle: Handle, triangle: Triangle, n: i32, columns: i32, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32, info: DevicePointer) -> Status;

    /// What the functions with 64-bit sizes can be told. Since CUDA 11.0.
    fn create_parameters = c"cusolverDnCreateParams"(parameters: &mut Handle) -> Status;
    /// Ends them.
    fn destroy_parameters = c"cusolverDnDestroyParams"(parameters: Handle) -> Status;
    /// Bytes that `xgetrf` works with, on the device and on the host. Since CUDA 11.1.
    fn xgetrf_size = c"cusolverDnXgetrf_bufferSize"(
        handle: Handle, parameters: Handle, m: i64, n: i64, kind: DataType, a: DevicePointer, lda: i64,
        compute: DataType, device: &mut usize, host: &mut usize,
    ) -> Status;
    /// As `dgetrf`, with 64-bit sizes and pivots. Since CUDA 11.1.
    fn xgetrf = c"cusolverDnXgetrf"(
        handle: Handle, parameters: Handle, m: i64, n: i64, kind: DataType, a: DevicePointer, lda: i64,
        pivots: DevicePointer, compute: DataType, device: DevicePointer, device_size: usize,
        host: Out<'_, u64>, host_size: usize, info: DevicePointer,
    ) -> Status;
    /// As `dgetrs`, with 64-bit sizes and pivots. Since CUDA 11.1.
    fn xgetrs = c"cusolverDnXgetrs"(
        handle: Handle, parameters: Handle, operation: Operation, n: i64, columns: i64,
        kind: DataType, a: DevicePointer, lda: i64, pivots: DevicePointer,
        kind_of_b: DataType, b: DevicePointer, ldb: i64, info: DevicePointer,
    ) -> Status;
}

abi! {
    /// What cuSOLVER is linked with: cuBLAS, cuBLASLt, cuSPARSE, and the linker, each by the functions that it has.
    Linked;
    /// One number of the version of cuBLAS: `cublas_api.h`.
    fn cublas = c"cublasGetProperty"(property: Property, value: &mut i32) -> Status;
    /// One number of the version of cuBLASLt: `cublasLt.h`.
    fn cublas_lt = c"cublasLtGetProperty"(property: Property, value: &mut i32) -> Status;
    /// One number of the version of cuSPARSE: `cusparse.h`.
    fn cusparse = c"cusparseGetProperty"(property: Property, value: &mut i32) -> Status;
    /// The linker's version: `nvJitLink.h`.
    fn linker = c"nvJitLinkVersion"(major: &mut u32, minor: &mut u32) -> Status;
}
