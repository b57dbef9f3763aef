//! Addition to square root in every rounding, against whole numbers of any size.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::oracle::{Big, Candidate};
use crate::numeric::{
    Extreme, FloatClass, Mode, NanRule, Rounding, Saturation, SignRule, Subnormal, double, single,
};

const ROUNDINGS: [Rounding; 4] = [
    Rounding::NearestEven,
    Rounding::Zero,
    Rounding::Down,
    Rounding::Up,
];

/// Patterns whose exponents are near each other, near the ends, or anywhere.
fn doubles() -> impl Strategy<Value = f64> {
    let near = (0_u64..1 << 53, 1015_u64..1032).prop_map(|(low, field)| {
        f64::from_bits((low >> 52) << 63 | field << 52 | low & ((1 << 52) - 1))
    });
    let simple = (-40_i32..40, 0_u32..60).prop_map(|(n, e)| f64::from(n) * 0.5_f64.powi(e as i32));
    let ends = (any::<u64>(), prop_oneof![0_u64..60, 1980_u64..2047]).prop_map(|(low, field)| {
        f64::from_bits(low & 1 << 63 | field << 52 | low & ((1 << 52) - 1))
    });
    prop_oneof![near, simple, ends, any::<u64>().prop_map(f64::from_bits)]
        .prop_filter("finite", |value| value.is_finite())
}

fn singles() -> impl Strategy<Value = f32> {
    let near = (0_u32..1 << 24, 120_u32..135).prop_map(|(low, field)| {
        f32::from_bits((low >> 23) << 31 | field << 23 | low & ((1 << 23) - 1))
    });
    let simple = (-40_i16..40, 0_i32..30).prop_map(|(n, e)| f32::from(n) * 0.5_f32.powi(e));
    let ends = (any::<u32>(), prop_oneof![0_u32..30, 230_u32..255])
        .prop_map(|(low, field)| f32::from_bits(low & 1 << 31 | field << 23 | low & 0x7f_ffff));
    prop_oneof![near, simple, ends, any::<u32>().prop_map(f32::from_bits)]
        .prop_filter("finite", |value| value.is_finite())
}

/// Compares candidates with an exact value at twice the scale.
fn with(exact: Big) -> impl Fn(&Big, u32) -> Ordering {
    let doubled = exact.plus(&exact);
    move |x, times| x.wide().compare(if times == 1 { &exact } else { &doubled })
}

/// Compares candidates with a quotient.
fn with_quotient(a: Big, b: Big) -> impl Fn(&Big, u32) -> Ordering {
    let positive = b.compare(&Big::of(0.0)) == Ordering::Greater;
    move |x, times| {
        let a = if times == 1 { a.clone() } else { a.plus(&a) };
        let order = x.times(&b).compare(&a.wide());
        if positive { order } else { order.reverse() }
    }
}

/// Compares candidates, which are not negative, with a square root.
fn with_root(a: Big) -> impl Fn(&Big, u32) -> Ordering {
    move |x, times| {
        let a = if times == 1 { a.clone() } else { a.shifted(2) };
        x.times(x).compare(&a.wide())
    }
}

#[track_caller]
fn check_double(result: u64, rounding: Rounding, against: &dyn Fn(&Big, u32) -> Ordering) {
    let value = f64::from_bits(result);
    assert!(
        Candidate::double(value).is_right(rounding, against),
        "{rounding:?} gave {value:e}"
    );
}

#[track_caller]
fn check_single(result: u32, rounding: Rounding, against: &dyn Fn(&Big, u32) -> Ordering) {
    let value = f32::from_bits(result);
    assert!(
        Candidate::single(value).is_right(rounding, against),
        "{rounding:?} gave {value:e}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn doubles_are_rounded_correctly(a in doubles(), b in doubles(), c in doubles()) {
        let (x, y, z) = (Big::of(a), Big::of(b), Big::of(c));
        let (a, b, c) = (a.to_bits(), b.to_bits(), c.to_bits());
        for rounding in ROUNDINGS {
            check_double(double::add(a, b, rounding), rounding, &with(x.plus(&y).wide()));
            let minus = Big::of(f64::from_bits(double::neg(b)));
            check_double(double::sub(a, b, rounding), rounding, &with(x.plus(&minus).wide()));
            check_double(double::mul(a, b, rounding), rounding, &with(x.times(&y)));
            let exact = x.times(&y).plus(&z.wide());
            check_double(double::fma(a, b, c, rounding), rounding, &with(exact));
            if !y.is_zero() {
                let against = with_quotient(x.clone(), y.clone());
                check_double(double::div(a, b, rounding), rounding, &against);
                let against = with_quotient(Big::of(1.0), y.clone());
                check_double(double::rcp(b, rounding), rounding, &against);
            }
            let root = double::sqrt(double::abs(a), rounding);
            let magnitude = Big::of(f64::from_bits(a).abs());
            if !magnitude.is_zero() {
                check_double(root, rounding, &with_root(magnitude));
            }
        }
    }

    #[test]
    fn singles_are_rounded_correctly(a in singles(), b in singles(), c in singles()) {
        let (x, y, z) = (Big::of_single(a), Big::of_single(b), Big::of_single(c));
        let (a, b, c) = (a.to_bits(), b.to_bits(), c.to_bits());
        for rounding in ROUNDINGS {
            let mode = Mode::rounded(rounding);
            check_single(single::add(a, b, mode), rounding, &with(x.plus(&y).wide()));
            check_single(single::mul(a, b, mode), rounding, &with(x.times(&y)));
            let exact = x.times(&y).plus(&z.wide());
            check_single(single::fma(a, b, c, mode), rounding, &with(exact));
            if !y.is_zero() {
                let against = with_quotient(x.clone(), y.clone());
                check_single(single::div(a, b, mode), rounding, &against);
            }
            let magnitude = Big::of_single(f32::from_bits(a).abs());
            if !magnitude.is_zero() {
                let root = single::sqrt(single::abs(a, Subnormal::Keep), mode);
                check_single(root, rounding, &with_root(magnitude));
            }
        }
    }

    #[test]
    fn a_near_cancellation_is_rounded_correctly(a in doubles(), b in doubles(), step in -3_i64..4) {
        let product = a * b;
        prop_assume!(product.is_finite() && product != 0.0);
        let c = f64::from_bits((-product).to_bits().wrapping_add_signed(step));
        prop_assume!(c.is_finite());
        let exact = Big::of(a).times(&Big::of(b)).plus(&Big::of(c).wide());
        prop_assume!(!exact.is_zero());
        for rounding in ROUNDINGS {
            let result = double::fma(a.to_bits(), b.to_bits(), c.to_bits(), rounding);
            check_double(result, rounding, &with(exact.clone()));
        }
    }
}

