//! Writes `/etc/ld.so.cache` as `ldconfig` would, so that a simulated machine's libraries are found through it.
//!
//! The format is `struct cache_file_new` of glibc's `sysdeps/generic/dl-cache.h`. Files of a profile are text, hence
//! every offset is chosen so that its bytes are ASCII: padding costs less than a second kind of file.

use super::Library;

const MAGIC: &str = "glibc-ld.so.cache1.1";
const HEADER: u32 = 48;
const ENTRY: u32 = 24;
/// `FLAG_ELF_LIBC6` with the flag of 64-bit x86, and of 64-bit ARM.
const X86_64: u32 = 0x0303;
const AARCH64: u32 = 0x0a03;

/// The cache with an entry for each library, under its file name.
pub(super) fn written(libraries: &[Library]) -> String {
    let count = u32::try_from(libraries.len()).unwrap_or(0);
    let mut table = String::new();
    let mut strings = Strings {
        start: HEADER + ENTRY * count,
        text: String::new(),
    };
    for library in libraries {
        let name = library.path.rsplit('/').next().unwrap_or_default();
        let arm = library.path.contains("aarch64");
        push(&mut table, if arm { AARCH64 } else { X86_64 });
        push(&mut table, strings.place(name));
        push(&mut table, strings.place(&library.path));
        // The kernel version and the hardware capabilities, which modern systems leave empty.
        table.push_str(&"\0".repeat(12));
    }
    strings.pad();
    let mut cache = MAGIC.to_owned();
    push(&mut cache, count);
    push(&mut cache, strings.end() - strings.start);
    cache.push_str(&"\0".repeat(20));
    cache + &table + &strings.text
}

struct Strings {
    start: u32,
    text: String,
}

impl Strings {
    fn place(&mut self, text: &str) -> u32 {
        self.pad();
        let offset = self.end();
        self.text.push_str(text);
        self.text.push('\0');
        offset
    }

    fn end(&self) -> u32 {
        self.start + u32::try_from(self.text.len()).unwrap_or(0)
    }

    /// Goes on to an offset that can be written in ASCII, as can its distance to the start.
    fn pad(&mut self) {
        let ascii = |number: u32| number.to_le_bytes().is_ascii();
        while !ascii(self.end()) || !ascii(self.end() - self.start) {
            self.text.push('\0');
        }
    }
}

/// Appends a number, all of whose bytes are ASCII.
fn push(text: &mut String, number: u32) {
    text.extend(number.to_le_bytes().map(char::from));
}

#[cfg(test)]
mod tests {
    use crate::profile;

    #[test]
    fn each_library_is_found_at_its_offset() {
        let profile = profile::find("rtx-4090").unwrap();
        let cache = profile.files["/etc/ld.so.cache"].as_bytes();
        assert!(cache.is_ascii());
        let number = |at: usize| u32::from_le_bytes(cache[at..at + 4].try_into().unwrap());
        let text = |at: u32| {
            let rest = &cache[at as usize..];
            let end = rest.iter().position(|byte| *byte == 0).unwrap();
            std::str::from_utf8(&rest[..end]).unwrap()
        };
        assert_eq!(number(20), 2);
        let strings = 48 + 2 * 24;
        assert_eq!(cache.len(), strings + number(24) as usize);
        let found: Vec<(u32, &str, &str)> = (0..2)
            .map(|index| 48 + index * 24)
            .map(|at| (number(at), text(number(at + 4)), text(number(at + 8))))
            .collect();
        let folder = "/usr/lib/x86_64-linux-gnu";
        assert_eq!(
            found,
            [
                (0x0303, "libcuda.so.1", &*format!("{folder}/libcuda.so.1")),
                (
                    0x0303,
                    "libnvidia-ml.so.1",
                    &*format!("{folder}/libnvidia-ml.so.1")
                ),
            ]
        );
    }

    #[test]
    fn only_machines_with_ldconfig_have_a_cache() {
        let with_cache: Vec<&str> = profile::names()
            .filter(|name| {
                let profile = profile::find(name).unwrap();
                profile.files.contains_key("/etc/ld.so.cache")
            })
            .collect();
        assert_eq!(with_cache, ["rtx-4090"]);
    }
}
