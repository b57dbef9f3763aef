//! The leading form: starts the worker, passes the runner's signals on, and reports how it ended.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process_group, pidfd_open,
    set_child_subreaper, set_dumpable_behavior, setsid, waitpid,
};

use super::{Message, SUBCOMMAND, sweep};
use crate::door;

/// How long a stub whose runner has ended waits for a worker that was killed.
const LINGER: Duration = Duration::from_secs(5);

/// How long it waits for what the worker left behind.
pub(crate) const SWEEP_LIMIT: Duration = Duration::from_secs(5);

/// How long the worker's process may take to become the worker.
const EXEC_LIMIT: Duration = Duration::from_secs(10);

/// Starts a command and stays until nothing of it is left.
pub(super) fn lead(command: &[OsString]) -> io::Result<()> {
    let mut control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // A session of its own keeps the terminal's signals away: the runner passes them on.
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    let (report, child) = start(command)?;
    // Nobody of the same user may look into the process that holds the socket.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let pidfd = pidfd_open(child, PidfdFlags::empty())?;
    if let Some(reason) = refused(report)? {
        waitpid(Some(child), WaitOptions::empty())?;
        return tell(&mut control, &Message::NotStarted { reason });
    }
    let pid = u32::try_from(child.as_raw_pid()).map_err(io::Error::other)?;
    // A runner that no longer listens is noticed below, by the end of its signals.
    tell(&mut control, &Message::Started { pid }).ok();
    let group = match follow(&mut control, child, &pidfd)? {
        End::GivenUp => return Ok(()),
        End::ByItself => None,
        // Its group was told to end with it, and is not left behind.
        End::Asked => Some(child),
    };
    let Some((_, status)) = waitpid(Some(child), WaitOptions::empty())? else {
        return Err(io::Error::other("the worker ended without a status"));
    };
    let ending = match status.terminating_signal() {
        Some(signal) => Message::Signaled { signal },
        None => Message::Exited {
            code: status.exit_status().unwrap_or(-1),
        },
    };
    tell(&mut control, &ending).ok();
    let (leaked, remaining) = sweep::sweep(group, SWEEP_LIMIT)?;
    tell(&mut control, &Message::Swept { leaked, remaining }).ok();
    Ok(())
}

/// Starts the other form as leader of a process group. The pipe tells whether it became the worker.
fn start(command: &[OsString]) -> io::Result<(OwnedFd, Pid)> {
    let (report, input) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut stub = door::command(OsStr::new("/proc/self/exe"));
    stub.arg(SUBCOMMAND)
        .arg("exec")
        .arg(getpid().as_raw_pid().to_string())
        .args(command)
        .envs(std::env::vars_os())
        .stdin(Stdio::from(input))
        .process_group(0);
    let child = stub.spawn()?;
    // The command still holds the writing end of the pipe.
    drop(stub);
    Ok((report, Pid::from_child(&child)))
}

/// Why the worker could not be started; none if it was.
fn refused(report: OwnedFd) -> io::Result<Option<String>> {
    let limit = Timespec::try_from(EXEC_LIMIT).map_err(io::Error::other)?;
    let mut fds = [PollFd::new(&report, PollFlags::IN)];
    if poll(&mut fds, Some(&limit))? == 0 {
        return Ok(Some(format!(
            "the file could not be read within {} s",
            EXEC_LIMIT.as_secs()
        )));
    }
    let mut reason = String::new();
    File::from(report).read_to_string(&mut reason)?;
    Ok(Some(reason).filter(|reason| !reason.is_empty()))
}

enum End {
    /// The worker has ended, and nobody had asked it to.
    ByItself,
    /// The worker has ended after a signal to its group.
    Asked,
    /// The runner has ended, and the worker does not.
    GivenUp,
}

/// Passes signals on until the worker ends. It is not reaped here, so its number stays its own.
fn follow(control: &mut UnixStream, worker: Pid, pidfd: &OwnedFd) -> io::Result<End> {
    let mut orphaned: Option<Instant> = None;
    let mut asked = false;
    loop {
        let left = orphaned.map(|since| LINGER.saturating_sub(since.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(End::GivenUp);
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = vec![PollFd::new(pidfd, PollFlags::IN)];
        if orphaned.is_none() {
            fds.push(PollFd::new(control, PollFlags::IN));
        }
        match poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        if !fds[0].revents().is_empty() {
            return Ok(if asked { End::Asked } else { End::ByItself });
        }
        let heard = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        if heard {
            drop(fds);
            asked = true;
            orphaned = obey(control, worker);
        }
    }
}

/// Passes on what the runner has written. Some if the runner is gone, and with it the worker.
fn obey(control: &mut UnixStream, worker: Pid) -> Option<Instant> {
    let mut bytes = [0; 16];
    let count = match control.read(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
        other => other.unwrap_or(0),
    };
    if count == 0 {
        kill_process_group(worker, Signal::KILL).ok();
        return Some(Instant::now());
    }
    for number in &bytes[..count] {
        if let Some(signal) = Signal::from_named_raw(i32::from(*number)) {
            kill_process_group(worker, signal).ok();
        }
    }
    None
}

fn tell(control: &mut UnixStream, message: &Message) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    control.write_all(&line)
}
