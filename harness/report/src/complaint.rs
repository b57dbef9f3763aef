//! Says what a person did that cannot be done, and what to do instead: `error:`, then `hint:`.

use std::fmt::Display;

use cudacheck_model::suite::Complaint;

use crate::{text, words};

/// All complaints about suite files, each with its place, and their number at the end.
pub fn complaints(complaints: &[Complaint]) -> String {
    let mut said: String = complaints
        .iter()
        .map(|complaint| error(complaint, complaint.hint.as_deref()))
        .collect();
    let mut files: Vec<_> = complaints.iter().map(|complaint| &complaint.file).collect();
    files.sort_unstable();
    files.dedup();
    if complaints.len() > 1 {
        let count = words::count(complaints.len(), "error");
        said += &format!(
            "{count} in {}; nothing was run\n",
            words::count(files.len(), "file")
        );
    }
    said
}

/// One error, with a hint that can be typed or done.
pub fn error(message: impl Display, hint: Option<&str>) -> String {
    let mut said = labelled("error", &message.to_string());
    if let Some(hint) = hint {
        said += &labelled("hint", hint);
    }
    said
}

/// Further lines are indented; a bar keeps those that a CI system would obey from being a command.
fn labelled(label: &str, sentence: &str) -> String {
    let lines = text::log_lines(sentence);
    let mut lines = lines.iter();
    let first = lines.next().map_or("", String::as_str);
    let rest: String = lines
        .map(|line| match line.trim_start() {
            command if command.starts_with("::") => format!("  | {command}\n"),
            line => format!("  {line}\n"),
        })
        .collect();
    format!("{label}: {first}\n{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: String, expected: &str) {
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_may_have_a_hint() {
        check(error("no suite `x`", None), "error: no suite `x`\n");
        check(
            error("no suite `x`", Some("cudacheck list")),
            "error: no suite `x`\nhint: cudacheck list\n",
        );
        check(
            error("two\n::error::lines\x1b[2J", None),
            "error: two\n  | ::error::lines\n",
        );
    }

    #[test]
    fn complaints_name_their_place_and_their_number() {
        let complaint = |line, hint: Option<&str>| Complaint {
            file: "suites/a.yaml".into(),
            place: Some((line, 3)),
            message: "`nmae` is not a key here".to_owned(),
            hint: hint.map(str::to_owned),
        };
        check(complaints(&[]), "");
        check(
            complaints(&[complaint(1, Some("did you mean `name`?"))]),
            "error: suites/a.yaml:1:3: `nmae` is not a key here\nhint: did you mean `name`?\n",
        );
        check(
            complaints(&[complaint(1, None), complaint(2, None)]),
            "error: suites/a.yaml:1:3: `nmae` is not a key here\nerror: suites/a.yaml:2:3: `nmae` is not a key here\n\
             2 errors in 1 file; nothing was run\n",
        );
    }
}
