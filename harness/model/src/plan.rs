//! What a run will do, before it does anything: tasks, skips with their sentence, and failures that need no try.

use serde::{Deserialize, Serialize};

use crate::library::Subject;
use crate::outcome::{Finding, SkipReason};
use crate::suite::{Case, Limits};
use crate::task::TaskId;

/// The plan of a run. The same inputs give the same plan, byte for byte.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// What will be run, in order.
    pub tasks: Vec<Planned>,
    /// What will not, and why.
    pub skips: Vec<PlannedSkip>,
    /// What must work and cannot, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<PlannedFailure>,
}

/// One case on one device.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Planned {
    /// Its name.
    pub id: TaskId,
    /// What to do.
    pub case: Case,
    /// The suite's package, if it examines one.
    pub package: Option<String>,
    /// The case's limits, the suite's filled in.
    pub limits: Limits,
    /// The index into the facts' devices.
    pub device: Option<usize>,
    /// The indices of other devices that it sees as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<usize>,
    /// The library that a library check is made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Whether the package must work where its suite belongs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_run: bool,
}

/// One case that fails without being run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedFailure {
    /// What would be run.
    pub task: Planned,
    /// Why it fails.
    pub finding: Finding,
}

/// One case that is not run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedSkip {
    /// Its name.
    pub id: TaskId,
    /// The suite's package, if it examines one.
    pub package: Option<String>,
    /// Why.
    pub reason: SkipReason,
}
