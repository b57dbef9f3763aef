//! Reads the sections of Windows libraries and programs, in which NVIDIA ships the same containers.

use std::io;

use cudacheck_model::package::{Machine, WarningCode};
use object::pe;

use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// A section of a Windows file.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) size: u64,
    /// Whether it holds data that is in the file and not code.
    pub(crate) data: bool,
}

/// The machine and the sections, or none if the file is for DOS or for nothing.
pub(crate) fn read(
    source: Source<'_>,
    warnings: &mut Warnings,
) -> io::Result<Option<(Machine, Vec<Section>)>> {
    let mut window = Window::new(source);
    let Some(dos) = window.pod::<pe::ImageDosHeader>(0)? else {
        return Ok(None);
    };
    let header_at = u64::from(dos.nt_headers_offset());
    if window.get(header_at, 4)? != b"PE\0\0" {
        return Ok(None);
    }
    let Some(header) = window.pod::<pe::ImageFileHeader>(header_at + 4)? else {
        warnings.at(
            WarningCode::Truncated,
            source.place(header_at),
            "a Windows file ends in its header",
        );
        return Ok(None);
    };
    let machine = header.machine.get(object::LittleEndian);
    let machine = match machine {
        pe::IMAGE_FILE_MACHINE_AMD64 => Machine::X86_64,
        pe::IMAGE_FILE_MACHINE_I386 => Machine::X86,
        pe::IMAGE_FILE_MACHINE_ARM64 => Machine::Aarch64,
        pe::Machine(other) => Machine::Other(other),
    };
    let table =
        header_at + 4 + 20 + u64::from(header.size_of_optional_header.get(object::LittleEndian));
    let mut sections = Vec::new();
    for index in 0..u64::from(header.number_of_sections.get(object::LittleEndian)) {
        let at = table + index * pe::IMAGE_SIZEOF_SECTION_HEADER as u64;
        let Some(section) = window.pod::<pe::ImageSectionHeader>(at)? else {
            warnings.at(
                WarningCode::Truncated,
                source.place(at),
                "a Windows file ends in its section headers",
            );
            break;
        };
        let name = section
            .name
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        let flags = section.characteristics.get(object::LittleEndian);
        sections.push(Section {
            name: String::from_utf8_lossy(name).into_owned(),
            offset: section.pointer_to_raw_data.get(object::LittleEndian).into(),
            size: section.size_of_raw_data.get(object::LittleEndian).into(),
            data: flags.contains(pe::IMAGE_SCN_CNT_INITIALIZED_DATA)
                && !flags.contains(pe::IMAGE_SCN_MEM_EXECUTE),
        });
    }
    Ok(Some((machine, sections)))
}
