//! Writes the journal: each line at once, so that a killed worker leaves at most its last line torn.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use cudacheck_model::facts::MachineFacts;
use cudacheck_model::journal::{CheckResult, Entry, JOURNAL_SCHEMA, MappedLibrary, Record, Stage};
use cudacheck_model::oracle::OracleAnswer;

/// The journal of one task. Clones write to the same file.
#[derive(Clone)]
pub(crate) struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    file: File,
    token: String,
    started: Instant,
    failed: AtomicBool,
}

impl Journal {
    pub(crate) fn open(path: &Path, token: &str) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self {
            shared: Arc::new(Shared {
                file,
                token: token.to_owned(),
                started: Instant::now(),
                failed: AtomicBool::new(false),
            }),
        })
    }

    pub(crate) fn stage(&self, stage: Stage) {
        self.write(Record::Stage(stage));
    }

    pub(crate) fn note(&self, key: &str, value: impl Into<String>) {
        self.write(Record::Note {
            key: key.to_owned(),
            value: value.into(),
        });
    }

    pub(crate) fn jit_log(&self, info: String, error: String) {
        self.write(Record::JitLog { info, error });
    }

    pub(crate) fn facts(&self, facts: &MachineFacts) {
        self.write(Record::Facts(Box::new(facts.clone())));
    }

    pub(crate) fn oracle(&self, answer: &OracleAnswer) {
        self.write(Record::Oracle(answer.clone()));
    }

    pub(crate) fn mapped(&self, libraries: Vec<MappedLibrary>) {
        self.write(Record::Mapped(libraries));
    }

    pub(crate) fn result(&self, result: CheckResult) {
        self.write(Record::Result(result));
    }

    /// Whether every line so far reached the file.
    pub(crate) fn complete(&self) -> bool {
        !self.shared.failed.load(Ordering::Relaxed)
    }

    fn write(&self, record: Record) {
        let Shared {
            file,
            token,
            started,
            failed,
        } = &*self.shared;
        let entry = Entry {
            v: JOURNAL_SCHEMA,
            token: token.clone(),
            at_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            record,
        };
        let written = serde_json::to_string(&entry)
            .map_err(io::Error::from)
            .and_then(|line| {
                let mut file: &File = file;
                file.write_all((line + "\n").as_bytes())
            });
        if written.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
    }
}

/// Makes every later panic a note, also one inside a destructor, which ends the process at once.
pub(crate) fn tell_of_panics(journal: &Journal) {
    let journal = journal.clone();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        journal.note("panic", panic.to_string());
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use cudacheck_model::journal;

    #[test]
    fn what_is_written_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::open(&path, "secret").unwrap();
        journal.stage(Stage::Start);
        journal.note("seed", "7");
        journal.result(CheckResult::Pass);
        let text = std::fs::read_to_string(&path).unwrap();
        let records: Vec<Record> = journal::read(&text, "secret")
            .into_iter()
            .map(|entry| entry.record)
            .collect();
        assert_eq!(records.len(), 3);
        assert_eq!(records[2], Record::Result(CheckResult::Pass));
        assert!(journal.complete());
    }

    #[test]
    fn a_panic_leaves_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        tell_of_panics(&Journal::open(&path, "secret").unwrap());
        assert!(panic::catch_unwind(|| panic!("words of a panic")).is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        let noted = journal::read(&text, "secret").into_iter().any(|entry| {
            matches!(entry.record, Record::Note { key, value } if key == "panic" && value.contains("words of a panic"))
        });
        assert!(noted, "{text}");
    }
}
