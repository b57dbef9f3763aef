//! Keeps a report small enough for its readers.
//!
//! libxml2 refuses a text of 10 000 000 bytes and some services refuse files of that size, and one refusal loses every
//! result of a run. What is left out is in the logs.

use cudacheck_model::event::Output;

use super::element;

/// Bytes of output in one report, as written.
const REPORT: usize = 8_000_000;

/// How much of a worker's output is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    head: usize,
    tail: usize,
}

/// Of a case that somebody must look at.
pub(super) const WRONG: Share = Share {
    head: 64 * 1024,
    tail: 192 * 1024,
};

/// Of a case that is as it should be.
pub(super) const RIGHT: Share = Share {
    head: 512,
    tail: 512,
};

/// Whether there is room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reserved {
    /// And it is set aside.
    Yes,
    /// And nothing has changed.
    No,
}

/// What is left of the report's size.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: REPORT }
    }
}

impl Budget {
    /// Sets bytes aside for what is not output. Half of what is left stays, so that no case takes all of it.
    pub(super) fn reserve(&mut self, bytes: usize) -> Reserved {
        if bytes > self.left / 2 {
            return Reserved::No;
        }
        self.left -= bytes;
        Reserved::Yes
    }

    /// A worker's output as text; none if it printed nothing.
    pub(super) fn output(&mut self, output: &Output, share: Share, log: &str) -> Option<String> {
        let (head, tail) = (element(&output.head), element(&output.tail));
        if head.is_empty() && tail.is_empty() {
            return None;
        }
        let whole = if output.left_out == 0 {
            head.clone() + &tail
        } else {
            String::new()
        };
        let text = if output.left_out == 0 && whole.len() <= share.head + share.tail {
            whole
        } else if output.left_out == 0 {
            shortened(&whole, share, 0, log)
        } else {
            let lost = usize::try_from(output.left_out).unwrap_or(usize::MAX);
            shortened_pair(&head, &tail, share, lost, log)
        };
        Some(self.spend(text, log))
    }

    /// Details of a finding, which may be long as well.
    pub(super) fn details(&mut self, lines: &[String], log: &str) -> String {
        let text = lines.iter().map(element).collect::<Vec<_>>().join("\n");
        let text = if text.len() > WRONG.head + WRONG.tail {
            shortened(&text, WRONG, 0, log)
        } else {
            text
        };
        if text.is_empty() {
            text
        } else {
            self.spend(text, log)
        }
    }

    fn spend(&mut self, text: String, log: &str) -> String {
        let size = text.chars().map(written_size).sum();
        match self.left.checked_sub(size) {
            Some(left) => {
                self.left = left;
                text
            }
            None => format!(
                "… {} bytes left out to keep this report readable; full log: {log}",
                text.len()
            ),
        }
    }
}

/// The two ends of a text.
fn shortened(text: &str, share: Share, lost: usize, log: &str) -> String {
    let (head, tail) = text.split_at(text.floor_char_boundary(share.head));
    shortened_pair(head, tail, share, lost, log)
}

fn shortened_pair(head: &str, tail: &str, share: Share, lost: usize, log: &str) -> String {
    let kept_head = &head[..head.floor_char_boundary(share.head)];
    let kept_tail = &tail[tail.ceil_char_boundary(tail.len().saturating_sub(share.tail))..];
    let lost = lost
        .saturating_add(head.len() - kept_head.len())
        .saturating_add(tail.len() - kept_tail.len());
    format!("{kept_head}\n… {lost} bytes left out; full log: {log}\n{kept_tail}")
}

/// Bytes of a character after escaping.
fn written_size(character: char) -> usize {
    match character {
        '<' | '>' => 4,
        '&' => 5,
        '\'' | '"' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, tail: &str, left_out: u64, expected: Option<&str>) {
        let output = Output {
            head: head.to_owned(),
            tail: tail.to_owned(),
            left_out,
        };
        let share = Share { head: 4, tail: 4 };
        assert_eq!(
            Budget::default().output(&output, share, "L").as_deref(),
            expected
        );
    }

    #[test]
    fn both_ends_are_kept() {
        check("", "", 0, None);
        check("12345678", "", 0, Some("12345678"));
        check(
            "1234567890",
            "",
            0,
            Some("1234\n… 2 bytes left out; full log: L\n7890"),
        );
        check(
            "12345",
            "67890",
            7,
            Some("1234\n… 9 bytes left out; full log: L\n7890"),
        );
        check(
            "äöü",
            "äöü",
            1,
            Some("äö\n… 5 bytes left out; full log: L\nöü"),
        );
    }

    #[test]
    fn a_full_report_takes_no_more_output() {
        let mut budget = Budget { left: 10 };
        let output = Output {
            head: "<<".to_owned(),
            ..Output::default()
        };
        assert_eq!(budget.output(&output, WRONG, "L").as_deref(), Some("<<"));
        let refused = "… 2 bytes left out to keep this report readable; full log: L";
        assert_eq!(budget.output(&output, WRONG, "L").as_deref(), Some(refused));
    }
}
