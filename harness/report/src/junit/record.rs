//! Collects a run's events into what JUnit needs all at once: suites, cases in order, and the facts about both.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use cudacheck_model::event::{CaseFinished, Event, RunStarted, Summary, Timed};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::fault::MachineFault;
use cudacheck_model::plan::PlannedSkip;
use cudacheck_model::task::TaskId;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::attribute;

/// What the events of a run say, taken together.
#[derive(Debug, Default)]
pub(super) struct Record<'a> {
    pub(super) started: Option<&'a RunStarted>,
    pub(super) facts: Option<&'a MachineFacts>,
    pub(super) summary: Option<&'a Summary>,
    pub(super) withdrawn: Vec<(u32, &'a MachineFault)>,
    pub(super) duration_ms: u64,
    entries: Vec<Entry<'a>>,
    places: HashMap<&'a TaskId, usize>,
    devices: usize,
    planned: usize,
}

/// A case, by the best that is known of it.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// It has an outcome.
    Finished(&'a CaseFinished),
    /// The plan leaves it out.
    Skipped(&'a PlannedSkip),
    /// It was running when the events end.
    Running(&'a TaskId),
}

/// The cases of one `<testsuite>`.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) suite: &'a str,
    pub(super) package: Option<&'a str>,
    pub(super) device: Option<u32>,
    pub(super) entries: Vec<&'a Entry<'a>>,
}

impl<'a> Record<'a> {
    pub(super) fn read(events: &'a [Timed]) -> Self {
        let mut record = Self::default();
        for timed in events {
            record.duration_ms = record.duration_ms.max(timed.elapsed_ms);
            match &timed.event {
                Event::RunStarted(started) => record.started = Some(started),
                Event::MachineProbed(facts) => record.facts = Some(facts),
                Event::Planned {
                    tasks,
                    skips,
                    devices,
                    ..
                } => {
                    record.devices = *devices;
                    record.planned = tasks + skips;
                }
                Event::CaseSkipped(skip) => record.put(Entry::Skipped(skip)),
                Event::CaseStarted { id, .. } => record.put(Entry::Running(id)),
                Event::CaseFinished(case) => record.put(Entry::Finished(case)),
                Event::DeviceWithdrawn { device, fault } => record.withdrawn.push((*device, fault)),
                Event::RunFinished(summary) => {
                    record.summary = Some(summary);
                    record.duration_ms = summary.duration_ms;
                }
                Event::CaseSlow { .. }
                | Event::DeviceAwaited { .. }
                | Event::Interrupted { .. } => {}
            }
        }
        let devices: BTreeSet<u32> = record
            .entries
            .iter()
            .filter_map(|entry| entry.id().device)
            .collect();
        record.devices = record.devices.max(devices.len());
        record
    }

    /// The profile, if the GPU is simulated.
    pub(super) fn simulated(&self) -> Option<&'a str> {
        let started = self
            .started
            .and_then(|started| started.simulated.as_deref());
        started.or_else(|| self.facts.and_then(|facts| facts.simulated.as_deref()))
    }

    /// Cases that were planned, but of which the events do not even tell the name.
    pub(super) fn unnamed(&self) -> usize {
        self.planned.saturating_sub(self.entries.len())
    }

    pub(super) fn host(&self) -> Option<&'a str> {
        self.facts.and_then(|facts| facts.host.name.as_deref())
    }

    /// Faults that kept the run from judging anything.
    pub(super) fn fault_cases(&self) -> Option<&'a [MachineFault]> {
        let faults = self
            .facts
            .map(|facts| facts.faults.as_slice())
            .filter(|faults| !faults.is_empty())?;
        let faulty = self.summary.is_none_or(|summary| summary.machine_fault);
        faulty.then_some(faults)
    }

    /// The name under which readers keep a case's history.
    pub(super) fn classname(&self, suite: &str, package: Option<&str>) -> String {
        let simulated = self
            .simulated()
            .map(|profile| format!("simulated.{profile}."));
        let package = package.map(|package| format!(".{package}"));
        attribute(format!(
            "{}{suite}{}",
            simulated.unwrap_or_default(),
            package.unwrap_or_default()
        ))
    }

    /// ` [device 1]` where there are several.
    pub(super) fn slot(&self, device: Option<u32>) -> String {
        let several = device.filter(|_| self.devices > 1);
        several
            .map(|device| format!(" [device {device}]"))
            .unwrap_or_default()
    }

    /// Where a case's files are.
    pub(super) fn log(&self, case: &CaseFinished, directory: Option<&str>) -> String {
        let run = self.started.map_or("RUN", |started| &started.run_id);
        let directory = directory.map_or_else(|| format!("./cudacheck-runs/{run}"), str::to_owned);
        attribute(format!("{directory}/{}/", case.log))
    }

    /// Suites in the order of their first case.
    pub(super) fn groups(&'a self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for entry in &self.entries {
            let id = entry.id();
            let (suite, package, device) = (id.suite.as_str(), self.package(entry), id.device);
            let group = groups.iter_mut().find(|group| {
                (group.suite, group.package, group.device) == (suite, package, device)
            });
            match group {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group {
                    suite,
                    package,
                    device,
                    entries: vec![entry],
                }),
            }
        }
        groups
    }

    /// Keeps the best that is known of a case, in the place where it first appeared.
    fn put(&mut self, entry: Entry<'a>) {
        let place = *self.places.entry(entry.id()).or_insert(self.entries.len());
        match self.entries.get_mut(place) {
            None => self.entries.push(entry),
            Some(known) if entry.rank() >= known.rank() => *known = entry,
            Some(_) => {}
        }
    }

    /// A suite has one package: a case that has not ended belongs to its neighbours'.
    fn package(&self, entry: &Entry<'a>) -> Option<&'a str> {
        match entry {
            Entry::Finished(case) => case.package.as_deref(),
            Entry::Skipped(skip) => skip.package.as_deref(),
            Entry::Running(id) => self.entries.iter().find_map(|other| match other {
                Entry::Finished(case) if case.id.suite == id.suite => case.package.as_deref(),
                Entry::Skipped(skip) if skip.id.suite == id.suite => skip.package.as_deref(),
                Entry::Finished(_) | Entry::Skipped(_) | Entry::Running(_) => None,
            }),
        }
    }
}

