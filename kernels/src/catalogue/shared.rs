//! Shared memory and the barriers of a block. In each kernel some warps come late, so that a barrier that
//! does not hold, or is not there, gives wrong words.

use super::words::{bytes, other_work, word, words, work};
use crate::{Argument, Buffer, DeviceLimits, Kernel, Launch, LaunchKind, Program, Rerun, Step};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "shared-static",
        summary: "reverses words through 4 KiB of static shared memory; a failure points to shared memory or to the block's barrier",
        ptx: include_str!("../../ptx/shared-static.ptx"),
        needs: &[],
        program: shared_static,
    },
    Kernel {
        name: "shared-dynamic",
        summary: "uses 1 KiB, the default limit, and the opt-in limit of dynamic shared memory; a failure points to the limits of the driver or of a MIG slice",
        ptx: include_str!("../../ptx/shared-dynamic.ptx"),
        needs: &[],
        program: shared_dynamic,
    },
    Kernel {
        name: "shared-conflict",
        summary: "accesses of 4, 8, and 16 bytes at strides with every degree of bank conflict; a failure points to shared memory",
        ptx: include_str!("../../ptx/shared-conflict.ptx"),
        needs: &[],
        program: shared_conflict,
    },
    Kernel {
        name: "barrier",
        summary: "passes words around the threads of a block for 64 rounds; a failure points to the block's barrier",
        ptx: include_str!("../../ptx/barrier.ptx"),
        needs: &[],
        program: barrier,
    },
    Kernel {
        name: "barrier-reduce",
        summary: "barriers that count, and, and or a predicate; a failure points to the reduction in the barrier unit",
        ptx: include_str!("../../ptx/barrier-reduce.ptx"),
        needs: &[],
        program: barrier_reduce,
    },
    Kernel {
        name: "named-barrier",
        summary: "producers and consumers meet at all 16 named barriers; a failure points to barriers with thread counts",
        ptx: include_str!("../../ptx/named-barrier.ptx"),
        needs: &[],
        program: named_barrier,
    },
];

