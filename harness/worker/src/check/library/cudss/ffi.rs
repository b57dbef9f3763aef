//! The functions of `cudss.h`.
//!
//! Read from the headers of 0.4.0, 0.5.0, 0.6.0, 0.7.0, 0.7.1, 0.8.0, and 1.0.0 (CUDA 12 and 13). Two things differ, and
//! the SONAME tells neither: 0.8.0 is still `libcudss.so.0`, but `cudssMatrixCreateCsr` has the argument `offsetType` of
//! 1.0; and the numbers of the phases are others before 0.6, and others again before 0.7. So the version that the library
//! reports decides. `cudssPhase_t` was the type of the phase before it became `int`, of the same size.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, In, Out, Status, abi};

/// `cudaDataType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DataType(pub(super) i32);

impl DataType {
    pub(super) const R_32F: Self = Self(0);
    pub(super) const R_64F: Self = Self(1);
    pub(super) const R_32I: Self = Self(10);
}

/// `cudssMatrixType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct MatrixType(pub(super) i32);

impl MatrixType {
    pub(super) const GENERAL: Self = Self(0);
    pub(super) const POSITIVE_DEFINITE: Self = Self(3);
}

/// `cudssMatrixViewType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct View(pub(super) i32);

impl View {
    pub(super) const FULL: Self = Self(0);
    pub(super) const LOWER: Self = Self(1);
}

/// `CUDSS_BASE_ZERO` of `cudssIndexBase_t`.
pub(super) const BASE_ZERO: i32 = 0;
/// `CUDSS_LAYOUT_COL_MAJOR` of `cudssLayout_t`.
pub(super) const COLUMN_MAJOR: i32 = 0;
/// `CUDSS_DATA_INFO` of `cudssDataParam_t`, an `int`.
pub(super) const DATA_INFO: i32 = 0;

/// `CUDSS_CONFIG_MATCHING_ALG` of `cudssConfigParam_t` from 0.8 on, a `cudssMatchingAlg_t`.
pub(super) const CONFIG_MATCHING: i32 = 3;
/// `CUDSS_MATCHING_ALG_NONE`.
pub(super) const MATCHING_NONE: i32 = 0;

/// The steps of a solution, as numbers of `cudssPhase_t`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Phases {
    pub(super) analysis: i32,
    pub(super) factorization: i32,
    pub(super) solve: i32,
}

impl Phases {
    /// 0.4 and 0.5: one bit each.
    pub(super) const FIRST: Self = Self {
        analysis: 1,
        factorization: 2,
        solve: 8,
    };
    /// 0.6: reordering 1, symbolic factorisation 2; solving forward 16, diagonally 32, backward 64.
    pub(super) const SECOND: Self = Self {
        analysis: 1 | 2,
        factorization: 4,
        solve: 16 | 32 | 64,
    };
    /// From 0.7 on: also the permutations 16 and 256, and the refinement 512.
    pub(super) const THIRD: Self = Self {
        analysis: 1 | 2,
        factorization: 4,
        solve: 16 | 32 | 64 | 128 | 256 | 512,
    };
}

abi! {
    /// What all versions declare alike.
    Cudss;
    /// Property 0 is the major version, 1 the minor, 2 the patch.
    fn property = c"cudssGetProperty"(property: i32, value: &mut i32) -> Status;
    fn create = c"cudssCreate"(handle: &mut Handle) -> Status;
    fn destroy = c"cudssDestroy"(handle: Handle) -> Status;
    fn create_config = c"cudssConfigCreate"(config: &mut Handle) -> Status;
    fn configure = c"cudssConfigSet"(config: Handle, parameter: i32, value: In<'_, i32>, bytes: usize) -> Status;
    fn destroy_config = c"cudssConfigDestroy"(config: Handle) -> Status;
    fn create_data = c"cudssDataCreate"(handle: Handle, data: &mut Handle) -> Status;
    fn destroy_data = c"cudssDataDestroy"(handle: Handle, data: Handle) -> Status;
    fn data = c"cudssDataGet"(
        handle: Handle,
        data: Handle,
        parameter: i32,
        value: Out<'_, u8>,
        bytes: usize,
        written: &mut usize,
    ) -> Status;
    /// Dense, with the leading dimension in elements.
    fn create_dense = c"cudssMatrixCreateDn"(
        matrix: &mut Handle,
        rows: i64,
        columns: i64,
        leading: i64,
        values: DevicePointer,
        value: DataType,
        layout: i32,
    ) -> Status;
    fn destroy_matrix = c"cudssMatrixDestroy"(matrix: Handle) -> Status;
    fn execute = c"cudssExecute"(
        handle: Handle,
        phase: i32,
        config: Handle,
        data: Handle,
        matrix: Handle,
        solution: Handle,
        right: Handle,
    ) -> Status;
}

abi! {
    /// Before 0.8.
    BeforeOffsets;
    /// `row_end` may be null: then each row ends where the next begins.
    fn create_csr = c"cudssMatrixCreateCsr"(
        matrix: &mut Handle,
        rows: i64,
        columns: i64,
        nonzeros: i64,
        row_start: DevicePointer,
        row_end: DevicePointer,
        column_indices: DevicePointer,
        values: DevicePointer,
        index: DataType,
        value: DataType,
        matrix_type: MatrixType,
        view: View,
        base: i32,
    ) -> Status;
}

abi! {
    /// From 0.8 on.
    SinceOffsets;
    /// `row_end` may be null: then each row ends where the next begins.
    fn create_csr = c"cudssMatrixCreateCsr"(
        matrix: &mut Handle,
        rows: i64,
        columns: i64,
        nonzeros: i64,
        row_start: DevicePointer,
        row_end: DevicePointer,
        column_indices: DevicePointer,
        values: DevicePointer,
        offset: DataType,
        index: DataType,
        value: DataType,
        matrix_type: MatrixType,
        view: View,
        base: i32,
    ) -> Status;
}
