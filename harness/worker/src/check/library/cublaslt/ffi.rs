//! The functions of `cublasLt.h` that the checks call, and their enumerations as integers.
//!
//! Read from the headers of cuBLAS 11.11.3, 12.0.1, 12.9.1, 13.0.0, and 13.10.0. Every declaration, every value, and
//! the layout of the structure here is the same in all five, so that one table serves `libcublasLt.so.11` to
//! `libcublasLt.so.13`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use super::super::cublas::ffi::{ComputeType, DataType, Property, Scalar};
use crate::library::{DevicePointer, Handle, Out, Status, Words, abi};

/// `cublasLtMatmulDescAttributes_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct MatmulAttribute(i32);

impl MatmulAttribute {
    /// `int32_t`, a `cublasOperation_t`.
    pub(super) const TRANSPOSE_A: Self = Self(3);
    /// `int32_t`, a `cublasOperation_t`.
    pub(super) const TRANSPOSE_B: Self = Self(4);
    /// `uint32_t`, see [`Epilogue`].
    pub(super) const EPILOGUE: Self = Self(7);
    /// A pointer to the device's memory.
    pub(super) const BIAS_POINTER: Self = Self(8);
}

/// `cublasLtEpilogue_t`, what is done to a result before it is stored.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Epilogue(pub(super) i32);

impl Epilogue {
    pub(super) const BIAS: Self = Self(4);
    pub(super) const RELU_BIAS: Self = Self(6);
}

/// `cublasLtMatrixLayoutAttribute_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LayoutAttribute(i32);

impl LayoutAttribute {
    /// `int32_t`.
    pub(super) const BATCH_COUNT: Self = Self(5);
    /// `int64_t`, in elements.
    pub(super) const BATCH_STRIDE: Self = Self(6);
}

/// `cublasLtMatmulPreferenceAttributes_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PreferenceAttribute(i32);

impl PreferenceAttribute {
    /// `uint64_t`, in bytes.
    pub(super) const WORKSPACE: Self = Self(1);
    /// `uint32_t`, bits of `cublasLtReductionScheme_t`.
    pub(super) const REDUCTION_SCHEMES: Self = Self(3);
}

/// `CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE`: partial sums are kept in the compute type.
pub(super) const REDUCTION_IN_COMPUTE_TYPE: i32 = 2;

/// `cublasLtMatmulAlgo_t`, opaque.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Algorithm([u64; 8]);

/// `cublasLtMatmulHeuristicResult_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) algorithm: Algorithm,
    /// Bytes of workspace that it needs.
    pub(super) workspace: usize,
    /// Whether the rest is valid.
    pub(super) state: Status,
    waves: f32,
    reserved: [i32; 4],
}

impl Candidate {
    /// Not filled in yet; its state is an error.
    pub(super) const UNSET: Self = Self {
        algorithm: Algorithm([0; 8]),
        workspace: 0,
        state: Status(1),
        waves: 0.0,
        reserved: [0; 4],
    };
}

abi! {
    /// libcublasLt.
    CublasLt;
    /// Makes a handle, and with it what the library needs of the device.
    fn create = c"cublasLtCreate"(handle: &mut Handle) -> Status;
    fn destroy = c"cublasLtDestroy"(handle: Handle) -> Status;
    /// 10000 times the major version, 100 times the minor, and the patch.
    fn version = c"cublasLtGetVersion"() -> usize;
    /// The runtime that is built in: 1000 times the major version and 10 times the minor.
    fn cudart_version = c"cublasLtGetCudartVersion"() -> usize;
    fn property = c"cublasLtGetProperty"(property: Property, value: &mut i32) -> Status;
    fn matmul_create = c"cublasLtMatmulDescCreate"(matmul: &mut Handle, compute: ComputeType, scale: DataType) -> Status;
    fn matmul_destroy = c"cublasLtMatmulDescDestroy"(matmul: Handle) -> Status;
    fn matmul_set = c"cublasLtMatmulDescSetAttribute"(matmul: Handle, attribute: MatmulAttribute, value: &Scalar,
        bytes: usize) -> Status;
    fn layout_create = c"cublasLtMatrixLayoutCreate"(layout: &mut Handle, data: DataType, rows: u64, columns: u64,
        leading: i64) -> Status;
    fn layout_destroy = c"cublasLtMatrixLayoutDestroy"(layout: Handle) -> Status;
    fn layout_set = c"cublasLtMatrixLayoutSetAttribute"(layout: Handle, attribute: LayoutAttribute, value: &Scalar,
        bytes: usize) -> Status;
    fn preference_create = c"cublasLtMatmulPreferenceCreate"(preference: &mut Handle) -> Status;
    fn preference_destroy = c"cublasLtMatmulPreferenceDestroy"(preference: Handle) -> Status;
    fn preference_set = c"cublasLtMatmulPreferenceSetAttribute"(preference: Handle, attribute: PreferenceAttribute,
        value: &Scalar, bytes: usize) -> Status;
    /// Fills in up to so many candidates, the fastest first, and their number.
    fn heuristic = c"cublasLtMatmulAlgoGetHeuristic"(handle: Handle, matmul: Handle, a: Handle, b: Handle, c: Handle,
        d: Handle, preference: Handle, requested: i32, candidates: Out<'_, Candidate>, returned: &mut i32) -> Status;
    fn matmul = c"cublasLtMatmul"(handle: Handle, matmul: Handle, alpha: &Scalar, a: DevicePointer, layout_a: Handle,
        b: DevicePointer, layout_b: Handle, beta: &Scalar, c: DevicePointer, layout_c: Handle,
        d: DevicePointer, layout_d: Handle, algorithm: &Algorithm,
        workspace: DevicePointer, bytes: usize, stream: Handle) -> Status;
    /// `CUBLAS_STATUS_ARCH_MISMATCH`.
    fn status_name = c"cublasLtGetStatusName"(status: Status) -> Words;
    /// A sentence.
    fn status_text = c"cublasLtGetStatusString"(status: Status) -> Words;
}