fn shared_static(_: &DeviceLimits, seed: u64) -> Program {
    // Three full blocks of 1024 words, and one of 697.
    let count = 3 * 1024 + 697;
    let input = words(seed, 0, count as usize);
    // The word `index` of a block is stored by the thread `index % 256`, and the odd warps hash it.
    let worked = |(index, word): (u32, &u32)| work(*word, index % 256 / 32 % 2 * 12);
    let expected: Vec<u32> = input
        .chunks(1024)
        .flat_map(|block| {
            let mut block: Vec<u32> = (0..).zip(block).map(worked).collect();
            block.reverse();
            block
        })
        .collect();
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "shared_static",
            4 * 256,
            256,
            vec![
                Argument::Buffer(0),
                Argument::Buffer(1),
                Argument::u32(count),
            ],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn shared_dynamic(limits: &DeviceLimits, seed: u64) -> Program {
    let salt = word(seed, 0, 0);
    // Devices without an opt-in limit report the default one, or none.
    let opt_in = limits.shared_bytes_optin.max(limits.shared_bytes);
    let sizes = [1024, limits.shared_bytes, opt_in];
    let names = ["of-1-kib", "of-default", "of-opt-in"];
    let reference = |size: u32| -> Vec<u32> {
        let stored = |index: u32| {
            let warp = index % 256 / 32;
            index
                .wrapping_mul(0x9E37_79B1)
                .wrapping_add(work(salt, warp * 16))
        };
        (0..size / 4).rev().map(stored).collect()
    };
    Program {
        buffers: sizes
            .iter()
            .zip(names)
            .map(|(size, name)| Buffer::output(name, bytes(&reference(*size)), 4))
            .collect(),
        steps: sizes
            .iter()
            .enumerate()
            .map(|(index, size)| {
                Step::Launch(Launch {
                    dynamic_shared: *size,
                    ..Launch::linear(
                        "shared_dynamic",
                        256,
                        256,
                        vec![
                            Argument::Buffer(index),
                            Argument::u32(size / 4),
                            Argument::u32(salt),
                        ],
                    )
                })
            })
            .collect(),
        rerun: Rerun::BitIdentical,
    }
}

fn shared_conflict(_: &DeviceLimits, seed: u64) -> Program {
    // 32 blocks, one for each stride, of two warps; four words for each thread.
    let threads = 32 * 64;
    let input = words(seed, 0, threads * 4);
    let expected: Vec<u32> = (0..threads)
        .flat_map(|thread| {
            // The mirrored lane of the other warp of the block: all six bits differ.
            let partner = thread ^ 63;
            let late = if partner / 32 % 2 == 1 { 16 } else { 0 };
            let [a, b, c, d] = std::array::from_fn(|index| input[partner * 4 + index]);
            let a = work(a, late);
            [a, b, c, d, c, b, a]
        })
        .collect();
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "shared_conflict",
            32 * 64,
            64,
            vec![Argument::Buffer(0), Argument::Buffer(1)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn barrier(_: &DeviceLimits, seed: u64) -> Program {
    // The last warp of each block has 26 threads.
    let block = 250;
    let input = words(seed, 0, 2 * block);
    let odd = |thread: usize| thread / 32 % 2 == 1;
    let expected: Vec<u32> = input
        .chunks(block)
        .flat_map(|input| {
            let mut values = input.to_vec();
            for round in 0..64 {
                for (thread, value) in values.iter_mut().enumerate() {
                    *value = work(*value, if odd(thread) { 0 } else { 6 });
                }
                let ring = values.clone();
                for (thread, value) in values.iter_mut().enumerate() {
                    *value = other_work(*value, if odd(thread) { 6 } else { 0 })
                        .wrapping_mul(5)
                        .wrapping_add(ring[(thread + 37) % block])
                        .wrapping_add(round);
                }
            }
            values
        })
        .collect();
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "barrier_ring",
            500,
            250,
            vec![Argument::Buffer(0), Argument::Buffer(1)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn barrier_reduce(_: &DeviceLimits, seed: u64) -> Program {
    let (blocks, block) = (2, 160);
    let mut input = vec![0_u32; blocks * block];
    let mut expected = Vec::with_capacity(input.len() * 32);
    for (index, threads) in input.chunks_mut(block).enumerate() {
        for round in 0..32 {
            // All, none, a random half, all but one, and one alone.
            let chosen = word(seed, 1, index * 32 + round) as usize % block;
            let set: Vec<bool> = (0..block)
                .map(|thread| match round % 5 {
                    0 => true,
                    1 => false,
                    2 => word(seed, 2 + round as u64, index * block + thread) % 2 == 1,
                    3 => thread != chosen,
                    _ => thread == chosen,
                })
                .collect();
            for (word, set) in threads.iter_mut().zip(&set) {
                *word |= u32::from(*set) << round;
            }
            let count: u32 = set.iter().map(|set| u32::from(*set)).sum();
            let all = u32::from(set.iter().all(|set| *set));
            let any = u32::from(set.iter().any(|set| *set));
            let result = count | all << 16 | any << 17 | (any ^ 1) << 18;
            expected.extend(vec![result; block]);
        }
    }
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "barrier_reduce",
            320,
            160,
            vec![Argument::Buffer(0), Argument::Buffer(1)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn named_barrier(_: &DeviceLimits, seed: u64) -> Program {
    // One block of eight pairs of warps: the even warp produces, the odd one consumes.
    let input = words(seed, 0, 512);
    let mut expected = Vec::new();
    for pair in 0..8_u32 {
        let warps = &input[pair as usize * 64..][..64];
        let (mut produced, mut consumed) = (warps[..32].to_vec(), warps[32..].to_vec());
        for round in 0..8 {
            let extra = |step: u32| step % 4 * 8 + 1;
            for word in &mut produced {
                *word = work(*word, extra(pair + round));
            }
            for (lane, word) in consumed.iter_mut().enumerate() {
                *word =
                    other_work(*word, extra((pair + round) ^ 2)).wrapping_add(produced[31 - lane]);
            }
            expected.extend_from_slice(&consumed);
        }
    }
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch {
            entry: "named_barrier",
            grid: [1, 1, 1],
            block: [512, 1, 1],
            dynamic_shared: 0,
            kind: LaunchKind::Plain,
            arguments: vec![Argument::Buffer(0), Argument::Buffer(1)],
        })],
        rerun: Rerun::BitIdentical,
    }
}
