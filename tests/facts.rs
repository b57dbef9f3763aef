//! `cudacheck facts` on every simulated machine, for people and for programs, and recorded and read again.

use crate::support::{cudacheck, cudacheck_in};

#[test]
fn every_simulated_machine_says_what_it_is() {
    let mut text = String::new();
    for profile in [
        "h100",
        "rtx-4090",
        "gtx-1080",
        "old-driver",
        "jetson-orin",
        "jetson-xavier",
        "two-gpus",
        "no-device",
        "mismatch",
    ] {
        let ran = cudacheck(["facts", "--simulate", profile]);
        text += &format!(
            "$ cudacheck facts --simulate {profile}\n{}[exit code {}]\n\n",
            ran.stdout, ran.code
        );
    }
    // The tree of a simulated machine lies in a temporary directory.
    let hidden: Vec<String> = text.lines().map(hide_temporary).collect();
    insta::assert_snapshot!(hidden.join("\n"));
}

fn hide_temporary(line: &str) -> String {
    match (line.find("/tmp/cudacheck-facts-"), line.find("/sysroot/")) {
        (Some(start), Some(end)) if start < end => format!("{}…{}", &line[..start], &line[end..]),
        _ => line.to_owned(),
    }
}

#[test]
fn facts_are_data_on_stdout_and_a_recording_gives_them_again() {
    let directory = tempfile::tempdir().unwrap();
    let machine = directory.path().join("machine");
    let first = cudacheck([
        "facts",
        "--json",
        "--simulate",
        "jetson-orin",
        "--record",
        machine.to_str().unwrap(),
    ]);
    assert_eq!((first.code, first.stderr.as_str()), (0, ""));
    let again = cudacheck_in(directory, ["facts", "--json", "--sysroot", "machine"]);
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (first, again) = (read(&first.stdout), read(&again.stdout));
    for key in ["host", "devices", "jetson", "simulated", "faults"] {
        assert_eq!(first[key], again[key], "{key}");
    }
    assert_eq!(first["driver"]["cuda"], again["driver"]["cuda"]);
    assert_eq!(first["jetson"]["l4t"], "36.4.3");
}

#[test]
fn a_driver_that_hangs_or_dies_is_a_fact_too() {
    for fault in ["cuInit:hang", "cuInit:segv", "cuInit:abort"] {
        let ran = cudacheck([
            "facts",
            "--json",
            "--simulate",
            "h100",
            "--inject",
            fault,
            "--probe-timeout",
            "3",
        ]);
        let facts: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(ran.code, 3, "{fault}: {}", ran.stderr);
        let faults = facts["faults"].as_array().unwrap();
        assert_eq!(faults.len(), 1, "{fault}: {faults:?}");
        // What was read from files before the driver was asked is still there.
        assert!(facts["host"]["distribution"].is_string(), "{fault}");
    }
}