#[test]
fn the_oracle_refuses_a_neighbour() {
    let (a, b) = (Big::of(1.0), Big::of(3.0));
    for rounding in ROUNDINGS {
        let right = f64::from_bits(double::div(1_f64.to_bits(), 3_f64.to_bits(), rounding));
        let against = with_quotient(a.clone(), b.clone());
        assert!(Candidate::double(right).is_right(rounding, &against));
        assert!(!Candidate::double(right.next_up()).is_right(rounding, &against));
        assert!(!Candidate::double(right.next_down()).is_right(rounding, &against));
    }
}

#[track_caller]
fn check(result: u32, expected: u32) {
    assert_eq!(format!("{result:#010x}"), format!("{expected:#010x}"));
}

const INFINITY: u32 = 0x7f80_0000;
const MINUS: u32 = 0x8000_0000;
const ONE: u32 = 0x3f80_0000;
const FLUSH: Mode = Mode {
    subnormal: Subnormal::Flush,
    ..Mode::RN
};
const SATURATE: Mode = Mode {
    saturation: Saturation::Unit,
    ..Mode::RN
};

#[test]
fn zeros_infinities_and_nans_of_singles() {
    let down = Mode::rounded(Rounding::Down);
    let up = Mode::rounded(Rounding::Up);
    for mode in ROUNDINGS.map(Mode::rounded) {
        check(single::add(INFINITY, MINUS | INFINITY, mode), single::NAN);
        check(single::add(INFINITY, ONE, mode), INFINITY);
        check(single::mul(INFINITY, 0, mode), single::NAN);
        check(single::mul(MINUS | INFINITY, ONE, mode), MINUS | INFINITY);
        check(single::mul(MINUS, ONE, mode), MINUS);
        check(single::fma(INFINITY, 0, ONE, mode), single::NAN);
        check(
            single::fma(INFINITY, ONE, MINUS | INFINITY, mode),
            single::NAN,
        );
        check(single::div(ONE, 0, mode), INFINITY);
        check(single::div(MINUS | ONE, 0, mode), MINUS | INFINITY);
        check(single::div(0, 0, mode), single::NAN);
        check(single::div(INFINITY, INFINITY, mode), single::NAN);
        check(single::div(ONE, MINUS | INFINITY, mode), MINUS);
        check(single::rcp(MINUS | INFINITY, mode), MINUS);
        check(single::sqrt(MINUS, mode), MINUS);
        check(single::sqrt(INFINITY, mode), INFINITY);
        check(single::sqrt(MINUS | ONE, mode), single::NAN);
        check(single::add(0xffc1_2345, ONE, mode), single::NAN);
        check(single::fma(ONE, ONE, 0x7f80_0001, mode), single::NAN);
        check(single::add(0, 0, mode), 0);
        check(single::add(MINUS, MINUS, mode), MINUS);
        let zero = if mode == down { MINUS } else { 0 };
        check(single::add(ONE, MINUS | ONE, mode), zero);
        check(single::sub(ONE, ONE, mode), zero);
        check(single::add(0, MINUS, mode), zero);
        check(single::fma(ONE, ONE, MINUS | ONE, mode), zero);
    }
    check(
        single::add(INFINITY - 1, INFINITY - 1, Mode::rounded(Rounding::Zero)),
        INFINITY - 1,
    );
    check(single::add(INFINITY - 1, INFINITY - 1, down), INFINITY - 1);
    check(single::add(INFINITY - 1, INFINITY - 1, up), INFINITY);
    check(single::mul(1, 1, up), 1);
    check(single::mul(1, 1, down), 0);
    check(single::mul(MINUS | 1, 1, down), MINUS | 1);
}

