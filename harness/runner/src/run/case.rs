//! One case on one device: its attempts, and what came of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::cuda;
use cudacheck_model::event::{Attempt, CaseFinished, Event, Output};
use cudacheck_model::facts::Device;
use cudacheck_model::journal::Record;
use cudacheck_model::library::Subject;
use cudacheck_model::outcome::{MachineFault, Outcome, Problem};
use cudacheck_model::plan::{Planned, PlannedFailure};
use cudacheck_model::suite::{Check, Coverage, LibraryStage, TesterCheck};
use cudacheck_model::task::{CheckWork, Work};
use tokio::sync::{mpsc, watch};

use super::{Shared, coverage, health, misled};
use crate::classify::{Context, Examines, attention, classify, expect, heed};
use crate::clock;
use crate::device;
use crate::interrupt::Interrupt;
use crate::tester;
use crate::worker::{Done, Job, work};

/// The shortest time after which a case counts as slow.
const SLOW: Duration = Duration::from_secs(5);

/// Runs a case to its final outcome. The fault beside it takes the device out of service.
pub(super) async fn run(
    shared: &Shared,
    task: &Planned,
    interrupts: &mut watch::Receiver<Interrupt>,
    events: &mpsc::UnboundedSender<Event>,
) -> (CaseFinished, Option<MachineFault>) {
    let retries = shared.config.limits(&task.limits).retries;
    let mut earlier = Vec::new();
    for number in 1.. {
        let id = task.id.clone();
        let started = Event::CaseStarted {
            id,
            attempt: number,
        };
        events.send(started).unwrap_or_default();
        let attempt = match &task.case.check {
            Check::Library(check) if check.stage == LibraryStage::Coverage => {
                let least = check.least.unwrap_or(Coverage::Jit);
                coverage::attempt(shared, task, number, least, interrupts, events).await
            }
            Check::Tester(check) => tested(shared, task, check, number, interrupts, events).await,
            Check::Library(_) | Check::Kernel(_) | Check::Linkage(_) => {
                let way = Way::default();
                attempt(shared, task, number, &way, interrupts, events).await
            }
        };
        let interrupted = *interrupts.borrow() != Interrupt::None;
        if number <= retries && !interrupted && worth_another(&attempt.outcome) {
            earlier.push(attempt);
            continue;
        }
        return finish(shared, task, earlier, attempt);
    }
    unreachable!("the number of retries has an end")
}

fn finish(
    shared: &Shared,
    task: &Planned,
    earlier: Vec<Attempt>,
    mut attempt: Attempt,
) -> (CaseFinished, Option<MachineFault>) {
    let withdraw = match &attempt.outcome {
        Outcome::Fault(finding) => attention(finding, shared.device(task)),
        Outcome::Pass
        | Outcome::Fail(_)
        | Outcome::Skip(_)
        | Outcome::ExpectedFail { .. }
        | Outcome::UnexpectedPass { .. } => None,
    };
    attempt.outcome = expect(
        attempt.outcome,
        examines(task),
        task.case.expected_failure.as_ref(),
        shared.device(task),
    );
    let finished = CaseFinished {
        outcome: attempt.outcome.clone(),
        earlier,
        attempt,
        ..described(shared, task)
    };
    (finished, withdraw)
}

/// A case that fails by its plan: no worker was started, and its directory holds nothing but the finding.
pub(super) fn refused(shared: &Shared, planned: &PlannedFailure) -> CaseFinished {
    let task = &planned.task;
    let directory = shared.config.run_dir.join(task.id.to_string());
    if let Ok(text) = serde_json::to_string_pretty(&planned.finding) {
        // A convenience beside the events, which hold the same.
        let made = fs::create_dir_all(&directory);
        let _ = made.and_then(|()| fs::write(directory.join("finding.json"), text + "\n"));
    }
    let attempt = Attempt {
        outcome: Outcome::Fail(Box::new(planned.finding.clone())),
        started: clock::now(),
        ..described(shared, task).attempt
    };
    finish(shared, task, Vec::new(), attempt).0
}

/// What is known of a case before it has run.
pub(super) fn described(shared: &Shared, task: &Planned) -> CaseFinished {
    CaseFinished {
        id: task.id.clone(),
        package: task.package.clone(),
        device: shared.device(task).map(device::label),
        outcome: Outcome::Pass,
        earlier: Vec::new(),
        attempt: Attempt {
            outcome: Outcome::Pass,
            started: String::new(),
            duration_ms: 0,
            stages: Vec::new(),
            notes: Vec::new(),
            mapped: Vec::new(),
            parts: Vec::new(),
            output: Output::default(),
            leaked: 0,
        },
        rerun: rerun(shared, task),
        log: task.id.to_string(),
    }
}

