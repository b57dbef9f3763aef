//! Concatenated entries, written since CUDA 13: one payload for several entries, whose headers are kept in the clear.

use std::io;

use cudacheck_model::package::{CodeEntry, WarningCode};

use super::Payload;
use super::entry::{BASE, Header};
use super::{u32_at, u64_at};
use crate::source::{LONGEST, Window};
use crate::warnings::Warnings;

/// Reads the headers inside the header of `outer`, which is at `offset` and has `size` bytes.
pub(super) fn read(
    window: &mut Window<'_>,
    offset: u64,
    outer: &CodeEntry,
    size: u64,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(&CodeEntry, Payload),
) -> io::Result<()> {
    let source = window.source();
    let header = window.get(offset + BASE as u64, 8)?;
    let fields = u64_at(header, 0).is_some() && size >= BASE as u64 + 8;
    let (Some(count), Some(length), true) = (u32_at(header, 0), u32_at(header, 4), fields) else {
        warnings.at(
            WarningCode::MalformedEntry,
            outer.offset,
            "a concatenated entry does not say what it holds",
        );
        return Ok(());
    };
    let mut next = offset + BASE as u64 + 8;
    let end = next.saturating_add(length.into()).min(offset + size);
    for index in 0..count {
        let left = end.saturating_sub(next);
        let longest = usize::try_from(left).unwrap_or(LONGEST).min(LONGEST);
        let bytes = window.get(next, longest)?;
        let Some((header, stride)) =
            Header::parse(bytes).and_then(|header| Some((header, stride(header, bytes)?)))
        else {
            let message =
                format!("a concatenated entry promises {count} entries, and holds {index}");
            warnings.at(WarningCode::MalformedEntry, source.place(next), message);
            return Ok(());
        };
        let entry = CodeEntry {
            concatenated: true,
            compression: outer.compression,
            stored_bytes: 0,
            unpacked_bytes: header.payload,
            ..header.entry(bytes, source.place(next), warnings)
        };
        let payload = Payload::Nested {
            offset: header.size.into(),
            length: header.payload,
        };
        if payload_is_outside(header, outer) {
            let message = "a piece of GPU code reaches beyond the concatenated entry that it is in";
            warnings.at(WarningCode::MalformedEntry, entry.offset, message);
        }
        visit(&entry, payload);
        next = next.saturating_add(stride);
    }
    Ok(())
}

fn payload_is_outside(header: Header, outer: &CodeEntry) -> bool {
    let end = u64::from(header.size).checked_add(header.payload);
    end.is_none_or(|end| end > outer.unpacked_bytes)
}

/// Bytes from one header to the next. They are not stored, but follow from what comes with a header: each text
/// has a NUL and is padded to eight bytes, and options have a descriptor.
fn stride(header: Header, bytes: &[u8]) -> Option<u64> {
    let padded = |length: u32| (u64::from(length) + 1).next_multiple_of(8);
    let mut stride = BASE as u64;
    if header.identifier != 0 {
        stride += padded(header.identifier_length);
    }
    if header.options != 0 {
        let descriptor = usize::try_from(header.options).ok()?;
        stride += 8 + padded(u32_at(bytes, descriptor.checked_add(4)?)?);
    }
    Some(stride)
}
