//! Finds containers whose machine code has no kernels.
//!
//! Linkers leave them behind, with an empty cubin for each target and no PTX. Counted as code, they would make a
//! library that the driver compiles for a device look as if a part of it were missing.

use std::io;

use cudacheck_model::package::{CodeEntry, CodeKind, Compression};

use super::Payload;
use crate::source::Window;
use crate::unpack;

/// Bytes of the largest cubin that is looked into: those without kernels have up to 2,248, those with one at least
/// 2,600.
const SMALL: u64 = 2400;

/// Cubins that are looked into in one container. Real ones have one for each target.
const CUBINS: usize = 64;

/// The machine code of a container, as far as it has been read.
#[derive(Default)]
pub(super) struct Cubins {
    small: Vec<Cubin>,
    others: u64,
}

struct Cubin {
    place: u64,
    stored: u64,
    unpacked: u64,
    compression: Compression,
}

impl Cubins {
    /// Takes notice of an entry.
    pub(super) fn take(&mut self, entry: &CodeEntry, payload: Payload) {
        if !matches!(entry.kind, CodeKind::Cubin | CodeKind::OtherElf) {
            return;
        }
        match payload {
            Payload::Stored {
                place,
                length: stored,
            } if stored <= SMALL && entry.unpacked_bytes <= SMALL && self.small.len() < CUBINS => {
                let (unpacked, compression) = (entry.unpacked_bytes, entry.compression);
                self.small.push(Cubin {
                    place,
                    stored,
                    unpacked,
                    compression,
                });
            }
            Payload::Stored { .. } | Payload::Nested { .. } | Payload::Loose { .. } => {
                self.others += 1
            }
        }
    }

    /// Whether there is machine code, and all of it is known to have no kernels.
    ///
    /// Only a container of nothing but small cubins has any of them unpacked, which is some microseconds each.
    pub(super) fn have_no_kernels(&self, window: &mut Window<'_>) -> io::Result<bool> {
        if self.others > 0 || self.small.is_empty() {
            return Ok(false);
        }
        for cubin in &self.small {
            let start = window.source().place(0);
            let length = usize::try_from(cubin.stored).unwrap_or(0);
            let stored = window.get(cubin.place.saturating_sub(start), length)?;
            // The code of each kernel is in a section of its own, `.text.` and its name.
            match unpack::unpack(cubin.compression, stored, cubin.unpacked) {
                Ok(bytes) if memchr::memmem::find(&bytes, b".text.").is_none() => {}
                // What cannot be unpacked is not known to be empty.
                Ok(_) | Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}
