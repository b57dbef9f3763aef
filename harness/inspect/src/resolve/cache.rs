//! Answers lookups in a loader's cache, of which a search asks thousands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cudacheck_model::ld_cache;
use cudacheck_model::package::Machine;

/// What a cache knows: the path of a library, by what `ldconfig` writes for its machine and by its name.
#[derive(Default)]
pub(super) struct Cache(HashMap<(u32, String), PathBuf>);

impl Cache {
    /// Reads as much of a cache as is well-formed. Libraries for particular processors are passed over.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut paths = HashMap::new();
        for entry in ld_cache::entries(bytes).filter(|entry| entry.hardware == 0) {
            // The first is the one that the loader takes.
            let path = paths.entry((entry.flags, entry.name.into_owned()));
            path.or_insert_with(|| PathBuf::from(entry.path.into_owned()));
        }
        Self(paths)
    }

    /// The path of a library for a machine.
    pub(super) fn lookup(&self, name: &str, machine: Machine) -> Option<&Path> {
        let flags = ld_cache::flags(machine)?;
        self.0.get(&(flags, name.to_owned())).map(PathBuf::as_path)
    }
}

/// A cache with these entries for 64-bit x86: hardware, name, path.
#[cfg(test)]
pub(super) fn written(entries: &[(u64, &str, &str)]) -> Vec<u8> {
    use std::borrow::Cow;

    let entry = |&(hardware, name, path)| ld_cache::Entry {
        flags: ld_cache::flags(Machine::X86_64).unwrap(),
        hardware,
        name: Cow::Borrowed(name),
        path: Cow::Borrowed(path),
    };
    ld_cache::written(&entries.iter().map(entry).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(machine: Machine, name: &str, expected: Option<&str>) {
        let cache = Cache::read(&written(&[
            (
                1 << 62,
                "libx.so.1",
                "/lib/glibc-hwcaps/x86-64-v3/libx.so.1",
            ),
            (0, "libx.so.1", "/opt/libx.so.1"),
            (0, "libx.so.1", "/lib/libx.so.1"),
            (1, "liby.so.1", "/lib/tls/liby.so.1"),
        ]));
        assert_eq!(cache.lookup(name, machine), expected.map(Path::new));
    }

    #[test]
    fn the_first_for_every_processor_is_taken() {
        check(Machine::X86_64, "libx.so.1", Some("/opt/libx.so.1"));
        check(Machine::X86_64, "liby.so.1", None);
        check(Machine::Aarch64, "libx.so.1", None);
        check(Machine::Cuda, "libx.so.1", None);
    }
}
