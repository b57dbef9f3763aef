//! The simulator held against records of real hardware, case by case.
//!
//! `tests/machines/PROFILE/record.json` is written by `ci/hardware` on a machine with a GPU. Where one exists,
//! the profile of that name must give every case the same outcome.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{Ran, cudacheck, repository, words};
use serde_json::{Value, json};

/// Each case's outcomes, as a record of hardware or as the simulator gave them.
type Outcomes = BTreeMap<String, Vec<String>>;

fn recorded(record: &Value) -> Outcomes {
    let cases = record["cases"]
        .as_array()
        .expect("a record lists its cases");
    let words = |value: &Value| {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    cases
        .iter()
        .map(|case| {
            (
                case["case"].as_str().unwrap().to_owned(),
                words(&case["outcomes"]),
            )
        })
        .collect()
}

fn simulated(ran: &Ran) -> Outcomes {
    let word = |outcome: &cudacheck_model::outcome::Outcome| {
        words(outcome).split(' ').next().unwrap().to_owned()
    };
    let finished = ran.finished().into_iter().map(|case| {
        (
            format!("{}.{}", case.id.suite, case.id.case),
            vec![word(&case.outcome)],
        )
    });
    let skipped = ran.skipped().into_iter().map(|skip| {
        (
            format!("{}.{}", skip.id.suite, skip.id.case),
            vec!["skip".to_owned()],
        )
    });
    finished.chain(skipped).collect()
}

/// The cases in which the two disagree. A case that hardware has not seen yet is no disagreement.
fn differences(hardware: &Outcomes, simulator: &Outcomes) -> Vec<String> {
    let mut differences = Vec::new();
    for (case, outcomes) in hardware {
        let ours = simulator.get(case).and_then(|outcomes| outcomes.first());
        for theirs in outcomes.iter().filter(|theirs| Some(*theirs) != ours) {
            differences.push(format!(
                "{case}: hardware {theirs}, simulator {}",
                ours.map_or("does not know it", String::as_str)
            ));
        }
    }
    differences
}

/// The records of real hardware, by the profile that must agree with them.
fn records(machines: &Path) -> Vec<(String, Value)> {
    let folders = fs::read_dir(machines).into_iter().flatten().flatten();
    let read = |folder: fs::DirEntry| {
        let text = fs::read_to_string(folder.path().join("record.json")).ok()?;
        let record: Value = serde_json::from_str(&text).expect("a record is JSON");
        record["simulated"]
            .is_null()
            .then(|| (folder.file_name().to_string_lossy().into_owned(), record))
    };
    folders.filter_map(read).collect()
}

#[test]
fn the_simulator_agrees_with_every_record_of_hardware() {
    for (profile, record) in records(&repository().join("tests/machines")) {
        let seed = record["seed"].to_string();
        let ran = cudacheck(["run", "--simulate", &profile, "--seed", &seed]);
        assert_eq!(
            differences(&recorded(&record), &simulated(&ran)),
            Vec::<String>::new(),
            "{profile}"
        );
    }
}

#[test]
fn a_disagreement_would_be_seen() {
    let ran = cudacheck([
        "run",
        "--simulate",
        "h100",
        "--seed",
        "1",
        "--case",
        "launch-canary",
        "--case",
        "dp4a",
    ]);
    let ours = simulated(&ran);
    let record = |canary: &str| {
        recorded(&json!({ "cases": [
            { "case": "kernels.launch-canary", "outcomes": ["pass", canary] },
            { "case": "kernels.dp4a", "outcomes": ["pass"] },
        ] }))
    };
    assert_eq!(differences(&record("pass"), &ours), Vec::<String>::new());
    assert_eq!(
        differences(&record("fault"), &ours),
        ["kernels.launch-canary: hardware fault, simulator pass"]
    );
    assert_eq!(
        differences(
            &recorded(&json!({ "cases": [{ "case": "kernels.new", "outcomes": ["pass"] }] })),
            &ours
        ),
        ["kernels.new: hardware pass, simulator does not know it"]
    );
}
