//! How a worker is shown exactly one device, and exactly one driver.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cudacheck_model::event::DeviceLabel;
use cudacheck_model::facts::{Device, Library, MachineFacts};
use cudacheck_model::task::DriverFiles;

/// The value of `CUDA_VISIBLE_DEVICES` that leaves one device.
///
/// Where the user had restricted the devices, the facts count within that restriction, so the device is
/// the entry of that list at its ordinal, in the user's own words.
pub(crate) fn visible(device: &Device, restriction: Option<&str>) -> String {
    let index = usize::try_from(device.ordinal).unwrap_or(usize::MAX);
    let entry = restriction.and_then(|list| list.split(',').nth(index));
    match (entry.map(str::trim), &device.uuid) {
        (Some(entry), _) if !entry.is_empty() => entry.to_owned(),
        (_, Some(uuid)) => uuid.clone(),
        (_, None) => device.ordinal.to_string(),
    }
}

/// How a device is named in a failure block.
pub(crate) fn label(device: &Device) -> DeviceLabel {
    DeviceLabel {
        ordinal: device.ordinal,
        name: device.name.clone(),
        sm: device.compute_capability.sm(),
        uuid: device.uuid.clone(),
    }
}

/// The driver's files by paths that can be opened.
///
/// A simulated machine's lie below the root that was written for it, never anywhere else: the real
/// machine may have a driver at the same place.
pub(crate) fn driver_files(facts: &MachineFacts, run_dir: &Path) -> DriverFiles {
    let path = |library: &Option<Library>| {
        let found = &library.as_ref()?.path;
        if facts.simulated.is_none() || found.starts_with(run_dir) {
            return Some(found.clone());
        }
        let relative = found.strip_prefix("/").unwrap_or(found);
        Some(run_dir.join("sysroot").join(relative))
    };
    DriverFiles {
        libcuda: path(&facts.driver.libcuda),
        nvml: path(&facts.driver.nvml),
    }
}

/// Fills a directory with links to the driver's libraries, under the names by which programs look for them.
///
/// A directory of its own, because the one in which a driver lies often holds the rest of the system, and
/// a search there would hide that a package lacks a library.
pub(crate) fn link_driver(files: &DriverFiles, into: &Path) -> io::Result<()> {
    fs::create_dir_all(into)?;
    let Some(libcuda) = &files.libcuda else {
        return Ok(());
    };
    link(libcuda, &into.join("libcuda.so"))?;
    link(libcuda, &into.join("libcuda.so.1"))?;
    if let Some(nvml) = &files.nvml {
        link(nvml, &into.join("libnvidia-ml.so.1"))?;
    }
    for library in companions(libcuda) {
        if let Some(name) = library.file_name() {
            link(&library, &into.join(name))?;
        }
    }
    Ok(())
}

/// What the driver opens by itself: its compiler, its MPS client. They lie beside the file that is linked,
/// or beside the link.
fn companions(libcuda: &Path) -> Vec<PathBuf> {
    let real = fs::canonicalize(libcuda).ok();
    let directories = [real.as_deref(), Some(libcuda)];
    let mut found = Vec::new();
    for directory in directories.into_iter().flatten().filter_map(Path::parent) {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        found.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| is_companion(path)),
        );
    }
    found
}

fn is_companion(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        // Programs open the video decoder by its name, as they open the encoder, `libnvidia-encode`.
        let named = ["libnvidia-", "libcudadebugger.", "libnvcuvid."];
        let ours = named.iter().any(|beginning| name.starts_with(beginning));
        ours && name.contains(".so")
    })
}

/// A link that is already there came first, and stays.
fn link(target: &Path, at: &Path) -> io::Result<()> {
    match symlink(target, at) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cudacheck_model::version::ComputeCapability;

    pub(crate) fn device(ordinal: u32, uuid: Option<&str>) -> Device {
        Device {
            ordinal,
            name: "x".to_owned(),
            uuid: uuid.map(str::to_owned),
            compute_capability: ComputeCapability::new(9, 0),
            memory_bytes: 0,
            multiprocessors: 1,
            pci: None,
            integrated: false,
            ecc: None,
            ecc_uncorrected: None,
            mig: None,
            compute_mode: None,
            attributes: [].into(),
        }
    }

    #[track_caller]
    fn check(ordinal: u32, uuid: Option<&str>, restriction: Option<&str>, expected: &str) {
        assert_eq!(visible(&device(ordinal, uuid), restriction), expected);
    }

    #[test]
    fn one_device_is_visible() {
        check(1, Some("GPU-1"), None, "GPU-1");
        check(1, None, None, "1");
        check(1, None, Some("3, 2"), "2");
        check(0, Some("GPU-1"), Some("MIG-7,1"), "MIG-7");
        check(0, Some("GPU-1"), Some(""), "GPU-1");
    }

    #[test]
    fn only_the_driver_is_linked() {
        let root = tempfile::tempdir().unwrap();
        let lib = root.path().join("lib");
        fs::create_dir(&lib).unwrap();
        for name in [
            "libcuda.so.1",
            "libnvidia-ptxjitcompiler.so.1",
            "libm.so.6",
            "libnvidia-ml.so.1",
        ] {
            fs::write(lib.join(name), "").unwrap();
        }
        let files = DriverFiles {
            libcuda: Some(lib.join("libcuda.so.1")),
            nvml: None,
        };
        let into = root.path().join("driver");
        link_driver(&files, &into).unwrap();
        let mut names: Vec<_> = fs::read_dir(&into)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "libcuda.so",
                "libcuda.so.1",
                "libnvidia-ml.so.1",
                "libnvidia-ptxjitcompiler.so.1"
            ]
        );
    }
}
