//! How sums end: rounded, cut off, wrapped, saturated; and what is no instruction.

use super::super::{Element, Mma, Order, Overflow};
use super::mma;

#[test]
fn what_ptx_lacks_is_refused() {
    use Element::{B1, F16, F32, S4, S8, S32, Tf32};
    let good = mma((16, 8, 16), F16, F16, F32, F32);
    for bad in [
        Mma { k: 32, ..good },
        Mma {
            a: Tf32,
            b: Tf32,
            ..good
        },
        Mma { b: S8, ..good },
        Mma {
            a_order: Order::Column,
            ..good
        },
        Mma {
            a: S8,
            b: S8,
            ..good
        },
        mma((16, 8, 16), S8, S4, S32, S32),
        mma((8, 8, 256), B1, B1, S32, S32),
        mma((16, 8, 16), F32, F32, F32, F32),
    ] {
        assert!(!bad.check(), "{bad:?}");
    }
}

#[test]
fn integer_sums_wrap_or_saturate() {
    let product = mma(
        (8, 8, 16),
        Element::S8,
        Element::S8,
        Element::S32,
        Element::S32,
    );
    let (ones, large) = ([[0x0101_0101; 32]], [[i32::MAX as u32; 32]; 2]);
    let mut d = [[0; 32]; 2];
    product.multiply(&ones, &ones, &large, &mut d, None);
    assert_eq!(d, [[i32::MAX.wrapping_add(16) as u32; 32]; 2]);
    let clamped = Mma {
        overflow: Overflow::Saturate,
        ..product
    };
    clamped.multiply(&ones, &ones, &large, &mut d, None);
    assert_eq!(d, large);
    let minus = [[0xffff_ffff; 32]];
    clamped.multiply(&ones, &minus, &[[i32::MIN as u32; 32]; 2], &mut d, None);
    assert_eq!(d, [[i32::MIN as u32; 32]; 2]);
}

#[test]
fn sums_are_cut_off_and_overflow_to_infinity() {
    #[track_caller]
    fn check(a: f32, b: f32, c: f32, expected: f32) {
        let product = mma(
            (16, 8, 4),
            Element::Tf32,
            Element::Tf32,
            Element::F32,
            Element::F32,
        );
        let lanes = |value: f32| [value.to_bits(); 32];
        let mut fa = [[0; 32]; 2];
        // Only the first column of A counts, so that there is one product.
        for lane in (0..32).step_by(4) {
            fa[0][lane] = a.to_bits();
            fa[1][lane] = a.to_bits();
        }
        let mut d = [[0; 32]; 4];
        product.multiply(&fa, &[lanes(b)], &[lanes(c); 4], &mut d, None);
        assert_eq!(d, [lanes(expected); 4], "{a} * {b} + {c}");
    }
    let speck = 2_f32.powi(-30);
    check(1.0, 1.0, speck, 1.0);
    check(1.0, 1.0, -speck, 1_f32.next_down());
    check(-1.0, 1.0, -speck, -1.0);
    // The nearest value would be the next one.
    check(1.0, 2_f32.powi(-24) * 1.5, 1.0, 1.0);
    check(2_f32.powi(100), 2_f32.powi(100), 0.0, f32::INFINITY);
    check(2_f32.powi(100), -2_f32.powi(100), 1.0, f32::NEG_INFINITY);
    check(f32::INFINITY, 1.0, 0.0, f32::INFINITY);
    check(f32::INFINITY, 0.0, 0.0, f32::from_bits(0x7fff_ffff));
    check(
        f32::INFINITY,
        1.0,
        f32::NEG_INFINITY,
        f32::from_bits(0x7fff_ffff),
    );
}
