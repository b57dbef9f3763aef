//! Arithmetic of 16 bits, against the exact sum in whole numbers and against the `half` crate.

use proptest::prelude::*;

use crate::numeric::half16::{
    self, Half, abs, add, compare, each1, each2, each3, ex2, extreme, fma, mul, neg, sub, tanh,
};
use crate::numeric::{
    Accuracy, Comparison, Extreme, Mode, NanRule, Relu, Saturation, SignRule, Subnormal,
};

/// The nearest pattern to `numerator / 2^scale`, by search through all patterns' values as integers.
fn nearest(kind: Half, numerator: i128, scale: i32) -> u16 {
    let magnitude = numerator.unsigned_abs();
    let (fraction_bits, bias, infinity) = match kind {
        Half::F16 => (10, 15, 0x7c00_u16),
        Half::Bf16 => (7, 127, 0x7f80),
    };
    // The value of a pattern, times two, in units of 2^-scale; the limits of the inputs keep it small.
    let doubled = |bits: u16| {
        let field = i32::from(bits >> fraction_bits);
        let fraction = u128::from(bits & ((1 << fraction_bits) - 1));
        let (significand, field) = if field == 0 {
            (fraction, 1)
        } else {
            (fraction | 1 << fraction_bits, field)
        };
        let shift = field - bias - fraction_bits + scale + 1;
        if significand == 0 || shift < 0 {
            return 0;
        }
        if shift > 110 {
            u128::MAX / 4
        } else {
            significand << shift
        }
    };
    let (mut low, mut high) = (0_u16, infinity);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if doubled(middle) <= 2 * magnitude {
            low = middle
        } else {
            high = middle
        }
    }
    // Four times the value against the sum of the doubled neighbours.
    let sum = doubled(low) + doubled(high);
    let up = 4 * magnitude > sum || 4 * magnitude == sum && low & 1 == 1;
    let bits = if up { high } else { low };
    bits | if numerator < 0 { 0x8000 } else { 0 }
}

/// The value of an `f16` in units of 2^-24.
fn units(bits: u16) -> i128 {
    let value = half::f16::from_bits(bits).to_f64() * 2_f64.powi(24);
    value as i128
}

/// The value of a moderate `bf16` in units of 2^-30.
fn brain_units(bits: u16) -> i128 {
    (half::bf16::from_bits(bits).to_f64() * 2_f64.powi(30)) as i128
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30_000))]

    #[test]
    fn f16_is_rounded_once(a in 0_u16..0x7c00, b in 0_u16..0x7c00, c in 0_u16..0x7c00, signs in 0_u16..8) {
        let (a, b, c) = (a | signs << 15, b | (signs & 2) << 14, c | (signs & 4) << 13);
        let (x, y, z) = (units(a), units(b), units(c));
        if x + y != 0 {
            prop_assert_eq!(add(Half::F16, a, b, Mode::RN), nearest(Half::F16, x + y, 24));
        }
        if x - y != 0 {
            prop_assert_eq!(sub(Half::F16, a, b, Mode::RN), nearest(Half::F16, x - y, 24));
        }
        if x * y != 0 {
            prop_assert_eq!(mul(Half::F16, a, b, Mode::RN), nearest(Half::F16, x * y, 48));
        }
        let exact = x * y + (z << 24);
        if exact != 0 {
            prop_assert_eq!(fma(Half::F16, a, b, c, Mode::RN), nearest(Half::F16, exact, 48));
        }
    }

    #[test]
    fn bf16_is_rounded_once(a in 0x3a00_u16..0x4500, b in 0x3a00_u16..0x4500, c in 0x3a00_u16..0x4500, signs in 0_u16..8) {
        let (a, b, c) = (a | signs << 15, b | (signs & 2) << 14, c | (signs & 4) << 13);
        let (x, y, z) = (brain_units(a), brain_units(b), brain_units(c));
        if x + y != 0 {
            prop_assert_eq!(add(Half::Bf16, a, b, Mode::RN), nearest(Half::Bf16, x + y, 30));
        }
        prop_assert_eq!(mul(Half::Bf16, a, b, Mode::RN), nearest(Half::Bf16, x * y, 60));
        let exact = x * y + (z << 30);
        if exact != 0 {
            prop_assert_eq!(fma(Half::Bf16, a, b, c, Mode::RN), nearest(Half::Bf16, exact, 60));
        }
    }

    #[test]
    fn any_bf16_sum_is_that_of_the_half_crate(a in any::<u16>(), b in any::<u16>()) {
        // A sum of two bf16 in f32 and then in bf16 is rounded twice harmlessly.
        let (x, y) = (half::bf16::from_bits(a), half::bf16::from_bits(b));
        prop_assume!(!x.is_nan() && !y.is_nan());
        let expected = half::bf16::from_f32(x.to_f32() + y.to_f32());
        let result = half::bf16::from_bits(add(Half::Bf16, a, b, Mode::RN));
        prop_assert!(result == expected || result.is_nan() && expected.is_nan());
    }
}

