//! Inputs and references as 32-bit words, which most kernels of warps and blocks work on.

use crate::input;

/// So many words of a stream of the seed.
pub(super) fn words(seed: u64, stream: u64, count: usize) -> Vec<u32> {
    (0..count).map(|index| word(seed, stream, index)).collect()
}

/// One word of a stream of the seed.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half of the input is the word"
)]
pub(super) fn word(seed: u64, stream: u64, index: usize) -> u32 {
    input(seed, stream, index) as u32
}

/// Words as the device's memory holds them.
pub(super) fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The device's memory as words; what does not fill a word is left out.
pub(super) fn from_bytes(bytes: &[u8]) -> Vec<u32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word))
        .collect()
}

/// The extra work that makes some warps late: `rounds` steps of a linear congruence. Its result is part
/// of the output, so that no compiler removes it.
pub(super) fn work(value: u32, rounds: u32) -> u32 {
    (0..rounds).fold(value, |value, _| {
        value.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
    })
}

/// The same with other constants, for a second place in a kernel.
pub(super) fn other_work(value: u32, rounds: u32) -> u32 {
    (0..rounds).fold(value, |value, _| {
        value.wrapping_mul(22_695_477).wrapping_add(12_345)
    })
}
