//! `cudacheck inspect` on GPU code that was made for these tests: what it prints, and what it exits with.

use cudacheck_model::outcome::Outcome;

use crate::support::{cudacheck, cudacheck_in, repository, words};

/// The fixtures of the crate that reads them, by a path that does not depend on where the repository is.
fn fixture(name: &str) -> String {
    let folder = repository().join("harness/inspect/tests/fixtures/fatbin");
    folder.join(name).display().to_string()
}

fn printed(arguments: &[&str], name: &str) -> String {
    let path = fixture(name);
    let ran = cudacheck(arguments.iter().copied().chain([path.as_str()]));
    let shown = ran.stdout.replace(&path, name);
    format!(
        "$ cudacheck {} {name}\n{shown}{}[exit code {}]\n",
        arguments.join(" "),
        ran.stderr,
        ran.code
    )
}

#[test]
fn what_runs_where_comes_first() {
    let answers = [
        printed(&["inspect"], "t_default.fatbin"),
        printed(
            &["inspect", "--gpu", "orin", "--gpu", "H100"],
            "t_default.fatbin",
        ),
        printed(&["inspect", "-v", "--gpu", "sm_90"], "n_lto_concat.fatbin"),
        printed(&["inspect", "--gpu", "sm_100"], "k_100f.cubin"),
        printed(
            &["inspect", "--expect", "sm_75,sm_90", "--gpu", "sm_75"],
            "k_75.cubin",
        ),
        printed(&["inspect", "--gpu", "Orrin"], "k_75.cubin"),
    ];
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn the_answer_as_json_has_the_schema_that_is_printed() {
    let schema: serde_json::Value =
        serde_json::from_str(&cudacheck(["inspect", "--schema"]).stdout).unwrap();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let path = fixture("t_default.fatbin");
    let answer: serde_json::Value =
        serde_json::from_str(&cudacheck(["inspect", "--json", &path]).stdout).unwrap();
    for name in required {
        assert!(answer.get(name).is_some(), "{name}");
    }
    assert_eq!(answer["schema"], 1);
    assert_eq!(answer["package"]["counts"]["files-with-code"], 1);
}

#[test]
fn payloads_are_written_unpacked() {
    let path = fixture("t_default.fatbin");
    let ran = cudacheck(["inspect", "--extract", "out", &path]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let out = ran.directory.path().join("out");
    let mut kinds = Vec::new();
    let mut folders = vec![out];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let is_text = bytes.starts_with(b"//")
                    || bytes.starts_with(b"\n//")
                    || bytes.starts_with(b".version");
                let is_elf = bytes.starts_with(b"\x7fELF");
                kinds.push((
                    path.extension().unwrap().to_string_lossy().into_owned(),
                    is_text,
                    is_elf,
                ));
            }
        }
    }
    assert!(
        kinds
            .iter()
            .any(|(kind, is_text, _)| kind == "ptx" && *is_text),
        "{kinds:?}"
    );
    assert!(
        kinds
            .iter()
            .any(|(kind, _, is_elf)| kind == "cubin" && *is_elf),
        "{kinds:?}"
    );
}

#[test]
fn a_path_that_is_not_there_is_a_mistake() {
    let ran = cudacheck(["inspect", "missing"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("error: `missing` cannot be read"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_package_is_examined_without_a_driver_and_each_flaw_has_its_case() {
    let good = fixture("t_default.fatbin");
    let ran = cudacheck(["run", "--package", &good]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.finished().len() >= 15 && ran.skipped().is_empty());
    assert!(
        ran.finished()
            .iter()
            .all(|case| case.package.as_deref() == Some("t_default.fatbin"))
    );

    let nothing = cudacheck(["run", "linkage"]);
    assert_eq!(nothing.code, 5, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("--package"), "{}", nothing.stderr);
}

/// Real programs are rare on test machines, but this one is there, and it can be made to lack a library.
#[test]
fn a_missing_library_fails_its_case_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_cudacheck")).unwrap();
    let name = b"\0libm.so.6\0";
    let at = bytes
        .windows(name.len())
        .position(|window| window == name)
        .expect("it needs libm");
    bytes[at + 1..at + 5].copy_from_slice(b"libz");
    std::fs::create_dir(directory.path().join("package")).unwrap();
    std::fs::write(directory.path().join("package/program"), bytes).unwrap();
    let ran = cudacheck_in(directory, ["run", "--package", "package"]);
    let failed: Vec<String> = ran
        .finished()
        .iter()
        .filter(|case| case.outcome != Outcome::Pass)
        .map(|case| format!("{}: {}", case.id, words(&case.outcome)))
        .collect();
    assert_eq!(
        failed,
        ["linkage.dependency-missing: fail dependency-missing at search"]
    );
    assert_eq!(ran.code, 1);
}

#[test]
fn a_suite_can_ask_for_the_code_that_the_recipe_asked_for() {
    let asked = |expect: &str| {
        let directory = tempfile::tempdir().unwrap();
        let suite = format!(
            "name: built\nsummary: as the recipe says\ncases:\n  - name: code\n    check: {{ linkage: {{ flaw: machine-code-missing, expect: \"{expect}\" }} }}\n"
        );
        std::fs::write(directory.path().join("built.yaml"), suite).unwrap();
        let package = fixture("k_75.cubin");
        let ran = cudacheck_in(directory, ["run", "built.yaml", "--package", &package]);
        (ran.code, ran.stderr)
    };
    assert_eq!(asked("sm_75").0, 0);
    let (code, stderr) = asked("sm_75,sm_90");
    assert_eq!(code, 1);
    let words: Vec<&str> = stderr.split_whitespace().collect();
    assert!(
        words.join(" ").contains("has no machine code for sm_90"),
        "{stderr}"
    );
    let (code, stderr) = asked("sm_ninety");
    assert_eq!(code, 2);
    assert!(stderr.contains("case `code` of suite `built`"), "{stderr}");
}
