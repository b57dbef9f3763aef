//! The single-threaded process between the runner and a worker, so that nothing the worker starts survives.
//!
//! A stub is the leader of a session and the reaper of all orphans below it, which lets it end daemons that
//! left the worker's process group. It has two forms, both of the same executable:
//!
//! * `lead`: starts the other form as its child, obeys the runner, and cleans up after the worker.
//! * `exec`: prepares its own process and turns into the worker.
//!
//! Runner and stub hold the two ends of a socket. The runner writes signal numbers, one byte each, for the
//! worker's process group; the stub writes one `Message` a line. When the runner ends in any way, even by
//! SIGKILL, the socket closes, and the stub ends the worker. When the stub ends in any way, the kernel ends
//! the worker (`PR_SET_PDEATHSIG`, which is safe here because the stub has one thread).
//! The worker has neither the socket nor the stub's memory, so it cannot report in the stub's name.

mod lead;
mod sweep;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;

use rustix::fs::Mode;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit, umask,
};
use serde::{Deserialize, Serialize};

use crate::door;

pub(crate) use lead::SWEEP_LIMIT;

/// What the executable is called with to become a stub.
pub(crate) const SUBCOMMAND: &str = "__stub";

/// What a stub tells the runner, one JSON object a line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Message {
    /// The worker runs; it leads the process group of its own number.
    Started {
        /// Its process.
        pid: u32,
    },
    /// The worker could not be started.
    NotStarted {
        /// The operating system's words.
        reason: String,
    },
    /// The worker ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// The worker was ended by a signal.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// Everything that the worker left behind was killed. The last message.
    Swept {
        /// How many processes that were.
        leaked: u32,
        /// Those that do not end.
        remaining: Vec<u32>,
    },
}

/// The stub's program: the words after `__stub`. Returns the exit code.
///
/// The runner reads messages, not this code: a worker may end with any code too.
pub fn main(arguments: &[OsString]) -> u8 {
    let [form, parent, command @ ..] = arguments else {
        return 2;
    };
    match form.to_str() {
        Some("lead") => match lead::lead(command) {
            Ok(()) => 0,
            Err(_) => 1,
        },
        Some("exec") => {
            exec(parent, command);
            127
        }
        Some(_) | None => 2,
    }
}

/// Turns this process into the worker. Returns only if that is not possible.
///
/// Input is the writing end of a pipe to the leading stub: it closes when the worker begins, and carries
/// the reason if it cannot.
fn exec(parent: &OsString, command: &[OsString]) {
    let Ok(report) = std::io::stdin().as_fd().try_clone_to_owned() else {
        return;
    };
    let mut report = File::from(report);
    let reason = match prepare(parent) {
        Err(reason) => reason,
        Ok(()) => match command {
            [] => "no program is named".to_owned(),
            [program, arguments @ ..] => {
                let mut worker = door::command(program);
                worker.args(arguments).envs(std::env::vars_os());
                let error = worker.exec();
                format!("`{}`: {error}", program.to_string_lossy())
            }
        },
    };
    // If even this fails, the stub sees a worker that ended with code 127 and no result.
    report.write_all(reason.as_bytes()).ok();
}

fn prepare(parent: &OsString) -> Result<(), String> {
    let failed = |error| format!("the worker's process cannot be prepared: {error}");
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed)?;
    // The stub may have ended before the line above: then no signal will come.
    let parent = parent.to_str().and_then(|text| text.parse().ok());
    if getppid().map(Pid::as_raw_pid) != parent {
        return Err("the stub has ended".to_owned());
    }
    // The core of a CUDA process may have tens of gigabytes.
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(failed)?;
    umask(Mode::RWXG | Mode::RWXO);
    Ok(())
}
