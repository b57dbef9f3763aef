//! What the loader is told: in files that are made for it, and in a program that is certainly there, the test itself.

use cudacheck_inspect::{Options, inspect};
use cudacheck_model::package::{
    ElfClass, ElfFacts, ExecutableStack, FileKind, Machine, NeededVersions, WarningCode,
};
use proptest::prelude::*;

use crate::build::{AARCH64, Host, Linked, PPC64, PPC64LE, X86_64, linked};
use crate::inspect_bytes;

/// A library with everything that is read.
fn library(host: Host) -> Linked<'static> {
    Linked {
        host,
        texts: &[
            (1, "libcublas.so.12"),
            (1, "libc.so.6"),
            (14, "libx.so.1"),
            (15, "/old"),
            (29, "$ORIGIN:/run/opengl-driver/lib"),
        ],
        // DF_1_NODEFLIB.
        numbers: &[(0x6fff_fffb, 0x800)],
        needed_version: ("libc.so.6", "GLIBC_2.34"),
        provided_version: ("libx.so.1", "X_1.0"),
        symbols: &[
            "malloc",
            "cuInit",
            "nvmlInit_v2",
            "cublasCreate_v2",
            "cuFileRead",
        ],
        stack: 7,
    }
}

#[track_caller]
fn check(host: Host, machine: Machine) {
    let facts = inspect_bytes(&linked(&library(host)));
    assert_eq!(facts.warnings, []);
    let [file] = &facts.files[..] else {
        panic!("{facts:?}")
    };
    assert_eq!(
        (file.kind, file.machine),
        (FileKind::SharedObject, Some(machine))
    );
    let text = |text: &str| text.to_owned();
    let expected = ElfFacts {
        class: ElfClass::Elf64,
        soname: Some(text("libx.so.1")),
        needed: vec![text("libcublas.so.12"), text("libc.so.6")],
        rpath: Some(text("/old")),
        runpath: Some(text("$ORIGIN:/run/opengl-driver/lib")),
        interpreter: None,
        no_default_directories: true,
        needed_versions: vec![NeededVersions {
            file: text("libc.so.6"),
            versions: vec![text("GLIBC_2.34")],
            weak: vec![],
        }],
        provided_versions: vec![text("X_1.0")],
        driver_symbols: vec![text("cuInit"), text("nvmlInit_v2")],
        executable_stack: ExecutableStack::Yes,
        opened_names: vec![],
    };
    assert_eq!(file.elf, Some(expected));
}

#[test]
fn a_library_without_sections_is_read_as_its_loader_reads_it() {
    check(X86_64, Machine::X86_64);
    check(AARCH64, Machine::Aarch64);
    check(PPC64LE, Machine::Ppc64le);
    check(PPC64, Machine::Ppc64);
}

#[test]
fn a_list_of_versions_that_is_a_circle_ends() {
    let mut bytes = linked(&library(X86_64));
    // The only file of which versions are needed is said to have 65,535, each of them followed by itself.
    let needed = bytes
        .windows(16)
        .position(|bytes| bytes[..4] == [1, 0, 1, 0] && bytes[8] == 16)
        .unwrap();
    bytes[needed + 2..needed + 4].fill(0xff);
    bytes[needed + 12] = 0;
    bytes[needed + 16 + 12] = 1;
    let facts = inspect_bytes(&bytes);
    assert!(!facts.warnings.is_empty());
    assert!(facts.files[0].elf.is_some());
}

#[test]
fn names_outside_of_their_table_are_reported() {
    let mut wrong = library(X86_64);
    wrong.numbers = &[(1, 1 << 40)];
    let facts = inspect_bytes(&linked(&wrong));
    let codes: Vec<_> = facts.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [WarningCode::MalformedFile]);
    assert_eq!(facts.files[0].elf.as_ref().unwrap().needed.len(), 2);
}

proptest! {
    // A failure is to become a test above, which says what it is about.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a file tells the loader, reading it ends.
    #[test]
    fn damaged_libraries_are_read_to_an_end(
        big in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![0_u8, 1, 2, 0x7f, 0x80, 0xff])), 1..16),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = linked(&library(if big { PPC64 } else { X86_64 }));
        for (index, value) in changes {
            let length = bytes.len();
            bytes[index.index(length)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let facts = inspect_bytes(&bytes);
        prop_assert_eq!(facts.counts.files, 1);
    }
}

#[test]
fn a_program_is_read_as_its_loader_reads_it() {
    let path = std::env::current_exe().unwrap();
    let facts = inspect(std::slice::from_ref(&path), &Options::default(), &|_| {});
    assert_eq!(facts.warnings, []);
    assert_eq!(facts.files[0].kind, FileKind::Executable);
    let elf = facts.files[0].elf.as_ref().unwrap();
    assert_eq!(
        (elf.class, elf.executable_stack),
        (ElfClass::Elf64, ExecutableStack::No)
    );
    // The names of libc differ, but every one of them is a file, and its versions are asked of a file that is needed.
    assert!(
        elf.needed.iter().any(|name| name.starts_with("libc.")),
        "{:?}",
        elf.needed
    );
    let interpreter = elf.interpreter.as_ref().unwrap();
    assert!(std::path::Path::new(interpreter).is_file(), "{interpreter}");
    for versions in &elf.needed_versions {
        assert!(elf.needed.contains(&versions.file), "{versions:?}");
        assert!(
            !versions.versions.is_empty()
                && versions
                    .versions
                    .iter()
                    .all(|version| version.contains('_'))
        );
    }
    assert_eq!(elf.driver_symbols, [""; 0]);
}
