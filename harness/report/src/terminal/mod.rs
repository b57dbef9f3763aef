//! Tells a person what a run does while it runs, and at its end what went wrong and what to do.
//!
//! One line for each thing that happened, with a right-aligned word that says what; blocks for everything that went
//! wrong at the end, where they are seen; the summary last. Colour repeats what the words say.

mod block;
mod machine;
mod sink;
mod skips;
mod summary;

use std::io::{Stderr, Write};

use cudacheck_model::event::{CaseFinished, Event, RunStarted, Timed};
use cudacheck_model::outcome::{Finding, Outcome, Problem, SkipReason};
use cudacheck_model::plan::PlannedSkip;
use cudacheck_model::task::TaskId;

use crate::{text, words};
use block::Blocks;
use sink::{Hue, Sink};

/// How to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// Whether words are coloured.
    pub colour: Colour,
    /// Whether a bar is drawn below the lines.
    pub progress: Progress,
    /// How much is told.
    pub verbosity: Verbosity,
    /// Columns of the terminal; sentences are wrapped to it, commands and paths are not.
    pub width: usize,
}

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Colour {
    /// No escape sequence is written.
    Never,
    /// The word of each line is coloured.
    Always,
}

/// Whether a bar is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Lines only.
    Off,
    /// A bar with the running cases; for terminals.
    Bar,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verbosity {
    /// What went wrong, and the summary.
    Quiet,
    /// Every case that was run, and skips by their reason.
    Normal,
    /// Every skip, every earlier attempt, all details, and what failed workers printed.
    Verbose,
}

/// Writes the events of one run.
#[derive(Debug)]
pub struct Terminal<W: Write = Stderr> {
    options: Options,
    sink: Sink<W>,
    run: Run,
    blocks: Blocks,
    skips: Vec<PlannedSkip>,
}

/// What has to be remembered of a run.
#[derive(Debug, Default)]
struct Run {
    /// The profile, if simulated.
    simulated: Option<String>,
    /// Where the run's files are, as a person would type it.
    directory: String,
    tasks: usize,
    finished: usize,
    devices: usize,
    /// The longest suite name so far, for the column.
    suite_width: usize,
}

impl<W: Write> Terminal<W> {
    /// Writes to stderr, where everything for people goes, or elsewhere. A bar is drawn on stderr in any case.
    pub fn new(options: Options, writer: W) -> Self {
        Self {
            options,
            sink: Sink::new(writer, options),
            run: Run::default(),
            blocks: Blocks::new(options),
            skips: Vec::new(),
        }
    }

    /// Names the run's directory where it is not `./cudacheck-runs/RUN`.
    #[must_use]
    pub fn with_run_directory(mut self, directory: impl Into<String>) -> Self {
        self.run.directory = directory.into();
        self
    }

