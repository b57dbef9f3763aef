//! Instructions in which the lanes of a warp meet: shuffles, votes, matches, reductions, elections.

#![expect(
    clippy::cast_possible_truncation,
    reason = "the numbers of threads, lanes, and rounds are small"
)]

mod shuffle;

use super::words::{bytes, from_bytes, word, words};
use crate::{Argument, Buffer, DeviceLimits, Kernel, Launch, Program, Rerun, Step};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "warp-shuffle",
        summary: "exchanges words between the lanes of a warp in all four modes; a failure points to the shuffle unit or to lost convergence",
        ptx: include_str!("../../ptx/warp-shuffle.ptx"),
        needs: &[],
        program: shuffle::program,
    },
    Kernel {
        name: "warp-vote",
        summary: "all, any, uni, and ballot among groups of lanes; a failure points to votes or to lost convergence",
        ptx: include_str!("../../ptx/warp-vote.ptx"),
        needs: &[],
        program: warp_vote,
    },
    Kernel {
        name: "warp-activemask",
        summary: "which lanes are active in each arm of a branch; a failure points to the mask of active lanes",
        ptx: include_str!("../../ptx/warp-activemask.ptx"),
        needs: &[],
        program: warp_activemask,
    },
    Kernel {
        name: "warp-match",
        summary: "finds lanes with equal words among groups of lanes; a failure points to the match instructions",
        ptx: include_str!("../../ptx/warp-match.ptx"),
        needs: &[],
        program: warp_match,
    },
    Kernel {
        name: "warp-reduce",
        summary: "reduces words over groups of lanes in one instruction; a failure points to the reduction unit",
        ptx: include_str!("../../ptx/warp-reduce.ptx"),
        needs: &[],
        program: warp_reduce,
    },
    Kernel {
        name: "elect",
        summary: "elects one lane of a group, the same each time; a failure points to the election",
        ptx: include_str!("../../ptx/elect.ptx"),
        needs: &[],
        program: elect,
    },
];

/// Two blocks of two warps each.
const THREADS: usize = 128;
const WARPS: usize = THREADS / 32;
const ROUNDS: usize = 32;

fn launch(entry: &'static str, buffers: usize) -> Step {
    let arguments = (0..buffers).map(Argument::Buffer).collect();
    Step::Launch(Launch::linear(entry, THREADS as u32, 64, arguments))
}

/// What the lanes of one group of one warp hold when they meet.
struct Group<'a> {
    /// The lanes of the group.
    mask: u32,
    /// The words of all lanes of the warp.
    words: &'a [u32],
    /// 1 for the lanes outside the round's mask, which go second.
    second: u32,
}

impl Group<'_> {
    /// The words of the group's lanes.
    fn members(&self) -> impl Iterator<Item = u32> {
        self.lanes().map(|lane| self.words[lane])
    }

    fn lanes(&self) -> impl Iterator<Item = usize> {
        let mask = self.mask;
        (0..32).filter(move |lane| mask >> lane & 1 == 1)
    }

    /// The mask of those lanes whose word satisfies the predicate.
    fn ballot(&self, predicate: impl Fn(u32) -> bool) -> u32 {
        self.lanes()
            .filter(|lane| predicate(self.words[*lane]))
            .fold(0, |mask, lane| mask | 1 << lane)
    }
}

/// A mask for each warp in each round: all lanes, one lane, half the warp, then any set of lanes.
fn masks(seed: u64) -> Vec<u32> {
    (0..ROUNDS * WARPS)
        .map(|index| match index / WARPS {
            0 => u32::MAX,
            1 => 1 << (word(seed, 99, index) % 32),
            2 => 0x0000_FFFF,
            _ => word(seed, 99, index) | 1 << (index % 32),
        })
        .collect()
}

