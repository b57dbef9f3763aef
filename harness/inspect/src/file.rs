//! Reads one file: recognises what it is by its first bytes, and hands each part to whoever understands it.

use std::collections::BTreeSet;
use std::io;

use cudacheck_model::package::{ElfFacts, FileKind, FoundBy, Machine, WarningCode};
use object::elf;

use crate::elf::{Elf, dynamic};
use crate::fatbin::{self, Event, NEEDLE, Payload, Section};
use crate::scan::Scanner;
use crate::source::{Source, Window};
use crate::warnings::Warnings;
use crate::{Search, archive, cubin, pe};

/// What a file was found to be.
pub(crate) struct Contents {
    pub(crate) kind: FileKind,
    pub(crate) machine: Option<Machine>,
    pub(crate) elf: Option<ElfFacts>,
}

/// Sections that NVIDIA's tools make for containers: those of linked code, and those of code still to be linked.
const FATBIN_SECTIONS: [&str; 2] = [".nv_fatbin", "__nv_relfatbin"];

/// The first of them where names have at most eight bytes.
const FATBIN_SECTION_WINDOWS: &str = ".nv_fatb";

/// Sections that hold data which is never GPU code, and sometimes much of it.
const NEVER_CODE: [&str; 5] = [
    ".eh_frame",
    ".eh_frame_hdr",
    ".gcc_except_table",
    ".interp",
    ".nvFatBinSegment",
];

/// Members of archives are not looked into for archives.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Depth {
    File,
    Member,
}

/// How a file is read, and with what.
pub(crate) struct Reader<'r> {
    pub(crate) search: Search,
    pub(crate) scanner: &'r mut Scanner,
    pub(crate) visit: &'r mut dyn FnMut(Event<'_>),
}

