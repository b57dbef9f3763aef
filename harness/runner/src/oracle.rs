//! Asks a driver's files what they would do, in workers that may hang or crash without taking the runner along.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cudacheck_model::journal::{Entry, Record};
use cudacheck_model::oracle::{JitAnswer, JitVerdict, OracleAnswer, RuntimeAnswer};
use cudacheck_model::task::{DriverFiles, OracleWork, Work};
use tokio::sync::watch;

use crate::config::Config;
use crate::device::link_driver;
use crate::ending::{Ending, signal_name};
use crate::interrupt::Interrupt;
use crate::worker::{Job, work};

/// How long one worker may take with all its questions. The compiler needs milliseconds for each.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a worker has at least, however little of the time for all is left.
const SHORTEST: Duration = Duration::from_millis(100);
/// How many workers may die until the compiler is not asked any more.
const DEATHS: usize = 8;

/// What the driver's files and the package's libcudart say. All of it takes no longer than a probe may.
///
/// A compiler that hangs or dies is an answer to the question that it was asked; the others are put to another worker.
/// libcudart has a worker of its own, in which nothing but it has opened the driver.
pub async fn oracle(config: &Config, mut asked: OracleWork, driver: DriverFiles) -> OracleAnswer {
    let deadline = Instant::now() + config.probe_timeout;
    let runtime = asked.runtime.take();
    let mut all = driver_and_compiler(config, asked, &driver, deadline).await;
    if let Some(library) = runtime {
        let (answer, complaints) = libcudart(config, library, &driver, deadline).await;
        all.runtime = answer;
        all.complaints.extend(complaints);
    }
    all
}

async fn driver_and_compiler(
    config: &Config,
    mut asked: OracleWork,
    driver: &DriverFiles,
    deadline: Instant,
) -> OracleAnswer {
    let mut all = OracleAnswer::default();
    for death in 0..DEATHS {
        let directory = format!("oracle-{death}");
        let (told, how) = ask(config, &directory, &asked, driver, Vec::new(), deadline).await;
        let dealt_with = told.as_ref().map_or(0, |told| told.dealt_with);
        let silent = told.is_none();
        let told = told.unwrap_or_default();
        all.cuda = all.cuda.or(told.cuda);
        all.forward = all.forward.or(told.forward);
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

/// What libcudart said, and what kept it from saying more.
async fn libcudart(
    config: &Config,
    library: PathBuf,
    driver: &DriverFiles,
    deadline: Instant,
) -> (Option<RuntimeAnswer>, Vec<String>) {
    // A directory of the driver's files alone, which is searched first: beside them may lie the rest of the system.
    let links = config.run_dir.join("oracle-driver");
    if let Err(error) = link_driver(driver, &links) {
        let complaint = format!("the directory `{}`: {error}", links.display());
        return (None, vec![complaint]);
    }
    let asked = OracleWork {
        runtime: Some(library),
        ..OracleWork::default()
    };
    let environment = vec![("LD_LIBRARY_PATH".to_owned(), first(&links, config))];
    let directory = "oracle-runtime";
    let (told, how) = ask(config, directory, &asked, driver, environment, deadline).await;
    let told = told.unwrap_or_default();
    let ended = how.map(|how| format!("the worker that asked the package's libcudart {how}"));
    let complaints = told.complaints.into_iter().chain(ended);
    (told.runtime, complaints.collect())
}

/// The search path of the workers, with a directory before it.
fn first(directory: &Path, config: &Config) -> String {
    let mut variables = config.environment.iter();
    let given = variables.find(|(name, _)| name == "LD_LIBRARY_PATH");
    let rest = given.map_or(String::new(), |(_, path)| format!(":{path}"));
    format!("{}{rest}", directory.display())
}

/// Puts work to one worker. Returns what it told, and how it ended if not as it should.
async fn ask(
    config: &Config,
    directory: &str,
    asked: &OracleWork,
    driver: &DriverFiles,
    environment: Vec<(String, String)>,
    deadline: Instant,
) -> (Option<OracleAnswer>, Option<String>) {
    let (_sender, mut interrupts) = watch::channel(Interrupt::None);
    let left = deadline.saturating_duration_since(Instant::now());
    // What has no time left is still started, and says so by its end.
    let limit = LIMIT.min(left).max(SHORTEST);
    let job = Job {
        id: "oracle".to_owned(),
        directory: directory.into(),
        work: Work::Oracle(asked.clone()),
        driver: driver.clone(),
        shows_driver: false,
        environment,
        limit,
        slow: limit,
    };
    let done = work(config, &job, &mut interrupts, &mut |_| {}).await;
    read(&done.supervised.ending, done.entries)
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
            | Record::Mapped(_)
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
            limit.as_millis().div_ceil(1000)
        )),
        Ending::Stuck(fault) => Some(format!("is stuck: {fault}")),
        Ending::NotStarted { reason } => Some(format!("could not be started: {reason}")),
        Ending::Lost { reason } => Some(format!("was lost: {reason}")),
    };
    (told, how)
}
