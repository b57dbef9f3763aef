//! Counts and quotes a tester's results, for the sentences of a verdict.

use cudacheck_model::event::{Part, PartOutcome};

use crate::ending::{Ending, signal_name};

/// How it is said that a number is wrong.
pub(super) const NUMBERS: [&str; 2] = [" elements differ", " of them differ"];
/// Failed results that the details name; the report has them all.
const SHOWN: usize = 10;
/// Lines of each that the details show.
const LINES: usize = 4;

/// Results by what they came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Counts {
    pub(super) fn of(parts: &[Part]) -> Self {
        let mut counts = Self::default();
        for part in parts {
            match part.outcome {
                PartOutcome::Pass => counts.passed += 1,
                PartOutcome::Fail { .. } => counts.failed += 1,
                PartOutcome::Skip { .. } => counts.skipped += 1,
            }
        }
        counts
    }

    /// ` after 7 results, 1 of them failed`.
    pub(super) fn so_far(self) -> String {
        match (self.passed + self.failed, self.failed) {
            (0, _) => " before any result".to_owned(),
            (1, 0) => " after one result".to_owned(),
            (1, _) => " after one result, which failed".to_owned(),
            (all, 0) => format!(" after {all} results"),
            (all, failed) => format!(" after {all} results, {failed} of them failed"),
        }
    }
}

/// How a tester ended, as a part of a sentence.
pub(super) fn ended(ending: &Ending) -> String {
    match ending {
        Ending::Exited(code) => format!("ended with code {code}"),
        Ending::Signaled(signal) => format!("was ended by {}", signal_name(*signal)),
        Ending::TimedOut { limit } => format!("was stopped after {} s", limit.as_secs()),
        Ending::Interrupted(_) => "was interrupted".to_owned(),
        Ending::Stuck(_) | Ending::NotStarted { .. } | Ending::Lost { .. } => "was lost".to_owned(),
    }
}

/// The failed results with their first lines.
pub(super) fn details(parts: &[Part]) -> Vec<String> {
    let mut lines = Vec::new();
    let failed = parts.iter().filter_map(|part| match &part.outcome {
        PartOutcome::Fail { message } => Some((part, message)),
        PartOutcome::Pass | PartOutcome::Skip { .. } => None,
    });
    let count = failed.clone().count();
    for (part, message) in failed.take(SHOWN) {
        lines.push(format!("{}: {message}", part.name));
        let more = part
            .output
            .lines()
            .filter(|line| !line.trim().is_empty() && line.trim() != message);
        lines.extend(more.take(LINES).map(|line| format!("  {line}")));
    }
    if count > SHOWN {
        lines.push(format!("and {} more", count - SHOWN));
    }
    lines
}

/// The last thing that was printed.
pub(super) fn last_line(printed: [&str; 2]) -> Option<String> {
    let lines = printed.iter().rev().flat_map(|text| text.lines().rev());
    let mut lines = lines.map(str::trim);
    lines.find(|line| !line.is_empty()).map(str::to_owned)
}