impl<'a> Entry<'a> {
    pub(super) fn name(&self) -> String {
        self.id().title()
    }

    fn id(&self) -> &'a TaskId {
        match self {
            Entry::Finished(case) => &case.id,
            Entry::Skipped(skip) => &skip.id,
            Entry::Running(id) => id,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Entry::Running(_) => 0,
            Entry::Skipped(_) => 1,
            Entry::Finished(_) => 2,
        }
    }
}

impl Group<'_> {
    /// The first start of its cases, in UTC; none if none started or the time cannot be read.
    pub(super) fn started(&self) -> Option<String> {
        let starts = self.entries.iter().filter_map(|entry| match entry {
            Entry::Finished(case) => {
                let first = case.earlier.first().unwrap_or(&case.attempt);
                OffsetDateTime::parse(&first.started, &Rfc3339).ok()
            }
            Entry::Skipped(_) | Entry::Running(_) => None,
        });
        starts
            .min()?
            .to_offset(time::UtcOffset::UTC)
            .format(&Rfc3339)
            .ok()
    }

    /// What its cases took together, retries included.
    pub(super) fn duration(&self) -> Duration {
        let times = self.entries.iter().map(|entry| match entry {
            Entry::Finished(case) => case
                .earlier
                .iter()
                .chain([&case.attempt])
                .map(|attempt| attempt.duration_ms)
                .fold(0, u64::saturating_add),
            Entry::Skipped(_) | Entry::Running(_) => 0,
        });
        Duration::from_millis(times.fold(0, u64::saturating_add))
    }
}
