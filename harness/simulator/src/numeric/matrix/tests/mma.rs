//! `mma.sync` of one product, for every shape and type.

use super::super::{BitOperation, Element, Fault, Mma, Operand};
use super::{Numbers, encoded, expected, mma, put, take};

/// `(lane, index) -> (row, column)` in the words of the PTX ISA: `g` is the group and `t` the thread in it.
type Formula = fn(g: usize, t: usize, i: usize) -> (usize, usize);

#[track_caller]
fn check(mma: Mma, a: Formula, b: Formula, c: Formula) {
    assert!(mma.check(), "{mma:?}");
    let mut numbers = Numbers(u64::from(mma.k));
    let shape = (mma.m, mma.n, mma.k);
    let matrices = expected(&mut numbers, shape, (mma.a, mma.b), mma.bit_operation);
    let fill = |operand, element: Element, formula: Formula, values: &Vec<Vec<i64>>| {
        let mut fragment = vec![[0; 32]; mma.registers(operand)];
        let mut seen = vec![vec![false; values[0].len()]; values.len()];
        for lane in 0..32 {
            for index in 0..mma.elements(operand) {
                let (row, column) = formula(lane >> 2, lane % 4, index);
                put(
                    &mut fragment,
                    lane,
                    index,
                    element.bits(),
                    encoded(element, values[row][column]),
                );
                assert!(!std::mem::replace(&mut seen[row][column], true));
                let position = mma.position(operand, lane, index);
                assert_eq!(
                    position,
                    (row as u32, column as u32),
                    "{operand:?} {lane} {index}"
                );
            }
        }
        assert!(
            seen.iter().flatten().all(|&seen| seen),
            "{operand:?} has holes"
        );
        fragment
    };
    let fa = fill(Operand::A, mma.a, a, &matrices.a);
    let fb = fill(Operand::B, mma.b, b, &matrices.b);
    let fc = fill(Operand::C, mma.c, c, &matrices.c);
    let mut fd = vec![[0xdead_beef; 32]; mma.registers(Operand::D)];
    mma.multiply(&fa, &fb, &fc, &mut fd, None);
    for lane in 0..32 {
        for index in 0..mma.elements(Operand::D) {
            let (row, column) = c(lane >> 2, lane % 4, index);
            let result = take(&fd, lane, index, mma.d.bits());
            let value = matrices.d[row][column];
            assert_eq!(
                result,
                encoded(mma.d, value),
                "{mma:?} at {row}, {column}: {value}"
            );
        }
    }
    for seed in 0..20 {
        let mut wrong = fd.clone();
        mma.multiply(&fa, &fb, &fc, &mut wrong, Some(Fault { seed }));
        let different = (0..32)
            .flat_map(|lane| (0..mma.elements(Operand::D)).map(move |index| (lane, index)))
            .filter(|&(l, i)| take(&fd, l, i, mma.d.bits()) != take(&wrong, l, i, mma.d.bits()));
        assert_eq!(different.count(), 1);
    }
}

const C: Formula = |g, t, i| (if i < 2 { g } else { g + 8 }, t * 2 + (i & 1));

#[test]
fn mma_of_halves() {
    use Element::{Bf16, F16, F32};
    for (a, c, d) in [
        (F16, F32, F32),
        (F16, F16, F16),
        (F16, F32, F16),
        (F16, F16, F32),
        (Bf16, F32, F32),
    ] {
        check(
            mma((16, 8, 8), a, a, c, d),
            |g, t, i| (if i < 2 { g } else { g + 8 }, t * 2 + (i & 1)),
            |g, t, i| (t * 2 + (i & 1), g),
            C,
        );
        check(
            mma((16, 8, 16), a, a, c, d),
            |g, t, i| {
                let row = if i < 2 || (4..6).contains(&i) {
                    g
                } else {
                    g + 8
                };
                (row, t * 2 + (i & 1) + if i < 4 { 0 } else { 8 })
            },
            |g, t, i| (t * 2 + (i & 1) + if i < 2 { 0 } else { 8 }, g),
            C,
        );
    }
}

