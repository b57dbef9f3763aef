//! The functions of `cusparse.h`, read from the headers of CUDA 11.8, 12.9, and 13.5.
//!
//! CUDA 11 has the SONAME `libcusparse.so.11`, CUDA 12 and 13 have `.so.12`. Since 12.0 inputs are declared as constant
//! descriptors, which are the same pointers. The numbers of the algorithms used here have been the same since 11.0;
//! those of CUDA 10 were others.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, In, Status, Words, abi};

/// `cusparseOperation_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Operation(u32);

impl Operation {
    pub(super) const NON_TRANSPOSE: Self = Self(0);
    pub(super) const TRANSPOSE: Self = Self(1);
}

/// `cusparseIndexType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct IndexType(u32);

impl IndexType {
    pub(super) const INDEX_32I: Self = Self(2);
}

/// `cusparseIndexBase_t`: the number of the first row and column.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Base(pub(super) u32);

impl Base {
    pub(super) const ZERO: Self = Self(0);
    pub(super) const ONE: Self = Self(1);
}

/// `cusparseOrder_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Order(u32);

impl Order {
    pub(super) const COL: Self = Self(1);
    pub(super) const ROW: Self = Self(2);
}

/// `cudaDataType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DataType(u32);

impl DataType {
    pub(super) const R_32F: Self = Self(0);
    pub(super) const R_64F: Self = Self(1);
}

/// `cusparseSpMVAlg_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct VectorAlgorithm(pub(super) u32);

impl VectorAlgorithm {
    pub(super) const DEFAULT: Self = Self(0);
    pub(super) const COO_ALG1: Self = Self(1);
    pub(super) const CSR_ALG1: Self = Self(2);
    pub(super) const CSR_ALG2: Self = Self(3);
}

/// `cusparseSpMMAlg_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DenseAlgorithm(pub(super) u32);

impl DenseAlgorithm {
    pub(super) const DEFAULT: Self = Self(0);
    pub(super) const COO_ALG1: Self = Self(1);
    pub(super) const CSR_ALG1: Self = Self(4);
    pub(super) const CSR_ALG2: Self = Self(6);
}

/// A factor in the host's memory, as wide as the type that the library computes in.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar([u8; 8]);

impl From<f32> for Scalar {
    fn from(value: f32) -> Self {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&value.to_ne_bytes());
        Self(bytes)
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Self(value.to_ne_bytes())
    }
}

/// `libraryPropertyType`: 0 is the major version, 1 the minor, 2 the patch.
pub(super) type Property = u32;

abi! {
    /// libcusparse.
    Cusparse;
    /// One number of the version.
    fn property = c"cusparseGetProperty"(property: Property, value: &mut i32) -> Status;
    /// `CUSPARSE_STATUS_NOT_INITIALIZED`.
    fn error_name = c"cusparseGetErrorName"(status: Status) -> Words;
    /// A sentence.
    fn error_text = c"cusparseGetErrorString"(status: Status) -> Words;
    /// A handle; the first call that needs the driver.
    fn create = c"cusparseCreate"(handle: &mut Handle) -> Status;
    /// Ends a handle.
    fn destroy = c"cusparseDestroy"(handle: Handle) -> Status;
    /// A matrix of compressed rows.
    fn create_csr = c"cusparseCreateCsr"(
        matrix: &mut Handle, rows: i64, columns: i64, count: i64,
        offsets: DevicePointer, indices: DevicePointer, values: DevicePointer,
        offset_type: IndexType, index_type: IndexType, base: Base, kind: DataType,
    ) -> Status;
    /// A matrix of elements with their rows and columns.
    fn create_coo = c"cusparseCreateCoo"(
        matrix: &mut Handle, rows: i64, columns: i64, count: i64,
        row_indices: DevicePointer, column_indices: DevicePointer, values: DevicePointer,
        index_type: IndexType, base: Base, kind: DataType,
    ) -> Status;
    /// Ends the description of a sparse matrix.
    fn destroy_matrix = c"cusparseDestroySpMat"(matrix: Handle) -> Status;
    /// A dense vector.
    fn create_vector = c"cusparseCreateDnVec"(vector: &mut Handle, size: i64, values: DevicePointer, kind: DataType) -> Status;
    /// Ends the description of a dense vector.
    fn destroy_vector = c"cusparseDestroyDnVec"(vector: Handle) -> Status;
    /// A dense matrix.
    fn create_dense = c"cusparseCreateDnMat"(
        matrix: &mut Handle, rows: i64, columns: i64, leading: i64, values: DevicePointer, kind: DataType, order: Order,
    ) -> Status;
    /// Ends the description of a dense matrix.
    fn destroy_dense = c"cusparseDestroyDnMat"(matrix: Handle) -> Status;
    /// Bytes that `spmv` works with.
    fn spmv_size = c"cusparseSpMV_bufferSize"(
        handle: Handle, operation: Operation, alpha: In<'_, Scalar>, a: Handle, x: Handle,
        beta: In<'_, Scalar>, y: Handle, compute: DataType, algorithm: VectorAlgorithm, size: &mut usize,
    ) -> Status;
    /// Matrix times vector.
    fn spmv = c"cusparseSpMV"(
        handle: Handle, operation: Operation, alpha: In<'_, Scalar>, a: Handle, x: Handle,
        beta: In<'_, Scalar>, y: Handle, compute: DataType, algorithm: VectorAlgorithm, work: DevicePointer,
    ) -> Status;
    /// Bytes that `spmm` works with.
    fn spmm_size = c"cusparseSpMM_bufferSize"(
        handle: Handle, operation: Operation, operation_of_b: Operation, alpha: In<'_, Scalar>, a: Handle, b: Handle,
        beta: In<'_, Scalar>, c: Handle, compute: DataType, algorithm: DenseAlgorithm, size: &mut usize,
    ) -> Status;
    /// Sparse matrix times dense matrix.
    fn spmm = c"cusparseSpMM"(
        handle: Handle, operation: Operation, operation_of_b: Operation, alpha: In<'_, Scalar>, a: Handle, b: Handle,
        beta: In<'_, Scalar>, c: Handle, compute: DataType, algorithm: DenseAlgorithm, work: DevicePointer,
    ) -> Status;
}
