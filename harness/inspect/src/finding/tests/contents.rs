//! What a package holds against what was asked for: platforms, machine code, PTX.

use cudacheck_model::finding::Flaw;
use cudacheck_model::finding::Severity::{self, Error, Warning};
use cudacheck_model::package::{FileKind, Machine};

use super::super::{Expectation, Question, Redistribution};
use super::{ask, check, check_asked};
use crate::fixture::{Tree, code};

#[track_caller]
fn check_platform(
    kind: FileKind,
    machine: Machine,
    cubins: &[&str],
    asked: &str,
    expected: Option<&str>,
) {
    let mut tree = Tree::new();
    let file = tree.file("/p/lib/liba.so", kind, machine, |_| {});
    file.code = code(cubins, &[]);
    let question = Question {
        platform: Some(asked.parse().unwrap()),
        expected: None,
    };
    let found = ask(&tree, &question);
    let found = found.iter().find_map(|finding| {
        let Flaw::OtherPlatform { built_for, .. } = &finding.flaw else {
            return None;
        };
        Some(built_for.as_str())
    });
    assert_eq!(found, expected, "{asked}");
}

#[test]
fn platforms_are_told_apart_by_machine_and_by_device() {
    use FileKind::{Dll, SharedObject};
    use Machine::{Aarch64, X86_64};
    let cards = &["sm_80", "sm_90"][..];
    check_platform(SharedObject, X86_64, cards, "linux-x86_64", None);
    check_platform(
        SharedObject,
        X86_64,
        cards,
        "linux-sbsa",
        Some("linux-x86_64"),
    );
    check_platform(
        SharedObject,
        X86_64,
        cards,
        "windows-x86_64",
        Some("linux-x86_64"),
    );
    check_platform(Dll, X86_64, cards, "linux-x86_64", Some("windows-x86_64"));
    check_platform(Dll, X86_64, cards, "mingwW64", None);
    check_platform(SharedObject, Aarch64, cards, "linux-sbsa", None);
    check_platform(
        SharedObject,
        Aarch64,
        cards,
        "linux-aarch64",
        Some("linux-sbsa"),
    );
    check_platform(
        SharedObject,
        Aarch64,
        &["sm_72", "sm_87"],
        "linux-aarch64",
        None,
    );
    check_platform(
        SharedObject,
        Aarch64,
        &["sm_72", "sm_87"],
        "linux-sbsa",
        Some("linux-aarch64"),
    );
    check_platform(
        SharedObject,
        Aarch64,
        &["sm_87", "sm_90"],
        "linux-sbsa",
        None,
    );
    check_platform(SharedObject, Aarch64, &[], "linux-aarch64", None);
    check_platform(
        SharedObject,
        Aarch64,
        &[],
        "linux-ppc64le",
        Some("linux-sbsa or linux-aarch64"),
    );
}

#[test]
fn names_of_platforms_are_nvidias_or_nixs() {
    let name = |word: &str| {
        word.parse::<Redistribution>()
            .map(Redistribution::name)
            .map_err(|error| error.to_string())
    };
    assert_eq!(name("x86_64-linux"), Ok("linux-x86_64"));
    assert_eq!(name("powernv"), Ok("linux-ppc64le"));
    assert_eq!(name("linux-aarch64"), Ok("linux-aarch64"));
    let both = "`aarch64-linux` is not one platform: say linux-sbsa, linux-aarch64";
    assert_eq!(name("aarch64-linux"), Err(both.to_owned()));
    assert!(name("linux").is_err());
}

#[track_caller]
fn check_code(cubins: &[&str], ptx: &[&str], asked: &str, expected: &[(&str, Severity)]) {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |_| {}).code = code(cubins, ptx);
    let question = Question {
        platform: None,
        expected: Some(asked.parse().unwrap()),
    };
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, severity)| (*code, *severity, "/p/lib/liba.so"))
        .collect();
    check_asked(&tree, &question, &expected);
}

#[test]
fn code_is_what_was_asked_for() {
    let both = &["sm_80", "sm_90"][..];
    check_code(both, &["sm_90"], "sm_80,sm_90,ptx", &[]);
    check_code(both, &["sm_90"], "sm_80, sm_90, compute_90", &[]);
    check_code(both, &[], "sm_80,sm_90", &[]);
    check_code(both, &[], "sm_80,sm_90,ptx", &[("ptx-missing", Error)]);
    check_code(
        both,
        &["sm_80"],
        "sm_80,sm_90,compute_90",
        &[("ptx-missing", Error), ("ptx-unexpected", Warning)],
    );
    check_code(
        both,
        &[],
        "sm_80,sm_90a",
        &[
            ("machine-code-missing", Error),
            ("machine-code-unexpected", Error),
        ],
    );
    check_code(
        both,
        &["sm_90"],
        "sm_80,sm_90",
        &[("ptx-unexpected", Warning)],
    );
    check_code(
        &[],
        &["sm_80"],
        "sm_80,ptx",
        &[("machine-code-missing", Error)],
    );
    assert!("sm_80,turing".parse::<Expectation>().is_err());
    assert!("".parse::<Expectation>().is_err());
}

#[test]
fn nvidias_own_libraries_need_only_run() {
    let mut tree = Tree::new();
    tree.library("/p/lib/libcublas.so.12", |_| {}).code = code(&["sm_80", "sm_90"], &["sm_90"]);
    let question = |text: &str| Question {
        platform: None,
        expected: Some(text.parse().unwrap()),
    };
    check_asked(&tree, &question("sm_86"), &[]);
    check_asked(
        &tree,
        &question("sm_75"),
        &[("machine-code-missing", Warning, "/p/lib/libcublas.so.12")],
    );
}

#[test]
fn a_package_without_gpu_code_is_none() {
    let mut tree = Tree::new();
    tree.library("/p/lib/liba.so", |_| {});
    let question = Question {
        platform: None,
        expected: Some("sm_90".parse().unwrap()),
    };
    check_asked(&tree, &question, &[("no-gpu-code", Error, "/p")]);
    check(&tree, &[]);
}
