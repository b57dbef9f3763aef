//! Counts a run's events into its summary.

use std::time::Duration;

use cudacheck_model::event::{CaseFinished, Event, Summary};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::outcome::{Finding, MachineFault, Outcome, Problem};

use super::{clock, obstacle};

/// What a plan needs of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stake {
    /// Its driver and its devices.
    Devices,
    /// Its files only.
    Files,
}

/// The counts so far.
pub(super) struct Tally {
    summary: Summary,
}

impl Tally {
    /// A machine can be faulty before any case has run.
    pub(super) fn of(facts: &MachineFacts, stake: Stake) -> Self {
        if stake == Stake::Files {
            return Self {
                summary: Summary::default(),
            };
        }
        Self {
            summary: Summary {
                machine_fault: obstacle(facts).is_some() || !facts.faults.is_empty(),
                needs_attention: facts.faults.iter().any(MachineFault::needs_attention),
                ..Summary::default()
            },
        }
    }

    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::CaseSkipped(_) => self.summary.skipped += 1,
            Event::CaseFinished(finished) => self.finished(finished),
            Event::DeviceWithdrawn { .. } => self.summary.needs_attention = true,
            Event::Interrupted { signal } => self.summary.interrupted = Some(*signal),
            Event::RunStarted(_)
            | Event::MachineProbed(_)
            | Event::Planned { .. }
            | Event::CaseStarted { .. }
            | Event::CaseSlow { .. }
            | Event::DeviceAwaited { .. }
            | Event::RunFinished(_) => {}
        }
    }

    fn finished(&mut self, finished: &CaseFinished) {
        let summary = &mut self.summary;
        match &finished.outcome {
            Outcome::Pass => {
                summary.passed += 1;
                summary.flaky += u32::from(finished.flaky());
            }
            Outcome::Fail(finding) => {
                summary.failed += 1;
                self.manner(finding);
            }
            Outcome::Fault(finding) => {
                summary.faults += 1;
                self.manner(finding);
            }
            Outcome::Skip(_) => summary.skipped += 1,
            Outcome::ExpectedFail { .. } => summary.expected_failures += 1,
            Outcome::UnexpectedPass { .. } => summary.unexpected_passes += 1,
        }
    }

    fn manner(&mut self, finding: &Finding) {
        match finding.problem {
            Problem::Signal(_) => self.summary.crashed += 1,
            Problem::Timeout(_) => self.summary.timed_out += 1,
            Problem::WrongResult
            | Problem::ReducedPrecision
            | Problem::NeverWritten
            | Problem::StrayWrite
            | Problem::InputChanged
            | Problem::NotRepeatable
            | Problem::CudaError(_)
            | Problem::ExitCode(_)
            | Problem::MemoryLimit
            | Problem::NoResult
            | Problem::Flaw(_)
            | Problem::Unloadable
            | Problem::LibraryError(..)
            | Problem::VersionSkew
            | Problem::ForeignLibrary
            | Problem::Uncovered
            | Problem::ResultsFailed { .. }
            | Problem::ResultsIncomplete
            | Problem::NothingTested
            | Problem::NotStarted
            | Problem::Incompatible(_)
            | Problem::Machine(_) => {}
        }
    }

    pub(super) fn summary(mut self, duration: Duration) -> Summary {
        self.summary.duration_ms = clock::milliseconds(duration);
        self.summary
    }
}
