//! One unit of work for one worker process, as JSON.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::library::Subject;
use crate::oracle::JitQuestion;
use crate::suite::Check;

/// The schema number of [`Task`] as JSON.
pub const TASK_SCHEMA: u32 = 1;

/// Which case on which device.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskId {
    /// The suite's name.
    pub suite: String,
    /// The case's name.
    pub case: String,
    /// Which library of a package it is made on, where there are several of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The device's ordinal in the facts; none for a check that needs no device.
    pub device: Option<u32>,
}

impl TaskId {
    /// The case as reports name it: `versions`, or `versions [libcublas.so.12]` where there are several libraries.
    pub fn title(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{} [{subject}]", self.case),
            None => self.case.clone(),
        }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.suite, self.case)?;
        if let Some(subject) = &self.subject {
            write!(formatter, ".{subject}")?;
        }
        self.device
            .map_or(Ok(()), |device| write!(formatter, ".{device}"))
    }
}

/// What a worker is asked to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Task {
    /// [`TASK_SCHEMA`].
    pub schema: u32,
    /// Who asks, for the log.
    pub id: String,
    /// Repeated in every journal line.
    pub token: String,
    /// The work.
    pub work: Work,
    /// The driver's files, by absolute path.
    pub driver: DriverFiles,
}

/// The kinds of work.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// Probe the machine below this root.
    Facts(FactsWork),
    /// Make a check on the one visible device.
    Check(Box<CheckWork>),
    /// Ask a driver's files, without a device.
    Oracle(OracleWork),
}

/// What a facts worker needs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FactsWork {
    /// The root below which files are looked for; `/` for this machine.
    pub sysroot: PathBuf,
    /// The profile's name if the driver below that root is the simulator.
    #[serde(default)]
    pub simulated: Option<String>,
}

/// What an oracle worker needs beside the driver's files.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OracleWork {
    /// The driver's just-in-time compiler, by absolute path.
    #[serde(default)]
    pub compiler: Option<PathBuf>,
    /// What to compile.
    #[serde(default)]
    pub questions: Vec<JitQuestion>,
    /// PTX of the package, to be compiled in place of the smallest possible.
    #[serde(default)]
    pub modules: Vec<OracleModule>,
    /// The package's libcudart, by absolute path. A worker that is given one asks nothing else: whatever it had
    /// opened before would hide which driver libcudart finds by itself.
    #[serde(default)]
    pub runtime: Option<PathBuf>,
}

/// A piece of PTX that is to be compiled for a question.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OracleModule {
    /// Which question.
    pub question: JitQuestion,
    /// The file with the text, by absolute path.
    pub path: PathBuf,
}

/// What a check worker needs.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CheckWork {
    /// The check.
    pub check: Check,
    /// Reproduces the inputs.
    pub seed: u64,
    /// How much device memory a check may take, in bytes.
    pub memory_budget: u64,
    /// The files of the package, by absolute path.
    #[serde(default)]
    pub package: Vec<PathBuf>,
    /// What was read of these files before, as JSON: reading gigabytes once for each case would take long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<PathBuf>,
    /// The library that a library check is made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
}

/// Where the driver's libraries are. Found once by the facts worker, then used by all.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DriverFiles {
    /// The driver API's library; none if it was not found.
    pub libcuda: Option<PathBuf>,
    /// The management library; none on JetPack 5 and older.
    pub nvml: Option<PathBuf>,
}
