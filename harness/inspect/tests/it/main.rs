//! Packages as they are built, as other tools see them, and as nobody should ever write them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod elf;
mod extraction;
mod golden;
mod hostile;
mod places;

use std::path::{Path, PathBuf};

use cudacheck_inspect::{Options, inspect};
use cudacheck_model::package::PackageFacts;

/// Small files with GPU code, made by NVIDIA's tools from PTX of this project.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fatbin")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(name)).unwrap()
}

/// What is found in a directory with one file of these bytes.
fn inspect_bytes(bytes: &[u8]) -> PackageFacts {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    inspect(&[path], &Options::default(), &|_| {})
}
