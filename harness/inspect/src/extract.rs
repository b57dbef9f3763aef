//! Writes the payloads of GPU code to files, unpacked, for whoever wants to read them with other tools.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use cudacheck_model::package::{
    CodeEntry, CodeKind, CodeVersion, Compression, ReadWarning, WarningCode,
};
use cudacheck_model::version::{PtxIsa, Target};

use crate::fatbin::{Event, Payload};
use crate::file::Reader;
use crate::scan::Scanner;
use crate::source::Source;
use crate::unpack::{self, UnpackError};
use crate::warnings::Warnings;
use crate::{Listed, Search, entries, open, walk};

/// What was written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Extracted {
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// What could not be read, unpacked, or written.
    pub warnings: Vec<ReadWarning>,
}

/// Writes the payload of every entry below `paths` to a file below `into`.
///
/// A file's payloads go into a directory of its own path below `into`, as `00017.sm_90a.cubin`: the number counts the
/// file's entries. What exists already is not overwritten.
///
/// # Errors
///
/// When `into` cannot be created. Everything else is a warning in the answer.
pub fn extract(paths: &[PathBuf], search: Search, into: &Path) -> io::Result<Extracted> {
    fs::create_dir_all(into)?;
    let (candidates, mut warnings, _) = walk::walk(paths);
    let mut extracted = Extracted::default();
    let mut scanner = Scanner::new();
    for candidate in candidates {
        let mut own = Warnings::new(&candidate.path);
        let directory = into.join(inner(&candidate.path));
        if let Err(error) = file(
            &candidate.path,
            search,
            &mut scanner,
            (&directory, Choice::All),
            &mut own,
            &mut extracted,
        ) {
            own.whole(WarningCode::Unreadable, error.to_string());
        }
        warnings.extend(own.finish().0);
    }
    extracted.warnings = warnings;
    Ok(extracted)
}

/// PTX shorter than this has hardly a kernel in it: compilers write a header alone for files without any.
const EMPTY: u64 = 512;

/// Which PTX is to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// What it is for.
    pub target: Target,
    /// The version that it is written in.
    pub isa: PtxIsa,
    /// The most bytes that it may have unpacked.
    pub limit: u64,
}

impl Wanted {
    fn fits(self, entry: &CodeEntry) -> bool {
        entry.kind == CodeKind::Ptx
            && entry.target == Some(self.target)
            && entry.version == CodeVersion::PtxIsa(self.isa)
            && !entry.scrambled
            && entry.unpacked_bytes <= self.limit
    }
}

/// Writes the smallest PTX below `paths` that is wanted to a file below `into`, and answers where that is.
///
/// What is so short that it holds no kernel is taken only if there is nothing else.
///
/// # Errors
///
/// When `into` cannot be created. What cannot be read is passed over.
pub fn extract_smallest(
    paths: &[PathBuf],
    search: Search,
    wanted: Wanted,
    into: &Path,
) -> io::Result<Option<PathBuf>> {
    fs::create_dir_all(into)?;
    let rank = |bytes: u64| (bytes < EMPTY, bytes);
    let mut smallest: Option<(u64, PathBuf, u64)> = None;
    for candidate in walk::walk(paths).0 {
        let mut look = |listed: Listed<'_>| {
            let (entry, known) = (listed.entry, smallest.as_ref());
            if wanted.fits(entry)
                && known.is_none_or(|(size, ..)| rank(entry.unpacked_bytes) < rank(*size))
            {
                smallest = Some((entry.unpacked_bytes, candidate.path.clone(), entry.offset));
            }
        };
        // A file that cannot be read has none.
        let _ = entries(&candidate.path, search, &mut look);
    }
    let Some((_, path, offset)) = smallest else {
        return Ok(None);
    };
    let mut extracted = Extracted::default();
    let choice = Choice::At(offset);
    let (mut scanner, mut warnings) = (Scanner::new(), Warnings::new(&path));
    let done = file(
        &path,
        search,
        &mut scanner,
        (into, choice),
        &mut warnings,
        &mut extracted,
    );
    if done.is_err() || extracted.files == 0 {
        return Ok(None);
    }
    let written = fs::read_dir(into)?.next().transpose()?;
    Ok(written.map(|file| file.path()))
}

/// Which entries are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Choice {
    All,
    /// The one whose header is here.
    At(u64),
}

/// The parts of a path that cannot lead out of the directory it is joined to.
fn inner(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

fn file(
    path: &Path,
    search: Search,
    scanner: &mut Scanner,
    (directory, choice): (&Path, Choice),
    warnings: &mut Warnings,
    extracted: &mut Extracted,
) -> io::Result<()> {
    let (file, size) = open(path)?;
    let source = Source::new(&file, size);
    let mut writer = Writer {
        source,
        directory,
        choice,
        number: 0,
        outer: Outer::None,
        extracted,
        failures: Warnings::new(path),
    };
    let mut reader = Reader {
        search,
        scanner,
        visit: &mut |event| writer.take(&event),
    };
    reader.file(source, warnings)?;
    for failure in writer.failures.finish().0 {
        warnings.at(failure.code, failure.offset.unwrap_or(0), failure.message);
    }
    Ok(())
}

struct Writer<'w> {
    source: Source<'w>,
    directory: &'w Path,
    choice: Choice,
    number: u64,
    outer: Outer,
    extracted: &'w mut Extracted,
    failures: Warnings,
}

