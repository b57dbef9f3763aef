//! Payloads, as they are written: the same whatever compressed them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cudacheck_inspect::{Extracted, Search, Wanted, extract, extract_smallest};
use cudacheck_model::package::WarningCode;

use crate::{fixture, fixtures};

/// The files that a fixture's payloads are written to: what follows the number in their names, and their bytes.
fn payloads(name: &str) -> BTreeMap<String, Vec<u8>> {
    let into = tempfile::tempdir().unwrap();
    let done = extract(&[fixtures().join(name)], Search::Everywhere, into.path()).unwrap();
    assert_eq!(done.warnings, []);
    let found = files(into.path());
    assert_eq!(done.files, found.len() as u64);
    assert_eq!(
        done.bytes,
        found.values().map(|bytes| bytes.len() as u64).sum::<u64>()
    );
    found
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let name = path.file_name().unwrap().to_str().unwrap();
            let (_, name) = name.split_once('.').unwrap();
            assert!(
                found
                    .insert(name.to_owned(), fs::read(&path).unwrap())
                    .is_none(),
                "{name}"
            );
        }
    }
    found
}

/// Payloads are padded with zeros where nothing says how long they are.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    &bytes[..end]
}

#[test]
fn every_compression_gives_the_same_bytes() {
    let plain = payloads("t_none.fatbin");
    assert_eq!(plain.len(), 9);
    assert!(plain["sm_90.ptx"].starts_with(b"//") || plain["sm_90.ptx"].starts_with(b".version"));
    assert!(plain["sm_75.cubin"].starts_with(b"\x7fELF"));
    for name in [
        "t_speed",
        "t_default",
        "t_size",
        "tc_speed",
        "tc_default",
        "tc_size",
    ] {
        let packed = payloads(&format!("{name}.fatbin"));
        assert_eq!(
            packed.keys().collect::<Vec<_>>(),
            plain.keys().collect::<Vec<_>>(),
            "{name}"
        );
        for (target, bytes) in &plain {
            assert_eq!(
                without_padding(&packed[target]),
                without_padding(bytes),
                "{name} {target}"
            );
        }
    }
}

#[test]
fn intermediate_code_is_written_as_it_is() {
    // Of scrambled code nobody but the driver's linker knows what it is.
    let lto = payloads("n_lto.fatbin");
    let names: Vec<_> = lto.keys().map(String::as_str).collect();
    assert_eq!(names, ["sm_100a.ltoir.scrambled", "sm_90.ltoir.scrambled"]);
    assert!(
        fixture("n_lto.fatbin")
            .windows(64)
            .any(|bytes| lto["sm_90.ltoir.scrambled"].starts_with(bytes))
    );
    let tile = payloads("n_tile.fatbin");
    assert!(tile.contains_key("sm_80.tileir"));
    let cubin = payloads("k_90a.cubin");
    assert_eq!(cubin["sm_90a.cubin"], fixture("k_90a.cubin"));
}

/// What becomes of a fixture with some of its bytes replaced.
fn damaged(name: &str, replace: fn(&mut Vec<u8>)) -> Extracted {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = fixture(name);
    replace(&mut bytes);
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    extract(&[path], Search::Everywhere, &directory.path().join("into")).unwrap()
}

#[test]
fn what_cannot_be_unpacked_is_reported_and_the_rest_is_written() {
    // The first payload of each begins after the container's header of 16 bytes and its own of 64.
    for name in ["t_speed.fatbin", "t_default.fatbin"] {
        let done = damaged(name, |bytes| bytes[80..120].fill(0xff));
        let codes: Vec<_> = done
            .warnings
            .iter()
            .map(|warning| (warning.code, warning.offset))
            .collect();
        assert_eq!(
            (codes, done.files),
            (vec![(WarningCode::NotExtracted, Some(16))], 8),
            "{name}"
        );
    }
}

#[test]
fn a_size_that_cannot_be_is_not_allocated() {
    for size in [u64::MAX, 1 << 40, 1 << 28] {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = fixture("t_speed.fatbin");
        bytes[72..80].copy_from_slice(&size.to_le_bytes());
        let path = directory.path().join("file");
        fs::write(&path, bytes).unwrap();
        let done = extract(&[path], Search::Everywhere, &directory.path().join("into")).unwrap();
        assert_eq!((done.warnings.len(), done.files), (1, 8), "{size}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let into = tempfile::tempdir().unwrap();
    let path = [fixtures().join("n_def.fatbin")];
    assert_eq!(
        extract(&path, Search::Everywhere, into.path())
            .unwrap()
            .files,
        2
    );
    let again = extract(&path, Search::Everywhere, into.path()).unwrap();
    assert_eq!((again.files, again.warnings.len()), (0, 2));
}

/// The smallest PTX of a fixture for a target, if it has some.
#[track_caller]
fn smallest(names: &[&str], target: &str, isa: &str, limit: u64) -> Option<Vec<u8>> {
    let into = tempfile::tempdir().unwrap();
    let paths: Vec<_> = names.iter().map(|name| fixtures().join(name)).collect();
    let wanted = Wanted {
        target: target.parse().unwrap(),
        isa: isa.parse().unwrap(),
        limit,
    };
    let found = extract_smallest(&paths, Search::Everywhere, wanted, into.path()).unwrap();
    assert_eq!(files(into.path()).len(), usize::from(found.is_some()));
    found.map(|path| fs::read(path).unwrap())
}

#[test]
fn one_piece_of_ptx_is_written_alone() {
    let all = payloads("t_none.fatbin");
    let text = String::from_utf8(all["sm_90.ptx"].clone()).unwrap();
    let version = text.lines().find_map(|line| line.strip_prefix(".version "));
    let isa = version.unwrap().trim();
    for name in ["t_none.fatbin", "t_speed.fatbin", "t_default.fatbin"] {
        let found = smallest(&[name], "sm_90", isa, 1 << 20).unwrap();
        assert_eq!(
            without_padding(&found),
            without_padding(&all["sm_90.ptx"]),
            "{name}"
        );
    }
    assert!(smallest(&["k_90a.cubin", "t_size.fatbin"], "sm_90", isa, 1 << 20).is_some());
    assert_eq!(smallest(&["t_none.fatbin"], "sm_90", "1.0", 1 << 20), None);
    assert_eq!(smallest(&["t_none.fatbin"], "sm_20", isa, 1 << 20), None);
    assert_eq!(smallest(&["t_none.fatbin"], "sm_90", isa, 8), None);
    assert_eq!(smallest(&["nowhere"], "sm_90", isa, 1 << 20), None);
}
