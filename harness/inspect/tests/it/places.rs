//! Where GPU code is found: in which files, which sections, and with which padding.

use cudacheck_model::package::{CodeSection, FileKind, FoundBy, Loadable, Machine};

use crate::build::{AARCH64, PPC64, PPC64LE, X86_64, archive, container, elf, section, windows};
use crate::{fixture, fixtures, inspect_bytes};

/// What is found: the file's kind and machine, and of each section its name, containers, and entries.
type Expected<'a> = (
    FileKind,
    Option<Machine>,
    &'a [(&'a str, FoundBy, u64, u64)],
);

#[track_caller]
fn check(bytes: &[u8], (kind, machine, sections): Expected<'_>) -> Vec<CodeSection> {
    let facts = inspect_bytes(bytes);
    assert_eq!(facts.warnings, []);
    let [file] = &facts.files[..] else {
        panic!("{facts:?}")
    };
    assert_eq!((file.kind, file.machine), (kind, machine));
    let found: Vec<_> = file
        .code
        .iter()
        .map(|section| {
            (
                section.name.as_str(),
                section.found_by,
                section.containers,
                section.entries,
            )
        })
        .collect();
    assert_eq!(found, sections);
    file.code.clone()
}

fn joined(parts: &[&str], alignment: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.resize(usize::next_multiple_of(bytes.len(), alignment), 0);
        bytes.extend(fixture(part));
    }
    bytes
}

#[test]
fn containers_follow_each_other_with_and_without_padding() {
    use FoundBy::FatbinSection;
    let parts = ["t1.fatbin", "n_def.fatbin", "n_lto.fatbin"];
    let (x86, arm) = (Some(Machine::X86_64), Some(Machine::Aarch64));
    let expected = [(".nv_fatbin", FatbinSection, 3, 13)];
    check(
        &elf(X86_64, &[section(".nv_fatbin", joined(&parts, 8))]),
        (FileKind::SharedObject, x86, &expected),
    );
    check(
        &elf(AARCH64, &[section(".nv_fatbin", joined(&parts, 256))]),
        (FileKind::SharedObject, arm, &expected),
    );
    let both = [
        section("__nv_relfatbin", fixture("t1.fatbin")),
        section(".nv_fatbin", fixture("n_def.fatbin")),
    ];
    let expected = [
        ("__nv_relfatbin", FatbinSection, 1, 9),
        (".nv_fatbin", FatbinSection, 1, 2),
    ];
    check(
        &elf(PPC64LE, &both),
        (FileKind::SharedObject, Some(Machine::Ppc64le), &expected),
    );
    check(
        &elf(PPC64, &both),
        (FileKind::SharedObject, Some(Machine::Ppc64), &expected),
    );
}

#[test]
fn code_in_other_sections_is_found_and_marked() {
    let mut data =
        b"some bytes, and a magic number by chance: \x50\xed\x55\xba\x01\0\x10\0 .".to_vec();
    data.resize(400_000, 7);
    data.extend(fixture("tc_default.fatbin"));
    data.extend(b"between");
    data.extend(fixture("k_90a.cubin"));
    data.extend(fixture("c129_75.cubin"));
    data.extend(fixture("n_tile.fatbin"));
    let file = elf(X86_64, &[section(".rodata", data)]);
    // Two containers, and the cubins between them, which count as one.
    let expected = (
        FileKind::SharedObject,
        Some(Machine::X86_64),
        &[(".rodata", FoundBy::DeepScan, 3, 12)][..],
    );
    let sections = check(&file, expected);
    let loose = sections[0]
        .profiles
        .iter()
        .find(|profile| profile.loadable.len() == 2)
        .unwrap();
    let targets = ["sm_75", "sm_90a"].map(|target| Loadable::Cubin(target.parse().unwrap()));
    assert_eq!(loose.loadable, targets);
}

