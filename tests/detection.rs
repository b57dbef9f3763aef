//! Every injected fault, the case that finds it, and whose fault it is said to be.
//!
//! A check that cannot fail proves nothing: this table is where each is seen to fail for the right reason.

use cudacheck_simulator::inject::catalogue;

use crate::support::{cudacheck, parallel, words};

/// A fault, the cases that are run under it, and what becomes of the run.
struct Row {
    fault: &'static str,
    cases: &'static [&'static str],
}

const ROWS: &[Row] = &[
    // Found by the probe, before any case.
    Row {
        fault: "cuInit:100",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuInit:803",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuInit:34",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuInit:999",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuInit:hang",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuInit:segv",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuLaunchKernel:abort",
        cases: &["launch-canary"],
    },
    Row {
        fault: "nvmlInit:18",
        cases: &["launch-canary"],
    },
    // The driver refuses.
    Row {
        fault: "cuInit:803@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "cuDevicePrimaryCtxRetain:46",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuModuleLoadData:221",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuModuleLoadData:218",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuModuleLoadData:209",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuModuleLoadData:222",
        cases: &["launch-canary"],
    },
    Row {
        fault: "cuMemAlloc:2",
        cases: &["launch-canary"],
    },
    Row {
        fault: "launch:701",
        cases: &["launch-canary"],
    },
    Row {
        fault: "launch:700",
        cases: &["launch-canary"],
    },
    Row {
        fault: "sync:719",
        cases: &["launch-canary"],
    },
    // The worker dies, hangs, shouts, or lies.
    Row {
        fault: "launch:hang",
        cases: &["launch-canary"],
    },
    Row {
        fault: "segv@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "abort@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "exit@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "panic@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "print:200MB@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "print:forged-result,shuffle:lane",
        cases: &["warp-shuffle"],
    },
    Row {
        fault: "child:escape",
        cases: &["launch-canary"],
    },
    // The device is lost or broken.
    // Nobody listens to the kernel driver yet: an Xid beside correct results is not noticed.
    Row {
        fault: "xid:79@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "gpu:lost@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    Row {
        fault: "ecc:uncorrected@launch-canary",
        cases: &["launch-canary", "dp4a"],
    },
    // The device computes wrongly.
    Row {
        fault: "launch:silent",
        cases: &["launch-canary"],
    },
    Row {
        fault: "memory:stuck-bit",
        cases: &["memory-pattern"],
    },
    Row {
        fault: "memory:alias-page",
        cases: &["memory-pattern"],
    },
    Row {
        fault: "memory:lost-write",
        cases: &["memory-pattern", "launch-canary"],
    },
    Row {
        fault: "barrier:skip",
        cases: &["barrier", "shared-static"],
    },
    Row {
        fault: "atomic:lost",
        cases: &["atomics-32"],
    },
    Row {
        fault: "shuffle:lane",
        cases: &["warp-shuffle"],
    },
    Row {
        fault: "mma:wrong-element",
        cases: &["mma-f16", "wmma-f16", "mma-s8", "mma-f64"],
    },
    Row {
        fault: "vote:lane",
        cases: &["warp-vote"],
    },
    Row {
        fault: "dot:product",
        cases: &["dp4a"],
    },
    Row {
        fault: "rounding:ignored",
        cases: &["fp32-ieee", "convert-integer"],
    },
    Row {
        fault: "subnormal:flushed",
        cases: &["fp32-ieee", "half-arithmetic"],
    },
    Row {
        fault: "async-copy:early",
        cases: &["async-copy"],
    },
    Row {
        fault: "constant:word",
        cases: &["constant-memory"],
    },
    Row {
        fault: "fma:flip-bit",
        cases: &["fp32-ieee", "fp64-ieee"],
    },
    Row {
        fault: "special:inaccurate",
        cases: &["special-functions"],
    },
    Row {
        fault: "fence:lost",
        cases: &["fences"],
    },
];

/// Whether a fault is of the kind that the simulator lists under this pattern.
fn is(fault: &str, pattern: &str) -> bool {
    let fault = fault.split('@').next().unwrap();
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |(word, pattern): (&str, &str)| match pattern {
        "FUNCTION" => word.starts_with("cu") || word.starts_with("nvml"),
        "CODE" | "NUMBER" => number(word),
        "NMB" => word.strip_suffix("MB").is_some_and(number),
        _ => word == pattern,
    };
    let words = fault.split(':').zip(pattern.split(':'));
    fault.matches(':').count() == pattern.matches(':').count() && words.into_iter().all(fits)
}

#[test]
fn the_table_has_every_fault_that_can_be_injected() {
    let missing: Vec<&str> = catalogue()
        .iter()
        .map(|fault| fault.pattern)
        .filter(|pattern| {
            let mut faults = ROWS.iter().flat_map(|row| row.fault.split(','));
            !faults.any(|fault| is(fault, pattern))
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn each_fault_is_found_and_given_to_the_right_one() {
    let lines = parallel(ROWS, |row| {
        let mut arguments = vec![
            "run",
            "kernels",
            "--simulate",
            "h100",
            "--seed",
            "1",
            "--inject",
            row.fault,
        ];
        arguments.extend(["--time-limit", "5", "--probe-timeout", "5"]);
        arguments.extend(row.cases.iter().flat_map(|case| ["--case", case]));
        let ran = cudacheck(arguments);
        ran.keep_junit(row.fault);
        let mut lines = vec![format!("{:<34} exit {}", row.fault, ran.code)];
        lines.extend(
            ran.finished()
                .iter()
                .map(|case| format!("    {:<20} {}", case.id.case, words(&case.outcome))),
        );
        lines.extend(ran.skipped().iter().map(|skip| {
            format!(
                "    {:<20} skip {}: {}",
                skip.id.case,
                skip.reason.word(),
                skip.reason
            )
        }));
        lines.join("\n")
    });
    let table = lines.join("\n");
    println!("{table}");
    insta::assert_snapshot!(table);
}