impl Reader<'_> {
    /// Reads a file. None for files that are nothing of interest.
    pub(crate) fn file(
        &mut self,
        source: Source<'_>,
        warnings: &mut Warnings,
    ) -> io::Result<Option<Contents>> {
        self.any(source, Depth::File, warnings)
    }

    fn any(
        &mut self,
        source: Source<'_>,
        depth: Depth,
        warnings: &mut Warnings,
    ) -> io::Result<Option<Contents>> {
        let mut first = [0; 20];
        let filled = source.read(0, &mut first)?;
        let first = &first[..filled];
        if first.starts_with(b"\x7fELF") {
            self.elf(source, warnings)
        } else if first.starts_with(&NEEDLE[..4]) {
            let section = Section {
                name: "",
                found_by: FoundBy::WholeFile,
            };
            fatbin::read_section(source, section, warnings, self.visit)?;
            Ok(Some(Contents {
                kind: FileKind::Fatbin,
                machine: None,
                elf: None,
            }))
        } else if first.starts_with(archive::MAGIC) && depth == Depth::File {
            let mut machine = None;
            archive::members(source, warnings, &mut |member, warnings| {
                let contents = self.any(member, Depth::Member, warnings)?;
                machine = machine.or(contents.and_then(|contents| contents.machine));
                Ok(())
            })?;
            Ok(Some(Contents {
                kind: FileKind::Archive,
                machine,
                elf: None,
            }))
        } else if first.starts_with(archive::THIN) && depth == Depth::File {
            // Its members are files of their own, and read as such.
            Ok(Some(Contents {
                kind: FileKind::Archive,
                machine: None,
                elf: None,
            }))
        } else if first.starts_with(b"MZ") {
            self.windows(source, warnings)
        } else {
            Ok(None)
        }
    }

    fn elf(&mut self, source: Source<'_>, warnings: &mut Warnings) -> io::Result<Option<Contents>> {
        let Some(elf) = Elf::read(source, warnings)? else {
            return Ok(None);
        };
        let machine = elf.machine();
        if machine == Machine::Cuda {
            let mut abi = [0];
            source.read(8, &mut abi)?;
            let entry = cubin::read(source, &elf, abi[0], warnings)?;
            let section = Section {
                name: "",
                found_by: FoundBy::WholeFile,
            };
            let payload = Payload::Loose {
                place: source.place(0),
                length: source.len(),
            };
            (self.visit)(Event::Entry {
                section,
                entry: &entry,
                payload,
            });
            return Ok(Some(Contents {
                kind: FileKind::Cubin,
                machine: Some(machine),
                elf: None,
            }));
        }
        let mut names = BTreeSet::new();
        match elf.file_type {
            elf::ET_REL => {
                self.elf_code(source, &elf, &mut names, warnings)?;
                Ok(Some(Contents {
                    kind: FileKind::Relocatable,
                    machine: Some(machine),
                    elf: None,
                }))
            }
            elf::ET_DYN | elf::ET_EXEC if !dynamic::is_debug_file(&elf) => {
                self.elf_code(source, &elf, &mut names, warnings)?;
                let (kind, facts) = dynamic::facts(source, &elf, names, warnings)?;
                Ok(Some(Contents {
                    kind,
                    machine: Some(machine),
                    elf: Some(facts),
                }))
            }
            elf::ET_DYN | elf::ET_EXEC | elf::ET_CORE => Ok(None),
            elf::FileType(number) => {
                let message = format!("an ELF file of the unknown type {number} is not read");
                warnings.at(WarningCode::MalformedFile, source.place(16), message);
                Ok(None)
            }
        }
    }

    fn elf_code(
        &mut self,
        source: Source<'_>,
        elf: &Elf,
        names: &mut BTreeSet<String>,
        warnings: &mut Warnings,
    ) -> io::Result<()> {
        let mut window = Window::new(source);
        let mut budget = source.len().saturating_mul(2);
        for section in &elf.sections {
            if section.kind == elf::SHT_NOBITS || section.size == 0 {
                continue;
            }
            let data = section.kind == elf::SHT_PROGBITS
                && section.flags.contains(elf::SHF_ALLOC)
                && !section.flags.contains(elf::SHF_EXECINSTR);
            if !data {
                continue;
            }
            let name = elf.section_name(&mut window, *section)?;
            if !source.holds(section.offset, section.size) {
                let message = format!(
                    "the section `{name}` of {} bytes reaches beyond the end of the file",
                    section.size
                );
                warnings.at(
                    WarningCode::Truncated,
                    source.place(section.offset),
                    message,
                );
            }
            let part = source.part(section.offset, section.size);
            // Sections do not overlap; but nothing keeps a hostile file from having the same bytes read for ever.
            let Some(left) = budget.checked_sub(part.len()) else {
                let message = "the sections of the file overlap, and are not all read";
                warnings.at(WarningCode::LimitReached, part.place(0), message);
                break;
            };
            budget = left;
            if FATBIN_SECTIONS.contains(&name.as_str()) {
                let section = Section {
                    name: &name,
                    found_by: FoundBy::FatbinSection,
                };
                fatbin::read_section(part, section, warnings, self.visit)?;
            } else if self.search == Search::Everywhere && !NEVER_CODE.contains(&name.as_str()) {
                self.scanner
                    .scan(part, &name, names, warnings, self.visit)?;
            }
        }
        if elf.sections.is_empty() && self.search == Search::Everywhere {
            let data = elf.segments.iter().filter(|segment| {
                segment.kind == elf::PT_LOAD && !segment.flags.contains(elf::PF_X)
            });
            for segment in data {
                let part = source.part(segment.offset, segment.size);
                let Some(left) = budget.checked_sub(part.len()) else {
                    break;
                };
                budget = left;
                self.scanner.scan(part, "", names, warnings, self.visit)?;
            }
        }
        Ok(())
    }

    fn windows(
        &mut self,
        source: Source<'_>,
        warnings: &mut Warnings,
    ) -> io::Result<Option<Contents>> {
        let Some((machine, sections)) = pe::read(source, warnings)? else {
            return Ok(None);
        };
        let mut names = BTreeSet::new();
        let mut budget = source.len().saturating_mul(2);
        for section in sections.iter().filter(|section| section.data) {
            let part = source.part(section.offset, section.size);
            let Some(left) = budget.checked_sub(part.len()) else {
                let message = "the sections of the file overlap, and are not all read";
                warnings.at(WarningCode::LimitReached, part.place(0), message);
                break;
            };
            budget = left;
            if !source.holds(section.offset, section.size) {
                let message = format!(
                    "the section `{}` of {} bytes reaches beyond the end of the file",
                    section.name, section.size
                );
                warnings.at(
                    WarningCode::Truncated,
                    source.place(section.offset),
                    message,
                );
            }
            if section.name == FATBIN_SECTION_WINDOWS {
                let section = Section {
                    name: &section.name,
                    found_by: FoundBy::FatbinSection,
                };
                fatbin::read_section(part, section, warnings, self.visit)?;
            } else if self.search == Search::Everywhere {
                self.scanner
                    .scan(part, &section.name, &mut names, warnings, self.visit)?;
            }
        }
        Ok(Some(Contents {
            kind: FileKind::Dll,
            machine: Some(machine),
            elf: None,
        }))
    }
}
