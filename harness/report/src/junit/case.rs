//! Turns the end of a case into a `<testcase>`: which element, its type, its message, its text.

use std::time::Duration;

use cudacheck_model::event::{Attempt, CaseFinished};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::outcome::{Explained, Finding, Outcome, SkipReason};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::budget::{Budget, RIGHT, WRONG};
use super::record::{Entry, Record};
use super::{Flaky, JUnitOptions, attribute, properties};
use crate::terminal::finding;
use crate::words;

/// A case without its name and class.
pub(super) fn case(
    entry: &Entry<'_>,
    record: &Record<'_>,
    options: &JUnitOptions,
    budget: &mut Budget,
) -> TestCase {
    match entry {
        Entry::Finished(case) => Finished {
            case,
            log: record.log(case, options.run_directory.as_deref()),
            record,
        }
        .case(options, budget),
        Entry::Skipped(skip) => timeless(skipped(&skip.reason, &[])),
        Entry::Running(_) => timeless(running()),
    }
}

/// The suite of the faults that kept a run from judging anything.
pub(super) fn machine_suite(record: &Record<'_>, faults: &[MachineFault]) -> TestSuite {
    let classname = record.classname("cudacheck.machine", None);
    let mut suite = super::new_suite(&classname, record);
    suite.set_time(Duration::ZERO);
    suite.add_properties(properties::of_run(record));
    suite.add_properties(properties::of_devices(record, None));
    for (index, fault) in faults.iter().enumerate() {
        let error = fault.to_string();
        let mut lines = vec![attribute(&error), field("error", &error)];
        lines.extend(
            words::places(fault)
                .iter()
                .map(|place| field("searched", place)),
        );
        lines.push(field("cause", fault.cause().text()));
        lines.push(field("remedy", &fault.remedy()));
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        fill(&mut status, fault.word(), &error, &lines);
        let mut case = timeless(status);
        let alike = faults[..index]
            .iter()
            .filter(|earlier| earlier.word() == fault.word())
            .count();
        let number = if alike == 0 {
            String::new()
        } else {
            format!(" {}", alike + 1)
        };
        case.name = format!("probe {}{number}", fault.word()).into();
        case.set_classname(classname.as_str());
        suite.add_test_case(case);
    }
    suite
}

/// A case that has ended, with what its text needs.
struct Finished<'a> {
    case: &'a CaseFinished,
    log: String,
    record: &'a Record<'a>,
}

