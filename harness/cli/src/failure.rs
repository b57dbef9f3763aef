//! Why a command could not do its work at all: wrong words, wrong files, no machine to speak of.

use std::io;
use std::path::PathBuf;

use cudacheck_model::suite::Complaint;
use thiserror::Error;

/// Why a command ended without doing its work.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{} complaints about suites", .0.len())]
    Suites(Vec<Complaint>),

    #[error("there is no suite `{name}`")]
    UnknownSuite {
        name: String,
        nearest: Option<String>,
    },

    #[error("there is no case `{name}` in the chosen suites")]
    UnknownCase {
        name: String,
        nearest: Option<String>,
    },

    #[error("there is no profile `{name}`")]
    UnknownProfile { name: String, known: Vec<String> },

    #[error("{message}")]
    Inject { message: String },

    #[error("failed to read the profile `{}`: {message}", path.display())]
    Profile { path: PathBuf, message: String },

    #[error("the simulator's library was not found beside `{}`", executable.display())]
    SimulatorMissing { executable: PathBuf },

    /// A question that cannot be asked: a word that is wrong, or words that contradict each other.
    #[error("{message}")]
    Question {
        message: String,
        hint: Option<String>,
    },

    #[error("failed to {action} `{}`", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
}

impl Failure {
    /// The exit code: 2 is the user's to mend, 3 the machine's.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Suites(_)
            | Self::UnknownSuite { .. }
            | Self::UnknownCase { .. }
            | Self::UnknownProfile { .. }
            | Self::Inject { .. }
            | Self::Profile { .. }
            | Self::Question { .. } => 2,
            Self::SimulatorMissing { .. } | Self::File { .. } | Self::Runtime(_) => 3,
        }
    }

    /// What to type.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Suites(_) => Some("the format is described in suites/README.md".to_owned()),
            Self::UnknownSuite { nearest, .. } => Some(nearest.as_ref().map_or_else(
                || "`cudacheck list` names the shipped suites; a path must end in .yaml".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )),
            Self::UnknownCase { nearest, .. } => Some(nearest.as_ref().map_or_else(
                || "`cudacheck list SUITE` names the cases".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )),
            Self::UnknownProfile { known, .. } => Some(format!("use one of {}, or a path that ends in .yaml", known.join(", "))),
            Self::Inject { .. } => Some("`cudacheck list --profiles` names the faults".to_owned()),
            Self::Profile { .. } => Some("compare with harness/simulator/profiles".to_owned()),
            Self::SimulatorMissing { .. } => {
                Some("cargo build --release builds both; an installed cudacheck expects ../lib/cudacheck/libcudacheck_simulator.so".to_owned())
            }
            Self::Question { hint, .. } => hint.clone(),
            Self::File { .. } | Self::Runtime(_) => None,
        }
    }
}
