//! The checks of libraries, on stand-ins that compute on the CPU: each passes, and each fails for its own fault.
//!
//! A check that cannot fail proves nothing. The tables are where each is seen to find what it claims to find.

mod arrays;
mod blas;
mod cudnn;
mod packages;
pub(crate) mod stand_in;
mod tools;

use std::collections::{BTreeMap, BTreeSet};

use cudacheck_model::outcome::Outcome;

use crate::support::{cudacheck, parallel, words};

/// A suite with the stand-ins that it is run on.
pub(crate) struct Subject {
    /// The suite's name.
    pub(crate) suite: &'static str,
    /// The SONAMEs of the stand-ins in the package.
    pub(crate) sonames: &'static [&'static str],
    /// The faults, one of which is switched on at a time.
    pub(crate) faults: &'static [&'static str],
}

/// Runs a suite without any fault and then with each, and returns what becomes of the cases: a line for each fault,
/// and below it each case that does not pass.
///
/// Fails unless everything passes without a fault, every fault is found, and every case has a fault that no other
/// case finds. A `coverage` case runs the test of another, so it shares that one's faults.
#[track_caller]
pub(crate) fn detect(subject: &Subject) -> String {
    let package = stand_in::package(subject.sonames);
    let path = package.path().to_str().unwrap();
    let run = |fault: &str| {
        let variable = format!("CUDACHECK_STAND_IN={fault}");
        let mut arguments = vec!["run", subject.suite, "--simulate", "h100", "--seed", "7"];
        arguments.extend(["--package", path, "--env", &variable, "--time-limit", "30"]);
        cudacheck(arguments)
    };
    let clean = run("");
    assert_eq!(clean.code, 0, "without a fault:\n{}", clean.stderr);
    let cases: BTreeSet<String> = clean.finished().into_iter().map(|it| it.id.case).collect();
    assert!(!cases.is_empty(), "nothing ran");

    let mut alone: BTreeSet<String> = BTreeSet::new();
    let found: Vec<BTreeMap<String, String>> = parallel(subject.faults, |fault| {
        let ran = run(fault);
        let finished = ran.finished().into_iter();
        let failed = finished.filter(|case| case.outcome != Outcome::Pass);
        failed
            .map(|case| (case.id.case.clone(), words(&case.outcome)))
            .collect()
    });
    let mut lines = Vec::new();
    for (fault, found) in subject.faults.iter().zip(found) {
        assert!(!found.is_empty(), "nobody finds `{fault}`");
        lines.push((*fault).to_owned());
        for (case, outcome) in &found {
            lines.push(format!("    {case:<32} {outcome}"));
        }
        let own: Vec<&String> = found.keys().filter(|case| !is_coverage(case)).collect();
        if let [case] = own.as_slice() {
            alone.insert((*case).clone());
        }
    }
    let needless: Vec<&String> = cases
        .iter()
        .filter(|case| !is_coverage(case) && *case != "cold" && !alone.contains(*case))
        .collect();
    assert!(
        needless.is_empty(),
        "no fault is found by these alone: {needless:?}\n{}",
        lines.join("\n")
    );
    lines.join("\n")
}

fn is_coverage(case: &str) -> bool {
    case.starts_with("coverage")
}
