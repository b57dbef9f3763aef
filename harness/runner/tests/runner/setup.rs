//! A small machine, a plan of misbehaving cases, and what became of them.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::event::{CaseFinished, Event, RunStarted, Summary, Timed};
use cudacheck_model::facts::{Device, MachineFacts};
use cudacheck_model::outcome::Outcome;
use cudacheck_model::plan::{Plan, Planned};
use cudacheck_model::suite::{Case, Check, KernelCheck, Limits};
use cudacheck_model::task::TaskId;
use cudacheck_model::version::ComputeCapability;
use cudacheck_runner::Config;
use tempfile::TempDir;

/// A directory for one run.
pub(crate) struct Setup {
    /// Removed at the end.
    pub(crate) directory: TempDir,
    /// To be changed before the run.
    pub(crate) config: Config,
    /// The devices, one unless a test adds some.
    pub(crate) facts: MachineFacts,
}

/// What a run told.
pub(crate) struct Told {
    /// All events.
    pub(crate) events: Vec<Timed>,
    /// The last of them.
    pub(crate) summary: Summary,
}

impl Setup {
    /// With short waits and generous limits.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let executable = PathBuf::from(env!("CARGO_BIN_EXE_cudacheck-fake-worker"));
        let mut config = Config::new(executable, directory.path().to_owned());
        config.grace = Duration::from_millis(300);
        config.kill_wait = Duration::from_secs(10);
        config.lock_wait = Duration::from_millis(300);
        config.seed = 7;
        config.jobs = NonZeroUsize::new(4).unwrap();
        let facts = MachineFacts {
            devices: vec![device(0)],
            ..MachineFacts::default()
        };
        Self {
            directory,
            config,
            facts,
        }
    }

    /// The directory of a case.
    pub(crate) fn case(&self, id: &str) -> PathBuf {
        self.directory.path().join(id)
    }

    /// Runs these cases.
    pub(crate) fn run(&self, tasks: Vec<Planned>) -> Told {
        self.run_with(tasks, &mut |_| {})
    }

    /// Runs these cases and shows each event as it happens.
    pub(crate) fn run_with(&self, tasks: Vec<Planned>, seen: &mut dyn FnMut(&Timed)) -> Told {
        let plan = Plan {
            tasks,
            ..Plan::default()
        };
        let start = RunStarted {
            run_id: "r".to_owned(),
            version: "0".to_owned(),
            command: Vec::new(),
            simulated: None,
            injected: Vec::new(),
            seed: 7,
        };
        let mut events = Vec::new();
        let mut sink = |event: &Timed| {
            seen(event);
            events.push(event.clone());
        };
        let facts = self.facts.clone();
        let running = cudacheck_runner::run(&self.config, start, facts, plan, &mut sink);
        let summary = runtime().block_on(running);
        Told { events, summary }
    }
}

/// As the command line makes it.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A device.
pub(crate) fn device(ordinal: u32) -> Device {
    Device {
        ordinal,
        name: "Stand-in".to_owned(),
        uuid: Some(format!("GPU-{ordinal}")),
        compute_capability: ComputeCapability::new(9, 0),
        memory_bytes: 1 << 30,
        multiprocessors: 1,
        pci: None,
        integrated: false,
        ecc: None,
        ecc_uncorrected: None,
        mig: None,
        compute_mode: None,
        attributes: [].into(),
    }
}

/// A case that examines a package, and behaves as its name says.
pub(crate) fn task(name: &str) -> Planned {
    Planned {
        must_run: false,
        beside: Vec::new(),
        subject: None,
        id: TaskId {
            subject: None,
            suite: "s".to_owned(),
            case: name.to_owned(),
            device: Some(0),
        },
        case: Case {
            name: name.to_owned(),
            check: Check::Kernel(KernelCheck {
                name: name.to_owned(),
                seed: None,
            }),
            requires: None,
            limits: None,
            expected_failure: None,
        },
        package: Some("saxpy".to_owned()),
        limits: Limits::default(),
        device: Some(0),
    }
}

impl Told {
    /// The events that end cases, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let ends = self.events.iter().filter_map(|timed| match &timed.event {
            Event::CaseFinished(finished) => Some(line(finished)),
            Event::CaseSkipped(skip) => {
                Some(format!("{} skip {}", skip.id.case, skip.reason.word()))
            }
            Event::DeviceWithdrawn { device, fault } => {
                Some(format!("device {device} withdrawn: {}", fault.word()))
            }
            Event::DeviceAwaited { device, .. } => Some(format!("device {device} awaited")),
            Event::Interrupted { signal } => Some(format!("interrupted by {signal}")),
            Event::RunStarted(_)
            | Event::MachineProbed(_)
            | Event::Planned { .. }
            | Event::CaseStarted { .. }
            | Event::CaseSlow { .. }
            | Event::RunFinished(_) => None,
        });
        ends.collect()
    }

    /// The only case.
    pub(crate) fn only(&self) -> &CaseFinished {
        let mut finished = self.events.iter().filter_map(|timed| match &timed.event {
            Event::CaseFinished(finished) => Some(finished.as_ref()),
            Event::CaseSkipped(_)
            | Event::DeviceAwaited { .. }
            | Event::DeviceWithdrawn { .. }
            | Event::Interrupted { .. }
            | Event::RunStarted(_)
            | Event::MachineProbed(_)
            | Event::Planned { .. }
            | Event::CaseStarted { .. }
            | Event::CaseSlow { .. }
            | Event::RunFinished(_) => None,
        });
        finished.next().unwrap()
    }
}

fn line(finished: &CaseFinished) -> String {
    let case = &finished.id.case;
    let outcome = match &finished.outcome {
        Outcome::Pass => "pass".to_owned(),
        Outcome::Fail(finding) => format!("fail {}", finding.problem.word()),
        Outcome::Fault(finding) => format!("fault {}", finding.problem.word()),
        Outcome::Skip(reason) => format!("skip {}", reason.word()),
        Outcome::ExpectedFail { .. } => "expected-fail".to_owned(),
        Outcome::UnexpectedPass { .. } => "unexpected-pass".to_owned(),
    };
    let leaked = match finished.attempt.leaked {
        0 => String::new(),
        count => format!(", {count} leaked"),
    };
    format!("{case} {outcome}{leaked}")
}

/// Whether a process of this number exists.
pub(crate) fn exists(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}
