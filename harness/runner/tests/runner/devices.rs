//! Devices: side by side, locked against other runners, and withdrawn when they are broken.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use crate::setup::{Setup, device, runtime, task};
use cudacheck_model::plan::Planned;
use cudacheck_model::task::{DriverFiles, FactsWork};
use rustix::fs::{FlockOperation, flock};

fn on(mut task: Planned, device: u32) -> Planned {
    task.id.device = Some(device);
    task.device = usize::try_from(device).ok();
    task
}

#[test]
fn devices_work_side_by_side() {
    let mut setup = Setup::new();
    setup.facts.devices.push(device(1));
    let told = setup.run(vec![on(task("meet"), 0), on(task("meet"), 1)]);
    assert_eq!(told.lines(), ["meet pass", "meet pass"]);
}

#[test]
fn a_broken_device_is_withdrawn_and_the_others_go_on() {
    let mut setup = Setup::new();
    setup.facts.devices.push(device(1));
    setup.config.jobs = std::num::NonZeroUsize::MIN;
    let told = setup.run(vec![
        on(task("ecc"), 0),
        on(task("pass"), 0),
        on(task("pass"), 1),
    ]);
    let mut lines = told.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "device 0 withdrawn: gpu-unfit",
            "ecc fault cuda-error",
            "pass pass",
            "pass skip device-withdrawn"
        ]
    );
    assert_eq!(told.summary.exit_code(), 6);
}

#[test]
fn a_device_that_another_runner_holds_is_not_used() {
    let setup = Setup::new();
    let locks = &setup.config.lock_dir;
    fs::create_dir_all(locks).unwrap();
    let file = File::create(locks.join("cudacheck-GPU-0.lock")).unwrap();
    flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let told = setup.run(vec![task("pass")]);
    assert_eq!(told.lines(), ["device 0 awaited", "pass fault harness"]);
    drop(file);
    let told = setup.run(vec![task("pass")]);
    assert_eq!(told.lines(), ["pass pass"]);
}

/// A stub whose worker survives SIGKILL: it says that one runs, and hears no signal.
#[test]
fn a_worker_that_cannot_be_killed_does_not_stop_the_run() {
    let mut setup = Setup::new();
    // A shell takes the stub's subcommand for a script in the worker's directory.
    setup.config.executable = PathBuf::from("/bin/sh");
    let private = setup.case("s.stuck.0").join("private");
    fs::create_dir_all(&private).unwrap();
    let text = "printf '{\"started\":{\"pid\":%d}}\\n' $$ >&0; exec cat >/dev/null\n";
    fs::write(private.join("__stub"), text).unwrap();
    setup.config.kill_wait = Duration::from_millis(100);
    setup.config.grace = Duration::from_millis(100);
    let mut stuck = task("stuck");
    stuck.limits.time_s = Some(2);
    let told = setup.run(vec![stuck, task("pass")]);
    assert_eq!(
        told.lines(),
        [
            "stuck fault unkillable",
            "device 0 withdrawn: unkillable",
            "pass skip device-withdrawn"
        ]
    );
    assert_eq!(told.summary.exit_code(), 6);
    let evidence = fs::read_to_string(setup.case("s.stuck.0").join("stuck.txt")).unwrap();
    assert!(evidence.contains("State:"), "{evidence}");
}

#[track_caller]
fn check_probe(behaviour: &str, seconds: u64, expected: &[&str]) {
    let mut setup = Setup::new();
    setup.config.probe_timeout = Duration::from_secs(seconds);
    let work = FactsWork {
        sysroot: PathBuf::from(behaviour),
        simulated: None,
    };
    let probing = cudacheck_runner::probe(&setup.config, work, DriverFiles::default());
    let facts = runtime().block_on(probing);
    let faults: Vec<_> = facts.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, expected);
}

#[test]
fn a_probe_that_hangs_or_dies_is_a_fact() {
    check_probe("facts", 60, &[]);
    check_probe(
        "hang",
        2,
        &["the driver did not answer within 2 s, at stage start"],
    );
    check_probe(
        "segv",
        60,
        &["the probe of the driver ended with SIGSEGV at stage start"],
    );
    check_probe(
        "silent",
        60,
        &["the probe of the driver ended with exit code 0 and no answer at stage start"],
    );
}
