//! The address spaces that belong to one thread or to a module, and how they are addressed.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the operations under test are defined on the bits of their operands"
)]

use super::rows::{longs, program, words};
use crate::table::{Operation, Reference::Word};
use crate::{Argument, Buffer, DeviceLimits, Kernel, Launch, Program, Rerun, Step, input};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "local-memory",
        summary: "4 KiB of each thread's own memory with addresses that depend on data; a failure means that threads share what is theirs alone",
        ptx: include_str!("../../ptx/local-memory.ptx"),
        needs: &[],
        program: local_memory,
    },
    Kernel {
        name: "constant-memory",
        summary: "a full constant bank of 64 KiB that the host fills through its symbol; a failure means a wrong symbol address or a stale constant cache",
        ptx: include_str!("../../ptx/constant-memory.ptx"),
        needs: &[],
        program: constant_memory,
    },
    Kernel {
        name: "global-initialised",
        summary: "variables with initial values and pointers between them; a failure means that the loader placed or relocated them wrongly",
        ptx: include_str!("../../ptx/global-initialised.ptx"),
        needs: &[],
        program: global_initialised,
    },
    Kernel {
        name: "vector-access",
        summary: "loads and stores of 8 to 128 bits through every cache operator; a failure means lost or exchanged elements",
        ptx: include_str!("../../ptx/vector-access.ptx"),
        needs: &[],
        program: vector_access,
    },
    Kernel {
        name: "generic-addresses",
        summary: "one load that reaches global, shared, local, and constant memory; a failure means that address windows are set up wrongly",
        ptx: include_str!("../../ptx/generic-addresses.ptx"),
        needs: &[],
        program: generic_addresses,
    },
];

/// The number that a thread starts with, and the odd step with which it fills its memory.
type Own = [u32; 2];

fn local_memory(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Own> = (0..107)
        .map(|index| {
            let bits = input(seed, 100, index);
            [bits as u32, (bits >> 32) as u32 & 1023 | 1]
        })
        .collect();
    let inputs = words(rows.iter().copied().flatten());
    program("local_memory", inputs, &rows, LOCAL)
}

/// What the thread's memory holds once it is filled.
fn filled([n, step]: &Own) -> Vec<u32> {
    let mut own = vec![0; 1024];
    for index in 0..1024u32 {
        own[(index.wrapping_mul(*step) & 1023) as usize] =
            index.wrapping_mul(0x9E37_79B1).wrapping_add(*n);
    }
    own
}

fn chain(row: &Own) -> u32 {
    let own = filled(row);
    let (mut index, mut sum) = (row[0], 0u32);
    for _ in 0..100 {
        index = own[(index >> 7 & 1023) as usize];
        sum = sum.wrapping_mul(31).wrapping_add(index);
    }
    sum
}

/// One of the four words of the vector that the thread reads.
fn vector(row: &Own, part: usize) -> u32 {
    filled(row)[(row[0] & 255) as usize * 4 + part]
}

/// The same 16 bytes after a half and a byte have been stored over them.
fn patched(row: &Own) -> [u8; 16] {
    let mut bytes = [0; 16];
    for part in 0..4 {
        bytes[4 * part..4 * part + 4].copy_from_slice(&vector(row, part).to_le_bytes());
    }
    bytes[2..4].copy_from_slice(&(vector(row, 3) as u16).to_le_bytes());
    bytes[9] = vector(row, 1) as u8;
    bytes
}

fn word_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(*bytes[offset..].first_chunk().expect("inside the row"))
}

fn half_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes([bytes[offset], bytes[offset + 1]])
}

const LOCAL: &[Operation<Own>] = &[
    ("chain", Word(chain)),
    ("ld.local.v4, last", Word(|row| vector(row, 3))),
    ("ld.local.v4, third", Word(|row| vector(row, 2))),
    ("ld.local.v4, second", Word(|row| vector(row, 1))),
    ("ld.local.v4, first", Word(|row| vector(row, 0))),
    ("st.local.u16", Word(|row| word_at(&patched(row), 0))),
    ("ld.local.u64", Word(|row| word_at(&patched(row), 4))),
    (
        "st.local.u8",
        Word(|row| i32::from(half_at(&patched(row), 8) as i16) as u32),
    ),
    ("ld.local.u8", Word(|row| patched(row)[15].into())),
];

