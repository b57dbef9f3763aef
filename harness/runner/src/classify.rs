//! Turns how a worker ended, and what its journal says, into an outcome.
//!
//! Pure: no clock, no file. Two principles decide. What was wrong before any of the package's code ran,
//! and what CUDA itself blames on the machine, is never the package's failure. And a pass needs both a
//! result in the journal and a clean end: a worker that dies while it releases the device has not passed.

mod codes;
mod expectation;
mod explain;
mod last_words;
mod library;
mod result;

use cudacheck_model::compat;
use cudacheck_model::facts::{Device, DriverFacts};
use cudacheck_model::journal::{CheckResult, Entry, Record, Stage};
use cudacheck_model::outcome::{Cause, Class, Finding, MachineFault, Outcome, Problem, SkipReason};

use crate::ending::{Ending, signal_name};

pub(crate) use expectation::{attention, expect};
pub(crate) use last_words::heed;

/// What a suite examines, and so whose fault a wrong result is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Examines {
    /// A package.
    Package,
    /// The machine: the suite names no package.
    Machine,
}

/// The facts by which causes are proven.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The device of the check.
    pub device: Option<&'a Device>,
    /// The driver.
    pub driver: &'a DriverFacts,
    /// What is known of the package that is examined.
    pub package: Option<&'a compat::Package>,
}

/// The outcome of one attempt.
pub fn classify(
    examines: Examines,
    ending: &Ending,
    entries: &[Entry],
    context: &Context<'_>,
) -> Outcome {
    let evidence = Evidence {
        examines,
        stage: last_stage(entries),
        entries,
        context,
    };
    let verdict = entries.iter().rev().find_map(|entry| match &entry.record {
        Record::Result(result) => Some(result),
        Record::Stage(_)
        | Record::Note { .. }
        | Record::JitLog { .. }
        | Record::Mapped(_)
        | Record::Facts(_)
        | Record::Oracle(_) => None,
    });
    if let Ending::Stuck(fault) = ending {
        return evidence.machine(fault, None);
    }
    let clean = *ending == Ending::Exited(0);
    match verdict {
        None => evidence.without_result(ending),
        Some(CheckResult::Pass) if clean => Outcome::Pass,
        Some(CheckResult::Pass) => evidence.spoiled(ending, "pass"),
        Some(CheckResult::Skip { reason }) if clean => Outcome::Skip(reason.clone()),
        Some(CheckResult::Skip { .. }) => evidence.spoiled(ending, "skip"),
        // Whatever else happened, what the worker had found out by then is the better story.
        Some(
            result @ (CheckResult::Mismatch { .. }
            | CheckResult::Flaws(_)
            | CheckResult::Cuda { .. }
            | CheckResult::Unloadable { .. }
            | CheckResult::Library { .. }
            | CheckResult::Skew { .. }
            | CheckResult::Strangers(_)
            | CheckResult::Machine(_)),
        ) => evidence.judge(result, ending),
    }
}

fn last_stage(entries: &[Entry]) -> Option<Stage> {
    entries.iter().rev().find_map(|entry| match entry.record {
        Record::Stage(stage) => Some(stage),
        Record::Note { .. }
        | Record::JitLog { .. }
        | Record::Mapped(_)
        | Record::Result(_)
        | Record::Facts(_)
        | Record::Oracle(_) => None,
    })
}

/// Everything that a verdict rests on.
struct Evidence<'a> {
    examines: Examines,
    stage: Option<Stage>,
    entries: &'a [Entry],
    context: &'a Context<'a>,
}

/// Whose fault something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Culprit {
    Package,
    Machine,
}

