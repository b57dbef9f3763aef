//! `cudacheck compat` and `cudacheck explain` as people use them: no machine, no GPU, and no NVIDIA file is asked.

mod oracle;

use std::fs;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::support::{Ran, cudacheck, cudacheck_in};

/// What was typed, what came back, and the exit code.
fn shown(arguments: &[&str]) -> String {
    let ran = cudacheck(arguments);
    let words: Vec<String> = arguments
        .iter()
        .map(|word| {
            let plain = !word.contains([' ', '"', '[']);
            if plain {
                (*word).to_owned()
            } else {
                format!("'{word}'")
            }
        })
        .collect();
    format!(
        "$ cudacheck {}\n{}{}[exit code {}]\n",
        words.join(" "),
        ran.stdout,
        ran.stderr,
        ran.code
    )
}

fn all_shown(questions: &[&[&str]]) -> String {
    questions
        .iter()
        .map(|question| shown(question))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn ten_typical_questions() {
    insta::assert_snapshot!(all_shown(&[
        &[
            "compat",
            "12.4",
            "--driver",
            "535.183.01",
            "--gpu",
            "RTX 4090"
        ],
        &[
            "compat",
            "13.0",
            "--targets",
            "sm_86",
            "--driver",
            "570.124.06",
            "--gpu",
            "A10"
        ],
        &[
            "compat",
            "12.4",
            "--targets",
            "compute_80",
            "--driver",
            "535.104.05",
            "--gpu",
            "A100"
        ],
        &[
            "compat",
            "12.8",
            "--capabilities",
            "[ \"8.6\" \"8.9\" ]",
            "--driver",
            "570.124.06",
            "--gpu",
            "A100"
        ],
        &[
            "compat",
            "12.9",
            "--targets",
            "sm_87",
            "--jetpack",
            "6.2",
            "--gpu",
            "AGX Orin"
        ],
        &[
            "compat",
            "12.6",
            "--targets",
            "sm_86,compute_86",
            "--jetpack",
            "6.2",
            "--gpu",
            "Orin Nano"
        ],
        &[
            "compat",
            "13.0",
            "--driver",
            "570.124.06",
            "--gpu",
            "RTX 4090",
            "--compat",
            "cuda-compat-13-0"
        ],
        &["compat", "12.9", "--driver", "590.48.01", "--gpu", "V100"],
        &[
            "compat",
            "12.8",
            "--library",
            "cudnn=9.11.0",
            "--driver",
            "570.124.06",
            "--gpu",
            "V100"
        ],
        &[
            "compat",
            "13.5",
            "--targets",
            "compute_90",
            "--driver",
            "700.10.01",
            "--gpu",
            "RTX 5090"
        ],
    ]));
}

#[test]
fn what_a_package_needs_is_a_table() {
    insta::assert_snapshot!(all_shown(&[
        &["compat", "12.4", "--needs"],
        &[
            "compat",
            "12.8",
            "--targets",
            "sm_80,sm_90a,sm_87,compute_90",
            "--needs",
            "--markdown"
        ],
    ]));
}

#[test]
fn errors_are_explained() {
    insta::assert_snapshot!(all_shown(&[
        &["explain", "222"],
        &["explain", "CUDA_ERROR_NO_BINARY_FOR_GPU"],
        &["explain", "xid", "79"],
        &["explain", "cudnn", "3009"],
        &["explain", "nvml 18"],
        &["explain", "forward compatibility was attempted"],
        &["explain", "flux capacitor"],
    ]));
}

#[test]
fn mistakes_are_answered_with_the_nearest_that_is_right() {
    insta::assert_snapshot!(all_shown(&[
        &[
            "compat",
            "12.4",
            "--gpu",
            "RTX 4900",
            "--driver",
            "550.54.15"
        ],
        &[
            "compat",
            "12.4",
            "--gpu",
            "RTX 6000",
            "--driver",
            "550.54.15"
        ],
        &["compat", "12.4", "--gpu", "sm_85", "--driver", "550.54.15"],
        &["compat", "11.9", "--gpu", "A100"],
        &["compat", "550.54.15", "--gpu", "A100"],
        &["compat", "12.4", "--driver", "12.4", "--gpu", "A100"],
        &["compat", "12.4", "--driver", "55o.54", "--gpu", "A100"],
        &["compat", "12.4", "--targets", "sm_81", "--gpu", "A100"],
        &["compat", "12.4", "--capabilities", "86", "--gpu", "A100"],
        &["compat", "12.4", "--library", "cudn=9", "--gpu", "A100"],
        &[
            "compat",
            "12.4",
            "--env",
            "CUDA_FORCE_PTX_JITS=1",
            "--gpu",
            "A100"
        ],
        &["compat", "12.4", "--jetpack", "4.6", "--gpu", "AGX Orin"],
        &[
            "compat",
            "12.4",
            "--jetpack",
            "6.2",
            "--platform",
            "linux-sbsa"
        ],
        &["compat", "12.4", "--driver", "540.4.0", "--gpu", "AGX Orin"],
        &[
            "compat",
            "12.4",
            "--gpu",
            "RTX 4090",
            "--platform",
            "linux-aarch64"
        ],
        &["compat", "./missing", "--gpu", "A100"],
        &["compat", "redistrib_missing.json", "--gpu", "A100"],
    ]));
    let contradiction = cudacheck([
        "compat",
        "12.4",
        "--driver",
        "550.54.15",
        "--jetpack",
        "6.2",
    ]);
    assert_eq!(contradiction.code, 2, "{}", contradiction.stderr);
}

/// The answer of the whole program, and its exit code.
fn asked(arguments: &[&str]) -> (Value, i32) {
    let ran = cudacheck(arguments.iter().copied().chain(["--json"]));
    let value = serde_json::from_str(&ran.stdout);
    (
        value.unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr)),
        ran.code,
    )
}

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Value>,
}

