//! `cudacheck compat` and `cudacheck explain` as people use them: no machine, no GPU, and no NVIDIA file is asked.

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

/// What is a driver's directory is not known before it was looked into; what it must hold is said.
#[test]
fn a_directory_without_a_driver_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let ask = |more: &[&str]| {
        let question = ["compat", "12.4", "--driver-files"];
        let words: Vec<&str> = question.iter().chain(more).copied().collect();
        cudacheck(&words)
    };
    let empty = ask(&[place, "--gpu", "sm_89"]);
    assert_eq!(empty.code, 2);
    assert!(
        empty
            .stderr
            .contains("holds neither libcuda.so.1 nor libnvidia-ptxjitcompiler.so.1"),
        "{}",
        empty.stderr
    );
    let missing = ask(&["/nowhere/at/all", "--gpu", "sm_89"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing
            .stderr
            .contains("there is no directory `/nowhere/at/all`"),
        "{}",
        missing.stderr
    );
    assert_eq!(ask(&[place]).code, 2);

    // Files that are no libraries: the answer is that of the tables, and what was wrong is said.
    fs::write(folder.path().join("libcuda.so.1"), "no library").unwrap();
    let broken = ask(&[place, "--gpu", "sm_89", "--driver", "550.54.15"]);
    assert_eq!(broken.code, 0, "{}", broken.stderr);
    assert!(
        broken.stdout.starts_with("supported: "),
        "{}",
        broken.stdout
    );
    assert!(
        broken.stdout.contains("libcuda.so.1` cannot be loaded: "),
        "{}",
        broken.stdout
    );
    let json = ask(&[place, "--gpu", "sm_89", "--driver", "550.54.15", "--json"]);
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    let complaints = answer["machine"]["oracle"]["complaints"]
        .as_array()
        .unwrap();
    assert!(!complaints.is_empty(), "{answer:#}");
}

/// An ELF file of nothing but a note, as the libcuda of a forward compatibility package has it.
fn libcuda_with_note(description: &str) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let long = |number: usize| u64::try_from(number).unwrap().to_le_bytes();
    let mut note = [word(19), word(description.len() + 1), word(0)].concat();
    note.extend(b"NVIDIA Corporation\0\0");
    note.extend(description.as_bytes());
    note.push(0);
    let names = b"\0.note.cuda.fwd_compatibility\0.shstrtab\0";
    let (at_note, at_names) = (64, 64 + note.len());
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16] = 3;
    file[18] = 62;
    file[40..48].copy_from_slice(&long(at_names + names.len()));
    file[58] = 64;
    file[60] = 3;
    file[62] = 2;
    file.extend(&note);
    file.extend(names);
    let sections = [
        [0; 4],
        [1, 7, at_note, note.len()],
        [30, 3, at_names, names.len()],
    ];
    for [name, kind, at, size] in sections {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&word(name));
        header[4..8].copy_from_slice(&word(kind));
        header[24..32].copy_from_slice(&long(at));
        header[32..40].copy_from_slice(&long(size));
        file.extend(header);
    }
    file
}

#[test]
fn the_note_of_a_forward_compatibility_package_says_beside_which_drivers_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let note = r#"{"format":1,"CUDA version":"13.1","driver":[535,550,570],"device":[1,2]}"#;
    fs::write(
        folder.path().join("libcuda.so.590.44.01"),
        libcuda_with_note(note),
    )
    .unwrap();
    let link = folder.path().join("libcuda.so.1");
    std::os::unix::fs::symlink("libcuda.so.590.44.01", link).unwrap();
    let ask = |driver: &str| {
        let words = ["compat", "13.1", "--targets", "sm_80", "--gpu", "A100"];
        let machine = ["--driver", driver, "--driver-files", place];
        asked(&words.iter().chain(&machine).copied().collect::<Vec<_>>())
    };
    // NVIDIA's matrix does not list this branch.
    let (answer, code) = ask("550.54.15");
    let device = &answer["devices"][0];
    assert_eq!(device["rule"], "oracle-forward", "{answer:#}");
    assert_eq!((device["verdict"].as_str(), code), (Some("limited"), 0));
    let branches = &answer["machine"]["oracle"]["forward"]["branches"];
    assert_eq!(branches, &serde_json::json!([535, 550, 570]));
    let (answer, code) = ask("560.35.03");
    assert_eq!(answer["devices"][0]["rule"], "oracle-forward", "{answer:#}");
    assert_eq!(code, 1);
    // Files older than the kernel's driver are no such package.
    let older = ["compat", "13.1", "--gpu", "A100", "--driver", "595.58.03"];
    let older = cudacheck(older.iter().chain(&["--driver-files", place]));
    assert_eq!(older.code, 2, "{}", older.stdout);
}

/// The same on this machine, with variables set.
#[expect(
    clippy::disallowed_methods,
    reason = "what the environment does is what is tested here"
)]
fn asked_with(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cudacheck"))
        .args(arguments.iter().chain(&["--json"]))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn this_machine_is_asked_unless_that_is_forbidden() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    // What programs on this machine would load, whether it has a driver of its own or not.
    fs::write(folder.path().join("libcuda.so.1"), "no library").unwrap();
    let path = [("LD_LIBRARY_PATH", place)];
    let complained = |answer: &Value| {
        let complaints = answer["machine"]["oracle"]["complaints"].to_string();
        complaints.contains("cannot be loaded")
    };
    let question = ["compat", "12.4", "--targets", "sm_80"];
    let answer = asked_with(&path, &question);
    assert!(complained(&answer), "{answer:#}");
    let set = &answer["machine"]["variables"][0];
    assert_eq!(set["name"], "LD_LIBRARY_PATH", "{answer:#}");
    let never = [&question[..], &["--oracle=never"]].concat();
    let answer = asked_with(&path, &never);
    assert_eq!(answer["machine"]["oracle"], Value::Null, "{answer:#}");
    // A machine that is named is another one, and nothing of this one is asked or said.
    let named = [&question[..], &["--gpu", "A100", "--driver", "550.54.15"]].concat();
    let answer = asked_with(&path, &named);
    assert_eq!(answer["machine"]["oracle"], Value::Null, "{answer:#}");
    assert_eq!(answer["machine"]["variables"], Value::Null, "{answer:#}");
    let always = [&named[..], &["--oracle"]].concat();
    let refused = cudacheck(&always);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("another machine is named"),
        "{}",
        refused.stderr
    );
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
