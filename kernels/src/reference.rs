//! Inputs as a function of index and seed, so that a report's seed reproduces a failure.

/// A bijective hash of 64 bits (the finaliser of SplitMix64), good enough that every bit of the result
/// depends on every bit of the input.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The input number `index` of the stream `stream` of a seed.
pub fn input(seed: u64, stream: u64, index: usize) -> u64 {
    mix(seed ^ mix(stream) ^ mix(index as u64).rotate_left(17))
}