fn constant_memory(_: &DeviceLimits, seed: u64) -> Program {
    let mut bank: Vec<u8> = (0..8192)
        .flat_map(|index| input(seed, 101, index).to_le_bytes())
        .collect();
    // The last half is an odd number, so that no factor hides it.
    bank[65534] |= 1;
    let words_of_bank: Vec<u32> = bank
        .chunks_exact(4)
        .map(|bytes| word_at(bytes, 0))
        .collect();
    let word = |index: u32| words_of_bank[(index & 16383) as usize];
    let first = input(seed, 102, 0) as u32 & 0xFFFF;
    let expected = |stride: u32| {
        let rows = (0..16384u32).flat_map(|row| {
            let vector = [1, 3, 5, 7]
                .iter()
                .zip(0..)
                .fold(0u32, |sum, (factor, part)| {
                    sum.wrapping_add(word((row & 4095) * 4 + part).wrapping_mul(*factor))
                });
            let byte = i32::from(bank[row as usize] as i8) as u32;
            [
                word(row.wrapping_mul(stride).wrapping_add(first)),
                word((row / 256).wrapping_mul(stride).wrapping_add(first)),
                vector,
                (u32::from(half_at(&bank, 65534)) * 256).wrapping_add(byte),
            ]
        });
        words(rows)
    };
    let (narrow, wide) = (expected(1), expected(4097));
    let launch = |buffer, stride| {
        Step::Launch(Launch::linear(
            "constant_memory",
            16384,
            256,
            vec![
                Argument::Buffer(buffer),
                Argument::u32(stride),
                Argument::u32(first),
            ],
        ))
    };
    Program {
        buffers: vec![
            Buffer::output("stride 1", narrow, 4),
            Buffer::output("stride 4097", wide, 4),
        ],
        steps: vec![
            Step::SetGlobal {
                symbol: "bank",
                bytes: bank,
            },
            launch(0, 1),
            launch(1, 4097),
        ],
        rerun: Rerun::BitIdentical,
    }
}

fn global_initialised(_: &DeviceLimits, seed: u64) -> Program {
    let mut state = [0, 1].map(|index| input(seed, 103, index) as u32);
    let initial_state = words(state);
    let mut outputs = Vec::new();
    for _ in 0..2 {
        let mut bytes = longs([
            0x0123_4567_89AB_CDEF,
            0xFEDC_BA98_7654_3210,
            1.5f64.to_bits(),
            (-std::f64::consts::PI).to_bits(),
        ]);
        bytes.extend(words([
            // bytes, halves, words
            0x91,
            0xFFFF_FF83,
            0xD5,
            0x1234,
            0xFFFF_FEDC,
            0xDEAD_BEEF,
            2,
            0,
            0,
            // singles
            1f32.to_bits(),
            (-std::f32::consts::PI).to_bits(),
            1.5f32.to_bits(),
            // table, nothing, constants
            -3i32 as u32,
            50,
            0,
            0,
            102,
            0xFFFF_FF99,
            // through pointers: words[2], table[0][1], words[3], halves[2], constants[0]
            3,
            -2i32 as u32,
            0x8000_0000,
            7,
            101,
            // through outer: longs[1]'s upper half, words[4]
            0xFEDC_BA98,
            0,
        ]));
        bytes.extend(words(state));
        state[0] = state[0].wrapping_mul(3).wrapping_add(1);
        state[1] = state[1].wrapping_add(state[0]);
        outputs.push(bytes);
    }
    let [first, second] = outputs.try_into().expect("two launches");
    let launch = |buffer| {
        Step::Launch(Launch::linear(
            "global_initialised",
            1,
            1,
            vec![Argument::Buffer(buffer)],
        ))
    };
    Program {
        buffers: vec![
            Buffer::output("first launch", first, 4),
            Buffer::output("second launch", second, 4),
        ],
        steps: vec![
            Step::SetGlobal {
                symbol: "state",
                bytes: initial_state,
            },
            launch(0),
            launch(1),
        ],
        rerun: Rerun::BitIdentical,
    }
}

