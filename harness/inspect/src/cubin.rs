//! Reads what a cubin is made for from the cubin itself, where no header of a container says it.
//!
//! There are two layouts, told apart by the ELF file's OS ABI. The first, ABI 7, was written up to CUDA 12 for targets up
//! to 9.0; the second, ABI 8, since CUDA 12.8 for newer targets and since 13.0 for all.

use std::io;

use cudacheck_model::package::{CodeEntry, CodeKind, CodeVersion, Compression, WarningCode};
use cudacheck_model::version::{Target, TargetReach};
use object::elf;

use crate::elf::Elf;
use crate::fatbin::target;
use crate::source::{LONGEST, Source, Window};
use crate::warnings::Warnings;

/// `EI_OSABI` of the second layout.
const OS_ABI_SECOND: u8 = 0x41;

/// In `e_flags` of the first layout, from 9.0 on: only for exactly this architecture. Older targets carry it too.
const FIRST_ACCELERATOR: u32 = 0x800;

/// The same in the second layout, as CUDA 12 wrote it.
const SECOND_ACCELERATOR: u32 = 0x8;

/// In `.nv.compat`: the target is for exactly this architecture, as CUDA 13 writes it.
const ATTRIBUTE_ACCELERATOR: u8 = 0x09;

/// Reads a file that is known to be a cubin.
pub(crate) fn read(
    source: Source<'_>,
    elf: &Elf,
    abi: u8,
    warnings: &mut Warnings,
) -> io::Result<CodeEntry> {
    let target = target_of(source, elf)?;
    if target.is_none() {
        let message = format!(
            "a cubin with flags {:#x} names no architecture that can be",
            elf.flags
        );
        warnings.at(WarningCode::MalformedFile, source.place(0), message);
    }
    Ok(CodeEntry {
        offset: source.place(0),
        kind: CodeKind::Cubin,
        target,
        version: CodeVersion::ElfAbi(abi.into()),
        compression: Compression::None,
        stored_bytes: source.len(),
        unpacked_bytes: source.len(),
        concatenated: false,
        debug: false,
        scrambled: false,
        host: None,
        identifier: None,
        options: None,
    })
}

/// Reads what may be a cubin, with its length, if it holds together.
pub(crate) fn plausible(source: Source<'_>) -> io::Result<Option<(CodeEntry, u64)>> {
    let mut header = [0; 20];
    if source.read(0, &mut header)? < header.len()
        || u16::from_le_bytes([header[18], header[19]]) != elf::EM_CUDA.0
    {
        return Ok(None);
    }
    let mut warnings = Warnings::new("".as_ref());
    let Some(elf) = Elf::read(source, &mut warnings)? else {
        return Ok(None);
    };
    if elf.sections.is_empty() || !source.holds(0, elf.end) {
        return Ok(None);
    }
    let entry = read(source.part(0, elf.end), &elf, header[8], &mut warnings)?;
    Ok((warnings.count() == 0).then_some((entry, elf.end)))
}

fn target_of(source: Source<'_>, elf: &Elf) -> io::Result<Option<Target>> {
    if elf.os_abi != OS_ABI_SECOND {
        let number = elf.flags & 0xff;
        let exact = number >= 90 && elf.flags & FIRST_ACCELERATOR != 0;
        let reach = if exact {
            TargetReach::Architecture
        } else {
            TargetReach::Baseline
        };
        return Ok(target(number, reach));
    }
    let number = elf.flags >> 8 & 0xff;
    if elf.flags & SECOND_ACCELERATOR != 0 {
        return Ok(target(number, TargetReach::Architecture));
    }
    let mut window = Window::new(source);
    let mut exact = false;
    let mut family = false;
    for section in &elf.sections {
        let compatibility = section.kind != elf::SHT_NOBITS && section.size > 0;
        if !compatibility {
            continue;
        }
        let length = usize::try_from(section.size).unwrap_or(LONGEST);
        match elf.section_name(&mut window, *section)?.as_str() {
            ".nv.compat" => exact |= has_accelerator(window.get(section.offset, length)?),
            // Nothing but the command line of the assembler tells a family's code from any other.
            ".note.nv.tkinfo" => {
                let option = format!("sm_{number}f");
                let note = window.get(section.offset, length)?;
                family |= memchr::memmem::find(note, option.as_bytes()).is_some();
            }
            _ => {}
        }
    }
    let reach = match (exact, family) {
        (true, _) => TargetReach::Architecture,
        (false, true) => TargetReach::Family,
        (false, false) => TargetReach::Baseline,
    };
    Ok(target(number, reach))
}

/// Whether the attributes of a cubin say that it is for exactly its architecture.
///
/// Each attribute is a format, a number, and 16 bits: a value, or for format 4 the length of what follows.
fn has_accelerator(mut attributes: &[u8]) -> bool {
    while let [format, attribute, low, high, rest @ ..] = attributes {
        if *attribute == ATTRIBUTE_ACCELERATOR && *low != 0 {
            return true;
        }
        let length = if *format == 4 {
            u16::from_le_bytes([*low, *high])
        } else {
            0
        };
        let Some(next) = rest.get(usize::from(length)..) else {
            return false;
        };
        attributes = next;
    }
    false
}
