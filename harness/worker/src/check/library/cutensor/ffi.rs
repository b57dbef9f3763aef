//! The functions of `cutensor.h` of cuTENSOR 2.
//!
//! Read from the headers of 2.0.0, 2.2.0 (CUDA 11), 2.3.1, and 2.8.1 (CUDA 12 and 13), which declare all of them alike;
//! `cutensorDataType_t` was an enumeration before it became CUDA's own, with the same numbers. All handles are pointers
//! to structures that the header leaves open.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::CStr;

use crate::library::{DevicePointer, Handle, In, Out, SharedLibrary, Status, Words, abi};

/// `cudaDataType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DataType(pub(super) i32);

impl DataType {
    pub(super) const R_32F: Self = Self(0);
    pub(super) const R_64F: Self = Self(1);
    pub(super) const R_16F: Self = Self(2);
}

/// `cutensorOperator_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Operator(pub(super) i32);

impl Operator {
    pub(super) const IDENTITY: Self = Self(1);
    pub(super) const ADD: Self = Self(3);
    pub(super) const MUL: Self = Self(5);
    pub(super) const MAX: Self = Self(6);
}

/// `CUTENSOR_ALGO_DEFAULT` of `cutensorAlgo_t`.
pub(super) const ALGO_DEFAULT: i32 = -1;
/// `cutensorJitMode_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Jit(pub(super) i32);

impl Jit {
    /// No kernel is compiled at run time.
    pub(super) const NONE: Self = Self(0);
    /// A kernel may be compiled for the operation, by NVRTC; from compute capability 8.0 on.
    pub(super) const DEFAULT: Self = Self(1);
}

/// `CUTENSOR_WORKSPACE_DEFAULT` of `cutensorWorksizePreference_t`.
pub(super) const WORKSPACE_DEFAULT: i32 = 2;
/// `CUTENSOR_OPERATION_DESCRIPTOR_SCALAR_TYPE`, a `cudaDataType_t`.
pub(super) const SCALAR_TYPE: i32 = 1;
/// `CUTENSOR_PLAN_REQUIRED_WORKSPACE`, an unsigned number of 64 bits.
pub(super) const REQUIRED_WORKSPACE: i32 = 0;

