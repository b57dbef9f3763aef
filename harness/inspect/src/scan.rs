//! Searches sections for GPU code that no header points to, and for the names of libraries, in one pass.
//!
//! cuFFT, cuSPARSE, cuBLASLt and cuDNN keep most or some of their code in `.data`, `.rodata`, `.lrodata` or
//! sections of their own, where `cuobjdump` does not look.

use std::collections::BTreeSet;
use std::io;

use cudacheck_model::package::FoundBy;
use memchr::memmem::Finder;

use crate::cubin;
use crate::fatbin::{self, Code, Event, NEEDLE, Outcome, Payload, Section};
use crate::names;
use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// Bytes that are searched at once: they fit into the second-level cache, since they are searched three times.
const CHUNK: usize = 256 * 1024;

/// Bytes that are searched again with the next chunk, so that nothing is lost between them: as long as a name.
const OVERLAP: usize = 512;

/// How a cubin begins, as every 64-bit ELF file.
const ELF: [u8; 7] = [0x7f, b'E', b'L', b'F', 2, 1, 1];

/// What to search for, prepared once, and the buffer, allocated once.
pub(crate) struct Scanner {
    container: Finder<'static>,
    elf: Finder<'static>,
    library: Finder<'static>,
    buffer: Vec<u8>,
}

impl Scanner {
    /// A scanner for any number of sections.
    pub(crate) fn new() -> Self {
        Self {
            container: Finder::new(&NEEDLE),
            elf: Finder::new(&ELF),
            library: Finder::new(b".so"),
            buffer: Vec::new(),
        }
    }

    /// Searches one section.
    pub(crate) fn scan(
        &mut self,
        source: Source<'_>,
        section: &str,
        found_names: &mut BTreeSet<String>,
        warnings: &mut Warnings,
        visit: &mut dyn FnMut(Event<'_>),
    ) -> io::Result<()> {
        // A name that begins the section has no NUL before it, so the buffer has one.
        self.buffer.resize(1 + CHUNK, 0);
        let section = Section {
            name: section,
            found_by: FoundBy::DeepScan,
        };
        let mut window = Window::new(source);
        // Everything before this place is known: it is in a container, or was searched.
        let mut known = 0;
        let mut at = 0;
        loop {
            let filled = source.read(at, &mut self.buffer[1..])?;
            let chunk = &self.buffer[1..=filled];
            if !chunk.is_empty() {
                let with_edge = if at == 0 {
                    &self.buffer[..=filled]
                } else {
                    chunk
                };
                names::collect(&self.library, with_edge, found_names);
                known = self.code(chunk, at, known, &mut window, section, warnings, visit)?;
            }
            if filled < CHUNK {
                return Ok(());
            }
            let after = at + (filled - OVERLAP) as u64;
            // A container of a gigabyte is not searched, and neither are the holes of a sparse file.
            let next = after.max(known);
            at = source
                .next_data(next)
                .saturating_sub(OVERLAP as u64)
                .max(next);
        }
    }

    /// Searches a chunk at `at` for code from `known` on, and answers how far it is known now.
    #[expect(
        clippy::too_many_arguments,
        reason = "all of them belong to one search and to nothing else"
    )]
    fn code(
        &self,
        chunk: &[u8],
        at: u64,
        known: u64,
        window: &mut Window<'_>,
        section: Section<'_>,
        warnings: &mut Warnings,
        visit: &mut dyn FnMut(Event<'_>),
    ) -> io::Result<u64> {
        let end = at + chunk.len() as u64;
        let mut known = known.max(at);
        let mut container = Ahead::new(&self.container);
        let mut elf = Ahead::new(&self.elf);
        while known < end {
            let Ok(from) = usize::try_from(known - at) else {
                break;
            };
            let hits = (container.next(chunk, from), elf.next(chunk, from));
            known = match hits {
                (Some(hit), other) if other.is_none_or(|other| hit < other) => {
                    self::container(window, at + hit as u64, section, warnings, visit)?
                }
                (_, Some(hit)) => loose(window, at + hit as u64, section, visit)?,
                (_, None) => break,
            };
        }
        Ok(known)
    }
}

/// The next occurrence of a needle, searched for only once.
struct Ahead<'n> {
    finder: &'n Finder<'static>,
    hit: Option<usize>,
    searched: bool,
}

impl<'n> Ahead<'n> {
    fn new(finder: &'n Finder<'static>) -> Self {
        Self {
            finder,
            hit: None,
            searched: false,
        }
    }

    fn next(&mut self, chunk: &[u8], from: usize) -> Option<usize> {
        let stale = self.hit.is_some_and(|hit| hit < from);
        if !self.searched || stale {
            self.hit = self.finder.find(&chunk[from..]).map(|hit| from + hit);
            self.searched = true;
        }
        self.hit
    }
}

/// Reads what may be a container, and answers from where to search on.
fn container(
    window: &mut Window<'_>,
    offset: u64,
    section: Section<'_>,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(Event<'_>),
) -> io::Result<u64> {
    if let Err(next) = fatbin::plausible_container(window, offset)? {
        return Ok(next);
    }
    visit(Event::Container { section });
    let outcome = fatbin::read_container(window, offset, warnings, &mut |entry, payload| {
        visit(Event::Entry {
            section,
            entry,
            payload,
        });
    })?;
    Ok(match outcome {
        Outcome::Whole { end, code } => {
            if code == Code::NoKernels {
                visit(Event::NoKernels { section });
            }
            end
        }
        Outcome::Broken { end } => end,
    })
}

/// Reads what may be a cubin outside of containers, and answers from where to search on.
fn loose(
    window: &mut Window<'_>,
    offset: u64,
    section: Section<'_>,
    visit: &mut dyn FnMut(Event<'_>),
) -> io::Result<u64> {
    let source = window.source();
    let rest = source.part(offset, u64::MAX);
    let Some((entry, length)) = cubin::plausible(rest)? else {
        return Ok(offset + ELF.len() as u64);
    };
    let payload = Payload::Loose {
        place: source.place(offset),
        length,
    };
    visit(Event::Entry {
        section,
        entry: &entry,
        payload,
    });
    Ok(offset + length)
}
