//! All cases of one device, one after the other, until they are done, the device is withdrawn, or the run
//! is interrupted.

use std::sync::Arc;

use cudacheck_model::event::{Attempt, CaseFinished, Event, Output};
use cudacheck_model::facts::Device;
use cudacheck_model::outcome::{
    Class, Explained, Finding, MachineFault, Outcome, Problem, SkipReason,
};
use cudacheck_model::plan::{Planned, PlannedSkip};
use tokio::sync::{mpsc, watch};

use super::{Shared, case};
use crate::clock;
use crate::interrupt::Interrupt;
use crate::lock;

/// Runs a device's cases and tells of each.
pub(super) async fn drive(
    shared: Arc<Shared>,
    tasks: Vec<Planned>,
    mut interrupts: watch::Receiver<Interrupt>,
    events: mpsc::UnboundedSender<Event>,
) {
    // Who no longer listens has lost interest in the run.
    let tell = |event| events.send(event).unwrap_or_default();
    let device = tasks.first().and_then(|task| shared.device(task));
    let lock = match device {
        // No other process can see a simulated device.
        Some(device) if shared.facts.simulated.is_none() => {
            let config = &shared.config;
            let waits = || {
                tell(Event::DeviceAwaited {
                    device: device.ordinal,
                    limit_ms: clock::milliseconds(config.lock_wait),
                });
            };
            lock::acquire(
                &config.lock_dir,
                device,
                config.lock_wait,
                &interrupts,
                waits,
            )
            .await
            .map(Some)
        }
        Some(_) | None => Ok(None),
    };
    let mut withdrawn: Option<MachineFault> = None;
    for task in &tasks {
        // The permit is held while the case runs; the other lanes give theirs back within their limits.
        let permit = shared.permits.acquire().await;
        if *interrupts.borrow() != Interrupt::None {
            tell(skip(task, SkipReason::Interrupted));
            continue;
        }
        if let Err(refusal) = &lock {
            let remedy = "wait until it has ended, or choose another device with --device";
            tell(broken(&shared, task, refusal.clone(), Some(remedy)));
            continue;
        }
        if let Some(fault) = &withdrawn {
            let reason = SkipReason::DeviceWithdrawn {
                device: task.id.device.unwrap_or_default(),
                because: fault.to_string(),
            };
            tell(skip(task, reason));
            continue;
        }
        let (finished, attention) = case::run(&shared, task, &mut interrupts, &events).await;
        drop(permit);
        tell(Event::CaseFinished(Box::new(finished)));
        if let Some(fault) = attention {
            tell(Event::DeviceWithdrawn {
                device: task.id.device.unwrap_or_default(),
                fault: fault.clone(),
            });
            withdrawn = Some(fault);
        }
    }
}

impl Shared {
    pub(super) fn device(&self, task: &Planned) -> Option<&Device> {
        self.facts.devices.get(task.device?)
    }
}

fn skip(task: &Planned, reason: SkipReason) -> Event {
    Event::CaseSkipped(PlannedSkip {
        id: task.id.clone(),
        package: task.package.clone(),
        reason,
    })
}

/// A case that never came to a worker, through the harness's own fault.
pub(super) fn broken(
    shared: &Shared,
    task: &Planned,
    message: String,
    remedy: Option<&str>,
) -> Event {
    let fault = MachineFault::Harness { message };
    let outcome = Outcome::Fault(Box::new(Finding {
        class: Class::Machine,
        stage: None,
        expected: "the case can be run".to_owned(),
        error: fault.to_string(),
        cause: fault.cause(),
        remedy: remedy.map_or_else(|| fault.remedy(), ToOwned::to_owned),
        details: Vec::new(),
        problem: Problem::Machine(fault),
    }));
    let attempt = Attempt {
        outcome: outcome.clone(),
        started: clock::now(),
        duration_ms: 0,
        stages: Vec::new(),
        notes: Vec::new(),
        mapped: Vec::new(),
        parts: Vec::new(),
        output: Output::default(),
        leaked: 0,
    };
    Event::CaseFinished(Box::new(CaseFinished {
        outcome,
        earlier: Vec::new(),
        attempt,
        ..case::described(shared, task)
    }))
}
