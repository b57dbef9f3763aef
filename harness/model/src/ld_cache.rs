//! Reads `/etc/ld.so.cache`, in which a distribution's `ldconfig` has written where libraries lie.
//!
//! The format is `struct cache_file_new` of glibc's `sysdeps/generic/dl-cache.h`, alone since glibc 2.32
//! and behind a table in the older format before. A cache is somebody else's file: as much of it is read as is
//! well-formed.

use std::borrow::Cow;

use crate::package::Machine;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// Bytes of the longest path.
const LONGEST: usize = 4096;

/// The entries of a cache, in its order: of those with the same flags and name, the loader takes the first that its
/// processor can use.
pub fn entries(cache: &[u8]) -> impl Iterator<Item = Entry<'_>> {
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

/// A library in a cache. What is not UTF-8 in its texts is replaced.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry<'a> {
    /// What the library is made for, as [`flags`] tells it.
    pub flags: u32,
    /// Which processors can use it: 0 is all of them, everything else a directory below `glibc-hwcaps` and its like.
    pub hardware: u64,
    /// The name that programs ask for: `libcuda.so.1`.
    pub name: Cow<'a, str>,
    /// Where it lies.
    pub path: Cow<'a, str>,
}

/// What `ldconfig` writes beside the libraries of a machine: `FLAG_ELF_LIBC6`, and the machine's own flag.
pub fn flags(machine: Machine) -> Option<u32> {
    match machine {
        Machine::X86_64 => Some(0x0303),
        Machine::X86 => Some(0x0003),
        Machine::Aarch64 => Some(0x0a03),
        Machine::Arm => Some(0x0903),
        Machine::Ppc64le | Machine::Ppc64 => Some(0x0503),
        Machine::Cuda | Machine::Other(_) => None,
    }
}

/// A cache with these entries as `ldconfig` would write it, for tests of what reads caches.
pub fn written(entries: &[Entry<'_>]) -> Vec<u8> {
    // What is too large for the format becomes an offset outside of the cache, and nobody reads it.
    let word = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let base = HEADER + entries.len() * ENTRY;
    let (mut table, mut strings) = (Vec::new(), Vec::new());
    let mut place = |text: &str| {
        let at = word(base + strings.len());
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    for entry in entries {
        table.extend_from_slice(&entry.flags.to_le_bytes());
        table.extend_from_slice(&place(&entry.name));
        table.extend_from_slice(&place(&entry.path));
        table.extend_from_slice(&[0; 4]);
        table.extend_from_slice(&entry.hardware.to_le_bytes());
    }
    let mut cache = MAGIC.to_vec();
    cache.extend_from_slice(&word(entries.len()));
    cache.extend_from_slice(&word(strings.len()));
    cache.resize(HEADER, 0);
    cache.extend_from_slice(&table);
    cache.extend_from_slice(&strings);
    cache
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

fn text(cache: &[u8], at: usize) -> Option<Cow<'_, str>> {
    let rest = cache.get(at..)?;
    // No path is longer, and a cache without an end would be searched again for each entry.
    let rest = rest.get(..LONGEST).unwrap_or(rest);
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVERYWHERE: &str = "/lib/x86_64-linux-gnu/libcuda.so.1";
    const SOME: &str = "/lib/glibc-hwcaps/x86-64-v3/libcuda.so.1";
    const ARM: &str = "/lib/aarch64-linux-gnu/libcuda.so.1";

    fn sample() -> Vec<Entry<'static>> {
        [
            (Machine::X86_64, 0, "libz.so.1", "/lib/libz.so.1"),
            (
                Machine::X86,
                0,
                "libcuda.so.1",
                "/lib/i386-linux-gnu/libcuda.so.1",
            ),
            (Machine::X86_64, 1 << 62, "libcuda.so.1", SOME),
            (Machine::X86_64, 0, "libcuda.so.1", EVERYWHERE),
            (Machine::Aarch64, 0, "libcuda.so.1", ARM),
        ]
        .map(|(machine, hardware, name, path)| Entry {
            flags: flags(machine).unwrap(),
            hardware,
            name: name.into(),
            path: path.into(),
        })
        .into()
    }

    #[track_caller]
    fn check(cache: &[u8], expected: &[Entry<'_>]) {
        assert_eq!(entries(cache).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn entries_come_in_their_order() {
        let cache = written(&sample());
        check(&cache, &sample());
        // A cut takes entries from the end, as their texts lie there in the same order.
        check(&cache[..cache.len() - 1], &sample()[..4]);
        check(&cache[..100], &[]);
        check(b"", &[]);
    }

    #[track_caller]
    fn check_libcuda(machine: Machine, expected: &[(u64, &str)]) {
        let cache = written(&sample());
        let is_meant =
            |entry: &Entry<'_>| Some(entry.flags) == flags(machine) && entry.name == "libcuda.so.1";
        let found: Vec<_> = entries(&cache).filter(is_meant).collect();
        let found: Vec<_> = found
            .iter()
            .map(|entry| (entry.hardware, &*entry.path))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn entries_are_for_a_machine_and_perhaps_for_some_processors() {
        check_libcuda(Machine::X86_64, &[(1 << 62, SOME), (0, EVERYWHERE)]);
        check_libcuda(Machine::Aarch64, &[(0, ARM)]);
        check_libcuda(Machine::Ppc64le, &[]);
        check_libcuda(Machine::Cuda, &[]);
    }

    #[test]
    fn the_older_table_is_skipped() {
        // With three entries the newer table follows at once where it is aligned to 4, and after padding to 8.
        for alignment in [4, 8] {
            let mut cache = OLD_MAGIC.to_vec();
            cache.extend_from_slice(&3u32.to_le_bytes());
            cache.resize(16 + 3 * 12, 0xee);
            cache.resize(cache.len().next_multiple_of(alignment), 0);
            cache.extend_from_slice(&written(&sample()));
            check(&cache, &sample());
        }
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        let mut cache = written(&sample());
        let last = cache.len() - 2;
        cache[last] = 0xff;
        let path = entries(&cache).last().unwrap().path.into_owned();
        assert_eq!(path, ARM.replace(".so.1", ".so.\u{fffd}"));
    }

    #[test]
    fn a_path_ends_within_its_longest() {
        let with_path = |length: usize| {
            let mut sample = sample();
            sample[4].path = "/".repeat(length).into();
            sample
        };
        check(&written(&with_path(LONGEST - 1)), &with_path(LONGEST - 1));
        check(&written(&with_path(LONGEST)), &sample()[..4]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, old: bool, count: u32, at in 0usize..200, byte: u8) {
            let mut cache = if old { OLD_MAGIC.to_vec() } else { MAGIC.to_vec() };
            cache.extend_from_slice(&count.to_le_bytes());
            cache.extend_from_slice(&bytes);
            let mut damaged = written(&sample());
            damaged[at] = byte;
            for cache in [bytes, cache, damaged] {
                // However many entries it claims, each takes its place in the table.
                prop_assert!(entries(&cache).count() <= cache.len() / ENTRY);
            }
        }

        #[test]
        fn what_was_written_is_read(
            wanted in proptest::collection::vec((any::<u32>(), any::<u64>(), "[^\0]{0,40}", "[^\0]{0,40}"), 0..9),
        ) {
            let wanted: Vec<Entry<'_>> = wanted
                .iter()
                .map(|(flags, hardware, name, path)| Entry {
                    flags: *flags,
                    hardware: *hardware,
                    name: name.into(),
                    path: path.into(),
                })
                .collect();
            let cache = written(&wanted);
            prop_assert_eq!(entries(&cache).collect::<Vec<_>>(), wanted);
        }
    }
}
