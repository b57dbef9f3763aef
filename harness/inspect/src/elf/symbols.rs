//! The driver's functions that a file calls by symbol, and so cannot be loaded without.

use std::collections::BTreeSet;
use std::io;

use cudacheck_model::package::{ElfClass, WarningCode};
use object::elf::{self, Sym32, Sym64};
use object::endian::Endianness;
use object::pod::{self, Pod};

use super::dynamic::{Dynamic, Strings};
use super::{Elf, u32_in};
use crate::source::{LONGEST, Source, Window};
use crate::warnings::Warnings;

/// Symbols that are looked at in one file. The largest library known has some hundreds of thousands.
const SYMBOLS: u64 = 4 << 20;

/// Driver symbols that are kept of one file. The driver has about a thousand.
const KEPT: usize = 4096;

/// The undefined symbols that libcuda, NVML and the video libraries of the driver define.
pub(super) fn of_driver(
    source: Source<'_>,
    elf: &Elf,
    dynamic: &Dynamic,
    strings: &mut Strings<'_>,
    warnings: &mut Warnings,
) -> io::Result<Vec<String>> {
    let mut found = BTreeSet::new();
    let Some(offset) = dynamic.symbols.and_then(|address| elf.offset_of(address)) else {
        return Ok(Vec::new());
    };
    let mut window = Window::new(source);
    let size = match elf.class {
        ElfClass::Elf32 => size_of::<Sym32<Endianness>>(),
        ElfClass::Elf64 => size_of::<Sym64<Endianness>>(),
    };
    let count = count(&mut window, elf, dynamic, size)?;
    if count > SYMBOLS {
        let message = format!("of {count} symbols the first {SYMBOLS} are read");
        warnings.at(WarningCode::LimitReached, source.place(offset), message);
    }
    let count = count.min(SYMBOLS);
    let mut done = 0;
    while done < count && found.len() < KEPT {
        let left = usize::try_from(count - done).unwrap_or(usize::MAX);
        let wanted = left.min(LONGEST / size) * size;
        let bytes = window.get(offset.saturating_add(done * size as u64), wanted)?;
        let chunks = bytes.chunks_exact(size);
        if chunks.len() == 0 {
            warnings.at(
                WarningCode::Truncated,
                source.place(offset),
                "the file ends in its symbols",
            );
            break;
        }
        done += chunks.len() as u64;
        for bytes in chunks {
            let name = match elf.class {
                ElfClass::Elf32 => undefined::<Sym32<Endianness>>(bytes, |symbol| {
                    (
                        symbol.st_shndx.get(elf.endian),
                        symbol.st_name.get(elf.endian),
                    )
                }),
                ElfClass::Elf64 => undefined::<Sym64<Endianness>>(bytes, |symbol| {
                    (
                        symbol.st_shndx.get(elf.endian),
                        symbol.st_name.get(elf.endian),
                    )
                }),
            };
            if let Some(name) = name
                && strings.starts_with(name, is_of_driver)?
            {
                found.extend(strings.get(name, warnings)?);
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// The offset of the name of an undefined symbol.
fn undefined<T: Pod>(
    bytes: &[u8],
    fields: impl Fn(&T) -> (elf::SymbolSection, u32),
) -> Option<u64> {
    let (symbol, _) = pod::from_bytes::<T>(bytes).ok()?;
    let (section, name) = fields(symbol);
    (section == elf::SHN_UNDEF && name != 0).then_some(name.into())
}

/// How many symbols there are to look at.
///
/// The table itself does not say. The GNU hash table begins with the number of symbols that it leaves out, which
/// come first, and among which are all undefined ones; the older table has the number of all.
fn count(window: &mut Window<'_>, elf: &Elf, dynamic: &Dynamic, size: usize) -> io::Result<u64> {
    let number = |window: &mut Window<'_>, address: Option<u64>| -> io::Result<Option<u64>> {
        let Some(offset) = address.and_then(|address| elf.offset_of(address)) else {
            return Ok(None);
        };
        let bytes = window.get(offset.saturating_add(4), 4)?;
        Ok(bytes
            .first_chunk()
            .map(|bytes| u32_in(elf.endian, *bytes).into()))
    };
    // An empty GNU hash table may say that it leaves out one, whatever there is.
    match number(window, dynamic.gnu_hash)? {
        Some(count) if count > 1 => return Ok(count),
        Some(_) | None => {}
    }
    if let Some(count) = number(window, dynamic.hash)? {
        return Ok(count);
    }
    let table = elf
        .sections
        .iter()
        .find(|section| section.kind == elf::SHT_DYNSYM);
    Ok(table.map_or(0, |table| table.size / size as u64))
}

/// `cuInit`, `nvmlInit_v2`, `cuvidCreateDecoder`, `NvEncodeAPICreateInstance`; but not `cudaMalloc`, and not
/// `cuFileRead`, which is a library of the toolkit.
fn is_of_driver(name: &[u8]) -> bool {
    let upper = |prefix: &[u8]| {
        name.strip_prefix(prefix)
            .and_then(<[u8]>::first)
            .is_some_and(u8::is_ascii_uppercase)
    };
    let toolkit = name.starts_with(b"cuFile");
    (upper(b"cu") && !toolkit)
        || upper(b"nvml")
        || upper(b"cuvid")
        || name.starts_with(b"NvEncodeAPI")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_of_driver(name.as_bytes()), expected, "{name}");
    }

    #[test]
    fn the_drivers_symbols_are_told_from_those_of_its_toolkit() {
        check("cuInit", true);
        check("cuMemAlloc_v2", true);
        check("nvmlInit_v2", true);
        check("cuvidCreateDecoder", true);
        check("cudaMalloc", false);
        check("cublasCreate_v2", false);
        check("cuFileDriverOpen", false);
        check("curandCreateGenerator", false);
        check("nvrtcCompileProgram", false);
        check("cu", false);
        check("", false);
    }
}
