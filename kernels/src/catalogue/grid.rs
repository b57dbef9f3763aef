//! What the blocks of a grid see of each other: ordering between pairs of blocks, and a barrier of all.

use super::words::{bytes, from_bytes, words, work};
use crate::{
    Argument, Attribute, Buffer, DeviceLimits, Expected, Initial, Kernel, Launch, LaunchKind, Need,
    Program, Rerun, Step,
};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "fences",
        summary: "litmus tests of `membar.gl` between pairs of blocks; a failure points to the ordering of memory accesses",
        ptx: include_str!("../../ptx/fences.ptx"),
        needs: &[],
        program: |limits, _| fences(limits, 1),
    },
    Kernel {
        name: "fences-scoped",
        summary: "litmus tests of acquire, release, and scoped fences between pairs of blocks; a failure points to the ordering of memory accesses",
        ptx: include_str!("../../ptx/fences-scoped.ptx"),
        needs: &[],
        program: |limits, _| fences(limits, 2),
    },
    Kernel {
        name: "grid-barrier",
        summary: "a cooperative grid meets at a barrier in global memory for 7 rounds; a failure points to cooperative launches or to ordering between blocks",
        ptx: include_str!("../../ptx/grid-barrier.ptx"),
        needs: &[Need {
            attribute: Attribute::CooperativeLaunch,
            at_least: 1,
        }],
        program: grid_barrier,
    },
];

/// How often each lane repeats a litmus test, with fresh words each time.
const TRIALS: u32 = 64;
/// How often a lane looks for a flag before it gives up, over all trials.
const PATIENCE: u32 = 100_000;

/// In-and-out memory: zeros at first, then exactly these words.
fn cleared(name: &'static str, expected: &[u32]) -> Buffer {
    Buffer {
        name,
        initial: Initial::Bytes(vec![0; expected.len() * 4]),
        expected: Expected::Exact {
            bytes: bytes(expected),
            element: 4,
        },
    }
}

/// `orderings` is how many ways of ordering the messages try, each on its own part of the buffers.
fn fences(limits: &DeviceLimits, orderings: usize) -> Program {
    let pairs = (limits.multiprocessors / 2).clamp(1, 8);
    let lanes = pairs * 32;
    // Words are odd, so none is zero, which is what memory holds before.
    let even: Vec<u32> = (0..lanes * TRIALS)
        .map(|index| index.wrapping_mul(0x9E37_79B1) | 1)
        .collect();
    let messages = even.repeat(orderings);
    let odd: Vec<u32> = even.iter().map(|word| word.wrapping_add(2)).collect();
    let written = (even.clone(), odd.clone());
    let buffered = move |out: &[u8]| store_buffering(&written, &from_bytes(out));
    let launch = |entry, mut arguments: Vec<Argument>, patience: &[u32]| {
        arguments.push(Argument::u32(lanes));
        arguments.extend(patience.iter().copied().map(Argument::u32));
        Step::Launch(Launch::linear(entry, pairs * 2 * 32, 32, arguments))
    };
    let [data, flags, received, even_words, odd_words, seen] =
        std::array::from_fn(Argument::Buffer);
    Program {
        buffers: vec![
            cleared("data", &messages),
            cleared("flags", &messages),
            Buffer::output("received", bytes(&messages), 4),
            cleared("even", &even),
            cleared("odd", &odd),
            Buffer::property("seen", even.len() * 8, buffered),
        ],
        steps: vec![
            launch("message_passing", vec![data, flags, received], &[PATIENCE]),
            launch("store_buffering", vec![even_words, odd_words, seen], &[]),
        ],
        // Which of the two blocks sees the other's word is not determined.
        rerun: Rerun::OrderDependent,
    }
}

/// What the two blocks of each trial saw of each other: nothing, or the word. Both nothing is forbidden.
fn store_buffering((even, odd): &(Vec<u32>, Vec<u32>), seen: &[u32]) -> Result<(), String> {
    let trials = seen.as_chunks::<2>().0;
    let both_missed = trials.iter().filter(|seen| **seen == [0, 0]).count();
    if both_missed > 0 {
        return Err(format!(
            "in {both_missed} of {} trials neither block saw the other's word: the fence did not order a store before a load",
            trials.len()
        ));
    }
    let words = even.iter().zip(odd);
    let mut strange =
        trials
            .iter()
            .zip(words)
            .enumerate()
            .filter(|(_, ([even_saw, odd_saw], (even, odd)))| {
                ![0, **odd].contains(even_saw) || ![0, **even].contains(odd_saw)
            });
    match strange.next() {
        None => Ok(()),
        Some((trial, ([even_saw, odd_saw], (even, odd)))) => Err(format!(
            "in trial {trial} the blocks wrote {even:#x} and {odd:#x}, but saw {odd_saw:#x} and {even_saw:#x}"
        )),
    }
}

fn grid_barrier(limits: &DeviceLimits, seed: u64) -> Program {
    let (blocks, block) = (limits.multiprocessors.clamp(1, 16), 64);
    let total = (blocks * block) as usize;
    let input = words(seed, 0, total);
    let mut values = input.clone();
    let mut slots = vec![vec![0; total]; 2];
    let late = |thread: u32| thread / block % 2 * 16 + thread / 32 % 2 * 64;
    for round in 0..7_u32 {
        for (thread, value) in (0..).zip(values.iter_mut()) {
            *value = work(*value, late(thread));
        }
        let shared = &mut slots[round as usize % 2];
        shared.clone_from(&values);
        for (thread, value) in values.iter_mut().enumerate() {
            *value = value
                .wrapping_mul(5)
                .wrapping_add(shared[(thread + 75) % total])
                .wrapping_add(round);
        }
    }
    let launch = Launch::linear(
        "grid_barrier",
        blocks * block,
        block,
        (0..4).map(Argument::Buffer).collect(),
    );
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("slots", bytes(&slots.concat()), 4),
            // The counter has wrapped, and the sense has flipped seven times.
            cleared("barrier", &[0, 1]),
            Buffer::output("out", bytes(&values), 4),
        ],
        steps: vec![Step::Launch(Launch {
            kind: LaunchKind::Cooperative,
            ..launch
        })],
        rerun: Rerun::BitIdentical,
    }
}
