//! The software arithmetic agrees with the host's, and with what IEEE 754 says where the host has no say.

use super::*;
use crate::mix;

const ALL: [Rounding; 5] = [
    Rounding::Nearest,
    Rounding::NearestAway,
    Rounding::Zero,
    Rounding::Down,
    Rounding::Up,
];

fn singles() -> impl Iterator<Item = f32> {
    let corners = [
        0,
        1,
        0x007F_FFFF,
        0x0080_0000,
        0x3F7F_FFFF,
        0x3F80_0000,
        0x3F80_0001,
        0x7F7F_FFFF,
        0x7F80_0000,
        0x7FC0_0000,
    ];
    let random = (0..400).map(|index| (mix(index) >> 32) as u32);
    corners
        .into_iter()
        .flat_map(|bits| [bits, bits | 0x8000_0000])
        .chain(random)
        .map(f32::from_bits)
}

#[track_caller]
fn same(ours: f32, host: f32, what: &str) {
    assert!(
        ours.to_bits() == host.to_bits() || ours.is_nan() && host.is_nan(),
        "{what}: {ours:e}, the host says {host:e}"
    );
}

#[test]
fn to_nearest_it_agrees_with_the_host() {
    let near = Rounding::Nearest;
    for a in singles() {
        let x = Exact::single(a);
        same(x.to_single(near), a, "reading and writing");
        same(x.root().to_single(near), a.sqrt(), "square root");
        for b in singles() {
            let y = Exact::single(b);
            same(x.plus(y, near).to_single(near), a + b, "sum");
            same(x.times(y).to_single(near), a * b, "product");
            same(x.over(y).to_single(near), a / b, "quotient");
            let c = f32::from_bits(a.to_bits() ^ b.to_bits().rotate_left(9));
            let fused = x.times(y).plus(Exact::single(c), near);
            same(fused.to_single(near), a.mul_add(b, c), "fused");
        }
    }
}

#[test]
fn to_nearest_it_agrees_with_the_host_in_double() {
    let near = Rounding::Nearest;
    for index in 0..20_000 {
        // Exponents near one another, so that sums cancel.
        let value = |part: u64| {
            let bits = mix(3 * index + part);
            f64::from_bits(bits & !(0x7F0 << 52) | 0x3F0 << 52)
        };
        let (a, b, c) = (value(0), value(1), value(2));
        let [x, y, z] = [a, b, c].map(Exact::double);
        assert_eq!(x.plus(y, near).to_double(near).to_bits(), (a + b).to_bits());
        assert_eq!(x.times(y).to_double(near).to_bits(), (a * b).to_bits());
        assert_eq!(x.over(y).to_double(near).to_bits(), (a / b).to_bits());
        let fused = x.times(y).plus(z, near).to_double(near);
        assert_eq!(fused.to_bits(), a.mul_add(b, c).to_bits());
        let root = x.with_sign(false).root().to_double(near);
        assert_eq!(root.to_bits(), a.abs().sqrt().to_bits());
    }
}

#[test]
fn directed_roundings_are_the_neighbours_of_the_exact_product() {
    for a in singles().filter(|value| value.is_finite()) {
        for b in singles().filter(|value| value.is_finite()) {
            // Exact: 48 bits, and exponents that a double has.
            let exact = f64::from(a) * f64::from(b);
            let [near, _, zero, down, up] = ALL.map(|rounding| {
                let product = Exact::single(a).times(Exact::single(b));
                f64::from(product.to_single(rounding))
            });
            assert!(down <= exact && exact <= up, "{a:e} * {b:e}");
            assert!(near == down || near == up, "{a:e} * {b:e}");
            assert_eq!(zero, if exact > 0.0 { down } else { up }, "{a:e} * {b:e}");
            if down != up {
                let product = Exact::single(a).times(Exact::single(b));
                let [low, high] = [Rounding::Down, Rounding::Up].map(|r| product.to_single(r));
                assert_eq!(low.next_up(), high, "{a:e} * {b:e}");
            }
        }
    }
}

#[test]
fn overflow_and_zero_follow_the_direction() {
    let [near, away, zero, down, up] = ALL.map(|rounding| {
        let largest = Exact::single(f32::MAX);
        largest.plus(largest, rounding).to_single(rounding)
    });
    assert_eq!([near, away, up], [f32::INFINITY; 3]);
    assert_eq!([zero, down], [f32::MAX; 2]);
    let cancelled = ALL.map(|rounding| {
        let sum = Exact::single(1.5).plus(Exact::single(-1.5), rounding);
        sum.to_single(rounding).is_sign_negative()
    });
    assert_eq!(cancelled, [false, false, false, true, false]);
}

#[test]
fn halves_agree_with_the_half_crate_and_ties_go_away_where_asked() {
    for value in singles() {
        let ours = Exact::single(value).round(HALF, Rounding::Nearest);
        let theirs = half::f16::from_f32(value);
        assert!(
            ours == u64::from(theirs.to_bits()) || theirs.is_nan(),
            "{value:e}"
        );
        let ours = Exact::single(value).round(BFLOAT, Rounding::Nearest);
        let theirs = half::bf16::from_f32(value);
        assert!(
            ours == u64::from(theirs.to_bits()) || theirs.is_nan(),
            "{value:e}"
        );
    }
    // 1 + 2^-11 lies between two neighbours of this format.
    let tie = Exact::single(1.0 + 0.000_488_281_25);
    assert_eq!(tie.round(TENSOR, Rounding::Nearest), 0x1FC00);
    assert_eq!(tie.round(TENSOR, Rounding::NearestAway), 0x1FC01);
}

#[test]
fn integers_round_in_every_direction_and_clamp() {
    let whole =
        |value: f64| ALL.map(|rounding| Exact::double(value).whole(rounding).clamped(-100, 100));
    assert_eq!(whole(2.5), [Some(2), Some(3), Some(2), Some(2), Some(3)]);
    assert_eq!(
        whole(-2.5),
        [Some(-2), Some(-3), Some(-2), Some(-3), Some(-2)]
    );
    assert_eq!(whole(-0.1), [Some(0), Some(0), Some(0), Some(-1), Some(0)]);
    assert_eq!(whole(1e300), [Some(100); 5]);
    assert_eq!(whole(f64::NAN), [None; 5]);
    assert_eq!(Exact::integer(-7).to_double(Rounding::Zero), -7.0);
    assert_eq!(
        Exact::integer((1 << 53) + 1).to_double(Rounding::Up),
        9_007_199_254_740_994.0
    );
}

#[test]
fn only_values_that_round_to_the_smallest_normal_straddle() {
    let smallest = Exact::single(f32::MIN_POSITIVE);
    let less = smallest.times(Exact::single(1.0 - f32::EPSILON / 2.0));
    assert!(less.straddles(SINGLE));
    assert!(!smallest.straddles(SINGLE));
    assert!(!Exact::single(f32::MIN_POSITIVE.next_down()).straddles(SINGLE));
}
