//! Every way of ending, with results that say the same and results that do not.

use std::time::Duration;

use cudacheck_model::outcome::SkipReason;

use super::*;

const ALL_WELL: &str = "pass a";

/// A reading from words: `pass a`, `fail b`, `skip c`, `doubt`, `bail`, `none`.
fn reading(words: &[&str]) -> Reading {
    let mut reading = Reading::default();
    for word in words {
        let (verdict, name) = word.split_once(' ').unwrap_or((word, ""));
        let outcome = match verdict {
            "pass" => PartOutcome::Pass,
            "fail" => PartOutcome::Fail {
                message: "wrong".to_owned(),
            },
            "skip" => PartOutcome::Skip {
                because: "not here".to_owned(),
            },
            "doubt" => {
                reading
                    .incomplete
                    .push("its plan has 2 results, and 1 came".to_owned());
                continue;
            }
            "bail" => {
                reading.bailed = Some("the device is gone".to_owned());
                continue;
            }
            "none" => {
                reading.skipped = Some("no module".to_owned());
                continue;
            }
            "unfinished" => {
                reading.unfinished = Some(name.to_owned());
                continue;
            }
            other => panic!("{other}"),
        };
        reading.parts.push(Part {
            name: name.to_owned(),
            outcome,
            duration_ms: None,
            output: String::new(),
        });
    }
    reading
}

fn judged(
    check: &str,
    examines: Examines,
    ending: Ending,
    words: &[&str],
    printed: &str,
) -> Judged {
    let check: TesterCheck = serde_json::from_str(check).unwrap();
    let evidence = Evidence {
        check: &check,
        examines,
        must_run: false,
        ending: &ending,
        printed: [printed, ""],
    };
    evidence.judge(reading(words))
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pass => "pass".to_owned(),
        Outcome::Fail(finding) => format!("fail {}: {}", finding.problem.word(), finding.error),
        Outcome::Fault(finding) => format!("fault {}: {}", finding.problem.word(), finding.error),
        Outcome::Skip(reason) => format!("skip {}", reason.word()),
        Outcome::ExpectedFail { .. } | Outcome::UnexpectedPass { .. } => {
            unreachable!("decided elsewhere")
        }
    }
}

const TAP: &str = r#"{"program": "t", "format": "tap"}"#;

#[track_caller]
fn check(ending: Ending, words: &[&str], expected: &str) {
    let judged = judged(TAP, Examines::Package, ending, words, "");
    assert_eq!(told(&judged.outcome), expected);
}

#[test]
fn results_that_are_well_need_an_end_that_is() {
    check(Ending::Exited(0), &[ALL_WELL], "pass");
    check(
        Ending::Exited(3),
        &[ALL_WELL],
        "fail exit-code: it ended with code 3 after one result, none failed",
    );
    check(
        Ending::Signaled(11),
        &[ALL_WELL, "pass b"],
        "fail signal: it was ended by SIGSEGV (11) after 2 results",
    );
    check(
        Ending::TimedOut {
            limit: Duration::from_secs(7),
        },
        &[],
        "fail timeout: it took more than 7 s, and was stopped before any result",
    );
    check(
        Ending::Signaled(9),
        &[ALL_WELL],
        "fault signal: it was ended by SIGKILL (9) after one result",
    );
    check(
        Ending::Exited(77),
        &[ALL_WELL],
        "fail exit-code: it ended with code 77 after one result, none failed",
    );
    check(Ending::Exited(77), &["skip a"], "skip tester-skips");
}

#[test]
fn an_end_that_is_well_needs_results() {
    check(
        Ending::Exited(0),
        &[],
        "fail nothing-tested: it told of no result at all",
    );
    check(Ending::Exited(0), &["skip a"], "skip tester-skips");
    check(Ending::Exited(0), &["none"], "skip tester-skips");
    check(
        Ending::Exited(0),
        &["fail a"],
        "fail results-failed: 1 of 1 results failed; a: wrong",
    );
    check(
        Ending::Exited(0),
        &["fail a", "pass b", "fail c"],
        "fail results-failed: 2 of 3 results failed; the first is a: wrong",
    );
    check(
        Ending::Exited(0),
        &[ALL_WELL, "doubt"],
        "fail results-incomplete: its plan has 2 results, and 1 came",
    );
    check(
        Ending::Exited(0),
        &[ALL_WELL, "bail"],
        "fail results-incomplete: it gave up after one result: the device is gone",
    );
    check(
        Ending::Signaled(6),
        &[ALL_WELL, "unfinished b"],
        "fail signal: it was ended by SIGABRT (6) during b after 2 results, 1 of them failed",
    );
    check(
        Ending::Exited(1),
        &["unfinished b"],
        "fail results-failed: 1 of 1 results failed; b: the tester ended with code 1 during this test",
    );
}

