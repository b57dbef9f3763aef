//! Walks the members of static libraries: GNU, BSD and thin ones.
//!
//! Only the places of members matter here; their names are for messages, so a table of long names is not kept.

use std::io;

use cudacheck_model::package::WarningCode;

use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// How archives begin.
pub(crate) const MAGIC: &[u8; 8] = b"!<arch>\n";

/// How archives begin that only name files which are elsewhere.
pub(crate) const THIN: &[u8; 8] = b"!<thin>\n";

/// Bytes of a member's header.
const HEADER: u64 = 60;

/// Hands each member to `visit`.
pub(crate) fn members<'f>(
    source: Source<'f>,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(Source<'f>, &mut Warnings) -> io::Result<()>,
) -> io::Result<()> {
    let mut window = Window::new(source);
    let mut at = MAGIC.len() as u64;
    while at < source.len() {
        let place = source.place(at);
        let header = window.get(at, 60)?;
        if header.len() < 60 {
            warnings.at(
                WarningCode::Truncated,
                place,
                "an archive ends in the header of a member",
            );
            return Ok(());
        }
        let (name, size) = (&header[..16], number(&header[48..58]));
        let (Some(size), b"`\n") = (size, &header[58..60]) else {
            warnings.at(
                WarningCode::MalformedFile,
                place,
                "an archive has something that is no header of a member",
            );
            return Ok(());
        };
        let data = at + HEADER;
        // BSD archives keep names of more than 16 bytes before the data, and count them as data.
        let in_data = name
            .strip_prefix(b"#1/")
            .and_then(number)
            .unwrap_or(0)
            .min(size);
        let symbols =
            name.starts_with(b"/ ") || name.starts_with(b"// ") || name.starts_with(b"/SYM64/");
        if !source.holds(data, size) {
            let message = format!(
                "a member of {size} bytes is cut off after {}",
                source.len().saturating_sub(data)
            );
            warnings.at(WarningCode::Truncated, place, message);
        }
        if !symbols {
            visit(
                source.part(data.saturating_add(in_data), size - in_data),
                warnings,
            )?;
        }
        // Members begin at even places.
        at = data.saturating_add(size).saturating_add(size % 2);
    }
    Ok(())
}

/// A decimal number with blanks behind it.
fn number(text: &[u8]) -> Option<u64> {
    str::from_utf8(text)
        .ok()?
        .trim_end_matches([' ', '\0'])
        .parse()
        .ok()
}
