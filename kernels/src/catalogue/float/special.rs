//! The approximations of the special function unit, within the errors that the PTX ISA documents for each.

#![expect(
    clippy::cast_possible_truncation,
    reason = "inputs are rounded to single precision"
)]

use crate::catalogue::rows::{program, words};
use crate::table::{Operation, Reference::Near};
use crate::{DeviceLimits, Program, input};

/// A row of inputs: an angle, an exponent of two, any number, and a divisor.
type Row = [f32; 4];

/// Operands whose results are exact.
const SPECIAL: [f32; 10] = [
    0.0,
    -0.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1.0,
    4.0,
    -1.0,
    f32::from_bits(0x0000_0400), // subnormal numbers, which `.ftz` takes for zero
    f32::from_bits(0x8040_0001),
];

pub(super) fn special_functions(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Row> = (0..1709)
        .map(|index| {
            let unit = |part: u64| {
                // 53 random bits in [-1, 1).
                let bits = input(seed, 70 + part, index) >> 11;
                bits as f64 / f64::from(1 << 26) / f64::from(1 << 26) - 1.0
            };
            let special = f64::from(SPECIAL[index % SPECIAL.len()]);
            let angle = match index % 5 {
                _ if index < SPECIAL.len() => special,
                0..3 => unit(0) * std::f64::consts::TAU,
                3 => unit(0) * 100.0 * std::f64::consts::PI,
                _ => unit(0) * unit(1).powi(9),
            };
            let power = match index % 4 {
                _ if index < SPECIAL.len() => special,
                0 => unit(2),
                // Up to overflow, and down into the subnormal numbers.
                _ => unit(2) * 140.0,
            };
            let magnitude = (1.0 + unit(3).abs()) * (unit(4) * 126.0).exp2();
            let x = match index % 8 {
                _ if index < SPECIAL.len() => special,
                0 => -magnitude,
                // Near 1, where the logarithm is small.
                1 | 2 => 1.0 + unit(3) * 0.6,
                3 => f64::from(f32::MIN_POSITIVE) * unit(5).abs(),
                _ => magnitude,
            };
            let divisor = (1.0 + unit(6).abs()) * (unit(7) * 60.0).exp2() * unit(8).signum();
            [angle as f32, power as f32, x as f32, divisor as f32].map(canonical)
        })
        .collect();
    let inputs = words(rows.iter().flatten().map(|value| value.to_bits()));
    program("special_functions", inputs, &rows, OPERATIONS)
}

pub(super) fn special_tanh(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<f32> = (0..1201)
        .map(|index| {
            let bits = input(seed, 80, index);
            // From 2^-24, where it is the identity, to 2^5, where it is 1.
            let exponent = 103 + (bits >> 32) as u32 % 30;
            let random = f32::from_bits(bits as u32 & 0x807F_FFFF | exponent << 23);
            SPECIAL
                .get(index)
                .copied()
                .filter(|value| !value.is_subnormal())
                .unwrap_or(random)
        })
        .collect();
    let inputs = words(rows.iter().map(|value| value.to_bits()));
    program("special_tanh", inputs, &rows, TANH)
}

/// One NaN for all, so that inputs do not depend on the host.
fn canonical(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value }
}

/// The distance between a result and its neighbours.
fn ulp(value: f64) -> f64 {
    let exponent = libm::ilogb(value.abs().max(f64::from(f32::MIN_POSITIVE)));
    libm::ldexp(1.0, exponent - 23)
}

/// What `.ftz` makes of an operand or a result: below the normal numbers there is only zero.
fn flush(value: f64) -> f64 {
    if value.abs() < f64::from(f32::MIN_POSITIVE) {
        0f64.copysign(value)
    } else {
        value
    }
}

/// Beyond the largest number there is only infinity.
fn held(value: f64) -> f64 {
    if value.abs() > f64::from(f32::MAX) {
        f64::INFINITY.copysign(value)
    } else {
        value
    }
}

