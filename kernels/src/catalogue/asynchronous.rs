//! Copies that run beside the threads, and barriers in shared memory that threads arrive at and wait for.

use super::words::{bytes, other_work, words, work};
use crate::{Argument, Buffer, DeviceLimits, Kernel, Launch, Program, Rerun, Step};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "async-copy",
        summary: "copies to shared memory behind the threads' backs, with zeros filled in; a failure points to asynchronous copies",
        ptx: include_str!("../../ptx/async-copy.ptx"),
        needs: &[],
        program: async_copy,
    },
    Kernel {
        name: "mbarrier",
        summary: "passes words around the threads of a block between barriers in shared memory; a failure points to their phases",
        ptx: include_str!("../../ptx/mbarrier.ptx"),
        needs: &[],
        program: mbarrier,
    },
];

fn async_copy(_: &DeviceLimits, seed: u64) -> Program {
    let (blocks, tiles, threads) = (3, 6, 64_usize);
    // A tile is 64 pieces each of 16, 16, 8, and 4 bytes.
    let tile_bytes = threads * 44;
    let input = bytes(&words(seed, 0, blocks * tiles * tile_bytes / 4));
    let late = |thread: u32| thread / 32 * 12;
    let mut expected = Vec::new();
    for block in input.chunks(tiles * tile_bytes) {
        // Before the first tile is read, the first one is copied; each thread then works before each copy
        // and before each read.
        let mut stamps: Vec<u32> = (0..64).map(|thread| work(thread, late(thread))).collect();
        for (number, tile) in block.chunks(tile_bytes).enumerate() {
            for (thread, stamp) in (0..).zip(&mut stamps) {
                *stamp = other_work(work(*stamp, late(thread)), late(thread));
            }
            for (thread, stamp) in stamps.iter().enumerate() {
                let copied = 63 - thread;
                let step = copied + number;
                for (start, size, kept) in [
                    (0, 16, 16),
                    (1024, 16, step % 17),
                    (2048, 8, step % 9),
                    (2560, 4, step % 5),
                ] {
                    let piece = &tile[start + copied * size..][..size];
                    expected.extend_from_slice(&piece[..kept]);
                    expected.resize(expected.len() + size - kept, 0);
                }
                expected.extend(stamp.to_le_bytes());
            }
        }
    }
    Program {
        buffers: vec![
            Buffer::input("input", input),
            Buffer::output("out", expected, 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "async_copy",
            3 * 64,
            64,
            vec![Argument::Buffer(0), Argument::Buffer(1)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn mbarrier(_: &DeviceLimits, seed: u64) -> Program {
    // The last warp of each block has 22 threads.
    let block = 118;
    let input = words(seed, 0, 2 * block);
    let odd = |thread: usize| thread / 32 % 2 == 1;
    let expected: Vec<u32> = input
        .chunks(block)
        .flat_map(|input| {
            let mut values = input.to_vec();
            for round in 0..16 {
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
            "mbarrier_ring",
            236,
            118,
            vec![Argument::Buffer(0), Argument::Buffer(1)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}
