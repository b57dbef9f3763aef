//! What touches the GPU: one process per task, which reads the task, does it, and tells a journal.
//!
//! The supervisor shares nothing with this crate but the types of `cudacheck-model`. A driver can hang,
//! crash, or end its process at any call; so every step is announced in the journal before it is taken,
//! and nothing that was learnt is kept back until the end.

mod check;
mod driver;
mod facts;
mod journal;
mod library;
mod oracle;

use std::fs;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cudacheck_model::journal::{CheckResult, Stage};
use cudacheck_model::suite::LinkageCheck;
use cudacheck_model::task::{Task, Work};

use crate::journal::Journal;

pub use crate::facts::record;

/// A result is in the journal, whatever it says.
const DONE: u8 = 0;
/// The task or the journal could not be opened.
const UNUSABLE: u8 = 1;
/// The worker panicked; the journal has the words.
const PANICKED: u8 = 101;

/// Reads the files of a package, and answers which of them have the flaw that a check names.
///
/// With the path of what was read of them before, if it was.
pub type Linkage = fn(&LinkageCheck, &[PathBuf], Option<&Path>) -> CheckResult;

/// Does the task in the file `task`, which is removed, and tells the file `journal`. Returns the exit code.
///
/// `linkage` makes the checks that need no device; they are another crate's.
pub fn main(task: &Path, journal: &Path, linkage: Linkage) -> u8 {
    match open(task, journal) {
        Ok((task, journal)) => work(&task, &journal, linkage),
        Err(error) => {
            // Without a journal, standard error is all there is; a failure to write there has no remedy.
            let _ = writeln!(
                io::stderr(),
                "error: the worker cannot open its task or its journal: {error}"
            );
            UNUSABLE
        }
    }
}

fn open(task: &Path, journal: &Path) -> io::Result<(Task, Journal)> {
    let text = fs::read_to_string(task)?;
    // A tested program must not find the token that makes a journal line the worker's.
    fs::remove_file(task)?;
    let task: Task = serde_json::from_str(&text)?;
    let journal = Journal::open(journal, &task.token)?;
    Ok((task, journal))
}

fn work(task: &Task, journal: &Journal, linkage: Linkage) -> u8 {
    journal::tell_of_panics(journal);
    journal.stage(Stage::Start);
    let done = catch_unwind(AssertUnwindSafe(|| match &task.work {
        Work::Facts(work) => facts::probe(journal, work),
        Work::Oracle(work) => oracle::ask(journal, &task.driver, work),
        Work::Check(work) => {
            let result = check::run(journal, &task.driver, work, linkage);
            journal.result(result);
        }
    }));
    match done {
        Err(_) => PANICKED,
        Ok(()) if journal.complete() => DONE,
        Ok(()) => UNUSABLE,
    }
}
