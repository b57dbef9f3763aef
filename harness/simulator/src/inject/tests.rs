//! Faults are read as they are printed, and what is none is refused with a hint.

use super::*;

#[track_caller]
fn check(text: &str) {
    assert_eq!(Injection::parse(text).unwrap().to_string(), text);
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = Injection::parse(text).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn faults_print_as_they_are_read() {
    for text in [
        "cuInit:803",
        "cuModuleLoadData:221",
        "cuMemAlloc_v2:2",
        "nvmlInit:18",
        "cuCtxSynchronize:hang",
        "cuDeviceGetCount:segv@launch-canary",
        "nvmlDeviceGetHandleByIndex:15",
        "launch:hang@warp-shuffle",
        "launch:700",
        "launch:silent",
        "sync:702",
        "print:200MB",
        "xid:79",
    ] {
        check(text);
    }
}

#[test]
fn every_catalogued_fault_without_a_number_is_read() {
    for fault in catalogue() {
        if fault.pattern.chars().all(|letter| !letter.is_uppercase()) {
            check(fault.pattern);
        }
    }
}

#[test]
fn errors_say_what_was_meant_or_allowed() {
    refused("memory:stuk-bit", "did you mean `memory:stuck-bit`?");
    refused("cuInitt:803", "did you mean `cuInit`?");
    refused("launch:never", "expected a number, `hang` or `silent`");
    refused(
        "cuInit:soon",
        "expected a number, `hang`, `segv` or `abort`",
    );
    refused("cuInit", "did you mean");
    refused("print:200", "print:200MB");
    refused("segv@", "a case's name is expected");
    refused("", "known are");
    refused("wxyzwxyzwxyz", "known are");
}

#[test]
fn a_name_stands_for_every_version_and_way() {
    assert!(names_function("cuMemAlloc", "cuMemAlloc_v2"));
    assert!(names_function("cuMemAlloc", "cuMemAllocAsync"));
    assert!(!names_function("cuMemAlloc_v2", "cuMemAllocAsync"));
    assert!(!names_function("cuMemAlloc", "cuMemAllocHost_v2"));
    assert!(names_function("cuModuleLoadData", "cuModuleLoadDataEx"));
    assert!(names_function("nvmlInit", "nvmlInit_v2"));
}

#[test]
fn a_case_may_be_named_with_its_suite() {
    let only = Injection::parse("segv@warp-shuffle").unwrap();
    assert!(only.applies_to(Some("warp-shuffle")));
    assert!(only.applies_to(Some("kernels/warp-shuffle")));
    assert!(!only.applies_to(Some("warp-vote")));
    assert!(!only.applies_to(None));
    assert!(Injection::parse("segv").unwrap().applies_to(None));
}

#[test]
fn a_list_becomes_the_faults_of_execution() {
    let list = Injection::parse_list("memory:stuck-bit, atomic:lost,cuInit:3").unwrap();
    let faults = exec_faults(&list, 7);
    assert!(faults.stuck_bit && faults.lose_atomic && !faults.alias_page);
    assert_eq!(faults.seed, 7);
    assert!(Injection::parse_list("memory:stuck-bit,,nonsense").is_err());
}
