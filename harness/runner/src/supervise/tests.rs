//! Stubs that do not do their part: the runner's own waits must end all the same.

use std::fs;

use std::time::Instant;

use super::*;

/// For a stub that goes on, whatever it hears.
const SOON: Duration = Duration::from_millis(250);
/// For a stub that ends by itself.
const NEVER: Duration = Duration::from_secs(30);

/// A shell takes the subcommand for a script in its directory, so a script is the stub here.
#[track_caller]
fn check(script: &str, expected: &str, wait: Duration) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(SUBCOMMAND), script).unwrap();
    let launch = Launch {
        executable: Path::new("/bin/sh"),
        command: vec!["worker".into()],
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        directory: directory.path(),
        log: &directory.path().join("output.log"),
        evidence: directory.path().join("stuck.txt"),
        waits: Waits {
            limit: wait * 4,
            slow: wait,
            grace: wait,
            kill_wait: wait,
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut notices = 0;
    let (_sender, mut interrupts) = watch::channel(Interrupt::None);
    let mut slow = |_| notices += 1;
    let done = runtime.block_on(supervise(&launch, &mut interrupts, &mut slow));
    let ending = match &done.ending {
        Ending::Stuck(fault) => format!("stuck: {}", fault.word()),
        Ending::Lost { reason } => format!("lost: {reason}"),
        Ending::NotStarted { reason } => format!("not started: {reason}"),
        Ending::Exited(code) => format!("exited {code}"),
        Ending::Signaled(signal) => format!("signal {signal}"),
        Ending::TimedOut { .. } => "timed out".to_owned(),
        Ending::Interrupted(signal) => format!("interrupted {signal}"),
    };
    assert_eq!(ending, expected);
    assert_eq!(notices, usize::from(wait == SOON));
}

/// Runs a script that writes a process to a file, which must be gone soon after.
#[track_caller]
fn check_gone(script: &str, expected: &str, wait: Duration) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("pid");
    check(
        &format!("file='{}'; {script}", file.display()),
        expected,
        wait,
    );
    let pid = fs::read_to_string(file).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    let running = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    let until = Instant::now() + NEVER;
    while running() && Instant::now() < until {
        std::thread::yield_now();
    }
    assert!(!running(), "the process {pid} lives on");
}

#[test]
fn a_worker_that_outlives_its_stub_is_killed() {
    check_gone(
        "sleep 300 >/dev/null 2>&1 <&- & echo $! >$file; printf '{\"started\":{\"pid\":%d}}\\n' $! >&0",
        "lost: the worker's stub ended without a word",
        NEVER,
    );
}

#[test]
fn a_stub_that_was_stopped_is_killed() {
    check_gone(
        "echo $$ >$file; kill -STOP $$",
        "lost: the worker's stub does not answer",
        SOON,
    );
}

#[test]
fn a_stub_that_breaks_its_word_is_lost_in_time() {
    check(
        "exit 0",
        "lost: the worker's stub ended without a word",
        NEVER,
    );
    check(
        "exec cat >/dev/null",
        "lost: the worker's stub does not answer",
        SOON,
    );
    check(
        "printf 'nonsense\n' >&0",
        "lost: the worker's stub said what nobody understands: expected value at line 1 column 1",
        NEVER,
    );
    check(
        "printf '{\"started\":{\"pid\":%d}}\\n' $$ >&0; exec cat >/dev/null",
        "stuck: unkillable",
        SOON,
    );
    check(
        "printf '{\"exited\":{\"code\":0}}\\n{\"swept\":{\"leaked\":0,\"remaining\":[]}}\\n' >&0",
        "exited 0",
        NEVER,
    );
    check(
        "printf '{\"exited\":{\"code\":0}}\\n{\"swept\":{\"leaked\":0,\"remaining\":[1]}}\\n' >&0",
        "stuck: unkillable",
        NEVER,
    );
}
