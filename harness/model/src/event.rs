//! What a run tells its reporters: a closed list, in order, complete even when the run is interrupted.

use serde::{Deserialize, Serialize};

use crate::facts::MachineFacts;
use crate::journal::{MappedLibrary, Stage};
use crate::outcome::{MachineFault, Outcome};
use crate::plan::PlannedSkip;
use crate::task::TaskId;

/// The schema number of event lines.
pub const EVENT_SCHEMA: u32 = 1;

/// An event with its time; one line of `events.jsonl`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timed {
    /// [`EVENT_SCHEMA`].
    pub v: u32,
    /// RFC 3339, UTC, milliseconds.
    pub at: String,
    /// Milliseconds since the run started, by a monotonic clock.
    pub elapsed_ms: u64,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The first event.
    RunStarted(RunStarted),
    /// The machine has been probed.
    MachineProbed(Box<MachineFacts>),
    /// The plan is made; skips follow as [`Event::CaseSkipped`].
    Planned {
        /// Cases that will be run.
        tasks: usize,
        /// Cases that will not.
        skips: usize,
        /// Suites they come from.
        suites: usize,
        /// Devices they run on.
        devices: usize,
    },
    /// A case is not run.
    CaseSkipped(PlannedSkip),
    /// A worker starts.
    CaseStarted {
        /// Its name.
        id: TaskId,
        /// 1 for the first attempt.
        attempt: u32,
    },
    /// A worker takes longer than a fifth of its limit.
    CaseSlow {
        /// Its name.
        id: TaskId,
        /// How long so far, in milliseconds.
        elapsed_ms: u64,
    },
    /// A case has its final outcome.
    CaseFinished(Box<CaseFinished>),
    /// Another runner of this machine uses the device; its cases wait until it has ended.
    DeviceAwaited {
        /// Its ordinal.
        device: u32,
        /// How long they wait at most, in milliseconds.
        limit_ms: u64,
    },
    /// A device will not be used again in this run.
    DeviceWithdrawn {
        /// Its ordinal.
        device: u32,
        /// Why.
        fault: MachineFault,
    },
    /// A signal ends the run early.
    Interrupted {
        /// The signal's number.
        signal: i32,
    },
    /// The last event.
    RunFinished(Summary),
}

/// What is known before anything has run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RunStarted {
    /// Names the run and its directory.
    pub run_id: String,
    /// cudacheck's version.
    pub version: String,
    /// The command line, for reproduction.
    pub command: Vec<String>,
    /// The profile, if the GPU is simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// Faults that are injected on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub injected: Vec<String>,
    /// The seed of all inputs.
    pub seed: u64,
}

/// A case's final outcome, with all its attempts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaseFinished {
    /// Its name.
    pub id: TaskId,
    /// The suite's package, if it examines one.
    pub package: Option<String>,
    /// `sm_90`, and the product's name, for the failure block.
    pub device: Option<DeviceLabel>,
    /// The outcome of the last attempt.
    pub outcome: Outcome,
    /// The attempts before the last, in order. A pass after any of them is flaky.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Attempt>,
    /// The last attempt.
    pub attempt: Attempt,
    /// What to type to run this case again.
    pub rerun: Vec<String>,
    /// The case's directory, relative to the run's.
    pub log: String,
}

impl CaseFinished {
    /// Whether it passed only after a retry.
    pub fn flaky(&self) -> bool {
        self.outcome == Outcome::Pass && !self.earlier.is_empty()
    }
}

/// How a device is named in a failure block.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceLabel {
    /// Its ordinal.
    pub ordinal: u32,
    /// The product's name.
    pub name: String,
    /// `sm_90`.
    pub sm: String,
    /// `GPU-…`.
    pub uuid: Option<String>,
}

/// One attempt at a case.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// When it started, RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The stages with the time at which each was entered, in microseconds since the worker started.
    pub stages: Vec<(Stage, u64)>,
    /// Notes of the journal: seed, JIT time.
    pub notes: Vec<(String, String)>,
    /// The libraries that the process had mapped at its end, as far as they concern CUDA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mapped: Vec<MappedLibrary>,
    /// The results of a tester, each with the tester's own name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What the worker printed, head and tail, sanitised only by the reporters.
    pub output: Output,
    /// Whether processes were left behind and had to be killed.
    pub leaked: u32,
}

/// One result among those of a tester.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// The tester's own name for it, made unique.
    pub name: String,
    /// What the tester says of it.
    pub outcome: PartOutcome,
    /// How long it took, in milliseconds, where the tester says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// What it printed, or what explains the outcome; sanitised only by the reporters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// What a tester says of one result.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartOutcome {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail {
        /// What is wrong, in one line.
        message: String,
    },
    /// It was not run, or does not count.
    Skip {
        /// Why.
        because: String,
    },
}

/// What a worker printed to stdout and stderr.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Output {
    /// The first bytes, lossily as text.
    pub head: String,
    /// The last bytes, if anything lies between.
    pub tail: String,
    /// Bytes between head and tail that are only in the log, or lost beyond its limit.
    pub left_out: u64,
}

/// The run in numbers.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Passed, flaky included.
    pub passed: u32,
    /// Passed after a retry.
    pub flaky: u32,
    /// Failed: the package's fault.
    pub failed: u32,
    /// Faults of machine, GPU, driver, harness.
    pub faults: u32,
    /// Not run.
    pub skipped: u32,
    /// Failed as expected.
    pub expected_failures: u32,
    /// Passed although a failure was expected.
    pub unexpected_passes: u32,
    /// Of failed and faults: crashed by a signal.
    pub crashed: u32,
    /// Of failed and faults: stopped by the time limit.
    pub timed_out: u32,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// Whether a signal ended the run early.
    pub interrupted: Option<i32>,
    /// Whether a process could not be killed or a GPU was lost.
    pub needs_attention: bool,
    /// Whether the machine itself was found faulty before any case.
    pub machine_fault: bool,
}

impl Summary {
    /// The exit code for these numbers.
    ///
    /// 0 all passed; 1 a package failed; 3 a machine fault and no package failure; 4 both; 5 nothing ran;
    /// 6 the machine needs attention; 128 and more: interrupted by that signal. 2 is for usage and suites.
    pub fn exit_code(&self) -> u8 {
        if let Some(signal) = self.interrupted {
            return u8::try_from(128 + signal).unwrap_or(u8::MAX);
        }
        if self.needs_attention {
            return 6;
        }
        let package = self.failed + self.unexpected_passes > 0;
        let machine = self.faults > 0 || self.machine_fault;
        match (package, machine) {
            (true, true) => 4,
            (true, false) => 1,
            (false, true) => 3,
            (false, false) if self.passed + self.expected_failures == 0 => 5,
            (false, false) => 0,
        }
    }
}
