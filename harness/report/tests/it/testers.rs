//! Results of testers: each is a case of its own to a reader of JUnit, and a number to a reader of the terminal.

use cudacheck_model::event::{Event, Part, PartOutcome, Summary, Timed};
use cudacheck_model::outcome::{Class, Outcome, Problem, SkipReason};
use cudacheck_report::junit::{JUnitOptions, junit};
use cudacheck_report::terminal::{Colour, Options, Progress, Terminal, Verbosity};

use crate::readers::parse;
use crate::stream;

fn part(name: &str, outcome: PartOutcome, output: &str) -> Part {
    Part {
        name: name.to_owned(),
        outcome,
        duration_ms: Some(12),
        output: output.to_owned(),
    }
}

fn failed(message: &str) -> PartOutcome {
    PartOutcome::Fail {
        message: message.to_owned(),
    }
}

fn skipped(because: &str) -> PartOutcome {
    PartOutcome::Skip {
        because: because.to_owned(),
    }
}

/// A run of one tester with these results.
fn run(outcome: Outcome, parts: Vec<Part>) -> Vec<Timed> {
    let mut case = stream::finished("magma", "dgemm", Some(0), outcome);
    case.attempt.parts = parts;
    let summary = Summary {
        failed: 1,
        ..Summary::default()
    };
    let events = vec![
        stream::started(None),
        Event::CaseFinished(Box::new(case)),
        Event::RunFinished(summary),
    ];
    stream::timed(events)
}

fn three() -> Vec<Part> {
    vec![
        part("M=128 N=128", PartOutcome::Pass, ""),
        part(
            "M=1024 \x1b[2J]]> ##[error]x",
            failed("off by \x1b[31mone"),
            "one\n\ttwo <&]]>\x07",
        ),
        part("M=9", skipped("excluded: it takes hours"), ""),
    ]
}

fn failure() -> Outcome {
    let problem = Problem::ResultsFailed { failed: 1, of: 3 };
    Outcome::Fail(stream::finding(
        problem,
        Class::Execution,
        "1 of 3 results failed; M=1024: off by one",
    ))
}

#[test]
fn each_result_is_a_case() {
    let text = junit(&run(failure(), three()), &JUnitOptions::default());
    let text = String::from_utf8(text).unwrap();
    parse(&text);
    insta::assert_snapshot!("junit-tester", text);
}

#[test]
fn the_terminal_counts_results() {
    let mut written = Vec::new();
    let options = Options {
        colour: Colour::Never,
        progress: Progress::Off,
        verbosity: Verbosity::Normal,
        width: 100,
    };
    let mut terminal = Terminal::new(options, &mut written);
    for event in run(failure(), three()) {
        terminal.event(&event);
    }
    insta::assert_snapshot!("terminal-tester", String::from_utf8(written).unwrap());
}

#[track_caller]
fn check_blame(outcome: Outcome, element: &str, word: &str) {
    let text = String::from_utf8(junit(&run(outcome, three()), &JUnitOptions::default())).unwrap();
    let at = text.find("name=\"M=1024").unwrap();
    let found = text[at..].split('<').nth(1).unwrap();
    let typed = format!("type=\"cudacheck.{word}\"");
    assert!(
        found.starts_with(element) && found.contains(&typed),
        "{found}"
    );
}

#[test]
fn a_result_is_blamed_on_whom_its_case_is() {
    let finding = || {
        stream::finding(
            Problem::CudaError(214),
            Class::Machine,
            "an error of the memory",
        )
    };
    check_blame(Outcome::Fault(finding()), "error", "result-failed");
    check_blame(failure(), "failure", "result-failed");
    let expected = Outcome::ExpectedFail {
        finding: finding(),
        because: "it is known".to_owned(),
    };
    check_blame(expected, "skipped", "expected-failure");
    check_blame(
        Outcome::Skip(SkipReason::Interrupted),
        "failure",
        "result-failed",
    );
}

#[test]
fn a_report_stays_small_enough_for_its_readers() {
    let many = |index| {
        let outcome = if index % 100 == 0 {
            failed("wrong")
        } else {
            PartOutcome::Pass
        };
        part(
            &format!("test {index} {}", "x".repeat(200)),
            outcome,
            &"y".repeat(8000),
        )
    };
    let text = junit(
        &run(failure(), (0..50_000).map(many).collect()),
        &JUnitOptions::default(),
    );
    assert!(text.len() < 10_000_000, "{}", text.len());
    let report = parse(&String::from_utf8(text).unwrap());
    // The case, its 500 failed results, and a word on the rest.
    assert_eq!(report.test_suites[0].test_cases.len(), 1 + 500 + 1);
}