    /// Tells an event.
    pub fn event(&mut self, event: &Timed) {
        if !matches!(event.event, Event::CaseSkipped(_)) {
            self.tell_skips();
        }
        match &event.event {
            Event::RunStarted(started) => self.started(started),
            Event::MachineProbed(facts) => {
                if self.normal() {
                    machine::tell(&mut self.sink, facts);
                }
                for fault in &facts.faults {
                    self.blocks.machine(fault, facts.simulated.as_deref());
                }
            }
            Event::Planned {
                tasks,
                skips,
                suites,
                devices,
            } => {
                self.run.tasks = *tasks;
                self.run.devices = *devices;
                if self.normal() {
                    self.sink.prose(
                        "Starting",
                        Hue::Good,
                        &starting(*tasks, *skips, *suites, *devices),
                    );
                }
                self.sink.begin(*tasks);
            }
            Event::CaseSkipped(skip) => {
                self.widen(&skip.id);
                self.skips.push(skip.clone());
            }
            Event::CaseStarted { id, attempt } => {
                self.widen(id);
                self.sink.running(self.plain_name(id));
                if *attempt > 1 && self.normal() {
                    let count = self.blank_count();
                    let name = self.name(id);
                    self.sink.row(
                        "RETRY",
                        Hue::Warning,
                        &format!("[  attempt {attempt}] {count} {name}"),
                    );
                }
            }
            Event::CaseSlow { id, elapsed_ms } => {
                if self.normal() {
                    let time = words::seconds(*elapsed_ms);
                    let row = format!("[>{time:>8}] {} {}", self.blank_count(), self.name(id));
                    self.sink.row("SLOW", Hue::Warning, &row);
                }
            }
            Event::CaseFinished(case) => self.finished(case),
            Event::DeviceAwaited { device, limit_ms } => {
                let line = format!(
                    "for device {device}, which another cudacheck uses; at most {} s",
                    limit_ms / 1000
                );
                self.sink.prose("Waiting", Hue::Warning, &line);
            }
            Event::DeviceWithdrawn { device, fault } => {
                let sentence = text::one_line(fault.to_string());
                let line = format!("device {device} is not used again in this run: {sentence}");
                self.sink.prose("Withdrawn", Hue::Bad, &line);
            }
            Event::Interrupted { signal } => {
                let line = format!(
                    "by {}; running cases are stopped, the rest is not run",
                    words::signal(*signal)
                );
                self.sink.prose("Interrupted", Hue::Bad, &line);
            }
            Event::RunFinished(summary) => {
                self.sink.end();
                self.blocks.tell(&mut self.sink, summary);
                let hue = if summary.exit_code() == 0 {
                    Hue::Good
                } else {
                    Hue::Bad
                };
                let time = words::run_time(summary.duration_ms);
                let line = summary::line(summary, self.run.simulated.as_deref());
                self.sink
                    .row("Summary", hue, &format!("[{time:>9}] {line}"));
            }
        }
    }

    fn normal(&self) -> bool {
        self.options.verbosity >= Verbosity::Normal
    }

    fn started(&mut self, started: &RunStarted) {
        self.run.simulated.clone_from(&started.simulated);
        if self.run.directory.is_empty() {
            self.run.directory = format!("./cudacheck-runs/{}", started.run_id);
        }
        if self.options.verbosity == Verbosity::Verbose {
            let line = format!(
                "{} · cudacheck {} · seed {}",
                started.run_id, started.version, started.seed
            );
            self.sink.prose("Run", Hue::Good, &text::one_line(line));
        }
        for fault in &started.injected {
            let line = format!(
                "{} · a fault on purpose, in a simulated driver",
                text::one_line(fault)
            );
            self.sink.prose("Injected", Hue::Warning, &line);
        }
    }

    fn finished(&mut self, case: &CaseFinished) {
        self.widen(&case.id);
        self.run.finished += 1;
        let mut name = self.name(&case.id);
        for (key, value) in &case.attempt.notes {
            // The two that tell one library from another; the rest is in the report.
            if key == "version" || key == "coverage" {
                name = format!("{name} · {}", text::one_line(value));
            }
        }
        self.sink.stopped(&self.plain_name(&case.id));
        let (word, hue) = verdict(case);
        let wrong = words::blame(&case.outcome).is_some();
        if wrong {
            self.blocks.case(case, &self.run);
        }
        if !wrong && !self.normal() {
            return;
        }
        let row = format!(
            "[{:>9}] {} {name}{}",
            words::seconds(case.attempt.duration_ms),
            self.count(),
            self.remark(case)
        );
        self.sink.row(&word, hue, &row);
        if self.options.verbosity == Verbosity::Verbose {
            for (index, attempt) in case.earlier.iter().enumerate() {
                if let Some(finding) = finding(&attempt.outcome) {
                    let error = text::one_line(&finding.error);
                    self.sink
                        .continued(&format!("attempt {}: {error}", index + 1));
                }
            }
        }
    }

    /// What a person must know of a case that has no block of its own.
    fn remark(&self, case: &CaseFinished) -> String {
        let why = match &case.outcome {
            Outcome::Skip(reason) => Some(reason.to_string()),
            Outcome::ExpectedFail { because, .. } => {
                Some(because.clone()).filter(|_| self.options.verbosity == Verbosity::Verbose)
            }
            Outcome::Pass
            | Outcome::Fail(_)
            | Outcome::Fault(_)
            | Outcome::UnexpectedPass { .. } => None,
        };
        let remarks = [
            words::parts(&case.attempt.parts),
            why,
            words::leaked(case.attempt.leaked),
        ];
        let remarks = remarks.into_iter().flatten();
        remarks
            .map(|remark| format!(" · {}", text::one_line(remark)))
            .collect()
    }

