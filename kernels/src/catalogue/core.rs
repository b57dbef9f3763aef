//! What every device must do: compile, launch, pass parameters, and tell a thread where it is.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "inputs are taken from the low bits of a hash"
)]

use super::rows::words;
use crate::{
    Argument, Buffer, DeviceLimits, Kernel, Launch, LaunchKind, Program, Rerun, Step, input,
};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "jit-reach",
        summary: "one store in the oldest instruction set; a failure means that the driver has no compiler for PTX, or cannot load what it compiles",
        ptx: include_str!("../../ptx/jit-reach.ptx"),
        needs: &[],
        program: jit_reach,
    },
    Kernel {
        name: "launch-canary",
        summary: "indices of three-dimensional grids and blocks with odd sizes, and of a grid wider than 65535; a failure means that nothing else can be trusted",
        ptx: include_str!("../../ptx/launch-canary.ptx"),
        needs: &[],
        program: launch_canary,
    },
    Kernel {
        name: "params",
        summary: "parameters of every width, a structure by value, and nearly 4 KiB of them; a failure means that host and device disagree on their layout",
        ptx: include_str!("../../ptx/params.ptx"),
        needs: &[],
        program: params,
    },
    Kernel {
        name: "special-registers",
        summary: "thread, block, lane, and lane mask registers in three dimensions; a failure sends threads to wrong data",
        ptx: include_str!("../../ptx/special-registers.ptx"),
        needs: &[],
        program: special_registers,
    },
    Kernel {
        name: "clock",
        summary: "the cycle counter advances and the global timer never runs backwards; a failure makes timings on the device worthless",
        ptx: include_str!("../../ptx/clock.ptx"),
        needs: &[],
        program: clock,
    },
];

