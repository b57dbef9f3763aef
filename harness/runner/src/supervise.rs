//! Runs one worker under a stub, with a limit on every wait, and says how it ended.
//!
//! SIGTERM to the worker's process group at the time limit, SIGKILL after the grace period, and after
//! another wait the worker counts as stuck: a process inside a hung call of the driver ignores even
//! SIGKILL, and the runner must go on without it.

mod capture;
mod course;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use cudacheck_model::event::Output;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::door;
use crate::ending::Ending;
use crate::interrupt::Interrupt;
use crate::stub::SUBCOMMAND;
use capture::Capture;
use course::Course;

pub(crate) use course::Waits;

/// How long the output may stay open after the worker and all that it left behind are gone.
const LEAK_TIME: Duration = Duration::from_millis(500);

/// A worker to be started.
pub(crate) struct Launch<'a> {
    /// Becomes the stub.
    pub(crate) executable: &'a Path,
    /// The worker's program and its arguments.
    pub(crate) command: Vec<OsString>,
    /// All variables of the worker.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Where it starts.
    pub(crate) directory: &'a Path,
    /// Where its output is kept.
    pub(crate) log: &'a Path,
    /// Where the state of a worker that does not end is kept.
    pub(crate) evidence: PathBuf,
    /// How long it may take.
    pub(crate) waits: Waits,
}

/// What became of a worker.
pub(crate) struct Supervised {
    pub(crate) ending: Ending,
    /// From its start to its end.
    pub(crate) duration: Duration,
    pub(crate) output: Output,
    /// Processes that it left behind and that were killed.
    pub(crate) leaked: u32,
}

/// Starts a worker and follows it to its end. Calls `slow` once if it takes long.
pub(crate) async fn supervise(
    launch: &Launch<'_>,
    interrupts: &mut watch::Receiver<Interrupt>,
    slow: &mut (dyn FnMut(Duration) + Send),
) -> Supervised {
    let started = match start(launch) {
        Ok(started) => started,
        Err(error) => {
            let program = launch.executable.display();
            return Supervised {
                ending: Ending::NotStarted {
                    reason: format!("`{program}`: {error}"),
                },
                duration: Duration::ZERO,
                output: Output::default(),
                leaked: 0,
            };
        }
    };
    let Started {
        mut stub,
        control,
        mut pipe,
    } = started;
    let mut capture = Capture::new(launch.log);
    let course: Course = {
        let mut draining = std::pin::pin!(capture.drain(&mut pipe));
        let mut following = std::pin::pin!(course::follow(
            control,
            &launch.waits,
            &launch.evidence,
            interrupts,
            slow
        ));
        let mut drained = false;
        let course = loop {
            tokio::select! {
                course = &mut following => break course,
                () = &mut draining, if !drained => drained = true,
            }
        };
        // Not finished only if a process outside our reach still holds the pipe.
        if !drained {
            timeout(LEAK_TIME, draining).await.ok();
        }
        course
    };
    reap(&mut stub).await;
    Supervised {
        ending: course.ending,
        duration: course.duration,
        output: capture.finish(),
        leaked: course.leaked,
    }
}

struct Started {
    stub: Child,
    control: UnixStream,
    pipe: Receiver,
}

fn start(launch: &Launch<'_>) -> io::Result<Started> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (reading, writing) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut command = door::command(launch.executable.as_os_str());
    command
        .args([SUBCOMMAND, "lead"])
        .arg(std::process::id().to_string())
        .args(&launch.command)
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(launch.directory)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(writing.try_clone()?))
        .stderr(Stdio::from(writing));
    let stub = command.spawn()?;
    // The command holds the pipe's writing end; while it lives, the output never ends.
    drop(command);
    Ok(Started {
        stub,
        control: UnixStream::from_std(ours)?,
        pipe: Receiver::from_owned_fd(reading)?,
    })
}

/// Reaps a stub that has said its last word. One that goes on, because its worker is stuck or because somebody
/// has stopped it, is killed, and with it what the kernel still can kill of its worker; it is not waited for.
async fn reap(stub: &mut Child) {
    for _ in 0..50 {
        match stub.try_wait() {
            Ok(None) => tokio::time::sleep(Duration::from_millis(1)).await,
            Ok(Some(_)) | Err(_) => return,
        }
    }
    stub.kill().ok();
}

#[cfg(test)]
mod tests;
