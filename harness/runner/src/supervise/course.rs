//! Follows one worker by its stub's messages, and ends it when its time is over.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use cudacheck_model::outcome::MachineFault;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::ending::Ending;
use crate::interrupt::Interrupt;
use crate::stub::{Message, SWEEP_LIMIT};

const TERM: i32 = 15;
const KILL: i32 = 9;

/// How long a worker may take, and how long each step of ending it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// Until SIGTERM.
    pub(crate) limit: Duration,
    /// Until it is reported as slow.
    pub(crate) slow: Duration,
    /// Between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
    /// Between SIGKILL and giving up.
    pub(crate) kill_wait: Duration,
}

/// How a worker went.
pub(super) struct Course {
    pub(super) ending: Ending,
    pub(super) duration: Duration,
    pub(super) leaked: u32,
}

/// Why a worker is being ended.
#[derive(Clone, Copy)]
enum Reason {
    TimedOut,
    Interrupted(i32),
}

#[derive(Clone, Copy)]
enum Phase {
    Running,
    Asked(Reason),
    Killed(Reason),
}

struct Follower<'a> {
    lines: Lines<BufReader<OwnedReadHalf>>,
    signals: OwnedWriteHalf,
    waits: &'a Waits,
    begun: Instant,
    phase: Phase,
    /// When the phase is over.
    next: Instant,
    pid: Option<u32>,
    /// The worker itself, whoever has its number by now.
    worker: Option<OwnedFd>,
}

/// Follows a worker to its end, to the end of its time, or to the end of patience.
pub(super) async fn follow(
    control: UnixStream,
    waits: &Waits,
    evidence: &Path,
    interrupts: &mut watch::Receiver<Interrupt>,
    slow: &mut (dyn FnMut(Duration) + Send),
) -> Course {
    let (reading, writing) = control.into_split();
    let begun = Instant::now();
    let mut follower = Follower {
        lines: BufReader::new(reading).lines(),
        signals: writing,
        waits,
        begun,
        phase: Phase::Running,
        next: begun + waits.limit,
        pid: None,
        worker: None,
    };
    let ending = follower.until_end(interrupts, slow).await;
    let duration = begun.elapsed();
    let mut course = Course {
        ending,
        duration,
        leaked: 0,
    };
    match course.ending {
        Ending::Exited(_)
        | Ending::Signaled(_)
        | Ending::TimedOut { .. }
        | Ending::Interrupted(_) => {
            let remaining = follower.swept(&mut course).await;
            if let Some(pid) = remaining {
                course.ending = stuck(pid, SWEEP_LIMIT, evidence);
            }
        }
        Ending::Stuck(_) => {
            let pid = follower.pid.unwrap_or_default();
            course.ending = stuck(pid, waits.kill_wait, evidence);
            follower.kill_worker();
        }
        // The kernel ends a worker with its stub, unless the worker has asked it not to.
        Ending::Lost { .. } => follower.kill_worker(),
        Ending::NotStarted { .. } => {}
    }
    course
}