fn rerun(shared: &Shared, task: &Planned) -> Vec<String> {
    let mut words = shared.config.rerun_prefix.clone();
    let suite = shared.config.suite_words.get(&task.id.suite);
    words.extend([
        suite.unwrap_or(&task.id.suite).clone(),
        "--case".to_owned(),
        task.id.case.clone(),
    ]);
    if let Some(device) = task.id.device {
        words.extend(["--device".to_owned(), device.to_string()]);
    }
    words.extend(["--seed".to_owned(), shared.config.seed.to_string()]);
    words
}

fn examines(task: &Planned) -> Examines {
    match task.package {
        Some(_) => Examines::Package,
        None => Examines::Machine,
    }
}

/// How an attempt differs from others of the same case.
#[derive(Default)]
pub(super) struct Way {
    /// The directory below the attempt's; none for the attempt's own.
    pub(super) name: Option<&'static str>,
    /// Variables over all others.
    pub(super) environment: Vec<(String, String)>,
}

pub(super) async fn attempt(
    shared: &Shared,
    task: &Planned,
    number: u32,
    way: &Way,
    interrupts: &mut watch::Receiver<Interrupt>,
    events: &mpsc::UnboundedSender<Event>,
) -> Attempt {
    let started = clock::now();
    let job = job(shared, task, number, way);
    let mut slow = |elapsed| {
        let event = Event::CaseSlow {
            id: task.id.clone(),
            elapsed_ms: clock::milliseconds(elapsed),
        };
        events.send(event).unwrap_or_default();
    };
    let Done {
        supervised,
        entries,
    } = work(&shared.config, &job, interrupts, &mut slow).await;
    let context = Context {
        device: shared.device(task),
        driver: &shared.facts.driver,
        package: shared.config.examined.get(&task.id.suite),
    };
    let mut outcome = classify(examines(task), &supervised.ending, &entries, &context);
    heed(&mut outcome, &supervised.output);
    let variables = shared.config.environment.iter().chain(&job.environment);
    let path = misled::search_path(variables);
    misled::explain(&mut outcome, task.subject.as_ref(), path);
    let directory = job.directory.join("health");
    let outcome = health::revise(shared, context.device, outcome, directory, interrupts).await;
    let mut stages = Vec::new();
    let mut notes = Vec::new();
    let mut mapped = Vec::new();
    for entry in entries {
        match entry.record {
            Record::Stage(stage) => stages.push((stage, entry.at_us)),
            Record::Note { key, value } => notes.push((key, value)),
            Record::Mapped(libraries) => mapped = libraries,
            Record::JitLog { .. } | Record::Result(_) | Record::Facts(_) | Record::Oracle(_) => {}
        }
    }
    Attempt {
        outcome,
        started,
        duration_ms: clock::milliseconds(supervised.duration),
        stages,
        notes,
        mapped,
        parts: Vec::new(),
        output: supervised.output,
        leaked: supervised.leaked,
    }
}

/// An attempt of a package's own tester, which takes the place of a worker.
async fn tested(
    shared: &Shared,
    task: &Planned,
    check: &TesterCheck,
    number: u32,
    interrupts: &mut watch::Receiver<Interrupt>,
    events: &mpsc::UnboundedSender<Event>,
) -> Attempt {
    let started = clock::now();
    let limits = shared.config.limits(&task.limits);
    let job = tester::Job {
        check,
        suite: &task.id.suite,
        examines: examines(task),
        must_run: task.must_run,
        directory: directory(task, number),
        driver: &shared.driver,
        simulated: shared.facts.simulated.is_some(),
        environment: shown(shared, task),
        limit: limits.time,
        slow: (limits.time / 5).max(SLOW),
    };
    let mut slow = |elapsed| {
        let event = Event::CaseSlow {
            id: task.id.clone(),
            elapsed_ms: clock::milliseconds(elapsed),
        };
        events.send(event).unwrap_or_default();
    };
    let done = tester::run(&shared.config, &job, interrupts, &mut slow).await;
    let directory = job.directory.join("health");
    let device = shared.device(task);
    let outcome = health::revise(shared, device, done.outcome, directory, interrupts).await;
    Attempt {
        outcome,
        started,
        duration_ms: clock::milliseconds(done.duration),
        stages: Vec::new(),
        notes: done.notes,
        mapped: Vec::new(),
        parts: done.parts,
        output: done.output,
        leaked: done.leaked,
    }
}

