//! Asks an ordinary program, such as `nix-store`, under the same supervision as a worker.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;

use crate::door;
use crate::ending::{Ending, signal_name};
use crate::interrupt::Interrupt;
use crate::supervise::{Launch, Waits, supervise};

/// Where the usual programs of a system are, Nix's among them.
const PATH: &str =
    "/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/bin:/bin";

/// Why a program gave no answer.
#[derive(Debug, Error)]
#[error("`{program}` {reason}")]
pub struct ToolError {
    /// The program.
    pub program: String,
    /// What happened, as the rest of a sentence.
    pub reason: String,
}

/// What a program prints, its errors included. `directory` exists and is for this call alone.
///
/// # Errors
///
/// When it cannot be started, does not end in time, or ends with another code than 0.
pub async fn ask(
    executable: &Path,
    command: Vec<OsString>,
    directory: &Path,
    limit: Duration,
) -> Result<String, ToolError> {
    door::shut();
    let program = command
        .first()
        .map(|word| word.to_string_lossy().into_owned())
        .unwrap_or_default();
    let failed = |reason: String| ToolError {
        program: program.clone(),
        reason,
    };
    let log = directory.join("output.log");
    let launch = Launch {
        executable,
        command,
        environment: vec![
            ("PATH".into(), PATH.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ],
        directory,
        log: &log,
        evidence: directory.join("stuck.txt"),
        waits: Waits {
            limit,
            slow: limit,
            grace: Duration::from_secs(1),
            kill_wait: Duration::from_secs(5),
        },
    };
    let (_sender, mut interrupts) = watch::channel(Interrupt::None);
    let done = supervise(&launch, &mut interrupts, &mut |_| {}).await;
    let printed = || {
        fs::read(&log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    };
    match done.ending {
        Ending::Exited(0) => Ok(printed()),
        Ending::Exited(code) => Err(failed(format!(
            "ended with code {code}: {}",
            printed().trim()
        ))),
        Ending::Signaled(signal) | Ending::Interrupted(signal) => {
            Err(failed(format!("was ended by {}", signal_name(signal))))
        }
        Ending::TimedOut { limit } => {
            Err(failed(format!("did not end within {} s", limit.as_secs())))
        }
        Ending::Stuck(fault) => Err(failed(format!("is stuck: {fault}"))),
        Ending::NotStarted { reason } => Err(failed(format!("could not be started: {reason}"))),
        Ending::Lost { reason } => Err(failed(format!("was lost: {reason}"))),
    }
}
