//! The simulated `libnvidia-ml.so.1`: the devices of the profile, and what has happened to them.
//!
//! NVML sees every device, whatever `CUDA_VISIBLE_DEVICES` says. On a machine with limited NVML (Orin) it knows who
//! the devices are, and every measurement is `NVML_ERROR_NOT_SUPPORTED`. Without `CUDACHECK_SIMULATE` in the
//! environment initialisation answers `NVML_ERROR_DRIVER_NOT_LOADED`.

mod ffi;
mod status;

pub use ffi::function_names;
pub use status::NvmlStatus;

use crate::driver::Machine;
use crate::profile::{ComputeMode, Device, Nvml, Switch};

/// Looks at a device, by its place in the profile.
fn device(machine: &Machine, index: usize) -> Result<&Device, NvmlStatus> {
    if machine.hardware().is_lost() {
        return Err(NvmlStatus::GPU_IS_LOST);
    }
    let profile = &configuration(machine)?.profile;
    let device = profile.devices.get(index);
    device.ok_or(NvmlStatus::INVALID_ARGUMENT)
}

/// The same for what a limited NVML does not know.
fn measured(machine: &Machine, index: usize) -> Result<&Device, NvmlStatus> {
    let device = device(machine, index)?;
    match configuration(machine)?.profile.nvml {
        Nvml::Full => Ok(device),
        Nvml::Limited | Nvml::Absent => Err(NvmlStatus::NOT_SUPPORTED),
    }
}

/// The machine, or that its kernel module is not loaded.
fn configuration(machine: &Machine) -> Result<&crate::driver::Configuration, NvmlStatus> {
    machine
        .configuration()
        .map_err(|_| NvmlStatus::DRIVER_NOT_LOADED)
}

/// What initialisation answers.
fn initialise(machine: &Machine) -> Result<(), NvmlStatus> {
    let profile = &configuration(machine)?.profile;
    match (profile.nvml, profile.initialisation.nvml) {
        (Nvml::Absent, _) => Err(NvmlStatus::LIBRARY_NOT_FOUND),
        (Nvml::Full | Nvml::Limited, 0) => Ok(()),
        (Nvml::Full | Nvml::Limited, code) => Err(NvmlStatus(code)),
    }
}

/// Total and used bytes.
fn memory(machine: &Machine, index: usize) -> Result<(u64, u64), NvmlStatus> {
    let device = measured(machine, index)?;
    let total = device.nvml_memory.unwrap_or(device.memory);
    // What a driver keeps for itself is the difference to what it offers, and counts as used.
    let kept = total.saturating_sub(device.memory);
    Ok((total, kept + machine.used_memory(index)))
}

/// A feature's state as NVML tells it: 0 for off, 1 for on, an error where the device does not have it.
fn switch(state: Switch) -> Result<u32, NvmlStatus> {
    match state {
        Switch::Unsupported => Err(NvmlStatus::NOT_SUPPORTED),
        Switch::Disabled => Ok(0),
        Switch::Enabled => Ok(1),
    }
}

/// `nvmlComputeMode_t`, whose numbers are those of `CUcomputemode`.
fn compute_mode(mode: ComputeMode) -> u32 {
    mode.number()
}

/// `nvmlDeviceArchitecture_t` of a compute capability.
fn architecture(device: &Device) -> u32 {
    let capability = device.compute_capability;
    match (capability.major, capability.minor) {
        (3, _) => 2,
        (5, _) => 3,
        (6, _) => 4,
        (7, 0..=2) => 5,
        (7, _) => 6,
        (8, 9) => 8,
        (8, _) => 7,
        (9, _) => 9,
        (10.., _) => 10,
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Setup;

    fn machine(profile: &str, inject: &str) -> Machine {
        Machine::new(Setup::from_variables(&|name| match name {
            "CUDACHECK_SIMULATE" => Some(profile.to_owned()),
            "CUDACHECK_INJECT" => Some(inject.to_owned()),
            _ => None,
        }))
    }

    #[track_caller]
    fn check_init(profile: &str, expected: u32) {
        let answer = initialise(&machine(profile, ""));
        assert_eq!(answer.err().unwrap_or(NvmlStatus::SUCCESS).0, expected);
    }

    #[test]
    fn initialisation_answers_as_the_profile_says() {
        check_init("h100", 0);
        check_init("jetson-orin", 0);
        check_init("jetson-xavier", 12);
        check_init("no-device", 9);
        check_init("mismatch", 18);
        check_init("", 9);
    }

    #[test]
    fn a_limited_nvml_knows_who_a_device_is_and_measures_nothing() {
        let orin = machine("jetson-orin", "");
        let name = device(&orin, 0).map(|device| device.nvml_name.clone());
        assert_eq!(name, Ok(Some("Orin (nvgpu)".to_owned())));
        assert_eq!(memory(&orin, 0), Err(NvmlStatus::NOT_SUPPORTED));
        assert_eq!(
            device(&orin, 1).map(|_| ()),
            Err(NvmlStatus::INVALID_ARGUMENT)
        );
    }

    #[test]
    fn architectures_have_their_numbers() {
        let number = |name: &str| architecture(&crate::profile::find(name).unwrap().devices[0]);
        assert_eq!(number("gtx-1080"), 4);
        assert_eq!(number("jetson-xavier"), 5);
        assert_eq!(number("old-driver"), 7);
        assert_eq!(number("rtx-4090"), 8);
        assert_eq!(number("h100"), 9);
    }
}
