//! Reads containers of GPU code, as NVIDIA's tools have written them since CUDA 8.
//!
//! A section is a row of containers, a container a row of entries, and an entry a header with a payload. There is no
//! public specification; the layout is known from files of all toolkits and from what `cuobjdump` says of them.
//! Only headers are read. What contradicts itself is reported with its place, and reading goes on at the next
//! container that can be recognised.

mod concat;
mod entry;
mod kernels;

pub(crate) use entry::target;

use std::io;

use cudacheck_model::package::{CodeEntry, CodeKind, FoundBy, WarningCode};

use self::kernels::Cubins;
use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// How containers begin: the magic number, version 1, and 16 bytes of header.
pub(crate) const NEEDLE: [u8; 8] = [0x50, 0xed, 0x55, 0xba, 1, 0, 0x10, 0];

/// The magic number alone.
const MAGIC: u32 = 0xba55_ed50;

/// Bytes of a container's header.
const HEADER: u64 = 16;

/// Something that was found. Places are counted from the start of the file.
pub(crate) enum Event<'a> {
    /// A container begins; the entries that follow are in it.
    Container {
        /// Which section it is in.
        section: Section<'a>,
    },
    /// The machine code of the container that was read has no kernels.
    NoKernels {
        /// Which section it is in.
        section: Section<'a>,
    },
    /// A piece of code.
    Entry {
        /// Which section it is in.
        section: Section<'a>,
        /// What its header says.
        entry: &'a CodeEntry,
        /// Where its bytes are.
        payload: Payload,
    },
}

/// The section that something was found in.
#[derive(Clone, Copy)]
pub(crate) struct Section<'a> {
    /// Its name, empty for files without sections.
    pub(crate) name: &'a str,
    /// How it came that it was searched.
    pub(crate) found_by: FoundBy,
}

/// Where the bytes of an entry are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Payload {
    /// In the file.
    Stored {
        /// The first byte.
        place: u64,
        /// How many there are.
        length: u64,
    },
    /// In the unpacked bytes of the concatenated entry before.
    Nested {
        /// The first byte.
        offset: u64,
        /// How many there are.
        length: u64,
    },
    /// In the file, in no container: the entry is a cubin of its own.
    Loose {
        /// The first byte.
        place: u64,
        /// How many there are.
        length: u64,
    },
}

/// Reads all containers of a section.
pub(crate) fn read_section(
    source: Source<'_>,
    section: Section<'_>,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(Event<'_>),
) -> io::Result<()> {
    let mut window = Window::new(source);
    let mut offset = 0;
    let mut expected = Between::Zeros;
    while let Some(found) = next_container(&mut window, offset, expected, warnings)? {
        visit(Event::Container { section });
        let mut entries = |entry: &CodeEntry, payload| {
            visit(Event::Entry {
                section,
                entry,
                payload,
            })
        };
        (offset, expected) = match read_container(&mut window, found, warnings, &mut entries)? {
            Outcome::Whole { end, code } => {
                if code == Code::NoKernels {
                    visit(Event::NoKernels { section });
                }
                (end.next_multiple_of(8), Between::Zeros)
            }
            Outcome::Broken { end } => (end, Between::Debris),
        };
    }
    Ok(())
}

/// Whether a whole container begins here that contains nothing doubtful.
///
/// The magic number is also found by chance, so that a container outside of the sections for it must prove itself.
/// Where it does not, the answer is the place from which to search on: never one that was looked at already, or a
/// hostile file could have the same bytes looked at any number of times.
pub(crate) fn plausible_container(
    window: &mut Window<'_>,
    offset: u64,
) -> io::Result<Result<(), u64>> {
    let mut warnings = Warnings::new("".as_ref());
    let mut entries = 0_u64;
    let mut known = true;
    let mut count = |entry: &CodeEntry, _| {
        entries += 1;
        known &= !matches!(entry.kind, CodeKind::Unknown(_));
    };
    let outcome = read_container(window, offset, &mut warnings, &mut count)?;
    Ok(match outcome {
        Outcome::Whole { .. } if known && entries > 0 && warnings.count() == 0 => Ok(()),
        Outcome::Whole { end, .. } | Outcome::Broken { end } => Err(end.max(offset + 8)),
    })
}

/// What is in a container.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Code {
    /// Something that may be of use.
    Usual,
    /// Machine code without kernels.
    NoKernels,
}

