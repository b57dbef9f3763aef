//! The functions of `cupti_activity.h`, read from CUDA 11.8, 12.9, and 13.5, which agree in all of these.
//!
//! CUPTI asks for buffers and gives them back filled, by two callbacks that it may call from threads of its own. They
//! do no more than that: whoever wants the records reads them afterwards.
#![expect(
    unsafe_code,
    reason = "the signatures of a foreign library, and the records that it writes"
)]

use std::sync::{Mutex, PoisonError};

use crate::library::{Handle, Status, Words, abi};

abi! {
    /// libcupti.
    Cupti;
    /// The version of its interface: 18 for 11.8, 28 for 12.9, 130500 for 13.5.
    fn version = c"cuptiGetVersion"(version: &mut u32) -> Status;
    /// `CUPTI_ERROR_INSUFFICIENT_PRIVILEGES`.
    fn error_name = c"cuptiGetResultString"(status: Status, name: &mut Words) -> Status;
    /// Who gives buffers, and who gets them back.
    fn register = c"cuptiActivityRegisterCallbacks"(request: Request, complete: Complete) -> Status;
    /// Records activities of a kind from here on.
    fn enable = c"cuptiActivityEnable"(kind: u32) -> Status;
    /// Records them no longer.
    fn disable = c"cuptiActivityDisable"(kind: u32) -> Status;
    /// Gives all buffers back.
    fn flush = c"cuptiActivityFlushAll"(flags: u32) -> Status;
    /// The record behind another one in a buffer; the first if that is null.
    fn next = c"cuptiActivityGetNextRecord"(
        buffer: Buffer,
        valid_bytes: usize,
        record: &mut Record,
    ) -> Status;
}

/// `CUpti_BuffersCallbackRequestFunc`.
type Request = extern "C" fn(&mut usize, &mut usize, &mut usize);

/// `CUpti_BuffersCallbackCompleteFunc`.
type Complete = extern "C" fn(Handle, u32, usize, usize, usize);

/// Bytes of a buffer.
const BUFFER: usize = 64 * 1024;

/// What was given back: where a buffer begins, and how many of its bytes are records.
static FILLED: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Gives CUPTI a buffer, aligned to 8 bytes as it demands. Buffers are never freed: the process ends soon, and who
/// frees one too early takes it from under a thread of CUPTI's.
pub(super) extern "C" fn request(buffer: &mut usize, bytes: &mut usize, most_records: &mut usize) {
    let memory: &'static mut [u64] = Box::leak(vec![0; BUFFER / 8].into_boxed_slice());
    *buffer = memory.as_mut_ptr().expose_provenance();
    *bytes = BUFFER;
    // As many as there is room for.
    *most_records = 0;
}

/// Takes a buffer back.
pub(super) extern "C" fn complete(_: Handle, _: u32, buffer: usize, _: usize, valid_bytes: usize) {
    let mut filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    filled.push((buffer, valid_bytes));
}

/// The buffers that have come back, with the bytes of their records.
pub(super) fn filled() -> Vec<(Buffer, usize)> {
    let filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    filled
        .iter()
        .map(|(buffer, bytes)| (Buffer(*buffer), *bytes))
        .collect()
}

/// A buffer, by its address.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Buffer(usize);

/// A record in a buffer, by its address.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Record(*const u8);

/// A launch, as far as all `CUpti_ActivityKernel` from 3 (CUDA 8) to 13 (CUDA 13.5) have it in one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Launch {
    /// Nanoseconds.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) grid: [i32; 3],
    pub(super) block: [i32; 3],
}

/// `CUPTI_ACTIVITY_KIND_KERNEL`.
const KERNEL: u32 = 3;

/// `CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL`: kernels, without holding up the others.
pub(super) const CONCURRENT_KERNEL: u32 = 10;

impl Record {
    /// None yet.
    pub(super) const NONE: Self = Self(std::ptr::null());

    /// The launch that it tells of, if it is about a kernel.
    pub(super) fn launch(self) -> Option<Launch> {
        let kind = u32::from_le_bytes(self.bytes(0)?);
        if !matches!(kind, KERNEL | CONCURRENT_KERNEL) {
            return None;
        }
        let number = |at| Some(i32::from_le_bytes(self.bytes(at)?));
        Some(Launch {
            start: u64::from_le_bytes(self.bytes(16)?),
            end: u64::from_le_bytes(self.bytes(24)?),
            grid: [number(52)?, number(56)?, number(60)?],
            block: [number(64)?, number(68)?, number(72)?],
        })
    }

    /// Bytes of a record; none of no record.
    fn bytes<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        if self.0.is_null() {
            return None;
        }
        let place = self.0.wrapping_add(at);
        // SAFETY: CUPTI said that a record lies here, in a buffer that is never freed. The kind is the first word of
        // every record, and the others are read of records of kernels only, all of which are longer.
        Some(unsafe { place.cast::<[u8; N]>().read() })
    }
}
