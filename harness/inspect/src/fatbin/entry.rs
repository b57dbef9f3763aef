//! The header of a piece of GPU code: 64 bytes, then a name and options for the compiler in the driver.

use std::io;

use cudacheck_model::package::{
    CodeEntry, CodeKind, CodeVersion, Compression, HostSystem, IrVersion, WarningCode,
};
use cudacheck_model::version::{ComputeCapability, PtxIsa, Target, TargetReach};

use super::{Payload, concat, u16_at, u32_at, u64_at};
use crate::source::{LONGEST, Window};
use crate::warnings::Warnings;

/// Bytes of a header without what may follow it.
pub(super) const BASE: usize = 64;

/// Texts that are longer are cut: the longest known name, a list of object files, has 3,888 bytes.
const LONGEST_TEXT: usize = 16 * 1024;

/// The bits of [`Header::flags`].
mod flag {
    pub(super) const DEBUG: u64 = 1 << 1;
    pub(super) const LINUX: u64 = 1 << 4;
    pub(super) const MAC: u64 = 1 << 5;
    pub(super) const WINDOWS: u64 = 1 << 6;
    pub(super) const COMPRESSED: u64 = 0xf << 12;
    pub(super) const LZ4: u64 = 1 << 13;
    pub(super) const ZSTD: u64 = 1 << 15;
    pub(super) const SCRAMBLED: u64 = 1 << 16;
    pub(super) const ARCHITECTURE: u64 = 1 << 20;
    pub(super) const FAMILY: u64 = 1 << 21;
}

/// The fields of a header, as they are stored.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) kind: u16,
    /// Bytes of the whole header; inside a concatenated entry, the place of the payload.
    pub(super) size: u32,
    /// Bytes of the payload with its padding.
    pub(super) payload: u64,
    pub(super) compressed: u32,
    pub(super) options: u32,
    pub(super) minor: u16,
    pub(super) major: u16,
    pub(super) target: u32,
    pub(super) identifier: u32,
    pub(super) identifier_length: u32,
    pub(super) flags: u64,
    pub(super) unpacked: u64,
}

impl Header {
    /// Takes the fields from the first 64 bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: u16_at(bytes, 0)?,
            size: u32_at(bytes, 4)?,
            payload: u64_at(bytes, 8)?,
            compressed: u32_at(bytes, 16)?,
            options: u32_at(bytes, 20)?,
            minor: u16_at(bytes, 24)?,
            major: u16_at(bytes, 26)?,
            target: u32_at(bytes, 28)?,
            identifier: u32_at(bytes, 32)?,
            identifier_length: u32_at(bytes, 36)?,
            flags: u64_at(bytes, 40)?,
            unpacked: u64_at(bytes, 56)?,
        })
    }

    fn kind(self) -> CodeKind {
        match self.kind {
            0x01 => CodeKind::Ptx,
            0x02 => CodeKind::Cubin,
            0x04 => CodeKind::LegacyCubin,
            0x08 => CodeKind::LtoIr,
            0x10 => CodeKind::OtherElf,
            0x20 => CodeKind::Index,
            0x40 => CodeKind::RelocatablePtx,
            0x80 => CodeKind::TileIr,
            0x100 => CodeKind::Concatenated,
            number => CodeKind::Unknown(number),
        }
    }

    fn target(self) -> Option<Target> {
        let reach = if self.flags & flag::ARCHITECTURE != 0 {
            TargetReach::Architecture
        } else if self.flags & flag::FAMILY != 0 {
            TargetReach::Family
        } else {
            TargetReach::Baseline
        };
        target(self.target, reach)
    }

    fn version(self) -> CodeVersion {
        let (major, minor) = (self.major, self.minor);
        match self.kind() {
            CodeKind::Ptx | CodeKind::RelocatablePtx => {
                CodeVersion::PtxIsa(PtxIsa::new(major.into(), minor.into()))
            }
            CodeKind::Cubin | CodeKind::OtherElf if major == 1 => CodeVersion::ElfAbi(minor),
            CodeKind::Cubin
            | CodeKind::OtherElf
            | CodeKind::LegacyCubin
            | CodeKind::LtoIr
            | CodeKind::Index
            | CodeKind::TileIr
            | CodeKind::Concatenated
            | CodeKind::Unknown(_) => CodeVersion::Ir(IrVersion { major, minor }),
        }
    }

    pub(super) fn compression(self) -> Compression {
        match self.flags & flag::COMPRESSED {
            0 => Compression::None,
            flag::LZ4 => Compression::Lz4,
            flag::ZSTD => Compression::Zstd,
            _ => Compression::Unknown,
        }
    }

    fn host(self) -> Option<HostSystem> {
        let hosts = [
            (flag::LINUX, HostSystem::Linux),
            (flag::MAC, HostSystem::Mac),
            (flag::WINDOWS, HostSystem::Windows),
        ];
        let host = hosts.into_iter().find(|(bit, _)| self.flags & bit != 0);
        host.map(|(_, host)| host)
    }

    /// Whether the options are text. Beside machine code they are numbers for the linker, and in concatenated entries
    /// they belong to what is inside.
    fn options_are_text(self) -> bool {
        match self.kind() {
            CodeKind::Cubin
            | CodeKind::OtherElf
            | CodeKind::LegacyCubin
            | CodeKind::Index
            | CodeKind::Concatenated => false,
            CodeKind::Ptx
            | CodeKind::LtoIr
            | CodeKind::RelocatablePtx
            | CodeKind::TileIr
            | CodeKind::Unknown(_) => true,
        }
    }

    /// Everything that the header says of an entry at a place of the file. `bytes` begin with the header.
    pub(super) fn entry(self, bytes: &[u8], place: u64, warnings: &mut Warnings) -> CodeEntry {
        let kind = self.kind();
        let target = self.target();
        if let CodeKind::Unknown(number) = kind {
            warnings.at(
                WarningCode::UnknownKind,
                place,
                format!("a piece of GPU code is of the unknown kind {number:#x}"),
            );
        } else if target.is_none() && !matches!(kind, CodeKind::Concatenated | CodeKind::Index) {
            let message = format!(
                "a piece of GPU code is for the architecture {}, which cannot be",
                self.target
            );
            warnings.at(WarningCode::MalformedEntry, place, message);
        }
        let compression = self.compression();
        let (stored_bytes, unpacked_bytes) = match compression {
            Compression::None => (self.payload, self.payload),
            Compression::Lz4 | Compression::Zstd | Compression::Unknown => {
                (self.compressed.into(), self.unpacked)
            }
        };
        CodeEntry {
            offset: place,
            kind,
            target,
            version: self.version(),
            compression,
            stored_bytes,
            unpacked_bytes,
            concatenated: false,
            debug: self.flags & flag::DEBUG != 0,
            scrambled: self.flags & flag::SCRAMBLED != 0,
            host: self.host(),
            identifier: self.identifier(bytes, place, warnings),
            options: self.options(bytes, place, warnings),
        }
    }

    fn identifier(self, bytes: &[u8], place: u64, warnings: &mut Warnings) -> Option<String> {
        if self.identifier == 0 {
            return None;
        }
        text(bytes, self.identifier, self.identifier_length).or_else(|| {
            warnings.at(
                WarningCode::MalformedEntry,
                place,
                "the identifier of a piece of GPU code is outside of its header",
            );
            None
        })
    }

    fn options(self, bytes: &[u8], place: u64, warnings: &mut Warnings) -> Option<String> {
        if self.options == 0 || !self.options_are_text() {
            return None;
        }
        let descriptor = usize::try_from(self.options).ok()?;
        let found = u32_at(bytes, descriptor)
            .zip(u32_at(bytes, descriptor.saturating_add(4)))
            .and_then(|(offset, length)| text(bytes, offset, length));
        found.or_else(|| {
            warnings.at(
                WarningCode::MalformedEntry,
                place,
                "the options of a piece of GPU code are outside of its header",
            );
            None
        })
    }
}

