//! The special functions: within their bounds, not better than they should be, and wrong on demand.

use crate::numeric::special::{
    cos, div_approx, div_full, ex2, lg2, rcp, rcp_f64, rsqrt, rsqrt_f64, sin, sqrt, tanh,
};
use crate::numeric::{Accuracy, Subnormal, double, single};

const DOCUMENTED: Accuracy = Accuracy::Documented;
const KEEP: Subnormal = Subnormal::Keep;
const FLUSH: Subnormal = Subnormal::Flush;

/// Operands spread over the magnitudes of a range, of both signs if asked for.
fn operands(low: f32, high: f32, signs: Signs) -> impl Iterator<Item = u32> {
    let (low, high) = (low.to_bits(), high.to_bits());
    (low..=high)
        .step_by((((high - low) / 40_000) as usize).max(1))
        .flat_map(move |bits| match signs {
            Signs::Positive => vec![bits],
            Signs::Both => vec![bits, bits | 1 << 31],
        })
}

#[derive(Clone, Copy)]
enum Signs {
    Positive,
    Both,
}

/// The spacing of `f32` at a value.
fn ulp(x: f64) -> f64 {
    let x = (x.abs() as f32).min(f32::MAX);
    f64::from(x.max(f32::MIN_POSITIVE)) - f64::from(x.max(f32::MIN_POSITIVE).next_down())
}

/// All results lie within the bound; many are not the nearest value; degraded ones lie beyond it.
#[track_caller]
fn check(
    operands: impl Iterator<Item = u32>,
    f: impl Fn(u32, Accuracy) -> u32,
    exact: impl Fn(f64) -> f64,
    bound: impl Fn(f64, f64) -> f64,
) {
    let (mut all, mut inexact, mut beyond) = (0, 0, 0);
    for bits in operands {
        let x = f64::from(f32::from_bits(bits));
        let exact = exact(x);
        let error = |accuracy| (f64::from(f32::from_bits(f(bits, accuracy))) - exact).abs();
        let result = error(DOCUMENTED);
        assert!(result <= bound(x, exact), "f({x:e}) is off by {result:e}");
        all += 1;
        inexact += u32::from(f(bits, DOCUMENTED) != (exact as f32).to_bits());
        beyond += u32::from(error(Accuracy::Degraded) > bound(x, exact));
    }
    assert!(
        inexact * 20 > all,
        "{inexact} of {all} are not the nearest value"
    );
    assert!(
        beyond * 10 > all * 9,
        "{beyond} of {all} are beyond the bound"
    );
}

#[test]
fn sines_and_cosines_are_within_their_bounds() {
    let near = 2_f64.powf(-20.9);
    let far = 2_f64.powf(-14.7);
    let whole = std::f32::consts::TAU;
    for (low, high, bound) in [(0.01, whole, near), (whole * 1.001, 50.0 * whole, far)] {
        let at = || operands(low, high, Signs::Both);
        check(
            at(),
            |x, accuracy| sin(x, KEEP, accuracy),
            f64::sin,
            |_, _| bound,
        );
        check(
            at(),
            |x, accuracy| cos(x, FLUSH, accuracy),
            f64::cos,
            |_, _| bound,
        );
    }
}

#[test]
fn powers_and_logarithms_are_within_their_bounds() {
    let bound = |_: f64, exact: f64| 2.0 * ulp(exact);
    check(
        operands(1e-3, 125.0, Signs::Both),
        |x, a| ex2(x, KEEP, a),
        f64::exp2,
        bound,
    );
    let relative = |_: f64, exact: f64| 2_f64.powf(-22.5) * exact;
    check(
        operands(1e-3, 125.0, Signs::Both),
        |x, a| ex2(x, FLUSH, a),
        f64::exp2,
        relative,
    );
    let bound =
        |x: f64, exact: f64| 2_f64.powi(-22) * if 0.5 < x && x < 2.0 { 1.0 } else { exact.abs() };
    check(
        operands(0.51, 1.99, Signs::Positive),
        |x, a| lg2(x, KEEP, a),
        f64::log2,
        bound,
    );
    check(
        operands(1e-44, f32::MAX, Signs::Positive),
        |x, a| lg2(x, KEEP, a),
        f64::log2,
        bound,
    );
}

