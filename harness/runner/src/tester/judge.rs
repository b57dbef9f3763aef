//! Judges a tester by both of what it leaves: its results, and how it ended.
//!
//! Pure. A tester that says nothing has shown nothing, one whose results are all well and that then dies has
//! not passed, and one that tells of failures by its exit code alone is not believed to have none.

mod count;

use cudacheck_model::compat::Culprit;
use cudacheck_model::event::{Part, PartOutcome};
use cudacheck_model::outcome::{Cause, Class, Finding, MachineFault, Outcome, Problem, SkipReason};
use cudacheck_model::suite::{TesterCheck, TesterFormat};

use self::count::{Counts, NUMBERS, details, ended, last_line};
use super::explain::{self, Proof};
use super::read::Reading;
use super::select::{missing, select};
use crate::classify::Examines;
use crate::ending::{Ending, signal_name};

/// The exit code that automake, meson, and others take for a skip.
const SKIPPED: i32 = 77;
/// pytest's for a run that found no test.
const PYTEST_FOUND_NONE: i32 = 5;

/// Everything a verdict rests on.
pub(super) struct Evidence<'a> {
    pub(super) check: &'a TesterCheck,
    pub(super) examines: Examines,
    /// Whether the package must work where its suite belongs.
    pub(super) must_run: bool,
    pub(super) ending: &'a Ending,
    /// What it printed: the beginning and the end.
    pub(super) printed: [&'a str; 2],
}

/// What became of a tester.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) parts: Vec<Part>,
    /// What a reader should know, and what changes no verdict.
    pub(super) notes: Vec<(String, String)>,
}