#[test]
fn what_the_harness_lost_is_no_failure_of_the_package() {
    check(Ending::Interrupted(2), &[ALL_WELL], "skip interrupted");
    let reason = "x".to_owned();
    check(
        Ending::Lost { reason },
        &[ALL_WELL],
        "fault harness: the tester was lost: x",
    );
    let stuck = MachineFault::Unkillable {
        pid: 7,
        seconds: 1,
        state: "D".to_owned(),
    };
    let outcome = judged(
        TAP,
        Examines::Package,
        Ending::Stuck(stuck),
        &[ALL_WELL],
        "",
    )
    .outcome;
    assert!(told(&outcome).starts_with("fault unkillable"));
    let reason = "No such file".to_owned();
    check(
        Ending::NotStarted { reason },
        &[],
        "fail not-started: it cannot be started: No such file",
    );
}

#[test]
fn wrong_numbers_are_a_class_of_their_own() {
    #[track_caller]
    fn check(format: &str, message: &str, class: Class) {
        let json = format!(r#"{{"program": "t", "format": "{format}"}}"#);
        let check: TesterCheck = serde_json::from_str(&json).unwrap();
        let mut reading = reading(&["pass a", "fail b"]);
        reading.parts[1].outcome = PartOutcome::Fail {
            message: message.to_owned(),
        };
        let evidence = Evidence {
            check: &check,
            examines: Examines::Package,
            must_run: false,
            ending: &Ending::Exited(1),
            printed: ["", ""],
        };
        let Outcome::Fail(finding) = evidence.judge(reading).outcome else {
            panic!("{message}");
        };
        assert_eq!(finding.class, class, "{message}");
    }
    check(
        "tap",
        "3 of 5 elements differ: at [0] 7, expected 8",
        Class::Numerical,
    );
    check("tap", "ImportError: x", Class::Execution);
    check("magma", "128 9e-01 failed", Class::Numerical);
    check(
        "magma",
        "CUDA error: no kernel image is available for execution on the device",
        Class::Architecture,
    );
}

#[track_caller]
fn check_cause(printed: &str, expected: &str, class: Class) {
    let outcome = judged(
        TAP,
        Examines::Package,
        Ending::Exited(1),
        &["fail a"],
        printed,
    )
    .outcome;
    let (Outcome::Fail(finding) | Outcome::Fault(finding)) = &outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        finding.cause.text().starts_with(expected),
        "{:?}",
        finding.cause
    );
    assert_eq!(finding.class, class);
}

#[test]
fn a_cause_is_what_a_line_proves() {
    check_cause("", "unknown", Class::Execution);
    check_cause(
        "CUDA error: no kernel image is available for execution on the device",
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
        Class::Architecture,
    );
    check_cause(
        "x\ncudaErrorECCUncorrectable\n",
        "CUDA_ERROR_ECC_UNCORRECTABLE",
        Class::Machine,
    );
    check_cause(
        "libx.so.1: cannot open shared object file",
        "`libx.so.1` was opened",
        Class::Loading,
    );
}

#[test]
fn an_error_that_condemns_the_device_carries_its_code() {
    let words = "cudaErrorECCUncorrectable";
    let outcome = judged(
        TAP,
        Examines::Package,
        Ending::Exited(1),
        &["fail a"],
        words,
    )
    .outcome;
    let Outcome::Fault(finding) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(finding.problem, Problem::CudaError(214));
}

#[test]
fn a_tester_without_a_package_judges_the_machine() {
    let outcome = judged(TAP, Examines::Machine, Ending::Exited(1), &["fail a"], "").outcome;
    assert!(told(&outcome).starts_with("fault results-failed"));
    let skip = judged(TAP, Examines::Machine, Ending::Exited(0), &["none"], "").outcome;
    let because = "no module".to_owned();
    assert_eq!(skip, Outcome::Skip(SkipReason::Tester { because }));
}

#[test]
fn an_exit_code_is_a_format_of_its_own() {
    #[track_caller]
    fn check(code: i32, expected: &str) {
        let format = r#"{"program": "t", "format": "exit-code"}"#;
        let outcome = judged(
            format,
            Examines::Package,
            Ending::Exited(code),
            &[],
            "last words\n",
        )
        .outcome;
        assert_eq!(told(&outcome), expected);
    }
    check(0, "pass");
    check(77, "skip tester-skips");
    check(99, "fail exit-code: it ended with code 99");
}
