//! Signals to the runner: the first asks, the second insists.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How far an interruption has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Interrupt {
    /// None.
    #[default]
    None,
    /// Workers get this signal, and the grace period.
    Asked(i32),
    /// Workers are killed at once.
    Now(i32),
}

impl Interrupt {
    /// The signal that ended the run: the first one.
    pub(crate) fn signal(self) -> Option<i32> {
        match self {
            Self::None => None,
            Self::Asked(signal) | Self::Now(signal) => Some(signal),
        }
    }

    fn next(self, signal: i32) -> Self {
        match self {
            Self::None => Self::Asked(signal),
            Self::Asked(first) | Self::Now(first) => Self::Now(first),
        }
    }
}

/// The signals that end a run. Stopping it with Ctrl-Z is not supported: time limits would go on.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over from their default, which would end the runner without a report.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The number of the next signal. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.hangup.recv() => 1,
            _ = self.interrupt.recv() => 2,
            _ = self.quit.recv() => 3,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// Waits for what comes first, the end of some work or a signal, whose number is then the error. The work's
/// process ends with it, since its stub hears nobody any more.
///
/// # Errors
///
/// The number of the signal.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, i32> {
    // A runner that cannot hear signals still works; they end it as they end any process.
    let Ok(mut signals) = Signals::listen() else {
        return Ok(work.await);
    };
    tokio::select! {
        done = work => Ok(done),
        signal = signals.next() => Err(signal),
    }
}

/// Tells all workers' supervisors. Returns the new state.
pub(crate) fn raise(sender: &watch::Sender<Interrupt>, signal: i32) -> Interrupt {
    sender.send_modify(|state| *state = state.next(signal));
    *sender.borrow()
}
