//! What a worker does with its task and its journal, whatever the machine.
#![expect(
    clippy::unwrap_used,
    reason = "a test's own functions fail as the test does"
)]

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::{self, CheckResult, Record, Stage};
use cudacheck_model::suite::{Check, KernelCheck, LinkageCheck};
use cudacheck_model::task::{CheckWork, DriverFiles, FactsWork, TASK_SCHEMA, Task, Work};

const TOKEN: &str = "known to two";

/// Finds one flaw in a package of one path, and none in an empty one.
fn linkage(_: &LinkageCheck, package: &[PathBuf], _: Option<&Path>) -> CheckResult {
    match package {
        [] => CheckResult::Pass,
        _ => CheckResult::Flaws(Vec::new()),
    }
}

/// Runs a worker in this process. Answers its exit code and its journal.
fn run(work: Work, driver: DriverFiles) -> (u8, Vec<Record>) {
    let folder = tempfile::tempdir().unwrap();
    let (task, journal) = (folder.path().join("task"), folder.path().join("journal"));
    let text = serde_json::to_string(&Task {
        schema: TASK_SCHEMA,
        id: "a.b.0".to_owned(),
        token: TOKEN.to_owned(),
        work,
        driver,
    });
    fs::write(&task, text.unwrap()).unwrap();
    let code = cudacheck_worker::main(&task, &journal, linkage);
    assert!(!task.exists(), "the token stays readable");
    let text = fs::read_to_string(&journal).unwrap();
    let records: Vec<Record> = journal::read(&text, TOKEN)
        .into_iter()
        .map(|entry| entry.record)
        .collect();
    assert_eq!(records.len(), text.lines().count());
    assert_eq!(records[0], Record::Stage(Stage::Start));
    (code, records)
}

#[track_caller]
fn check(kernel: &str, libcuda: Option<&Path>, expected: fn(&MachineFault) -> bool) {
    let work = Work::Check(Box::new(CheckWork {
        check: Check::Kernel(KernelCheck {
            name: kernel.to_owned(),
            seed: None,
        }),
        seed: 7,
        memory_budget: 1 << 20,
        package: Vec::new(),
        facts: None,
        subject: None,
    }));
    let driver = DriverFiles {
        libcuda: libcuda.map(Path::to_owned),
        nvml: None,
    };
    let (code, records) = run(work, driver);
    assert_eq!(code, 0);
    match records.last() {
        Some(Record::Result(CheckResult::Machine(fault))) => assert!(expected(fault), "{fault}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_check_that_cannot_start_is_the_machines_fault() {
    check("launch-canary", None, |fault| {
        matches!(fault, MachineFault::DriverNotFound { .. })
    });
    check(
        "launch-canary",
        Some(Path::new("/nowhere/libcuda.so.1")),
        |fault| matches!(fault, MachineFault::LibraryUnusable { reason, .. } if reason.contains("cannot open")),
    );
    check("no-such-kernel", None, |fault| {
        matches!(fault, MachineFault::Harness { .. })
    });
}

#[test]
fn an_empty_tree_has_no_driver() {
    let sysroot = tempfile::tempdir().unwrap();
    let work = Work::Facts(FactsWork {
        sysroot: sysroot.path().to_owned(),
        simulated: None,
    });
    let (code, records) = run(work, DriverFiles::default());
    assert_eq!(code, 0);
    let Some(Record::Facts(facts)) = records.last() else {
        panic!("{records:?}");
    };
    assert!(matches!(
        facts.faults.as_slice(),
        [MachineFault::DriverNotFound { searched }] if searched.len() > 5
    ));
}

#[test]
fn without_a_task_there_is_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    assert_eq!(
        cudacheck_worker::main(&folder.path().join("none"), &journal, linkage),
        1
    );
    let torn = folder.path().join("torn");
    fs::write(&torn, "{\"schema\": 1,").unwrap();
    assert_eq!(cudacheck_worker::main(&torn, &journal, linkage), 1);
    assert!(!journal.exists());
}

#[test]
fn a_check_of_files_is_made_without_a_driver() {
    let result = |package: &[&str]| {
        let work = Work::Check(Box::new(CheckWork {
            check: Check::Linkage(LinkageCheck {
                flaw: None,
                severity: None,
                expect: None,
                platform: None,
            }),
            seed: 1,
            memory_budget: 0,
            package: package.iter().map(PathBuf::from).collect(),
            facts: None,
            subject: None,
        }));
        let (code, records) = run(work, DriverFiles::default());
        (code, records.last().cloned())
    };
    let flaws = CheckResult::Flaws(Vec::new());
    assert_eq!(result(&[]), (0, Some(Record::Result(CheckResult::Pass))));
    assert_eq!(result(&["/p"]), (0, Some(Record::Result(flaws))));
}
