//! Asks the driver itself. Any of these calls may hang, crash, or end the process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cudacheck_model::facts::{ComputeMode, Device};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::Stage;
use cudacheck_model::version::{ComputeCapability, ToolkitVersion};

use super::nvml::Managed;
use crate::driver::{CallError, CudaStatus, DeviceHandle, Driver};
use crate::journal::Journal;
use crate::library::SharedLibrary;

/// The numbers that `CUdevice_attribute` had so far, and as many again as may come.
const ATTRIBUTES: std::ops::RangeInclusive<i32> = 1..=140;
const MULTIPROCESSOR_COUNT: i32 = 16;
const INTEGRATED: i32 = 18;
const COMPUTE_MODE: i32 = 20;
const ECC_ENABLED: i32 = 32;
const COMPUTE_CAPABILITY_MAJOR: i32 = 75;
const COMPUTE_CAPABILITY_MINOR: i32 = 76;

/// The library is the toolkit's stub, not a driver.
pub(super) struct Stub;

/// Where a library's own libraries are looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dependencies {
    /// Where the loader finds them: the machine is this one.
    Loader,
    /// Beside the library: it lies in a tree that the loader does not know.
    Beside,
}

/// Opens a driver library.
///
/// # Errors
///
/// The dynamic loader's words.
pub(super) fn open(
    journal: &Journal,
    library: &Path,
    dependencies: Dependencies,
) -> Result<Driver, String> {
    journal.stage(Stage::LoadLibrary);
    match dependencies {
        Dependencies::Loader => Driver::open(library),
        Dependencies::Beside => open_with_neighbours(library),
    }
}

/// The CUDA version that a driver supports. It is known without a device, and even before `cuInit`.
pub(super) fn version(driver: &Driver) -> Result<Option<ToolkitVersion>, Stub> {
    let version = unless_stub(driver.version())?;
    let number = version.ok().and_then(|number| u32::try_from(number).ok());
    Ok(number
        .filter(|number| *number > 0)
        .map(ToolkitVersion::from_api))
}

/// The devices, with everything that is known of them without a context.
pub(super) fn devices(
    journal: &Journal,
    driver: &Driver,
) -> Result<Result<Vec<Device>, MachineFault>, Stub> {
    journal.stage(Stage::Initialize);
    let devices = unless_stub(driver.initialize())?.and_then(|()| {
        journal.stage(Stage::Device);
        let count = driver.device_count()?;
        (0..count)
            .map(|ordinal| describe(driver, ordinal))
            .collect()
    });
    Ok(devices.map_err(|error| driver.fault(&error)))
}

fn unless_stub<T>(answer: Result<T, CallError>) -> Result<Result<T, CallError>, Stub> {
    match &answer {
        Err(error) if error.status() == Some(CudaStatus::STUB_LIBRARY) => Err(Stub),
        Ok(_) | Err(_) => Ok(answer),
    }
}

/// Opens a library whose own libraries lie near it. The loader names them one at a time.
fn open_with_neighbours(library: &Path) -> Result<Driver, String> {
    const MOST: usize = 16;
    let mut opened = Driver::open(library);
    for _ in 0..MOST {
        let Err(reason) = &opened else { break };
        let Some(neighbour) = neighbour(library, reason) else {
            break;
        };
        SharedLibrary::open(&neighbour)?;
        opened = Driver::open(library);
    }
    opened
}

/// The library that the loader misses, if it lies beside `library` or in one of the two folders above.
fn neighbour(library: &Path, reason: &str) -> Option<PathBuf> {
    let (name, _) = reason.split_once(": cannot open shared object file")?;
    library
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join(name))
        .find(|path| path != library && path.is_file())
}

fn describe(driver: &Driver, ordinal: i32) -> Result<Device, CallError> {
    let handle = driver.device(ordinal)?;
    let attributes: BTreeMap<i32, i32> = ATTRIBUTES
        .filter_map(|number| Some((number, driver.attribute(handle, number).ok()?)))
        .collect();
    let number = |attribute: i32| {
        let value = attributes.get(&attribute).copied().unwrap_or(0);
        u32::try_from(value).unwrap_or(0)
    };
    let name = driver.device_name(handle)?;
    let instance = name.contains(" MIG ");
    Ok(Device {
        ordinal: u32::try_from(ordinal).unwrap_or(0),
        uuid: uuid(driver, handle, if instance { "MIG" } else { "GPU" }),
        compute_capability: ComputeCapability::new(
            number(COMPUTE_CAPABILITY_MAJOR),
            number(COMPUTE_CAPABILITY_MINOR),
        ),
        memory_bytes: driver.total_memory(handle)?,
        multiprocessors: number(MULTIPROCESSOR_COUNT),
        pci: driver.pci_bus_id(handle).ok(),
        integrated: number(INTEGRATED) > 0,
        ecc: attributes.get(&ECC_ENABLED).map(|value| *value > 0),
        ecc_uncorrected: None,
        mig: instance.then_some(true),
        compute_mode: attributes.get(&COMPUTE_MODE).and_then(|mode| match mode {
            0 => Some(ComputeMode::Default),
            1 | 3 => Some(ComputeMode::ExclusiveProcess),
            2 => Some(ComputeMode::Prohibited),
            _ => None,
        }),
        name,
        attributes,
    })
}

fn uuid(driver: &Driver, device: DeviceHandle, prefix: &str) -> Option<String> {
    let bytes = driver.uuid(device).ok()?;
    Some(format!("{prefix}-{}", hyphenated(bytes)))
}

/// The form in which NVIDIA's tools print 16 bytes: `6c1f2a34-…`, 8-4-4-4-12.
fn hyphenated(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

/// Adds to the devices what the management library knows of them.
pub(super) fn enrich(devices: &mut [Device], managed: &[Managed]) {
    let lone = devices.len() == 1 && managed.len() == 1;
    for device in devices {
        let known = managed.iter().find(|managed| {
            // A Jetson's has no UUID there; where both know one device only, it is the same.
            managed.uuid.is_some() && managed.uuid == device.uuid || lone && managed.uuid.is_none()
        });
        if let Some(known) = known {
            device.ecc = known.ecc.or(device.ecc);
            device.ecc_uncorrected = known.ecc_uncorrected;
            device.mig = device.mig.or(known.mig);
            device.compute_mode = known.compute_mode.or(device.compute_mode);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_as_in_nvidia_smi() {
        let bytes = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        assert_eq!(hyphenated(bytes), "00112233-4455-6677-8899-aabbccddeeff");
    }

    #[track_caller]
    fn check(reason: &str, expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib/nvidia/libcuda.so.1");
        std::fs::create_dir_all(library.parent().unwrap()).unwrap();
        std::fs::write(
            folder
                .path()
                .join("lib/libnvidia-fatbinaryloader.so.390.157"),
            "",
        )
        .unwrap();
        let expected = expected.map(|path| folder.path().join(path));
        assert_eq!(neighbour(&library, reason), expected);
    }

    #[test]
    fn a_missing_library_is_looked_for_nearby() {
        check(
            "libnvidia-fatbinaryloader.so.390.157: cannot open shared object file: No such file or directory",
            Some("lib/libnvidia-fatbinaryloader.so.390.157"),
        );
        check(
            "libnone.so.1: cannot open shared object file: No such file or directory",
            None,
        );
        check("invalid ELF header", None);
    }
}