fn vector_access(_: &DeviceLimits, seed: u64) -> Program {
    let count = 331;
    let inputs: Vec<u8> = (0..count * 16)
        .flat_map(|index| input(seed, 104, index).to_le_bytes())
        .collect();
    let expected = inputs.chunks_exact(128).flat_map(rearranged).collect();
    let count = count as u32;
    Program {
        buffers: vec![
            Buffer::input("in", inputs),
            Buffer::output("out", expected, 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "vector_access",
            count,
            96,
            vec![
                Argument::Buffer(0),
                Argument::Buffer(1),
                Argument::u32(count),
            ],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

/// What the kernel makes of 128 bytes.
fn rearranged(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    // Elements of so many bytes, in this order, from this offset.
    let mut elements = |offset: usize, size: usize, order: &[usize]| {
        for element in order {
            let start = offset + element * size;
            out.extend(&row[start..start + size]);
        }
    };
    elements(0, 4, &[3, 2, 1, 0]);
    elements(16, 4, &[1, 0]);
    elements(24, 4, &[1, 0]);
    elements(32, 4, &[2, 3, 0, 1]);
    elements(48, 8, &[1, 0]);
    elements(64, 8, &[1, 0]);
    elements(80, 2, &[3, 2, 1, 0]);
    elements(88, 2, &[1, 0]);
    elements(92, 1, &[3, 2, 1, 0]);
    elements(96, 1, &[1, 0]);
    elements(98, 1, &[1, 0]);
    out.extend(words([
        i32::from(row[101] as i8) as u32,
        row[102].into(),
        i32::from(half_at(row, 104) as i16) as u32,
        half_at(row, 106).into(),
        word_at(row, 124),
    ]));
    out.extend(longs([i64::from(word_at(row, 108) as i32) as u64]));
    out
}

/// Threads of a block of `generic-addresses`; its shared array has as many words.
const BLOCK: usize = 96;

/// A thread's number, and those of its block's last thread and of the thread as far from the end as it is
/// from the beginning.
struct Block {
    n: u32,
    last: u32,
    opposite: u32,
}

fn generic_addresses(_: &DeviceLimits, seed: u64) -> Program {
    let count = 409;
    let numbers: Vec<u32> = (0..count)
        .map(|index| input(seed, 105, index) as u32)
        .collect();
    // Threads beyond the last row take part with the first one's number.
    let number = |index: usize| numbers.get(index).copied().unwrap_or(numbers[0]);
    let rows: Vec<Block> = (0..count)
        .map(|index| Block {
            n: number(index),
            last: number(index / BLOCK * BLOCK + BLOCK - 1),
            opposite: number(index / BLOCK * BLOCK + BLOCK - 1 - index % BLOCK),
        })
        .collect();
    program(
        "generic_addresses",
        words(numbers.iter().copied()),
        &rows,
        GENERIC,
    )
}

const GLOBAL_WORD: u32 = 0x600D_CAFE;
const CONSTANT_WORDS: [u32; 2] = [0x0C05_7A47, 0x1C05_7A47];

/// What a thread stores in shared memory, and in local memory.
fn in_shared(n: u32) -> u32 {
    n.wrapping_add(1)
}

fn in_local(n: u32) -> u32 {
    n ^ 0x5A5A_5A5A
}

const GENERIC: &[Operation<Block>] = &[
    ("ld.shared after st", Word(|row| in_shared(row.last))),
    ("ld.local after st", Word(|row| in_local(row.n))),
    ("ld after st.local", Word(|row| row.n)),
    ("ld of another warp's", Word(|row| in_shared(row.opposite))),
    (
        "isspacep",
        Word(|row| match row.n & 3 {
            1 => 2,
            2 => 4,
            // Threads that read constant memory below look at the global word here.
            _ => 1,
        }),
    ),
    (
        "ld from any space",
        Word(|row| match row.n & 3 {
            0 => GLOBAL_WORD,
            1 => in_shared(row.n),
            2 => in_local(row.n),
            _ => CONSTANT_WORDS[1],
        }),
    ),
    ("cvta.to.shared", Word(|row| in_shared(row.n))),
    ("cvta.to.local", Word(|row| in_local(row.n))),
    ("cvta.to.global", Word(|_| GLOBAL_WORD)),
    ("cvta.to.const", Word(|_| CONSTANT_WORDS[0])),
];
