//! Branches, calls, and loops.

#![expect(
    clippy::cast_possible_truncation,
    reason = "inputs are taken from the low bits of a hash"
)]

use super::rows::{program, words};
use crate::table::{Operation, Reference::Word};
use crate::{DeviceLimits, Kernel, Program, input};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "control-flow",
        summary: "nested loops and branches in which the threads of a warp part and meet; a failure means lost or doubled iterations",
        ptx: include_str!("../../ptx/control-flow.ptx"),
        needs: &[],
        program: control_flow,
    },
    Kernel {
        name: "indirect-branch",
        summary: "jumps through a table of labels; a failure means that the compiler or the loader built the table wrongly",
        ptx: include_str!("../../ptx/indirect-branch.ptx"),
        needs: &[],
        program: indirect_branch,
    },
    Kernel {
        name: "indirect-call",
        summary: "calls through tables of function pointers in global and constant memory; a failure means wrong relocations",
        ptx: include_str!("../../ptx/indirect-call.ptx"),
        needs: &[],
        program: indirect_call,
    },
    Kernel {
        name: "recursion",
        summary: "functions that call themselves 16 deep, and each other; a failure means that stack frames overlap",
        ptx: include_str!("../../ptx/recursion.ptx"),
        needs: &[],
        program: recursion,
    },
];

fn control_flow(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<u32> = (0..1009)
        .map(|index| input(seed, 90, index) as u32)
        .collect();
    program("control_flow", words(rows.iter().copied()), &rows, CONTROL)
}

/// Steps of Collatz's sequence, and where it is then.
fn collatz(n: u32) -> (u32, u32) {
    let (mut value, mut steps) = (n & 0xFFF | 1, 0);
    while value != 1 && steps < 120 {
        value = if value % 2 == 1 {
            3 * value + 1
        } else {
            value / 2
        };
        steps += 1;
    }
    (steps, value)
}

fn greatest_divisor(n: u32) -> u32 {
    let (mut a, mut b) = (n >> 12 & 0x3FF, n >> 20 & 0x3FF);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The sum of the nested loops, and how far the outer one came.
fn nested_loops(n: u32) -> (u32, u32) {
    let (rounds, last, limit) = (n & 7, n >> 3 & 7, n >> 6 & 0x3FF);
    let mut sum = 0u32;
    for i in 0..rounds {
        for j in i..=last {
            if (i ^ j) & 3 == 2 {
                continue;
            }
            sum = 5 * sum + j + i;
            if sum > limit {
                return (sum, i);
            }
        }
        sum += 1;
    }
    (sum, rounds)
}

fn four_ways(n: u32) -> u32 {
    let (p, q) = (n & 0x100 != 0, n & 0x8000 != 0);
    match (p, q) {
        (true, true) => (8u32 << 4).wrapping_add(n),
        (true, false) => (3u32 << 4).wrapping_add(n),
        (false, true) => 1 ^ 0x55,
        (false, false) => 1u32.wrapping_sub(9),
    }
}

/// In the order in which the kernel stores them.
const CONTROL: &[Operation<u32>] = &[
    ("collatz, steps", Word(|n| collatz(*n).0)),
    ("collatz, value", Word(|n| collatz(*n).1)),
    ("euclid", Word(|n| greatest_divisor(*n))),
    ("nested loops, sum", Word(|n| nested_loops(*n).0)),
    ("nested loops, rounds", Word(|n| nested_loops(*n).1)),
    ("four ways", Word(|n| four_ways(*n))),
    (
        "early exit",
        Word(|n| match n & 0x30 {
            0x30 => 0x30,
            other => other.wrapping_add(*n),
        }),
    ),
];

fn indirect_branch(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<[u32; 3]> = (0..997)
        .map(|index| [0, 1, 2].map(|part| input(seed, 91 + part, index) as u32))
        .collect();
    let inputs = words(rows.iter().copied().flatten());
    program("indirect_branch", inputs, &rows, MACHINE)
}

/// What the machine's eight instructions leave in its two accumulators.
fn machine([code, a, b]: &[u32; 3]) -> (u32, u32) {
    let (mut code, mut a, mut b) = (*code, *a, *b);
    for _ in 0..8 {
        let operation = code & 7;
        code >>= 3;
        match operation {
            0 => a = a.wrapping_add(b),
            1 => b = b.wrapping_sub(a),
            2 => a = a.wrapping_mul(b).wrapping_add(3),
            3 => (a, b) = (b, a),
            4 => a = a.rotate_left(b % 32),
            5 => b = (b ^ a).wrapping_add(1),
            6 => code >>= 3,
            _ => b = !b,
        }
    }
    (a, b)
}

const MACHINE: &[Operation<[u32; 3]>] = &[
    ("first accumulator", Word(|row| machine(row).0)),
    ("second accumulator", Word(|row| machine(row).1)),
];

fn indirect_call(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<[u32; 3]> = (0..641)
        .map(|index| [0, 1, 2].map(|part| input(seed, 95 + part, index) as u32))
        .collect();
    let inputs = words(rows.iter().copied().flatten());
    program("indirect_call", inputs, &rows, CALLS)
}

fn twice_plus(x: u32, y: u32) -> u32 {
    x.wrapping_mul(2).wrapping_add(y)
}

fn difference(x: u32, y: u32) -> u32 {
    x.wrapping_sub(y)
}

fn exclusive(x: u32, y: u32) -> u32 {
    (x ^ y).wrapping_add(17)
}

fn nested(x: u32, y: u32) -> u32 {
    twice_plus(difference(x, y), x)
}

fn from_global([n, x, y]: &[u32; 3]) -> u32 {
    let table = [twice_plus, difference, exclusive, nested];
    table[(n & 3) as usize](*x, *y)
}

fn from_constant([n, x, y]: &[u32; 3]) -> u32 {
    let table = [nested, exclusive, twice_plus, difference];
    table[(n >> 2 & 3) as usize](*y, *x)
}

const CALLS: &[Operation<[u32; 3]>] = &[
    ("call through .global", Word(from_global)),
    ("call through .const", Word(from_constant)),
    (
        "call through a register",
        Word(|row| exclusive(from_constant(row), row[0])),
    ),
    (
        "call by name",
        Word(|row| nested(row[0], exclusive(from_constant(row), row[0]))),
    ),
];

fn recursion(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<[u32; 2]> = (0..301)
        .map(|index| {
            let bits = input(seed, 98, index);
            [(bits >> 32) as u32 % 17, bits as u32]
        })
        .collect();
    let inputs = words(rows.iter().copied().flatten());
    program("recursion", inputs, &rows, RECURSION)
}

fn descend(n: u32, x: u32) -> u32 {
    if n == 0 {
        x
    } else {
        descend(n - 1, x.wrapping_mul(3).wrapping_add(n)) ^ x.wrapping_add(n)
    }
}

fn even_part(n: u32, x: u32) -> u32 {
    if n == 0 {
        x
    } else {
        odd_part(n - 1, x.wrapping_add(n)).wrapping_sub(n)
    }
}

fn odd_part(n: u32, x: u32) -> u32 {
    if n == 0 {
        !x
    } else {
        even_part(n - 1, x.wrapping_mul(5).wrapping_add(n)) ^ n
    }
}

const RECURSION: &[Operation<[u32; 2]>] = &[
    ("16 deep", Word(|[_, x]| descend(16, *x))),
    ("as deep as the data say", Word(|[n, x]| descend(*n, !x))),
    (
        "two functions in turn",
        Word(|[n, x]| even_part(16 - n, x ^ n)),
    ),
];
