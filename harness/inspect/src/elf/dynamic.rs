//! What an ELF file tells the loader: its dynamic section, as the loader finds it, which is without section headers.

use std::collections::BTreeSet;
use std::io;

use cudacheck_model::package::{ElfClass, ElfFacts, ExecutableStack, FileKind, WarningCode};
use object::elf::{self, Dyn32, Dyn64, DynamicTag};
use object::endian::Endianness;
use object::read::elf::Dyn;

use super::{Elf, symbols, versions};
use crate::names;
use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// Entries that are read of one file. Real ones have some dozens.
const ENTRIES: u64 = 16 * 1024;

/// Libraries that are kept as needed. Real files need some dozens.
const NEEDED: usize = 4096;

/// Bytes of the longest path or name that is read. Search paths of Nix packages can have kilobytes.
const TEXT: usize = 32 * 1024;

/// The entries of a dynamic section that matter here; numbers are addresses, counts, or offsets of texts.
#[derive(Default)]
pub(super) struct Dynamic {
    pub(super) strings: Option<u64>,
    pub(super) strings_size: u64,
    pub(super) symbols: Option<u64>,
    pub(super) hash: Option<u64>,
    pub(super) gnu_hash: Option<u64>,
    pub(super) needed_versions: Option<u64>,
    pub(super) needed_versions_count: u64,
    pub(super) provided_versions: Option<u64>,
    pub(super) provided_versions_count: u64,
    needed: Vec<u64>,
    soname: Option<u64>,
    rpath: Option<u64>,
    runpath: Option<u64>,
    flags: u64,
}

/// The texts that a dynamic section refers to.
pub(super) struct Strings<'f> {
    window: Window<'f>,
    offset: u64,
    size: u64,
}

impl Strings<'_> {
    /// The text at an offset in the table.
    pub(super) fn get(&mut self, at: u64, warnings: &mut Warnings) -> io::Result<Option<String>> {
        let place = self.offset.saturating_add(at);
        let text = if at < self.size {
            self.window.text(place, TEXT)?
        } else {
            None
        };
        if text.is_none() {
            let place = self.window.source().place(place);
            warnings.at(
                WarningCode::MalformedFile,
                place,
                "a name in the dynamic section is outside of its table",
            );
        }
        Ok(text)
    }

    /// Whether the text at an offset begins with one of the prefixes. Texts that cannot be read begin with none.
    pub(super) fn starts_with(
        &mut self,
        at: u64,
        is_wanted: fn(&[u8]) -> bool,
    ) -> io::Result<bool> {
        if at >= self.size {
            return Ok(false);
        }
        Ok(is_wanted(
            self.window.get(self.offset.saturating_add(at), 16)?,
        ))
    }
}

/// What a file that is loaded tells the loader, with what kind of file that makes it.
pub(crate) fn facts(
    source: Source<'_>,
    elf: &Elf,
    opened: BTreeSet<String>,
    warnings: &mut Warnings,
) -> io::Result<(FileKind, ElfFacts)> {
    let mut window = Window::new(source);
    let dynamic = read(&mut window, elf, warnings)?;
    let strings = dynamic.strings.and_then(|address| elf.offset_of(address));
    if dynamic.strings.is_some() && strings.is_none() {
        warnings.whole(
            WarningCode::MalformedFile,
            "the names of the dynamic section are at an address that is not in the file",
        );
    }
    let mut strings = Strings {
        window,
        offset: strings.unwrap_or(0),
        size: strings.map_or(0, |_| dynamic.strings_size),
    };
    let mut text = |at: Option<u64>, warnings: &mut Warnings| match at {
        Some(at) => strings.get(at, warnings),
        None => Ok(None),
    };
    let soname = text(dynamic.soname, warnings)?;
    let rpath = text(dynamic.rpath, warnings)?;
    let runpath = text(dynamic.runpath, warnings)?;
    let mut needed = Vec::new();
    for name in &dynamic.needed {
        needed.extend(text(Some(*name), warnings)?);
    }
    // Without sections the names that the loader is told cannot be told from other strings.
    let mut opened = opened;
    if elf.sections.is_empty() {
        opened.retain(|name| soname.as_ref() != Some(name) && !needed.contains(name));
    }
    let interpreter = interpreter(source, elf, warnings)?;
    let position_independent = dynamic.flags & elf::DF_1_PIE.0 != 0;
    let program = elf.file_type == elf::ET_EXEC
        || position_independent
        || (interpreter.is_some() && soname.is_none());
    let kind = if program {
        FileKind::Executable
    } else {
        FileKind::SharedObject
    };
    let facts = ElfFacts {
        class: elf.class,
        needed,
        rpath,
        runpath,
        interpreter,
        no_default_directories: dynamic.flags & elf::DF_1_NODEFLIB.0 != 0,
        needed_versions: versions::needed(source, elf, &dynamic, &mut strings, warnings)?,
        provided_versions: versions::provided(source, elf, &dynamic, &mut strings, warnings)?,
        driver_symbols: symbols::of_driver(source, elf, &dynamic, &mut strings, warnings)?,
        executable_stack: executable_stack(elf),
        opened_names: names::opened(soname.as_deref(), opened),
        soname,
    };
    Ok((kind, facts))
}

