//! Makes packages of stand-ins: copies of one shared library, each under the name of a library that it stands in for.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The SONAME that the shared library is built with; see its build script.
const PLACEHOLDER: &[u8] = b"libcudacheck-stand-in-whose-name-is-replaced-in-copies.so";

/// A directory with `lib/SONAME` for each of the names.
pub(crate) fn package(sonames: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for soname in sonames {
        place(directory.path(), soname);
    }
    directory
}

/// Puts one stand-in into a package.
pub(crate) fn place(package: &Path, soname: &str) {
    let mut bytes = fs::read(built()).unwrap();
    let places: Vec<usize> = bytes
        .windows(PLACEHOLDER.len())
        .enumerate()
        .filter(|(_, window)| *window == PLACEHOLDER)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 1, "the SONAME stands in one place");
    let name = soname.as_bytes();
    bytes[places[0]..places[0] + name.len()].copy_from_slice(name);
    bytes[places[0] + name.len()] = 0;
    let lib = package.join("lib");
    fs::create_dir_all(&lib).unwrap();
    fs::write(lib.join(soname), bytes).unwrap();
}

/// The shared library beside the binary under test, as cargo leaves it.
fn built() -> PathBuf {
    let name = "libcudacheck_stand_ins.so";
    let directory = Path::new(env!("CARGO_BIN_EXE_cudacheck")).parent().unwrap();
    let places = [directory.join(name), directory.join("deps").join(name)];
    let newest = places
        .iter()
        .filter_map(|place| Some((fs::metadata(place).ok()?.modified().ok()?, place)))
        .max();
    newest.expect("cargo builds it for these tests").1.clone()
}
