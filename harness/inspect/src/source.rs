//! Reads files at places, a few kilobytes at a time, so that no size that a file claims is ever allocated.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use object::pod::{self, Pod};

/// Bytes that a window reads at once. Headers of GPU code are far apart, so that more would mostly be thrown away.
const WINDOW: usize = 4096;

/// The longest run of bytes that a window hands out.
pub(crate) const LONGEST: usize = 64 * 1024;

/// A range of an open file: the whole of it, a member of an archive, a section.
#[derive(Clone, Copy)]
pub(crate) struct Source<'f> {
    file: &'f File,
    start: u64,
    end: u64,
}

impl<'f> Source<'f> {
    /// The first `length` bytes of a file, which must be all it has.
    pub(crate) fn new(file: &'f File, length: u64) -> Self {
        Self {
            file,
            start: 0,
            end: length,
        }
    }

    /// How many bytes there are.
    pub(crate) fn len(self) -> u64 {
        self.end - self.start
    }

    /// Where a byte is in the file.
    pub(crate) fn place(self, offset: u64) -> u64 {
        self.start.saturating_add(offset)
    }

    /// The part that starts at `offset`, as much of `length` bytes as there is.
    pub(crate) fn part(self, offset: u64, length: u64) -> Self {
        let start = self.start.saturating_add(offset).min(self.end);
        Self {
            start,
            end: start.saturating_add(length).min(self.end),
            ..self
        }
    }

    /// Whether `length` bytes from `offset` are all there.
    pub(crate) fn holds(self, offset: u64, length: u64) -> bool {
        offset
            .checked_add(length)
            .is_some_and(|end| end <= self.len())
    }

    /// Fills the buffer from `offset`, and answers how much was there.
    pub(crate) fn read(self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let mut filled = 0;
        while filled < wanted {
            let place = self.place(offset).saturating_add(filled as u64);
            match self.file.read_at(&mut buffer[filled..wanted], place) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// The next byte at or after `offset` that the file system keeps, which skips the holes of sparse files.
    /// Answers `offset` where the file system does not say, and the end where nothing follows.
    pub(crate) fn next_data(self, offset: u64) -> u64 {
        match rustix::fs::seek(self.file, rustix::fs::SeekFrom::Data(self.place(offset))) {
            Ok(place) => place.min(self.end).saturating_sub(self.start).max(offset),
            Err(rustix::io::Errno::NXIO) => self.len(),
            Err(_) => offset,
        }
    }
}

/// A source with the bytes that were read last.
pub(crate) struct Window<'f> {
    source: Source<'f>,
    at: u64,
    bytes: Vec<u8>,
}

impl<'f> Window<'f> {
    /// A window that has read nothing yet.
    pub(crate) fn new(source: Source<'f>) -> Self {
        Self {
            source,
            at: 0,
            bytes: Vec::new(),
        }
    }

    /// What it reads.
    pub(crate) fn source(&self) -> Source<'f> {
        self.source
    }

    /// The bytes from `offset`: `length` of them, or fewer at the end. At most [`LONGEST`] are given.
    pub(crate) fn get(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let length = length.min(LONGEST);
        let inside = offset
            .checked_sub(self.at)
            .and_then(|skip| usize::try_from(skip).ok());
        let skip = match inside {
            Some(skip)
                if skip
                    .checked_add(length)
                    .is_some_and(|end| end <= self.bytes.len()) =>
            {
                skip
            }
            _ => {
                self.bytes.resize(length.max(WINDOW), 0);
                // Should reading fail, nothing must look as if it had been read.
                let filled = self.source.read(offset, &mut self.bytes);
                self.bytes.truncate(*filled.as_ref().unwrap_or(&0));
                filled?;
                self.at = offset;
                0
            }
        };
        let end = (skip + length).min(self.bytes.len());
        Ok(&self.bytes[skip..end])
    }

    /// A structure at `offset`, if all of it is there.
    pub(crate) fn pod<T: Pod + Copy>(&mut self, offset: u64) -> io::Result<Option<T>> {
        let bytes = self.get(offset, size_of::<T>())?;
        Ok(pod::from_bytes::<T>(bytes).ok().map(|(value, _)| *value))
    }

    /// The text from `offset` to its NUL, of which there must be one within `limit` bytes.
    pub(crate) fn text(&mut self, offset: u64, limit: usize) -> io::Result<Option<String>> {
        // Most texts are short; only those that are not are worth reading more.
        for length in [256.min(limit), limit] {
            let bytes = self.get(offset, length)?;
            if let Some(end) = memchr::memchr(0, bytes) {
                return Ok(Some(String::from_utf8_lossy(&bytes[..end]).into_owned()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[track_caller]
    fn check(part: (u64, u64), at: (u64, usize), expected: &[u8]) {
        let file = file(b"0123456789");
        let mut window = Window::new(Source::new(&file, 10).part(part.0, part.1));
        assert_eq!(window.get(at.0, at.1).unwrap(), expected);
        // Once more, now that it may be there already.
        assert_eq!(window.get(at.0, at.1).unwrap(), expected);
    }

    #[test]
    fn a_window_hands_out_what_there_is() {
        check((0, 10), (2, 3), b"234");
        check((0, 10), (8, 5), b"89");
        check((4, 3), (1, 9), b"56");
        check((4, u64::MAX), (0, 2), b"45");
        check((u64::MAX, 1), (0, 2), b"");
        check((0, 10), (u64::MAX, 2), b"");
    }

    #[test]
    fn text_ends_at_its_nul_or_is_none() {
        let file = file(b"abc\0def");
        let mut window = Window::new(Source::new(&file, 7));
        assert_eq!(window.text(1, 100).unwrap().as_deref(), Some("bc"));
        assert_eq!(window.text(4, 100).unwrap(), None);
        assert_eq!(window.text(0, 2).unwrap(), None);
    }

    #[test]
    fn holes_are_skipped_or_at_least_not_searched_backwards() {
        let file = file(b"x");
        file.set_len(1 << 40).unwrap();
        let source = Source::new(&file, 1 << 40);
        assert!(source.next_data(1 << 30) >= 1 << 30);
        assert_eq!(source.next_data(0), 0);
    }
}