#[test]
fn flushing_and_saturating() {
    check(single::add(0x007f_ffff, 0x007f_ffff, FLUSH), 0);
    check(single::add(0x807f_ffff, 0x807f_ffff, FLUSH), MINUS);
    check(single::add(0x007f_ffff, 1, Mode::RN), 0x0080_0000);
    check(single::mul(0x0080_0000, 0xbf00_0000, FLUSH), MINUS);
    check(single::mul(0x0080_0000, 0xbf00_0000, Mode::RN), 0x8040_0000);
    check(single::div(ONE, 1, FLUSH), INFINITY);
    check(single::sqrt(0x8000_0001, FLUSH), MINUS);
    check(single::add(ONE, ONE, SATURATE), ONE);
    check(single::add(ONE, 0xc000_0000, SATURATE), 0);
    check(single::add(ONE, 0xbf00_0000, SATURATE), 0x3f00_0000);
    check(single::mul(INFINITY, 0, SATURATE), 0);
    check(single::mul(MINUS, ONE, SATURATE), 0);
    check(single::neg(0x0000_0001, Subnormal::Flush), MINUS);
    check(single::abs(0x8000_0001, Subnormal::Keep), 1);
    check(single::copysign(MINUS, ONE), MINUS | ONE);
}

#[test]
fn minima_and_maxima() {
    let extreme = |which, a, b, nan, sign| single::extreme(which, a, b, Subnormal::Keep, nan, sign);
    let number = |which, a, b| extreme(which, a, b, NanRule::Number, SignRule::Ordinary);
    for (a, b) in [(0, MINUS), (MINUS, 0)] {
        check(number(Extreme::Minimum, a, b), MINUS);
        check(number(Extreme::Maximum, a, b), 0);
    }
    for (a, b) in [(MINUS | ONE, 0x4000_0000), (0x4000_0000, MINUS | ONE)] {
        check(number(Extreme::Minimum, a, b), MINUS | ONE);
        check(number(Extreme::Maximum, a, b), 0x4000_0000);
        check(
            extreme(Extreme::Minimum, a, b, NanRule::Number, SignRule::Xor),
            MINUS | ONE,
        );
        check(
            extreme(Extreme::Maximum, a, b, NanRule::Number, SignRule::Xor),
            0xc000_0000,
        );
    }
    for (a, b) in [(0x7fc0_0001, ONE), (ONE, 0xffc0_0001)] {
        check(number(Extreme::Minimum, a, b), ONE);
        check(
            extreme(
                Extreme::Maximum,
                a,
                b,
                NanRule::Propagate,
                SignRule::Ordinary,
            ),
            single::NAN,
        );
    }
    check(
        number(Extreme::Minimum, 0x7fc0_0001, 0x7fc0_0001),
        single::NAN,
    );
    check(
        number(Extreme::Maximum, MINUS | ONE, 0xc000_0000),
        MINUS | ONE,
    );
    let flushed = single::extreme(
        Extreme::Minimum,
        1,
        ONE,
        Subnormal::Flush,
        NanRule::Number,
        SignRule::Ordinary,
    );
    check(flushed, 0);
    assert_eq!(double::extreme(Extreme::Minimum, 0, 1 << 63), 1 << 63);
    assert_eq!(double::extreme(Extreme::Maximum, double::NAN, 5), 5);
}

#[test]
fn nans_of_doubles_keep_the_first_payload() {
    let (quiet, loud) = (0x7ff8_0000_0000_0123, 0xfff0_0000_0000_0456);
    for rounding in ROUNDINGS {
        assert_eq!(double::add(quiet, loud, rounding), quiet);
        assert_eq!(double::mul(loud, quiet, rounding), 0xfff8_0000_0000_0456);
        assert_eq!(double::sub(0, quiet, rounding), quiet);
        assert_eq!(double::div(0, 0, rounding), double::NAN);
        assert_eq!(double::sqrt((-1_f64).to_bits(), rounding), double::NAN);
    }
}

#[test]
fn classes() {
    #[track_caller]
    fn check(a: u32, expected: &[FloatClass]) {
        use FloatClass::{Finite, Infinite, Normal, NotANumber, Number, Subnormal};
        for class in [Finite, Infinite, Number, NotANumber, Normal, Subnormal] {
            assert_eq!(
                single::testp(class, a),
                expected.contains(&class),
                "{class:?}"
            );
        }
    }
    check(
        0,
        &[FloatClass::Finite, FloatClass::Number, FloatClass::Normal],
    );
    check(
        ONE,
        &[FloatClass::Finite, FloatClass::Number, FloatClass::Normal],
    );
    check(
        MINUS | 1,
        &[
            FloatClass::Finite,
            FloatClass::Number,
            FloatClass::Subnormal,
        ],
    );
    check(INFINITY, &[FloatClass::Infinite, FloatClass::Number]);
    check(0x7f80_0001, &[FloatClass::NotANumber]);
}
