//! Every way for a worker to end, with every kind of journal.

mod library;

use std::time::Duration;

use cudacheck_model::facts::DriverFacts;
use cudacheck_model::journal::{self, JOURNAL_SCHEMA, MismatchKind};
use cudacheck_model::outcome::Explained;
use proptest::prelude::*;

use super::*;
use crate::ending::Ending::{Exited, Interrupted, Lost, NotStarted, Signaled, Stuck, TimedOut};

const MACHINE: Examines = Examines::Machine;
const PACKAGE: Examines = Examines::Package;

fn entry(record: Record) -> Entry {
    Entry {
        v: JOURNAL_SCHEMA,
        token: "t".to_owned(),
        at_us: 1,
        record,
    }
}

fn at(stage: Stage) -> Vec<Entry> {
    vec![
        entry(Record::Stage(Stage::Start)),
        entry(Record::Stage(stage)),
    ]
}

fn told(stage: Stage, result: CheckResult) -> Vec<Entry> {
    let mut entries = at(stage);
    entries.push(entry(Record::Result(result)));
    entries
}

fn differs(kind: MismatchKind) -> Vec<Entry> {
    let result = CheckResult::Mismatch {
        kind,
        expected: "the output equals the reference".to_owned(),
        found: "word 7 is 0x1 instead of 0x2".to_owned(),
    };
    told(Stage::Compare, result)
}

fn cuda_at(stage: Stage, code: i32) -> Vec<Entry> {
    let result = CheckResult::Cuda {
        function: "cuCall".to_owned(),
        code,
        name: String::new(),
        text: "it failed".to_owned(),
        log: String::new(),
    };
    told(stage, result)
}

fn sixty() -> Ending {
    TimedOut {
        limit: Duration::from_secs(60),
    }
}

fn unkillable() -> Ending {
    Stuck(MachineFault::Unkillable {
        pid: 7,
        seconds: 10,
        state: "D".to_owned(),
    })
}

fn outcome(examines: Examines, ending: &Ending, entries: &[Entry]) -> Outcome {
    let driver = DriverFacts {
        cuda: "11.4".parse().ok(),
        ..DriverFacts::default()
    };
    let context = Context {
        device: None,
        driver: &driver,
        package: None,
    };
    classify(examines, ending, entries, &context)
}

/// An outcome in one line: kind, word, class, stage.
fn line(outcome: &Outcome) -> String {
    let (kind, finding) = match outcome {
        Outcome::Pass => return "pass".to_owned(),
        Outcome::Skip(reason) => return format!("skip {}", reason.word()),
        Outcome::Fail(finding) => ("fail", finding),
        Outcome::Fault(finding) => ("fault", finding),
        Outcome::ExpectedFail { finding, .. } => ("expected-fail", finding),
        Outcome::UnexpectedPass { .. } => return "unexpected-pass".to_owned(),
    };
    assert!(
        !finding.remedy.is_empty() && !finding.expected.is_empty() && !finding.error.is_empty()
    );
    let stage = finding
        .stage
        .map_or("nowhere".to_owned(), |stage| stage.to_string());
    let class = format!("{:?}", finding.class).to_lowercase();
    format!("{kind} {} {class} {stage}", finding.problem.word())
}

/// What the same worker means for a package, and for the machine's own suite.
#[track_caller]
fn check(ending: Ending, entries: Vec<Entry>, package: &str, machine: &str) {
    assert_eq!(line(&outcome(PACKAGE, &ending, &entries)), package);
    assert_eq!(line(&outcome(MACHINE, &ending, &entries)), machine);
}

#[track_caller]
fn both(ending: Ending, entries: Vec<Entry>, expected: &str) {
    check(ending, entries, expected, expected);
}

#[test]
fn a_pass_needs_a_result_and_a_clean_end() {
    let passed = || told(Stage::Release, CheckResult::Pass);
    both(Exited(0), passed(), "pass");
    check(
        Exited(3),
        passed(),
        "fail exit-code execution release",
        "fault exit-code machine release",
    );
    check(
        Signaled(11),
        passed(),
        "fail signal execution release",
        "fault signal machine release",
    );
    check(
        sixty(),
        passed(),
        "fail timeout execution release",
        "fault timeout machine release",
    );
    both(
        Exited(0),
        at(Stage::Compare),
        "fault no-result machine compare",
    );
    both(Exited(0), Vec::new(), "fault no-result machine nowhere");
    both(unkillable(), passed(), "fault unkillable machine release");
    both(Interrupted(2), passed(), "skip interrupted");
}

