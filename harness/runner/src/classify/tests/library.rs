//! What a library of a package did, and whose fault that is.

use std::path::PathBuf;

use cudacheck_model::journal::{Stranger, StrangerKind};
use cudacheck_model::library::Library;

use super::*;

fn called(library: Library, code: i32, log: &str, driver: Option<i32>) -> CheckResult {
    CheckResult::Library {
        library,
        function: "function".to_owned(),
        code,
        name: "STATUS".to_owned(),
        text: String::new(),
        log: log.to_owned(),
        driver,
    }
}

fn unloadable(reason: &str) -> CheckResult {
    CheckResult::Unloadable {
        library: "/p/lib/libx.so.1".to_owned(),
        reason: reason.to_owned(),
    }
}

fn stranger(why: StrangerKind) -> CheckResult {
    CheckResult::Strangers(vec![Stranger {
        path: PathBuf::from("/opt/lib/libcudnn_ops.so.9"),
        why,
    }])
}

/// The line of an outcome, and a piece of its cause.
#[track_caller]
fn judges(stage: Stage, result: CheckResult, expected: &str, cause: &str) {
    let outcome = outcome(PACKAGE, &Exited(0), &told(stage, result));
    assert_eq!(line(&outcome), expected);
    let (Outcome::Fail(finding) | Outcome::Fault(finding)) = outcome else {
        panic!("{expected} is neither a failure nor a fault");
    };
    let said = finding.cause.text();
    assert!(said.contains(cause), "{said}");
}

#[test]
fn the_loaders_words_prove_the_cause() {
    let at = Stage::OpenPackage;
    let expected = "fail unloadable-library loading open-package";
    for (reason, cause) in [
        (
            "libcublasLt.so.12: cannot open shared object file: No such file or directory",
            "does not find libcublasLt.so.12",
        ),
        (
            "/lib/libc.so.6: version `GLIBC_2.42' not found (required by libx.so.1)",
            "newer C library",
        ),
        (
            "libstdc++.so.6: version `GLIBCXX_3.4.34' not found",
            "newer libstdc++",
        ),
        (
            "libx.so.1: undefined symbol: cublasLtFoo",
            "another version",
        ),
        (
            "libx.so.1: undefined symbol: cuTensorMapEncodeIm2col",
            "the driver is older than this library, and has no `cuTensorMapEncodeIm2col`",
        ),
        ("libx.so.1: wrong ELF class: ELFCLASS32", "another kind"),
        (
            "libx.so.1: wrong ELF machine: it is for aarch64, and this is x86_64",
            "another kind",
        ),
        (
            "libx.so.1: a link that leads nowhere: libx.so.1.2 is not there",
            "name and not the library",
        ),
        ("libx.so.1: it is a directory", "a directory"),
        ("it has no function `create`", "another library"),
        ("libx.so.1: invalid ELF header", "no library"),
        ("libx.so.1: file too short", "cut off"),
        (
            "libx.so.1: cannot enable executable stack",
            "executable stack",
        ),
        ("some other words", "unknown"),
    ] {
        judges(at, unloadable(reason), expected, cause);
    }
}

#[test]
fn a_librarys_number_is_explained_by_its_own_table() {
    judges(
        Stage::FirstCall,
        called(Library::Cublas, 8, "", Some(0)),
        "fail library-error architecture first-call",
        "no code",
    );
    judges(
        Stage::Versions,
        called(Library::Cudnn, 3009, "", None),
        "fail library-error loading versions",
        "a library of cuDNN itself is missing",
    );
    judges(
        Stage::Compute,
        called(Library::Cudnn, 3008, "", None),
        "fail library-error loading compute",
        "NVRTC",
    );
    judges(
        Stage::Compute,
        called(Library::Cudnn, 11, "", None),
        "fail library-error loading compute",
        "cuBLAS or NVRTC",
    );
    judges(
        Stage::FirstCall,
        called(Library::Cudnn, 6, "", None),
        "fail library-error architecture first-call",
        "below what this cuDNN supports",
    );
    judges(
        Stage::FirstCall,
        called(
            Library::Nvrtc,
            7,
            "nvrtc: error: failed to open libnvrtc-builtins.so.12.8.\n  Make sure it is installed",
            None,
        ),
        "fail library-error loading first-call",
        "libnvrtc-builtins.so.12.8 is missing",
    );
    judges(
        Stage::FirstCall,
        called(Library::Cutensor, 8, "", Some(0)),
        "fail library-error architecture first-call",
        "no code",
    );
    judges(
        Stage::Versions,
        called(Library::Opencv, -216, "", None),
        "fail library-error build versions",
        "without CUDA",
    );
    judges(
        Stage::FirstCall,
        called(Library::Cufft, 5, "", Some(0)),
        "fail library-error execution first-call",
        "unknown",
    );
    judges(
        Stage::Compute,
        called(Library::Nccl, 424_242, "", Some(0)),
        "fail library-error execution compute",
        "unknown",
    );
}

#[test]
fn a_device_that_is_lost_is_not_the_librarys_failure() {
    // An uncorrectable memory error, by the driver's own words.
    let result = called(Library::Cublas, 13, "", Some(214));
    judges(
        Stage::Compute,
        result,
        "fault cuda-error machine compute",
        "uncorrectable error",
    );
}

#[test]
fn libraries_of_others_are_named() {
    let outside = "fail foreign-library loading provenance";
    for (why, cause) in [
        (StrangerKind::Outside, "outside of the package"),
        (StrangerKind::Stub, "stubs"),
        (
            StrangerKind::Hides {
                own: PathBuf::from("/p/lib/libcudnn_ops.so.9"),
            },
            "before it leads to the package's own",
        ),
        (
            StrangerKind::Twice {
                other: PathBuf::from("/p/lib/libcudnn_ops.so.9"),
            },
            "both were loaded",
        ),
    ] {
        judges(Stage::Provenance, stranger(why), outside, cause);
    }
}

#[test]
fn a_crash_in_the_package_is_the_packages() {
    for stage in [
        Stage::OpenPackage,
        Stage::OpenParts,
        Stage::Versions,
        Stage::FirstCall,
    ] {
        let outcome = outcome(PACKAGE, &Signaled(6), &at(stage));
        assert_eq!(line(&outcome), format!("fail signal execution {stage}"));
    }
}
