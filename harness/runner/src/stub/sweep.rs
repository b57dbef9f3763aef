//! Ends everything that a worker left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// How long the kernel gets to end a killed process before it is looked for again.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills this process's children until none is left. Returns how many there were, and those that remain
/// when the limit is over.
///
/// Orphans become children of this process, their own children follow when they are dead. Only children
/// are killed: their numbers cannot pass to another process before they are reaped here. Members of the
/// group that was told to end do not count: they may be about to.
pub(super) fn sweep(group: Option<Pid>, limit: Duration) -> io::Result<(u32, Vec<u32>)> {
    let begun = Instant::now();
    let mut leaked = BTreeSet::new();
    loop {
        if !reap()? {
            return Ok((count(&leaked), Vec::new()));
        }
        let alive = children()?;
        if begun.elapsed() > limit {
            let remaining = alive
                .iter()
                .filter_map(|child| u32::try_from(child.pid.as_raw_pid()).ok());
            return Ok((count(&leaked), remaining.collect()));
        }
        for child in alive {
            if group.map(Pid::as_raw_pid) != Some(child.group) {
                leaked.insert(child.pid.as_raw_pid());
            }
            kill_process(child.pid, Signal::KILL).ok();
        }
        thread::sleep(PAUSE);
    }
}

fn count(leaked: &BTreeSet<i32>) -> u32 {
    u32::try_from(leaked.len()).unwrap_or(u32::MAX)
}

/// Reaps what has ended. False if no child is left.
fn reap() -> io::Result<bool> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Ok(true),
            Err(Errno::CHILD) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

struct Child {
    pid: Pid,
    group: i32,
}

/// The children that still run.
fn children() -> io::Result<Vec<Child>> {
    let own = getpid();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended meanwhile has no file any more.
        let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else {
            continue;
        };
        let group = group_of_child(&stat, own.as_raw_pid());
        if let (Some(pid), Some(group)) = (Pid::from_raw(pid), group) {
            found.push(Child { pid, group });
        }
    }
    Ok(found)
}

/// The process group of `/proc/PID/stat`, if it is that of a running child of a process.
fn group_of_child(stat: &[u8], parent: i32) -> Option<i32> {
    let text = String::from_utf8_lossy(stat);
    // The name stands in parentheses and may contain anything, parentheses included.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let of_parent = fields.next()?.parse() == Ok(parent);
    let group = fields.next()?.parse().ok()?;
    (of_parent && !matches!(state, "Z" | "X")).then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stat: &str, expected: Option<i32>) {
        assert_eq!(group_of_child(stat.as_bytes(), 7), expected);
    }

    #[test]
    fn a_name_cannot_disguise_a_child() {
        check("12 (worker) S 7 13 12 0", Some(13));
        check("12 (a) Z 9 (b) R 7 13", Some(13));
        check("12 (worker) Z 7 13", None);
        check("12 (worker) S 8 13", None);
        check("12 (worker", None);
        check("", None);
    }
}