fn jit_reach(_: &DeviceLimits, seed: u64) -> Program {
    let factor = input(seed, 1, 0) as u32 | 1;
    let threads = 77;
    let expected = (0..threads).map(|thread| factor.wrapping_mul(thread).wrapping_add(7));
    Program {
        buffers: vec![Buffer::output("out", words(expected), 4)],
        steps: vec![Step::Launch(Launch::linear(
            "jit_reach",
            threads,
            threads,
            vec![Argument::Buffer(0), Argument::u32(factor)],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

fn launch_canary(_: &DeviceLimits, seed: u64) -> Program {
    let low = seed as u32;
    let canary = |buffer: usize, grid: [u32; 3], block: [u32; 3]| {
        let threads: u32 = grid.iter().chain(&block).product();
        // The last threads must not write: the count is no multiple of the block.
        let count = threads - 13;
        let expected = (0..count).map(|index| index.wrapping_mul(0x9E37_79B1) ^ low);
        let launch = Step::Launch(Launch {
            entry: "launch_canary",
            grid,
            block,
            dynamic_shared: 0,
            kind: LaunchKind::Plain,
            arguments: vec![
                Argument::Buffer(buffer),
                Argument::u32(count),
                Argument::u32(low),
            ],
        });
        (words(expected), launch)
    };
    let (solid, first) = canary(0, [7, 3, 5], [11, 3, 2]);
    let (wide, second) = canary(1, [65_543, 1, 1], [3, 1, 1]);
    Program {
        buffers: vec![
            Buffer::output("out", solid, 4),
            Buffer::output("wide", wide, 4),
        ],
        steps: vec![first, second],
        rerun: Rerun::BitIdentical,
    }
}

fn params(_: &DeviceLimits, seed: u64) -> Program {
    let value = |index| input(seed, 2, index);
    let bytes = |stream: u64, count: usize| -> Vec<u8> {
        (0..count)
            .map(|index| input(seed, stream, index) as u8)
            .collect()
    };
    // The signed ones are negative, so that a missing sign extension shows, and the others have their
    // highest bit set, so that a superfluous one does.
    let (byte, signed_byte) = (value(0) as u8 | 0x80, value(1) as i8 | i8::MIN);
    let (half, signed_half) = (value(2) as u16 | 0x8000, value(3) as i16 | i16::MIN);
    let (word, signed_word, odd) = (value(4) as u32, value(5) as u32, value(6) as u8 | 0x80);
    let (long, signed_long) = (value(7), value(8));
    let (single, double) = (value(9) as u32 as f32, value(10) as f64);
    let mut structure = bytes(3, 40);
    structure[5] |= 0x80;
    structure[39] |= 0x80;
    let block = bytes(4, 3976);

    let mut expected = Vec::new();
    expected.extend(long.to_le_bytes());
    expected.extend(signed_long.to_le_bytes());
    expected.extend(double.to_le_bytes());
    expected.extend(word.to_le_bytes());
    expected.extend(signed_word.to_le_bytes());
    expected.extend(single.to_le_bytes());
    expected.extend(words([
        byte.into(),
        i32::from(signed_byte) as u32,
        half.into(),
        i32::from(signed_half) as u32,
        u32::from(odd) * 0x1_0001,
    ]));
    expected.extend(&structure);
    expected.extend(words([
        structure[5].into(),
        i32::from(i16::from_le_bytes([structure[38], structure[39]])) as u32,
        993,
        994,
    ]));
    expected.extend(&block);

    let arguments = vec![
        Argument::Buffer(0),
        Argument::Value(vec![byte]),
        Argument::Value(signed_byte.to_le_bytes().to_vec()),
        Argument::Value(half.to_le_bytes().to_vec()),
        Argument::Value(signed_half.to_le_bytes().to_vec()),
        Argument::Value(vec![odd]),
        Argument::u32(word),
        Argument::u32(signed_word),
        Argument::u64(long),
        Argument::u64(signed_long),
        Argument::f32(single),
        Argument::f64(double),
        Argument::Value(structure),
        Argument::Value(block),
    ];
    Program {
        buffers: vec![Buffer::output("out", expected, 4)],
        steps: vec![Step::Launch(Launch::linear("params", 994, 994, arguments))],
        rerun: Rerun::BitIdentical,
    }
}

fn special_registers(_: &DeviceLimits, _: u64) -> Program {
    let ([gx, gy, gz], [bx, by, bz]) = ([3u32, 5, 2], [7u32, 5, 3]);
    let mut expected = Vec::new();
    for block in 0..gx * gy * gz {
        for thread in 0..bx * by * bz {
            let lane = thread % 32;
            let below = (1u32 << lane) - 1;
            expected.extend([thread % bx, thread / bx % by, thread / bx / by]);
            expected.extend([bx, by, bz]);
            expected.extend([block % gx, block / gx % gy, block / gx / gy]);
            expected.extend([gx, gy, gz]);
            expected.extend([lane, 1 << lane]);
            // Lanes before this one, up to it, after it, and from it on.
            expected.extend([below, below | 1 << lane, !below & !(1 << lane), !below]);
            expected.extend([32, 1024]);
        }
    }
    Program {
        buffers: vec![Buffer::output("out", words(expected), 4)],
        steps: vec![Step::Launch(Launch {
            entry: "special_registers",
            grid: [gx, gy, gz],
            block: [bx, by, bz],
            dynamic_shared: 1024,
            kind: LaunchKind::Plain,
            arguments: vec![Argument::Buffer(0)],
        })],
        rerun: Rerun::BitIdentical,
    }
}

/// Rounds of the loop between two readings of the clocks.
const ROUNDS: u32 = 500;

fn clock(_: &DeviceLimits, _: u64) -> Program {
    let threads = 70;
    Program {
        buffers: vec![Buffer::property(
            "out",
            threads as usize * 56,
            clocks_are_plausible,
        )],
        steps: vec![Step::Launch(Launch::linear(
            "clock",
            threads,
            threads,
            vec![Argument::Buffer(0), Argument::u32(ROUNDS)],
        ))],
        // Two runs happen at different times.
        rerun: Rerun::OrderDependent,
    }
}

fn clocks_are_plausible(bytes: &[u8]) -> Result<(), String> {
    for (thread, row) in bytes.chunks_exact(56).enumerate() {
        let long = |offset: usize| {
            let bytes = row[offset..].first_chunk().expect("rows of 56 bytes");
            u64::from_le_bytes(*bytes)
        };
        let word = |offset: usize| {
            let bytes = row[offset..].first_chunk().expect("rows of 56 bytes");
            u32::from_le_bytes(*bytes)
        };
        let cycles = long(8).wrapping_sub(long(0));
        // Each round is a chain of two operations at least; a minute would be a reset or a hang.
        let range = u64::from(2 * ROUNDS)..1 << 37;
        if !range.contains(&cycles) {
            return Err(format!(
                "%clock64 went from {} to {} in thread {thread}, which is not {range:?} cycles",
                long(0),
                long(8)
            ));
        }
        let (before, after) = (long(16), long(24));
        if before == 0 || !(before..before + 60_000_000_000).contains(&after) {
            return Err(format!(
                "%globaltimer went from {before} to {after} in thread {thread}"
            ));
        }
        let later = word(36).wrapping_sub(long(8) as u32);
        if later > 1 << 30 {
            return Err(format!(
                "%clock is {:#x} after %clock64 was {:#x} in thread {thread}",
                word(36),
                long(8)
            ));
        }
        let work = (1..=ROUNDS).rev().fold(thread as u32, |work, round| {
            work.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) ^ round
        });
        if word(32) != work {
            return Err(format!(
                "the work of thread {thread} came to {:#x} and not {work:#x}",
                word(32)
            ));
        }
        for (name, slot, slots) in [("%smid", 40, 44), ("%warpid", 48, 52)] {
            // Both may change while a thread runs, so that only their range is certain. No device has more
            // of either, so that a value that was never stored shows.
            if word(slot) >= word(slots) || word(slots) > 1 << 16 {
                return Err(format!(
                    "{name} is {} of {} in thread {thread}",
                    word(slot),
                    word(slots)
                ));
            }
        }
    }
    Ok(())
}
