//! Comparisons, minima, and classes of single precision.

use std::num::FpCategory;

use super::single::{Row, flat, rows};
use crate::catalogue::rows::program;
use crate::table::{
    Operation,
    Reference::{Near, Single, Word},
};
use crate::{DeviceLimits, Program};

pub(super) fn fp32_compare(_: &DeviceLimits, seed: u64) -> Program {
    let mut rows = rows(seed, 50, 1501);
    // Equal operands are rare among random ones.
    for row in rows.iter_mut().skip(1100).step_by(7) {
        row[1] = row[0];
    }
    program("fp32_compare", flat(&rows), &rows, OPERATIONS)
}

fn unordered(a: f32, b: f32) -> bool {
    a.is_nan() || b.is_nan()
}

/// What `.ftz` makes of an operand.
fn flushed(value: f32) -> f32 {
    if value.is_subnormal() {
        0f32.copysign(value)
    } else {
        value
    }
}

fn mask(value: bool) -> u32 {
    if value { u32::MAX } else { 0 }
}

fn class(value: f32, classes: &[FpCategory]) -> u32 {
    u32::from(classes.contains(&value.classify()))
}

/// Of a number and a NaN, the number; of two zeros, either.
fn smaller(a: f32, b: f32) -> (f64, f64) {
    (f64::from(a.min(b)), 0.0)
}

fn larger(a: f32, b: f32) -> (f64, f64) {
    (f64::from(a.max(b)), 0.0)
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    ("setp.eq.f32", Word(|[a, b, ..]| u32::from(a == b))),
    (
        "setp.ne.f32",
        Word(|[a, b, ..]| u32::from(!unordered(*a, *b) && a != b)),
    ),
    ("setp.lt.f32", Word(|[a, b, ..]| u32::from(a < b))),
    ("setp.le.f32", Word(|[a, b, ..]| u32::from(a <= b))),
    ("setp.gt.f32", Word(|[a, b, ..]| u32::from(a > b))),
    ("setp.ge.f32", Word(|[a, b, ..]| u32::from(a >= b))),
    (
        "setp.equ.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a == b)),
    ),
    (
        "setp.neu.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a != b)),
    ),
    (
        "setp.ltu.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a < b)),
    ),
    (
        "setp.leu.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a <= b)),
    ),
    (
        "setp.gtu.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a > b)),
    ),
    (
        "setp.geu.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b) || a >= b)),
    ),
    (
        "setp.num.f32",
        Word(|[a, b, ..]| u32::from(!unordered(*a, *b))),
    ),
    (
        "setp.nan.f32",
        Word(|[a, b, ..]| u32::from(unordered(*a, *b))),
    ),
    (
        "setp.eq.ftz.f32",
        Word(|[a, b, ..]| u32::from(flushed(*a) == flushed(*b))),
    ),
    (
        "setp.lt.ftz.f32",
        Word(|[a, b, ..]| u32::from(flushed(*a) < flushed(*b))),
    ),
    (
        "setp.lt.and.f32",
        Word(|[a, b, c, _]| u32::from(a < b && a > c)),
    ),
    (
        "setp.lt.or.f32",
        Word(|[a, b, c, _]| u32::from(a < b || a > c)),
    ),
    (
        "setp.lt.xor.f32",
        Word(|[a, b, c, _]| {
            // The second result is the comparison's complement, joined with the same predicate.
            let joined = !matches!(a.partial_cmp(c), Some(std::cmp::Ordering::Greater));
            let less = a < b;
            u32::from(less != joined) + 2 * u32::from(less == joined)
        }),
    ),
    ("set.lt.u32.f32", Word(|[a, b, ..]| mask(a < b))),
    (
        "set.gtu.s32.f32",
        Word(|[a, b, ..]| mask(unordered(*a, *b) || a > b)),
    ),
    (
        "set.le.f32.f32",
        Single(|[a, b, ..]| if a <= b { 1.0 } else { 0.0 }),
    ),
    ("min.f32", Near(|[a, b, ..]| smaller(*a, *b))),
    ("max.f32", Near(|[a, b, ..]| larger(*a, *b))),
    (
        "min.ftz.f32",
        Near(|[a, b, ..]| smaller(flushed(*a), flushed(*b))),
    ),
    (
        "max.ftz.f32",
        Near(|[a, b, ..]| larger(flushed(*a), flushed(*b))),
    ),
    (
        "slct.f32.f32",
        Single(|[a, b, c, _]| if *c >= 0.0 { *a } else { *b }),
    ),
    ("testp.finite.f32", Word(|[a, ..]| u32::from(a.is_finite()))),
    (
        "testp.infinite.f32",
        Word(|[a, ..]| u32::from(a.is_infinite())),
    ),
    ("testp.number.f32", Word(|[a, ..]| u32::from(!a.is_nan()))),
    (
        "testp.notanumber.f32",
        Word(|[a, ..]| u32::from(a.is_nan())),
    ),
    // A zero counts as normal.
    (
        "testp.normal.f32",
        Word(|[a, ..]| class(*a, &[FpCategory::Normal, FpCategory::Zero])),
    ),
    (
        "testp.subnormal.f32",
        Word(|[a, ..]| class(*a, &[FpCategory::Subnormal])),
    ),
];
