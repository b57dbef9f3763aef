//! The functions of `nccl.h`, read from NCCL 2.32.3 for CUDA 12 and 13, whose headers are the same. The signatures
//! are those of all NCCL 2; operations of one's own came with 2.11, `ncclGetLastError` with 2.13.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, In, Out, Status, Words, abi};

abi! {
    /// libnccl.
    Nccl;
    /// 10000 times the major version, 100 times the minor, and the patch; 1000 times the major before 2.9.
    fn version = c"ncclGetVersion"(version: &mut i32) -> Status;
    /// A communicator for each of the devices, all in this process.
    fn init_all = c"ncclCommInitAll"(
        communicators: Out<'_, Handle>,
        count: i32,
        devices: In<'_, i32>,
    ) -> Status;
    /// Ends one.
    fn destroy = c"ncclCommDestroy"(communicator: Handle) -> Status;
    /// What went wrong after a function had returned.
    fn async_error = c"ncclCommGetAsyncError"(communicator: Handle, error: &mut Status) -> Status;
    /// The sum or another operation over all devices, on each of them.
    fn all_reduce = c"ncclAllReduce"(
        from: DevicePointer,
        to: DevicePointer,
        count: usize,
        data_type: i32,
        operation: i32,
        communicator: Handle,
        stream: Handle,
    ) -> Status;
    /// A sum of operands that are multiplied before it. The factor is read at once where `residence` is 1.
    fn create_scaled_sum = c"ncclRedOpCreatePreMulSum"(
        operation: &mut i32,
        factor: In<'_, f32>,
        data_type: i32,
        residence: i32,
        communicator: Handle,
    ) -> Status;
    /// Ends an operation that was created.
    fn destroy_operation = c"ncclRedOpDestroy"(operation: i32, communicator: Handle) -> Status;
    /// A part of that for each device.
    fn reduce_scatter = c"ncclReduceScatter"(
        from: DevicePointer,
        to: DevicePointer,
        part: usize,
        data_type: i32,
        operation: i32,
        communicator: Handle,
        stream: Handle,
    ) -> Status;
    /// The parts of all devices, on each of them.
    fn all_gather = c"ncclAllGather"(
        from: DevicePointer,
        to: DevicePointer,
        part: usize,
        data_type: i32,
        communicator: Handle,
        stream: Handle,
    ) -> Status;
    /// What one device has, on each of them.
    fn broadcast = c"ncclBroadcast"(
        from: DevicePointer,
        to: DevicePointer,
        count: usize,
        data_type: i32,
        root: i32,
        communicator: Handle,
        stream: Handle,
    ) -> Status;
    /// Opens a group: one thread starts an operation on several devices.
    fn group_start = c"ncclGroupStart"() -> Status;
    /// Closes it, and starts what is in it.
    fn group_end = c"ncclGroupEnd"() -> Status;
    /// A sentence.
    fn error_text = c"ncclGetErrorString"(status: Status) -> Words;
    /// What was logged last.
    fn last_error = c"ncclGetLastError"(communicator: Handle) -> Words;
}

abi! {
    /// The driver, as far as a test on several devices needs it. The signatures are those of `cuda.h` since CUDA 4.
    Cuda;
    /// Visible devices.
    fn device_count = c"cuDeviceGetCount"(count: &mut i32) -> Status;
    /// A device.
    fn device = c"cuDeviceGet"(device: &mut i32, ordinal: i32) -> Status;
    /// Its primary context, which the runtime inside the library uses as well.
    fn retain = c"cuDevicePrimaryCtxRetain"(context: &mut Handle, device: i32) -> Status;
    /// Gives it back.
    fn release = c"cuDevicePrimaryCtxRelease_v2"(device: i32) -> Status;
    /// The context of the calls that follow.
    fn set_current = c"cuCtxSetCurrent"(context: Handle) -> Status;
    /// Waits for its device.
    fn synchronize = c"cuCtxSynchronize"() -> Status;
    /// Memory of its device.
    fn allocate = c"cuMemAlloc_v2"(memory: &mut DevicePointer, bytes: usize) -> Status;
    /// Gives it back.
    fn free = c"cuMemFree_v2"(memory: DevicePointer) -> Status;
    /// To the device.
    fn upload = c"cuMemcpyHtoD_v2"(to: DevicePointer, from: In<'_, u8>, bytes: usize) -> Status;
    /// To the host.
    fn download = c"cuMemcpyDtoH_v2"(to: Out<'_, u8>, from: DevicePointer, bytes: usize) -> Status;
}

/// `ncclInt32`.
pub(super) const INT32: i32 = 2;

/// `ncclFloat32`.
pub(super) const FLOAT32: i32 = 7;

/// `ncclSum`.
pub(super) const SUM: i32 = 0;
