//! Gives a worker its place and its task, runs it under supervision, and reads its journal.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::journal::{self, Entry};
use cudacheck_model::library::Subject;
use cudacheck_model::task::{DriverFiles, TASK_SCHEMA, Task, Work};
use rustix::fs::{Mode, OFlags, open};
use tokio::sync::watch;

use crate::config::Config;
use crate::door;
use crate::ending::Ending;
use crate::interrupt::Interrupt;
use crate::supervise::{Launch, Supervised, Waits, supervise};
use crate::variables::Variables;

/// A journal longer than this is read up to here; ours have a few kilobytes, and the runner stays small.
const JOURNAL_LIMIT: u64 = 4 * 1024 * 1024;

/// One worker's work.
pub(crate) struct Job {
    /// Who asks.
    pub(crate) id: String,
    /// Its directory, which does not exist yet.
    pub(crate) directory: PathBuf,
    pub(crate) work: Work,
    pub(crate) driver: DriverFiles,
    /// Whether the driver must be found by `LD_LIBRARY_PATH`. A library of a package has to find it by itself.
    pub(crate) shows_driver: bool,
    /// Variables over those of all workers.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) limit: Duration,
    /// When to report it as slow.
    pub(crate) slow: Duration,
}

/// What became of it.
pub(crate) struct Done {
    pub(crate) supervised: Supervised,
    pub(crate) entries: Vec<Entry>,
}

/// Does a job to its end.
pub(crate) async fn work(
    config: &Config,
    job: &Job,
    interrupts: &mut watch::Receiver<Interrupt>,
    slow: &mut (dyn FnMut(Duration) + Send),
) -> Done {
    door::shut();
    let place = match Place::prepare(config, job) {
        Ok(place) => place,
        Err(error) => {
            let reason = format!("the directory `{}`: {error}", job.directory.display());
            return Done {
                supervised: Supervised {
                    ending: Ending::NotStarted { reason },
                    duration: Duration::ZERO,
                    output: cudacheck_model::event::Output::default(),
                    leaked: 0,
                },
                entries: Vec::new(),
            };
        }
    };
    let launch = Launch {
        executable: &config.executable,
        command: place.command(config, job),
        environment: place.environment(config, job),
        directory: &place.private,
        log: &place.directory.join("output.log"),
        evidence: place.directory.join("stuck.txt"),
        waits: Waits {
            limit: job.limit,
            slow: job.slow,
            grace: config.grace,
            kill_wait: config.kill_wait,
        },
    };
    let supervised = supervise(&launch, interrupts, slow).await;
    // Gone already if the worker began. The token in it is worth nothing any more.
    fs::remove_file(&place.task).ok();
    Done {
        entries: place.journal(),
        supervised,
    }
}

/// Where a worker lives.
struct Place {
    directory: PathBuf,
    /// Its working directory, its home, and whatever it may write to.
    private: PathBuf,
    task: PathBuf,
    journal: PathBuf,
    token: String,
}

impl Place {
    fn prepare(config: &Config, job: &Job) -> io::Result<Self> {
        let directory = std::path::absolute(config.run_dir.join(&job.directory))?;
        let private = directory.join("private");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(private.join("tmp"))?;
        let place = Self {
            task: directory.join("task.json"),
            journal: directory.join("journal.jsonl"),
            private,
            directory,
            token: token()?,
        };
        let task = Task {
            schema: TASK_SCHEMA,
            id: job.id.clone(),
            token: place.token.clone(),
            work: job.work.clone(),
            driver: job.driver.clone(),
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&place.task)?;
        file.write_all(&serde_json::to_vec(&task)?)?;
        if matches!(job.work, Work::Check(_)) {
            crate::device::link_driver(&job.driver, &place.driver())?;
        }
        Ok(place)
    }

    fn driver(&self) -> PathBuf {
        self.directory.join("driver")
    }

    /// The worker, through the loader that the package under test needs, if that is not the worker's own.
    fn command(&self, config: &Config, job: &Job) -> Vec<OsString> {
        let mut command: Vec<OsString> = Vec::new();
        let mut executable = config.executable.clone();
        if let Some(loader) = subject(job).and_then(|subject| subject.loader.as_ref()) {
            let path = std::env::join_paths(&loader.library_path);
            command.push(loader.path.clone().into());
            command.push("--library-path".into());
            // A directory with a colon in its name cannot be searched at all.
            command.push(path.unwrap_or_default());
            // In the loader's process, `self` is the loader.
            if executable == Path::new("/proc/self/exe") {
                executable = format!("/proc/{}/exe", std::process::id()).into();
            }
        }
        let words = [
            executable.as_os_str(),
            "worker".as_ref(),
            "--task".as_ref(),
            self.task.as_os_str(),
            "--journal".as_ref(),
            self.journal.as_os_str(),
        ];
        command.extend(words.into_iter().map(OsString::from));
        command
    }

    fn environment(&self, config: &Config, job: &Job) -> Vec<(OsString, OsString)> {
        let mut variables = Variables::of(&self.private);
        for (name, value) in config.environment.iter().chain(&job.environment) {
            variables.set(name, value);
        }
        if matches!(job.work, Work::Check(_)) && job.shows_driver {
            variables.show_driver(&self.driver());
        }
        variables.into_pairs()
    }

    fn journal(&self) -> Vec<Entry> {
        let mut bytes = Vec::new();
        // The worker may have put something else in its place; to open a pipe would take for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(&self.journal, flags, Mode::empty()).map(File::from);
        let is_file = |file: &File| file.metadata().is_ok_and(|metadata| metadata.is_file());
        if let Some(file) = opened.ok().filter(is_file) {
            // What could be read before an error is as good as a torn journal.
            file.take(JOURNAL_LIMIT).read_to_end(&mut bytes).ok();
        }
        journal::read(&String::from_utf8_lossy(&bytes), &self.token)
    }
}

/// The library that a job is about.
fn subject(job: &Job) -> Option<&Subject> {
    match &job.work {
        Work::Check(work) => work.subject.as_ref(),
        Work::Facts(_) | Work::Oracle(_) => None,
    }
}

/// 128 random bits.
fn token() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open(Path::new("/dev/urandom"))?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