/// What each lane must store, in the order of the output: rounds, threads, words of a thread.
fn reference<const WIDTH: usize>(
    values: &[u32],
    masks: &[u32],
    row: impl Fn(&Group<'_>, usize) -> [u32; WIDTH],
) -> Vec<u32> {
    let warps = values.chunks(32).zip(masks);
    warps
        .flat_map(|(words, mask)| (0..32).map(move |lane| (words, *mask, lane)))
        .flat_map(|(words, mask, lane)| {
            let second = mask >> lane & 1 ^ 1;
            let mask = if second == 0 { mask } else { !mask };
            let group = Group {
                mask,
                words,
                second,
            };
            row(&group, lane)
        })
        .collect()
}

fn exact<const WIDTH: usize>(
    entry: &'static str,
    seed: u64,
    values: &[u32],
    row: impl Fn(&Group<'_>, usize) -> [u32; WIDTH],
) -> Program {
    let masks = masks(seed);
    let expected = reference(values, &masks, row);
    Program {
        buffers: vec![
            Buffer::input("values", bytes(values)),
            Buffer::input("masks", bytes(&masks)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![launch(entry, 3)],
        rerun: Rerun::BitIdentical,
    }
}

fn warp_vote(_: &DeviceLimits, seed: u64) -> Program {
    // The lowest bit is the predicate: set in all lanes, in none, in some, in all but one, in one.
    let mut values = words(seed, 0, ROUNDS * THREADS);
    for (index, warp) in values.chunks_mut(32).enumerate() {
        let chosen = word(seed, 1, index) as usize % 32;
        for (lane, value) in warp.iter_mut().enumerate() {
            let bit = match index / WARPS % 5 {
                0 => 1,
                1 => 0,
                2 => *value & 1,
                3 => u32::from(lane != chosen),
                _ => u32::from(lane == chosen),
            };
            *value = *value & !1 | bit;
        }
    }
    exact("warp_vote", seed, &values, |group, _| {
        let ballot = group.ballot(|word| word & 1 == 1);
        let all = u32::from(ballot == group.mask);
        let none = u32::from(ballot == 0);
        [
            ballot,
            all | (none ^ 1) << 1 | (all | none) << 2 | none << 3 | group.second << 4,
        ]
    })
}

fn warp_match(_: &DeviceLimits, seed: u64) -> Program {
    // Three bits count: two of the low word, and one of the high word. In some rounds they are the same
    // in all lanes, in others only the low word is.
    let mut values = words(seed, 0, ROUNDS * THREADS);
    for (index, warp) in values.chunks_mut(32).enumerate() {
        let keep = match index / WARPS % 4 {
            0 => 7,
            1 => 3,
            _ => 0,
        };
        let common = warp[0] & keep;
        for value in warp {
            *value = *value & !keep | common;
        }
    }
    exact("warp_match", seed, &values, |group, lane| {
        let (narrow, wide) = (3, 7);
        let same = |bits: u32| group.ballot(|word| (word ^ group.words[lane]) & bits == 0);
        let all = |bits: u32| {
            if same(bits) == group.mask {
                group.mask
            } else {
                0
            }
        };
        [
            same(narrow),
            same(wide),
            all(narrow),
            all(wide),
            u32::from(all(narrow) != 0) | u32::from(all(wide) != 0) << 1 | group.second << 2,
        ]
    })
}

fn warp_reduce(_: &DeviceLimits, seed: u64) -> Program {
    // In half the rounds some bits are set or clear in every lane, or the reductions by bits of a large
    // group would be all ones or all zeros.
    let mut values = words(seed, 0, ROUNDS * THREADS);
    for (index, value) in values.iter_mut().enumerate() {
        match index / THREADS % 4 {
            1 => *value |= 0x70F0_0F12,
            2 => *value &= 0x8F0F_F0ED,
            _ => (),
        }
    }
    exact("warp_reduce", seed, &values, |group, _| {
        let signed = || group.members().map(u32::cast_signed);
        let none = "a lane belongs to its own group";
        let sum = group.members().fold(0, u32::wrapping_add);
        [
            sum.wrapping_add(group.second),
            group.members().min().expect(none),
            group.members().max().expect(none),
            sum,
            signed().min().expect(none).cast_unsigned(),
            signed().max().expect(none).cast_unsigned(),
            group.members().fold(u32::MAX, |all, word| all & word),
            group.members().fold(0, |all, word| all | word),
            group.members().fold(0, |all, word| all ^ word),
        ]
    })
}

fn elect(_: &DeviceLimits, seed: u64) -> Program {
    let (values, masks) = (words(seed, 0, ROUNDS * THREADS), masks(seed));
    let inputs = [
        Buffer::input("values", bytes(&values)),
        Buffer::input("masks", bytes(&masks)),
    ];
    let property = move |out: &[u8]| {
        let out = from_bytes(out);
        // Which lane leads is the device's choice: it must be the same for all lanes of the group.
        for (warp, (rows, mask)) in out.chunks(64).zip(&masks).enumerate() {
            for (second, mask) in [(0, *mask), (1, !*mask)] {
                let group = Group {
                    mask,
                    words: &values[warp * 32..][..32],
                    second,
                };
                let lanes = group
                    .lanes()
                    .map(|lane| (lane, rows[lane * 2] ^ group.words[lane], rows[lane * 2 + 1]));
                let lanes: Vec<(usize, u32, u32)> = lanes.collect();
                let Some((_, leader, _)) = lanes.first() else {
                    continue;
                };
                if *leader > 31 || mask >> leader & 1 == 0 {
                    return Err(format!(
                        "lane {leader} leads the group {mask:#010x} of warp {warp}, but is no lane of it"
                    ));
                }
                let differs = lanes.iter().find(|(lane, other, leads)| {
                    other != leader
                        || *leads != u32::from(*lane == *leader as usize) | group.second << 1
                });
                if let Some((lane, other, leads)) = differs {
                    return Err(format!(
                        "in the group {mask:#010x} of warp {warp} lane {leader} leads, but lane {lane} found {other} and its own flag {leads}"
                    ));
                }
            }
        }
        Ok(())
    };
    let [values, masks] = inputs;
    Program {
        buffers: vec![
            values,
            masks,
            Buffer::property("out", ROUNDS * THREADS * 8, property),
        ],
        steps: vec![launch("elect", 3)],
        rerun: Rerun::BitIdentical,
    }
}

fn warp_activemask(_: &DeviceLimits, seed: u64) -> Program {
    let (values, masks) = (words(seed, 0, ROUNDS * THREADS), masks(seed));
    let inputs = [
        Buffer::input("values", bytes(&values)),
        Buffer::input("masks", bytes(&masks)),
    ];
    let property = move |out: &[u8]| {
        let out = from_bytes(out);
        // A device may run the lanes of one arm in several parts: each part must be within the arm, have
        // the lane itself, and be seen alike by all its lanes.
        for (thread, (stored, value)) in out.iter().zip(&values).enumerate() {
            let (warp, lane) = (thread / 32, thread % 32);
            let mask = masks[warp];
            let second = mask >> lane & 1 ^ 1;
            let arm = if second == 0 { mask } else { !mask };
            let active = stored.wrapping_sub(second) ^ value;
            let alike = (0..32)
                .filter(|other| active >> other & 1 == 1)
                .all(|other| {
                    let stored = out[warp * 32 + other].wrapping_sub(second);
                    stored ^ values[warp * 32 + other] == active
                });
            if active & !arm != 0 || active >> lane & 1 == 0 || !alike {
                return Err(format!(
                    "in warp {warp} lane {lane} found the lanes {active:#010x} active in the arm of the lanes {arm:#010x}"
                ));
            }
        }
        Ok(())
    };
    let [values, masks] = inputs;
    Program {
        buffers: vec![
            values,
            masks,
            Buffer::property("out", ROUNDS * THREADS * 4, property),
        ],
        steps: vec![launch("warp_activemask", 3)],
        rerun: Rerun::OrderDependent,
    }
}