/// A target by the number that headers carry: 90 is `sm_90`.
pub(crate) fn target(number: u32, reach: TargetReach) -> Option<Target> {
    let capability = ComputeCapability::new(number / 10, number % 10);
    (10..10_000)
        .contains(&number)
        .then_some(Target { capability, reach })
}

fn text(bytes: &[u8], offset: u32, length: u32) -> Option<String> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    let text = bytes.get(start..end)?;
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = &text[..text.len().min(LONGEST_TEXT)];
    Some(String::from_utf8_lossy(text).trim_end().to_owned())
}

/// Reads the entry at `offset` of a container that ends at `end`, and answers where the next one is.
pub(super) fn read(
    window: &mut Window<'_>,
    offset: u64,
    end: u64,
    warnings: &mut Warnings,
    visit: &mut dyn FnMut(&CodeEntry, Payload),
) -> io::Result<Option<u64>> {
    let source = window.source();
    let place = source.place(offset);
    let left = end - offset;
    let Some(header) = Header::parse(window.get(offset, BASE)?).filter(|_| left >= BASE as u64)
    else {
        let message = format!("{left} bytes at the end of a container are no header");
        warnings.at(WarningCode::MalformedEntry, place, message);
        return Ok(None);
    };
    let size = u64::from(header.size);
    let after = size
        .checked_add(header.payload)
        .filter(|total| size >= BASE as u64 && *total <= left);
    let Some(total) = after else {
        let message = format!(
            "a piece of GPU code of {size} + {} bytes does not fit into the {left} bytes that its container has left",
            header.payload
        );
        warnings.at(WarningCode::MalformedEntry, place, message);
        return Ok(None);
    };
    if u64::from(header.compressed) > header.payload {
        let message = format!(
            "{} compressed bytes do not fit into {}",
            header.compressed, header.payload
        );
        warnings.at(WarningCode::MalformedEntry, place, message);
    }
    let length = usize::try_from(size).unwrap_or(LONGEST).min(LONGEST);
    let bytes = window.get(offset, length)?;
    let entry = header.entry(bytes, place, warnings);
    let payload = Payload::Stored {
        place: source.place(offset + size),
        length: entry.stored_bytes.min(header.payload),
    };
    visit(&entry, payload);
    if entry.kind == CodeKind::Concatenated {
        concat::read(window, offset, &entry, size, warnings, visit)?;
    }
    Ok(Some(offset + total))
}