/// Where reading a container has ended.
pub(crate) enum Outcome {
    /// At its end.
    Whole {
        /// The byte after it.
        end: u64,
        /// What is in it.
        code: Code,
    },
    /// Before its end, since something was wrong.
    Broken {
        /// The byte from which the next container is to be searched.
        end: u64,
    },
}

/// Reads the container at `offset`, which begins with the magic number.
pub(crate) fn read_container(
    window: &mut Window<'_>,
    offset: u64,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(&CodeEntry, Payload),
) -> io::Result<Outcome> {
    let source = window.source();
    let place = source.place(offset);
    let header = window.get(offset, 16)?;
    let (Some(version), Some(header_size), Some(size)) =
        (u16_at(header, 4), u16_at(header, 6), u64_at(header, 8))
    else {
        warnings.at(
            WarningCode::Truncated,
            place,
            "the file ends in the header of a container",
        );
        return Ok(Outcome::Broken { end: source.len() });
    };
    if version != 1 {
        let message =
            format!("a container has version {version}, and is read as if it were version 1");
        warnings.at(WarningCode::UnknownVersion, place, message);
    }
    if u64::from(header_size) != HEADER {
        let message = format!(
            "a container has a header of {header_size} bytes, and is read as if they were 16"
        );
        warnings.at(WarningCode::MalformedContainer, place, message);
    }
    let promised = offset.saturating_add(HEADER).saturating_add(size);
    let whole = promised <= source.len();
    if !whole {
        let left = source.len().saturating_sub(offset.saturating_add(HEADER));
        let message = format!("a container of {size} bytes is cut off after {left}");
        warnings.at(WarningCode::Truncated, place, message);
    }
    let end = promised.min(source.len());
    let mut next = offset + HEADER;
    let mut cubins = Cubins::default();
    let mut take = |entry: &CodeEntry, payload| {
        cubins.take(entry, payload);
        visit(entry, payload);
    };
    while next < end {
        match entry::read(window, next, end, warnings, &mut take)? {
            Some(after) => next = after,
            // The magic number is only ever found at multiples of eight, and never here.
            None => {
                return Ok(Outcome::Broken {
                    end: next.next_multiple_of(8),
                });
            }
        }
    }
    let code = if cubins.have_no_kernels(window)? {
        Code::NoKernels
    } else {
        Code::Usual
    };
    Ok(Outcome::Whole { end, code })
}

/// What may be before the next container.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Between {
    /// Nothing but padding.
    Zeros,
    /// The rest of a container that could not be read, which has been reported.
    Debris,
}

/// Where the next container begins.
fn next_container(
    window: &mut Window<'_>,
    from: u64,
    expected: Between,
    warnings: &mut Warnings,
) -> io::Result<Option<u64>> {
    let source = window.source();
    let mut offset = from;
    let mut foreign: Option<u64> = None;
    let found = loop {
        if offset >= source.len() {
            break None;
        }
        let bytes = window.get(offset, 1024)?;
        let words = bytes
            .chunks(8)
            .position(|word| !word.iter().all(|byte| *byte == 0));
        let Some(words) = words else {
            if bytes.is_empty() {
                break None;
            }
            let read = bytes.len() as u64;
            offset = source.next_data(offset + read).next_multiple_of(8);
            continue;
        };
        offset += words as u64 * 8;
        if u32_at(bytes, words * 8) == Some(MAGIC) {
            break Some(offset);
        }
        foreign.get_or_insert(offset);
        offset = next_magic(source, offset + 8)?;
    };
    if let Some(foreign) = foreign.filter(|_| expected == Between::Zeros) {
        let end = found.unwrap_or(source.len());
        let message = format!(
            "{} bytes are neither a container nor padding",
            end - foreign
        );
        warnings.at(
            WarningCode::MalformedContainer,
            source.place(foreign),
            message,
        );
    }
    Ok(found)
}

/// The next magic number at a multiple of eight, or the end.
fn next_magic(source: Source<'_>, from: u64) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = from;
    while offset < source.len() {
        let filled = source.read(offset, &mut buffer)?;
        let words = buffer[..filled].chunks_exact(8);
        if let Some(index) = words
            .into_iter()
            .position(|word| word.starts_with(&NEEDLE[..4]))
        {
            return Ok(offset + index as u64 * 8);
        }
        if filled < buffer.len() {
            break;
        }
        offset = source.next_data(offset + filled as u64) & !7;
    }
    Ok(source.len())
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    let bytes = bytes.get(offset..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}
