//! The stub by itself: what it says, and that nothing outlives its runner or itself.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::setup::exists;

#[expect(
    clippy::disallowed_methods,
    reason = "the stub is what is tested here, without the runner"
)]
fn stub(command: &[&str]) -> (Child, BufReader<UnixStream>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut stub = Command::new(env!("CARGO_BIN_EXE_cudacheck-fake-worker"));
    stub.args(["__stub", "lead", "0"])
        .args(command)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = stub.spawn().unwrap();
    (child, BufReader::new(ours))
}

fn line(stream: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[track_caller]
fn check(command: &[&str], expected: &[&str]) {
    let (mut child, mut stream) = stub(command);
    let mut lines = Vec::new();
    loop {
        match line(&mut stream) {
            line if line.is_empty() => break,
            // The number differs each time.
            line if line.starts_with(r#"{"started""#) => lines.push("started".to_owned()),
            line => lines.push(line),
        }
    }
    assert_eq!(lines, expected);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_stub_says_how_its_worker_began_and_ended() {
    check(
        &["/bin/sh", "-c", "exit 7"],
        &[
            "started",
            r#"{"exited":{"code":7}}"#,
            r#"{"swept":{"leaked":0,"remaining":[]}}"#,
        ],
    );
    check(
        &["/bin/sh", "-c", "kill -SEGV $$"],
        &[
            "started",
            r#"{"signaled":{"signal":11}}"#,
            r#"{"swept":{"leaked":0,"remaining":[]}}"#,
        ],
    );
    check(
        &["/absent/program"],
        &[
            r#"{"not-started":{"reason":"`/absent/program`: No such file or directory (os error 2)"}}"#,
        ],
    );
    check(
        &["/"],
        &[r#"{"not-started":{"reason":"`/`: Permission denied (os error 13)"}}"#],
    );
    // Nobody can tell this from the code of a program that was not found but by the pipe.
    check(
        &["/bin/sh", "-c", "exit 127"],
        &[
            "started",
            r#"{"exited":{"code":127}}"#,
            r#"{"swept":{"leaked":0,"remaining":[]}}"#,
        ],
    );
}

fn started(stream: &mut BufReader<UnixStream>) -> String {
    let line = line(stream);
    line.chars().filter(char::is_ascii_digit).collect()
}

#[track_caller]
fn ends(pid: &str) {
    let begun = Instant::now();
    while exists(pid) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{pid} goes on");
        thread::yield_now();
    }
}

#[test]
fn a_worker_ends_with_its_runner() {
    let (mut child, mut stream) =
        stub(&["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
    let pid = started(&mut stream);
    assert!(exists(&pid));
    drop(stream);
    assert!(child.wait().unwrap().success());
    ends(&pid);
}

#[test]
fn a_worker_ends_with_its_stub() {
    let (mut child, mut stream) = stub(&["/bin/sh", "-c", "exec sleep 60"]);
    let pid = started(&mut stream);
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    ends(&pid);
}