/// Where an attempt lives below the run's directory.
fn directory(task: &Planned, number: u32) -> PathBuf {
    let directory = PathBuf::from(task.id.to_string());
    match number {
        1 => directory,
        _ => directory.join(format!("attempt-{number}")),
    }
}

impl Shared {
    /// The variable that hides all devices but one.
    pub(super) fn only(&self, device: &Device) -> (String, String) {
        let known = self.config.environment.iter();
        let restriction = known
            .filter(|(name, _)| name == "CUDA_VISIBLE_DEVICES")
            .map(|(_, value)| value.as_str())
            .next_back();
        let visible = device::visible(device, restriction);
        ("CUDA_VISIBLE_DEVICES".to_owned(), visible)
    }
}

/// The variables that show a case its device, and those that it is to see besides.
fn shown(shared: &Shared, task: &Planned) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    let beside = task.beside.iter();
    let beside = beside.filter_map(|index| shared.facts.devices.get(*index));
    let visible: Vec<String> = shared
        .device(task)
        .into_iter()
        .chain(beside)
        .map(|device| shared.only(device).1)
        .collect();
    if !visible.is_empty() {
        variables.push(("CUDA_VISIBLE_DEVICES".to_owned(), visible.join(",")));
    }
    if shared.facts.simulated.is_some() {
        let case = task.id.case.clone();
        variables.push(("CUDACHECK_SIMULATE_CASE".to_owned(), case));
    }
    variables
}

fn job(shared: &Shared, task: &Planned, number: u32, way: &Way) -> Job {
    let config = &shared.config;
    let limits = config.limits(&task.limits);
    let mut environment = Vec::new();
    if let Check::Library(check) = &task.case.check {
        let wrapped = check.environment.iter();
        environment.extend(wrapped.map(|(name, value)| (name.clone(), value.clone())));
    }
    environment.extend(shown(shared, task));
    environment.extend(way.environment.iter().cloned());
    let directory = directory(task, number);
    Job {
        id: task.id.to_string(),
        directory: way
            .name
            .map_or_else(|| directory.clone(), |name| directory.join(name)),
        shows_driver: task.subject.is_none() || shows_driver(shared, task.subject.as_ref()),
        work: Work::Check(Box::new(CheckWork {
            check: task.case.check.clone(),
            seed: config.seed,
            memory_budget: limits.memory,
            package: config.package.clone(),
            facts: config.package_facts.clone(),
            subject: task.subject.clone(),
        })),
        driver: shared.driver.clone(),
        environment,
        limit: limits.time,
        slow: (limits.time / 5).max(SLOW),
    }
}

/// Whether a library of a package is shown the driver instead of finding it by itself: where the driver is not a
/// host's, and where a package of Nix looks for it at a place that this host does not have.
fn shows_driver(shared: &Shared, subject: Option<&Subject>) -> bool {
    let of_nix = subject.is_some_and(|subject| subject.path.starts_with("/nix/store"));
    shared.facts.simulated.is_some() || of_nix && !Path::new("/run/opengl-driver/lib").exists()
}

/// Whether a fault may be gone next time. A wrong value is evidence, and never tried away; a failure of
/// the package is none of the machine's moods.
fn worth_another(outcome: &Outcome) -> bool {
    let Outcome::Fault(finding) = outcome else {
        return false;
    };
    let transient = |code| cuda::find(code).is_some_and(|error| error.transient);
    match &finding.problem {
        Problem::CudaError(code) | Problem::Machine(MachineFault::Cuda { code, .. }) => {
            transient(*code)
        }
        Problem::Timeout(_) | Problem::Signal(_) | Problem::ExitCode(_) | Problem::NoResult => true,
        Problem::Machine(MachineFault::Harness { .. }) => true,
        Problem::Machine(
            MachineFault::DriverNotFound { .. }
            | MachineFault::LibraryUnusable { .. }
            | MachineFault::StubLibrary { .. }
            | MachineFault::DriverMismatch { .. }
            | MachineFault::ModuleNotLoaded
            | MachineFault::NoDevice
            | MachineFault::Nvml { .. }
            | MachineFault::DeviceLost { .. }
            | MachineFault::DeviceUnfit { .. }
            | MachineFault::ProbeTimedOut { .. }
            | MachineFault::ProbeDied { .. }
            | MachineFault::Unkillable { .. },
        )
        | Problem::WrongResult
        | Problem::ReducedPrecision
        | Problem::NeverWritten
        | Problem::StrayWrite
        | Problem::InputChanged
        | Problem::NotRepeatable
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
        | Problem::MemoryLimit => false,
    }
}
