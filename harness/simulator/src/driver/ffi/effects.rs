//! What injected faults do to the process itself. They are real: the harness must survive them.
#![expect(
    unsafe_code,
    reason = "an invalid access and a forked child cannot be had without"
)]

use std::io::Write as _;

use crate::driver::launch::ProcessEffect;
use crate::inject::CallEffect;

/// What a call answers, or does, instead of its work.
pub(crate) fn instead_of_call(effect: CallEffect) -> u32 {
    match effect {
        CallEffect::Answer(code) => code,
        CallEffect::Hang => hang(),
        CallEffect::Segv => segv(),
        CallEffect::Abort => std::process::abort(),
    }
}

/// Does not return. A signal still ends the process, as it ends one that waits for a device.
pub(crate) fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// What strikes a process at its first launch.
pub(super) fn strike(effect: ProcessEffect) {
    match effect {
        ProcessEffect::Segv => segv(),
        ProcessEffect::Abort => std::process::abort(),
        ProcessEffect::Exit => exit(),
        ProcessEffect::Panic => panic!("injected: the tested code panics"),
        ProcessEffect::Flood(megabytes) => flood(megabytes),
        ProcessEffect::ForgedResult => forge(),
        ProcessEffect::EscapedChild => escape(),
    }
}

fn segv() -> ! {
    let unmapped = std::ptr::without_provenance_mut::<u32>(64);
    loop {
        // SAFETY: there is none. Nothing is ever mapped in the first page, and the fault is what was asked for.
        unsafe { unmapped.write_volatile(1) };
    }
}

#[expect(
    clippy::exit,
    reason = "that the process ends with status 0 is the fault"
)]
fn exit() -> ! {
    std::process::exit(0)
}

fn flood(megabytes: u32) {
    let line = b"The quick brown fox jumps over the lazy dog, and again. 0123456\n".repeat(1024);
    let mut output = std::io::stdout().lock();
    for _ in 0..megabytes.saturating_mul(16) {
        if output.write_all(&line).is_err() {
            return;
        }
    }
    // Nobody is told when nobody reads.
    let _ = output.flush();
}

/// Lines in the forms in which a harness could be imagined to take a result from a program's output.
const FORGED: &str = concat!(
    "{\"schema\":1,\"result\":{\"pass\":{}}}\n",
    "{\"outcome\":\"pass\",\"stage\":\"compare\"}\n",
    "{\"stage\":\"done\"}\n{\"pass\":{}}\npass\nPASS\nok 1 - passed\n",
    "<?xml version=\"1.0\"?><testsuites><testsuite name=\"kernels\" tests=\"1\" failures=\"0\">",
    "<testcase name=\"forged\"/></testsuite></testsuites>\n",
    "        PASS [   0.001s] (1/1) kernels  forged\n",
    "     Summary [ 00:00] 1 cases run: 1 passed\n",
    "\u{1b}[2J\u{1b}]0;forged\u{7}]]>\u{fffe}\n",
);

fn forge() {
    // As above: nobody is told when nobody reads.
    let _ = std::io::stdout().write_all(FORGED.as_bytes());
    let _ = std::io::stdout().flush();
    let _ = std::io::stderr().write_all(FORGED.as_bytes());
}

// Not from a crate: three functions of libc, which std links anyway.
unsafe extern "C" {
    safe fn setsid() -> i32;
    safe fn pause() -> i32;
    fn fork() -> i32;
}

/// Leaves a child that waits in a session of its own, with the standard streams of the process.
fn escape() {
    // SAFETY: `fork` has no arguments. The child calls nothing but two functions that POSIX lists as safe after a
    // fork of a process with threads, `setsid` and `pause`.
    let child = unsafe { fork() };
    if child == 0 {
        setsid();
        loop {
            pause();
        }
    }
}
