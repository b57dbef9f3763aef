//! Whole runs on simulated machines: every profile, every exit code, and what is left on disk.

use crate::support::{
    Ran, cudacheck, cudacheck_in, hide_run, interrupt_when, parallel, repository, words,
};
use cudacheck_model::event::Event;
use cudacheck_model::outcome::Outcome;

const PROFILES: &[&str] = &[
    "h100",
    "rtx-4090",
    "gtx-1080",
    "old-driver",
    "jetson-orin",
    "jetson-xavier",
    "two-gpus",
];

#[test]
fn every_kernel_passes_on_every_profile_that_supports_it_and_is_skipped_with_a_reason_on_the_others()
 {
    let all = serde_json::from_str::<serde_json::Value>(
        &cudacheck(["list", "--kernels", "--json"]).stdout,
    )
    .unwrap();
    let kernels = all["kernels"].as_array().unwrap().len();
    let table = parallel(PROFILES, |profile| {
        let ran = cudacheck(["run", "kernels", "--simulate", profile, "--seed", "1"]);
        let mut problems: Vec<String> = Vec::new();
        for case in ran.finished() {
            if case.outcome != Outcome::Pass {
                problems.push(format!(
                    "{profile} {}: {}",
                    case.id.case,
                    words(&case.outcome)
                ));
            }
        }
        let devices = if *profile == "two-gpus" { 2 } else { 1 };
        assert_eq!(
            ran.finished().len() + ran.skipped().len(),
            kernels * devices,
            "{profile}"
        );
        assert_eq!(
            (problems.as_slice(), ran.code),
            (&[][..], 0),
            "{}",
            ran.stderr
        );
        let mut reasons: Vec<String> = ran
            .skipped()
            .iter()
            .map(|skip| format!("  {:<28} {}", skip.id.to_string(), skip.reason))
            .collect();
        reasons.dedup();
        format!(
            "{profile}: {} passed\n{}",
            ran.finished().len(),
            reasons.join("\n")
        )
    });
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_run_explains_itself() {
    let arguments = [
        "run",
        "--simulate",
        "h100",
        "--seed",
        "1",
        "--case",
        "launch-canary",
        "--case",
        "warp-shuffle",
    ];
    let ran = cudacheck(arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(hide_run(&ran.stderr));
}

#[test]
fn a_failing_case_says_what_why_and_what_to_do() {
    let ran = cudacheck([
        "run",
        "--simulate",
        "h100",
        "--seed",
        "1",
        "--case",
        "launch-canary",
        "--inject",
        "cuModuleLoadData:221",
    ]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(hide_run(&ran.stderr));
}

#[test]
fn a_machine_without_driver_exits_3_with_a_hint() {
    // Not this machine: it may have one.
    let profile = repository().join("harness/simulator/profiles/no-device.yaml");
    let text = std::fs::read_to_string(profile).unwrap();
    let bare: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("serves:"))
        .collect();
    let bare = bare.join("\n").replace("libraries:", "libraries: []");
    let bare = bare.replace("nvml: full", "nvml: absent");
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("bare.yaml"), bare).unwrap();
    let arguments = [
        "run",
        "--simulate",
        "./bare.yaml",
        "--case",
        "launch-canary",
    ];
    let ran = cudacheck_in(directory, arguments);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("no NVIDIA driver"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--simulate h100"), "{}", ran.stderr);
}

#[test]
fn machines_that_cannot_run_anything_say_why() {
    for profile in ["no-device", "mismatch"] {
        let ran = cudacheck(["run", "--simulate", profile, "--case", "launch-canary"]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert_eq!(ran.finished().len(), 0);
        assert!(ran.summary().machine_fault);
        insta::assert_snapshot!(profile, hide_run(&ran.stderr));
    }
}

#[test]
fn simulated_is_said_everywhere() {
    let ran = cudacheck(["run", "--simulate", "rtx-4090", "--case", "launch-canary"]);
    for line in ran.stderr.lines().filter(|line| {
        ["Machine", "Device", "Summary"]
            .iter()
            .any(|word| line.contains(word))
    }) {
        assert!(line.contains("simulated"), "{line}");
    }
    assert!(ran.junit().contains("simulated"));
    assert!(
        ran.events()
            .iter()
            .any(|event| matches!(event, Event::RunStarted(start) if start.simulated.is_some()))
    );
}

/// A suite that examines a package: the same findings are then the package's failures.
fn demo(cases: &str) -> String {
    format!("name: demo\nsummary: a package under test\npackage: {{ name: demo }}\ncases:\n{cases}")
}

fn package_run(cases: &str, inject: &str) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("demo.yaml"), demo(cases)).unwrap();
    cudacheck_in(
        directory,
        [
            "run",
            "demo.yaml",
            "--simulate",
            "h100",
            "--seed",
            "1",
            "--time-limit",
            "20",
            "--inject",
            inject,
        ],
    )
}

const TWO: &str = "  - name: canary\n    check: { kernel: { name: launch-canary } }\n  - name: shuffle\n    check: { kernel: { name: warp-shuffle } }\n";

#[test]
fn exit_codes_tell_package_and_machine_apart() {
    let code = |inject: &str| {
        let ran = package_run(TWO, inject);
        let outcomes: Vec<String> = ran
            .finished()
            .iter()
            .map(|case| words(&case.outcome))
            .collect();
        (ran.code, outcomes.join(", "))
    };
    let table: Vec<String> = [
        "shuffle:lane",
        "cuModuleLoadData:221@canary",
        "shuffle:lane,cuModuleLoadData:221@canary",
        "gpu:lost@canary",
    ]
    .iter()
    .map(|inject| {
        let (code, outcomes) = code(inject);
        format!("{inject:<45} exit {code}: {outcomes}")
    })
    .collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_package_that_cannot_work_is_skipped_with_the_reason_or_fails_if_it_must() {
    let ran = |package: &str| {
        let directory = tempfile::tempdir().unwrap();
        let text = format!(
            "name: demo\nsummary: a package under test\npackage: {{ name: demo, {package} }}\ncases:\n{TWO}"
        );
        std::fs::write(directory.path().join("demo.yaml"), text).unwrap();
        let arguments = [
            "run",
            "demo.yaml",
            "--simulate",
            "old-driver",
            "--seed",
            "1",
        ];
        cudacheck_in(directory, arguments)
    };
    let skipped = ran("toolkit: \"13.0\"");
    assert_eq!((skipped.code, skipped.finished().len()), (5, 0));
    insta::assert_snapshot!("incompatible", hide_run(&skipped.stderr));

    let failed = ran("toolkit: \"13.0\", must-run: true");
    assert_eq!((failed.code, failed.summary().failed), (1, 2));
    let kept = failed.run_directory().join("demo.canary.0/finding.json");
    assert!(kept.is_file());
    insta::assert_snapshot!("incompatible-but-must-run", hide_run(&failed.stderr));

    let passed = ran("toolkit: \"11.4\", must-run: true");
    assert_eq!((passed.code, passed.summary().passed), (0, 2));
}

#[test]
fn code_that_a_driver_refuses_is_explained_by_the_entries_of_the_package() {
    let directory = tempfile::tempdir().unwrap();
    let cubins = repository().join("harness/inspect/tests/fixtures/fatbin");
    for name in ["k_80.cubin", "k_86.cubin"] {
        std::fs::copy(cubins.join(name), directory.path().join(name)).unwrap();
    }
    std::fs::write(directory.path().join("demo.yaml"), demo(TWO)).unwrap();
    let ran = cudacheck_in(
        directory,
        [
            "run",
            "demo.yaml",
            "--simulate",
            "jetson-orin",
            "--seed",
            "1",
            "--package",
            "k_80.cubin",
            "--package",
            "k_86.cubin",
            "--inject",
            "cuModuleLoadData:209@canary",
        ],
    );
    // NVIDIA does not support this code on Orin, which is no proof that it fails: the other case passes.
    assert_eq!((ran.code, ran.summary().passed), (1, 1));
    insta::assert_snapshot!(hide_run(&ran.stderr));
}

#[test]
fn an_expected_failure_is_no_failure_and_its_absence_is_one() {
    let case = "  - name: shuffle\n    check: { kernel: { name: warp-shuffle } }\n    expected-failure: { because: \"lanes are swapped on purpose here\" }\n";
    let failing = package_run(case, "shuffle:lane");
    assert_eq!(
        (failing.code, failing.summary().expected_failures),
        (0, 1),
        "{}",
        failing.stderr
    );
    let passing = package_run(case, "atomic:lost");
    assert_eq!(
        (passing.code, passing.summary().unexpected_passes),
        (1, 1),
        "{}",
        passing.stderr
    );
}

#[test]
fn a_run_in_which_nothing_ran_is_not_green() {
    let directory = tempfile::tempdir().unwrap();
    let suite = "name: later\nsummary: for devices that do not exist yet\nrequires: { compute-capability: { min: \"99.0\" } }\ncases:\n  - name: canary\n    check: { kernel: { name: launch-canary } }\n";
    std::fs::write(directory.path().join("later.yaml"), suite).unwrap();
    let ran = cudacheck_in(directory, ["run", "later.yaml", "--simulate", "h100"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
}

#[test]
fn the_supervisor_maps_no_driver_and_says_how_large_it_is() {
    let ran = cudacheck(["run", "--simulate", "h100", "--case", "launch-canary"]);
    let text = std::fs::read_to_string(ran.run_directory().join("supervisor.json")).unwrap();
    let inspection: serde_json::Value = serde_json::from_str(&text).unwrap();
    let libraries: Vec<&str> = inspection["libraries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap())
        .collect();
    // The list is real: the C library is in it.
    assert!(
        libraries.iter().any(|path| path.contains("libc.so")),
        "{libraries:?}"
    );
    let foreign = |path: &&&str| {
        ["cuda", "nvidia", "simulator"]
            .iter()
            .any(|word| path.rsplit('/').next().unwrap().contains(word))
    };
    assert_eq!(libraries.iter().find(foreign), None);
    assert!(inspection["peak-resident-kib"].as_u64().unwrap() > 0);
}

#[test]
fn a_suite_from_a_file_is_rerun_from_that_file() {
    let ran = package_run(TWO, "shuffle:lane");
    let failed = ran.finished().pop().unwrap();
    let words = failed.rerun.join(" ");
    assert!(words.contains(" demo.yaml --case shuffle "), "{words}");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_runs() {
    let arguments = ["run", "--simulate", "h100", "--case", "launch-canary"];
    let ran = cudacheck([&arguments[..], &["--junit", "."]].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!ran.stderr.contains("PASS"), "{}", ran.stderr);
}

#[test]
fn a_report_that_is_lost_hides_no_failure_of_a_package() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("demo.yaml"), demo(TWO)).unwrap();
    let arguments = ["run", "demo.yaml", "--simulate", "h100", "--seed", "1"];
    let lost = ["--inject", "shuffle:lane", "--junit", "/dev/full"];
    let ran = cudacheck_in(directory, [&arguments[..], &lost].concat());
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.junit().contains("<failure"));
}

#[test]
fn a_directory_that_is_not_unicode_is_refused_and_other_words_are_taken() {
    use std::os::unix::ffi::OsStringExt;
    let word = |text: &[u8]| std::ffi::OsString::from_vec(text.to_owned());
    let ran = |option: &str, value: &[u8]| {
        let arguments = [
            "run",
            "--simulate",
            "h100",
            "--case",
            "launch-canary",
            option,
        ];
        let arguments = arguments.map(|text| word(text.as_bytes()));
        cudacheck(arguments.into_iter().chain([word(value)]))
    };
    let refused = ran("--runs", b"\xff");
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("is not UTF-8"),
        "{}",
        refused.stderr
    );
    let taken = ran("--junit", b"\xff.xml");
    assert_eq!(taken.code, 0, "{}", taken.stderr);
    assert!(taken.directory.path().join(word(b"\xff.xml")).exists());
}

#[test]
fn an_interruption_of_the_probe_leaves_a_report() {
    let directory = tempfile::tempdir().unwrap();
    let ran = interrupt_when(
        directory,
        "facts/journal.jsonl",
        ["run", "--simulate", "h100", "--inject", "cuInit:hang"],
    );
    assert_eq!(ran.code, 128 + 2, "{}", ran.stderr);
    assert_eq!(ran.summary().interrupted, Some(2));
    assert!(ran.junit().contains("<testsuites"));
    assert!(!ran.run_directory().join("sysroot").exists());
}
