//! What programs read: JUnit files. They are left in the target directory for `ci/junit` to hold against the schema.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cudacheck_model::event::{Event, Output, Timed};
use cudacheck_model::outcome::Outcome;
use cudacheck_report::junit::{Flaky, JUnitOptions, junit, probe, write};
use quick_junit::{Report, TestCaseStatus};

use crate::stream;

#[track_caller]
fn check(name: &str, events: &[Timed]) {
    check_with(name, events, &JUnitOptions::default());
}

#[track_caller]
fn check_with(name: &str, events: &[Timed], options: &JUnitOptions) {
    write(&file(name), &junit(events, options)).unwrap();
    let text = std::fs::read_to_string(file(name)).unwrap();
    parse(&text);
    insta::assert_snapshot!(name, text);
}

fn file(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("junit");
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(format!("{name}.xml"))
}

#[track_caller]
pub(crate) fn parse(text: &str) -> Report {
    Report::deserialize_from_str(text).unwrap()
}

#[test]
fn every_outcome_has_its_element() {
    check("junit-real", &stream::real());
    check("junit-simulated", &stream::simulated());
    check("junit-two-devices", &stream::two_devices());
}

#[test]
fn a_machine_without_a_driver_is_an_error() {
    check("junit-no-driver", &stream::no_driver());
}

#[test]
fn a_run_that_was_cut_off_has_a_report() {
    check("junit-cut-off", &stream::cut_off());
    check("junit-nothing", &[]);
}

#[test]
fn failed_attempts_before_a_pass_can_be_left_out() {
    let options = JUnitOptions {
        flaky: Flaky::Omit,
        run_directory: None,
    };
    let text = String::from_utf8(junit(&stream::real(), &options)).unwrap();
    assert!(!text.contains("flakyFailure"));
    assert!(text.contains("rerunFailure"));
}

#[test]
fn totals_are_those_of_the_cases() {
    for events in [
        stream::real(),
        stream::two_devices(),
        stream::no_driver(),
        stream::cut_off(),
    ] {
        let text = String::from_utf8(junit(&events, &JUnitOptions::default())).unwrap();
        let report = parse(&text);
        let suites = &report.test_suites;
        let cases = suites.iter().flat_map(|suite| &suite.test_cases);
        assert_eq!(report.tests, cases.clone().count());
        assert_eq!(
            report.failures,
            suites.iter().map(|suite| suite.failures).sum::<usize>()
        );
        assert_eq!(
            report.errors,
            suites.iter().map(|suite| suite.errors).sum::<usize>()
        );
        let skipped = cases
            .filter(|case| matches!(case.status, TestCaseStatus::Skipped { .. }))
            .count();
        assert_eq!(
            skipped,
            suites.iter().map(|suite| suite.skipped).sum::<usize>()
        );
    }
}

#[test]
fn names_are_unique_and_hold_no_uuid() {
    let text = String::from_utf8(junit(&stream::two_devices(), &JUnitOptions::default())).unwrap();
    let report = parse(&text);
    let mut names: Vec<String> = Vec::new();
    for case in report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
    {
        names.push(format!(
            "{} {}",
            case.classname.as_ref().unwrap().as_str(),
            case.name.as_str()
        ));
    }
    assert!(names.iter().all(|name| !name.contains("GPU-")));
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_flood_of_output_leaves_the_report_readable() {
    let mut events = Vec::new();
    for index in 0..100 {
        let finding = stream::finding(
            cudacheck_model::outcome::Problem::ExitCode(1),
            cudacheck_model::outcome::Class::Execution,
            "exit code 1",
        );
        let mut case = stream::finished(
            "flood",
            &format!("case-{index}"),
            None,
            Outcome::Fail(finding),
        );
        case.attempt.output = Output {
            head: "<&>\"".repeat(100_000),
            tail: String::new(),
            left_out: 0,
        };
        events.push(Event::CaseFinished(Box::new(case)));
    }
    let events = stream::timed(events);
    write(&file("flood"), &junit(&events, &JUnitOptions::default())).unwrap();
    let text = std::fs::read_to_string(file("flood")).unwrap();
    assert!(text.len() < 10_000_000, "{}", text.len());
    assert!(text.contains("bytes left out; full log: ./cudacheck-runs/RUN/flood.case-0/"));
    assert!(text.contains("bytes left out to keep this report readable"));
    assert_eq!(parse(&text).failures, 100);
}

#[test]
fn writing_replaces_the_file_and_leaves_nothing_behind() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replace");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("junit.xml");
    std::fs::write(&path, "old").unwrap();
    write(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    assert!(write(&directory.join("missing/junit.xml"), b"new").is_err());
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("device");
    std::fs::create_dir_all(&directory).unwrap();
    let link = directory.join("junit.xml");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    write(&link, b"gone").unwrap();
    assert!(!std::fs::metadata(&link).unwrap().is_file());
}

#[track_caller]
fn check_probe(path: &str, expected: Result<(), ErrorKind>) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("probe");
    std::fs::create_dir_all(directory.join("folder")).unwrap();
    std::fs::write(directory.join("old.xml"), "old").unwrap();
    let path = directory.join(path);
    assert_eq!(probe(&path).map_err(|error| error.kind()), expected);
    // Nothing is left behind, and what is foretold comes true.
    let entries = std::fs::read_dir(&directory).unwrap();
    assert!(
        entries
            .flatten()
            .all(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
    );
    assert_eq!(std::fs::read(directory.join("old.xml")).unwrap(), b"old");
    assert_eq!(write(&path, b"new").is_ok(), expected.is_ok());
}

#[test]
fn a_report_that_cannot_be_written_is_known_before() {
    check_probe("new.xml", Ok(()));
    check_probe("old.xml", Ok(()));
    check_probe("/dev/null", Ok(()));
    check_probe("folder", Err(ErrorKind::IsADirectory));
    check_probe("missing/new.xml", Err(ErrorKind::NotFound));
    check_probe("old.xml/new.xml", Err(ErrorKind::NotADirectory));
}