#[test]
fn a_death_is_the_packages_only_once_its_code_runs() {
    check(
        Signaled(11),
        at(Stage::Launch),
        "fail signal execution launch",
        "fault signal machine launch",
    );
    both(
        Signaled(11),
        at(Stage::Initialize),
        "fault signal machine initialize",
    );
    both(Signaled(11), Vec::new(), "fault signal machine nowhere");
    check(
        Signaled(6),
        at(Stage::Module),
        "fail signal execution module",
        "fault signal machine module",
    );
    // The kernel's killer for want of memory, or a person.
    both(
        Signaled(9),
        at(Stage::Launch),
        "fault signal machine launch",
    );
    check(
        Exited(3),
        at(Stage::Launch),
        "fail exit-code execution launch",
        "fault exit-code machine launch",
    );
    both(
        Exited(101),
        at(Stage::Launch),
        "fault exit-code machine launch",
    );
    both(Exited(1), Vec::new(), "fault exit-code machine nowhere");
    check(
        sixty(),
        at(Stage::Synchronize),
        "fail timeout execution synchronize",
        "fault timeout machine synchronize",
    );
    both(sixty(), at(Stage::Context), "fault timeout machine context");
    both(Interrupted(15), at(Stage::Launch), "skip interrupted");
    both(
        unkillable(),
        at(Stage::Synchronize),
        "fault unkillable machine synchronize",
    );
    let lost = Lost {
        reason: "gone".to_owned(),
    };
    both(lost, at(Stage::Launch), "fault harness machine launch");
    let missing = NotStarted {
        reason: "no such file".to_owned(),
    };
    both(missing, Vec::new(), "fault harness machine nowhere");
}

#[test]
fn a_wrong_result_is_judged_by_what_is_examined() {
    check(
        Exited(0),
        differs(MismatchKind::WrongResult),
        "fail wrong-result numerical compare",
        "fault wrong-result machine compare",
    );
    check(
        Exited(0),
        differs(MismatchKind::ReducedPrecision),
        "fail reduced-precision numerical compare",
        "fault reduced-precision machine compare",
    );
    check(
        Exited(0),
        differs(MismatchKind::NeverWritten),
        "fail never-written numerical compare",
        "fault never-written machine compare",
    );
    check(
        Exited(0),
        differs(MismatchKind::StrayWrite),
        "fail stray-write numerical compare",
        "fault stray-write machine compare",
    );
    check(
        Exited(0),
        differs(MismatchKind::InputChanged),
        "fail input-changed numerical compare",
        "fault input-changed machine compare",
    );
    both(
        Exited(0),
        differs(MismatchKind::NotRepeatable),
        "fault not-repeatable machine compare",
    );
    check(
        Signaled(11),
        differs(MismatchKind::WrongResult),
        "fail wrong-result numerical compare",
        "fault wrong-result machine compare",
    );
}

#[test]
fn an_error_of_cuda_is_blamed_by_its_code() {
    check(
        Exited(0),
        cuda_at(Stage::Module, 209),
        "fail no-kernel-image architecture module",
        "fault no-kernel-image machine module",
    );
    check(
        Exited(0),
        cuda_at(Stage::Module, 218),
        "fail cuda-error loading module",
        "fault cuda-error machine module",
    );
    check(
        Exited(0),
        cuda_at(Stage::Module, 222),
        "fail cuda-error architecture module",
        "fault cuda-error machine module",
    );
    both(
        Exited(0),
        cuda_at(Stage::Module, 221),
        "fault cuda-error machine module",
    );
    check(
        Exited(0),
        cuda_at(Stage::Synchronize, 700),
        "fail cuda-error execution synchronize",
        "fault cuda-error machine synchronize",
    );
    both(
        Exited(0),
        cuda_at(Stage::Synchronize, 214),
        "fault cuda-error machine synchronize",
    );
    both(
        Exited(0),
        cuda_at(Stage::Allocate, 2),
        "fault cuda-error machine allocate",
    );
    both(
        Exited(0),
        cuda_at(Stage::Initialize, 801),
        "fault cuda-error machine initialize",
    );
    both(
        Exited(0),
        cuda_at(Stage::Initialize, 803),
        "fault cuda-error machine initialize",
    );
    check(
        Exited(0),
        cuda_at(Stage::Launch, 7777),
        "fail cuda-error execution launch",
        "fault cuda-error machine launch",
    );
}