impl Evidence<'_> {
    /// Who is to blame for what the code did: nobody's package before its code has run.
    fn culprit(&self) -> Culprit {
        match (self.examines, self.stage) {
            (Examines::Machine, _)
            | (
                Examines::Package,
                None
                | Some(
                    Stage::Start
                    | Stage::Search
                    | Stage::LoadLibrary
                    | Stage::Initialize
                    | Stage::Device
                    | Stage::Nvml
                    | Stage::Context,
                ),
            ) => Culprit::Machine,
            (
                Examines::Package,
                Some(
                    Stage::OpenPackage
                    | Stage::OpenParts
                    | Stage::Versions
                    | Stage::FirstCall
                    | Stage::Compute
                    | Stage::Provenance
                    | Stage::Module
                    | Stage::Allocate
                    | Stage::Launch
                    | Stage::Synchronize
                    | Stage::CopyBack
                    | Stage::Compare
                    | Stage::Release,
                ),
            ) => Culprit::Package,
        }
    }

    fn finding(&self, problem: Problem, expected: String, error: String) -> Finding {
        Finding {
            problem,
            class: Class::Execution,
            stage: self.stage,
            expected,
            error,
            cause: Cause::Unknown,
            remedy: String::new(),
            details: Vec::new(),
        }
    }

    /// A worker that ended without a result.
    fn without_result(&self, ending: &Ending) -> Outcome {
        match ending {
            Ending::Exited(0) => {
                let mut finding = self.finding(
                    Problem::NoResult,
                    "the worker writes a result before it ends".to_owned(),
                    "the worker ended well, but its journal holds no result".to_owned(),
                );
                explain::no_result(&mut finding);
                decide(Culprit::Machine, finding)
            }
            Ending::Exited(_)
            | Ending::Signaled(_)
            | Ending::TimedOut { .. }
            | Ending::Interrupted(_)
            | Ending::Stuck(_)
            | Ending::NotStarted { .. }
            | Ending::Lost { .. } => self.ended_badly(ending),
        }
    }

    /// A worker whose good result is worth nothing, because it did not end well.
    fn spoiled(&self, ending: &Ending, result: &str) -> Outcome {
        let mut outcome = self.ended_badly(ending);
        if let Outcome::Fail(finding) | Outcome::Fault(finding) = &mut outcome {
            let note = format!("the journal says `{result}`, but only a clean end confirms it");
            finding.details.push(note);
        }
        outcome
    }

    fn ended_badly(&self, ending: &Ending) -> Outcome {
        let ends = "the worker ends by itself and with a result";
        match ending {
            Ending::Interrupted(_) => Outcome::Skip(SkipReason::Interrupted),
            Ending::Stuck(fault) => self.machine(fault, None),
            Ending::NotStarted { reason } => self.harness(
                format!("the worker could not be started: {reason}"),
                explain::NOT_STARTED,
            ),
            Ending::Lost { reason } => {
                self.harness(format!("the worker was lost: {reason}"), explain::LOST)
            }
            Ending::TimedOut { limit } => {
                let seconds = limit.as_secs();
                let mut finding = self.finding(
                    Problem::Timeout(seconds),
                    explain::in_time(self.stage, seconds),
                    format!(
                        "it was stopped after {seconds} s {}",
                        explain::place(self.stage)
                    ),
                );
                explain::timeout(&mut finding);
                decide(self.culprit(), finding)
            }
            Ending::Signaled(signal) => {
                let mut finding = self.finding(
                    Problem::Signal(*signal),
                    ends.to_owned(),
                    format!(
                        "it was ended by {} ({signal}) {}",
                        signal_name(*signal),
                        explain::place(self.stage)
                    ),
                );
                explain::signal(&mut finding, *signal);
                let culprit = if explain::from_outside(*signal) {
                    Culprit::Machine
                } else {
                    self.culprit()
                };
                decide(culprit, finding)
            }
            Ending::Exited(code) => {
                let mut finding = self.finding(
                    Problem::ExitCode(*code),
                    ends.to_owned(),
                    format!("it ended with code {code} {}", explain::place(self.stage)),
                );
                explain::exit_code(&mut finding, *code);
                finding.details.extend(self.panic());
                // 101 is a panic of the worker, 1 its own refusal: neither is the package's code.
                let culprit = match code {
                    1 | 101 => Culprit::Machine,
                    _ => self.culprit(),
                };
                decide(culprit, finding)
            }
        }
    }

    /// The words of the worker's panic, if it had one.
    fn panic(&self) -> Option<String> {
        let records = self.entries.iter().rev().map(|entry| &entry.record);
        records
            .filter_map(|record| match record {
                Record::Note { key, value } if key == "panic" => Some(value.clone()),
                Record::Note { .. }
                | Record::Stage(_)
                | Record::JitLog { .. }
                | Record::Mapped(_)
                | Record::Result(_)
                | Record::Facts(_)
                | Record::Oracle(_) => None,
            })
            .next()
    }

    fn harness(&self, message: String, remedy: &str) -> Outcome {
        self.machine(&MachineFault::Harness { message }, Some(remedy))
    }
}

/// A fault of the machine is of the class machine, whatever it looked like.
fn decide(culprit: Culprit, mut finding: Finding) -> Outcome {
    match culprit {
        Culprit::Package => Outcome::Fail(Box::new(finding)),
        Culprit::Machine => {
            finding.class = Class::Machine;
            Outcome::Fault(Box::new(finding))
        }
    }
}

#[cfg(test)]
mod tests;
