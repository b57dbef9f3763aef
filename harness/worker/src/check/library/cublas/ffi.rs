//! The functions of `cublas_api.h` that the checks call, and their enumerations as integers.
//!
//! Read from the headers of cuBLAS 11.11.3, 12.0.1, 12.9.1, 13.0.0, and 13.10.0. Every declaration and every value here
//! is the same in all five, so that one table serves `libcublas.so.11` to `libcublas.so.13`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::c_char;

use half::f16;

use crate::library::{DevicePointer, Handle, In, Status, Words, abi};

/// `cublasOperation_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Operation(pub(in crate::check::library) i32);

impl Operation {
    pub(in crate::check::library) const PLAIN: Self = Self(0);
    pub(in crate::check::library) const TRANSPOSED: Self = Self(1);
    /// For real numbers the same as transposed.
    pub(in crate::check::library) const CONJUGATE_TRANSPOSED: Self = Self(2);
}

/// `cudaDataType` of `library_types.h`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct DataType(i32);

impl DataType {
    pub(in crate::check::library) const F32: Self = Self(0);
    pub(in crate::check::library) const F64: Self = Self(1);
    pub(in crate::check::library) const F16: Self = Self(2);
    pub(in crate::check::library) const I8: Self = Self(3);
    pub(in crate::check::library) const I32: Self = Self(10);
    pub(in crate::check::library) const BF16: Self = Self(14);
}

/// `cublasComputeType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct ComputeType(i32);

impl ComputeType {
    pub(in crate::check::library) const F16: Self = Self(64);
    pub(in crate::check::library) const F32: Self = Self(68);
    pub(in crate::check::library) const F64: Self = Self(70);
    pub(in crate::check::library) const I32: Self = Self(72);
    pub(in crate::check::library) const F32_FAST_TF32: Self = Self(77);
}

/// `cublasMath_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct MathMode(i32);

impl MathMode {
    pub(super) const DEFAULT: Self = Self(0);
    pub(super) const PEDANTIC: Self = Self(2);
    pub(super) const TF32: Self = Self(3);
    /// The default, but sums of parts are made in the compute type, not in the type of the result.
    pub(super) const FULL_REDUCTION: Self = Self(16);
}

/// `cublasGemmAlgo_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Algorithm(i32);

impl Algorithm {
    /// The library chooses.
    pub(super) const DEFAULT: Self = Self(-1);
}

/// `cublasSideMode_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Side(i32);

impl Side {
    pub(super) const LEFT: Self = Self(0);
    pub(super) const RIGHT: Self = Self(1);
}

/// `cublasFillMode_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fill(i32);

impl Fill {
    pub(super) const LOWER: Self = Self(0);
    pub(super) const UPPER: Self = Self(1);
}

/// `cublasDiagType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Diagonal(i32);

impl Diagonal {
    pub(super) const STORED: Self = Self(0);
    pub(super) const UNIT: Self = Self(1);
}

/// `libraryPropertyType` of `library_types.h`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Property(i32);

impl Property {
    pub(in crate::check::library) const MAJOR: Self = Self(0);
    pub(in crate::check::library) const MINOR: Self = Self(1);
    pub(in crate::check::library) const PATCH: Self = Self(2);
}

/// A factor of the host's memory whose type a compute type decides: its bytes, from the lowest of eight.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Scalar(u64);

impl Scalar {
    pub(in crate::check::library) fn f32(value: f32) -> Self {
        Self(u64::from(value.to_bits()).to_le())
    }

    pub(in crate::check::library) fn f64(value: f64) -> Self {
        Self(value.to_bits().to_le())
    }

    pub(in crate::check::library) fn u64(value: u64) -> Self {
        Self(value.to_le())
    }

    pub(in crate::check::library) fn f16(value: f16) -> Self {
        Self(u64::from(value.to_bits()).to_le())
    }

    pub(in crate::check::library) fn i32(value: i32) -> Self {
        Self(u64::from(value.cast_unsigned()).to_le())
    }
}

