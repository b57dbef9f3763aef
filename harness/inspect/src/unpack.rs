//! Undoes the compression of payloads, without ever taking more memory than the file can have meant.

use std::io::Read;

use cudacheck_model::package::Compression;
use thiserror::Error;

/// Bytes of the largest payload that is unpacked. The largest one known has some tens of megabytes.
pub(crate) const LARGEST: u64 = 512 << 20;

/// Why a payload could not be unpacked.
#[derive(Debug, Error)]
pub(crate) enum UnpackError {
    /// It claims to become larger than anything should.
    #[error("a payload of {0} bytes is larger than any that is unpacked")]
    TooLarge(u64),
    /// It cannot become as large as it claims.
    #[error("{stored} bytes cannot become {unpacked}")]
    Impossible {
        /// Bytes in the file.
        stored: u64,
        /// Bytes claimed.
        unpacked: u64,
    },
    /// The decoder gave up.
    #[error("the compressed bytes are damaged: {0}")]
    Damaged(String),
    /// It became something of another size than it claims.
    #[error("{found} bytes came out instead of {expected}")]
    Size {
        /// Bytes that came out.
        found: u64,
        /// Bytes claimed.
        expected: u64,
    },
    /// The method is not known.
    #[error("the method of compression is not known")]
    Method,
}

/// Unpacks a payload that becomes `unpacked` bytes.
pub(crate) fn unpack(
    compression: Compression,
    stored: &[u8],
    unpacked: u64,
) -> Result<Vec<u8>, UnpackError> {
    if unpacked > LARGEST {
        return Err(UnpackError::TooLarge(unpacked));
    }
    let bytes = match compression {
        Compression::None => stored.to_vec(),
        Compression::Lz4 => lz4(stored, unpacked)?,
        Compression::Zstd => zstd(stored, unpacked)?,
        Compression::Unknown => return Err(UnpackError::Method),
    };
    if bytes.len() as u64 == unpacked {
        Ok(bytes)
    } else {
        Err(UnpackError::Size {
            found: bytes.len() as u64,
            expected: unpacked,
        })
    }
}

fn lz4(stored: &[u8], unpacked: u64) -> Result<Vec<u8>, UnpackError> {
    // A byte of LZ4 stands for at most 255, which keeps a small lie from allocating much.
    let most = (stored.len() as u64).saturating_mul(255).saturating_add(64);
    match usize::try_from(unpacked) {
        Ok(size) if unpacked <= most => lz4_flex::block::decompress(stored, size)
            .map_err(|error| UnpackError::Damaged(error.to_string())),
        Ok(_) | Err(_) => Err(UnpackError::Impossible {
            stored: stored.len() as u64,
            unpacked,
        }),
    }
}

fn zstd(stored: &[u8], unpacked: u64) -> Result<Vec<u8>, UnpackError> {
    let damaged = |error: &dyn std::fmt::Display| UnpackError::Damaged(error.to_string());
    let decoder =
        ruzstd::decoding::StreamingDecoder::new(stored).map_err(|error| damaged(&error))?;
    let mut bytes = Vec::new();
    // One byte more than promised is enough to see that there is more.
    decoder
        .take(unpacked + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(&error))?;
    Ok(bytes)
}