#[test]
fn a_fault_and_a_skip_are_taken_from_the_journal() {
    let lost = CheckResult::Machine(MachineFault::ModuleNotLoaded);
    both(
        Exited(0),
        told(Stage::Initialize, lost),
        "fault driver-not-loaded machine initialize",
    );
    let skip = || {
        let reason = SkipReason::UnknownFact {
            what: "x".to_owned(),
        };
        told(Stage::Device, CheckResult::Skip { reason })
    };
    both(Exited(0), skip(), "skip unknown-fact");
    both(Signaled(11), skip(), "fault signal machine device");
}

fn finding(outcome: Outcome) -> Finding {
    match &outcome {
        Outcome::Fail(finding) | Outcome::Fault(finding) => finding.as_ref().clone(),
        Outcome::Pass
        | Outcome::Skip(_)
        | Outcome::ExpectedFail { .. }
        | Outcome::UnexpectedPass { .. } => panic!("{outcome:?} is not a finding"),
    }
}

#[track_caller]
fn check_words(ending: Ending, entries: Vec<Entry>, expected: [&str; 4]) {
    let finding = finding(outcome(PACKAGE, &ending, &entries));
    let words = [
        &finding.expected,
        &finding.error,
        finding.cause.text(),
        &finding.remedy,
    ];
    assert_eq!(words, expected);
}

#[test]
fn a_finding_says_what_was_expected_and_what_to_do() {
    check_words(
        sixty(),
        at(Stage::Synchronize),
        [
            "the kernel finishes within 60 s",
            "it was stopped after 60 s at stage synchronize",
            "unknown",
            "dmesg | grep Xid; if the kernel is only slow, raise limits.time-s",
        ],
    );
    check_words(
        Exited(0),
        cuda_at(Stage::Module, 222),
        [
            "`cuCall` succeeds",
            "`cuCall`: it failed (CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)",
            "the PTX is newer than the driver's just-in-time compiler: this driver supports CUDA 11.4 and so PTX ISA up to 7.4",
            "update the driver, or build with an older toolkit or with machine code for the device",
        ],
    );
    check_words(
        Signaled(11),
        at(Stage::Launch),
        [
            "the worker ends by itself and with a result",
            "it was ended by SIGSEGV (11) at stage launch",
            "the process accessed memory that it does not have",
            "ulimit -c unlimited and run the worker under gdb; dmesg | grep segfault names the library",
        ],
    );
}

#[test]
fn details_keep_what_happened_besides() {
    let mut entries = at(Stage::Module);
    entries.push(entry(Record::JitLog {
        info: String::new(),
        error: "line 3: bad\nline 4: worse".to_owned(),
    }));
    entries.extend(cuda_at(Stage::Module, 218));
    let found = finding(outcome(PACKAGE, &Signaled(11), &entries));
    assert_eq!(
        found.details,
        [
            "line 3: bad",
            "line 4: worse",
            "then the worker was ended by SIGSEGV"
        ]
    );
    let mut entries = at(Stage::Launch);
    entries.push(entry(Record::Note {
        key: "panic".to_owned(),
        value: "missing symbol".to_owned(),
    }));
    let found = finding(outcome(PACKAGE, &Exited(101), &entries));
    assert_eq!(found.details, ["missing symbol"]);
}

#[track_caller]
fn check_expected(examines: Examines, ending: Ending, entries: Vec<Entry>, expected: &str) {
    let known = cudacheck_model::suite::ExpectedFailure {
        because: "a known weakness".to_owned(),
        compute_capability: None,
    };
    let outcome = outcome(examines, &ending, &entries);
    assert_eq!(
        line(&expect(outcome, examines, Some(&known), None)),
        expected
    );
}

#[test]
fn an_expected_failure_is_judged_only_where_it_could_be_judged() {
    let wrong = || differs(MismatchKind::WrongResult);
    check_expected(
        PACKAGE,
        Exited(0),
        wrong(),
        "expected-fail wrong-result numerical compare",
    );
    check_expected(
        MACHINE,
        Exited(0),
        wrong(),
        "expected-fail wrong-result machine compare",
    );
    check_expected(
        PACKAGE,
        Exited(0),
        told(Stage::Release, CheckResult::Pass),
        "unexpected-pass",
    );
    check_expected(
        PACKAGE,
        unkillable(),
        wrong(),
        "fault unkillable machine compare",
    );
    check_expected(
        MACHINE,
        Exited(0),
        cuda_at(Stage::Launch, 214),
        "fault cuda-error machine launch",
    );
    check_expected(
        PACKAGE,
        Exited(0),
        cuda_at(Stage::Initialize, 803),
        "fault cuda-error machine initialize",
    );
}

