//! What a process said before it aborted itself: that is where its reason is.

use cudacheck_model::event::Output;
use cudacheck_model::outcome::{Cause, Class, Finding, Outcome, Problem};

/// SIGABRT.
const ABORT: i32 = 6;

/// Longer words are in the output, which is kept.
const LONGEST: usize = 400;

/// Lines that go with the last one.
const LINES: usize = 3;

/// Words of libraries that cannot load a part of theirs.
const LOADING: [&str; 4] = [
    "Unable to load",
    "Could not load library",
    "Cannot load symbol",
    "cannot open shared object file",
];

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
        if LOADING.iter().any(|words| said.contains(words)) {
            // A fault of the machine stays one, whatever was said.
            if finding.class != Class::Machine {
                finding.class = Class::Loading;
            }
            finding.remedy = match missing(&said) {
                Some(name) => {
                    format!("add the package that has {name} to the RUNPATH of the library that asks for it")
                }
                None => "take all parts from one release: cudacheck inspect PATH shows which file each name finds".to_owned(),
            };
        }
        finding.cause = Cause::proven(format!(
            "the process aborted itself, and said before: {said}"
        ));
    }
}

/// The file that the loader did not find.
fn missing(said: &str) -> Option<&str> {
    let (before, _) = said.split_once(": cannot open shared object file")?;
    before.rsplit(' ').next()
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
    fn a_part_that_cannot_be_loaded_is_a_fault_of_loading() {
        let finding = Finding {
            problem: Problem::Signal(ABORT),
            class: Class::Execution,
            stage: None,
            expected: String::new(),
            error: String::new(),
            cause: Cause::Unknown,
            remedy: String::new(),
            details: Vec::new(),
        };
        for (class, expected) in [
            (Class::Execution, Class::Loading),
            (Class::Machine, Class::Machine),
        ] {
            let mut outcome = Outcome::Fail(Box::new(Finding {
                class,
                ..finding.clone()
            }));
            let output = Output {
                head: "Unable to load any of {libcudnn_cnn.so.9}\nInvalid handle.".to_owned(),
                ..Output::default()
            };
            heed(&mut outcome, &output);
            let Outcome::Fail(found) = outcome else {
                panic!("it was a failure");
            };
            assert_eq!(found.class, expected);
            assert!(found.remedy.contains("one release"), "{}", found.remedy);
        }
    }

    #[test]
    fn the_file_that_is_missing_is_named() {
        let said = "Could not load library libcudnn_ops_infer.so.8. Error: libnvrtc.so: cannot open shared object file: No such file or directory";
        assert_eq!(missing(said), Some("libnvrtc.so"));
        assert_eq!(
            missing("Invalid handle. Cannot load symbol cudnnGetVersion"),
            None
        );
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