/// Files of `strip --only-keep-debug` keep the headers of what they describe, and none of its bytes.
pub(crate) fn is_debug_file(elf: &Elf) -> bool {
    let allocated =
        |section: &&super::Section| section.flags.contains(elf::SHF_ALLOC) && section.size > 0;
    let mut sections = elf.sections.iter().filter(allocated).peekable();
    sections.peek().is_some()
        && sections.all(|section| matches!(section.kind, elf::SHT_NOBITS | elf::SHT_NOTE))
}

fn read(window: &mut Window<'_>, elf: &Elf, warnings: &mut Warnings) -> io::Result<Dynamic> {
    let mut dynamic = Dynamic::default();
    let Some(segment) = elf
        .segments
        .iter()
        .find(|segment| segment.kind == elf::PT_DYNAMIC)
    else {
        return Ok(dynamic);
    };
    let entry_size = match elf.class {
        ElfClass::Elf32 => 8,
        ElfClass::Elf64 => 16,
    };
    let mut end = false;
    for index in 0..(segment.size / entry_size).min(ENTRIES) {
        let offset = segment.offset.saturating_add(index * entry_size);
        let entry = match elf.class {
            ElfClass::Elf32 => tag_and_value::<Dyn32<Endianness>>(window, offset, elf.endian)?,
            ElfClass::Elf64 => tag_and_value::<Dyn64<Endianness>>(window, offset, elf.endian)?,
        };
        let Some((tag, value)) = entry else { break };
        if tag == elf::DT_NULL {
            end = true;
            break;
        }
        dynamic.take(tag, value);
    }
    if !end {
        let place = window.source().place(segment.offset);
        warnings.at(
            WarningCode::Truncated,
            place,
            "the dynamic section has no end",
        );
    }
    Ok(dynamic)
}

fn tag_and_value<D: Dyn<Endian = Endianness> + Copy>(
    window: &mut Window<'_>,
    offset: u64,
    endian: Endianness,
) -> io::Result<Option<(DynamicTag, u64)>> {
    let entry = window.pod::<D>(offset)?;
    Ok(entry.map(|entry| (entry.tag(endian), entry.val(endian))))
}

impl Dynamic {
    fn take(&mut self, tag: DynamicTag, value: u64) {
        match tag {
            elf::DT_NEEDED if self.needed.len() < NEEDED => self.needed.push(value),
            elf::DT_SONAME => self.soname = Some(value),
            elf::DT_RPATH => self.rpath = Some(value),
            elf::DT_RUNPATH => self.runpath = Some(value),
            elf::DT_STRTAB => self.strings = Some(value),
            elf::DT_STRSZ => self.strings_size = value,
            elf::DT_SYMTAB => self.symbols = Some(value),
            elf::DT_HASH => self.hash = Some(value),
            elf::DT_GNU_HASH => self.gnu_hash = Some(value),
            elf::DT_VERNEED => self.needed_versions = Some(value),
            elf::DT_VERNEEDNUM => self.needed_versions_count = value,
            elf::DT_VERDEF => self.provided_versions = Some(value),
            elf::DT_VERDEFNUM => self.provided_versions_count = value,
            elf::DT_FLAGS_1 => self.flags = value,
            _ => {}
        }
    }
}

fn interpreter(
    source: Source<'_>,
    elf: &Elf,
    warnings: &mut Warnings,
) -> io::Result<Option<String>> {
    let Some(segment) = elf
        .segments
        .iter()
        .find(|segment| segment.kind == elf::PT_INTERP)
    else {
        return Ok(None);
    };
    let part = source.part(segment.offset, segment.size);
    let text = Window::new(part).text(0, 4096)?;
    if text.is_none() {
        warnings.at(
            WarningCode::MalformedFile,
            part.place(0),
            "the path of the loader has no end",
        );
    }
    Ok(text)
}

fn executable_stack(elf: &Elf) -> ExecutableStack {
    match elf
        .segments
        .iter()
        .find(|segment| segment.kind == elf::PT_GNU_STACK)
    {
        Some(segment) if segment.flags.contains(elf::PF_X) => ExecutableStack::Yes,
        Some(_) => ExecutableStack::No,
        None => ExecutableStack::Unstated,
    }
}
