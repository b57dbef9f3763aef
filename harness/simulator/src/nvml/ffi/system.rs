//! Initialisation, versions, and texts of errors.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use std::ffi::{CStr, c_char};
use std::sync::atomic::Ordering;

use super::{USERS, answer_text, call, initialised};
use crate::driver::value::{Out, Room};
use crate::driver::{exported, with_machine};
use crate::nvml::{NvmlStatus, configuration, initialise};

/// The text of a code, for as long as the library is loaded.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(status: u32) -> *const c_char {
    CStr::as_ptr(NvmlStatus(status).text())
}

fn enter() -> Result<(), NvmlStatus> {
    with_machine(|machine| initialise(machine))?;
    USERS.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

fn cuda_version(version: Out<i32>) -> Result<(), NvmlStatus> {
    let number = initialised(|machine| Ok(configuration(machine)?.profile.driver.cuda.to_api()))?;
    Ok(version.set(i32::try_from(number).unwrap_or(i32::MAX))?)
}

exported! { call => NvmlStatus;
    fn nvmlInit_v2() {
        enter()
    }

    fn nvmlInit() {
        enter()
    }

    fn nvmlInitWithFlags(_flags: u32) {
        enter()
    }

    fn nvmlShutdown() {
        USERS
            .try_update(Ordering::SeqCst, Ordering::SeqCst, |users| users.checked_sub(1))
            .map(|_| ())
            .map_err(|_| NvmlStatus::UNINITIALIZED)
    }

    fn nvmlSystemGetDriverVersion(version: Room, length: u32) {
        let text = initialised(|machine| Ok(configuration(machine)?.profile.driver.version.to_string()))?;
        answer_text(version, length, &text)
    }

    fn nvmlSystemGetNVMLVersion(version: Room, length: u32) {
        let text = initialised(|machine| Ok(configuration(machine)?.profile.nvml_version()))?;
        answer_text(version, length, &text)
    }

    fn nvmlSystemGetCudaDriverVersion(version: Out<i32>) {
        cuda_version(version)
    }

    fn nvmlSystemGetCudaDriverVersion_v2(version: Out<i32>) {
        cuda_version(version)
    }

    fn nvmlSystemGetProcessName(process: u32, name: Room, length: u32) {
        initialised(|_| Ok(()))?;
        let command = std::fs::read(format!("/proc/{process}/cmdline"));
        let command = command.map_err(|_| NvmlStatus::NOT_FOUND)?;
        let first = command.split(|byte| *byte == 0).next().unwrap_or_default();
        answer_text(name, length, &String::from_utf8_lossy(first))
    }
}