#[test]
fn one_rounding_differs_from_two() {
    // 1 + 2^-11 is a tie; a speck on either side decides.
    let (one, tie, speck) = (0x3c00, 0x1000, 0x0001);
    assert_eq!(add(Half::F16, one, tie, Mode::RN), one);
    // 2^-11 * (1 + 2^-10) + 1 lies above the tie by 2^-21.
    assert_eq!(fma(Half::F16, tie, 0x3c01, one, Mode::RN), 0x3c01);
    // 2^-24 squared lies below every tie of 2^15, and decides it none the less.
    assert_eq!(fma(Half::F16, speck, speck, 0x7800, Mode::RN), 0x7800);
    // 7 * 37 and 7 * 39 are ties of bf16; 2^-100 on either side decides, and an f64 cannot hold both.
    let brain = |value: f32| half::bf16::from_f32(value).to_bits();
    let speck = brain(2_f32.powi(-100));
    for (other, below, above) in [(37.0, 258.0, 260.0), (39.0, 272.0, 274.0)] {
        let (a, b) = (brain(7.0), brain(other));
        assert_eq!(fma(Half::Bf16, a, b, speck, Mode::RN), brain(above));
        assert_eq!(
            fma(Half::Bf16, a, b, speck | 0x8000, Mode::RN),
            brain(below)
        );
        assert_eq!(
            fma(Half::Bf16, a | 0x8000, b, speck, Mode::RN),
            brain(-below)
        );
        assert_eq!(
            fma(Half::Bf16, a | 0x8000, b, speck | 0x8000, Mode::RN),
            brain(-above)
        );
    }
}

