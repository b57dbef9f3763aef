//! The kernels that the builder chooses from: files beside the library, opened by name and only when a builder is made.
//!
//! They are `libnvinfer_builder_resource.so.X.Y.Z`, with an architecture in the name (`_sm90`, `_ptx`) in later versions,
//! and with `_win` for engines that are built here for Windows. A file of another version is not taken.

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_model::journal::CheckResult;

use super::super::{Opened, Verdict};
use super::Version;
use crate::library::SharedLibrary;

/// What their names begin with.
const STEM: &str = "libnvinfer_builder_resource";

/// The first version whose builder takes its kernels from such a file.
const FIRST: Version = Version {
    major: 8,
    minor: 4,
    patch: 0,
};

pub(super) fn resources(opened: &Opened<'_>) -> Verdict {
    let version = Version::of(opened)?;
    let directory = opened
        .subject
        .path
        .parent()
        .unwrap_or_else(|| Path::new("/"));
    let wanted = format!("{STEM}.so.{}", version.text());
    let found = beside(directory);
    let of_version: Vec<&PathBuf> = found
        .iter()
        .filter(|path| number(path) == version.text())
        .collect();
    if of_version.is_empty() {
        if let Some(other) = found.first() {
            return Err(opened.skew(
                format!("{wanted} lies beside libnvinfer {}", version.text()),
                format!("{} does", other.display()),
            ));
        }
        if version < FIRST {
            return Err(opened.not_supported(format!(
                "TensorRT {}, whose builder has its kernels in the library itself",
                version.text()
            )));
        }
        return Err(Box::new(CheckResult::Unloadable {
            library: wanted.clone(),
            reason: format!(
                "{wanted}: cannot open shared object file: the builder opens it by name, and it is not in {}",
                directory.display()
            ),
        }));
    }
    for path in &of_version {
        if let Err(reason) = SharedLibrary::open_now(path) {
            return Err(Box::new(CheckResult::Unloadable {
                library: path.display().to_string(),
                reason,
            }));
        }
    }
    let names: Vec<String> = of_version.iter().map(|path| name(path)).collect();
    opened.note("builder-resources", names.join(", "));
    Ok(())
}

/// The files of the builder in a directory, by name.
fn beside(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| name(path).starts_with(STEM) && !number(path).is_empty())
        .collect();
    found.sort();
    found
}

/// `10.3.0` of `libnvinfer_builder_resource.so.10.3.0`.
fn number(path: &Path) -> String {
    let name = name(path);
    name.split_once(".so.")
        .map_or_else(String::new, |(_, number)| number.to_owned())
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_a_version_are_found_in_order() {
        let directory = tempfile::tempdir().unwrap();
        for file in [
            "libnvinfer_builder_resource_sm90.so.10.14.1",
            "libnvinfer_builder_resource.so",
            "libnvinfer_builder_resource_ptx.so.10.14.1",
            "libnvinfer.so.10.14.1",
        ] {
            fs::write(directory.path().join(file), "").unwrap();
        }
        let found: Vec<String> = beside(directory.path()).iter().map(|it| name(it)).collect();
        assert_eq!(
            found,
            [
                "libnvinfer_builder_resource_ptx.so.10.14.1",
                "libnvinfer_builder_resource_sm90.so.10.14.1"
            ]
        );
        assert_eq!(number(Path::new(&found[0])), "10.14.1");
    }
}