abi! {
    /// libcublas.
    Cublas;
    /// Makes a handle, and with it everything that the library needs of the device.
    fn create = c"cublasCreate_v2"(handle: &mut Handle) -> Status;
    fn destroy = c"cublasDestroy_v2"(handle: Handle) -> Status;
    /// 10000 times the major version, 100 times the minor, and the patch. It takes no handle.
    fn version = c"cublasGetVersion_v2"(handle: Handle, version: &mut i32) -> Status;
    fn property = c"cublasGetProperty"(property: Property, value: &mut i32) -> Status;
    /// The runtime that is built in: 1000 times the major version and 10 times the minor.
    fn cudart_version = c"cublasGetCudartVersion"() -> usize;
    /// A function of libcublasLt, looked up through what libcublas is linked with: the answer is that of the very
    /// libcublasLt that libcublas calls.
    fn lt_version = c"cublasLtGetVersion"() -> usize;
    /// Another of libcublasLt.
    fn lt_cudart_version = c"cublasLtGetCudartVersion"() -> usize;
    /// The log, if it is on, goes to this function; a message lives as long as the call.
    fn set_logger = c"cublasSetLoggerCallback"(hear: extern "C" fn(Words)) -> Status;
    /// Whether there is a log, whether it goes to the standard streams, and into which file.
    fn configure_logger = c"cublasLoggerConfigure"(on: i32, stdout: i32, stderr: i32, file: In<'_, c_char>) -> Status;
    fn set_math_mode = c"cublasSetMathMode"(handle: Handle, mode: MathMode) -> Status;
    /// The memory must be aligned to 256 bytes.
    fn set_workspace = c"cublasSetWorkspace_v2"(handle: Handle, workspace: DevicePointer, bytes: usize) -> Status;
    fn sgemm = c"cublasSgemm_v2"(handle: Handle, op_a: Operation, op_b: Operation, m: i32, n: i32, k: i32,
        alpha: &f32, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32,
        beta: &f32, c: DevicePointer, ldc: i32) -> Status;
    fn dgemm = c"cublasDgemm_v2"(handle: Handle, op_a: Operation, op_b: Operation, m: i32, n: i32, k: i32,
        alpha: &f64, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32,
        beta: &f64, c: DevicePointer, ldc: i32) -> Status;
    fn hgemm = c"cublasHgemm"(handle: Handle, op_a: Operation, op_b: Operation, m: i32, n: i32, k: i32,
        alpha: &f16, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32,
        beta: &f16, c: DevicePointer, ldc: i32) -> Status;
    fn gemm_ex = c"cublasGemmEx"(handle: Handle, op_a: Operation, op_b: Operation, m: i32, n: i32, k: i32,
        alpha: &Scalar, a: DevicePointer, type_a: DataType, lda: i32, b: DevicePointer, type_b: DataType, ldb: i32,
        beta: &Scalar, c: DevicePointer, type_c: DataType, ldc: i32,
        compute: ComputeType, algorithm: Algorithm) -> Status;
    /// Strides are in elements.
    fn gemm_strided_batched_ex = c"cublasGemmStridedBatchedEx"(handle: Handle, op_a: Operation, op_b: Operation,
        m: i32, n: i32, k: i32,
        alpha: &Scalar, a: DevicePointer, type_a: DataType, lda: i32, stride_a: i64,
        b: DevicePointer, type_b: DataType, ldb: i32, stride_b: i64,
        beta: &Scalar, c: DevicePointer, type_c: DataType, ldc: i32, stride_c: i64,
        count: i32, compute: ComputeType, algorithm: Algorithm) -> Status;
    /// The arrays of pointers lie in the device's memory.
    fn sgemm_batched = c"cublasSgemmBatched"(handle: Handle, op_a: Operation, op_b: Operation, m: i32, n: i32, k: i32,
        alpha: &f32, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32,
        beta: &f32, c: DevicePointer, ldc: i32, count: i32) -> Status;
    /// Overwrites B with the solution.
    fn dtrsm = c"cublasDtrsm_v2"(handle: Handle, side: Side, fill: Fill, operation: Operation, diagonal: Diagonal,
        m: i32, n: i32, alpha: &f64, a: DevicePointer, lda: i32, b: DevicePointer, ldb: i32) -> Status;
    /// Waits for the device, since the result is the host's.
    fn sdot = c"cublasSdot_v2"(handle: Handle, n: i32, x: DevicePointer, step_x: i32,
        y: DevicePointer, step_y: i32, result: &mut f32) -> Status;
    fn ddot = c"cublasDdot_v2"(handle: Handle, n: i32, x: DevicePointer, step_x: i32,
        y: DevicePointer, step_y: i32, result: &mut f64) -> Status;
    /// `CUBLAS_STATUS_ARCH_MISMATCH`.
    fn status_name = c"cublasGetStatusName"(status: Status) -> Words;
    /// A sentence.
    fn status_text = c"cublasGetStatusString"(status: Status) -> Words;
}
