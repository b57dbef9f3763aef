//! Atomic operations of every width, in global and in shared memory, contended and spread.

mod chain;

use half::{bf16, f16};

use self::chain::{Operation, program};
use super::words::word;
use crate::{DeviceLimits, Kernel, Program, input};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "atomics-32",
        summary: "all 32-bit integer atomics; a failure points to the atomic units of the L2 cache or of shared memory",
        ptx: include_str!("../../ptx/atomics-32.ptx"),
        needs: &[],
        program: |_, seed| integers_32("atomics_32", seed),
    },
    Kernel {
        name: "atomics-system-scope",
        summary: "32-bit atomics at system scope; a failure points to the scopes of atomics",
        ptx: include_str!("../../ptx/atomics-system-scope.ptx"),
        needs: &[],
        program: |_, seed| integers_32("atomics_system_scope", seed),
    },
    Kernel {
        name: "atomics-64",
        summary: "all 64-bit integer atomics; a failure points to the atomic units of the L2 cache or of shared memory",
        ptx: include_str!("../../ptx/atomics-64.ptx"),
        needs: &[],
        program: integers_64,
    },
    Kernel {
        name: "atomics-f32",
        summary: "atomic sums of 32-bit floats; a failure points to the floating-point atomic units",
        ptx: include_str!("../../ptx/atomics-f32.ptx"),
        needs: &[],
        program: floats_32,
    },
    Kernel {
        name: "atomics-f64",
        summary: "atomic sums of 64-bit floats; a failure points to the floating-point atomic units",
        ptx: include_str!("../../ptx/atomics-f64.ptx"),
        needs: &[],
        program: floats_64,
    },
    Kernel {
        name: "atomics-f16x2",
        summary: "atomic sums of pairs of 16-bit floats; a failure points to the floating-point atomic units",
        ptx: include_str!("../../ptx/atomics-f16x2.ptx"),
        needs: &[],
        program: floats_16,
    },
    Kernel {
        name: "atomics-bf16x2",
        summary: "atomic sums of pairs of bfloat16; a failure points to the floating-point atomic units",
        ptx: include_str!("../../ptx/atomics-bf16x2.ptx"),
        needs: &[],
        program: floats_bf16,
    },
    Kernel {
        name: "atomics-128",
        summary: "128-bit exchange and compare and exchange; a failure points to the atomic units of the L2 cache or of shared memory",
        ptx: include_str!("../../ptx/atomics-128.ptx"),
        needs: &[],
        program: integers_128,
    },
];

/// The bound of increments and decrements that keep no old value, so that their order does not matter.
const BOUND: u32 = 11;

fn increment(old: u32, bound: u32) -> u32 {
    if old >= bound { 0 } else { old + 1 }
}

fn decrement(old: u32, bound: u32) -> u32 {
    if old == 0 || old > bound {
        bound
    } else {
        old - 1
    }
}

const INTEGERS_32: &[Operation<u32>] = &[
    Operation::same("add.u32", u32::wrapping_add),
    Operation::same("add.s32", u32::wrapping_add),
    Operation::same("min.u32", |old, value| old.min(value)),
    Operation::same("min.s32", |old, value| {
        old.cast_signed().min(value.cast_signed()).cast_unsigned()
    }),
    Operation::same("max.u32", |old, value| old.max(value)),
    Operation::same("max.s32", |old, value| {
        old.cast_signed().max(value.cast_signed()).cast_unsigned()
    }),
    Operation::same("and.b32", |old, value| old & value),
    Operation::same("or.b32", |old, value| old | value),
    Operation::same("xor.b32", |old, value| old ^ value),
    Operation {
        name: "inc.u32",
        apply: |old, value| increment(old, value & 7),
        alone: Some(|old, _| increment(old, BOUND)),
        parts: &[u32::MAX],
    },
    Operation {
        name: "dec.u32",
        apply: |old, value| decrement(old, value & 7),
        alone: Some(|old, _| decrement(old, BOUND)),
        parts: &[u32::MAX],
    },
    Operation::with_old("exch.b32", |_, value| value),
    Operation::with_old("cas.b32", |old, value| {
        if old == value & 7 {
            value >> 3 & 7
        } else {
            old
        }
    }),
];

fn integers_32(entry: &'static str, seed: u64) -> Program {
    program(
        entry,
        INTEGERS_32,
        seed,
        |index| word(seed, 0, index),
        |cell, operation| {
            let word = word(seed, 1, cell * 16 + operation);
            // Increments, decrements, and compare and exchange act on words from 0 to 7.
            if [9, 10, 12].contains(&operation) {
                word & 7
            } else {
                word
            }
        },
    )
}

const INTEGERS_64: &[Operation<u64>] = &[
    Operation::same("add.u64", u64::wrapping_add),
    Operation::same("min.u64", |old, value| old.min(value)),
    Operation::same("min.s64", |old, value| {
        old.cast_signed().min(value.cast_signed()).cast_unsigned()
    }),
    Operation::same("max.u64", |old, value| old.max(value)),
    Operation::same("max.s64", |old, value| {
        old.cast_signed().max(value.cast_signed()).cast_unsigned()
    }),
    Operation::same("and.b64", |old, value| old & value),
    Operation::same("or.b64", |old, value| old | value),
    Operation::same("xor.b64", |old, value| old ^ value),
    Operation::with_old("exch.b64", |_, value| value),
    Operation::with_old("cas.b64", |old, value| {
        if old == twice(value & 7) {
            twice(value >> 3 & 7)
        } else {
            old
        }
    }),
];

