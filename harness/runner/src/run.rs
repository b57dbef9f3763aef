//! Runs a plan: one case at a time on each device, different devices side by side, and every event in order.

mod case;
mod coverage;
mod health;
mod lane;
mod misled;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use cudacheck_model::event::{EVENT_SCHEMA, Event, RunStarted, Summary, Timed};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::plan::{Plan, Planned};
use cudacheck_model::task::{DriverFiles, TaskId};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::clock;
use crate::config::Config;
use crate::device;
use crate::interrupt::{self, Interrupt, Signals};
use crate::plan::obstacle;
use tally::{Stake, Tally};

/// What all lanes share.
struct Shared {
    config: Config,
    facts: MachineFacts,
    driver: DriverFiles,
    /// One for each worker that may run at once.
    permits: Semaphore,
}

/// Does everything that is planned and tells `sink` all of it, from [`Event::RunStarted`] to
/// [`Event::RunFinished`], in order and complete even when a signal ends the run early.
///
/// Call it after [`crate::probe`] and [`crate::plan`]: from here on SIGHUP, SIGINT, SIGQUIT, and SIGTERM
/// no longer end the process, but the run. The first is passed on to the workers, which have the grace
/// period to end; another kills them at once.
pub async fn run(
    config: &Config,
    start: RunStarted,
    facts: MachineFacts,
    plan: Plan,
    sink: &mut dyn FnMut(&Timed),
) -> Summary {
    let begun = Instant::now();
    let mut tally = Tally::of(&facts, stake(&plan));
    let mut emit = |event: Event| {
        let event = Timed {
            v: EVENT_SCHEMA,
            at: clock::now(),
            elapsed_ms: clock::milliseconds(begun.elapsed()),
            event,
        };
        tally.count(&event.event);
        sink(&event);
    };
    emit(Event::RunStarted(start));
    emit(Event::MachineProbed(Box::new(facts.clone())));
    emit(planned(&plan));
    for skip in plan.skips {
        emit(Event::CaseSkipped(skip));
    }
    let shared = Arc::new(Shared {
        config: config.clone(),
        driver: device::driver_files(&facts, &config.run_dir),
        facts,
        permits: Semaphore::new(config.jobs.get()),
    });
    for failure in &plan.failures {
        emit(Event::CaseFinished(Box::new(case::refused(
            &shared, failure,
        ))));
    }
    // A runner that cannot hear signals still runs; they end it as they end any process.
    let mut signals = Signals::listen().ok();
    let (raise, interrupts) = watch::channel(Interrupt::None);
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut open: BTreeMap<TaskId, Planned> = BTreeMap::new();
    let mut lanes = JoinSet::new();
    for tasks in by_device(plan.tasks) {
        open.extend(tasks.iter().map(|task| (task.id.clone(), task.clone())));
        let lane = lane::drive(shared.clone(), tasks, interrupts.clone(), tell.clone());
        lanes.spawn(lane);
    }
    drop(tell);
    loop {
        tokio::select! {
            // What happened before a signal is told before it.
            biased;
            event = told.recv() => match event {
                Some(event) => {
                    close(&mut open, &event);
                    emit(event);
                }
                None => break,
            },
            signal = next(&mut signals) => {
                let first = *raise.borrow() == Interrupt::None;
                let state = interrupt::raise(&raise, signal);
                if let (true, Some(signal)) = (first, state.signal()) {
                    emit(Event::Interrupted { signal });
                }
            }
        }
    }
    while lanes.join_next().await.is_some() {}
    // Only a lane that panicked leaves cases open. They are told all the same.
    for task in open.into_values() {
        let message = "a mistake in cudacheck ended this case early".to_owned();
        emit(lane::broken(&shared, &task, message, None));
    }
    let summary = tally.summary(begun.elapsed());
    sink(&Timed {
        v: EVENT_SCHEMA,
        at: clock::now(),
        elapsed_ms: clock::milliseconds(begun.elapsed()),
        event: Event::RunFinished(summary.clone()),
    });
    summary
}

