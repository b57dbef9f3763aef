//! Reads a loader's cache, in which a distribution's `ldconfig` has written where libraries are.
//!
//! The format is `struct cache_file_new` of glibc's `sysdeps/generic/dl-cache.h`, alone since glibc 2.32
//! and behind a table in the older format before.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// Bytes of the longest path.
const LONGEST: usize = 4096;

/// What a cache knows: the path of a library, by what `ldconfig` writes for its machine and by its name.
#[derive(Default)]
pub(super) struct Cache(HashMap<(u32, String), PathBuf>);

impl Cache {
    /// Reads as much of a cache as is well-formed. Libraries for particular processors are passed over.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut paths = HashMap::new();
        for entry in entries(bytes).filter(|entry| entry.hardware == 0) {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            // The first is the one that the loader takes.
            let path = paths.entry((entry.flags, text(entry.name)));
            path.or_insert_with(|| PathBuf::from(text(entry.path)));
        }
        Self(paths)
    }

    /// The path of a library.
    pub(super) fn lookup(&self, name: &str, flags: u32) -> Option<&Path> {
        self.0.get(&(flags, name.to_owned())).map(PathBuf::as_path)
    }
}

struct Entry<'a> {
    flags: u32,
    hardware: u64,
    name: &'a [u8],
    path: &'a [u8],
}

fn entries(cache: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    // Offsets of names and paths are relative to where the newer format starts.
    let cache = start(cache).and_then(|at| cache.get(at..)).unwrap_or(&[]);
    let count = number(cache, 20).unwrap_or(0);
    (0..count).map_while(move |index| {
        let at = HEADER.checked_add(index.checked_mul(ENTRY)?)?;
        Some(Entry {
            flags: u32::try_from(number(cache, at)?).ok()?,
            name: text(cache, number(cache, at.checked_add(4)?)?)?,
            path: text(cache, number(cache, at.checked_add(8)?)?)?,
            hardware: u64::from_le_bytes(cache.get(at.checked_add(16)?..)?.first_chunk().copied()?),
        })
    })
}

fn start(cache: &[u8]) -> Option<usize> {
    if cache.starts_with(MAGIC) {
        return Some(0);
    }
    if !cache.starts_with(OLD_MAGIC) {
        return None;
    }
    // The older table: a header of 16 bytes, entries of 12, then padding to the newer one's alignment.
    let end = number(cache, 12)?.checked_mul(12)?.checked_add(16)?;
    [4, 8]
        .into_iter()
        .map(|alignment| end.next_multiple_of(alignment))
        .find(|at| cache.get(*at..).is_some_and(|rest| rest.starts_with(MAGIC)))
}

fn number(cache: &[u8], at: usize) -> Option<usize> {
    let bytes = cache.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

fn text(cache: &[u8], at: usize) -> Option<&[u8]> {
    let rest = cache.get(at..)?;
    // No path is longer, and a cache without an end would be searched again for each entry.
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(&rest[..end])
}

/// A cache with these entries: flags, hardware, name, path.
#[cfg(test)]
pub(super) fn written(entries: &[(u32, u64, &str, &str)]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut strings = Vec::new();
    let base = HEADER + entries.len() * ENTRY;
    let mut place = |text: &str| {
        let at = u32::try_from(base + strings.len()).unwrap();
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at.to_le_bytes()
    };
    for (flags, hardware, name, path) in entries {
        table.extend_from_slice(&flags.to_le_bytes());
        table.extend_from_slice(&place(name));
        table.extend_from_slice(&place(path));
        table.extend_from_slice(&[0; 4]);
        table.extend_from_slice(&hardware.to_le_bytes());
    }
    let mut cache = MAGIC.to_vec();
    cache.extend_from_slice(&u32::try_from(entries.len()).unwrap().to_le_bytes());
    cache.extend_from_slice(&u32::try_from(strings.len()).unwrap().to_le_bytes());
    cache.resize(HEADER, 0);
    cache.extend_from_slice(&table);
    cache.extend_from_slice(&strings);
    cache
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENTRIES: &[(u32, u64, &str, &str)] = &[
        (0x0303, 0, "libz.so.1", "/lib/libz.so.1"),
        (
            0x0003,
            0,
            "libcuda.so.1",
            "/lib/i386-linux-gnu/libcuda.so.1",
        ),
        (
            0x0303,
            1 << 62,
            "libcuda.so.1",
            "/lib/glibc-hwcaps/x86-64-v3/libcuda.so.1",
        ),
        (
            0x0303,
            0,
            "libcuda.so.1",
            "/lib/x86_64-linux-gnu/libcuda.so.1",
        ),
        (
            0x0a03,
            0,
            "libcuda.so.1",
            "/lib/aarch64-linux-gnu/libcuda.so.1",
        ),
    ];

    #[track_caller]
    fn check(cache: &[u8], flags: u32, expected: Option<&str>) {
        let cache = Cache::read(cache);
        assert_eq!(cache.lookup("libcuda.so.1", flags), expected.map(Path::new));
    }

    #[test]
    fn entries_are_for_a_machine_and_every_processor() {
        let cache = written(ENTRIES);
        check(&cache, 0x0303, Some("/lib/x86_64-linux-gnu/libcuda.so.1"));
        check(&cache, 0x0a03, Some("/lib/aarch64-linux-gnu/libcuda.so.1"));
        check(&cache, 0x0503, None);
        check(b"", 0x0303, None);
        check(&cache[..100], 0x0303, None);
    }

    #[test]
    fn the_older_table_is_skipped() {
        let mut cache = OLD_MAGIC.to_vec();
        cache.extend_from_slice(&3u32.to_le_bytes());
        cache.resize(16 + 3 * 12, 0xee);
        cache.resize(cache.len().next_multiple_of(8), 0);
        cache.extend_from_slice(&written(ENTRIES));
        check(&cache, 0x0a03, Some("/lib/aarch64-linux-gnu/libcuda.so.1"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, old: bool, count: u32, at in 0usize..200, byte: u8) {
            let mut cache = if old { OLD_MAGIC.to_vec() } else { MAGIC.to_vec() };
            cache.extend_from_slice(&count.to_le_bytes());
            cache.extend_from_slice(&bytes);
            Cache::read(&cache);
            let mut damaged = written(ENTRIES);
            damaged[at] = byte;
            Cache::read(&damaged);
        }
    }
}
