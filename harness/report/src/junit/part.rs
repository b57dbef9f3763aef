//! Turns each result of a tester into a `<testcase>` of its own, beside the one of the case that ran it.

use std::time::Duration;

use cudacheck_model::event::{CaseFinished, Part, PartOutcome};
use cudacheck_model::outcome::Outcome;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus};

use super::attribute;
use super::budget::{Budget, Reserved};
use crate::words;

/// Results that are not as they should be, of one case, beyond this number are left to the events.
const MOST: usize = 10_000;
/// Bytes of a result's element beside its name and its class.
const FRAME: usize = 90;

/// The results of a case, without their class.
pub(super) fn cases(case: &CaseFinished, log: &str, budget: &mut Budget) -> Vec<TestCase> {
    let parts = &case.attempt.parts;
    let class =
        case.id.suite.len() + case.id.case.len() + case.package.as_ref().map_or(0, String::len);
    let size = parts
        .iter()
        .map(|part| part.name.len() + class + FRAME)
        .sum();
    if budget.reserve(size) == Reserved::Yes {
        return parts
            .iter()
            .map(|part| test(part, case, log, budget))
            .collect();
    }
    // A report that no reader takes tells nothing: what somebody must look at comes before what is as it should be.
    let wrong = parts
        .iter()
        .filter(|part| part.outcome != PartOutcome::Pass);
    let mut tests: Vec<TestCase> = wrong
        .take(MOST)
        .map(|part| test(part, case, log, budget))
        .collect();
    let because = format!(
        "{} more results are in events.jsonl; a report with all of them would be too large to read",
        parts.len() - tests.len()
    );
    let left_out = Part {
        name: "… more results".to_owned(),
        outcome: PartOutcome::Skip { because },
        duration_ms: None,
        output: String::new(),
    };
    tests.push(test(&left_out, case, log, budget));
    tests
}

fn test(part: &Part, case: &CaseFinished, log: &str, budget: &mut Budget) -> TestCase {
    let status = match &part.outcome {
        PartOutcome::Pass => TestCaseStatus::success(),
        PartOutcome::Skip { because } => {
            let mut status = TestCaseStatus::skipped();
            fill(&mut status, "tester-skips", because, Vec::new());
            status
        }
        PartOutcome::Fail { message } => {
            let output: Vec<String> = part.output.lines().map(str::to_owned).collect();
            let mut lines = vec![
                format!("rerun: {}", words::shell(&case.rerun)),
                format!("log: {log}"),
            ];
            lines.extend(Some(budget.details(&output, log)).filter(|it| !it.is_empty()));
            let (mut status, word) = failed(&case.outcome);
            fill(&mut status, word, message, lines);
            status
        }
    };
    let mut test = TestCase::new(attribute(&part.name), status);
    test.set_time(Duration::from_millis(part.duration_ms.unwrap_or(0)));
    test
}

/// A failed result is blamed on whom its case is blamed on, and not at all where the suite expects it.
fn failed(outcome: &Outcome) -> (TestCaseStatus, &'static str) {
    match outcome {
        Outcome::ExpectedFail { .. } => (TestCaseStatus::skipped(), "expected-failure"),
        Outcome::Fault(_) => (
            TestCaseStatus::non_success(NonSuccessKind::Error),
            "result-failed",
        ),
        Outcome::Pass | Outcome::Fail(_) | Outcome::Skip(_) | Outcome::UnexpectedPass { .. } => (
            TestCaseStatus::non_success(NonSuccessKind::Failure),
            "result-failed",
        ),
    }
}

fn fill(status: &mut TestCaseStatus, word: &str, message: &str, more: Vec<String>) {
    let message = attribute(message);
    let mut lines = vec![message.clone()];
    lines.extend(more);
    status.set_type(format!("cudacheck.{word}"));
    status.set_message(message);
    status.set_description(lines.join("\n"));
}
