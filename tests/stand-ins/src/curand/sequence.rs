//! The sequences of three generators, one word after the other.
#![expect(
    clippy::cast_possible_truncation,
    reason = "generators compute with the lower halves of products and seeds"
)]

/// A sequence at some place.
pub(super) enum Sequence {
    Philox(Philox),
    Xorwow(Box<Xorwow>),
    Mrg([i64; 6]),
}

/// 65536 counters that take turns.
pub(super) struct Philox {
    key: (u32, u32),
    stream: u32,
    round: u64,
    /// What is left of the turn, the last first.
    rest: Vec<u32>,
}

/// 4096 shift registers that take turns.
pub(super) struct Xorwow {
    states: Vec<[u32; 6]>,
    turn: usize,
}

impl Sequence {
    pub(super) fn philox(seed: u64) -> Self {
        Self::Philox(Philox {
            key: (seed as u32, (seed >> 32) as u32),
            stream: 0,
            round: 0,
            rest: Vec::new(),
        })
    }

    pub(super) fn xorwow(seed: u64) -> Self {
        let s0 = seed as u32 ^ 0xaad26b49;
        let s1 = (seed >> 32) as u32 ^ 0xf7dcefdd;
        let t0 = 1099087573u32.wrapping_mul(s0);
        let t1 = 2591861531u32.wrapping_mul(s1);
        let mut state = [
            123456789u32.wrapping_add(t0),
            362436069 ^ t0,
            521288629u32.wrapping_add(t1),
            88675123 ^ t1,
            5783321u32.wrapping_add(t0),
            6615241u32.wrapping_add(t1).wrapping_add(t0),
        ];
        let columns = columns();
        let mut states = Vec::new();
        for _ in 0..4096 {
            states.push(state);
            let moved = jump(&columns, pack(&state));
            for (index, word) in state.iter_mut().take(5).enumerate() {
                *word = moved[index];
            }
        }
        Self::Xorwow(Box::new(Xorwow { states, turn: 0 }))
    }

    /// L'Ecuyer's, as one stream; a stand-in need not be the real one where no reference knows it.
    pub(super) fn mrg(seed: u64) -> Self {
        let word = i64::from(seed as u32 & 0x7fff_ffff) + 12345;
        Self::Mrg([word, word + 1, word + 2, word + 3, word + 4, word + 5])
    }

    pub(super) fn skip(&mut self, count: u64) {
        match self {
            Self::Philox(philox) => {
                let turns = count / 4;
                philox.stream = (turns % 65536) as u32;
                philox.round = turns / 65536;
                for _ in 0..count % 4 {
                    philox.next();
                }
            }
            Self::Xorwow(_) | Self::Mrg(_) => {
                for _ in 0..count {
                    self.next();
                }
            }
        }
    }

    pub(super) fn next(&mut self) -> u32 {
        match self {
            Self::Philox(philox) => philox.next(),
            Self::Xorwow(xorwow) => xorwow.next(),
            Self::Mrg(state) => {
                let [a, b, c, d, e, f] = *state;
                let first = (1_403_580 * b - 810_728 * a).rem_euclid(4_294_967_087);
                let second = (527_612 * f - 1_370_589 * d).rem_euclid(4_294_944_443);
                *state = [b, c, first, e, f, second];
                (first - second).rem_euclid(4_294_967_087) as u32
            }
        }
    }
}

impl Philox {
    fn next(&mut self) -> u32 {
        if let Some(word) = self.rest.pop() {
            return word;
        }
        let mut c = [self.round as u32, (self.round >> 32) as u32, self.stream, 0];
        let mut key = self.key;
        for _ in 0..10 {
            let left = u64::from(c[0]) * 0xD2511F53;
            let right = u64::from(c[2]) * 0xCD9E8D57;
            c = [
                (right >> 32) as u32 ^ c[1] ^ key.0,
                right as u32,
                (left >> 32) as u32 ^ c[3] ^ key.1,
                left as u32,
            ];
            key = (
                key.0.wrapping_add(0x9E3779B9),
                key.1.wrapping_add(0xBB67AE85),
            );
        }
        self.stream += 1;
        if self.stream == 65536 {
            self.stream = 0;
            self.round += 1;
        }
        self.rest = vec![c[3], c[2], c[1]];
        c[0]
    }
}

impl Xorwow {
    fn next(&mut self) -> u32 {
        let state = &mut self.states[self.turn];
        self.turn = (self.turn + 1) % 4096;
        let t = state[0] ^ (state[0] >> 2);
        state.copy_within(1..5, 0);
        let last = state[3];
        state[4] = (last ^ (last << 4)) ^ (t ^ (t << 1));
        state[5] = state[5].wrapping_add(362437);
        state[4].wrapping_add(state[5])
    }
}

fn pack(state: &[u32; 6]) -> [u32; 5] {
    [state[0], state[1], state[2], state[3], state[4]]
}

/// Where each of the 160 bits goes in 2^67 steps: the way of one step, doubled 67 times.
fn columns() -> Vec<[u32; 5]> {
    let mut columns = Vec::new();
    for word in 0..5 {
        for bit in 0..32 {
            let mut xorwow = Xorwow {
                states: vec![[0; 6]; 4096],
                turn: 0,
            };
            xorwow.states[0][word] = 1 << bit;
            xorwow.next();
            columns.push(pack(&xorwow.states[0]));
        }
    }
    for _ in 0..67 {
        columns = columns.iter().map(|it| jump(&columns, *it)).collect();
    }
    columns
}

fn jump(columns: &[[u32; 5]], from: [u32; 5]) -> [u32; 5] {
    let mut to = [0u32; 5];
    for (column, at) in columns.iter().zip(0..) {
        let set = from[at / 32] & (1 << (at % 32)) != 0;
        if set {
            (0..5).for_each(|word| to[word] ^= column[word]);
        }
    }
    to
}
