//! What a process said before it aborted itself: that is where its reason is.

use cudacheck_model::event::Output;
use cudacheck_model::outcome::{Cause, Finding, Outcome, Problem};

/// SIGABRT.
const ABORT: i32 = 6;

/// Longer words are in the output, which is kept.
const LONGEST: usize = 400;

/// Lines that go with the last one.
const LINES: usize = 3;

/// Adds what was said to the cause of an abort.
pub(crate) fn heed(outcome: &mut Outcome, output: &Output) {
    match outcome {
        Outcome::Fail(finding) | Outcome::Fault(finding) => heed_in(finding, output),
        Outcome::Pass
        | Outcome::Skip(_)
        | Outcome::ExpectedFail { .. }
        | Outcome::UnexpectedPass { .. } => {}
    }
}

fn heed_in(finding: &mut Finding, output: &Output) {
    if finding.problem != Problem::Signal(ABORT) {
        return;
    }
    if let Some(said) = last(output) {
        finding.cause = Cause::proven(format!(
            "the process aborted itself, and said before: {said}"
        ));
    }
}

/// The last lines that are not empty, joined.
fn last(output: &Output) -> Option<String> {
    let end = if output.tail.is_empty() {
        &output.head
    } else {
        &output.tail
    };
    let lines: Vec<&str> = end
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let first = lines.len().saturating_sub(LINES);
    let said = lines[first..].join(" · ");
    (!said.is_empty()).then(|| said.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use cudacheck_model::outcome::Class;

    use super::*;

    #[track_caller]
    fn check(signal: i32, head: &str, tail: &str, expected: &str) {
        let finding = Finding {
            problem: Problem::Signal(signal),
            class: Class::Execution,
            stage: None,
            expected: String::new(),
            error: String::new(),
            cause: Cause::Unknown,
            remedy: String::new(),
            details: Vec::new(),
        };
        let mut outcome = Outcome::Fail(Box::new(finding));
        let output = Output {
            head: head.to_owned(),
            tail: tail.to_owned(),
            left_out: 0,
        };
        heed(&mut outcome, &output);
        let Outcome::Fail(finding) = outcome else {
            panic!("it was a failure");
        };
        assert_eq!(finding.cause.text(), expected);
    }

    #[test]
    fn whoever_aborts_says_why() {
        let aborted = "the process aborted itself, and said before: ";
        check(
            6,
            "Invalid handle.\n\n",
            "",
            &format!("{aborted}Invalid handle."),
        );
        check(6, "early", "a\nb\nc\nd\n", &format!("{aborted}b · c · d"));
        check(6, "", "", "unknown");
        check(11, "Invalid handle.\n", "", "unknown");
    }
}