#[test]
fn the_worked_cases_come_out_through_the_command_line_too() {
    let cases: Cases = serde_yaml::from_str(include_str!("fixtures/compat/cases.yaml")).unwrap();
    let mut seen = 0;
    for case in &cases.cases {
        let text = |pointer: &str| case.pointer(pointer).and_then(Value::as_str);
        let Some(toolkit) = text("/package/toolkit") else {
            // Only the major version is asked, which the names of libraries reveal.
            let needed: Vec<&str> = case["package"]["needed"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let (answer, _) = asked(&["compat", "--needed", &needed.join(","), "--gpu", "A100"]);
            let toolkit = answer["package"]["toolkit"]["at-least"].as_str().unwrap();
            assert_eq!(toolkit.split('.').next(), text("/expect/rule"));
            continue;
        };
        let targets: Vec<&str> = case["package"]["targets"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let targets = targets.join(",");
        let mut arguments = vec!["compat", toolkit, "--targets", &targets];
        for (option, pointer) in [
            ("--gpu", "/machine/gpu"),
            ("--driver", "/machine/driver"),
            ("--driver-libraries", "/machine/library"),
            ("--jetpack", "/machine/jetpack"),
            ("--compat", "/machine/compat"),
        ] {
            arguments.extend(text(pointer).into_iter().flat_map(|value| [option, value]));
        }
        let (answer, code) = asked(&arguments);
        let id = text("/id").unwrap();
        let device = &answer["devices"][0];
        assert_eq!(
            device["prospect"], case["expect"]["verdict"],
            "{id}: {device:#}"
        );
        assert_eq!(device["rule"], case["expect"]["rule"], "{id}");
        let expected = &case["expect"]["error"]["code"];
        let others = device["steps"][0]["other-errors"][0]["code"].clone();
        let found = if text("/asks").is_some() {
            &others
        } else {
            &device["error"]["code"]
        };
        assert_eq!(found, expected, "{id}");
        let bad = ["fails", "not-supported"].contains(&text("/expect/verdict").unwrap());
        assert_eq!(code, i32::from(bad), "{id}");
        seen += 1;
    }
    assert!(seen >= 13);
}

#[test]
fn what_is_not_known_has_its_own_exit_code() {
    let (answer, code) = asked(&["compat", "12.4", "--gpu", "RTX 4090"]);
    assert_eq!((answer["verdict"].as_str(), code), (Some("unknown"), 3));
    let remedies = answer["devices"][0]["remedies"].to_string();
    assert!(remedies.contains("525.60.13"), "{remedies}");
    let (answer, code) = asked(&["compat", "12.4", "--gpu", "sm_130", "--driver", "700.10.01"]);
    assert_eq!((answer["verdict"].as_str(), code), (Some("unknown"), 3));
}

fn in_directory(name: &str, text: &str, arguments: &[&str]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(name), text).unwrap();
    cudacheck_in(directory, arguments)
}

#[track_caller]
fn check(ran: &Ran, verdict: &str) {
    let first = ran.stdout.lines().next().unwrap_or_default();
    assert!(first.starts_with(verdict), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn suites_manifests_and_recorded_facts_are_questions_and_machines() {
    let suite = "name: saxpy\nsummary: adds\npackage: { name: cudaPackages.saxpy, toolkit: \"12.4\" }\ncases:\n  - { name: a, check: { kernel: { name: launch-canary } } }\n";
    let ran = in_directory(
        "suite.yaml",
        suite,
        &[
            "compat",
            "suite.yaml",
            "--driver",
            "550.163.01",
            "--gpu",
            "H100",
        ],
    );
    check(&ran, "supported: cudaPackages.saxpy runs on H100");

    let manifest = r#"{"release_date": "2024-04-01", "release_label": "12.4.1", "release_product": "cuda",
        "cuda_cudart": {"name": "CUDA Runtime", "version": "12.4.127", "linux-x86_64": {}, "linux-sbsa": {}}}"#;
    let name = "redistrib_12.4.1.json";
    let ran = in_directory(
        name,
        manifest,
        &["compat", name, "--driver", "550.163.01", "--gpu", "H100"],
    );
    check(&ran, "supported: what toolkit 12.4 builds");
    let ran = in_directory(
        name,
        manifest,
        &["compat", name, "--jetpack", "6.2", "--gpu", "Orin NX"],
    );
    check(
        &ran,
        "unsupported: the package is built for linux-x86_64 and linux-sbsa",
    );

    let cudnn = r#"{"release_label": "9.11.0", "release_product": "cudnn",
        "cudnn": {"version": "9.11.0.98", "cuda_variant": ["12"], "linux-x86_64": {"cuda12": {}}}}"#;
    let ran = in_directory(
        "redistrib_9.11.0.json",
        cudnn,
        &[
            "compat",
            "redistrib_9.11.0.json",
            "--driver",
            "570.124.06",
            "--gpu",
            "V100",
        ],
    );
    check(&ran, "unsupported: cudnn 9.11.0 has no code for Tesla V100");

    let facts = cudacheck(["facts", "--json", "--simulate", "h100"]).stdout;
    let ran = in_directory(
        "facts.json",
        &facts,
        &["compat", "12.4", "--facts", "facts.json"],
    );
    check(
        &ran,
        "supported: what toolkit 12.4 builds runs on NVIDIA H100",
    );
    let ran = in_directory(
        "facts.json",
        "{}",
        &["compat", "12.4", "--facts", "facts.json"],
    );
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_simulated_machine_is_asked_as_it_is() {
    for (profile, verdict) in [
        ("h100", "supported"),
        ("jetson-orin", "supported"),
        ("old-driver", "unsupported"),
        ("mismatch", "unsupported"),
        ("no-device", "unsupported"),
    ] {
        let ran = cudacheck(["compat", "12.4", "--simulate", profile]);
        check(&ran, verdict);
    }
}

#[test]
fn the_tables_are_printed_and_the_schema_describes_the_answer() {
    let tables = cudacheck(["compat", "--tables"]);
    assert_eq!(tables.code, 0);
    for word in [
        "GeForce RTX 4090",
        "R615",
        "cuda-compat-13-4",
        "6.1 to 6.2.2",
        "ptx-too-new",
        "Sources:",
    ] {
        assert!(tables.stdout.contains(word), "{word}");
    }
    let schema: Value = serde_json::from_str(&cudacheck(["compat", "--schema"]).stdout).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let (answer, _) = asked(&["compat", "12.4", "--driver", "550.54.15", "--gpu", "A100"]);
    for key in answer.as_object().unwrap().keys() {
        assert!(properties.contains_key(key), "{key}");
    }
}

#[test]
fn a_named_question_is_answered_at_once() {
    // The promise is 10 ms for a release build; an unoptimised one on a busy machine gets a hundred times that.
    let fastest = (0..5)
        .map(|_| {
            let start = Instant::now();
            cudacheck([
                "compat",
                "12.4",
                "--driver",
                "535.183.01",
                "--gpu",
                "RTX 4090",
            ]);
            start.elapsed()
        })
        .min();
    assert!(fastest < Some(Duration::from_secs(1)), "{fastest:?}");
}

#[test]
fn variables_that_are_set_are_listed_with_what_they_do() {
    insta::assert_snapshot!(all_shown(&[
        &[
            "compat",
            "12.4",
            "--targets",
            "sm_80",
            "--driver",
            "550.54.15",
            "--gpu",
            "A100",
            "--env",
            "CUDA_FORCE_PTX_JIT=1",
            "--env",
            "CUDA_MODULE_LOADING=LAZY",
        ],
        &[
            "compat",
            "13.0",
            "--targets",
            "sm_90",
            "--driver",
            "570.124.06",
            "--gpu",
            "H100",
            "--env",
            "LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat",
        ],
    ]));
}
