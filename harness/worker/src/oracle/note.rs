//! Finds the note on forward compatibility in a libcuda, without loading it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use cudacheck_model::oracle::{FORWARD_LIMIT, FORWARD_SECTION, ForwardNote};

/// `SHT_NOTE` of `elf.h`.
const NOTE: u32 = 7;
/// A libcuda has about 40 sections.
const MOST_SECTIONS: u16 = 1024;
/// Their names take less than a kilobyte.
const MOST_NAMES: u64 = 64 * 1024;

/// The note of a file. Nothing, if the file has none, as those of drivers before branch 575.
///
/// # Errors
///
/// Why it cannot be read or understood, as a fragment.
pub(super) fn read(path: &Path) -> Result<Option<ForwardNote>, String> {
    let file = File::open(path).and_then(|file| {
        let regular = file.metadata()?.is_file();
        if regular {
            Ok(file)
        } else {
            Err(io::Error::other("it is no regular file"))
        }
    });
    let section = file.and_then(section).map_err(|error| error.to_string())?;
    section.map_or(Ok(None), |section| ForwardNote::parse(&section))
}

/// The bytes of the section, of a 64-bit little-endian ELF file.
fn section(mut file: impl Read + Seek) -> io::Result<Option<Vec<u8>>> {
    let header = part(&mut file, 0, 64)?;
    if !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(None);
    }
    // The fields of `Elf64_Ehdr` and `Elf64_Shdr`.
    let (table, size) = (long(&header, 40), half(&header, 58));
    let (count, names) = (half(&header, 60), half(&header, 62));
    if size != 64 || count > MOST_SECTIONS || names >= count {
        return Ok(None);
    }
    let headers = part(&mut file, table, u64::from(count) * u64::from(size))?;
    let header = |index: usize| &headers[index * 64..(index + 1) * 64];
    let strings = header(usize::from(names));
    let names = part(
        &mut file,
        long(strings, 24),
        long(strings, 32).min(MOST_NAMES),
    )?;
    for index in 0..usize::from(count) {
        let header = header(index);
        let name = usize::try_from(word(header, 0)).unwrap_or(usize::MAX);
        let name = names.get(name..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if word(header, 4) == NOTE && name == FORWARD_SECTION.as_bytes() {
            let (at, size) = (long(header, 24), long(header, 32));
            return part(&mut file, at, size.min(FORWARD_LIMIT)).map(Some);
        }
    }
    Ok(None)
}

fn part(file: &mut (impl Read + Seek), at: u64, size: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(size).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()) == Ok(size) {
        Ok(bytes)
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}

/// The fields lie within the header, whose length was checked when it was read.
fn bytes<const N: usize>(header: &[u8], at: usize) -> [u8; N] {
    let field = header
        .get(at..at + N)
        .and_then(|field| field.try_into().ok());
    field.unwrap_or([0; N])
}

fn half(header: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes(header, at))
}

fn word(header: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes(header, at))
}

fn long(header: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes(header, at))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    const TEXT: &str = r#"{"format":1,"CUDA version":"12.9","driver":[535,575],"device":[1,2]}"#;

    /// A library of three sections: none, the note, the names.
    pub(in crate::oracle) fn library(name: &str, text: &str) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [19_u32, u32::try_from(text.len()).unwrap() + 1, 0] {
            note.extend(number.to_le_bytes());
        }
        note.extend(b"NVIDIA Corporation\0\0");
        note.extend(text.as_bytes());
        note.push(0);
        let names = format!("\0{name}\0.shstrtab\0");
        let (at_note, at_names) = (64, 64 + note.len());
        let table = at_names + names.len();
        let mut file = vec![0; 64];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[40..48].copy_from_slice(&u64::try_from(table).unwrap().to_le_bytes());
        file[58] = 64;
        file[60] = 3;
        file[62] = 2;
        file.extend(&note);
        file.extend(names.as_bytes());
        file.extend([0; 64]);
        let named = u32::try_from(name.len() + 2).unwrap();
        for (name, kind, at, size) in [
            (1, NOTE, at_note, note.len()),
            (named, 3, at_names, names.len()),
        ] {
            let mut header = [0; 64];
            header[..4].copy_from_slice(&name.to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&u64::try_from(at).unwrap().to_le_bytes());
            header[32..40].copy_from_slice(&u64::try_from(size).unwrap().to_le_bytes());
            file.extend(header);
        }
        file
    }

    #[track_caller]
    fn check(file: &[u8], expected: Option<&[u32]>) {
        let section = section(Cursor::new(file)).unwrap();
        let note = section.and_then(|section| ForwardNote::parse(&section).unwrap());
        assert_eq!(note.map(|note| note.branches).as_deref(), expected);
    }

    #[test]
    fn the_note_is_found_by_its_name() {
        check(&library(FORWARD_SECTION, TEXT), Some(&[535, 575]));
        check(&library(".note.gnu.build-id", TEXT), None);
        check(&[0; 64], None);
    }

    #[test]
    fn a_file_that_ends_early_is_an_error() {
        let file = library(FORWARD_SECTION, TEXT);
        assert!(section(Cursor::new(&file[..40])).is_err());
        assert!(section(Cursor::new(&file[..file.len() - 1])).is_err());
        let missing = read(Path::new("/nowhere/libcuda.so.1")).unwrap_err();
        assert!(missing.starts_with("No such file"), "{missing}");
        let directory = read(Path::new("/")).unwrap_err();
        assert_eq!(directory, "it is no regular file");
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_read_without_a_panic(at in 0_usize..400, value: u8) {
            let mut file = library(FORWARD_SECTION, TEXT);
            let at = at % file.len();
            file[at] = value;
            if let Ok(Some(section)) = section(Cursor::new(file)) {
                let _ = ForwardNote::parse(&section);
            }
        }
    }
}
