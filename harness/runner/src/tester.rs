//! Runs a package's own tester in the place of a worker, and reads what it says.
//!
//! The tester is the supervised process itself: no process of ours that knows a journal's token stands
//! between it and the stub, so there is none for it to reach. What it says is its own opinion, and is
//! reported as such; how it ended is seen from outside.

mod explain;
mod judge;
mod place;
mod read;
mod select;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::event::{Output, Part};
use cudacheck_model::outcome::{Cause, Class, Finding, MachineFault, Outcome, Problem, SkipReason};
use cudacheck_model::suite::TesterCheck;
use cudacheck_model::task::DriverFiles;
use tokio::sync::watch;

use crate::classify::Examines;
use crate::config::Config;
use crate::interrupt::Interrupt;
use crate::supervise::{Launch, Waits, supervise};
use crate::variables::Variables;
use crate::{device, door};
use judge::{Evidence, Judged};
use place::{Place, Program};
use read::Words;

/// Whether the package has everything that a tester is made of, so that running it is worth a line.
pub fn has_tester(check: &TesterCheck, package: &[PathBuf]) -> bool {
    place::program(check, package).is_ok()
}

/// A tester to be run.
pub(crate) struct Job<'a> {
    pub(crate) check: &'a TesterCheck,
    /// The name of its suite, to whose files the script belongs.
    pub(crate) suite: &'a str,
    pub(crate) examines: Examines,
    pub(crate) must_run: bool,
    /// Its directory, which does not exist yet.
    pub(crate) directory: PathBuf,
    pub(crate) driver: &'a DriverFiles,
    /// Whether the driver is a simulated one, which no program finds by itself.
    pub(crate) simulated: bool,
    /// Variables over those of all workers.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) limit: Duration,
    /// When to report it as slow.
    pub(crate) slow: Duration,
}

/// What became of it.
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) parts: Vec<Part>,
    pub(crate) notes: Vec<(String, String)>,
    pub(crate) duration: Duration,
    pub(crate) output: Output,
    pub(crate) leaked: u32,
}

/// Runs a tester to its end.
pub(crate) async fn run(
    config: &Config,
    job: &Job<'_>,
    interrupts: &mut watch::Receiver<Interrupt>,
    slow: &mut (dyn FnMut(Duration) + Send),
) -> Done {
    door::shut();
    let program = match place::program(job.check, &config.package) {
        Ok(program) => program,
        Err(file) => return Done::without(absent(job, file)),
    };
    let place = match prepare(config, job) {
        Ok(place) => place,
        Err(message) => return Done::without(judge::machine(MachineFault::Harness { message })),
    };
    let mut notes = vec![("program".to_owned(), program.path.display().to_string())];
    let launch = Launch {
        executable: &config.executable,
        command: place.command(job.check, &program, config),
        environment: environment(config, job, &place, &program),
        directory: &place.private,
        log: &place.log(),
        evidence: place.directory.join("stuck.txt"),
        waits: Waits {
            limit: job.limit,
            slow: job.slow,
            grace: config.grace,
            kill_wait: config.kill_wait,
        },
    };
    let supervised = supervise(&launch, interrupts, slow).await;
    let results = place.results();
    // The log has more than memory; where it could not be written, memory must do.
    let printed = place.printed().unwrap_or_else(|| {
        [&*supervised.output.head, &supervised.output.tail]
            .concat()
            .into()
    });
    let words = Words {
        printed: &printed,
        results: results.as_deref(),
    };
    let evidence = Evidence {
        check: job.check,
        examines: job.examines,
        must_run: job.must_run,
        ending: &supervised.ending,
        printed: [&supervised.output.head, &supervised.output.tail],
    };
    let Judged {
        outcome,
        parts,
        notes: more,
    } = evidence.judge(read::read(job.check.format, words));
    notes.extend(more);
    Done {
        outcome,
        parts,
        notes,
        duration: supervised.duration,
        output: supervised.output,
        leaked: supervised.leaked,
    }
}

impl Done {
    /// Of a tester that was not started.
    fn without(outcome: Outcome) -> Self {
        Self {
            outcome,
            parts: Vec::new(),
            notes: Vec::new(),
            duration: Duration::ZERO,
            output: Output::default(),
            leaked: 0,
        }
    }
}

fn prepare(config: &Config, job: &Job<'_>) -> Result<Place, String> {
    let mut scripts = Vec::new();
    for name in &job.check.scripts {
        let text = config.scripts.get(&(job.suite.to_owned(), name.clone()));
        let text = text.ok_or_else(|| format!("the script `{name}` of the suite was not read"))?;
        scripts.push((name.as_str(), text.as_str()));
    }
    let failed =
        |error: std::io::Error| format!("the directory `{}`: {error}", job.directory.display());
    let directory = std::path::absolute(config.run_dir.join(&job.directory)).map_err(failed)?;
    let place = Place::prepare(directory, &scripts).map_err(failed)?;
    device::link_driver(job.driver, &place.driver()).map_err(failed)?;
    Ok(place)
}

/// What a worker has, the suite's own variables, and what shows it the one device.
fn environment(
    config: &Config,
    job: &Job<'_>,
    place: &Place,
    program: &Program,
) -> Vec<(OsString, OsString)> {
    let mut variables = Variables::of(&place.private);
    for (name, value) in &config.environment {
        variables.set(name, value);
    }
    for (name, value) in place.variables(job.check, program, config) {
        variables.set(&name, value);
    }
    for (name, value) in &job.environment {
        variables.set(name, value);
    }
    if shows_driver(job, program) {
        variables.show_driver(&place.driver());
    }
    variables.into_pairs()
}

/// Whether the driver is shown to a tester that cannot find it by itself: a simulated one, and a host's that is
/// not where a package of Nix looks for it.
fn shows_driver(job: &Job<'_>, program: &Program) -> bool {
    job.simulated || program.is_of_nix() && !Path::new("/run/opengl-driver/lib").exists()
}

/// A tester that the package does not have.
fn absent(job: &Job<'_>, file: String) -> Outcome {
    if !job.must_run {
        return Outcome::Skip(SkipReason::NoTester { file });
    }
    Outcome::Fail(Box::new(Finding {
        problem: Problem::NothingTested,
        class: Class::Build,
        stage: None,
        expected: format!("the package has `{file}`"),
        error: format!("none of the paths given with --package has `{file}`"),
        cause: Cause::proven(
            "the suite says that the package must run, and its tester is not among its files",
        ),
        remedy: "name the output that has the tester as well: --package PATH --package TESTS"
            .to_owned(),
        details: Vec::new(),
    }))
}