impl Evidence<'_> {
    /// The verdict.
    pub(super) fn judge(&self, reading: Reading) -> Judged {
        let Reading {
            mut parts,
            mut incomplete,
            bailed,
            skipped,
            unfinished,
        } = reading;
        let clean = matches!(self.ending, Ending::Exited(0));
        if let Some(name) = &unfinished {
            // What was under way when everything ended is the first suspect.
            parts.push(Part {
                name: name.clone(),
                outcome: PartOutcome::Fail {
                    message: format!("the tester {} during this test", ended(self.ending)),
                },
                duration_ms: None,
                output: String::new(),
            });
        }
        let selected = select(self.check, &mut parts);
        if self.check.format == TesterFormat::ExitCode {
            incomplete.clear();
        }
        let counts = Counts::of(&parts);
        let mut notes = Vec::new();
        notes.extend(
            selected
                .idle
                .iter()
                .map(|it| ("selection".to_owned(), it.clone())),
        );
        if !clean || counts.failed > 0 {
            notes.extend(
                incomplete
                    .iter()
                    .map(|it| ("results".to_owned(), it.clone())),
            );
        }
        let said = Said {
            counts,
            forgiven: selected.forgiven,
            during: unfinished
                .map(|name| format!(" during {name}"))
                .unwrap_or_default(),
            incomplete,
            bailed,
            skipped,
        };
        let outcome = self.outcome(&parts, &said);
        Judged {
            outcome,
            parts,
            notes,
        }
    }

    fn outcome(&self, parts: &[Part], said: &Said) -> Outcome {
        let counts = said.counts;
        match self.ending {
            Ending::Interrupted(_) => return Outcome::Skip(SkipReason::Interrupted),
            Ending::Stuck(fault) => return machine(fault.clone()),
            Ending::Lost { reason } => {
                let message = format!("the tester was lost: {reason}");
                return machine(MachineFault::Harness { message });
            }
            Ending::NotStarted { reason } => return self.not_started(reason),
            Ending::TimedOut { limit } => {
                let seconds = limit.as_secs();
                let during = &said.during;
                let error = format!(
                    "it took more than {seconds} s, and was stopped{during}{}",
                    counts.so_far()
                );
                let remedy = "raise limits.time-s if it is only slow; the last lines of its output say where it was";
                return self.failed(Problem::Timeout(seconds), error, remedy, parts);
            }
            Ending::Signaled(signal) => {
                let name = signal_name(*signal);
                let during = &said.during;
                let error = format!(
                    "it was ended by {name} ({signal}){during}{}",
                    counts.so_far()
                );
                let remedy =
                    "read the last lines of its output; dmesg | grep -e segfault -e oom -e Xid";
                let outcome = self.failed(Problem::Signal(*signal), error, remedy, parts);
                // Programs do not raise these themselves: a person or the kernel sent it.
                return match (outcome, *signal) {
                    (Outcome::Fail(mut finding), 1 | 2 | 3 | 9 | 15) => {
                        finding.class = Class::Machine;
                        Outcome::Fault(finding)
                    }
                    (outcome, _) => outcome,
                };
            }
            Ending::Exited(_) => {}
        }
        let Ending::Exited(code) = *self.ending else {
            unreachable!("all others have returned");
        };
        if counts.failed > 0 {
            return self.some_failed(parts, counts);
        }
        if let Some(reason) = &said.bailed {
            let error = format!("it gave up{}: {reason}", counts.so_far());
            let remedy = "its last words say why; the whole output is in the log";
            return self.failed(Problem::ResultsIncomplete, error, remedy, parts);
        }
        if code == SKIPPED && counts.passed == 0 || code == 0 && said.skipped.is_some() {
            let because = said.skipped.clone().or_else(|| last_line(self.printed));
            return self.skip(
                because.unwrap_or_else(|| "it gives no reason".to_owned()),
                parts,
            );
        }
        let forgiven = said.forgiven > 0 && (1..=125).contains(&code);
        let none_found = code == PYTEST_FOUND_NONE
            && self.check.format == TesterFormat::Junit
            && parts.is_empty();
        if code != 0 && !forgiven && !none_found {
            let (error, remedy) = match self.check.format {
                TesterFormat::ExitCode => (format!("it ended with code {code}"), "read its output"),
                TesterFormat::Gtest
                | TesterFormat::Junit
                | TesterFormat::Tap
                | TesterFormat::Magma => (
                    match counts.passed {
                        0 => format!("it ended with code {code} before any result"),
                        _ => format!("it ended with code {code}{}, none failed", counts.so_far()),
                    },
                    "read the last lines of its output: whoever ends a process with a code says why",
                ),
            };
            return self.failed(Problem::ExitCode(code), error, remedy, parts);
        }
        if self.check.format == TesterFormat::ExitCode {
            return Outcome::Pass;
        }
        if let Some(doubt) = said.incomplete.first() {
            let remedy = "run the tester by itself, and look at what it writes";
            return self.failed(Problem::ResultsIncomplete, doubt.clone(), remedy, parts);
        }
        let missing = missing(self.check.expected.as_ref(), parts);
        if let Some(first) = missing.first().filter(|_| counts.passed > 0) {
            let error = match missing.len() {
                1 => first.clone(),
                more => format!("{first}, and {} more of `expected`", more - 1),
            };
            let remedy =
                "see why the tester left it out; change `expected` if the tester has changed";
            return self.failed(Problem::ResultsIncomplete, error, remedy, parts);
        }
        match counts {
            Counts { passed: 1.., .. } => Outcome::Pass,
            Counts { skipped: 1.., .. } => {
                let first = parts.iter().find_map(|part| match &part.outcome {
                    PartOutcome::Skip { because } => Some(because.as_str()),
                    PartOutcome::Pass | PartOutcome::Fail { .. } => None,
                });
                let because = format!(
                    "all {} results are skips: {}",
                    counts.skipped,
                    first.unwrap_or_default()
                );
                self.skip(because, parts)
            }
            Counts { .. } => self.nothing("it told of no result at all".to_owned(), parts),
        }
    }

    fn some_failed(&self, parts: &[Part], counts: Counts) -> Outcome {
        let mut failed = parts.iter().filter_map(|part| match &part.outcome {
            PartOutcome::Fail { message } => Some((&part.name, message)),
            PartOutcome::Pass | PartOutcome::Skip { .. } => None,
        });
        let all = counts.passed + counts.failed + counts.skipped;
        let first = failed
            .next()
            .map(|(name, message)| format!("{name}: {message}"));
        let error = format!(
            "{} of {all} results failed; {}{}",
            counts.failed,
            if counts.failed == 1 {
                ""
            } else {
                "the first is "
            },
            first.unwrap_or_default()
        );
        let problem = Problem::ResultsFailed {
            failed: counts.failed,
            of: all,
        };
        let mut messages = parts.iter().filter_map(|part| match &part.outcome {
            PartOutcome::Fail { message } => Some(message),
            PartOutcome::Pass | PartOutcome::Skip { .. } => None,
        });
        // MAGMA's verdict is about a residual, and these are the words in which our own scripts compare.
        let of_numbers = self.check.format == TesterFormat::Magma
            || messages.all(|message| NUMBERS.iter().any(|words| message.contains(words)));
        if !of_numbers {
            let remedy = "read what they say; `exclude` in the suite takes out a result that is known, with its reason";
            return self.failed(problem, error, remedy, parts);
        }
        let remedy =
            "cudacheck run kernels: if that fails too, the device is at fault and not the package";
        let mut outcome = self.failed(problem, error, remedy, parts);
        if let Outcome::Fail(finding) = &mut outcome
            && finding.cause == Cause::Unknown
        {
            finding.class = Class::Numerical;
        }
        outcome
    }

    /// A skip by the tester's own decision. Where a package must work, it may not choose not to.
    fn skip(&self, because: String, parts: &[Part]) -> Outcome {
        if self.must_run {
            return self.nothing(
                format!("it skipped everything, but must run: {because}"),
                parts,
            );
        }
        Outcome::Skip(SkipReason::Tester { because })
    }

    fn nothing(&self, error: String, parts: &[Part]) -> Outcome {
        let remedy = "run it by itself: a filter that fits nothing, or another version of it, looks like this";
        self.failed(Problem::NothingTested, error, remedy, parts)
    }

    /// The kernel refused the package's own program.
    fn not_started(&self, reason: &str) -> Outcome {
        let remedy =
            "file on the program: it must be for this processor, and its interpreter must exist";
        let error = format!("it cannot be started: {reason}");
        let outcome = self.failed(Problem::NotStarted, error, remedy, &[]);
        match outcome {
            Outcome::Fail(mut finding) => {
                finding.class = Class::Loading;
                Outcome::Fail(finding)
            }
            Outcome::Pass
            | Outcome::Fault(_)
            | Outcome::Skip(_)
            | Outcome::ExpectedFail { .. }
            | Outcome::UnexpectedPass { .. } => outcome,
        }
    }

    /// A failure, with the cause that the tester's own words prove.
    fn failed(&self, problem: Problem, error: String, remedy: &str, parts: &[Part]) -> Outcome {
        let mut finding = Finding {
            problem,
            class: Class::Execution,
            stage: None,
            expected: "the tester ends well, and its results are as they should be".to_owned(),
            error,
            cause: Cause::Unknown,
            remedy: remedy.to_owned(),
            details: details(parts),
        };
        let proof = self.proof(parts, &finding.error);
        let mut to_blame = Culprit::Code;
        if let Some(proof) = proof {
            finding.class = proof.class;
            finding.cause = Cause::Proven(proof.cause);
            finding.remedy = proof.remedy;
            to_blame = proof.culprit;
            // The driver's code for what is wrong with the machine decides whether the device is used again.
            if let (Some(code), Culprit::Machine | Culprit::Hardware) = (proof.code, to_blame) {
                finding.problem = Problem::CudaError(code);
            }
        }
        let machine = match to_blame {
            Culprit::Machine | Culprit::Hardware => true,
            Culprit::Code | Culprit::Unclear | Culprit::Nobody => {
                self.examines == Examines::Machine
            }
        };
        if machine {
            finding.class = Class::Machine;
            return Outcome::Fault(Box::new(finding));
        }
        Outcome::Fail(Box::new(finding))
    }

    /// What the results say comes before what else was printed, which may be about anything.
    fn proof(&self, parts: &[Part], error: &str) -> Option<Proof> {
        let failed = parts.iter().filter_map(|part| match &part.outcome {
            PartOutcome::Fail { message } => Some([message.as_str(), part.output.as_str()]),
            PartOutcome::Pass | PartOutcome::Skip { .. } => None,
        });
        let of_results = failed.flatten().flat_map(str::lines);
        let printed = self.printed.iter().flat_map(|text| text.lines());
        explain::proof([error].into_iter().chain(of_results)).or_else(|| explain::proof(printed))
    }
}

/// What a tester said, beside its results.
struct Said {
    counts: Counts,
    /// Results that failed and do not count.
    forgiven: usize,
    /// The test that was under way at the end: ` during A.b`.
    during: String,
    incomplete: Vec<String>,
    bailed: Option<String>,
    skipped: Option<String>,
}

pub(super) fn machine(fault: MachineFault) -> Outcome {
    use cudacheck_model::outcome::Explained as _;
    Outcome::Fault(Box::new(Finding {
        class: Class::Machine,
        stage: None,
        expected: "the tester ends by itself".to_owned(),
        error: fault.to_string(),
        cause: fault.cause(),
        remedy: fault.remedy(),
        details: Vec::new(),
        problem: Problem::Machine(fault),
    }))
}

#[cfg(test)]
mod tests;
