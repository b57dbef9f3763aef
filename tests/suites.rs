//! Suites through the real binary: what is shipped is well-formed, what is wrong is refused clearly.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{cudacheck, cudacheck_in, repository};

#[test]
fn the_shipped_suites_are_well_formed_and_name_every_kernel_once() {
    let ran = cudacheck(["validate"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let listed = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&cudacheck(arguments).stdout).unwrap()
    };
    let kernels = listed(&["list", "--kernels", "--json"]);
    let suites = listed(&["list", "--json"]);
    let names = |values: &serde_json::Value, pointer: &str| -> Vec<String> {
        values
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.pointer(pointer).unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    let catalogue: BTreeSet<String> = names(&kernels["kernels"], "/name").into_iter().collect();
    let cases = names(&suites["suites"][0]["cases"], "/check/kernel/name");
    assert!(catalogue.len() >= 30, "{} kernels", catalogue.len());
    assert_eq!(cases.len(), catalogue.len());
    assert_eq!(cases.into_iter().collect::<BTreeSet<_>>(), catalogue);
}

#[test]
fn the_schema_is_current() {
    let generated = cudacheck(["validate", "--schema"]).stdout;
    let path = repository().join("suites/schema.json");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == committed,
        "suites/schema.json is stale: cudacheck validate --schema >suites/schema.json"
    );
}

/// Exit code and stderr for suite files of these names and texts.
fn validated(files: &[(&str, &str)]) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let arguments: Vec<&str> = ["validate"]
        .into_iter()
        .chain(files.iter().map(|(name, _)| *name))
        .collect();
    let ran = cudacheck_in(directory, arguments);
    assert_eq!(ran.stdout, "");
    (ran.code, ran.stderr)
}

#[test]
fn complaints_of_all_files_come_at_once() {
    let first = "name: first\nsummary: unquoted versions\nrequires: { cuda: 12.10, driver: 535.54 }\ncases:\n  - name: a\n    check: { kernel: { name: launch-canarie } }\n";
    let second = "name: second\nsummary: twice the same key\nlimits: { retries: 1 }\nlimits: { retries: 2 }\ncases: []\n";
    let (code, stderr) = validated(&[
        ("first.yaml", first),
        ("second.yaml", second),
        ("third.yaml", "{"),
    ]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr);
}

#[test]
fn hostile_files_are_refused() {
    let nested = "[".repeat(200_000);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        bomb += &format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{}", level - 1); 9].join(", ")
        );
    }
    let huge = "# a comment\n"
        .repeat(100 << 20 >> 3)
        .chars()
        .take(100 << 20)
        .collect::<String>();
    let (code, stderr) = validated(&[
        ("nested.yaml", &nested),
        ("bomb.yaml", &bomb),
        ("huge.yaml", &huge),
        ("empty.yaml", ""),
    ]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(stderr);
}

#[test]
fn mistakes_on_the_command_line_are_answered_with_what_to_type() {
    let messages: Vec<String> = [
        &["run", "kernel"][..],
        &["run", "missing.yaml"],
        &["run", "--simulate", "h200"],
        &["run", "--simulate", "h100", "--inject", "cuInt:803"],
        &["run", "--inject", "cuInit:803"],
        &["run", "--simulate", "h100", "--case", "launch-canry"],
        &["run", "--simulate", "./missing.yaml"],
        &["run", "--simulate", "/dev/zero"],
    ]
    .iter()
    .map(|arguments| {
        let ran = cudacheck(*arguments);
        format!(
            "$ cudacheck {}\n{}[exit code {}]\n",
            arguments.join(" "),
            ran.stderr,
            ran.code
        )
    })
    .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn lists_are_readable() {
    insta::assert_snapshot!(cudacheck(["list"]).stdout);
    insta::assert_snapshot!(cudacheck(["list", "--kernels"]).stdout);
    insta::assert_snapshot!(cudacheck(["list", "--profiles"]).stdout);
}
