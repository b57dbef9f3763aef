//! How the devices are: memory, clocks, errors, and who uses them.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use super::{call, with_device};
use crate::driver::exported;
use crate::driver::value::Out;
use crate::nvml::{NvmlStatus, compute_mode, measured, memory, switch};
use crate::profile::Attribute;

/// `nvmlMemory_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Memory {
    total: u64,
    free: u64,
    used: u64,
}

/// `nvmlMemory_v2_t`; its version says that it is the second, and its size.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct MemoryV2 {
    version: u32,
    total: u64,
    reserved: u64,
    free: u64,
    used: u64,
}
const MEMORY_V2: u32 = 0x0200_0028;

/// `nvmlFieldValue_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct FieldValue {
    field: u32,
    scope: u32,
    timestamp: i64,
    latency: i64,
    value_type: u32,
    status: u32,
    value: u64,
}

/// `nvmlProcessInfo_t` of the third version.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct ProcessInfo {
    process: u32,
    used_memory: u64,
    gpu_instance: u32,
    compute_instance: u32,
}

/// `nvmlUtilization_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Utilization {
    gpu: u32,
    memory: u32,
}

/// A measurement of a device that does nothing; a number that cannot be simulated is a plausible constant.
fn constant(handle: u64, answer: Out<u32>, value: u32) -> Result<(), NvmlStatus> {
    with_device(handle, |machine, index| {
        measured(machine, index).map(|_| ())
    })?;
    Ok(answer.set(value)?)
}

/// Graphics, SM, memory, and video clock in MHz.
fn clock(handle: u64, kind: u32, answer: Out<u32>) -> Result<(), NvmlStatus> {
    let clock = with_device(handle, |machine, index| {
        let device = measured(machine, index)?;
        let memory = Attribute::from_number(36).map_or(0, |number| device.attribute(number));
        match kind {
            0 | 1 | 3 => Ok(device.clock_khz),
            2 => Ok(u32::try_from(memory).unwrap_or(0)),
            _ => Err(NvmlStatus::INVALID_ARGUMENT),
        }
    })?;
    Ok(answer.set(clock / 1000)?)
}

/// Errors of memory so far, of the corrected (0) or the uncorrected (1) kind.
fn errors(handle: u64, kind: u32, answer: Out<u64>) -> Result<(), NvmlStatus> {
    let count = with_device(handle, |machine, index| {
        switch(measured(machine, index)?.ecc)?;
        match kind {
            0 => Ok(0),
            1 => Ok(machine.hardware().uncorrected()),
            _ => Err(NvmlStatus::INVALID_ARGUMENT),
        }
    })?;
    Ok(answer.set(count)?)
}

