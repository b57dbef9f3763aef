//! What a run is told from outside.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use cudacheck_model::suite::Limits;
use cudacheck_model::task::FactsWork;

use crate::plan::Packages;

/// How to run. Make one with [`Config::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `cudacheck` binary, from which stubs and workers are started.
    pub executable: PathBuf,
    /// The run's directory. It exists; everything else below it is made here.
    pub run_dir: PathBuf,
    /// Variables for all workers, over the few that they have anyway.
    pub environment: Vec<(String, String)>,
    /// How long the probe of the machine may take.
    pub probe_timeout: Duration,
    /// How long a worker has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long a worker has after SIGKILL until it counts as stuck.
    pub kill_wait: Duration,
    /// Limits of cases for which their suite sets none.
    pub default_limits: Limits,
    /// Reproduces all inputs.
    pub seed: u64,
    /// How many workers run at once; on one device never more than one.
    pub jobs: NonZeroUsize,
    /// Where the lock files of devices lie; the same directory for all runs of this machine.
    pub lock_dir: PathBuf,
    /// How long another run may hold a device before its cases are given up.
    pub lock_wait: Duration,
    /// The files of the package, by absolute path.
    pub package: Vec<PathBuf>,
    /// The texts of the scripts that suites hand to testers, by suite and by the name that it has there.
    pub scripts: BTreeMap<(String, String), String>,
    /// What was read of these files, for the workers that look for flaws in them.
    pub package_facts: Option<PathBuf>,
    /// What is known of the packages, to prove causes by.
    pub examined: Packages,
    /// How to look at the machine again when a case has gone wrong; none to leave it.
    pub health: Option<FactsWork>,
    /// The words of the command line that every case's rerun line begins with.
    pub rerun_prefix: Vec<String>,
    /// What names a suite on a command line, by the suite's own name: the path of a file. A suite that is
    /// not in here is named by itself.
    pub suite_words: BTreeMap<String, String>,
}

impl Config {
    /// A configuration with the usual limits.
    pub fn new(executable: PathBuf, run_dir: PathBuf) -> Self {
        Self {
            executable,
            lock_dir: run_dir.clone(),
            run_dir,
            environment: Vec::new(),
            probe_timeout: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            kill_wait: Duration::from_secs(10),
            default_limits: Limits::default(),
            seed: 0,
            jobs: NonZeroUsize::MIN,
            lock_wait: Duration::from_secs(600),
            health: None,
            package: Vec::new(),
            package_facts: None,
            scripts: BTreeMap::new(),
            examined: Packages::new(),
            rerun_prefix: vec!["cudacheck".to_owned(), "run".to_owned()],
            suite_words: BTreeMap::new(),
        }
    }

    pub(crate) fn limits(&self, own: &Limits) -> Effective {
        let limits = own.or(&self.default_limits);
        Effective {
            time: Duration::from_secs(limits.time_s.unwrap_or(60)),
            memory: limits.memory_mib.unwrap_or(256).saturating_mul(1024 * 1024),
            retries: limits.retries.unwrap_or(0),
        }
    }
}

/// Limits without gaps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Effective {
    pub(crate) time: Duration,
    /// Bytes of device memory.
    pub(crate) memory: u64,
    pub(crate) retries: u32,
}
