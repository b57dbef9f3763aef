//! Reads GoogleTest: its XML, and its lines where the XML is missing.
//!
//! GoogleTest writes the XML when everything has been run; of a tester that crashes there is none, and its
//! lines tell which tests had ended by then, and which one had not.

use std::collections::HashMap;

use cudacheck_model::event::PartOutcome;

use super::{Collector, OUTPUT, Words, xml};

const RUN: &str = "[ RUN      ] ";
const OK: &str = "[       OK ] ";
const FAILED: &str = "[  FAILED  ] ";
const SKIPPED: &str = "[  SKIPPED ] ";
/// OpenCV's own: the test throws, and GoogleTest calls it passed.
const SKIP: &str = "[     SKIP ] ";

/// Adds every result.
pub(super) fn read(words: Words<'_>, collector: &mut Collector) {
    let printed = super::text(words.printed);
    let lines = lines(&printed);
    let Some(bytes) = words.results else {
        collector.doubt("it wrote no XML; these results are from what it printed");
        let unfinished = lines.unfinished.clone();
        for line in lines.ended {
            collector.take(line.name, line.outcome(), &line.output, line.duration_ms);
        }
        collector.reading.unfinished = unfinished;
        return;
    };
    let before = collector.reading.parts.len();
    xml::read(bytes, xml::Dialect::GoogleTest, collector);
    let skips: HashMap<&str, &str> = lines
        .ended
        .iter()
        .filter_map(|line| Some((line.name, line.skip?)))
        .collect();
    for part in &mut collector.reading.parts[before..] {
        if let (PartOutcome::Pass, Some(because)) = (&part.outcome, skips.get(part.name.as_str())) {
            part.outcome = PartOutcome::Skip {
                because: super::line(because, "the tester gives no reason"),
            };
        }
    }
}

#[derive(Debug, Default)]
struct Lines<'a> {
    ended: Vec<Ended<'a>>,
    unfinished: Option<String>,
}

/// A test that has ended.
#[derive(Debug)]
struct Ended<'a> {
    name: &'a str,
    word: Word,
    skip: Option<&'a str>,
    output: String,
    duration_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Word {
    Ok,
    Failed,
    Skipped,
}

impl Ended<'_> {
    fn outcome(&self) -> PartOutcome {
        match (self.word, self.skip) {
            (Word::Failed, _) => PartOutcome::Fail {
                message: super::joined(&self.output),
            },
            (Word::Ok, None) => PartOutcome::Pass,
            (Word::Ok | Word::Skipped, skip) => PartOutcome::Skip {
                because: skip.map_or_else(|| super::joined(&self.output), str::to_owned),
            },
        }
    }
}

/// The tests that have ended, by what was printed. The list of failures at the end repeats them, and is not
/// read: no test runs by then.
fn lines(printed: &str) -> Lines<'_> {
    let mut found = Lines::default();
    let mut running: Option<&str> = None;
    let mut skip = None;
    let mut output = String::new();
    for line in printed.lines() {
        if let Some((_, name)) = line.split_once(RUN) {
            running = Some(name.trim());
            skip = None;
            output.clear();
            continue;
        }
        let Some(name) = running else { continue };
        let end = [
            (OK, Word::Ok),
            (FAILED, Word::Failed),
            (SKIPPED, Word::Skipped),
        ];
        let end = end.iter().find_map(|(tag, word)| {
            // A test may have left its last line without an end.
            let (before, rest) = line.split_once(tag)?;
            let rest = rest.strip_prefix(name)?;
            let boundary = rest
                .chars()
                .next()
                .is_none_or(|next| next == ' ' || next == ',');
            boundary.then_some((before, rest, *word))
        });
        if let Some((before, rest, word)) = end {
            push(&mut output, before);
            found.ended.push(Ended {
                name,
                word,
                skip: skip.take(),
                output: std::mem::take(&mut output),
                duration_ms: duration(rest),
            });
            running = None;
        } else if let Some((_, reason)) = line.split_once(SKIP) {
            skip = Some(reason.trim());
        } else {
            push(&mut output, line);
        }
    }
    found.unfinished = running.map(str::to_owned);
    found
}

fn push(output: &mut String, line: &str) {
    if !line.trim().is_empty() && output.len() < OUTPUT {
        output.push_str(line);
        output.push('\n');
    }
}

/// `(12 ms)` at the end of a line.
fn duration(rest: &str) -> Option<u64> {
    let (_, time) = rest.rsplit_once('(')?;
    time.strip_suffix(" ms)")?.parse().ok()
}
