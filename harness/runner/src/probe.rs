//! Asks what machine this is, in a worker that may hang or crash without taking the runner along.

use std::path::PathBuf;

use cudacheck_model::facts::{FACTS_SCHEMA, MachineFacts};
use cudacheck_model::journal::{Entry, Record, Stage};
use cudacheck_model::outcome::MachineFault;
use cudacheck_model::task::{DriverFiles, FactsWork, Work};
use tokio::sync::watch;

use crate::config::Config;
use crate::ending::{Ending, signal_name};
use crate::interrupt::Interrupt;
use crate::worker::{Job, work};

/// The machine's facts. A probe that hangs, dies, or says nothing is a fault in them.
///
/// Whatever the probe had told before its end is kept.
pub async fn probe(config: &Config, facts: FactsWork, driver: DriverFiles) -> MachineFacts {
    // Nobody interrupts a probe: until the run has begun, a signal ends the runner, and with it the probe.
    let (_sender, mut interrupts) = watch::channel(Interrupt::None);
    let place = Place {
        directory: "facts".into(),
        environment: Vec::new(),
    };
    probe_in(config, place, facts, driver, &mut interrupts).await
}

/// Where a probe lives, and what it sees.
pub(crate) struct Place {
    /// Its directory below the run's.
    pub(crate) directory: PathBuf,
    /// Variables over those of all workers.
    pub(crate) environment: Vec<(String, String)>,
}

/// A probe in the middle of a run, which a signal may end.
pub(crate) async fn probe_in(
    config: &Config,
    place: Place,
    facts: FactsWork,
    driver: DriverFiles,
    interrupts: &mut watch::Receiver<Interrupt>,
) -> MachineFacts {
    let simulated = facts.simulated.clone();
    let job = Job {
        id: "facts".to_owned(),
        directory: place.directory,
        work: Work::Facts(facts),
        driver,
        shows_driver: false,
        environment: place.environment,
        limit: config.probe_timeout,
        slow: config.probe_timeout,
    };
    let done = work(config, &job, interrupts, &mut |_| {}).await;
    read(&done.supervised.ending, done.entries, simulated)
}

fn read(ending: &Ending, entries: Vec<Entry>, simulated: Option<String>) -> MachineFacts {
    let stage = entries.iter().rev().find_map(|entry| match entry.record {
        Record::Stage(stage) => Some(stage),
        Record::Note { .. }
        | Record::JitLog { .. }
        | Record::Mapped(_)
        | Record::Result(_)
        | Record::Facts(_)
        | Record::Oracle(_) => None,
    });
    let told = entries
        .into_iter()
        .rev()
        .find_map(|entry| match entry.record {
            Record::Facts(facts) => Some(*facts),
            Record::Stage(_)
            | Record::Note { .. }
            | Record::JitLog { .. }
            | Record::Mapped(_)
            | Record::Result(_)
            | Record::Oracle(_) => None,
        });
    let fault = fault(ending, stage.unwrap_or(Stage::Start), told.is_some());
    let mut facts = told.unwrap_or_else(|| MachineFacts {
        schema: FACTS_SCHEMA,
        ..MachineFacts::default()
    });
    // What was asked to be simulated is simulated, whatever the worker says; and a recording of a simulated
    // machine stays one.
    facts.simulated = simulated.or(facts.simulated);
    facts.faults.extend(fault);
    facts
}

fn fault(ending: &Ending, stage: Stage, told: bool) -> Option<MachineFault> {
    let died = |ending: String| MachineFault::ProbeDied { stage, ending };
    match ending {
        Ending::Exited(0) if told => None,
        Ending::Exited(0) => Some(died("exit code 0 and no answer".to_owned())),
        Ending::Exited(code) => Some(died(format!("exit code {code}"))),
        Ending::Signaled(signal) | Ending::Interrupted(signal) => Some(died(signal_name(*signal))),
        Ending::TimedOut { limit } => Some(MachineFault::ProbeTimedOut {
            stage,
            seconds: limit.as_secs(),
        }),
        Ending::Stuck(fault) => Some(fault.clone()),
        Ending::NotStarted { reason } => Some(MachineFault::Harness {
            message: format!("the probe could not be started: {reason}"),
        }),
        Ending::Lost { reason } => Some(MachineFault::Harness {
            message: format!("the probe was lost: {reason}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cudacheck_model::journal::JOURNAL_SCHEMA;

    use super::*;

    fn entry(record: Record) -> Entry {
        Entry {
            v: JOURNAL_SCHEMA,
            token: "t".to_owned(),
            at_us: 1,
            record,
        }
    }

    #[track_caller]
    fn check(ending: Ending, records: Vec<Record>, expected: &[&str]) {
        let entries = records.into_iter().map(entry).collect();
        let facts = read(&ending, entries, None);
        let faults: Vec<_> = facts.faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn every_end_of_a_probe_is_a_fact() {
        let facts = || Record::Facts(Box::default());
        check(Ending::Exited(0), vec![facts()], &[]);
        check(
            Ending::Exited(0),
            vec![Record::Stage(Stage::Nvml)],
            &["the probe of the driver ended with exit code 0 and no answer at stage nvml"],
        );
        check(
            Ending::Signaled(11),
            vec![Record::Stage(Stage::Initialize)],
            &["the probe of the driver ended with SIGSEGV at stage initialize"],
        );
        check(
            Ending::Signaled(6),
            vec![facts()],
            &["the probe of the driver ended with SIGABRT at stage start"],
        );
        check(
            Ending::TimedOut {
                limit: Duration::from_secs(60),
            },
            vec![Record::Stage(Stage::Initialize)],
            &["the driver did not answer within 60 s, at stage initialize"],
        );
        check(
            Ending::NotStarted {
                reason: "`/x`: not found".to_owned(),
            },
            Vec::new(),
            &["the probe could not be started: `/x`: not found"],
        );
    }

    #[test]
    fn facts_that_were_told_before_the_end_are_kept() {
        let facts = MachineFacts {
            simulated: Some("forged".to_owned()),
            host: cudacheck_model::facts::Host {
                name: Some("ada-01".to_owned()),
                ..Default::default()
            },
            ..MachineFacts::default()
        };
        let entries = vec![
            entry(Record::Stage(Stage::Search)),
            entry(Record::Facts(Box::new(facts))),
            entry(Record::Stage(Stage::Initialize)),
        ];
        let recorded = read(&Ending::Exited(0), entries.clone(), None);
        assert_eq!(recorded.simulated.as_deref(), Some("forged"));
        let facts = read(&Ending::Signaled(11), entries, Some("h100".to_owned()));
        assert_eq!(facts.host.name.as_deref(), Some("ada-01"));
        assert_eq!(facts.simulated.as_deref(), Some("h100"));
        assert_eq!(facts.faults.len(), 1);
    }
}
