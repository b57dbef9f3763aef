//! Finds out what a library did to the operands before it multiplied them, from what came out.

use super::product::{Exact, Integers, multiplied};

/// What a library may do to an operand, in words and in numbers.
type Way = (&'static str, fn(i64) -> i64);

const TF32: &str = "rounded to 11 significant bits, as TF32 has";
const BF16: &str = "rounded to 8 significant bits, as bfloat16 has";

/// What was done to the operands, if that explains every element.
pub(in crate::check::library) fn lost(integers: &Integers, found: &[f32]) -> Option<String> {
    // The hardware's conversions round a number in the middle away from zero for TF32 and to the even one for
    // bfloat16; tensor cores cut what they are given.
    let ways: [Way; 6] = [
        (TF32, |it| rounded(it, 11)),
        (TF32, |it| evenly(it, 11)),
        ("cut to 11 significant bits, as TF32 has", |it| cut(it, 11)),
        (BF16, |it| evenly(it, 8)),
        (BF16, |it| rounded(it, 8)),
        ("cut to 8 significant bits, as bfloat16 has", |it| {
            cut(it, 8)
        }),
    ];
    ways.into_iter().find_map(|(name, way)| {
        let through = |operand: &[i64]| operand.iter().map(|it| way(*it)).collect::<Vec<_>>();
        let product = multiplied(integers.shape, &through(&integers.a), &through(&integers.b));
        let same = product
            .iter()
            .zip(found)
            .all(|(it, found)| f32::exactly(*it) == *found);
        same.then(|| format!("the operands were {name}, which was not asked for"))
    })
}

/// The nearest number with so many significant bits; of two, that which is further from zero.
fn rounded(value: i64, bits: u32) -> i64 {
    let spare = spare(value, bits);
    if spare == 0 {
        return value;
    }
    let size = ((value.abs() + (1 << (spare - 1))) >> spare) << spare;
    size * value.signum()
}

/// The nearest number with so many significant bits; of two, that whose last bit is zero.
fn evenly(value: i64, bits: u32) -> i64 {
    let spare = spare(value, bits);
    let away = rounded(value, bits);
    let middle = spare > 0 && (away - value).abs() == 1 << (spare - 1);
    if middle && (away >> spare) % 2 != 0 {
        cut(value, bits)
    } else {
        away
    }
}

/// The next number with so many significant bits in the direction of zero.
fn cut(value: i64, bits: u32) -> i64 {
    let spare = spare(value, bits);
    ((value.abs() >> spare) << spare) * value.signum()
}

/// How many bits a number has more than so many.
fn spare(value: i64, bits: u32) -> u32 {
    (i64::BITS - value.unsigned_abs().leading_zeros()).saturating_sub(bits)
}

#[cfg(test)]
mod tests {
    use super::super::product::{Bounds, Shape};
    use super::*;

    #[test]
    fn bits_are_rounded_and_cut() {
        assert_eq!(rounded(2049, 11), 2050);
        assert_eq!(rounded(-4097, 11), -4096);
        assert_eq!(rounded(2047, 11), 2047);
        assert_eq!(rounded(0, 11), 0);
        assert_eq!(evenly(2049, 11), 2048);
        assert_eq!(evenly(-2051, 11), -2052);
        assert_eq!(evenly(4099, 11), 4100);
        assert_eq!(evenly(0, 11), 0);
        assert_eq!(cut(-4099, 11), -4096);
        assert_eq!(cut(301, 8), 300);
    }

    #[test]
    fn what_was_lost_is_named() {
        let shape = Shape { m: 3, n: 2, k: 5 };
        let bounds = Bounds {
            a: 1 << 15,
            b: 1,
            c: 0,
        };
        let integers = Integers::new(3, shape, bounds);
        let made = |way: fn(i64) -> i64| -> Vec<f32> {
            let a: Vec<_> = integers.a.iter().map(|it| way(*it)).collect();
            let product = multiplied(shape, &a, &integers.b);
            product.into_iter().map(f32::exactly).collect()
        };
        let named = |way| lost(&integers, &made(way)).unwrap_or_default();
        assert!(named(|it| rounded(it, 11)).contains("TF32"));
        assert!(named(|it| evenly(it, 8)).contains("bfloat16"));
        assert!(named(|it| cut(it, 8)).contains("bfloat16"));
        assert_eq!(named(|it| it + 1), "");
    }
}
