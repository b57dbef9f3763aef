//! Readers of testers' results: bytes in, parts and doubts out.
//!
//! Pure, and bounded in size and number: what a tester writes is as hostile as the tester. A reader never
//! refuses; it keeps what it understood, and says what is missing.

mod gtest;
mod magma;
mod tap;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::HashMap;

use cudacheck_model::event::{Part, PartOutcome};
use cudacheck_model::suite::TesterFormat;

/// Results beyond this number are not kept, and the tester's result is incomplete.
const MOST: usize = 50_000;
/// Characters of a name.
const NAME: usize = 500;
/// Characters of a message or a reason.
const MESSAGE: usize = 2_000;
/// Bytes of what belongs to one result.
const OUTPUT: usize = 8 * 1024;
/// Bytes of what belongs to all results.
const OUTPUTS: usize = 4 * 1024 * 1024;

/// What a tester said, as far as it was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Its results, in its order, each with a name of its own.
    pub(super) parts: Vec<Part>,
    /// Why these cannot be all of its results, or not be trusted.
    pub(super) incomplete: Vec<String>,
    /// Why it stopped by its own decision.
    pub(super) bailed: Option<String>,
    /// Why it ran nothing, by its own decision.
    pub(super) skipped: Option<String>,
    /// The test that had begun and has no end.
    pub(super) unfinished: Option<String>,
}

/// What a tester left behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    /// What it printed.
    pub(super) printed: &'a [u8],
    /// The file that it was to write; none if there is none.
    pub(super) results: Option<&'a [u8]>,
}

/// Reads what a tester left behind.
pub(super) fn read(format: TesterFormat, words: Words<'_>) -> Reading {
    let mut collector = Collector::default();
    match format {
        TesterFormat::Gtest => gtest::read(words, &mut collector),
        TesterFormat::Junit => match words.results {
            Some(bytes) => xml::read(bytes, xml::Dialect::JUnit, &mut collector),
            None => collector.doubt("it wrote no file of results"),
        },
        TesterFormat::Tap => tap::read(&text(words.printed), &mut collector),
        TesterFormat::Magma => magma::read(&text(words.printed), &mut collector),
        // The caller makes a result of how it ended.
        TesterFormat::ExitCode => {}
    }
    collector.finish()
}

/// Keeps results within bounds and their names apart.
#[derive(Debug, Default)]
struct Collector {
    reading: Reading,
    left_out: usize,
    /// Bytes of output that are kept.
    kept: usize,
    names: HashMap<String, u32>,
}

impl Collector {
    fn take(&mut self, name: &str, outcome: PartOutcome, output: &str, duration_ms: Option<u64>) {
        if self.reading.parts.len() >= MOST {
            self.left_out += 1;
            return;
        }
        let outcome = match outcome {
            PartOutcome::Pass => PartOutcome::Pass,
            PartOutcome::Fail { message } => PartOutcome::Fail {
                message: line(&message, "it failed, and says no more"),
            },
            PartOutcome::Skip { because } => PartOutcome::Skip {
                because: line(&because, "the tester gives no reason"),
            },
        };
        let name = self.unique(line(name, "unnamed"));
        // A pass needs no evidence, and there may be thousands.
        let output = match outcome {
            PartOutcome::Fail { .. } => bounded(output, OUTPUT.min(OUTPUTS - self.kept)),
            PartOutcome::Pass | PartOutcome::Skip { .. } => String::new(),
        };
        self.kept += output.len();
        self.reading.parts.push(Part {
            name,
            outcome,
            duration_ms,
            output,
        });
    }

    fn doubt(&mut self, sentence: impl Into<String>) {
        // A file of nothing but mistakes needs no list of them all.
        if self.reading.incomplete.len() < 10 {
            self.reading.incomplete.push(line(&sentence.into(), ""));
        }
    }

    /// Readers of reports drop a second result of the same name.
    fn unique(&mut self, name: String) -> String {
        let name = name.chars().take(NAME).collect::<String>();
        let mut number = self.names.get(&name).copied().unwrap_or(0) + 1;
        let mut free = name.clone();
        while number > 1
            && self.names.contains_key(&{
                free = format!("{name} ({number})");
                free.clone()
            })
        {
            number += 1;
        }
        self.names.insert(name, number);
        self.names.entry(free.clone()).or_insert(1);
        free
    }

    fn finish(mut self) -> Reading {
        if self.left_out > 0 {
            let sentence = format!("{} results beyond {MOST} are not kept", self.left_out);
            self.doubt(sentence);
        }
        self.reading
    }
}

/// Text of whatever encoding, without the mark that some writers put before it.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

/// The first line that says something, or other words.
fn line(text: &str, otherwise: &str) -> String {
    let found = text.lines().map(str::trim).find(|line| !line.is_empty());
    let found = found.unwrap_or(otherwise);
    found.chars().take(MESSAGE).collect()
}

/// A text in one line: where its first line is but a place in a file, the next ones say what happened.
fn joined(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(60).collect();
    words.join(" ")
}

/// The beginning of a text.
fn bounded(text: &str, most: usize) -> String {
    let text = text.trim_end();
    text[..text.floor_char_boundary(most)].to_owned()
}

/// `0.25` seconds as milliseconds.
fn milliseconds(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.trim().replace(',', "").parse().ok()?;
    // A century is no duration of a test; NaN is none either.
    if !(0.0..3.0e9).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded above and below"
    )]
    Some((seconds * 1000.0).round() as u64)
}
