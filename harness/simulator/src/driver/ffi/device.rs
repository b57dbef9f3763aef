//! Initialisation, devices, names of errors, and finding functions by name.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use super::value::{Out, Room, Text};
use super::{call, initialised, with_machine};
use crate::driver::{Status, describe};

/// What tells this library from a driver: its version, as a C string.
#[unsafe(no_mangle)]
extern "C" fn cudacheck_simulator_version() -> *const u8 {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr()
}

/// Answers are pointers to text that lives as long as the process.
fn text_of(status: Status) -> Result<(usize, usize), Status> {
    static TEXTS: Mutex<BTreeMap<u32, (CString, CString)>> = Mutex::new(BTreeMap::new());
    let (name, text) = describe(status).ok_or(Status::INVALID_VALUE)?;
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let (name, text) = texts.entry(status.0).or_insert_with(|| {
        let own = |text| CString::new(text).unwrap_or_default();
        (own(name), own(text))
    });
    Ok((
        name.as_ptr().expose_provenance(),
        text.as_ptr().expose_provenance(),
    ))
}

exported! { call => Status;
    fn cuInit(flags: u32) {
        with_machine(|machine| machine.initialise(flags))
    }

    // Works before `cuInit` and without a device, as in real drivers.
    fn cuDriverGetVersion(version: Out<i32>) {
        let number = with_machine(|machine| {
            let configuration = machine.configuration()?;
            Ok::<u32, Status>(configuration.profile.driver.cuda.to_api())
        })?;
        let number = i32::try_from(number).map_err(|_| Status::UNKNOWN)?;
        Ok(version.set(number)?)
    }

    fn cuDeviceGetCount(count: Out<i32>) {
        let devices = initialised(|machine| Ok(machine.device_count()))?;
        Ok(count.set(devices)?)
    }

    fn cuDeviceGet(device: Out<i32>, ordinal: i32) {
        initialised(|machine| machine.device(ordinal).map(|_| ()))?;
        Ok(device.set(ordinal)?)
    }

    fn cuDeviceGetName(name: Room, length: i32, device: i32) {
        let length = usize::try_from(length).map_err(|_| Status::INVALID_VALUE)?;
        let text = initialised(|machine| Ok(machine.device(device)?.name.clone()))?;
        Ok(name.set_text(&text, length).map(|_| ())?)
    }

    fn cuDeviceGetUuid(uuid: Out<[u8; 16]>, device: i32) {
        let bytes = initialised(|machine| Ok(machine.device(device)?.uuid_bytes()))?;
        Ok(uuid.set(bytes.ok_or(Status::UNKNOWN)?)?)
    }

    fn cuDeviceGetUuid_v2(uuid: Out<[u8; 16]>, device: i32) {
        let bytes = initialised(|machine| Ok(machine.device(device)?.uuid_bytes()))?;
        Ok(uuid.set(bytes.ok_or(Status::UNKNOWN)?)?)
    }

    fn cuDeviceTotalMem_v2(bytes: Out<usize>, device: i32) {
        let total = initialised(|machine| Ok(machine.device(device)?.memory))?;
        Ok(bytes.set(usize::try_from(total).unwrap_or(usize::MAX))?)
    }

    fn cuDeviceGetAttribute(value: Out<i32>, attribute: u32, device: i32) {
        let answer = initialised(|machine| machine.attribute(device, attribute))?;
        Ok(value.set(answer)?)
    }

    fn cuDeviceComputeCapability(major: Out<i32>, minor: Out<i32>, device: i32) {
        let (first, second) = initialised(|machine| {
            Ok((machine.attribute(device, 75)?, machine.attribute(device, 76)?))
        })?;
        major.set(first)?;
        Ok(minor.set(second)?)
    }

    fn cuDeviceGetPCIBusId(id: Room, length: i32, device: i32) {
        let pci = initialised(|machine| Ok(machine.device(device)?.pci))?;
        let text = format!("{:04X}:{:02X}:{:02X}.0", pci.domain, pci.bus, pci.device);
        let length = usize::try_from(length).map_err(|_| Status::INVALID_VALUE)?;
        if length <= text.len() {
            return Err(Status::INVALID_VALUE);
        }
        Ok(id.set_text(&text, length).map(|_| ())?)
    }

    // Devices of one machine do not see each other's memory here.
    fn cuDeviceCanAccessPeer(able: Out<i32>, device: i32, peer: i32) {
        initialised(|machine| {
            machine.device(device)?;
            machine.device(peer).map(|_| ())
        })?;
        Ok(able.set(0)?)
    }

    fn cuProfilerStart() {
        initialised(|_| Ok(()))
    }

    fn cuProfilerStop() {
        initialised(|_| Ok(()))
    }

    // The names of errors are answered always: a caller asks for them when everything else has failed.
    fn cuGetErrorName(status: u32, name: Out<usize>) {
        match text_of(Status(status)) {
            Ok((address, _)) => Ok(name.set(address)?),
            Err(unknown) => {
                name.set_if_wanted(0);
                Err(unknown)
            }
        }
    }

    fn cuGetErrorString(status: u32, text: Out<usize>) {
        match text_of(Status(status)) {
            Ok((_, address)) => Ok(text.set(address)?),
            Err(unknown) => {
                text.set_if_wanted(0);
                Err(unknown)
            }
        }
    }

    fn cuGetProcAddress_v2(symbol: Text, function: Out<usize>, _version: i32, _flags: u64, found: Out<u32>) {
        let address = find(symbol.read()?);
        function.set(address.unwrap_or(0))?;
        // CU_GET_PROC_ADDRESS_SUCCESS and CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND.
        found.set_if_wanted(u32::from(address.is_none()));
        Ok(())
    }

    fn cuGetProcAddress(symbol: Text, function: Out<usize>, _version: i32, _flags: u64) {
        let address = find(symbol.read()?);
        function.set(address.unwrap_or(0))?;
        address.map(|_| ()).ok_or(Status::NOT_FOUND)
    }

    // What lies behind the tables is between the driver and NVIDIA's own runtime.
    fn cuGetExportTable(table: Out<usize>, _id: Out<[u8; 16]>) {
        table.set_if_wanted(0);
        Err(Status::NOT_SUPPORTED)
    }
}

/// The newest version of a function, asked for without a version as `cuGetProcAddress` has it.
fn find(name: &str) -> Option<usize> {
    let versions = ["_v4", "_v3", "_v2", ""].map(|version| format!("{name}{version}"));
    versions
        .iter()
        .find_map(|wanted| {
            let mut symbols = super::symbols();
            symbols.find(|(known, _)| known == wanted)
        })
        .map(|(_, address)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_errors_are_answered_without_a_simulation() {
        let mut address = 0;
        assert_eq!(
            cuGetErrorName(100, Out::from(&mut address)),
            Status::SUCCESS
        );
        assert_ne!(address, 0);
        assert_eq!(
            cuGetErrorString(12_345, Out::from(&mut address)),
            Status::INVALID_VALUE
        );
        assert_eq!(address, 0);
    }

    #[test]
    fn functions_are_found_without_their_version() {
        assert_eq!(find("cuMemAlloc"), find("cuMemAlloc_v2"));
        assert!(find("cuMemAlloc").is_some());
        assert_eq!(find("cuNothing"), None);
    }
}
