//! Reads the Test Anything Protocol, versions 12 to 14.
//!
//! Testers print other things beside it, and what is indented is a subtest or a note: both belong to the
//! result before or after them, and neither is a result.

use cudacheck_model::event::PartOutcome;

use super::{Collector, OUTPUT};

/// Adds every test point.
pub(super) fn read(printed: &str, collector: &mut Collector) {
    let mut state = State::default();
    for line in printed.lines() {
        if collector.reading.bailed.is_some() {
            break;
        }
        state.line(line, collector);
    }
    state.give(collector);
    state.end(collector);
}

#[derive(Debug, Default)]
struct State {
    plan: Option<u64>,
    /// Test points so far.
    count: u64,
    /// The last test point, which notes may follow.
    point: Option<Point>,
    /// Within the block of notes between `---` and `...`.
    block: bool,
    /// The next line of the block is the message.
    message_follows: bool,
    disordered: bool,
}

#[derive(Debug)]
struct Point {
    name: String,
    ok: bool,
    directive: Option<(Directive, String)>,
    message: Option<String>,
    duration_ms: Option<u64>,
    notes: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Directive {
    Skip,
    Todo,
}

impl State {
    fn line(&mut self, line: &str, collector: &mut Collector) {
        let indented = line.starts_with([' ', '\t']);
        let trimmed = line.trim();
        if self.block {
            if indented && trimmed == "..." {
                self.block = false;
                return;
            }
            // A block that its writer has not ended ends where the protocol goes on.
            if indented || trimmed.is_empty() {
                self.note_of_block(trimmed);
                return;
            }
            self.block = false;
        }
        if indented {
            // Notes are indented by two; what is further in belongs to a subtest, whose notes are its own.
            if trimmed == "---" && self.point.is_some() && !line.starts_with("    ") {
                self.block = true;
            } else {
                self.note(line.trim_end());
            }
            return;
        }
        let lower = trimmed.to_ascii_lowercase();
        if lower.starts_with("bail out!") {
            self.give(collector);
            let reason = trimmed["bail out!".len()..].trim();
            collector.reading.bailed = Some(super::line(reason, "it gives no reason"));
        } else if let Some(point) = point(trimmed, self.count + 1) {
            self.give(collector);
            self.count += 1;
            self.disordered |= point.0.is_some_and(|number| number != self.count);
            self.point = Some(point.1);
        } else if let Some((plan, reason)) = plan(trimmed) {
            if self.plan.is_some() {
                collector.doubt("it printed two plans");
            }
            self.plan = Some(plan);
            // A tester that plans nothing and gives no reason has not skipped: it has nothing.
            if let (0, Some(reason)) = (plan, reason) {
                collector.reading.skipped = Some(super::line(&reason, ""));
            }
        } else if !["tap version ", "pragma ", "# subtest"]
            .iter()
            .any(|it| lower.starts_with(it))
        {
            self.note(trimmed.strip_prefix("# ").unwrap_or(trimmed));
        }
    }

    fn note(&mut self, text: &str) {
        if let Some(point) = &mut self.point
            && !text.is_empty()
            && point.notes.len() < OUTPUT
        {
            point.notes.push_str(text);
            point.notes.push('\n');
        }
    }

    /// Of the notes' YAML a few keys mean the same to many writers; the rest is for people.
    fn note_of_block(&mut self, text: &str) {
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.trim().trim_matches(['"', '\'']);
        let Some(point) = &mut self.point else { return };
        let unknown = point.message.is_none();
        if std::mem::take(&mut self.message_follows) && unknown && !text.is_empty() {
            point.message = Some(text.to_owned());
            return;
        }
        match key.trim() {
            "message" | "error" if unknown && matches!(value, "|" | "|-" | ">" | ">-") => {
                self.message_follows = true;
            }
            "message" | "error" if unknown && !value.is_empty() => {
                point.message = Some(value.replace("\\\"", "\""));
            }
            "duration_ms" => {
                let time: Option<f64> = value.parse().ok();
                let seconds = time.map(|time| (time / 1000.0).to_string());
                point.duration_ms = seconds.and_then(|seconds| super::milliseconds(&seconds));
            }
            _ => self.note(text),
        }
    }

    fn give(&mut self, collector: &mut Collector) {
        self.block = false;
        self.message_follows = false;
        let Some(point) = self.point.take() else {
            return;
        };
        let outcome = match (point.directive, point.ok) {
            (Some((Directive::Skip, because)), _) => PartOutcome::Skip { because },
            (Some((Directive::Todo, because)), false) => PartOutcome::Skip {
                because: format!("a failure that the tester expects: {because}"),
            },
            (Some((Directive::Todo, _)) | None, true) => PartOutcome::Pass,
            (None, false) => PartOutcome::Fail {
                message: point.message.unwrap_or_else(|| point.notes.clone()),
            },
        };
        collector.take(&point.name, outcome, &point.notes, point.duration_ms);
    }

    fn end(&self, collector: &mut Collector) {
        if collector.reading.bailed.is_some() {
            return;
        }
        match self.plan {
            None => {
                collector.doubt("it printed no plan (`1..N`), so nobody knows how many there are")
            }
            Some(plan) if plan != self.count => collector.doubt(format!(
                "its plan has {plan} results, and {} came",
                self.count
            )),
            Some(_) => {}
        }
        if self.disordered {
            collector.doubt("the numbers of its results are not in order");
        }
    }
}

/// `1..7`, `1..0 # SKIP reason`.
fn plan(line: &str) -> Option<(u64, Option<String>)> {
    let rest = line.strip_prefix("1..")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let number = number.parse().ok()?;
    let rest = rest.trim();
    if !rest.is_empty() && !rest.starts_with('#') {
        return None;
    }
    let reason = rest.trim_start_matches('#').trim();
    let reason = match reason.get(..4) {
        Some(word) if word.eq_ignore_ascii_case("skip") => {
            let rest = reason[4..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
            rest.trim_start_matches(':').trim()
        }
        Some(_) | None => reason,
    };
    Some((number, Some(reason.to_owned()).filter(|it| !it.is_empty())))
}

/// `ok 3 - a name # SKIP reason`, with its number.
fn point(line: &str, next: u64) -> Option<(Option<u64>, Point)> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, description) = match rest.as_bytes().get(digits) {
        None | Some(b' ') if digits > 0 => rest.split_at(digits),
        None | Some(_) => ("", rest),
    };
    let number: Option<u64> = number.parse().ok();
    let (name, directive) = directive(description);
    let name = name.trim().strip_prefix('-').unwrap_or(name.trim()).trim();
    let name = name.replace("\\#", "#").replace("\\\\", "\\");
    let point = Point {
        name: if name.is_empty() {
            format!("test {}", number.unwrap_or(next))
        } else {
            name
        },
        ok,
        directive,
        message: None,
        duration_ms: None,
        notes: String::new(),
    };
    Some((number, point))
}

/// What follows the last `#` that is not escaped, if it is a directive.
fn directive(description: &str) -> (&str, Option<(Directive, String)>) {
    for (at, _) in description.rmatch_indices('#') {
        if description[..at].ends_with('\\') {
            continue;
        }
        let rest = description[at + 1..].trim();
        let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        let reason = rest[word.len()..].trim_start_matches(':').trim().to_owned();
        let found = match word.to_ascii_lowercase().as_str() {
            "skip" | "skipped" => Some(Directive::Skip),
            "todo" => Some(Directive::Todo),
            _ => None,
        };
        if let Some(found) = found {
            return (&description[..at], Some((found, reason)));
        }
    }
    (description, None)
}
