//! How a worker's process ended, as far as the outside can see.

use std::time::Duration;

use cudacheck_model::outcome::MachineFault;

/// How a worker's process ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, which the runner did not send.
    Signaled(i32),
    /// Stopped after its time limit.
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// Stopped because the run was interrupted by this signal.
    Interrupted(i32),
    /// It does not end: [`MachineFault::Unkillable`].
    Stuck(MachineFault),
    /// It never began.
    NotStarted {
        /// Why not, in the operating system's words.
        reason: String,
    },
    /// Nobody saw how it ended.
    Lost {
        /// What went wrong in the harness.
        reason: String,
    },
}

/// `SIGSEGV` for 11, `signal 42` for one without a name.
pub(crate) fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}
