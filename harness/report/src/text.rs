//! Makes foreign text harmless before it reaches a terminal, a CI system's log, or an XML file.
//!
//! Tested programs print what they like. An escape sequence could repaint the verdict, one stray control byte makes
//! every XML reader refuse the whole report, and CI systems obey commands that they find in a log.

use std::iter::Peekable;
use std::str::Chars;

/// An escape sequence longer than this is taken for text: nothing legitimate is, and text must not vanish.
const LONGEST_SEQUENCE: usize = 512;

/// Text without escape sequences and control characters, in which everything visible survives.
///
/// Invalid UTF-8 becomes U+FFFD. Escape sequences are dropped where they are whole. Carriage returns become line
/// feeds, tabs and line feeds stay, other control characters become their pictures (`␀`, `␛`, `␡`). C1 controls,
/// U+FFFE, U+FFFF, and the controls of writing direction become U+FFFD.
pub fn sanitise(bytes: impl AsRef<[u8]>) -> String {
    let text = String::from_utf8_lossy(bytes.as_ref());
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\u{1b}' => match after_sequence(&chars) {
                Some(rest) => chars = rest,
                None => clean.push('\u{241b}'),
            },
            '\r' => {
                chars.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\n' | '\t' => clean.push(character),
            '\0'..='\u{1f}' => clean.push(picture(character)),
            '\u{7f}' => clean.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => clean.push(char::REPLACEMENT_CHARACTER),
            visible => clean.push(visible),
        }
    }
    clean
}

/// Sanitised text as one line: line feeds and tabs become spaces, runs of spaces one.
pub fn one_line(bytes: impl AsRef<[u8]>) -> String {
    let clean = sanitise(bytes);
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sanitised lines without the commands that CI systems obey anywhere in a line (`##[…]`, `##vso[…]`, `##teamcity[…]`).
///
/// Commands at the start of a line (`::error::`) are the caller's to keep away from there: GitHub's runner trims
/// spaces, so that only a visible character before them helps.
pub fn log_lines(bytes: impl AsRef<[u8]>) -> Vec<String> {
    let clean = sanitise(bytes);
    clean.lines().map(defused).collect()
}

/// The beginning of a line, at most this many characters, with an ellipsis where something is missing.
pub fn shortened(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let kept = line.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Lines of at most `width` characters, broken at spaces; a longer word stays whole.
pub(crate) fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("starts with one line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A line without commands of CI systems that are obeyed anywhere in it.
pub(crate) fn defused(line: &str) -> String {
    ["##[", "##vso[", "##teamcity["]
        .iter()
        .fold(line.to_owned(), |line, command| {
            line.replace(command, &format!("# {}", &command[1..]))
        })
}

fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What follows an escape sequence whose ESC is consumed already; none if there is no whole sequence.
///
/// By ECMA-48: CSI has parameters, intermediates, and a final byte; OSC, DCS, SOS, PM, and APC run to ST (or BEL, by
/// xterm's habit); all others are intermediates and a final byte.
fn after_sequence<'a>(chars: &Peekable<Chars<'a>>) -> Option<Peekable<Chars<'a>>> {
    let mut rest = chars.clone();
    match rest.next()? {
        '[' => {
            let mut length = 0;
            while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {
                length += 1;
                if length > LONGEST_SEQUENCE {
                    return None;
                }
            }
            rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'))?;
            Some(rest)
        }
        ']' | 'P' | 'X' | '^' | '_' => {
            for _ in 0..LONGEST_SEQUENCE {
                match rest.next()? {
                    '\u{7}' => return Some(rest),
                    '\u{1b}' => {
                        rest.next_if_eq(&'\\')?;
                        return Some(rest);
                    }
                    '\n' | '\r' => return None,
                    _ => {}
                }
            }
            None
        }
        '\u{20}'..='\u{2f}' => {
            while rest.next_if(|c| matches!(c, '\u{20}'..='\u{2f}')).is_some() {}
            rest.next_if(|c| matches!(c, '\u{30}'..='\u{7e}'))?;
            Some(rest)
        }
        '\u{30}'..='\u{7e}' => Some(rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(sanitise(bytes), expected);
    }

    #[test]
    fn visible_text_and_layout_stay() {
        check(
            "plain text, μ 🦀\n\ttab".as_bytes(),
            "plain text, μ 🦀\n\ttab",
        );
        check(b"]]> <b>&amp;", "]]> <b>&amp;");
        check(b"", "");
    }

    #[test]
    fn escape_sequences_vanish() {
        check(b"\x1b[31mred\x1b[0m", "red");
        check(b"\x1b[?25l\x1b[2Jgone", "gone");
        check(b"\x1b]0;title\x07shown", "shown");
        check(b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link");
        check(b"\x1bPq#0\x1b\\after", "after");
        check(b"\x1b(Bcharset", "charset");
        check(b"\x1bcreset", "reset");
    }

    #[test]
    fn a_broken_sequence_does_not_swallow_text() {
        check(b"\x1b]0;never ended\nnext", "␛]0;never ended\nnext");
        check(b"\x1b[12", "␛[12");
        check(b"\x1b[1\x00m", "␛[1␀m");
        check(b"end\x1b", "end␛");
        check(b"\x1b\x1b[1mbold", "␛bold");
    }

    #[test]
    fn controls_become_pictures() {
        check(b"a\0b\x07c\x7f", "a␀b␇c␡");
        check("c1 \u{9b}31m".as_bytes(), "c1 \u{fffd}31m");
        check(
            "\u{fffe}\u{ffff}\u{202e}".as_bytes(),
            "\u{fffd}\u{fffd}\u{fffd}",
        );
        check(b"bad \xff utf-8", "bad \u{fffd} utf-8");
    }

    #[test]
    fn carriage_returns_are_line_ends() {
        check(b"10%\r20%\rdone\r\n", "10%\n20%\ndone\n");
    }

    #[test]
    fn commands_of_ci_systems_are_defused() {
        assert_eq!(log_lines("x ##[error]boo"), ["x # #[error]boo"]);
        assert_eq!(
            log_lines("##vso[task.complete]\n##teamcity[x]"),
            ["# #vso[task.complete]", "# #teamcity[x]"]
        );
        assert_eq!(log_lines("## heading"), ["## heading"]);
    }

    #[test]
    fn lines_are_shortened_and_wrapped_by_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(one_line("a\r\n\tb  c"), "a b c");
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let clean = sanitise(&bytes);
            prop_assert!(clean.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
            prop_assert_eq!(sanitise(&clean), clean);
        }

        #[test]
        fn text_without_controls_is_unchanged(text in "[ -~äμ🦀\n\t]{0,200}") {
            prop_assert_eq!(sanitise(&text), text);
        }
    }
}
