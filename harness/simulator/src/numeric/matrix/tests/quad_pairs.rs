//! `mma.m8n8k4` of halves: four products at once.

use super::super::{BitOperation, Element, Fault, Mma, Operand, Order};
use super::{Expected, Numbers, encoded, expected, mma, put, take};

#[test]
fn mma_of_quad_pairs() {
    use Element::{F16, F32};
    for (a_order, b_order) in [
        (Order::Row, Order::Column),
        (Order::Row, Order::Row),
        (Order::Column, Order::Row),
        (Order::Column, Order::Column),
    ] {
        for (c, d) in [(F16, F16), (F32, F32), (F16, F32), (F32, F16)] {
            quad_pairs(Mma {
                a_order,
                b_order,
                ..mma((8, 8, 4), F16, F16, c, d)
            });
        }
    }
}

#[track_caller]
fn quad_pairs(mma: Mma) {
    let mut numbers = Numbers(1);
    let products: Vec<Expected> = (0..4)
        .map(|_| expected(&mut numbers, (8, 8, 4), (mma.a, mma.b), BitOperation::Xor))
        .collect();
    let pair = |lane: usize| &products[lane % 16 / 4];
    let upper = |lane: usize| if lane < 16 { 0 } else { 4 };
    let a = |lane: usize, i: usize| match mma.a_order {
        Order::Row => (lane % 4 + upper(lane), i),
        Order::Column => (i % 4 + upper(lane), lane % 4),
    };
    let b = |lane: usize, i: usize| match mma.b_order {
        Order::Row => (lane % 4, i + upper(lane)),
        Order::Column => (i, lane % 4 + upper(lane)),
    };
    let c = |element: Element, lane: usize, i: usize| {
        if element == Element::F16 {
            return (lane % 4 + upper(lane), i);
        }
        (
            (lane & 1) + (i & 2) + upper(lane),
            (i & 4) + (lane & 2) + (i & 1),
        )
    };
    let mut fa = [[0; 32]; 2];
    let mut fb = [[0; 32]; 2];
    let mut fc = vec![[0; 32]; mma.registers(Operand::C)];
    let mut fd = vec![[0; 32]; mma.registers(Operand::D)];
    for lane in 0..32 {
        for i in 0..4 {
            let (row, column) = a(lane, i);
            put(
                &mut fa,
                lane,
                i,
                16,
                encoded(mma.a, pair(lane).a[row][column]),
            );
            let (row, column) = b(lane, i);
            put(
                &mut fb,
                lane,
                i,
                16,
                encoded(mma.b, pair(lane).b[row][column]),
            );
        }
        for i in 0..8 {
            let (row, column) = c(mma.c, lane, i);
            put(
                &mut fc,
                lane,
                i,
                mma.c.bits(),
                encoded(mma.c, pair(lane).c[row][column]),
            );
        }
    }
    mma.multiply(&fa, &fb, &fc, &mut fd, None);
    for lane in 0..32 {
        for i in 0..8 {
            let (row, column) = c(mma.d, lane, i);
            let expected = encoded(mma.d, pair(lane).d[row][column]);
            assert_eq!(
                take(&fd, lane, i, mma.d.bits()),
                expected,
                "{mma:?} {lane} {i}"
            );
        }
    }
    let mut wrong = fd.clone();
    mma.multiply(&fa, &fb, &fc, &mut wrong, Some(Fault { seed: 0x0200 }));
    let different = (0..32)
        .flat_map(|lane| (0..8).map(move |i| (lane, i)))
        .filter(|&(l, i)| take(&fd, l, i, mma.d.bits()) != take(&wrong, l, i, mma.d.bits()));
    assert_eq!(different.count(), 1);
}
