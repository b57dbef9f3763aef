//! Who the devices are.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use super::{DEVICE_STEP, FIRST_DEVICE, answer_text, call, initialised, with_device};
use crate::driver::exported;
use crate::driver::value::{Out, Room, Text};
use crate::nvml::{NvmlStatus, architecture, configuration, device, measured, switch};

/// `nvmlPciInfo_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PciInfo {
    legacy_id: [u8; 16],
    domain: u32,
    bus: u32,
    device: u32,
    device_and_vendor: u32,
    subsystem: u32,
    id: [u8; 32],
}

fn count(answer: Out<u32>) -> Result<(), NvmlStatus> {
    let devices = initialised(|machine| Ok(configuration(machine)?.profile.devices.len()))?;
    Ok(answer.set(u32::try_from(devices).unwrap_or(u32::MAX))?)
}

fn by_index(index: u32, answer: Out<u64>) -> Result<(), NvmlStatus> {
    let handle = FIRST_DEVICE + u64::from(index) * DEVICE_STEP;
    with_device(handle, |_, _| Ok(()))?;
    Ok(answer.set(handle)?)
}

fn pci(handle: u64, answer: Out<PciInfo>) -> Result<(), NvmlStatus> {
    let pci = with_device(handle, |machine, index| Ok(measured(machine, index)?.pci))?;
    let mut info = PciInfo {
        legacy_id: [0; 16],
        domain: pci.domain,
        bus: pci.bus,
        device: pci.device,
        device_and_vendor: pci.id,
        subsystem: pci.id,
        id: [0; 32],
    };
    let legacy = format!("{:04X}:{:02X}:{:02X}.0", pci.domain, pci.bus, pci.device);
    let id = format!("{:08X}:{:02X}:{:02X}.0", pci.domain, pci.bus, pci.device);
    info.legacy_id[..legacy.len()].copy_from_slice(legacy.as_bytes());
    info.id[..id.len()].copy_from_slice(id.as_bytes());
    Ok(answer.set(info)?)
}

exported! { call => NvmlStatus;
    fn nvmlDeviceGetCount_v2(answer: Out<u32>) {
        count(answer)
    }

    fn nvmlDeviceGetCount(answer: Out<u32>) {
        count(answer)
    }

    fn nvmlDeviceGetHandleByIndex_v2(index: u32, answer: Out<u64>) {
        by_index(index, answer)
    }

    fn nvmlDeviceGetHandleByIndex(index: u32, answer: Out<u64>) {
        by_index(index, answer)
    }

    fn nvmlDeviceGetHandleByUUID(uuid: Text, answer: Out<u64>) {
        let wanted = uuid.read()?;
        let index = initialised(|machine| {
            let devices = &configuration(machine)?.profile.devices;
            let place = devices.iter().position(|device| device.uuid == wanted);
            place.ok_or(NvmlStatus::NOT_FOUND)
        })?;
        by_index(u32::try_from(index).map_err(|_| NvmlStatus::NOT_FOUND)?, answer)
    }

    fn nvmlDeviceGetHandleByPciBusId_v2(id: Text, answer: Out<u64>) {
        let wanted = id.read()?.to_ascii_uppercase();
        let index = initialised(|machine| {
            let devices = &configuration(machine)?.profile.devices;
            let place = devices.iter().position(|device| {
                let pci = device.pci;
                let short = format!("{:04X}:{:02X}:{:02X}.0", pci.domain, pci.bus, pci.device);
                wanted.trim_start_matches('0') == short.trim_start_matches('0')
            });
            place.ok_or(NvmlStatus::NOT_FOUND)
        })?;
        by_index(u32::try_from(index).map_err(|_| NvmlStatus::NOT_FOUND)?, answer)
    }

    fn nvmlDeviceGetName(handle: u64, name: Room, length: u32) {
        let text = with_device(handle, |machine, index| {
            let device = device(machine, index)?;
            Ok(device.nvml_name.clone().unwrap_or_else(|| device.name.clone()))
        })?;
        answer_text(name, length, &text)
    }

    fn nvmlDeviceGetUUID(handle: u64, uuid: Room, length: u32) {
        let text = with_device(handle, |machine, index| Ok(device(machine, index)?.uuid.clone()))?;
        answer_text(uuid, length, &text)
    }

    fn nvmlDeviceGetIndex(handle: u64, answer: Out<u32>) {
        let index = with_device(handle, |_, index| Ok(index))?;
        Ok(answer.set(u32::try_from(index).unwrap_or(u32::MAX))?)
    }

    fn nvmlDeviceGetMinorNumber(handle: u64, answer: Out<u32>) {
        let index = with_device(handle, |machine, index| measured(machine, index).map(|_| index))?;
        Ok(answer.set(u32::try_from(index).unwrap_or(u32::MAX))?)
    }

    fn nvmlDeviceGetCudaComputeCapability(handle: u64, major: Out<i32>, minor: Out<i32>) {
        let capability = with_device(handle, |machine, index| Ok(device(machine, index)?.compute_capability))?;
        major.set(i32::try_from(capability.major).unwrap_or(i32::MAX))?;
        Ok(minor.set(i32::try_from(capability.minor).unwrap_or(i32::MAX))?)
    }

    fn nvmlDeviceGetArchitecture(handle: u64, answer: Out<u32>) {
        let number = with_device(handle, |machine, index| Ok(architecture(device(machine, index)?)))?;
        Ok(answer.set(number)?)
    }

    fn nvmlDeviceGetPciInfo_v3(handle: u64, answer: Out<PciInfo>) {
        pci(handle, answer)
    }

    fn nvmlDeviceGetPciInfo_v2(handle: u64, answer: Out<PciInfo>) {
        pci(handle, answer)
    }

    // Nothing that is simulated has a serial number.
    fn nvmlDeviceGetSerial(handle: u64, _serial: Room, _length: u32) {
        with_device(handle, |_, _| Ok(()))?;
        Err(NvmlStatus::NOT_SUPPORTED)
    }

    fn nvmlDeviceGetVbiosVersion(handle: u64, version: Room, length: u32) {
        with_device(handle, |machine, index| measured(machine, index).map(|_| ()))?;
        answer_text(version, length, "51.D0.00.00.00")
    }

    fn nvmlDeviceGetMaxMigDeviceCount(handle: u64, answer: Out<u32>) {
        let state = with_device(handle, |machine, index| Ok(measured(machine, index)?.mig))?;
        Ok(answer.set(if switch(state).is_ok() { 7 } else { 0 })?)
    }

    fn nvmlDeviceGetMigMode(handle: u64, current: Out<u32>, pending: Out<u32>) {
        let mode = with_device(handle, |machine, index| switch(measured(machine, index)?.mig))?;
        current.set(mode)?;
        Ok(pending.set(mode)?)
    }

    fn nvmlDeviceGetEccMode(handle: u64, current: Out<u32>, pending: Out<u32>) {
        let mode = with_device(handle, |machine, index| switch(measured(machine, index)?.ecc))?;
        current.set(mode)?;
        Ok(pending.set(mode)?)
    }
}