#[test]
fn every_fault_that_explains_itself_reaches_the_report() {
    let fault = MachineFault::NoDevice;
    let entries = told(Stage::Device, CheckResult::Machine(fault.clone()));
    let found = finding(outcome(PACKAGE, &Exited(0), &entries));
    assert_eq!(found.cause, fault.cause());
    assert_eq!(found.remedy, fault.remedy());
}

/// The cause and the remedy of a refused module on an Orin whose driver supports CUDA 11.4.
fn refused(code: i32, package: Option<compat::Package>) -> String {
    let driver = DriverFacts {
        cuda: "11.4".parse().ok(),
        ..DriverFacts::default()
    };
    let context = Context {
        device: Some(&orin()),
        driver: &driver,
        package: package.as_ref(),
    };
    let entries = cuda_at(Stage::Module, code);
    let finding = finding(classify(PACKAGE, &Exited(0), &entries, &context));
    format!("{} -> {}", finding.cause.text(), finding.remedy)
}

fn orin() -> Device {
    serde_json::from_value(serde_json::json!({
        "ordinal": 0, "name": "Orin", "uuid": null, "compute-capability": "8.7",
        "memory-bytes": 1, "multiprocessors": 8, "pci": null, "integrated": true,
        "ecc": null, "ecc-uncorrected": null, "mig": null, "compute-mode": null, "attributes": {},
    }))
    .unwrap()
}

#[track_caller]
fn check_proof(code: i32, entries: &[compat::Code], expected: &str) {
    let package = compat::Package::named("magma").with_code(entries.to_vec());
    assert_eq!(refused(code, Some(package)), expected);
}

#[test]
fn a_package_s_own_entries_prove_why_its_code_was_refused() {
    let machine = |text: &str| compat::Code::Machine(text.parse().unwrap());
    let ptx = |text: &str, isa: &str| compat::Code::Ptx(text.parse().unwrap(), isa.parse().ok());
    check_proof(
        209,
        &[machine("sm_80"), machine("sm_86")],
        "magma carries machine code for sm_80, sm_86 and no PTX; this device is sm_87 -> build magma with cudaCapabilities = [ \"8.7\" ]",
    );
    check_proof(
        222,
        &[machine("sm_75"), ptx("compute_75", "8.4")],
        "magma carries machine code for sm_75 and PTX for compute_75; its PTX is of version 8.4, this driver supports CUDA 11.4 and so PTX ISA up to 7.4, and this device is sm_87 -> build magma with cudaCapabilities = [ \"8.7\" ]; or install a driver that supports CUDA 12.4",
    );
    // What fits is not the reason, and what is not known proves nothing.
    let fitting = compat::Package::named("magma").with_code(vec![machine("sm_87")]);
    let assumed = compat::Package::of_toolkit("12.4".parse().unwrap());
    for code in [209, 222] {
        let general = refused(code, None);
        assert!(!general.contains("magma"), "{general}");
        assert_eq!(refused(code, Some(fitting.clone())), general);
        assert_eq!(refused(code, Some(assumed.clone())), general);
    }
}

/// A whole journal as a worker writes it.
fn whole() -> String {
    let records = [
        Record::Stage(Stage::Start),
        Record::Note {
            key: "seed".to_owned(),
            value: "7".to_owned(),
        },
        Record::Stage(Stage::Launch),
        Record::Result(CheckResult::Pass),
    ];
    let lines = records.map(|record| serde_json::to_string(&entry(record)).unwrap() + "\n");
    lines.concat()
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Exited(0)),
        any::<i32>().prop_map(Exited),
        any::<i32>().prop_map(Signaled),
        any::<i32>().prop_map(Interrupted),
        Just(sixty()),
        Just(unkillable()),
        ".*".prop_map(|reason| NotStarted { reason }),
        ".*".prop_map(|reason| Lost { reason }),
    ]
}

proptest! {
    #[test]
    fn no_journal_panics_and_none_without_a_result_passes(
        ending in any_ending(),
        cut in 0usize..600,
        change in 0usize..600,
        byte: u8,
        package: bool,
    ) {
        let mut bytes = whole().into_bytes();
        bytes.truncate(cut);
        if let Some(place) = bytes.get_mut(change) {
            *place = byte;
        }
        let entries = journal::read(&String::from_utf8_lossy(&bytes), "t");
        let examines = if package { PACKAGE } else { MACHINE };
        let outcome = outcome(examines, &ending, &entries);
        let result = entries.iter().any(|entry| matches!(entry.record, Record::Result(_)));
        prop_assert!(outcome != Outcome::Pass || (result && ending == Exited(0)));
        if let Outcome::Fail(_) | Outcome::Fault(_) = &outcome {
            // Its own assertions: every finding has all of its words.
            line(&outcome);
        }
    }
}
