//! Events: what the kernel driver reports while somebody waits.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use std::time::{Duration, Instant};

use super::{DEVICE_STEP, FIRST_DEVICE, call, initialised, with_device};
use crate::driver::exported;
use crate::driver::value::Out;
use crate::nvml::{NvmlStatus, measured};

/// The one event set: which devices are registered makes no difference, since all report to one queue.
const EVENT_SET: u64 = 0x51d0_00ee_0000;
/// `nvmlEventTypeXidCriticalError`.
const XID: u64 = 8;
/// How often the queue is looked at.
const PERIOD: Duration = Duration::from_millis(5);

/// `nvmlEventData_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct EventData {
    device: u64,
    kind: u64,
    data: u64,
    gpu_instance: u32,
    compute_instance: u32,
}

fn wait(set: u64, answer: Out<EventData>, timeout: u32) -> Result<(), NvmlStatus> {
    if set != EVENT_SET || answer.is_null() {
        return Err(NvmlStatus::INVALID_ARGUMENT);
    }
    let end = Instant::now() + Duration::from_millis(u64::from(timeout));
    loop {
        if let Some(event) = initialised(|machine| Ok(machine.take_event()))? {
            return Ok(answer.set(EventData {
                device: FIRST_DEVICE + event.device as u64 * DEVICE_STEP,
                kind: XID,
                data: u64::from(event.xid),
                gpu_instance: u32::MAX,
                compute_instance: u32::MAX,
            })?);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NvmlStatus::TIMEOUT);
        }
        std::thread::sleep(left.min(PERIOD));
    }
}

exported! { call => NvmlStatus;
    fn nvmlEventSetCreate(set: Out<u64>) {
        initialised(|_| Ok(()))?;
        Ok(set.set(EVENT_SET)?)
    }

    fn nvmlEventSetFree(set: u64) {
        if set == EVENT_SET { Ok(()) } else { Err(NvmlStatus::INVALID_ARGUMENT) }
    }

    fn nvmlDeviceGetSupportedEventTypes(handle: u64, kinds: Out<u64>) {
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        Ok(kinds.set(XID)?)
    }

    fn nvmlDeviceRegisterEvents(handle: u64, kinds: u64, set: u64) {
        if set != EVENT_SET {
            return Err(NvmlStatus::INVALID_ARGUMENT);
        }
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        if kinds & !XID != 0 { Err(NvmlStatus::NOT_SUPPORTED) } else { Ok(()) }
    }

    fn nvmlEventSetWait_v2(set: u64, answer: Out<EventData>, timeout: u32) {
        wait(set, answer, timeout)
    }

    fn nvmlEventSetWait(set: u64, answer: Out<EventData>, timeout: u32) {
        wait(set, answer, timeout)
    }
}
