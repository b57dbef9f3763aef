//! Asks a package's libcudart what it makes of a driver, without a device.
//!
//! libcudart finds the driver by name, as it does in a program: nothing may be opened before it, since an open libcuda
//! would be taken whatever the search finds. That it found the right one is shown afterwards.

mod ffi;

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_model::oracle::{OracleAnswer, RuntimeAnswer, RuntimeStatus};
use cudacheck_model::version::ToolkitVersion;

use crate::library::SharedLibrary;
use ffi::Runtime;

/// The name by which libcudart asks for the driver.
const LIBCUDA: &str = "libcuda.so.1";

/// Asks the libcudart at `path`, which shall find the driver `expected`.
pub(super) fn ask(path: &Path, expected: Option<&Path>, answer: &mut OracleAnswer) {
    let mut complain = |complaint: String| answer.complaints.push(complaint);
    let runtime = match Runtime::open(path) {
        Ok(runtime) => runtime,
        Err(reason) => {
            let place = path.display();
            return complain(format!(
                "the package's libcudart `{place}` cannot be loaded: {reason}"
            ));
        }
    };
    let status = match runtime.device_count() {
        Ok(_) => RuntimeStatus::SUCCESS,
        Err(status) => status,
    };
    let driver = version(runtime.driver_version());
    let (found, reason) = match found() {
        Ok(found) => (found, String::new()),
        Err(reason) => (None, format!(": {reason}")),
    };
    let name = path.file_name().unwrap_or(path.as_os_str()).display();
    if driver.is_none() {
        complain(format!(
            "the package's {name} found no driver, so that it says nothing about one{reason}"
        ));
    }
    let other = found.as_ref().zip(expected);
    if let Some((found, expected)) = other.filter(|(found, expected)| !same(found, expected)) {
        return complain(format!(
            "the package's {name} was not asked about `{}`: it finds `{}`",
            expected.display(),
            found.display()
        ));
    }
    answer.runtime = Some(RuntimeAnswer {
        library: path.to_owned(),
        version: version(runtime.runtime_version()),
        driver,
        status,
        found,
    });
}

/// 0 is the answer where there is nothing to ask.
fn version(answer: Result<i32, RuntimeStatus>) -> Option<ToolkitVersion> {
    let number = u32::try_from(answer.ok()?).ok()?;
    (number > 0).then(|| ToolkitVersion::from_api(number))
}

/// The driver that this process finds by the name that libcudart uses.
///
/// libcudart closes the driver again where it finds no device, so that it is opened here once more.
fn found() -> Result<Option<PathBuf>, String> {
    SharedLibrary::open(Path::new(LIBCUDA))?;
    let maps = fs::read("/proc/self/maps").map_err(|error| error.to_string())?;
    Ok(mapped(&String::from_utf8_lossy(&maps)))
}

/// The first mapped file whose name is that of a libcuda.
fn mapped(maps: &str) -> Option<PathBuf> {
    let paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]));
    paths
        .map(|path| PathBuf::from(path.trim_end_matches(" (deleted)")))
        .find(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("libcuda.so"))
        })
}

fn same(left: &Path, right: &Path) -> bool {
    match (fs::canonicalize(left), fs::canonicalize(right)) {
        (Ok(left), Ok(right)) => left == right,
        (_, _) => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mapped_driver_is_found_among_other_files() {
        let line = |path: &str| format!("7f00-7f10 r--p 00000000 00:2a 77 {path}\n");
        let maps = [
            "7ffd-7fff rw-p 00000000 00:00 0 [stack]\n".to_owned(),
            line("/p/lib/libcudart.so.12.9.79"),
            line("/driver with a blank/libcuda.so.550.54.15"),
            line("/driver with a blank/libcuda.so.550.54.15"),
        ];
        let expected = Path::new("/driver with a blank/libcuda.so.550.54.15");
        assert_eq!(mapped(&maps.concat()).as_deref(), Some(expected));
        assert_eq!(mapped(&maps[..2].concat()), None);
    }

    #[test]
    fn a_library_that_is_none_is_a_complaint() {
        let mut answer = OracleAnswer::default();
        ask(Path::new("/nowhere/libcudart.so.12"), None, &mut answer);
        assert_eq!(answer.runtime, None);
        let expected = "the package's libcudart `/nowhere/libcudart.so.12` cannot be loaded: ";
        assert!(
            answer.complaints[0].starts_with(expected),
            "{:?}",
            answer.complaints
        );
        // It opens, but is none: the C library, which every test has loaded.
        ask(Path::new("libc.so.6"), None, &mut answer);
        assert!(answer.complaints[1].ends_with("it has no `cudaRuntimeGetVersion`"));
    }
}
