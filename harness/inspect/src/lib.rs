//! What a package contains, read from its files: GPU code, what the loader is told, names that are opened later.
//!
//! Nothing is executed, nothing is loaded, and no file is mapped: headers are read at their places, so that a library of
//! a gigabyte costs milliseconds, and a file that changes or lies costs a warning.
#![forbid(unsafe_code)]

mod archive;
mod cubin;
mod elf;
mod extract;
mod fatbin;
mod file;
pub mod finding;
#[cfg(test)]
mod fixture;
mod known;
mod names;
mod pe;
mod pool;
pub mod resolve;
mod scan;
mod source;
pub mod subject;
mod tally;
mod unpack;
mod walk;
mod warnings;

pub use extract::{Extracted, Wanted, extract, extract_smallest};

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cudacheck_model::package::{
    CodeEntry, FoundBy, PACKAGE_SCHEMA, PackageCounts, PackageFacts, PackageFile, ReadWarning,
    WarningCode,
};

use crate::fatbin::Event;
use crate::file::{Contents, Reader};
use crate::scan::Scanner;
use crate::source::Source;
use crate::tally::Tally;
use crate::walk::Candidate;
use crate::warnings::Warnings;

/// How to inspect.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where GPU code is looked for.
    pub search: Search,
    /// Files that are read at the same time.
    pub threads: NonZeroUsize,
}

impl Default for Options {
    /// Everywhere, with as many threads as there are processors, but at most four: reading is what takes time.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            search: Search::Everywhere,
            threads: processors.min(NonZeroUsize::MIN.saturating_add(3)),
        }
    }
}

/// Where GPU code is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Search {
    /// In all sections with data, which also finds the names of libraries that are opened later.
    Everywhere,
    /// Only in the sections that NVIDIA's tools make for it, as `cuobjdump` does.
    FatbinSections,
}

/// How far an inspection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Files that have been read.
    pub files: u64,
    /// Files that there are.
    pub of: u64,
}

/// Reads everything below the given paths.
///
/// What cannot be read is a warning in the answer. `progress` is called from several threads, after each file.
pub fn inspect(
    paths: &[PathBuf],
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> PackageFacts {
    let (candidates, mut warnings, mut left_out) = walk::walk(paths);
    let read = pool::map(
        &candidates,
        options.threads,
        Scanner::new,
        |scanner, candidate| read_file(candidate, options.search, scanner),
        progress,
    );
    let mut counts = PackageCounts::default();
    let mut files = Vec::new();
    for outcome in read {
        counts.files += 1;
        counts.bytes = counts.bytes.saturating_add(outcome.size);
        warnings.extend(outcome.warnings);
        left_out += outcome.warnings_left_out;
        let Some(file) = outcome.file else { continue };
        counts.files_with_code += u64::from(!file.code.is_empty());
        counts.containers += file
            .code
            .iter()
            .map(|section| section.containers)
            .sum::<u64>();
        counts.entries += file.code.iter().map(|section| section.entries).sum::<u64>();
        files.push(*file);
    }
    // Sorting is stable: the faults of one file stay in the order of the file.
    warnings.sort_by(|one, other| one.file.cmp(&other.file));
    PackageFacts {
        schema: PACKAGE_SCHEMA,
        roots: paths.to_vec(),
        files,
        warnings,
        warnings_left_out: left_out,
        counts,
    }
}

/// An entry with the section that it is in.
pub struct Listed<'a> {
    /// The name of the section, empty for files without sections.
    pub section: &'a str,
    /// How it was found.
    pub found_by: FoundBy,
    /// What its header says.
    pub entry: &'a CodeEntry,
}

/// Hands every entry of one file to `visit`, in the order of the file, and answers what is wrong with the file.
///
/// # Errors
///
/// When the file cannot be opened or read.
pub fn entries(
    path: &Path,
    search: Search,
    visit: &mut dyn FnMut(Listed<'_>),
) -> io::Result<Vec<ReadWarning>> {
    let (file, size) = open(path)?;
    let mut warnings = Warnings::new(path);
    let mut list = |event: Event<'_>| match event {
        Event::Entry { section, entry, .. } => {
            visit(Listed {
                section: section.name,
                found_by: section.found_by,
                entry,
            });
        }
        Event::Container { .. } | Event::NoKernels { .. } => {}
    };
    let mut reader = Reader {
        search,
        scanner: &mut Scanner::new(),
        visit: &mut list,
    };
    reader.file(Source::new(&file, size), &mut warnings)?;
    Ok(warnings.finish().0)
}

/// What reading one file gave: mostly nothing, and there may be a million of these.
struct Outcome {
    size: u64,
    file: Option<Box<PackageFile>>,
    warnings: Vec<ReadWarning>,
    warnings_left_out: u64,
}

fn read_file(candidate: &Candidate, search: Search, scanner: &mut Scanner) -> Outcome {
    let mut warnings = Warnings::new(&candidate.path);
    let mut tally = Tally::default();
    let mut size = 0;
    let read = open(&candidate.path).and_then(|(file, length)| {
        size = length;
        let mut reader = Reader {
            search,
            scanner,
            visit: &mut |event| tally.take(&event),
        };
        reader.file(Source::new(&file, length), &mut warnings)
    });
    let contents = read.unwrap_or_else(|error| {
        warnings.whole(WarningCode::Unreadable, error.to_string());
        None
    });
    let code = tally.finish(&mut warnings);
    let file = contents.map(|Contents { kind, machine, elf }| {
        Box::new(PackageFile {
            path: candidate.path.clone(),
            aliases: candidate.aliases.clone(),
            kind,
            size,
            machine,
            elf,
            code,
        })
    });
    let (warnings, warnings_left_out) = warnings.finish();
    Outcome {
        size,
        file,
        warnings,
        warnings_left_out,
    }
}

/// Opens a regular file, and only that: a FIFO that has taken its place since would block for ever.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    Ok((file, metadata.len()))
}
