//! Proves which driver this process uses: the loader searches by name, and may have found another.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cudacheck_model::fault::MachineFault;

/// Complains unless `expected` is the only driver that this process has mapped.
pub(super) fn only(expected: &Path) -> Result<(), MachineFault> {
    let real = fs::canonicalize(expected).unwrap_or_else(|_| expected.to_owned());
    let files = all()?;
    match stranger(&files, &real, same_file) {
        Some(other) if other.iter().any(|part| part == "stubs") => {
            Err(MachineFault::StubLibrary { library: other })
        }
        Some(other) => Err(MachineFault::Harness {
            message: format!(
                "the check used the driver `{}` beside or instead of `{}`",
                other.display(),
                real.display()
            ),
        }),
        None if files.iter().any(|file| same_file(file, &real)) => Ok(()),
        None => Err(MachineFault::Harness {
            message: format!(
                "the driver `{}` was opened, but is not mapped",
                real.display()
            ),
        }),
    }
}

/// The files that this process has mapped, each once.
pub(super) fn all() -> Result<Vec<PathBuf>, MachineFault> {
    let maps = fs::read("/proc/self/maps").map_err(|error| MachineFault::Harness {
        message: format!("`/proc/self/maps` cannot be read: {error}"),
    })?;
    Ok(files(&String::from_utf8_lossy(&maps)))
}

/// The mapped files, each once, in the order of their addresses.
fn files(maps: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in maps.lines() {
        // address perms offset dev inode path; the path may have blanks, the rest has none.
        let Some(start) = line.find('/') else {
            continue;
        };
        let path = line[start..].trim_end_matches(" (deleted)");
        let path = PathBuf::from(path);
        if !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// A mapped driver that is not the expected one.
fn stranger(
    files: &[PathBuf],
    expected: &Path,
    same: impl Fn(&Path, &Path) -> bool,
) -> Option<PathBuf> {
    let driver = |path: &&PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name == "libcuda.so" || name.starts_with("libcuda.so."))
    };
    // On WSL the library is a loader of the real one, which Windows keeps in a driver store.
    let wsl = |path: &Path| {
        expected.starts_with("/usr/lib/wsl") && path.starts_with("/usr/lib/wsl/drivers")
    };
    files
        .iter()
        .filter(driver)
        .find(|path| !same(path, expected) && !wsl(path))
        .cloned()
}

/// By path, or by inode where a file has several names.
fn same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino()));
    one == other || matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "7f00-7f01 r-xp 00000000 08:01 1234                       ";

    #[track_caller]
    fn check(mapped: &[&str], expected: &str, found: Option<&str>) {
        let maps: String = mapped
            .iter()
            .map(|path| format!("{LINE}{path}\n"))
            .chain(["7f02-7f03 rw-p 00000000 00:00 0 [heap]\n".to_owned()])
            .collect();
        let stranger = stranger(&files(&maps), Path::new(expected), |one, other| {
            one == other
        });
        assert_eq!(stranger.as_deref(), found.map(Path::new));
    }

    #[test]
    fn a_second_driver_is_found() {
        let driver = "/run/opengl-driver/lib/libcuda.so.580.95.05";
        check(&[driver, driver, "/lib/libc.so.6"], driver, None);
        check(&[driver, "/opt/x/libcudart.so.13"], driver, None);
        check(
            &[driver, "/opt/cuda/lib64/stubs/libcuda.so"],
            driver,
            Some("/opt/cuda/lib64/stubs/libcuda.so"),
        );
        check(
            &[driver, "/old one/libcuda.so.1 (deleted)"],
            driver,
            Some("/old one/libcuda.so.1"),
        );
    }

    #[test]
    fn the_driver_of_windows_belongs_to_its_loader() {
        check(
            &[
                "/usr/lib/wsl/lib/libcuda.so.1",
                "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1/libcuda.so.1.1",
            ],
            "/usr/lib/wsl/lib/libcuda.so.1",
            None,
        );
    }

    #[test]
    fn the_own_program_is_no_driver() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(only(&own), Ok(()));
        assert!(only(Path::new("/nowhere/libcuda.so.1")).is_err());
    }
}
