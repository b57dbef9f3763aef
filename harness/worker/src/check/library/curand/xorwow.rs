//! XORWOW of Marsaglia ("Xorshift RNGs", 2003) with the seeding and the order in which cuRAND writes its words.
//!
//! Seeding and steps are those of `curand_kernel.h`. NVIDIA's guide to cuRAND gives the order: word n is word n div
//! 4096 of stream n mod 4096, and the streams are 2^67 steps apart. `ci/library-stages` holds this reference against
//! NVIDIA's generators on the host, which need no device.

/// Streams that take turns of one word.
const STREAMS: usize = 4096;

/// A stream: the five words of the shift register, and the counter that is added to its output.
#[derive(Clone, Copy)]
struct Stream {
    register: [u32; 5],
    counter: u32,
}

/// Words from the `offset`th on.
pub(super) fn words(seed: u64, offset: usize, count: usize) -> Vec<u32> {
    let mut streams = streams(seed);
    let turns = (offset + count).div_ceil(STREAMS);
    let all = (0..turns).flat_map(|_| streams.iter_mut().map(Stream::next).collect::<Vec<_>>());
    all.skip(offset).take(count).collect()
}

impl Stream {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves of the seed are meant"
    )]
    fn new(seed: u64) -> Self {
        let low = (seed as u32 ^ 0xaad2_6b49).wrapping_mul(1_099_087_573);
        let high = ((seed >> 32) as u32 ^ 0xf7dc_efdd).wrapping_mul(2_591_861_531);
        Self {
            register: [
                low.wrapping_add(123_456_789),
                low ^ 362_436_069,
                high.wrapping_add(521_288_629),
                high ^ 88_675_123,
                low.wrapping_add(5_783_321),
            ],
            counter: low.wrapping_add(high).wrapping_add(6_615_241),
        }
    }

    fn next(&mut self) -> u32 {
        self.register = step(self.register);
        self.counter = self.counter.wrapping_add(362_437);
        self.register[4].wrapping_add(self.counter)
    }
}

/// One step of the register.
fn step([oldest, b, c, d, newest]: [u32; 5]) -> [u32; 5] {
    let mixed = oldest ^ (oldest >> 2);
    let next = newest ^ (newest << 4) ^ mixed ^ (mixed << 1);
    [b, c, d, newest, next]
}

/// The streams of a seed. Steps are linear over the field of two elements, so 2^67 of them are one matrix of 160 rows,
/// found by squaring the matrix of one step 67 times. The counter has gone round often enough to be where it was.
fn streams(seed: u64) -> Vec<Stream> {
    let mut leap: Vec<[u32; 5]> = (0..160).map(|bit| step(unit(bit))).collect();
    for _ in 0..67 {
        leap = leap.iter().map(|row| apply(&leap, *row)).collect();
    }
    let mut stream = Stream::new(seed);
    let mut streams = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        streams.push(stream);
        stream.register = apply(&leap, stream.register);
    }
    streams
}

/// The register in which one bit is set.
fn unit(bit: usize) -> [u32; 5] {
    let mut register = [0; 5];
    register[bit / 32] = 1 << (bit % 32);
    register
}

/// What becomes of a register, where row `b` of the matrix is what becomes of bit `b`.
fn apply(matrix: &[[u32; 5]], register: [u32; 5]) -> [u32; 5] {
    let mut sum = [0; 5];
    for (bit, row) in matrix.iter().enumerate() {
        if register[bit / 32] >> (bit % 32) & 1 == 1 {
            for (into, word) in sum.iter_mut().zip(row) {
                *into ^= word;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_nvidias_generator() {
        // libcurand of CUDA 11.8 and 12.9 on the host.
        let expected = [
            0x253d_5e15,
            0xd1f7_605a,
            0x8ce6_f6f8,
            0x4b79_ff67,
            0xea2b_ee0d,
            0xde75_663f,
        ];
        assert_eq!(words(1234, 0, 6), expected);
        assert_eq!(words(1234, 3, 3), expected[3..]);
        assert_eq!(words(1234, 4096, 2), [0x6f55_8604, 0xed29_ae49]);
        assert_eq!(words(1234, 4099, 2), [0x4efd_7f5a, 0x8ea6_f321]);
    }

    #[test]
    fn a_matrix_does_what_a_step_does() {
        let matrix: Vec<[u32; 5]> = (0..160).map(|bit| step(unit(bit))).collect();
        let register = [1, 20, 0x8000_0001, 0xdead_beef, 5];
        assert_eq!(apply(&matrix, register), step(register));
    }
}
