//! The last line: the run in numbers.

use cudacheck_model::event::Summary;

use crate::{text, words};

/// Everything after the time.
pub(super) fn line(summary: &Summary, simulated: Option<&str>) -> String {
    let where_from =
        simulated.map(|profile| format!(" on a simulated GPU ({})", text::one_line(profile)));
    let run = summary.passed
        + summary.failed
        + summary.faults
        + summary.expected_failures
        + summary.unexpected_passes;
    let head = if run == 0 {
        "nothing was run".to_owned()
    } else {
        format!("{} run", words::count(run, "case"))
    };
    let counts = counts(summary);
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(": {counts}")
    };
    let mut line = format!("{head}{}{counts}", where_from.unwrap_or_default());
    if summary.skipped > 0 {
        line += &format!("; {} skipped", summary.skipped);
    }
    if let Some(number) = summary.interrupted {
        line += &format!("; interrupted by {}", words::signal(number));
    }
    if summary.machine_fault {
        line += "; the machine is at fault";
    }
    if summary.needs_attention {
        line += "; the machine needs attention before it is used again";
    }
    line
}

fn counts(summary: &Summary) -> String {
    let some = |number: u32, words: &str| (number > 0).then(|| format!("{number} {words}"));
    let passed = match summary.flaky {
        0 => some(summary.passed, "passed"),
        flaky => some(summary.passed, &format!("passed ({flaky} flaky)")),
    };
    let faults = (summary.faults > 0).then(|| words::count(summary.faults, "fault"));
    let wrong = [some(summary.failed, "failed"), faults]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ");
    let kinds = [
        some(summary.crashed, "crashed"),
        some(summary.timed_out, "timed out"),
    ];
    let kinds = kinds.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let wrong = match (wrong.is_empty(), kinds.is_empty()) {
        (true, _) => None,
        (false, true) => Some(wrong),
        (false, false) => Some(format!("{wrong} (of which {kinds})")),
    };
    let expected = some(summary.expected_failures, "failed as expected");
    let unexpected = some(summary.unexpected_passes, "passed unexpectedly");
    [passed, wrong, expected, unexpected]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(summary: Summary, simulated: Option<&str>, expected: &str) {
        assert_eq!(line(&summary, simulated), expected);
    }

    #[test]
    fn every_number_that_is_not_zero_is_told() {
        let all = Summary {
            passed: 9,
            flaky: 1,
            failed: 2,
            faults: 1,
            skipped: 2,
            expected_failures: 1,
            unexpected_passes: 1,
            crashed: 1,
            timed_out: 1,
            duration_ms: 1,
            interrupted: Some(2),
            needs_attention: true,
            machine_fault: true,
        };
        check(
            all,
            Some("h100"),
            "14 cases run on a simulated GPU (h100): 9 passed (1 flaky), 2 failed and 1 fault (of which 1 crashed, \
             1 timed out), 1 failed as expected, 1 passed unexpectedly; 2 skipped; interrupted by SIGINT; the machine \
             is at fault; the machine needs attention before it is used again",
        );
        check(
            Summary {
                passed: 1,
                ..Summary::default()
            },
            None,
            "1 case run: 1 passed",
        );
        check(
            Summary {
                faults: 2,
                crashed: 1,
                ..Summary::default()
            },
            None,
            "2 cases run: 2 faults (of which 1 crashed)",
        );
    }

    #[test]
    fn a_run_without_a_case_says_so() {
        check(
            Summary {
                skipped: 3,
                ..Summary::default()
            },
            None,
            "nothing was run; 3 skipped",
        );
        check(
            Summary {
                machine_fault: true,
                ..Summary::default()
            },
            None,
            "nothing was run; the machine is at fault",
        );
    }
}