/// So many units of the last place around the correctly rounded result, which is where NVIDIA counts from;
/// the rounding itself may take half of one more.
fn ulps(value: f64, count: f64) -> (f64, f64) {
    let rounded = f64::from(value as f32);
    (held(value), count * ulp(rounded) + (rounded - value).abs())
}

fn relative(value: f64, exponent: f64) -> (f64, f64) {
    let value = held(value);
    // A result below the normal numbers has fewer bits than the bound asks for.
    let rounding = if value.abs() < f64::from(f32::MIN_POSITIVE) {
        ulp(value)
    } else {
        0.0
    };
    (value, value.abs() * exponent.exp2() + rounding)
}

/// The error of sine and cosine grows beyond one turn.
fn circular(angle: f32, value: f64) -> (f64, f64) {
    let exponent: f64 = if f64::from(angle.abs()) <= std::f64::consts::TAU {
        -20.5
    } else {
        -14.7
    };
    (value, exponent.exp2())
}

fn lg2(x: f64) -> (f64, f64) {
    let value = libm::log2(x);
    // A relative error means nothing near the zero at 1.
    let scale = if 0.5 < x && x < 2.0 { 1.0 } else { value.abs() };
    (value, scale * (-22f64).exp2())
}

/// Some results of `.ftz` are exact where the function has a pole or a root.
fn flushed_input(row: &Row) -> f64 {
    flush(f64::from(row[2]))
}

fn x(row: &Row) -> f64 {
    f64::from(row[2])
}

fn quotient(row: &Row) -> f64 {
    x(row) / f64::from(row[3])
}

fn flushed_result((value, bound): (f64, f64)) -> (f64, f64) {
    match flush(value) {
        0.0 => (0f64.copysign(value), 0.0),
        _ => (value, bound),
    }
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    (
        "sin.approx.f32",
        Near(|[angle, ..]| circular(*angle, libm::sin(f64::from(*angle)))),
    ),
    (
        "cos.approx.f32",
        Near(|[angle, ..]| circular(*angle, libm::cos(f64::from(*angle)))),
    ),
    (
        "sin.approx.ftz.f32",
        Near(|[angle, ..]| match flush(f64::from(*angle)) {
            // The sine of a zero is that zero.
            0.0 => (0f64.copysign(f64::from(*angle)), 0.0),
            angle_in_range => circular(*angle, libm::sin(angle_in_range)),
        }),
    ),
    (
        "ex2.approx.f32",
        Near(|row| ulps(libm::exp2(f64::from(row[1])), 2.0)),
    ),
    (
        "ex2.approx.ftz.f32",
        Near(|row| flushed_result(ulps(libm::exp2(f64::from(row[1])), 2.0))),
    ),
    ("lg2.approx.f32", Near(|row| lg2(x(row)))),
    ("lg2.approx.ftz.f32", Near(|row| lg2(flushed_input(row)))),
    ("rcp.approx.f32", Near(|row| ulps(1.0 / x(row), 1.0))),
    (
        "rcp.approx.ftz.f32",
        Near(|row| flushed_result(ulps(1.0 / flushed_input(row), 1.0))),
    ),
    (
        "rsqrt.approx.f32",
        Near(|row| relative(1.0 / x(row).sqrt(), -22.9)),
    ),
    (
        "rsqrt.approx.ftz.f32",
        Near(|row| relative(1.0 / flushed_input(row).sqrt(), -22.9)),
    ),
    (
        "sqrt.approx.f32",
        Near(|row| relative(x(row).sqrt(), -23.0)),
    ),
    (
        "sqrt.approx.ftz.f32",
        Near(|row| relative(flushed_input(row).sqrt(), -23.0)),
    ),
    ("div.full.f32", Near(|row| ulps(quotient(row), 2.0))),
    ("div.approx.f32", Near(|row| ulps(quotient(row), 2.0))),
    (
        "div.full.ftz.f32",
        Near(|row| flushed_result(ulps(flushed_input(row) / f64::from(row[3]), 2.0))),
    ),
];

const TANH: &[Operation<f32>] = &[(
    "tanh.approx.f32",
    Near(|x| relative(libm::tanh(f64::from(*x)), -11.0)),
)];
