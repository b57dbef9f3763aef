//! Reads `<testcase>` elements, as JUnit's many writers and GoogleTest write them.
//!
//! A file whose writer died is read up to where it ends. No entity is expanded but the five of XML and
//! numbers of characters, so that a small file stays small.

use cudacheck_model::event::PartOutcome;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Collector, OUTPUT, milliseconds};

/// Whose elements they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    /// GoogleTest's: a test that was not run says so in an attribute.
    GoogleTest,
    /// Everybody else's.
    JUnit,
}

/// Adds every result of a document.
pub(super) fn read(bytes: &[u8], dialect: Dialect, collector: &mut Collector) {
    let text = super::text(bytes);
    let mut reader = Reader::from_str(&text);
    let mut case: Option<Case> = None;
    let mut element = Inside::Nothing;
    let mut root = false;
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Err(error) => {
                let place = reader.error_position();
                collector.doubt(format!(
                    "the file of results cannot be read beyond byte {place}: {error}"
                ));
                break;
            }
            Ok(Event::Eof) => {
                if !root {
                    collector.doubt("the file of results holds no XML");
                } else if depth > 0 {
                    collector.doubt("the file of results ends in the middle");
                }
                break;
            }
            Ok(Event::Start(start)) => {
                root = true;
                depth += 1;
                element = begin(&start, &mut case, element);
            }
            Ok(Event::Empty(start)) => {
                root = true;
                begin(&start, &mut case, Inside::Nothing);
                if start.local_name().as_ref() == b"testcase" {
                    give(case.take(), dialect, collector);
                }
            }
            Ok(Event::End(end)) => {
                depth = depth.saturating_sub(1);
                if end.local_name().as_ref() == b"testcase" {
                    give(case.take(), dialect, collector);
                }
                element = Inside::Nothing;
            }
            Ok(Event::Text(text)) => {
                if let Ok(text) = text.xml_content(XmlVersion::Implicit1_0) {
                    add(&mut case, element, &text);
                }
            }
            Ok(Event::CData(text)) => {
                if let Ok(text) = text.xml_content(XmlVersion::Implicit1_0) {
                    add(&mut case, element, &text);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some(character) = resolved(&reference) {
                    add(&mut case, element, character.encode_utf8(&mut [0; 4]));
                }
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
        }
    }
    // A test whose element has no end has not ended itself.
    if let Some(case) = case {
        collector.reading.unfinished = Some(case.full_name(dialect));
    }
}

/// What is being read of one test.
#[derive(Debug, Default)]
struct Case {
    name: String,
    class: String,
    time: Option<u64>,
    status: String,
    result: String,
    parameter: String,
    failures: Vec<String>,
    skip: Option<String>,
    skip_text: String,
    text: String,
}

/// Where text belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inside {
    Nothing,
    Failure,
    Skip,
    Output,
}

fn begin(start: &BytesStart<'_>, case: &mut Option<Case>, inside: Inside) -> Inside {
    match (start.local_name().as_ref(), case) {
        (b"testcase", case) => {
            *case = Some(Case {
                name: attribute(start, "name"),
                class: attribute(start, "classname"),
                time: milliseconds(&attribute(start, "time")),
                status: attribute(start, "status"),
                result: attribute(start, "result"),
                parameter: attribute(start, "value_param"),
                ..Case::default()
            });
            Inside::Nothing
        }
        (b"failure" | b"error", Some(case)) => {
            case.failures.push(attribute(start, "message"));
            Inside::Failure
        }
        (b"skipped", Some(case)) => {
            case.skip = Some(attribute(start, "message"));
            Inside::Skip
        }
        (b"system-out" | b"system-err", Some(_)) => Inside::Output,
        // Elements within these, such as `<stackTrace>`, are theirs.
        _ => inside,
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    let found = start.try_get_attribute(name).ok().flatten();
    let value = found.and_then(|found| {
        let value = found.normalized_value(XmlVersion::Implicit1_0);
        value.ok().map(std::borrow::Cow::into_owned)
    });
    value.unwrap_or_default()
}

fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match reference.as_ref() {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => None,
    }
}

fn add(case: &mut Option<Case>, inside: Inside, text: &str) {
    let Some(case) = case else { return };
    match inside {
        Inside::Nothing => {}
        Inside::Skip => {
            if case.skip_text.len() < OUTPUT {
                case.skip_text.push_str(text);
            }
        }
        Inside::Failure | Inside::Output => {
            // The reader's buffer has the size of the file; this has not.
            if case.text.len() < 2 * OUTPUT {
                case.text.push_str(text);
            }
        }
    }
}

fn give(case: Option<Case>, dialect: Dialect, collector: &mut Collector) {
    let Some(case) = case else { return };
    let name = case.full_name(dialect);
    let not_run = case.status == "notrun" || case.result == "suppressed";
    let skipped = case.skip.is_some() || case.result == "skipped";
    let outcome = if !case.failures.is_empty() {
        let said = case
            .failures
            .iter()
            .find(|message| !message.trim().is_empty());
        let said = said.unwrap_or(&case.text);
        let message = match dialect {
            Dialect::GoogleTest => super::joined(said),
            Dialect::JUnit => said.clone(),
        };
        PartOutcome::Fail { message }
    } else if skipped {
        let said = case.skip.as_ref().filter(|said| !said.trim().is_empty());
        let because = said.unwrap_or(&case.skip_text).clone();
        let because = match dialect {
            Dialect::GoogleTest => super::joined(&because),
            Dialect::JUnit => because,
        };
        PartOutcome::Skip { because }
    } else if dialect == Dialect::GoogleTest && not_run {
        let because = "the tester has it disabled".to_owned();
        PartOutcome::Skip { because }
    } else {
        PartOutcome::Pass
    };
    let mut output = case.failures.join("\n");
    // Writers repeat the message in the text, or write it there alone.
    if !case.text.trim().starts_with(output.trim()) {
        output.push('\n');
        output.push_str(&case.text);
    } else {
        output.clone_from(&case.text);
    }
    if !case.parameter.is_empty() {
        output = format!("parameter: {}\n{output}", case.parameter);
    }
    collector.take(&name, outcome, output.trim(), case.time);
}

impl Case {
    fn full_name(&self, dialect: Dialect) -> String {
        let separator = match dialect {
            Dialect::GoogleTest => ".",
            Dialect::JUnit => "::",
        };
        if self.class.is_empty() {
            self.name.clone()
        } else {
            format!("{}{separator}{}", self.class, self.name)
        }
    }
}