impl Finished<'_> {
    fn case(&self, options: &JUnitOptions, budget: &mut Budget) -> TestCase {
        let status = self.status(options, budget);
        let mut case = TestCase::new("", status);
        case.set_time(Duration::from_millis(self.case.attempt.duration_ms));
        let share = if words::blame(&self.case.outcome).is_some() {
            WRONG
        } else {
            RIGHT
        };
        let printed = budget.output(&self.case.attempt.output, share, &self.log);
        let told = self.libraries();
        let parts: Vec<String> = told.into_iter().chain(printed).collect();
        if !parts.is_empty() {
            case.set_system_out(parts.join("\n"));
        }
        case
    }

    fn status(&self, options: &JUnitOptions, budget: &mut Budget) -> TestCaseStatus {
        match &self.case.outcome {
            Outcome::Pass => {
                let mut status = TestCaseStatus::success();
                if options.flaky == Flaky::Report {
                    status.add_reruns(self.reruns(budget));
                }
                status
            }
            Outcome::Fail(finding) => self.wrong(NonSuccessKind::Failure, finding, budget),
            Outcome::Fault(finding) => self.wrong(NonSuccessKind::Error, finding, budget),
            Outcome::UnexpectedPass { because } => {
                let message = format!("passed, although a failure is expected: {because}");
                let mut lines = vec![
                    attribute(&message),
                    field("expected", &format!("a failure, because {because}")),
                    field("error", "it passed"),
                    field("cause", "the suite expects a failure that is gone"),
                    field(
                        "remedy",
                        "take `expected-failure` off this case, or bound it to other devices",
                    ),
                ];
                lines.extend(self.whereabouts());
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                fill(&mut status, "unexpected-pass", &message, &lines);
                status.add_reruns(self.reruns(budget));
                status
            }
            Outcome::Skip(reason) => skipped(reason, &self.earlier()),
            Outcome::ExpectedFail { finding, because } => {
                let message = format!("failed as expected: {because}");
                let mut lines = vec![attribute(&message)];
                lines.extend(explained(finding));
                lines.extend(self.whereabouts());
                lines.extend(self.earlier());
                let mut status = TestCaseStatus::skipped();
                fill(&mut status, "expected-failure", &message, &lines);
                status
            }
        }
    }

    fn wrong(
        &self,
        kind: NonSuccessKind,
        finding: &Finding,
        budget: &mut Budget,
    ) -> TestCaseStatus {
        let lines = self.text(finding, budget);
        let mut status = TestCaseStatus::non_success(kind);
        fill(&mut status, finding.problem.word(), &finding.error, &lines);
        status.add_reruns(self.reruns(budget));
        status
    }

    fn text(&self, finding: &Finding, budget: &mut Budget) -> Vec<String> {
        let mut lines = vec![attribute(&finding.error)];
        lines.extend(words::blame(&self.case.outcome).map(|blame| field("blame", blame)));
        lines.extend(explained(finding));
        lines.extend(self.whereabouts());
        lines.extend(
            self.case
                .attempt
                .notes
                .iter()
                .map(|(key, value)| field(&attribute(key), value)),
        );
        let details = budget.details(&finding.details, &self.log);
        if !details.is_empty() {
            lines.push(details);
        }
        lines
    }

    /// What was loaded, and which versions said so; nothing for a check that loads no library of a package.
    fn libraries(&self) -> Option<String> {
        let attempt = &self.case.attempt;
        if attempt.mapped.is_empty() {
            return None;
        }
        let notes = attempt.notes.iter();
        let mut lines: Vec<String> = notes
            .map(|(key, value)| field(&attribute(key), &attribute(value)))
            .collect();
        lines.extend(attempt.mapped.iter().map(|library| {
            let path = library.path.display().to_string();
            field(
                "loaded",
                &format!("{} ({})", attribute(&path), words::owner(library.owner)),
            )
        }));
        Some(lines.join("\n"))
    }

    /// Where it ran, how to run it again, and where its files are.
    fn whereabouts(&self) -> Vec<String> {
        let some = |label: &str, value: Option<String>| value.map(|value| field(label, &value));
        let fields = [
            some("simulated", self.record.simulated().map(str::to_owned)),
            some("device", self.case.device.as_ref().map(words::device)),
            some("package", self.case.package.clone()),
            some("leaked", words::leaked(self.case.attempt.leaked)),
            some("rerun", Some(words::shell(&self.case.rerun))),
            some("log", Some(self.log.clone())),
        ];
        fields.into_iter().flatten().collect()
    }

    /// The attempts before the last, for the statuses that have no element for them.
    fn earlier(&self) -> Vec<String> {
        let attempts = self.case.earlier.iter().enumerate();
        attempts
            .map(|(index, attempt)| {
                field(&format!("attempt {}", index + 1), &what_happened(attempt).1)
            })
            .collect()
    }

    fn reruns(&self, budget: &mut Budget) -> Vec<TestRerun> {
        let attempts = self.case.earlier.iter();
        attempts
            .map(|attempt| self.rerun(attempt, budget))
            .collect()
    }

    fn rerun(&self, attempt: &Attempt, budget: &mut Budget) -> TestRerun {
        let (word, message) = what_happened(attempt);
        let mut lines = vec![attribute(&message)];
        lines.extend(finding(&attempt.outcome).into_iter().flat_map(explained));
        lines.push(field("time", &words::seconds(attempt.duration_ms)));
        // `…Error` variants are overlooked by readers; the type says whose fault it was.
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        rerun.set_type(format!("cudacheck.{word}"));
        rerun.set_message(attribute(&message));
        rerun.set_stack_trace(lines.join("\n"));
        if let Some(output) = budget.output(&attempt.output, WRONG, &self.log) {
            rerun.set_system_out(output);
        }
        rerun
    }
}

fn timeless(status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new("", status);
    case.set_time(Duration::ZERO);
    case
}

/// A case of which no end is known: it was running when the events end.
fn running() -> TestCaseStatus {
    let message = "the run was interrupted during this case";
    let mut status = TestCaseStatus::skipped();
    fill(
        &mut status,
        SkipReason::Interrupted.word(),
        message,
        &[message.to_owned()],
    );
    status
}

fn skipped(reason: &SkipReason, more: &[String]) -> TestCaseStatus {
    let message = reason.to_string();
    let mut lines = vec![attribute(&message)];
    lines.extend_from_slice(more);
    let mut status = TestCaseStatus::skipped();
    fill(&mut status, reason.word(), &message, &lines);
    status
}

fn fill(status: &mut TestCaseStatus, word: &str, message: &str, lines: &[String]) {
    status.set_type(format!("cudacheck.{word}"));
    status.set_message(attribute(message));
    status.set_description(lines.join("\n"));
}

fn explained(finding: &Finding) -> Vec<String> {
    let mut lines = vec![
        field("expected", &finding.expected),
        field("error", &finding.error),
        field("cause", finding.cause.text()),
        field("remedy", &finding.remedy),
    ];
    lines.extend(
        finding
            .stage
            .map(|stage| field("stage", &stage.to_string())),
    );
    lines
}

/// The word and the message of an attempt that was not the last.
fn what_happened(attempt: &Attempt) -> (&'static str, String) {
    match &attempt.outcome {
        Outcome::Fail(finding)
        | Outcome::Fault(finding)
        | Outcome::ExpectedFail { finding, .. } => (finding.problem.word(), finding.error.clone()),
        Outcome::Skip(reason) => (reason.word(), reason.to_string()),
        Outcome::Pass => ("repeated", "passed, and was tried again".to_owned()),
        Outcome::UnexpectedPass { .. } => (
            "unexpected-pass",
            "passed unexpectedly, and was tried again".to_owned(),
        ),
    }
}

/// `cause: …`, on one line and never too long for a reader.
fn field(label: &str, value: &str) -> String {
    format!(
        "{label}: {}",
        crate::text::shortened(&crate::text::one_line(value), 4000)
    )
}