exported! { call => NvmlStatus;
    fn nvmlDeviceGetMemoryInfo(handle: u64, answer: Out<Memory>) {
        let (total, used) = with_device(handle, |machine, index| memory(machine, index))?;
        Ok(answer.set(Memory { total, free: total - used, used })?)
    }

    fn nvmlDeviceGetMemoryInfo_v2(handle: u64, answer: Out<MemoryV2>) {
        let version = answer.of::<u32>().get()?;
        if version != MEMORY_V2 {
            return Err(NvmlStatus::ARGUMENT_VERSION_MISMATCH);
        }
        let (total, used) = with_device(handle, |machine, index| memory(machine, index))?;
        Ok(answer.set(MemoryV2 { version, total, reserved: 0, free: total - used, used })?)
    }

    fn nvmlDeviceGetComputeMode(handle: u64, answer: Out<u32>) {
        let mode = with_device(handle, |machine, index| Ok(compute_mode(measured(machine, index)?.compute_mode)))?;
        Ok(answer.set(mode)?)
    }

    fn nvmlDeviceGetPersistenceMode(handle: u64, answer: Out<u32>) {
        constant(handle, answer, 1)
    }

    fn nvmlDeviceGetTemperature(handle: u64, sensor: u32, answer: Out<u32>) {
        if sensor != 0 {
            return Err(NvmlStatus::INVALID_ARGUMENT);
        }
        constant(handle, answer, 41)
    }

    // Milliwatts.
    fn nvmlDeviceGetPowerUsage(handle: u64, answer: Out<u32>) {
        constant(handle, answer, 71_500)
    }

    fn nvmlDeviceGetClockInfo(handle: u64, kind: u32, answer: Out<u32>) {
        clock(handle, kind, answer)
    }

    fn nvmlDeviceGetMaxClockInfo(handle: u64, kind: u32, answer: Out<u32>) {
        clock(handle, kind, answer)
    }

    // Nothing slows the clocks.
    fn nvmlDeviceGetCurrentClocksThrottleReasons(handle: u64, answer: Out<u64>) {
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        Ok(answer.set(0)?)
    }

    fn nvmlDeviceGetCurrentClocksEventReasons(handle: u64, answer: Out<u64>) {
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        Ok(answer.set(0)?)
    }

    fn nvmlDeviceGetUtilizationRates(handle: u64, answer: Out<Utilization>) {
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        Ok(answer.set(Utilization { gpu: 0, memory: 0 })?)
    }

    fn nvmlDeviceGetTotalEccErrors(handle: u64, kind: u32, _counter: u32, answer: Out<u64>) {
        errors(handle, kind, answer)
    }

    fn nvmlDeviceGetMemoryErrorCounter(handle: u64, kind: u32, _counter: u32, _location: u32, answer: Out<u64>) {
        errors(handle, kind, answer)
    }

    // Rows remapped for corrected and for uncorrected errors, and whether a remapping is pending or has failed.
    fn nvmlDeviceGetRemappedRows(
        handle: u64, corrected: Out<u32>, uncorrected: Out<u32>, pending: Out<u32>, failed: Out<u32>,
    ) {
        let count = with_device(handle, |machine, index| {
            switch(measured(machine, index)?.ecc)?;
            Ok(machine.hardware().uncorrected())
        })?;
        corrected.set(0)?;
        uncorrected.set(0)?;
        pending.set(u32::from(count > 0))?;
        Ok(failed.set(0)?)
    }

    // Of all fields, the totals of memory errors are known; each value has a status of its own.
    fn nvmlDeviceGetFieldValues(handle: u64, count: i32, values: Out<FieldValue>) {
        let uncorrected = with_device(handle, |machine, index| {
            let ecc = measured(machine, index)?.ecc;
            Ok(switch(ecc).map(|_| machine.hardware().uncorrected()))
        })?;
        let count = usize::try_from(count).map_err(|_| NvmlStatus::INVALID_ARGUMENT)?;
        for index in 0..count {
            let asked = values.get_at(index)?;
            let answer = match (asked.field, uncorrected) {
                (3 | 5, Ok(_)) => Ok(0),
                (4 | 6, Ok(errors)) => Ok(errors),
                _ => Err(NvmlStatus::NOT_SUPPORTED),
            };
            // NVML_VALUE_TYPE_UNSIGNED_LONG_LONG.
            let answered = FieldValue {
                value_type: 3,
                status: answer.err().unwrap_or(NvmlStatus::SUCCESS).0,
                value: answer.unwrap_or(0),
                ..asked
            };
            values.set_at(index, answered)?;
        }
        Ok(())
    }

    fn nvmlDeviceGetComputeRunningProcesses_v3(handle: u64, count: Out<u32>, processes: Out<ProcessInfo>) {
        let own = with_device(handle, |machine, index| {
            measured(machine, index)?;
            Ok(machine.uses(index).then(|| machine.used_memory(index)))
        })?;
        let room = count.get()?;
        count.set(u32::from(own.is_some()))?;
        let Some(used_memory) = own else { return Ok(()) };
        if room == 0 {
            return Err(NvmlStatus::INSUFFICIENT_SIZE);
        }
        Ok(processes.set(ProcessInfo {
            process: std::process::id(),
            used_memory,
            gpu_instance: u32::MAX,
            compute_instance: u32::MAX,
        })?)
    }

    fn nvmlDeviceGetGraphicsRunningProcesses_v3(handle: u64, count: Out<u32>, _processes: Out<ProcessInfo>) {
        constant(handle, count, 0)
    }
}
