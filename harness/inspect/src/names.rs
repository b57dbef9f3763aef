//! The names of libraries among a file's strings, which the file may open when it runs.
//!
//! A string proves nothing by itself: it may be part of a message, or a fallback that is never taken.

use std::collections::BTreeSet;

use cudacheck_model::package::{OpenedName, OpenedNameEvidence};
use memchr::memmem::Finder;

use crate::known;

/// Names that are kept of one file.
const KEPT: usize = 1024;

/// Bytes of the longest name that is taken for one.
const LONGEST: usize = 255;

/// Adds the names in `chunk`. One that is cut off at its end is found with the next chunk.
pub(crate) fn collect(library: &Finder<'_>, chunk: &[u8], found: &mut BTreeSet<String>) {
    // Each byte is looked at once for each `.so` near it, and runs of those are no names.
    let mut after = 0;
    for hit in library.find_iter(chunk) {
        if hit < after || found.len() >= KEPT {
            continue;
        }
        let before = chunk[hit.saturating_sub(LONGEST)..hit].iter().rev();
        let start = hit - before.take_while(|byte| is_part(**byte)).count();
        let behind = chunk[hit..].iter().take(LONGEST);
        let end = hit + behind.take_while(|byte| is_part(**byte)).count();
        after = end;
        // Without a NUL on both sides it is a part of a sentence.
        let bounded = start > 0 && chunk[start - 1] == 0 && chunk.get(end) == Some(&0);
        if bounded
            && let Ok(text) = str::from_utf8(&chunk[start..end])
            && is_library(text)
        {
            found.insert(text.to_owned());
        }
    }
}

/// The names with how it is known that the file opens them.
pub(crate) fn opened(soname: Option<&str>, found: BTreeSet<String>) -> Vec<OpenedName> {
    let names = found.into_iter().map(|name| {
        let is_known = soname.is_some_and(|soname| known::opens(soname, base(&name)));
        let evidence = if is_known {
            OpenedNameEvidence::Known
        } else {
            OpenedNameEvidence::String
        };
        OpenedName { name, evidence }
    });
    names.collect()
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+-./%${}".contains(&byte)
}

/// `libx.so`, `libx.so.1.2`, `libx.so.%d`, with or without directories.
fn is_library(text: &str) -> bool {
    let Some((stem, version)) = base(text).split_once(".so") else {
        return false;
    };
    let stem = stem.strip_prefix("lib").unwrap_or_default();
    let version = version
        .strip_prefix('.')
        .or(version.is_empty().then_some("0"));
    let versioned = |version: &str| {
        !version.is_empty()
            && version
                .bytes()
                .all(|byte| b"0123456789.%dsu".contains(&byte))
    };
    !stem.is_empty() && version.is_some_and(versioned)
}

fn base(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, base)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chunk: &str, expected: &[&str]) {
        let mut found = BTreeSet::new();
        collect(&Finder::new(b".so"), chunk.as_bytes(), &mut found);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn names_are_whole_strings() {
        check("\0libcuda.so.1\0", &["libcuda.so.1"]);
        check(
            "\0libcudnn_graph.so\0libnvrtc.so.%d\0",
            &["libcudnn_graph.so", "libnvrtc.so.%d"],
        );
        check("\0/usr/lib/libcuda.so\0", &["/usr/lib/libcuda.so"]);
        check("\0cannot open libcuda.so.1\0", &[]);
        check("\0libcuda.so.1 is missing\0", &[]);
        check("\0some.source\0lib.so\0libx.sox\0x.so\0", &[]);
        check("libcuda.so.1\0", &[]);
        check("\0libcuda.so.1", &[]);
        check("\0.so.so.so.so.so\0", &[]);
    }

    #[track_caller]
    fn check_evidence(soname: Option<&str>, name: &str, expected: OpenedNameEvidence) {
        let names = opened(soname, BTreeSet::from([name.to_owned()]));
        assert_eq!(names[0].evidence, expected);
    }

    #[test]
    fn a_string_is_evidence_where_its_library_is_known_to_open_it() {
        use OpenedNameEvidence::{Known, String};
        check_evidence(Some("libcublasLt.so.12"), "libnvrtc.so.12", Known);
        check_evidence(Some("libcublasLt.so.12"), "/usr/lib/libnvrtc.so.12", Known);
        check_evidence(Some("libfoo.so.1"), "libnvrtc.so.12", String);
        check_evidence(None, "libcuda.so.1", String);
    }
}