#[test]
fn code_is_found_wherever_a_chunk_ends() {
    let container = fixture("n_tile.fatbin");
    for before in (262_144 - 140..262_144 + 8).chain(262_144 - 520..262_144 - 500) {
        let mut data = vec![1; before];
        data.extend(&container);
        let expected = (
            FileKind::SharedObject,
            Some(Machine::X86_64),
            &[(".data", FoundBy::DeepScan, 1, 1)][..],
        );
        check(&elf(X86_64, &[section(".data", data)]), expected);
    }
}

#[test]
fn archives_are_the_sum_of_their_members() {
    let member = |name| elf(X86_64, &[section("__nv_relfatbin", fixture(name))]);
    let file = archive(&[
        ("/", b"symbols".to_vec()),
        ("//", b"a-name-that-is-too-long.o/\n".to_vec()),
        ("/0", member("t1.fatbin")),
        ("two.o/", member("n_lto.fatbin")),
        (
            "#1/20",
            [b"a name in the data..".to_vec(), member("n_def.fatbin")].concat(),
        ),
        ("text", b"nothing of interest".to_vec()),
    ]);
    let expected = [("__nv_relfatbin", FoundBy::FatbinSection, 3, 13)];
    check(&file, (FileKind::Archive, Some(Machine::X86_64), &expected));
    let nested = archive(&[("inner.a/", file)]);
    check(&nested, (FileKind::Archive, None, &[]));
}

#[test]
fn windows_libraries_hold_the_same() {
    let file = windows(&[
        section(".rdata", b"text".to_vec()),
        section(".nv_fatbin", joined(&["t_speed.fatbin", "n_gwo.fatbin"], 8)),
    ]);
    let expected = [(".nv_fatb", FoundBy::FatbinSection, 2, 11)];
    check(&file, (FileKind::Dll, Some(Machine::X86_64), &expected));
}

#[test]
fn bare_files_are_read_whole() {
    let expected = [("", FoundBy::WholeFile, 1, 9)];
    check(
        &fixture("t_none.fatbin"),
        (FileKind::Fatbin, None, &expected),
    );
    let expected = [("", FoundBy::WholeFile, 1, 1)];
    check(
        &fixture("k_121f.cubin"),
        (FileKind::Cubin, Some(Machine::Cuda), &expected),
    );
}

#[test]
fn a_container_whose_machine_code_has_no_kernel_offers_nothing() {
    // Only so small ones are looked into; what counts is at the beginning.
    let with_kernel = fixture("c129_75.cubin")[..2048].to_vec();
    // What a linker leaves behind: machine code of which no section begins with `.text.`.
    let without = String::from_utf8_lossy(&with_kernel);
    assert!(without.contains(".text."));
    let mut without = with_kernel.clone();
    for at in 0..without.len() - 6 {
        if without[at..].starts_with(b".text.") {
            without[at] = b'_';
        }
    }
    let loadable = |cubins: &[(u32, &[u8])]| {
        let entries: Vec<_> = cubins
            .iter()
            .map(|(target, bytes)| (2, *target, *bytes))
            .collect();
        let count = entries.len() as u64;
        let expected = [("", FoundBy::WholeFile, 1, count)];
        let sections = check(&container(&entries), (FileKind::Fatbin, None, &expected));
        sections[0].profiles[0].loadable.len()
    };
    assert_eq!(loadable(&[(75, &with_kernel), (80, &with_kernel)]), 2);
    assert_eq!(loadable(&[(75, &without), (80, &without)]), 0);
    // Kernels may well be for some devices only.
    assert_eq!(loadable(&[(75, &without), (80, &with_kernel)]), 2);
}

#[test]
fn a_tree_is_counted_once() {
    let facts = cudacheck_inspect::inspect(
        &[fixtures(), fixtures().join("t1.fatbin")],
        &cudacheck_inspect::Options::default(),
        &|_| {},
    );
    let fatbins = facts
        .files
        .iter()
        .filter(|file| file.kind == FileKind::Fatbin)
        .count();
    let cubins = facts
        .files
        .iter()
        .filter(|file| file.kind == FileKind::Cubin)
        .count();
    assert_eq!((fatbins, cubins, facts.counts.files), (13, 31, 58));
    assert_eq!(facts.counts.files_with_code, 44);
}