#[test]
fn roots_and_reciprocals_are_within_their_bounds() {
    let positive = || operands(f32::MIN_POSITIVE, f32::MAX, Signs::Positive);
    let bound = |_: f64, exact: f64| 2_f64.powf(-22.9) * exact;
    check(
        positive(),
        |x, a| rsqrt(x, FLUSH, a),
        |x| 1.0 / x.sqrt(),
        bound,
    );
    let bound = |_: f64, exact: f64| 2_f64.powi(-23) * exact;
    check(positive(), |x, a| sqrt(x, FLUSH, a), f64::sqrt, bound);
    let bound = |_: f64, exact: f64| ulp(exact);
    let both = || operands(f32::MIN_POSITIVE, 8e37, Signs::Both);
    check(both(), |x, a| rcp(x, FLUSH, a), |x| 1.0 / x, bound);
    let bound = |_: f64, exact: f64| 2_f64.powi(-11) * exact.abs();
    check(operands(1e-30, 20.0, Signs::Both), tanh, f64::tanh, bound);
}

#[test]
fn quotients_are_within_their_bounds() {
    let bound = |_: f64, exact: f64| 2.0 * ulp(exact);
    for divisor in [3.0_f32, -0.7, 1.0e30, 1.1e-30] {
        let (bits, y) = (divisor.to_bits(), f64::from(divisor));
        let at = || operands(1e-6, 1e6, Signs::Both);
        check(at(), |x, a| div_full(x, bits, FLUSH, a), |x| x / y, bound);
        check(at(), |x, a| div_approx(x, bits, FLUSH, a), |x| x / y, bound);
    }
}

const INFINITY: u32 = 0x7f80_0000;
const MINUS: u32 = 0x8000_0000;
const ONE: u32 = 0x3f80_0000;

#[test]
fn special_values_are_those_of_ptx() {
    #[track_caller]
    fn check(name: &str, result: u32, expected: u32) {
        assert_eq!(
            format!("{name} {result:#010x}"),
            format!("{name} {expected:#010x}")
        );
    }
    for accuracy in [DOCUMENTED, Accuracy::Degraded] {
        for subnormal in [KEEP, FLUSH] {
            let f = |f: fn(u32, Subnormal, Accuracy) -> u32, x| f(x, subnormal, accuracy);
            for (name, function, cases) in [
                (
                    "sin",
                    sin as fn(u32, Subnormal, Accuracy) -> u32,
                    [
                        (0, 0),
                        (MINUS, MINUS),
                        (INFINITY, single::NAN),
                        (INFINITY | MINUS, single::NAN),
                    ],
                ),
                (
                    "cos",
                    cos,
                    [
                        (0, ONE),
                        (MINUS, ONE),
                        (INFINITY, single::NAN),
                        (INFINITY | MINUS, single::NAN),
                    ],
                ),
                (
                    "ex2",
                    ex2,
                    [
                        (INFINITY, INFINITY),
                        (INFINITY | MINUS, 0),
                        (0x4380_0000, INFINITY),
                        (0xc400_0000, 0),
                    ],
                ),
                (
                    "lg2",
                    lg2,
                    [
                        (0, INFINITY | MINUS),
                        (MINUS, INFINITY | MINUS),
                        (INFINITY, INFINITY),
                        (MINUS | ONE, single::NAN),
                    ],
                ),
                (
                    "rcp",
                    rcp,
                    [
                        (0, INFINITY),
                        (MINUS, MINUS | INFINITY),
                        (INFINITY, 0),
                        (MINUS | INFINITY, MINUS),
                    ],
                ),
                (
                    "rsqrt",
                    rsqrt,
                    [
                        (0, INFINITY),
                        (MINUS, MINUS | INFINITY),
                        (INFINITY, 0),
                        (MINUS | ONE, single::NAN),
                    ],
                ),
                (
                    "sqrt",
                    sqrt,
                    [
                        (0, 0),
                        (MINUS, MINUS),
                        (INFINITY, INFINITY),
                        (MINUS | ONE, single::NAN),
                    ],
                ),
            ] {
                for (x, expected) in cases {
                    check(name, f(function, x), expected);
                }
                check(name, f(function, 0xffc1_2345), single::NAN);
            }
        }
        check("tanh", tanh(0, accuracy), 0);
        check("tanh", tanh(MINUS, accuracy), MINUS);
        check("tanh", tanh(INFINITY, accuracy), ONE);
        check("tanh", tanh(MINUS | INFINITY, accuracy), MINUS | ONE);
        check("tanh", tanh(1, accuracy), 1);
        check("tanh", tanh(0x7f80_0001, accuracy), single::NAN);
        for div in [div_approx, div_full] {
            check("div", div(ONE, 0, KEEP, accuracy), INFINITY);
            check("div", div(0, 0, KEEP, accuracy), single::NAN);
            check("div", div(INFINITY, INFINITY, KEEP, accuracy), single::NAN);
            check("div", div(ONE, MINUS | INFINITY, KEEP, accuracy), MINUS);
        }
        // Divisors beyond 2^126.
        check("div", div_approx(ONE, 0x7f00_0000, KEEP, accuracy), 0);
        check(
            "div",
            div_approx(INFINITY, 0x7f00_0000, KEEP, accuracy),
            single::NAN,
        );
        assert_ne!(div_full(0x7f00_0000, 0x7f00_0000, KEEP, accuracy), 0);
    }
    check("ex2", ex2(0, KEEP, DOCUMENTED), ONE);
    check("ex2", ex2(1, FLUSH, DOCUMENTED), ONE);
    check("ex2", ex2(0x4040_0000, KEEP, DOCUMENTED), 0x4100_0000);
    check("lg2", lg2(ONE, KEEP, DOCUMENTED), 0);
    check("lg2", lg2(1, FLUSH, DOCUMENTED), INFINITY | MINUS);
    check("rcp", rcp(0x4000_0000, KEEP, DOCUMENTED), 0x3f00_0000);
    check("rcp", rcp(1, FLUSH, DOCUMENTED), INFINITY);
    check("rcp", rcp(0x7f00_0001, FLUSH, DOCUMENTED), 0);
    check(
        "rsqrt",
        rsqrt(MINUS | 1, FLUSH, DOCUMENTED),
        MINUS | INFINITY,
    );
    check("sqrt", sqrt(MINUS | 1, FLUSH, DOCUMENTED), MINUS);
    check("sin", sin(MINUS | 1, FLUSH, DOCUMENTED), MINUS);
    check("cos", cos(1, KEEP, DOCUMENTED), ONE);
}