/// A small word in both halves.
const fn twice(word: u64) -> u64 {
    word << 32 | word
}

fn integers_64(_: &DeviceLimits, seed: u64) -> Program {
    program(
        "atomics_64",
        INTEGERS_64,
        seed,
        |index| input(seed, 0, index),
        |cell, operation| {
            let word = input(seed, 1, cell * 16 + operation);
            if operation == 9 {
                twice(word & 7)
            } else {
                word
            }
        },
    )
}

const INTEGERS_128: &[Operation<u128>] = &[
    Operation::with_old("exch.b128", |_, value| value),
    Operation::with_old("cas.b128", |old, value| {
        if old == both(value & 7) {
            both(value >> 3 & 7)
        } else {
            old
        }
    }),
];

/// A small word in both halves.
const fn both(word: u128) -> u128 {
    word << 64 | word
}

fn integers_128(_: &DeviceLimits, seed: u64) -> Program {
    let wide = |stream, index| {
        u128::from(input(seed, stream, index)) << 64 | u128::from(input(seed, stream + 1, index))
    };
    program(
        "atomics_128",
        INTEGERS_128,
        seed,
        |index| wide(0, index),
        |cell, operation| {
            let word = wide(2, cell * 16 + operation);
            if operation == 1 { both(word & 7) } else { word }
        },
    )
}

/// A whole number from `low`, one of `count`.
fn whole(seed: u64, stream: u64, index: usize, low: i16, count: u16) -> i16 {
    let step = word(seed, stream, index) % u32::from(count);
    low + i16::try_from(step).expect("the counts are small")
}

fn floats_32(_: &DeviceLimits, seed: u64) -> Program {
    const SUM: &[Operation<u32>] = &[Operation::same("add.f32", |old, value| {
        (f32::from_bits(old) + f32::from_bits(value)).to_bits()
    })];
    // Half the values are 1.0; no sum comes near 2^24.
    program(
        "atomics_f32",
        SUM,
        seed,
        |index| f32::from(whole(seed, 0, index, -6, 14).max(1)).to_bits(),
        |cell, _| f32::from(whole(seed, 1, cell, 0, 1000)).to_bits(),
    )
}

fn floats_64(_: &DeviceLimits, seed: u64) -> Program {
    const SUM: &[Operation<u64>] = &[Operation::same("add.f64", |old, value| {
        (f64::from_bits(old) + f64::from_bits(value)).to_bits()
    })];
    // Too many bits for a 32-bit float; no sum comes near 2^53.
    let value = |stream, index| f64::from(word(seed, stream, index)) * 1024.0 + 1.0;
    program(
        "atomics_f64",
        SUM,
        seed,
        |index| value(0, index).to_bits(),
        |cell, _| value(1, cell).to_bits(),
    )
}

/// Two 16-bit halves as one word.
fn pair(low: u16, high: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

/// Applies an operation to both 16-bit halves of two words.
fn halves(old: u32, value: u32, apply: fn(u16, u16) -> u16) -> u32 {
    let [a, b, c, d] = old.to_le_bytes();
    let [e, f, g, h] = value.to_le_bytes();
    let half = |low, high| u16::from_le_bytes([low, high]);
    pair(apply(half(a, b), half(e, f)), apply(half(c, d), half(g, h)))
}

fn floats_16(_: &DeviceLimits, seed: u64) -> Program {
    const SUM: &[Operation<u32>] = &[Operation::pairs("add.noftz.f16x2", |old, value| {
        halves(old, value, |old, value| {
            f16::from_f32(f16::from_bits(old).to_f32() + f16::from_bits(value).to_f32()).to_bits()
        })
    })];
    // From -3 to 3: no sum of 283 of them comes near 2^11.
    let number = |stream, index, low, count| {
        let half = |stream| f16::from_f32(whole(seed, stream, index, low, count).into()).to_bits();
        pair(half(stream), half(stream + 1))
    };
    program(
        "atomics_f16x2",
        SUM,
        seed,
        |index| number(0, index, -3, 7),
        |cell, _| number(2, cell, 1, 100),
    )
}

fn floats_bf16(_: &DeviceLimits, seed: u64) -> Program {
    const SUM: &[Operation<u32>] = &[Operation::pairs("add.noftz.bf16x2", |old, value| {
        halves(old, value, |old, value| {
            bf16::from_f32(bf16::from_bits(old).to_f32() + bf16::from_bits(value).to_f32())
                .to_bits()
        })
    })];
    // -1, 0, and 1: about a third of 283 values each, so that no partial sum reaches 2^8.
    let number = |stream, index, low, count| {
        let half = |stream| bf16::from_f32(whole(seed, stream, index, low, count).into()).to_bits();
        pair(half(stream), half(stream + 1))
    };
    program(
        "atomics_bf16x2",
        SUM,
        seed,
        |index| number(0, index, -1, 3),
        |cell, _| number(2, cell, 1, 40),
    )
}
