//! Products of real numbers, whose exact results are computed in integers, and how far a correct library may be off.

use super::super::exact;
use super::product::{Shape, multiplied};

/// op(A) and op(B) as integers over a power of two, and what they make.
pub(in crate::check::library) struct Reals {
    pub(in crate::check::library) shape: Shape,
    /// Both operands are divided by two to this power.
    scale: i32,
    pub(in crate::check::library) a: Vec<i128>,
    pub(in crate::check::library) b: Vec<i128>,
}

impl Reals {
    /// Operands below one with 24 bits, which single precision holds.
    pub(in crate::check::library) fn single(seed: u64, shape: Shape) -> Self {
        let operand = |array, count| {
            let values = exact::integers(seed, array, 1 << 23, count);
            values.into_iter().map(i128::from).collect()
        };
        Self {
            shape,
            scale: 23,
            a: operand(0, shape.m * shape.k),
            b: operand(1, shape.k * shape.n),
        }
    }

    /// Operands below one with 50 bits, which double precision holds.
    pub(in crate::check::library) fn double(seed: u64, shape: Shape) -> Self {
        let operand = |array: u64, count| {
            let high = exact::integers(seed, array, 1 << 24, count);
            let low = exact::integers(seed, array + 8, 1 << 24, count);
            let joined = |(high, low): (i64, i64)| (i128::from(high) << 25) + i128::from(low);
            high.into_iter().zip(low).map(joined).collect()
        };
        Self {
            shape,
            scale: 50,
            a: operand(0, shape.m * shape.k),
            b: operand(1, shape.k * shape.n),
        }
    }

    /// The value of an operand's element; exact.
    pub(in crate::check::library) fn value(&self, element: i128) -> f64 {
        element as f64 * f64::powi(2.0, -self.scale)
    }

    /// op(A) op(B), rounded once to double precision.
    pub(in crate::check::library) fn product(&self) -> Vec<f64> {
        self.scaled(multiplied(self.shape, &self.a, &self.b))
    }

    /// How far each element may be off. A sum of k terms that is rounded k times, by at most `unit` of the terms so
    /// far, is off by k units of |A||B| at worst and by about their root in practice, whatever the order; four times
    /// that is allowed. Operands rounded before, by `rounding` of themselves each, add twice that, and the result is
    /// rounded once more at the end.
    pub(in crate::check::library) fn bounds(
        &self,
        unit: f64,
        rounding: f64,
        product: &[f64],
    ) -> Vec<f64> {
        let absolute = |operand: &[i128]| operand.iter().map(|it| it.abs()).collect::<Vec<_>>();
        let sizes = multiplied(self.shape, &absolute(&self.a), &absolute(&self.b));
        let terms = self.shape.k as f64;
        let factor = 4.0 * terms.sqrt() * unit + 2.0 * rounding;
        let pairs = self.scaled(sizes).into_iter().zip(product);
        pairs
            .map(|(size, value)| factor * size + unit * value.abs())
            .collect()
    }

    fn scaled(&self, values: Vec<i128>) -> Vec<f64> {
        let unit = f64::powi(2.0, -2 * self.scale);
        values.into_iter().map(|it| it as f64 * unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Shape = Shape { m: 1, n: 1, k: 4 };

    #[test]
    fn a_product_and_its_bound_are_what_they_are_by_hand() {
        let reals = Reals {
            shape: ONE,
            scale: 1,
            a: vec![1, -1, 2, 1],
            b: vec![1, 1, 1, -1],
        };
        // 1/4 - 1/4 + 2/4 - 1/4, and the same with plus signs.
        let product = reals.product();
        assert_eq!(product, [0.25]);
        assert_eq!(
            reals.bounds(0.5, 0.0, &product),
            [4.0 * 2.0 * 0.5 * 1.25 + 0.125]
        );
        assert_eq!(reals.bounds(0.0, 0.5, &product), [1.25]);
    }

    #[test]
    fn operands_fit_their_types() {
        let shape = Shape { m: 8, n: 8, k: 8 };
        for reals in [Reals::single(1, shape), Reals::double(1, shape)] {
            assert!(reals.a.iter().all(|it| reals.value(*it).abs() <= 1.001));
        }
        let single = Reals::single(1, shape);
        let narrow = |it: &i128| single.value(*it).to_bits().trailing_zeros() >= 53 - 24;
        assert!(single.a.iter().all(narrow));
    }

    /// Elements beyond the bounds of single precision, if products are summed in it, one after the other.
    fn beyond(operand: impl Fn(f64) -> f32, spoil: impl Fn(f32) -> f32) -> usize {
        let shape = Shape {
            m: 16,
            n: 16,
            k: 256,
        };
        let reals = Reals::single(5, shape);
        let narrow = |operands: &[i128]| -> Vec<f32> {
            operands
                .iter()
                .map(|it| operand(reals.value(*it)))
                .collect()
        };
        let found = multiplied(shape, &narrow(&reals.a), &narrow(&reals.b));
        let expected = reals.product();
        let bounds = reals.bounds(1.0 / f64::from(1 << 24), 0.0, &expected);
        let pairs = found.into_iter().zip(expected).zip(bounds);
        pairs
            .filter(|((found, expected), bound)| {
                (f64::from(spoil(*found)) - expected).abs() > *bound
            })
            .count()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "operands have no more bits than the type"
    )]
    fn as_is(value: f64) -> f32 {
        value as f32
    }

    #[test]
    fn the_bounds_tell_rounding_from_errors() {
        let bits = |value: f32, change: fn(u32) -> u32| f32::from_bits(change(value.to_bits()));
        assert_eq!(beyond(as_is, |it| it), 0);
        // Cut to 11 significant bits, as TF32 has.
        let tf32 = beyond(|it| bits(as_is(it), |it| it & !0x1FFF), |it| it);
        assert!(tf32 > 200, "{tf32} of 256");
        let flipped = beyond(as_is, |it| bits(it, |it| it ^ 1 << 12));
        assert!(flipped > 200, "{flipped} of 256");
        assert_eq!(beyond(as_is, |_| 0.0), 256);
    }
}