/// Whether a result is flushed, or infinite, is no matter of the approximation.
#[test]
fn approximations_stay_in_the_class_of_the_exact_value() {
    let (smallest, largest) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
    for step in 0..2000 {
        for near in [f32::MIN_POSITIVE, f32::MAX / 3.0] {
            let dividend = f32::from_bits(near.to_bits() - 1000 + step);
            for divisor in [1.000_000_1_f32, 0.999_999_9, 1.0 / 3.0, 0.333_333_3] {
                let exact = f64::from(dividend) / f64::from(divisor);
                let result = div_full(dividend.to_bits(), divisor.to_bits(), FLUSH, DOCUMENTED);
                // The dividend itself may be flushed.
                let zero = exact < smallest || dividend < f32::MIN_POSITIVE;
                assert_eq!(result == 0, zero, "{dividend:e} / {divisor}");
                assert_eq!(
                    result == INFINITY,
                    exact > largest,
                    "{dividend:e} / {divisor}"
                );
            }
        }
    }
}

#[test]
fn doubles_are_gross_approximations() {
    for x in [1.5_f64, -3.7, 1e-300, 7.25e200, 0.1] {
        let result = rcp_f64(x.to_bits(), FLUSH, DOCUMENTED);
        assert_eq!(result as u32, 0);
        assert!((f64::from_bits(result) * x - 1.0).abs() < 2_f64.powi(-18));
        let root = f64::from_bits(rsqrt_f64(x.abs().to_bits(), KEEP, DOCUMENTED));
        assert!((root * x.abs().sqrt() - 1.0).abs() < 2_f64.powf(-22.9));
        let wrong = f64::from_bits(rsqrt_f64(x.abs().to_bits(), KEEP, Accuracy::Degraded));
        assert!((wrong * x.abs().sqrt() - 1.0).abs() > 2_f64.powf(-22.9));
    }
    let infinity = f64::INFINITY.to_bits();
    assert_eq!(rcp_f64(0, FLUSH, DOCUMENTED), infinity);
    assert_eq!(rcp_f64(1, FLUSH, DOCUMENTED), infinity);
    assert_eq!(rcp_f64(infinity | 1 << 63, FLUSH, DOCUMENTED), 1 << 63);
    assert_eq!(rsqrt_f64((-1_f64).to_bits(), KEEP, DOCUMENTED), double::NAN);
    assert_eq!(rsqrt_f64(1 << 63, FLUSH, DOCUMENTED), infinity | 1 << 63);
}