/// Tells of a run that a signal ended before there was a plan.
pub fn interrupted(start: RunStarted, signal: i32, sink: &mut dyn FnMut(&Timed)) -> Summary {
    let summary = Summary {
        interrupted: Some(signal),
        ..Summary::default()
    };
    let events = [
        Event::RunStarted(start),
        Event::Interrupted { signal },
        Event::RunFinished(summary.clone()),
    ];
    for event in events {
        sink(&Timed {
            v: EVENT_SCHEMA,
            at: clock::now(),
            elapsed_ms: 0,
            event,
        });
    }
    summary
}

/// What a faulty machine means for a plan: nothing, if all of it is about files.
fn stake(plan: &Plan) -> Stake {
    let mut tasks = planned_tasks(plan);
    let task = tasks.any(|task| task.case.check.needs_device());
    let skip = plan.skips.iter().any(|skip| {
        let about_files = match &skip.reason {
            SkipReason::NoPackage
            | SkipReason::NotInPackage { .. }
            | SkipReason::UnknownAbi { .. }
            | SkipReason::NoTester { .. } => true,
            // A library that is checked as far as it can be without a device: the skip says what was not.
            SkipReason::NoDevice { .. } => {
                planned_tasks(plan).any(|task| task.id.suite == skip.id.suite)
            }
            SkipReason::Capability { .. }
            | SkipReason::CapabilityBounds { .. }
            | SkipReason::PtxIsa { .. }
            | SkipReason::DriverVersion { .. }
            | SkipReason::CudaVersion { .. }
            | SkipReason::Attribute { .. }
            | SkipReason::Platform { .. }
            | SkipReason::Memory { .. }
            | SkipReason::Devices { .. }
            | SkipReason::UnknownFact { .. }
            | SkipReason::DeviceWithdrawn { .. }
            | SkipReason::Incompatible { .. }
            | SkipReason::NoFunction { .. }
            | SkipReason::Privilege { .. }
            | SkipReason::NotSupported { .. }
            | SkipReason::Tester { .. }
            | SkipReason::Interrupted => false,
        };
        !about_files
    });
    if task || skip {
        Stake::Devices
    } else {
        Stake::Files
    }
}

/// Everything that ends with an outcome, whether it has to be run for it or not.
fn planned_tasks(plan: &Plan) -> impl Iterator<Item = &Planned> {
    let failures = plan.failures.iter().map(|failure| &failure.task);
    failures.chain(&plan.tasks)
}

async fn next(signals: &mut Option<Signals>) -> i32 {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

fn planned(plan: &Plan) -> Event {
    let tasks = planned_tasks(plan).map(|task| &task.id);
    let skips = plan.skips.iter().map(|skip| &skip.id);
    let mut suites: Vec<_> = tasks.chain(skips).map(|id| &id.suite).collect();
    suites.sort();
    suites.dedup();
    let mut devices: Vec<_> = planned_tasks(plan)
        .filter_map(|task| task.id.device)
        .collect();
    devices.sort_unstable();
    devices.dedup();
    Event::Planned {
        tasks: planned_tasks(plan).count(),
        skips: plan.skips.len(),
        suites: suites.len(),
        devices: devices.len(),
    }
}

/// The tasks of each device, in the order of the plan.
fn by_device(tasks: Vec<Planned>) -> Vec<Vec<Planned>> {
    let mut lanes: BTreeMap<Option<usize>, Vec<Planned>> = BTreeMap::new();
    for task in tasks {
        lanes.entry(task.device).or_default().push(task);
    }
    lanes.into_values().collect()
}

fn close(open: &mut BTreeMap<TaskId, Planned>, event: &Event) {
    match event {
        Event::CaseFinished(finished) => {
            open.remove(&finished.id);
        }
        Event::CaseSkipped(skip) => {
            open.remove(&skip.id);
        }
        Event::RunStarted(_)
        | Event::MachineProbed(_)
        | Event::Planned { .. }
        | Event::CaseStarted { .. }
        | Event::CaseSlow { .. }
        | Event::DeviceAwaited { .. }
        | Event::DeviceWithdrawn { .. }
        | Event::Interrupted { .. }
        | Event::RunFinished(_) => {}
    }
}