    fn tell_skips(&mut self) {
        let skips = std::mem::take(&mut self.skips);
        match self.options.verbosity {
            Verbosity::Quiet => {}
            Verbosity::Normal => {
                for line in skips::grouped(&skips, self.run.devices) {
                    self.sink.prose("SKIP", Hue::Warning, &line);
                }
            }
            Verbosity::Verbose => {
                for PlannedSkip { id, reason, .. } in &skips {
                    let line =
                        format!("{} · {}", self.name(id), text::one_line(reason.to_string()));
                    self.sink.prose("SKIP", Hue::Warning, &line);
                }
            }
        }
    }

    fn widen(&mut self, id: &TaskId) {
        self.run.suite_width = self.run.suite_width.max(id.suite.chars().count());
    }

    /// The name without the column, for the bar.
    fn plain_name(&self, id: &TaskId) -> String {
        let device =
            skips::device(id.device, self.run.devices).map(|device| format!(" · {device}"));
        text::one_line(format!(
            "{} {}{}",
            id.suite,
            id.title(),
            device.unwrap_or_default()
        ))
    }

    /// `kernels  warp-shuffle`, and the device where there are several.
    fn name(&self, id: &TaskId) -> String {
        let suite = text::one_line(&id.suite);
        let case = text::one_line(id.title());
        let device =
            skips::device(id.device, self.run.devices).map(|device| format!(" · {device}"));
        format!(
            "{suite:<width$}  {case}{}",
            device.unwrap_or_default(),
            width = self.run.suite_width
        )
    }

    fn count(&self) -> String {
        let width = self.run.tasks.to_string().len();
        format!("({:>width$}/{})", self.run.finished, self.run.tasks)
    }

    fn blank_count(&self) -> String {
        " ".repeat(self.run.tasks.to_string().len() * 2 + 3)
    }
}

fn starting(tasks: usize, skips: usize, suites: usize, devices: usize) -> String {
    let tasks = if tasks == 0 {
        "nothing to run".to_owned()
    } else {
        words::count(tasks, "case")
    };
    let skipped = if skips == 0 {
        String::new()
    } else {
        format!("; {skips} skipped")
    };
    format!(
        "{tasks} from {} on {}{skipped}",
        words::count(suites, "suite"),
        words::count(devices, "device")
    )
}

/// The word of a case's line.
fn verdict(case: &CaseFinished) -> (String, Hue) {
    let word = |finding: &Finding, otherwise: &str| match finding.problem {
        Problem::Signal(number) => words::signal(number),
        Problem::Timeout(_) => "TIMEOUT".to_owned(),
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
        | Problem::Machine(_) => otherwise.to_owned(),
    };
    match &case.outcome {
        Outcome::Pass if case.flaky() => ("FLAKY".to_owned(), Hue::Warning),
        Outcome::Pass => ("PASS".to_owned(), Hue::Good),
        Outcome::Fail(finding) => (word(finding, "FAIL"), Hue::Bad),
        Outcome::Fault(finding) => (word(finding, "FAULT"), Hue::Fault),
        Outcome::Skip(SkipReason::Interrupted) => ("STOPPED".to_owned(), Hue::Warning),
        Outcome::Skip(_) => ("SKIP".to_owned(), Hue::Warning),
        Outcome::ExpectedFail { .. } => ("XFAIL".to_owned(), Hue::Good),
        Outcome::UnexpectedPass { .. } => ("XPASS".to_owned(), Hue::Bad),
    }
}

/// The finding of an outcome that has one.
pub(crate) fn finding(outcome: &Outcome) -> Option<&Finding> {
    match outcome {
        Outcome::Fail(finding)
        | Outcome::Fault(finding)
        | Outcome::ExpectedFail { finding, .. } => Some(finding),
        Outcome::Pass | Outcome::Skip(_) | Outcome::UnexpectedPass { .. } => None,
    }
}
