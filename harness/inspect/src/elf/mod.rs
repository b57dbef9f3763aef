//! Reads the headers of ELF files: of both widths and byte orders, with or without section headers.

pub(crate) mod dynamic;
mod symbols;
mod versions;

use std::io;

use cudacheck_model::package::{ElfClass, Machine, WarningCode};
use object::elf::{self, FileHeader32, FileHeader64};
use object::endian::{Endian, Endianness};
use object::pod::{self, Pod};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};

use crate::source::{LONGEST, Source, Window};
use crate::warnings::Warnings;

/// Section headers that are kept of one file. Objects with a section for each function have tens of thousands.
const SECTIONS: u64 = 1 << 17;

/// The longest name of a section that is read.
const SECTION_NAME: usize = 255;

/// The headers of an ELF file.
pub(crate) struct Elf {
    pub(crate) class: ElfClass,
    pub(crate) endian: Endianness,
    pub(crate) machine: u16,
    pub(crate) file_type: elf::FileType,
    pub(crate) flags: u32,
    pub(crate) os_abi: u8,
    pub(crate) segments: Vec<Segment>,
    pub(crate) sections: Vec<Section>,
    /// Where the names of sections are.
    names: (u64, u64),
    /// The first byte behind the headers and everything they point to.
    pub(crate) end: u64,
}

/// A program header.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) kind: elf::ProgramType,
    pub(crate) flags: elf::ProgramFlags,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) size: u64,
}

/// A section header.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    name: u32,
    pub(crate) kind: elf::SectionType,
    pub(crate) flags: elf::SectionFlags,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Elf {
    /// Reads the headers, or answers none if there are no usable ones, with a warning that says why.
    pub(crate) fn read(source: Source<'_>, warnings: &mut Warnings) -> io::Result<Option<Self>> {
        let mut window = Window::new(source);
        let class = window.get(0, 5)?.get(4).copied();
        match class {
            Some(1) => headers::<FileHeader32<Endianness>>(&mut window, ElfClass::Elf32, warnings),
            Some(2) => headers::<FileHeader64<Endianness>>(&mut window, ElfClass::Elf64, warnings),
            Some(_) | None => {
                warnings.at(
                    WarningCode::MalformedFile,
                    source.place(4),
                    "an ELF file is neither 32 nor 64 bit",
                );
                Ok(None)
            }
        }
    }

    /// What the file is made for.
    pub(crate) fn machine(&self) -> Machine {
        match (elf::Machine(self.machine), self.endian) {
            (elf::EM_X86_64, _) => Machine::X86_64,
            (elf::EM_386, _) => Machine::X86,
            (elf::EM_AARCH64, _) => Machine::Aarch64,
            (elf::EM_ARM, _) => Machine::Arm,
            (elf::EM_PPC64, Endianness::Little) => Machine::Ppc64le,
            (elf::EM_PPC64, Endianness::Big) => Machine::Ppc64,
            (elf::EM_CUDA, _) => Machine::Cuda,
            (elf::Machine(number), _) => Machine::Other(number),
        }
    }

    /// The name of a section, empty if it has none that can be read.
    pub(crate) fn section_name(
        &self,
        window: &mut Window<'_>,
        section: Section,
    ) -> io::Result<String> {
        let (offset, size) = self.names;
        let name = u64::from(section.name);
        if name >= size {
            return Ok(String::new());
        }
        Ok(window
            .text(offset.saturating_add(name), SECTION_NAME)?
            .unwrap_or_default())
    }

    /// Where the loader maps an address from.
    pub(crate) fn offset_of(&self, address: u64) -> Option<u64> {
        let mut loaded = self
            .segments
            .iter()
            .filter(|segment| segment.kind == elf::PT_LOAD);
        loaded.find_map(|segment| {
            let inside = address
                .checked_sub(segment.address)
                .filter(|inside| *inside < segment.size)?;
            segment.offset.checked_add(inside)
        })
    }
}