impl Follower<'_> {
    async fn until_end(
        &mut self,
        interrupts: &mut watch::Receiver<Interrupt>,
        slow: &mut (dyn FnMut(Duration) + Send),
    ) -> Ending {
        let slow_at = self.begun + self.waits.slow;
        let mut told_slow = self.waits.slow >= self.waits.limit;
        let mut interruptible = true;
        loop {
            tokio::select! {
                biased;
                line = self.lines.next_line() => {
                    let line = line.ok().flatten();
                    if let Some(ending) = self.hear(line.as_deref()) {
                        return ending;
                    }
                }
                changed = interrupts.changed(), if interruptible => {
                    interruptible = changed.is_ok();
                    let interrupt = *interrupts.borrow_and_update();
                    self.interrupt(interrupt).await;
                }
                () = sleep_until(slow_at), if !told_slow => {
                    told_slow = true;
                    slow(self.begun.elapsed());
                }
                () = sleep_until(self.next) => {
                    if let Some(ending) = self.escalate().await {
                        return ending;
                    }
                }
            }
        }
    }

    /// What a message of the stub means. None if the worker goes on.
    fn hear(&mut self, line: Option<&str>) -> Option<Ending> {
        let Some(line) = line else {
            return Some(Ending::Lost {
                reason: "the worker's stub ended without a word".to_owned(),
            });
        };
        match serde_json::from_str(line) {
            Ok(Message::Started { pid }) => {
                self.pid = Some(pid);
                self.worker = handle(pid);
                None
            }
            Ok(Message::NotStarted { reason }) => Some(Ending::NotStarted { reason }),
            Ok(Message::Exited { code }) => Some(self.ended(Ending::Exited(code))),
            Ok(Message::Signaled { signal }) => Some(self.ended(Ending::Signaled(signal))),
            Ok(Message::Swept { .. }) => None,
            Err(error) => Some(Ending::Lost {
                reason: format!("the worker's stub said what nobody understands: {error}"),
            }),
        }
    }

    /// Why it ended: by itself, unless it was being ended.
    fn ended(&self, by_itself: Ending) -> Ending {
        match self.phase {
            Phase::Running => by_itself,
            Phase::Asked(Reason::TimedOut) | Phase::Killed(Reason::TimedOut) => Ending::TimedOut {
                limit: self.waits.limit,
            },
            // A worker that finished its work in the meantime has a result.
            Phase::Asked(Reason::Interrupted(signal))
            | Phase::Killed(Reason::Interrupted(signal)) => {
                if by_itself == Ending::Exited(0) {
                    by_itself
                } else {
                    Ending::Interrupted(signal)
                }
            }
        }
    }

    async fn interrupt(&mut self, interrupt: Interrupt) {
        match (interrupt, self.phase) {
            (Interrupt::None, _) | (_, Phase::Killed(_)) => {}
            (Interrupt::Asked(signal), Phase::Running) => {
                self.send(signal).await;
                self.phase = Phase::Asked(Reason::Interrupted(signal));
                self.next = Instant::now() + self.waits.grace;
            }
            (Interrupt::Asked(_), Phase::Asked(_)) => {}
            (Interrupt::Now(signal), Phase::Running) => {
                self.kill(Reason::Interrupted(signal)).await;
            }
            (Interrupt::Now(_), Phase::Asked(reason)) => self.kill(reason).await,
        }
    }

    /// The next step when a wait is over. Some after the last.
    async fn escalate(&mut self) -> Option<Ending> {
        match self.phase {
            Phase::Running => {
                self.send(TERM).await;
                self.phase = Phase::Asked(Reason::TimedOut);
                self.next = Instant::now() + self.waits.grace;
                None
            }
            Phase::Asked(reason) => {
                self.kill(reason).await;
                None
            }
            Phase::Killed(_) if self.pid.is_none() => Some(Ending::Lost {
                reason: "the worker's stub does not answer".to_owned(),
            }),
            Phase::Killed(_) => Some(Ending::Stuck(MachineFault::Unkillable {
                pid: self.pid.unwrap_or_default(),
                seconds: self.waits.kill_wait.as_secs(),
                state: String::new(),
            })),
        }
    }

    async fn kill(&mut self, reason: Reason) {
        self.send(KILL).await;
        self.phase = Phase::Killed(reason);
        self.next = Instant::now() + self.waits.kill_wait;
    }

    /// Sends a signal to the worker's group. A stub that is gone is noticed where its messages are read.
    async fn send(&mut self, signal: i32) {
        let bytes = [u8::try_from(signal).unwrap_or_default()];
        let sending = self.signals.write_all(&bytes);
        timeout(Duration::from_secs(1), sending).await.ok();
    }

    /// Kills the worker without its stub's help.
    fn kill_worker(&self) {
        if let Some(worker) = &self.worker {
            pidfd_send_signal(worker, Signal::KILL).ok();
        }
    }

    /// Waits until what the worker left behind is gone. Returns a process that does not go.
    async fn swept(&mut self, course: &mut Course) -> Option<u32> {
        let limit = SWEEP_LIMIT + Duration::from_secs(2);
        let line = timeout(limit, self.lines.next_line()).await;
        let line = line.ok()?.ok()??;
        match serde_json::from_str(&line) {
            Ok(Message::Swept { leaked, remaining }) => {
                course.leaked = leaked;
                remaining.first().copied()
            }
            Ok(
                Message::Started { .. }
                | Message::NotStarted { .. }
                | Message::Exited { .. }
                | Message::Signaled { .. },
            )
            | Err(_) => None,
        }
    }
}

/// A handle on a process that its stub has not reaped, and whose number is therefore its own. None if it has
/// ended all the same, with its stub.
fn handle(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Records what the kernel says of a process that does not end.
fn stuck(pid: u32, waited: Duration, evidence: &Path) -> Ending {
    let mut text = String::new();
    for file in ["stat", "wchan", "status", "stack"] {
        let path = format!("/proc/{pid}/{file}");
        let content = fs::read_to_string(&path).unwrap_or_else(|error| error.to_string());
        // Writing to a string cannot fail.
        writeln!(text, "== {path}\n{content}").ok();
    }
    // What lies there already is not ours, and may be a pipe that takes no text.
    let file = File::create_new(evidence);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .ok();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().next());
    Ending::Stuck(MachineFault::Unkillable {
        pid,
        seconds: waited.as_secs(),
        state: state.unwrap_or("unknown").to_owned(),
    })
}