#[test]
fn modifiers_and_special_values() {
    #[track_caller]
    fn check(result: u16, expected: u16) {
        assert_eq!(format!("{result:#06x}"), format!("{expected:#06x}"));
    }
    let (one, two, infinity, minus) = (0x3c00, 0x4000, 0x7c00, 0x8000);
    let f16 = Half::F16;
    let unit = Mode {
        saturation: Saturation::Unit,
        ..Mode::RN
    };
    let relu = Mode {
        relu: Relu::On,
        ..Mode::RN
    };
    let flush = Mode {
        subnormal: Subnormal::Flush,
        ..Mode::RN
    };
    check(add(f16, infinity, infinity | minus, Mode::RN), half16::NAN);
    check(add(f16, 0x7bff, 0x7bff, Mode::RN), infinity);
    check(add(f16, minus, minus, Mode::RN), minus);
    check(sub(f16, one, one, Mode::RN), 0);
    check(mul(f16, minus, one, Mode::RN), minus);
    check(fma(f16, infinity, 0, one, Mode::RN), half16::NAN);
    check(add(f16, one, one, unit), one);
    check(sub(f16, one, two, unit), 0);
    check(add(f16, 0x7e01, one, unit), 0);
    check(fma(f16, one, one | minus, 0, relu), 0);
    check(fma(f16, 0x7e01, one, 0, relu), half16::NAN);
    check(add(f16, 1, 0x0400, flush), 0x0400);
    check(mul(f16, 0x0400, 0xb800, flush), minus);
    check(neg(f16, 1, Subnormal::Flush), minus);
    check(abs(Half::Bf16, 0xbf80, Subnormal::Keep), 0x3f80);
    let number = |which, a, b| {
        extreme(
            f16,
            which,
            a,
            b,
            Subnormal::Keep,
            NanRule::Number,
            SignRule::Ordinary,
        )
    };
    check(number(Extreme::Minimum, 0, minus), minus);
    check(number(Extreme::Maximum, minus, 0), 0);
    check(number(Extreme::Maximum, 0x7e00, one), one);
    check(number(Extreme::Minimum, 0x7e00, 0xfe00), half16::NAN);
    let strict = |a, b| {
        let which = Extreme::Minimum;
        extreme(
            f16,
            which,
            a,
            b,
            Subnormal::Keep,
            NanRule::Propagate,
            SignRule::Xor,
        )
    };
    check(strict(0x7e00, one), half16::NAN);
    check(strict(two | minus, one), one | minus);
    assert_eq!(compare(f16, one, two, Subnormal::Keep), Comparison::Less);
    assert_eq!(compare(f16, 0, minus, Subnormal::Keep), Comparison::Equal);
    assert_eq!(compare(f16, 1, 0, Subnormal::Flush), Comparison::Equal);
    assert_eq!(
        compare(f16, 0x7e00, one, Subnormal::Keep),
        Comparison::Unordered
    );
}

#[test]
fn pairs_keep_their_places() {
    assert_eq!(each1(0x0001_0002, |a| a + 1), 0x0002_0003);
    assert_eq!(each2(0x0001_0002, 0x0010_0020, |a, b| a + b), 0x0011_0022);
    assert_eq!(
        each3(0x0001_0002, 0x0010_0020, 0x0100_0200, |a, b, c| a + b + c),
        0x0111_0222
    );
}

#[test]
fn every_approximation_is_within_its_bound() {
    let value = |kind, bits| match kind {
        Half::F16 => half::f16::from_bits(bits).to_f64(),
        Half::Bf16 => half::bf16::from_bits(bits).to_f64(),
    };
    for (kind, relative, absolute) in [
        (Half::F16, 2_f64.powf(-9.9), 2_f64.powf(-10.987)),
        (Half::Bf16, 2_f64.powi(-7), 2_f64.powi(-8)),
    ] {
        let mut beyond = 0;
        for bits in 0..=u16::MAX {
            let x = value(kind, bits);
            if x.is_nan() {
                assert_eq!(
                    ex2(kind, bits, Subnormal::Keep, Accuracy::Documented),
                    half16::NAN
                );
                assert_eq!(tanh(kind, bits, Accuracy::Documented), half16::NAN);
                continue;
            }
            let exact = libm::exp2(x);
            let result = value(kind, ex2(kind, bits, Subnormal::Keep, Accuracy::Documented));
            // Below the normal range the step of the format counts.
            let step = if kind == Half::F16 {
                2_f64.powi(-24)
            } else {
                2_f64.powi(-133)
            };
            let largest = if kind == Half::F16 { 65504.0 } else { 3.389e38 };
            assert!(
                (result - exact).abs() <= (relative * exact).max(step)
                    || exact > largest && result.is_infinite(),
                "ex2({x}) = {result}"
            );
            let result = value(kind, tanh(kind, bits, Accuracy::Documented));
            assert!(
                (result - libm::tanh(x)).abs() <= absolute,
                "tanh({x}) = {result}"
            );
            assert!(result.abs() <= 1.0);
            let wrong = value(kind, tanh(kind, bits, Accuracy::Degraded));
            beyond += u32::from((wrong - libm::tanh(x)).abs() > absolute);
        }
        assert!(beyond > 20_000, "{beyond}");
        let one = value(kind, ex2(kind, 0, Subnormal::Keep, Accuracy::Documented));
        assert_eq!(one, 1.0);
    }
}
