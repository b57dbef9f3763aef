//! Looks at a file before the loader does, for what the loader does not say, or dies of.
//!
//! glibc calls a library for another processor one that it cannot find, and a program that reads beyond the end of
//! a file that is cut off is ended by SIGBUS.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The beginning of an ELF file of 64 bits.
const HEADER: usize = 64;

/// Why a file cannot be a library of this process, if the loader would not say so as clearly.
pub(super) fn complaint(path: &Path) -> Option<String> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) => {
            // Whatever else there is, the loader says it well.
            let target = fs::read_link(path).ok()?;
            return Some(format!(
                "{shown}: a link that leads nowhere: {} is not there",
                target.display()
            ));
        }
    };
    if metadata.is_dir() {
        return Some(format!("{shown}: it is a directory"));
    }
    let file = File::open(path).ok()?;
    let size = metadata.len();
    if size == 0 {
        return Some(format!("{shown}: file too short: it is empty"));
    }
    let mut header = Vec::with_capacity(HEADER);
    Read::take(&file, HEADER as u64)
        .read_to_end(&mut header)
        .ok()?;
    if !header.starts_with(b"\x7fELF") {
        return Some(format!(
            "{shown}: invalid ELF header: it begins with `{}`",
            beginning(&header)
        ));
    }
    let Ok(header) = <[u8; HEADER]>::try_from(header) else {
        return Some(format!("{shown}: file too short: {size} bytes"));
    };
    // The loader says it of another class, and the fields below would lie elsewhere.
    if header[4..6] != [2, 1] {
        return None;
    }
    let machine = u16::from_le_bytes([header[18], header[19]]);
    let own = own_machine();
    if own.is_some_and(|own| own != machine) {
        return Some(format!(
            "{shown}: wrong ELF machine: it is for {}, and this is {}",
            processor(machine),
            std::env::consts::ARCH
        ));
    }
    let end = end_of_segments(&file, &header)?;
    (end > size).then(|| {
        format!("{shown}: file too short: it has {size} bytes, and by its headers at least {end}")
    })
}

/// Where the last byte that is loaded lies; the end of the table that says so, if the file ends before that.
fn end_of_segments(file: &File, header: &[u8; HEADER]) -> Option<u64> {
    let table = u64_at(header, 32)?;
    let size = u64::from(u16::from_le_bytes([header[54], header[55]]));
    let count = u64::from(u16::from_le_bytes([header[56], header[57]]));
    let mut end = 0;
    for index in 0..count {
        let mut entry = [0; 56];
        let at = table.checked_add(index.checked_mul(size)?)?;
        if file.read_exact_at(&mut entry, at).is_err() {
            return table.checked_add(count.checked_mul(size)?);
        }
        if entry[..4] == [1, 0, 0, 0] {
            let (offset, length) = (u64_at(&entry, 8)?, u64_at(&entry, 32)?);
            end = end.max(offset.checked_add(length)?);
        }
    }
    Some(end)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(field))
}

/// The first line of a text, as far as it is readable.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(40).flat_map(char::escape_debug).collect()
}

/// ELF's number for the processor of this process, where this is known.
fn own_machine() -> Option<u16> {
    match std::env::consts::ARCH {
        "x86_64" => Some(62),
        "aarch64" => Some(183),
        _ => None,
    }
}

/// The name of a processor by ELF's number of it.
fn processor(machine: u16) -> String {
    match machine {
        3 => "x86".to_owned(),
        21 => "ppc64le".to_owned(),
        40 => "arm".to_owned(),
        62 => "x86_64".to_owned(),
        183 => "aarch64".to_owned(),
        190 => "a GPU".to_owned(),
        243 => "riscv".to_owned(),
        other => format!("processor number {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The complaint about a file of this content, without its path.
    #[track_caller]
    fn check(content: &[u8], expected: Option<&str>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("libx.so.1");
        fs::write(&path, content).unwrap();
        assert_eq!(said(&path).as_deref(), expected);
    }

    fn said(path: &Path) -> Option<String> {
        let text = complaint(path)?;
        let prefix = format!("{}: ", path.display());
        Some(text.strip_prefix(&prefix).unwrap().to_owned())
    }

    fn own() -> Vec<u8> {
        fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn what_is_no_library_is_named() {
        check(b"", Some("file too short: it is empty"));
        check(
            b"INPUT(libx.so.1.2)\nmore",
            Some("invalid ELF header: it begins with `INPUT(libx.so.1.2)`"),
        );
        check(
            b"\x1f\x8b\x08\0",
            Some("invalid ELF header: it begins with `\\u{1f}\u{fffd}\\u{8}\\0`"),
        );
        check(b"\x7fELF\x02", Some("file too short: 5 bytes"));
    }

    #[test]
    fn a_program_of_this_machine_is_no_complaint() {
        check(&own(), None);
    }

    #[test]
    fn another_processor_is_named() {
        let mut bytes = own();
        bytes[18..20].copy_from_slice(&21_u16.to_le_bytes());
        let expected = format!(
            "wrong ELF machine: it is for ppc64le, and this is {}",
            std::env::consts::ARCH
        );
        check(&bytes, Some(&expected));
    }

    #[test]
    fn a_file_that_is_cut_off_is_told_by_its_segments() {
        let bytes = own();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("libx.so.1");
        // Of a program with much to debug, most is never loaded.
        for length in [200, 4096] {
            fs::write(&path, &bytes[..length]).unwrap();
            let said = said(&path).unwrap();
            assert!(said.starts_with("file too short: it has "), "{said}");
        }
    }

    #[test]
    fn what_is_no_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(said(directory.path()).as_deref(), Some("it is a directory"));
        let link = directory.path().join("libx.so.1");
        symlink("libx.so.1.2", &link).unwrap();
        assert_eq!(
            said(&link).as_deref(),
            Some("a link that leads nowhere: libx.so.1.2 is not there")
        );
        assert_eq!(said(&directory.path().join("missing")), None);
    }
}
