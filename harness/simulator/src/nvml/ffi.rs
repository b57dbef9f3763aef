//! The exported functions of NVML, behind the same guard as the driver's.

mod device;
mod event;
mod state;
mod system;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use super::status::NvmlStatus;
use crate::driver::value::Room;
use crate::driver::{Machine, effects, with_machine};

/// How often NVML is initialised.
static USERS: AtomicU32 = AtomicU32::new(0);

/// Handles of devices: the first one's, and the distance to the next.
const FIRST_DEVICE: u64 = 0x51d0_0000_1000;
const DEVICE_STEP: u64 = 0x1000;

/// The names of the exported functions.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    system::symbols()
        .chain(device::symbols())
        .chain(state::symbols())
        .chain(event::symbols())
        .map(|(name, _)| name)
}

/// The guard of NVML's functions.
fn call(function: &str, body: impl FnOnce() -> Result<(), NvmlStatus>) -> NvmlStatus {
    let injected = with_machine(|machine| machine.injected(function));
    if let Some(effect) = injected {
        return NvmlStatus(effects::instead_of_call(effect));
    }
    // What the closures hold is copied from the caller, and they change no state of ours half.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => NvmlStatus::SUCCESS,
        Ok(Err(status)) => status,
        Err(_) => NvmlStatus::UNKNOWN,
    }
}

/// Does something that needs `nvmlInit`.
fn initialised<Answer>(
    action: impl FnOnce(&mut Machine) -> Result<Answer, NvmlStatus>,
) -> Result<Answer, NvmlStatus> {
    if USERS.load(Ordering::SeqCst) == 0 {
        return Err(NvmlStatus::UNINITIALIZED);
    }
    with_machine(action)
}

/// Does something with the device of a handle, which is told as its place in the profile.
fn with_device<Answer>(
    handle: u64,
    action: impl FnOnce(&mut Machine, usize) -> Result<Answer, NvmlStatus>,
) -> Result<Answer, NvmlStatus> {
    initialised(|machine| {
        let offset = handle
            .checked_sub(FIRST_DEVICE)
            .filter(|offset| offset % DEVICE_STEP == 0)
            .ok_or(NvmlStatus::INVALID_ARGUMENT)?;
        let index = usize::try_from(offset / DEVICE_STEP);
        let index = index.map_err(|_| NvmlStatus::INVALID_ARGUMENT)?;
        super::device(machine, index)?;
        action(machine, index)
    })
}

/// Stores text, which must fit.
fn answer_text(room: Room, length: u32, text: &str) -> Result<(), NvmlStatus> {
    let length = usize::try_from(length).map_err(|_| NvmlStatus::INVALID_ARGUMENT)?;
    if room.address() == 0 {
        return Err(NvmlStatus::INVALID_ARGUMENT);
    }
    if length <= text.len() {
        return Err(NvmlStatus::INSUFFICIENT_SIZE);
    }
    Ok(room.set_text(text, length).map(|_| ())?)
}