/// The concatenated entry whose parts follow.
enum Outer {
    None,
    /// Its bytes are in the file as they are.
    Stored {
        place: u64,
        length: u64,
    },
    /// Its bytes had to be unpacked.
    Unpacked(Vec<u8>),
}

impl Writer<'_> {
    fn take(&mut self, event: &Event<'_>) {
        let Event::Entry { entry, payload, .. } = event else {
            return;
        };
        if let Err(error) = self.entry(entry, *payload) {
            self.failures
                .at(WarningCode::NotExtracted, entry.offset, error.to_string());
        }
    }

    fn entry(&mut self, entry: &CodeEntry, payload: Payload) -> Result<(), ExtractError> {
        if entry.kind == CodeKind::Concatenated {
            self.outer = Outer::None;
            self.outer = match (entry.compression, payload) {
                (Compression::None, Payload::Stored { place, length }) => {
                    Outer::Stored { place, length }
                }
                (_, payload) => Outer::Unpacked(self.bytes(entry, payload)?),
            };
            return Ok(());
        }
        match self.choice {
            Choice::At(offset) if offset != entry.offset => return Ok(()),
            Choice::At(_) | Choice::All => {}
        }
        let name = self.name(entry);
        self.number += 1;
        let path = self.directory.join(name);
        // Without compression nothing need be in memory at once.
        let copied = match (entry.compression, payload) {
            (Compression::None, Payload::Stored { place, length }) if !is_text(entry.kind) => {
                Some((place, length))
            }
            (_, Payload::Loose { place, length }) => Some((place, length)),
            (_, Payload::Stored { .. } | Payload::Nested { .. }) => None,
        };
        let written = match copied {
            Some((place, length)) => self.copy(&path, place, length)?,
            None => {
                let mut bytes = self.bytes(entry, payload)?;
                if is_text(entry.kind) {
                    // Text is stored with a NUL, and padded with more; other tools want neither.
                    let end = bytes.iter().rposition(|byte| *byte != 0);
                    bytes.truncate(end.map_or(0, |last| last + 1));
                }
                self.create(&path)?.write_all(&bytes)?;
                bytes.len() as u64
            }
        };
        self.extracted.files += 1;
        self.extracted.bytes += written;
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<fs::File> {
        fs::create_dir_all(self.directory)?;
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn copy(&self, path: &Path, place: u64, length: u64) -> io::Result<u64> {
        let part = self.source.part(place, length);
        let mut file = self.create(path)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut done = 0;
        while done < part.len() {
            let filled = part.read(done, &mut buffer)?;
            if filled == 0 {
                break;
            }
            file.write_all(&buffer[..filled])?;
            done += filled as u64;
        }
        Ok(done)
    }

    fn bytes(&self, entry: &CodeEntry, payload: Payload) -> Result<Vec<u8>, ExtractError> {
        let (place, length) = match (payload, &self.outer) {
            (Payload::Stored { place, length } | Payload::Loose { place, length }, _) => {
                (place, length)
            }
            (
                Payload::Nested { offset, length },
                Outer::Stored {
                    place,
                    length: whole,
                },
            ) => {
                let inside = offset.checked_add(length).is_some_and(|end| end <= *whole);
                let place = place
                    .checked_add(offset)
                    .filter(|_| inside)
                    .ok_or(ExtractError::Outside)?;
                return self.stored(place, length);
            }
            (Payload::Nested { offset, length }, Outer::Unpacked(bytes)) => {
                let start = usize::try_from(offset).ok();
                let end = offset
                    .checked_add(length)
                    .and_then(|end| usize::try_from(end).ok());
                let range = start
                    .zip(end)
                    .and_then(|(start, end)| bytes.get(start..end));
                return Ok(range.ok_or(ExtractError::Outside)?.to_vec());
            }
            (Payload::Nested { .. }, Outer::None) => return Err(ExtractError::Outside),
        };
        let stored = self.stored(place, length)?;
        if entry.scrambled {
            return Ok(stored);
        }
        Ok(unpack::unpack(
            entry.compression,
            &stored,
            entry.unpacked_bytes,
        )?)
    }

    fn stored(&self, place: u64, length: u64) -> Result<Vec<u8>, ExtractError> {
        let part = self.source.part(place, length);
        if part.len() > unpack::LARGEST {
            return Err(UnpackError::TooLarge(part.len()).into());
        }
        let mut bytes = vec![0; usize::try_from(part.len()).unwrap_or(0)];
        let filled = part.read(0, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn name(&self, entry: &CodeEntry) -> String {
        let target = entry
            .target
            .map_or_else(String::new, |target| format!(".{target}"));
        let scrambled = if entry.scrambled { ".scrambled" } else { "" };
        let kind = match entry.kind {
            CodeKind::Ptx => "ptx",
            CodeKind::Cubin | CodeKind::LegacyCubin | CodeKind::OtherElf => "cubin",
            CodeKind::LtoIr => "ltoir",
            CodeKind::RelocatablePtx => "relocatable.ptx",
            CodeKind::TileIr => "tileir",
            CodeKind::Index | CodeKind::Concatenated | CodeKind::Unknown(_) => "bin",
        };
        format!("{:05}{target}.{kind}{scrambled}", self.number)
    }
}

fn is_text(kind: CodeKind) -> bool {
    matches!(kind, CodeKind::Ptx | CodeKind::RelocatablePtx)
}

/// Why a payload was not written.
#[derive(Debug, thiserror::Error)]
enum ExtractError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error("it is outside of the concatenated entry that holds it, or that could not be unpacked")]
    Outside,
}