abi! {
    /// libcutensor.
    Cutensor;
    /// 10000 times the major version, 100 times the minor, and the patch.
    fn version = c"cutensorGetVersion"() -> usize;
    /// 1000 times the major version of the CUDA runtime that it was built with, and 10 times the minor.
    fn cudart_version = c"cutensorGetCudartVersion"() -> usize;
    /// A sentence, or the status's name.
    fn error_text = c"cutensorGetErrorString"(status: Status) -> Words;
    fn create = c"cutensorCreate"(handle: &mut Handle) -> Status;
    fn destroy = c"cutensorDestroy"(handle: Handle) -> Status;
    /// Extents and strides in elements; the alignment of the address in bytes.
    fn create_tensor = c"cutensorCreateTensorDescriptor"(
        handle: Handle,
        tensor: &mut Handle,
        modes: u32,
        extents: In<'_, i64>,
        strides: In<'_, i64>,
        data: DataType,
        alignment: u32,
    ) -> Status;
    fn destroy_tensor = c"cutensorDestroyTensorDescriptor"(tensor: Handle) -> Status;
    fn create_contraction = c"cutensorCreateContraction"(
        handle: Handle,
        operation: &mut Handle,
        a: Handle, modes_a: In<'_, i32>, operator_a: Operator,
        b: Handle, modes_b: In<'_, i32>, operator_b: Operator,
        c: Handle, modes_c: In<'_, i32>, operator_c: Operator,
        d: Handle, modes_d: In<'_, i32>,
        compute: Handle,
    ) -> Status;
    fn create_reduction = c"cutensorCreateReduction"(
        handle: Handle,
        operation: &mut Handle,
        a: Handle, modes_a: In<'_, i32>, operator_a: Operator,
        c: Handle, modes_c: In<'_, i32>, operator_c: Operator,
        d: Handle, modes_d: In<'_, i32>,
        reduce: Operator,
        compute: Handle,
    ) -> Status;
    fn create_permutation = c"cutensorCreatePermutation"(
        handle: Handle,
        operation: &mut Handle,
        a: Handle, modes_a: In<'_, i32>, operator_a: Operator,
        b: Handle, modes_b: In<'_, i32>,
        compute: Handle,
    ) -> Status;
    fn create_binary = c"cutensorCreateElementwiseBinary"(
        handle: Handle,
        operation: &mut Handle,
        a: Handle, modes_a: In<'_, i32>, operator_a: Operator,
        c: Handle, modes_c: In<'_, i32>, operator_c: Operator,
        d: Handle, modes_d: In<'_, i32>,
        operator_ac: Operator,
        compute: Handle,
    ) -> Status;
    fn create_trinary = c"cutensorCreateElementwiseTrinary"(
        handle: Handle,
        operation: &mut Handle,
        a: Handle, modes_a: In<'_, i32>, operator_a: Operator,
        b: Handle, modes_b: In<'_, i32>, operator_b: Operator,
        c: Handle, modes_c: In<'_, i32>, operator_c: Operator,
        d: Handle, modes_d: In<'_, i32>,
        operator_ab: Operator,
        operator_abc: Operator,
        compute: Handle,
    ) -> Status;
    fn operation_attribute = c"cutensorOperationDescriptorGetAttribute"(
        handle: Handle,
        operation: Handle,
        attribute: i32,
        value: Out<'_, u8>,
        bytes: usize,
    ) -> Status;
    fn destroy_operation = c"cutensorDestroyOperationDescriptor"(operation: Handle) -> Status;
    fn create_preference = c"cutensorCreatePlanPreference"(
        handle: Handle,
        preference: &mut Handle,
        algorithm: i32,
        jit: Jit,
    ) -> Status;
    fn destroy_preference = c"cutensorDestroyPlanPreference"(preference: Handle) -> Status;
    fn estimate_workspace = c"cutensorEstimateWorkspaceSize"(
        handle: Handle,
        operation: Handle,
        preference: Handle,
        workspace: i32,
        bytes: &mut u64,
    ) -> Status;
    fn create_plan = c"cutensorCreatePlan"(
        handle: Handle,
        plan: &mut Handle,
        operation: Handle,
        preference: Handle,
        workspace_limit: u64,
    ) -> Status;
    fn plan_attribute = c"cutensorPlanGetAttribute"(
        handle: Handle,
        plan: Handle,
        attribute: i32,
        value: Out<'_, u8>,
        bytes: usize,
    ) -> Status;
    fn destroy_plan = c"cutensorDestroyPlan"(plan: Handle) -> Status;
    /// The scalars lie in the host's memory and are of the operation's scalar type.
    fn contract = c"cutensorContract"(
        handle: Handle,
        plan: Handle,
        alpha: In<'_, u8>, a: DevicePointer, b: DevicePointer,
        beta: In<'_, u8>, c: DevicePointer, d: DevicePointer,
        workspace: DevicePointer,
        workspace_bytes: u64,
        stream: Handle,
    ) -> Status;
    fn reduce = c"cutensorReduce"(
        handle: Handle,
        plan: Handle,
        alpha: In<'_, u8>, a: DevicePointer,
        beta: In<'_, u8>, c: DevicePointer, d: DevicePointer,
        workspace: DevicePointer,
        workspace_bytes: u64,
        stream: Handle,
    ) -> Status;
    fn permute = c"cutensorPermute"(
        handle: Handle,
        plan: Handle,
        alpha: In<'_, u8>, a: DevicePointer, b: DevicePointer,
        stream: Handle,
    ) -> Status;
    fn binary = c"cutensorElementwiseBinaryExecute"(
        handle: Handle,
        plan: Handle,
        alpha: In<'_, u8>, a: DevicePointer,
        gamma: In<'_, u8>, c: DevicePointer, d: DevicePointer,
        stream: Handle,
    ) -> Status;
    fn trinary = c"cutensorElementwiseTrinaryExecute"(
        handle: Handle,
        plan: Handle,
        alpha: In<'_, u8>, a: DevicePointer,
        beta: In<'_, u8>, b: DevicePointer,
        gamma: In<'_, u8>, c: DevicePointer, d: DevicePointer,
        stream: Handle,
    ) -> Status;
}

/// In which precision products and sums are formed: a variable of the library that points to a descriptor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Compute(pub(super) &'static CStr);

impl Compute {
    /// Single precision, and no less than that.
    pub(super) const F32: Self = Self(c"CUTENSOR_COMPUTE_DESC_32F");
    /// Double precision.
    pub(super) const F64: Self = Self(c"CUTENSOR_COMPUTE_DESC_64F");

    /// The descriptor, if the library has it.
    pub(super) fn descriptor(self, library: &SharedLibrary) -> Option<Handle> {
        // SAFETY: the header declares these names as variables of the type `cutensorComputeDescriptor_t`, a pointer.
        unsafe { library.variable(self.0) }
    }
}
