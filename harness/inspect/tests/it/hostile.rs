//! Files as nobody should write them: each is reported with its place, and costs no more than an honest one.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};

use cudacheck_inspect::{Options, Search, extract, inspect};
use cudacheck_model::package::{PackageFacts, WarningCode};
use proptest::prelude::*;

use crate::build::{X86_64, archive, container, elf, section};
use crate::{fixture, inspect_bytes};

/// The warnings of a file, and how many entries are still found.
#[track_caller]
fn check(bytes: &[u8], warnings: &[(WarningCode, Option<u64>)], entries: u64) -> PackageFacts {
    let facts = inspect_bytes(bytes);
    let found: Vec<_> = facts
        .warnings
        .iter()
        .map(|warning| (warning.code, warning.offset))
        .collect();
    assert_eq!(
        (&found[..], facts.counts.entries),
        (warnings, entries),
        "{:#?}",
        facts.warnings
    );
    facts
}

fn put(bytes: &[u8], at: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn a_file_that_ends_early_is_read_as_far_as_it_goes() {
    use WarningCode::{MalformedEntry, Truncated};
    let whole = fixture("t_none.fatbin");
    check(&whole, &[], 9);
    check(&whole[..12], &[(Truncated, Some(0))], 0);
    check(&whole[..16], &[(Truncated, Some(0))], 0);
    let cut = &whole[..whole.len() - 100];
    let last = check(
        cut,
        &[(Truncated, Some(0)), (MalformedEntry, Some(33_696))],
        8,
    );
    assert!(
        last.warnings[0].message.contains("cut off"),
        "{:?}",
        last.warnings
    );
}

#[test]
fn what_follows_a_damaged_container_is_still_read() {
    use WarningCode::{MalformedEntry, Truncated};
    let two = [fixture("n_def.fatbin"), fixture("n_def.fatbin")].concat();
    let second = fixture("n_def.fatbin").len() as u64;
    // The size of the first container: too large for the file, but its entries are right.
    let huge = put(&two, 8, &u64::MAX.to_le_bytes());
    let facts = inspect_bytes(&huge);
    assert_eq!(facts.warnings[0].code, Truncated);
    assert_eq!(facts.counts.entries, 4, "{:?}", facts.warnings);
    // The header of the first entry: too small, too large, and so large that it wraps.
    for size in [0_u32, 63, u32::MAX] {
        let broken = put(&two, 20, &size.to_le_bytes());
        let facts = inspect_bytes(&broken);
        assert_eq!(
            (facts.warnings[0].code, facts.warnings[0].offset),
            (MalformedEntry, Some(16))
        );
        assert_eq!(facts.counts.entries, 2, "{size}");
    }
    let wrapping = put(&two, 24, &u64::MAX.to_le_bytes());
    assert_eq!(inspect_bytes(&wrapping).counts.entries, 2);
    let zeros = put(&two, 0, &[0; 64]);
    let facts = inspect_bytes(&elf(X86_64, &[section(".nv_fatbin", zeros)]));
    assert_eq!(
        (facts.counts.entries, facts.warnings.len()),
        (2, 1),
        "{second}"
    );
}

#[test]
fn texts_outside_of_a_header_are_none() {
    use WarningCode::MalformedEntry;
    let whole = fixture("n_def.fatbin");
    let identifier = put(&whole, 16 + 0x24, &u32::MAX.to_le_bytes());
    check(&identifier, &[(MalformedEntry, Some(16))], 2);
    let identifier = put(&whole, 16 + 0x20, &u32::MAX.to_le_bytes());
    check(&identifier, &[(MalformedEntry, Some(16))], 2);
}

#[test]
fn numbers_that_no_tool_writes_are_named() {
    use WarningCode::{MalformedContainer, MalformedEntry, UnknownKind, UnknownVersion};
    let whole = fixture("n_def.fatbin");
    check(&put(&whole, 4, &[2, 0]), &[(UnknownVersion, Some(0))], 2);
    check(
        &put(&whole, 6, &[0, 0]),
        &[(MalformedContainer, Some(0))],
        2,
    );
    check(&put(&whole, 16, &[0, 2]), &[(UnknownKind, Some(16))], 2);
    check(
        &put(&whole, 16 + 0x1c, &u32::MAX.to_le_bytes()),
        &[(MalformedEntry, Some(16))],
        2,
    );
}

#[test]
fn concatenated_entries_cannot_promise_more_than_they_hold() {
    use WarningCode::MalformedEntry;
    let whole = fixture("tc_default.fatbin");
    check(&whole, &[], 9);
    let facts = inspect_bytes(&put(&whole, 16 + 64, &u32::MAX.to_le_bytes()));
    assert_eq!(
        facts
            .warnings
            .iter()
            .map(|warning| warning.code)
            .collect::<Vec<_>>(),
        [MalformedEntry]
    );
    assert_eq!(facts.counts.entries, 9);
}

#[test]
fn sections_may_lie_about_their_place() {
    let file = elf(X86_64, &[section(".nv_fatbin", fixture("t1.fatbin"))]);
    let headers = file.len() - 3 * 64;
    for (field, value) in [
        (24, 1_u64 << 62),
        (24, u64::MAX),
        (32, u64::MAX),
        (32, 1 << 40),
    ] {
        let lying = put(&file, headers + 64 + field, &value.to_le_bytes());
        let facts = inspect_bytes(&lying);
        assert!(
            facts
                .warnings
                .iter()
                .any(|warning| warning.code == WarningCode::Truncated),
            "{field} {value}"
        );
    }
    for (field, value) in [(0x28, u64::MAX), (0x28, 1 << 40), (0x20, 0)] {
        inspect_bytes(&put(&file, field, &value.to_le_bytes()));
    }
}

#[test]
fn a_file_of_a_type_that_no_loader_knows_is_not_read() {
    let file = elf(X86_64, &[section(".nv_fatbin", fixture("t1.fatbin"))]);
    check(
        &put(&file, 16, &[0x7f, 0]),
        &[(WarningCode::MalformedFile, Some(16))],
        0,
    );
    // Core dumps may lie about, and are no packages.
    check(&put(&file, 16, &[4, 0]), &[], 0);
}

#[test]
fn many_sections_of_the_same_bytes_are_not_all_read() {
    let data = vec![1; 1 << 20];
    let file = elf(X86_64, &[section(".data", data)]);
    let (body, headers) = file.split_at(file.len() - 3 * 64);
    let mut many = body.to_vec();
    many.extend(&headers[..64]);
    for _ in 0..60_000 {
        many.extend(&headers[64..128]);
    }
    many.extend(&headers[128..]);
    let many = put(&many, 0x3c, &60_002_u16.to_le_bytes());
    let many = put(&many, 0x3e, &60_001_u16.to_le_bytes());
    let facts = inspect_bytes(&many);
    assert!(
        facts
            .warnings
            .iter()
            .any(|warning| warning.code == WarningCode::LimitReached),
        "{:?}",
        facts.warnings
    );
}

#[test]
fn a_million_members_and_a_million_kinds_take_little_memory() {
    let empty: Vec<_> = (0..200_000).map(|_| ("x.o/", Vec::new())).collect();
    check(&archive(&empty), &[], 0);
    // Every entry is for another target, which no honest file has more than some dozens of.
    let entries: Vec<_> = (0..9_990)
        .map(|target| (1_u16, target + 10, &b""[..]))
        .collect();
    let facts = inspect_bytes(&container(&entries));
    assert_eq!(facts.counts.entries, 9_990);
    assert_eq!(facts.files[0].code[0].groups.len(), 1024);
    assert_eq!(
        facts
            .warnings
            .iter()
            .map(|warning| warning.code)
            .collect::<Vec<_>>(),
        [WarningCode::LimitReached]
    );
}

#[test]
fn a_file_with_a_million_faults_has_some_of_them_listed() {
    let mut bytes = Vec::new();
    for _ in 0..100_000 {
        bytes.extend([0x50, 0xed, 0x55, 0xba, 9, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    let facts = inspect_bytes(&bytes);
    assert_eq!(facts.counts.containers, 100_000);
    assert_eq!(
        facts.warnings.len() as u64 + facts.warnings_left_out,
        100_000
    );
    assert!(facts.warnings.len() < 100);
}

#[test]
fn a_sparse_terabyte_is_mostly_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sparse");
    let mut file = File::create(&path).unwrap();
    file.write_all(&fixture("t1.fatbin")).unwrap();
    if file.set_len(1 << 40).is_err() {
        // The file system of this machine has no such files.
        return;
    }
    file.seek(SeekFrom::Start(1 << 39)).unwrap();
    file.write_all(&fixture("n_def.fatbin")).unwrap();
    drop(file);
    let facts = inspect(&[path], &Options::default(), &|_| {});
    assert_eq!((facts.counts.containers, facts.counts.entries), (2, 11));
    assert_eq!(facts.warnings, []);
}

#[test]
fn names_that_are_no_text_do_not_keep_the_rest_from_being_printed() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff\xfe.fatbin"));
    fs::write(&path, fixture("n_def.fatbin")).unwrap();
    let facts = inspect(&[directory.path().to_owned()], &Options::default(), &|_| {});
    assert_eq!(facts.counts.entries, 2);
    let text = serde_json::to_string(&facts).unwrap();
    let read: PackageFacts = serde_json::from_str(&text).unwrap();
    assert_eq!(read.counts, facts.counts);
}

/// A file of GPU code in any of its forms.
fn honest() -> impl Strategy<Value = Vec<u8>> {
    let names = [
        "t1.fatbin",
        "t_default.fatbin",
        "t_speed.fatbin",
        "tc_default.fatbin",
        "n_lto_concat.fatbin",
        "n_tile.fatbin",
        "k_100f.cubin",
        "c129_90a.cubin",
    ];
    let bare = prop::sample::select(names.to_vec()).prop_map(fixture);
    (bare, 0..4).prop_map(|(bytes, form)| match form {
        0 => bytes,
        1 => elf(
            X86_64,
            &[
                section(".nv_fatbin", bytes.clone()),
                section(".rodata", bytes),
            ],
        ),
        2 => crate::build::windows(&[section(".nv_fatb", bytes.clone()), section(".data", bytes)]),
        _ => archive(&[
            ("x.o/", elf(X86_64, &[section("__nv_relfatbin", bytes)])),
            ("y/", b"y".to_vec()),
        ]),
    })
}

proptest! {
    // A failure is to become a test above, which says what it is about.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever becomes of a file, reading and unpacking it ends with an answer whose counts agree.
    #[test]
    fn damaged_files_are_read_to_an_end(
        bytes in honest(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        early in prop::collection::vec((0_usize..256, prop::sample::select(vec![0_u8, 1, 0x7f, 0x80, 0xff])), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = bytes;
        for (index, value) in flips {
            let length = bytes.len();
            bytes[index.index(length)] = value;
        }
        for (at, value) in early {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let facts = inspect_bytes(&bytes);
        for file in &facts.files {
            for section in &file.code {
                let profiles: u64 = section.profiles.iter().map(|profile| profile.containers).sum();
                prop_assert_eq!(profiles + section.containers_without_profile, section.containers);
                let grouped: u64 = section.groups.iter().map(|group| group.count).sum();
                prop_assert_eq!(grouped, section.entries);
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, &bytes).unwrap();
        let done = extract(&[path], Search::Everywhere, &directory.path().join("into")).unwrap();
        prop_assert!(done.files <= facts.counts.entries);
    }
}