fn headers<E: FileHeader<Endian = Endianness> + Copy>(
    window: &mut Window<'_>,
    class: ElfClass,
    warnings: &mut Warnings,
) -> io::Result<Option<Elf>> {
    let source = window.source();
    let Some(header) = window.pod::<E>(0)?.filter(FileHeader::is_supported) else {
        let code = if source.len() < size_of::<E>() as u64 {
            WarningCode::Truncated
        } else {
            WarningCode::MalformedFile
        };
        warnings.at(code, source.place(0), "an ELF file has no usable header");
        return Ok(None);
    };
    let endian = match header.endian() {
        Ok(endian) => endian,
        Err(error) => {
            warnings.at(
                WarningCode::MalformedFile,
                source.place(5),
                error.to_string(),
            );
            return Ok(None);
        }
    };
    let section_headers: u64 = header.e_shoff(endian).into();
    let first: Option<E::SectionHeader> = match section_headers {
        0 => None,
        offset => window.pod(offset)?,
    };
    // Numbers that do not fit into the file's header are in its first section header.
    let extended = |number: u16, limit: u16, other: Option<u64>| match other {
        Some(other) if number == limit => other,
        Some(_) | None => u64::from(number),
    };
    let segment_count = extended(
        header.e_phnum(endian),
        elf::PN_XNUM,
        first.as_ref().map(|first| first.sh_info(endian).into()),
    );
    let section_count = extended(
        header.e_shnum(endian),
        0,
        first.as_ref().map(|first| first.sh_size(endian).into()),
    );
    let names_index = extended(
        header.e_shstrndx(endian).0,
        elf::SHN_XINDEX.0,
        first.as_ref().map(|first| first.sh_link(endian).into()),
    );

    let mut segments = Vec::new();
    let program_headers = Table {
        what: "program headers",
        offset: header.e_phoff(endian).into(),
        count: segment_count,
        stated_size: header.e_phentsize(endian),
    };
    program_headers.read::<E::ProgramHeader>(window, warnings, |header| {
        segments.push(Segment {
            kind: header.p_type(endian),
            flags: header.p_flags(endian),
            offset: header.p_offset(endian).into(),
            address: header.p_vaddr(endian).into(),
            size: header.p_filesz(endian).into(),
        });
    })?;
    let mut sections = Vec::new();
    let section_table = Table {
        what: "section headers",
        offset: section_headers,
        count: if section_headers == 0 {
            0
        } else {
            section_count
        },
        stated_size: header.e_shentsize(endian),
    };
    section_table.read::<E::SectionHeader>(window, warnings, |header| {
        sections.push(Section {
            name: header.sh_name(endian),
            kind: header.sh_type(endian),
            flags: header.sh_flags(endian),
            offset: header.sh_offset(endian).into(),
            size: header.sh_size(endian).into(),
        });
    })?;
    let names = usize::try_from(names_index)
        .ok()
        .and_then(|index| sections.get(index));
    let names = names.map_or((0, 0), |names| (names.offset, names.size));
    let with_bytes = sections
        .iter()
        .filter(|section| section.kind != elf::SHT_NOBITS);
    let ends = with_bytes.map(|section| section.offset.saturating_add(section.size));
    let segment_ends = segments
        .iter()
        .map(|segment| segment.offset.saturating_add(segment.size));
    let ends = ends
        .chain(segment_ends)
        .chain([program_headers.end(), section_table.end()]);
    Ok(Some(Elf {
        class,
        endian,
        machine: header.e_machine(endian).0,
        file_type: header.e_type(endian),
        flags: header.e_flags(endian).0,
        os_abi: header.e_ident().os_abi.0,
        end: ends.max().unwrap_or(0),
        segments,
        sections,
        names,
    }))
}

/// A table of headers.
struct Table {
    what: &'static str,
    offset: u64,
    count: u64,
    stated_size: u16,
}

impl Table {
    fn end(&self) -> u64 {
        self.offset
            .saturating_add(self.count.saturating_mul(self.stated_size.into()))
    }

    fn read<T: Pod + Copy>(
        &self,
        window: &mut Window<'_>,
        warnings: &mut Warnings,
        mut take: impl FnMut(&T),
    ) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let source = window.source();
        let size = size_of::<T>();
        let place = source.place(self.offset);
        if usize::from(self.stated_size) != size {
            let message = format!(
                "{} have {} bytes each instead of {size}",
                self.what, self.stated_size
            );
            warnings.at(WarningCode::MalformedFile, place, message);
            return Ok(());
        }
        let room = source.len().saturating_sub(self.offset) / size as u64;
        let mut count = self.count.min(SECTIONS);
        if room < self.count {
            let message = format!(
                "the file ends before {} of its {} {}",
                self.count - room,
                self.count,
                self.what
            );
            warnings.at(WarningCode::Truncated, place, message);
            count = count.min(room);
        } else if count < self.count {
            let message = format!("of {} {} the first {count} are read", self.count, self.what);
            warnings.at(WarningCode::LimitReached, place, message);
        }
        let at_once = LONGEST / size;
        let mut done = 0;
        while done < count {
            let left = usize::try_from(count - done).unwrap_or(usize::MAX);
            let wanted = left.min(at_once) * size;
            let bytes = window.get(self.offset + done * size as u64, wanted)?;
            let chunks = bytes.chunks_exact(size);
            if chunks.len() == 0 {
                // The file has become shorter.
                break;
            }
            done += chunks.len() as u64;
            for bytes in chunks {
                if let Ok((header, _)) = pod::from_bytes::<T>(bytes) {
                    take(header);
                }
            }
        }
        Ok(())
    }
}

/// The whole numbers of a file by its byte order.
pub(crate) fn u32_in(endian: Endianness, bytes: [u8; 4]) -> u32 {
    if endian.is_little_endian() {
        u32::from_le_bytes(bytes)
    } else {
        u32::from_be_bytes(bytes)
    }
}
