//! Asks a driver's files what they would do, in workers that may hang or crash without taking the runner along.

use std::time::Duration;

use cudacheck_model::journal::{Entry, Record};
use cudacheck_model::oracle::{JitAnswer, JitVerdict, OracleAnswer};
use cudacheck_model::task::{DriverFiles, OracleWork, Work};
use tokio::sync::watch;

use crate::config::Config;
use crate::ending::{Ending, signal_name};
use crate::interrupt::Interrupt;
use crate::worker::{Job, work};

/// How long one worker may take with all its questions. The compiler needs milliseconds for each.
const LIMIT: Duration = Duration::from_secs(30);
/// How many workers may die until the compiler is not asked any more.
const DEATHS: usize = 8;

/// What the driver's files say. A compiler that hangs or dies is an answer to the question that it was asked; the
/// others are put to another worker.
pub async fn oracle(config: &Config, mut asked: OracleWork, driver: DriverFiles) -> OracleAnswer {
    let (_sender, mut interrupts) = watch::channel(Interrupt::None);
    let mut all = OracleAnswer::default();
    for death in 0..DEATHS {
        let limit = LIMIT.min(config.probe_timeout);
        let job = Job {
            id: "oracle".to_owned(),
            directory: format!("oracle-{death}").into(),
            work: Work::Oracle(asked.clone()),
            driver: driver.clone(),
            environment: Vec::new(),
            limit,
            slow: limit,
        };
        let done = work(config, &job, &mut interrupts, &mut |_| {}).await;
        let (told, how) = read(&done.supervised.ending, done.entries);
        let dealt_with = told.as_ref().map_or(0, |told| told.dealt_with);
        let silent = told.is_none();
        let told = told.unwrap_or_default();
        all.cuda = all.cuda.or(told.cuda);
        for complaint in told.complaints {
            if !all.complaints.contains(&complaint) {
                all.complaints.push(complaint);
            }
        }
        all.jit.extend(told.jit);
        let Some(how) = how else { return all };
        // Nothing was told: it died before the compiler's turn, in the driver's library or in the harness.
        let question = asked.questions.get(dealt_with).copied();
        let Some(question) = question.filter(|_| !silent && asked.compiler.is_some()) else {
            all.complaints
                .push(format!("the worker that asked the driver's files {how}"));
            return all;
        };
        all.jit.push(JitAnswer {
            question,
            verdict: JitVerdict::Ended { how },
        });
        asked.questions.drain(..=dealt_with);
        if asked.questions.is_empty() {
            return all;
        }
    }
    all.complaints.push(format!(
        "the driver's compiler died {DEATHS} times and was not asked about {} more",
        asked.questions.len()
    ));
    all
}

/// The last that a worker told, and how it ended if not as it should.
fn read(ending: &Ending, entries: Vec<Entry>) -> (Option<OracleAnswer>, Option<String>) {
    let told = entries
        .into_iter()
        .rev()
        .find_map(|entry| match entry.record {
            Record::Oracle(answer) => Some(answer),
            Record::Stage(_)
            | Record::Note { .. }
            | Record::JitLog { .. }
            | Record::Result(_)
            | Record::Facts(_) => None,
        });
    let how = match ending {
        Ending::Exited(0) if told.is_some() => None,
        Ending::Exited(code) => Some(format!("ended with exit code {code}")),
        Ending::Signaled(signal) | Ending::Interrupted(signal) => {
            Some(format!("ended with {}", signal_name(*signal)))
        }
        Ending::TimedOut { limit } => Some(format!(
            "did not come to an end within {} s",
            limit.as_secs()
        )),
        Ending::Stuck(fault) => Some(format!("is stuck: {fault}")),
        Ending::NotStarted { reason } => Some(format!("could not be started: {reason}")),
        Ending::Lost { reason } => Some(format!("was lost: {reason}")),
    };
    (told, how)
}
