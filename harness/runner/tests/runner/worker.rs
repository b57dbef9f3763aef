//! A worker that misbehaves costs one case its outcome, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::setup::{Setup, exists, task};
use cudacheck_model::outcome::Outcome;
use cudacheck_model::suite::Limits;

#[track_caller]
fn check(names: &[&str], expected: &[&str], exit_code: u8) {
    let setup = Setup::new();
    let told = setup.run(names.iter().map(|name| task(name)).collect());
    assert_eq!(told.lines(), expected);
    assert_eq!(told.summary.exit_code(), exit_code);
}

#[test]
fn every_end_has_its_outcome_and_the_next_case_runs() {
    check(
        &["pass", "exit-3", "segv", "abort", "environment"],
        &[
            "pass pass",
            "exit-3 fail exit-code",
            "segv fail signal",
            "abort fail signal",
            "environment pass",
        ],
        1,
    );
    check(
        &["panic", "silent", "kill-outside", "segv-after-pass"],
        &[
            "panic fault exit-code",
            "silent fault no-result",
            "kill-outside fault signal",
            "segv-after-pass fail signal",
        ],
        4,
    );
    check(&["pass"], &["pass pass"], 0);
    check(&[], &[], 5);
}

#[test]
fn a_forged_result_is_no_result() {
    check(&["forge"], &["forge fault no-result"], 3);
}

#[test]
fn a_pipe_in_place_of_a_file_stops_nobody() {
    check(
        &["journal-is-a-pipe", "exit-3"],
        &["journal-is-a-pipe fault no-result", "exit-3 fail exit-code"],
        4,
    );
    check(
        &["trap-for-the-next", "pass", "exit-3"],
        &[
            "trap-for-the-next pass",
            "pass pass",
            "exit-3 fail exit-code",
        ],
        1,
    );
}

#[test]
fn what_a_worker_leaves_behind_is_killed() {
    for name in ["background", "setsid", "double-fork"] {
        let setup = Setup::new();
        let told = setup.run(vec![task(name)]);
        assert_eq!(told.lines(), [format!("{name} pass, 1 leaked")]);
        let marker = setup.case(&format!("s.{name}.0")).join("daemon");
        assert!(!exists(&fs::read_to_string(marker).unwrap()), "{name}");
    }
}

#[test]
fn a_worker_that_hangs_is_ended_in_time() {
    for name in ["hang", "hang-stubbornly"] {
        let setup = Setup::new();
        let mut hanging = task(name);
        hanging.limits.time_s = Some(2);
        let begun = Instant::now();
        let told = setup.run(vec![hanging]);
        assert_eq!(told.lines(), [format!("{name} fail timeout")]);
        assert!(begun.elapsed() < Duration::from_secs(30));
        let Outcome::Fail(finding) = &told.only().outcome else {
            panic!("{:?}", told.only().outcome);
        };
        assert_eq!(finding.expected, "the kernel finishes within 2 s");
    }
}

#[test]
fn two_hundred_megabytes_of_output_cost_nothing() {
    let setup = Setup::new();
    let told = setup.run(vec![task("flood")]);
    assert_eq!(told.lines(), ["flood pass"]);
    let output = &told.only().attempt.output;
    assert_eq!(output.head.len(), 64 * 1024);
    assert_eq!(output.tail.len(), 192 * 1024);
    assert!(output.tail.ends_with("the end"));
    assert_eq!(output.left_out, (200 << 20) + 7 - 256 * 1024);
    let log = fs::metadata(setup.case("s.flood.0").join("output.log")).unwrap();
    assert!(log.len() < 17 << 20);
}

#[test]
fn a_worker_sees_one_device_and_nothing_of_its_runner() {
    let mut setup = Setup::new();
    setup.config.environment = vec![("CUDA_VISIBLE_DEVICES".to_owned(), "3,4".to_owned())];
    let told = setup.run(vec![task("environment")]);
    let output = &told.only().attempt.output.head;
    let case = setup.case("s.environment.0");
    let value = |name: &str| {
        let lines = output.lines();
        let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next().map(str::to_owned)
    };
    let private = case.join("private").display().to_string();
    assert_eq!(value("CUDA_VISIBLE_DEVICES").as_deref(), Some("3"));
    assert_eq!(value("HOME").as_ref(), Some(&private));
    assert_eq!(value("cwd").as_ref(), Some(&private));
    assert_eq!(
        value("LD_LIBRARY_PATH"),
        Some(case.join("driver").display().to_string())
    );
    assert_eq!(value("stdin").as_deref(), Some("/dev/null"));
    // Cargo sets this one for the test itself.
    assert_eq!(value("CARGO_MANIFEST_DIR"), None);
    assert!(output.contains("Umask:\t0077"), "{output}");
    let core = output
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    assert_eq!(
        core.map(|line| line.split_whitespace().nth(4)),
        Some(Some("0"))
    );
    assert!(!case.join("task.json").exists());
    let mode = fs::metadata(case.join("private"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Root may read everything, and needs no test.
#[test]
fn a_worker_cannot_read_its_runners_environment() {
    let told = Setup::new().run(vec![task("spy")]);
    let output = &told.only().attempt.output.head;
    if rustix::process::geteuid().is_root() {
        assert_eq!(output.lines().count(), 2);
    } else {
        assert_eq!(output, "permission denied\npermission denied\n");
    }
}

#[test]
fn a_missing_executable_is_the_harnesses_fault() {
    let mut setup = Setup::new();
    setup.config.executable = setup.directory.path().join("absent");
    let told = setup.run(vec![task("pass")]);
    assert_eq!(told.lines(), ["pass fault harness"]);
    assert_eq!(told.summary.exit_code(), 3);
}

#[test]
fn only_faults_are_tried_again() {
    let retried = |name: &str| {
        let mut task = task(name);
        task.limits = Limits {
            retries: Some(1),
            ..Limits::default()
        };
        let told = Setup::new().run(vec![task]);
        let finished = told.only();
        (
            finished.earlier.len(),
            finished.flaky(),
            told.summary.exit_code(),
        )
    };
    assert_eq!(retried("flaky"), (1, true, 0));
    assert_eq!(retried("out-of-memory"), (1, false, 3));
    assert_eq!(retried("segv"), (0, false, 1));
    assert_eq!(retried("ecc"), (0, false, 6));
}
