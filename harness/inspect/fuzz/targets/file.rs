//! Reads any bytes as a file of a package, and writes what GPU code is found in it.
//!
//! It needs no nightly compiler, and begins with the small files of `seeds`:
//! `cargo fuzz run -s none file corpus/file seeds`.
#![no_main]

use cudacheck_inspect::{Options, Search, extract, inspect};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let directory = tempfile::tempdir().expect("there is room for a file");
    let path = directory.path().join("file");
    std::fs::write(&path, bytes).expect("there is room for a file");
    let paths = [path];
    let facts = inspect(&paths, &Options::default(), &|_| {});
    let listed: u64 = facts
        .code()
        .flat_map(|section| &section.groups)
        .map(|group| group.count)
        .sum();
    assert!(listed <= facts.counts.entries);
    let done =
        extract(&paths, Search::Everywhere, &directory.path().join("into")).expect("there is room");
    assert!(done.files <= facts.counts.entries);
});