#[test]
fn mma_of_tf32_and_doubles() {
    use Element::{F32, F64, Tf32};
    check(
        mma((16, 8, 4), Tf32, Tf32, F32, F32),
        |g, t, i| (if i == 0 { g } else { g + 8 }, t),
        |g, t, _| (t, g),
        C,
    );
    check(
        mma((16, 8, 8), Tf32, Tf32, F32, F32),
        |g, t, i| {
            (
                if i == 0 || i == 2 { g } else { g + 8 },
                if i < 2 { t } else { t + 4 },
            )
        },
        |g, t, i| (if i == 0 { t } else { t + 4 }, g),
        C,
    );
    check(
        mma((8, 8, 4), F64, F64, F64, F64),
        |g, t, _| (g, t),
        |g, t, _| (t, g),
        C,
    );
    check(
        mma((16, 8, 4), F64, F64, F64, F64),
        |g, t, i| (if i == 0 { g } else { g + 8 }, t),
        |g, t, _| (t, g),
        C,
    );
    check(
        mma((16, 8, 8), F64, F64, F64, F64),
        |g, t, i| {
            (
                if i == 0 || i == 2 { g } else { g + 8 },
                if i < 2 { t } else { t + 4 },
            )
        },
        |g, t, i| (if i == 0 { t } else { t + 4 }, g),
        C,
    );
    check(
        mma((16, 8, 16), F64, F64, F64, F64),
        |g, t, i| {
            if i % 2 == 0 {
                (g, i * 2 + t)
            } else {
                (g + 8, i * 2 - 2 + t)
            }
        },
        |g, t, i| (i * 4 + t, g),
        C,
    );
}

#[test]
fn mma_of_bytes() {
    use Element::{E4m3, E5m2, F16, F32, S8, S32, U8};
    let floats = [
        (E4m3, E4m3, F32),
        (E5m2, E4m3, F32),
        (E4m3, E5m2, F32),
        (E5m2, E5m2, F16),
    ];
    let integers = [(S8, S8, S32), (U8, S8, S32), (S8, U8, S32), (U8, U8, S32)];
    for (a, b, c) in floats.into_iter().chain(integers) {
        check(
            mma((16, 8, 16), a, b, c, c),
            |g, t, i| (if i < 4 { g } else { g + 8 }, t * 4 + (i & 3)),
            |g, t, i| (t * 4 + (i & 3), g),
            C,
        );
        check(
            mma((16, 8, 32), a, b, c, c),
            |g, t, i| {
                let row = if i < 4 || (8..12).contains(&i) {
                    g
                } else {
                    g + 8
                };
                (row, t * 4 + (i & 3) + if i < 8 { 0 } else { 16 })
            },
            |g, t, i| (t * 4 + (i & 3) + if i < 4 { 0 } else { 16 }, g),
            C,
        );
    }
    for (a, b, c) in integers {
        check(
            mma((8, 8, 16), a, b, c, c),
            |g, t, i| (g, t * 4 + i),
            |g, t, i| (t * 4 + i, g),
            C,
        );
    }
}

#[test]
fn mma_of_nibbles_and_bits() {
    use Element::{B1, S4, S32, U4};
    for (a, b) in [(S4, S4), (U4, S4), (S4, U4), (U4, U4)] {
        check(
            mma((8, 8, 32), a, b, S32, S32),
            |g, t, i| (g, t * 8 + i),
            |g, t, i| (t * 8 + i, g),
            C,
        );
        check(
            mma((16, 8, 32), a, b, S32, S32),
            |g, t, i| (if i < 8 { g } else { g + 8 }, t * 8 + (i & 7)),
            |g, t, i| (t * 8 + (i & 7), g),
            C,
        );
        check(
            mma((16, 8, 64), a, b, S32, S32),
            |g, t, i| {
                let row = if i < 8 || (16..24).contains(&i) {
                    g
                } else {
                    g + 8
                };
                (row, t * 8 + (i & 7) + if i < 16 { 0 } else { 32 })
            },
            |g, t, i| (t * 8 + (i & 7) + if i < 8 { 0 } else { 32 }, g),
            C,
        );
    }
    for bit_operation in [BitOperation::Xor, BitOperation::And] {
        let bits = |shape| Mma {
            bit_operation,
            ..mma(shape, B1, B1, S32, S32)
        };
        check(
            bits((8, 8, 128)),
            |g, t, i| (g, t * 32 + i),
            |g, t, i| (t * 32 + i, g),
            C,
        );
        check(
            bits((16, 8, 128)),
            |g, t, i| (if i < 32 { g } else { g + 8 }, t * 32 + (i & 31)),
            |g, t, i| (t * 32 + i, g),
            C,
        );
        check(
            bits((16, 8, 256)),
            |g, t, i| {
                let row = if i < 32 || (64..96).contains(&i) {
                    g
                } else {
                    g + 8
                };
                (row, t * 32 + (i & 31) + if i < 64 { 0 } else { 128 })
            },
            |g, t, i| (t * 32 + (i & 31) + if i < 32 { 0 } else { 128 }, g),
            C,
        );
    }
}
