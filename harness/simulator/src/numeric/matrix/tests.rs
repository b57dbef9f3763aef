//! Fragments and products, against the index formulas of the PTX ISA and a plain triple loop.

mod mma;
mod quad_pairs;
mod rows;
mod sums;
mod wmma;

use super::{BitOperation, Element, Lanes, Mma, Order, Overflow};

/// A small deterministic source of numbers.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + ((self.0 >> 33) as i64) % (high - low + 1)
    }
}

/// The pattern of a small whole number.
fn encoded(element: Element, value: i64) -> u64 {
    let byte = |patterns: [u64; 5]| {
        patterns[value.unsigned_abs() as usize] | if value < 0 { 0x80 } else { 0 }
    };
    match element {
        Element::F16 => half::f16::from_f64(value as f64).to_bits().into(),
        Element::Bf16 => half::bf16::from_f64(value as f64).to_bits().into(),
        Element::F32 => (value as f32).to_bits().into(),
        // What lies below the ten bits does not count.
        Element::Tf32 => u64::from((value as f32).to_bits() | 0x0abc),
        Element::F64 => (value as f64).to_bits(),
        Element::E4m3 => byte([0, 0x38, 0x40, 0x44, 0x48]),
        Element::E5m2 => byte([0, 0x3c, 0x40, 0x42, 0x44]),
        Element::S8 | Element::U8 => value as u64 & 0xff,
        Element::S4 | Element::U4 => value as u64 & 0xf,
        Element::S32 => u64::from(value as u32),
        Element::B1 => value as u64 & 1,
    }
}

fn range(element: Element) -> (i64, i64) {
    match element {
        Element::F16 | Element::E4m3 | Element::E5m2 => (-4, 4),
        Element::Bf16 | Element::Tf32 | Element::F64 | Element::F32 | Element::S32 => (-100, 100),
        Element::S8 => (-128, 127),
        Element::U8 => (0, 255),
        Element::S4 => (-8, 7),
        Element::U4 => (0, 15),
        Element::B1 => (0, 1),
    }
}

/// `A * B + C` by definition.
struct Expected {
    a: Vec<Vec<i64>>,
    b: Vec<Vec<i64>>,
    c: Vec<Vec<i64>>,
    d: Vec<Vec<i64>>,
}

fn expected(
    numbers: &mut Numbers,
    (m, n, k): (u32, u32, u32),
    (a, b): (Element, Element),
    operation: BitOperation,
) -> Expected {
    let mut matrix = |rows: u32, columns: u32, (low, high): (i64, i64)| -> Vec<Vec<i64>> {
        (0..rows)
            .map(|_| (0..columns).map(|_| numbers.next(low, high)).collect())
            .collect()
    };
    let (x, y, c) = (
        matrix(m, k, range(a)),
        matrix(k, n, range(b)),
        matrix(m, n, (-50, 50)),
    );
    let times = |x: i64, y: i64| match (a, operation) {
        (Element::B1, BitOperation::Xor) => x ^ y,
        (Element::B1, BitOperation::And) => x & y,
        _ => x * y,
    };
    let d = (0..m as usize)
        .map(|i| {
            (0..n as usize)
                .map(|j| {
                    c[i][j]
                        + (0..k as usize)
                            .map(|l| times(x[i][l], y[l][j]))
                            .sum::<i64>()
                })
                .collect()
        })
        .collect();
    Expected { a: x, b: y, c, d }
}

fn put(fragment: &mut [Lanes], lane: usize, index: usize, bits: u32, value: u64) {
    let start = index * bits as usize;
    fragment[start / 32][lane] |= (value << (start % 32)) as u32;
    if bits == 64 {
        fragment[start / 32 + 1][lane] |= (value >> 32) as u32;
    }
}

fn take(fragment: &[Lanes], lane: usize, index: usize, bits: u32) -> u64 {
    let start = index * bits as usize;
    let low = u64::from(fragment[start / 32][lane]) >> (start % 32);
    match bits {
        64 => low | u64::from(fragment[start / 32 + 1][lane]) << 32,
        bits => low & ((1 << bits) - 1),
    }
}

fn mma((m, n, k): (u32, u32, u32), a: Element, b: Element, c: Element, d: Element) -> Mma {
    Mma {
        m,
        n,
        k,
        a,
        b,
        c,
        d,
        a_order: Order::Row,
        b_order: Order::Column,
        overflow: Overflow::Wrap,
        bit_operation: BitOperation::Xor,
    }
}
