//! Philox 4x32-10 of Salmon, Moraes, Dror, and Shaw (SC 2011) in the order in which cuRAND writes its words, and what
//! cuRAND makes of the words.
//!
//! The paper gives rounds and constants. The order is that of NVIDIA's generators on the host, which need no device:
//! 65536 streams take turns of four words each, and `ci/library-stages` holds this reference against them.

/// Streams that take turns.
const STREAMS: u64 = 65536;

/// Words from the `offset`th on.
pub(super) fn words(seed: u64, offset: u64, count: usize) -> Vec<u32> {
    let mut words = Vec::with_capacity(count + 8);
    let key = halves(seed);
    let mut turn = offset / 4;
    let left_out = usize::try_from(offset % 4).unwrap_or(0);
    while words.len() < count + left_out {
        let (low, high) = (halves(turn / STREAMS), halves(turn % STREAMS));
        words.extend(block([low[0], low[1], high[0], high[1]], key));
        turn += 1;
    }
    words.drain(..left_out);
    words.truncate(count);
    words
}

/// A word as a number above zero, up to and including one: its middle in units of 2^-32, in f32. The scale is a power
/// of two, so there are two roundings whether or not the compiler contracts product and sum: one of the word, and
/// one of the sum.
pub(super) fn uniform(word: u32) -> f32 {
    const STEP: f32 = 1.0 / 4_294_967_296.0;
    #[expect(clippy::cast_precision_loss, reason = "cuRAND rounds here as well")]
    let rounded = word as f32;
    rounded * STEP + STEP / 2.0
}

/// Two normal numbers from two words, after Box and Muller, and how far from each cuRAND's own may be.
///
/// The radius comes from the first word, the angle from the second. cuRAND computes in f32, and on the device with
/// the fast sine and cosine, whose error is up to 2^-20.5 in this range by the PTX ISA. The angle has up to 2^-21 from
/// its rounding, and the radius a few units in the last place. 2^-18 of the radius, and of one, covers them twice over.
pub(super) fn normal(words: [u32; 2]) -> ([f64; 2], f64) {
    let radius = (-2.0 * f64::from(uniform(words[0])).ln()).sqrt();
    let angle = (f64::from(words[1]) + 0.5) / 4_294_967_296.0 * std::f64::consts::TAU;
    let pair = [radius * angle.sin(), radius * angle.cos()];
    (pair, (radius + 1.0) / f64::from(1 << 18))
}

/// Ten rounds on one counter.
fn block(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(0x9E37_79B9);
            key[1] = key[1].wrapping_add(0xBB67_AE85);
        }
        let [low_0, high_0] = halves(u64::from(counter[0]) * 0xD251_1F53);
        let [low_1, high_1] = halves(u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [
            high_1 ^ counter[1] ^ key[0],
            low_1,
            high_0 ^ counter[3] ^ key[1],
            low_0,
        ];
    }
    counter
}

/// The lower and the upper half.
fn halves(value: u64) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    let low = value as u32;
    let high = (value >> 32) as u32;
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seed: u64, offset: u64, expected: &[u32]) {
        assert_eq!(words(seed, offset, expected.len()), expected);
    }

    #[test]
    fn rounds_are_those_of_the_paper() {
        // The known answers that come with Random123, the authors' own code.
        assert_eq!(
            block([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            block([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            block(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn words_are_those_of_nvidias_generator() {
        // libcurand of CUDA 11.8 and 12.9 on the host.
        check(0, 0, &[0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let from_zero = [
            0x2090_b348,
            0xda7c_f0ab,
            0x4401_906f,
            0xcbca_470e,
            0xd115_a128,
            0x52fc_7c75,
        ];
        check(1234, 0, &from_zero);
        check(1234, 3, &from_zero[3..]);
        check(1234, 4096, &[0x7a66_35c0, 0x3734_acf6]);
    }

    #[test]
    fn uniform_numbers_are_above_zero() {
        assert!(uniform(0) > 0.0);
        assert!((uniform(u32::MAX) - 1.0).abs() < f32::EPSILON);
        assert!((uniform(1 << 31) - 0.5).abs() < f32::EPSILON);
    }

    #[test]
    fn a_quarter_turn_has_no_cosine() {
        // The first word gives exp(-1/2) nearly, so that the radius is one.
        let ([sine, cosine], bound) = normal([0x9B45_97E4, 0x4000_0000]);
        assert!((sine - 1.0).abs() < bound, "{sine}");
        assert!(cosine.abs() < bound, "{cosine}");
    }
}
