//! Finds containers whose machine code has no kernels.
//!
//! Linkers leave them behind, with an empty cubin for each target and no PTX, and so do sources whose code is all for
//! other targets: half of cuBLASLt's containers are such. Counted as code, they would make a library that the driver
//! compiles for a device look as if a part of it were missing.

use std::io;

use cudacheck_model::package::{CodeEntry, CodeKind, CodeVersion, Compression};

use super::Payload;
use crate::source::Window;

/// Bytes of the largest cubin that may have no kernel, by ABI. Those without have up to 1,112 and 2,248 (toolkits 8
/// to 13.5), those with one at least 2,600 and 3,112.
const LARGEST_EMPTY_ABI_7: u64 = 1_200;
const LARGEST_EMPTY: u64 = 2_400;

/// Cubins that are looked into in one container. Real ones have one for each target.
const CUBINS: usize = 64;

/// The machine code of a container, as far as it has been read.
#[derive(Default)]
pub(super) struct Cubins {
    /// Where those are that are not compressed, and how long they are.
    plain: Vec<(u64, u64)>,
    compressed: u64,
    others: u64,
}

impl Cubins {
    /// Takes notice of an entry.
    pub(super) fn take(&mut self, entry: &CodeEntry, payload: Payload) {
        if !matches!(entry.kind, CodeKind::Cubin | CodeKind::OtherElf) {
            return;
        }
        let largest = match entry.version {
            CodeVersion::ElfAbi(7) => LARGEST_EMPTY_ABI_7,
            CodeVersion::ElfAbi(_) | CodeVersion::PtxIsa(_) | CodeVersion::Ir(_) => LARGEST_EMPTY,
        };
        match (payload, entry.compression) {
            (Payload::Stored { place, length }, Compression::None)
                if length <= LARGEST_EMPTY && self.plain.len() < CUBINS =>
            {
                self.plain.push((place, length));
            }
            // To unpack them would take longer than everything else; their size tells them as well.
            (Payload::Stored { .. }, Compression::Lz4 | Compression::Zstd)
                if entry.unpacked_bytes <= largest =>
            {
                self.compressed += 1;
            }
            (Payload::Stored { .. } | Payload::Nested { .. } | Payload::Loose { .. }, _) => {
                self.others += 1
            }
        }
    }

    /// Whether there is machine code, and none of it has a kernel.
    pub(super) fn have_no_kernels(&self, window: &mut Window<'_>) -> io::Result<bool> {
        if self.others > 0 {
            return Ok(false);
        }
        let start = window.source().place(0);
        for (place, length) in &self.plain {
            let length = usize::try_from(*length).unwrap_or(0);
            let bytes = window.get(place.saturating_sub(start), length)?;
            // The code of each kernel is in a section of its own, `.text.` and its name.
            if memchr::memmem::find(bytes, b".text.").is_some() {
                return Ok(false);
            }
        }
        Ok(!self.plain.is_empty() || self.compressed > 0)
    }
}
