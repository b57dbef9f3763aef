//! Splits PTX text into tokens, each with its line, because every complaint names one.

use super::error::CompileError;

/// What kind of token it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// A name, an opcode, or `_`.
    Word,
    /// `.name`, a directive or a modifier; the text excludes the dot.
    Dot,
    /// An integer.
    Integer(u64),
    /// `0f` and eight digits: the bits of a 32-bit float.
    Single(u32),
    /// `0d` and sixteen digits, or a decimal fraction: the bits of a 64-bit float.
    Double(u64),
    /// `"..."`, with the quotes.
    Text,
    /// One character of punctuation, or `<<`, `>>`, `==`, `!=`, `<=`, `>=`, `&&`, `||`.
    Punct,
    /// The end of the text.
    End,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: u32,
    /// Where it begins in the text, so that a trap can quote the instruction.
    pub(crate) start: usize,
}

/// Splits a text into its tokens, with one [`Kind::End`] behind them.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, CompileError> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len() / 4);
    let (mut at, mut line) = (0, 1u32);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b'\n' => {
                line += 1;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c => {
                at += 1;
                continue;
            }
            // Drivers pass the text as a C string, some with its terminator.
            0 if bytes[at..].iter().all(|byte| *byte == 0) => break,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let Some(length) = text[at + 2..].find("*/") else {
                    return Err(CompileError::syntax(line, "unterminated comment"));
                };
                let body = &text[at..at + 2 + length];
                line += u32::try_from(body.matches('\n').count()).unwrap_or(0);
                at += length + 4;
                continue;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                    at += 1;
                }
                if bytes.get(at) != Some(&b'"') {
                    return Err(CompileError::syntax(line, "unterminated string"));
                }
                at += 1;
                Kind::Text
            }
            b'.' if bytes.get(at + 1).is_some_and(|byte| word(*byte)) => {
                at = name(bytes, at + 1);
                while bytes[at..].starts_with(b"::")
                    && bytes.get(at + 2).is_some_and(|byte| word(*byte))
                {
                    at = name(bytes, at + 2);
                }
                found.push(Token {
                    kind: Kind::Dot,
                    text: &text[start + 1..at],
                    line,
                    start,
                });
                continue;
            }
            b'0'..=b'9' => {
                let (kind, end) = number(text, at)
                    .ok_or_else(|| CompileError::syntax(line, "malformed number"))?;
                at = end;
                kind
            }
            _ if word(byte) || byte == b'%' => {
                at = name(bytes, at + 1);
                Kind::Word
            }
            _ => {
                let two = ["<<", ">>", "==", "!=", "<=", ">=", "&&", "||"];
                if two
                    .iter()
                    .any(|two| bytes[at..].starts_with(two.as_bytes()))
                {
                    at += 2;
                } else if byte.is_ascii() && !byte.is_ascii_control() {
                    at += 1;
                } else {
                    return Err(CompileError::syntax(
                        line,
                        format!("unexpected non-ASCII character encountered on line {line}"),
                    ));
                }
                Kind::Punct
            }
        };
        found.push(Token {
            kind,
            text: &text[start..at],
            line,
            start,
        });
    }
    found.push(Token {
        kind: Kind::End,
        text: "",
        line,
        start: text.len(),
    });
    Ok(found)
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

fn name(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| word(*byte)) {
        at += 1;
    }
    at
}

fn number(text: &str, start: usize) -> Option<(Kind, usize)> {
    let bytes = text.as_bytes();
    let mut end = name(bytes, start);
    let body = &text[start..end];
    let digits = |prefix: [&str; 2]| prefix.iter().find_map(|prefix| body.strip_prefix(prefix));
    if let Some(hex) = digits(["0f", "0F"]) {
        let bits = u32::from_str_radix(hex, 16).ok()?;
        return (hex.len() == 8).then_some((Kind::Single(bits), end));
    }
    if let Some(hex) = digits(["0d", "0D"]) {
        let bits = u64::from_str_radix(hex, 16).ok()?;
        return (hex.len() == 16).then_some((Kind::Double(bits), end));
    }
    let whole = body.trim_end_matches(['U', 'u']);
    if body.len() - whole.len() > 1 {
        return None;
    }
    for (prefix, radix) in [(["0x", "0X"], 16), (["0b", "0B"], 2)] {
        if let Some(digits) = prefix.iter().find_map(|prefix| whole.strip_prefix(prefix)) {
            let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
            return plain.then_some((Kind::Integer(u64::from_str_radix(digits, radix).ok()?), end));
        }
    }
    let fraction =
        bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    let exponent = whole.contains(['e', 'E']);
    if fraction || exponent {
        if fraction {
            end = name(bytes, end + 1);
        }
        if matches!(bytes[end - 1], b'e' | b'E') && matches!(bytes.get(end), Some(b'+' | b'-')) {
            end = name(bytes, end + 1);
        }
        let value: f64 = text[start..end].parse().ok()?;
        return Some((Kind::Double(value.to_bits()), end));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Some((
            Kind::Integer(u64::from_str_radix(&whole[1..], 8).ok()?),
            end,
        ));
    }
    whole
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    Some((Kind::Integer(whole.parse().ok()?), end))
}
