//! Whole numbers of any size, and the definition of rounding in terms of them.

use std::cmp::Ordering;

use crate::numeric::Rounding;

/// A multiple of 2^-1120, as sign and limbs of 32 bits, the lowest first and no zero at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big {
    negative: bool,
    limbs: Vec<u32>,
}

const SCALE: usize = 1120;

impl Big {
    /// The value of an `f64`; an infinity counts as the next power of two.
    pub(super) fn of(value: f64) -> Self {
        let bits = value.to_bits();
        let field = (bits >> 52 & 0x7ff) as usize;
        let fraction = bits & ((1 << 52) - 1);
        let (significand, field) = if field == 0 {
            (fraction, 1)
        } else {
            (fraction | 1 << 52, field)
        };
        let whole = Self {
            negative: bits >> 63 != 0,
            limbs: vec![significand as u32, (significand >> 32) as u32],
        };
        // The unit of field 1 is 2^-1074.
        whole.shifted(field - 1 + SCALE - 1074).trimmed()
    }

    /// The value of an `f32`; an infinity counts as the next power of two.
    pub(super) fn of_single(value: f32) -> Self {
        if value.is_infinite() {
            return Self::of(2_f64.powi(128).copysign(f64::from(value)));
        }
        Self::of(f64::from(value))
    }

    fn trimmed(mut self) -> Self {
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        self
    }

    pub(super) fn shifted(&self, by: usize) -> Self {
        let mut limbs = vec![0; by / 32];
        let mut carry = 0_u64;
        for &limb in &self.limbs {
            carry |= u64::from(limb) << (by % 32);
            limbs.push(carry as u32);
            carry >>= 32;
        }
        limbs.push(carry as u32);
        Self {
            negative: self.negative,
            limbs,
        }
        .trimmed()
    }

    /// At twice the scale: the product of two numbers at this scale.
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut limbs = vec![0_u32; self.limbs.len() + other.limbs.len()];
        for (i, &a) in self.limbs.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, &b) in other.limbs.iter().enumerate() {
                carry += u64::from(a) * u64::from(b) + u64::from(limbs[i + j]);
                limbs[i + j] = carry as u32;
                carry >>= 32;
            }
            limbs[i + other.limbs.len()] = carry as u32;
        }
        Self {
            negative: self.negative != other.negative,
            limbs,
        }
        .trimmed()
    }

    /// The same value at twice the scale.
    pub(super) fn wide(&self) -> Self {
        self.shifted(SCALE)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        if self.negative == other.negative {
            let mut limbs = Vec::new();
            let mut carry = 0_u64;
            for i in 0..self.limbs.len().max(other.limbs.len()) {
                carry += u64::from(*self.limbs.get(i).unwrap_or(&0))
                    + u64::from(*other.limbs.get(i).unwrap_or(&0));
                limbs.push(carry as u32);
                carry >>= 32;
            }
            limbs.push(carry as u32);
            return Self {
                negative: self.negative,
                limbs,
            }
            .trimmed();
        }
        let (large, small) = if self.magnitude(other) == Ordering::Less {
            (other, self)
        } else {
            (self, other)
        };
        let mut limbs = Vec::new();
        let mut borrow = 0_i64;
        for i in 0..large.limbs.len() {
            borrow += i64::from(large.limbs[i]) - i64::from(*small.limbs.get(i).unwrap_or(&0));
            limbs.push(borrow as u32);
            borrow >>= 32;
        }
        Self {
            negative: large.negative,
            limbs,
        }
        .trimmed()
    }

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.is_empty()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.limbs
            .len()
            .cmp(&other.limbs.len())
            .then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => {
                return if other.negative {
                    Ordering::Greater
                } else {
                    Ordering::Less
                };
            }
            (false, true) => {
                return if self.negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                };
            }
            (false, false) => {}
        }
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    /// Twice the middle is the sum, so that an exact value is compared after doubling.
    fn middle_doubled(&self, other: &Self) -> Self {
        self.plus(other)
    }
}

/// A result with its neighbours in its own format.
pub(super) struct Candidate {
    pub(super) value: Big,
    pub(super) below: Big,
    pub(super) above: Big,
    pub(super) infinite: Option<Sign>,
    /// Whether a neighbour is infinite.
    pub(super) largest: Option<Sign>,
    pub(super) even: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Negative,
    Positive,
}

impl Candidate {
    pub(super) fn double(value: f64) -> Self {
        Self {
            value: Big::of(value),
            below: Big::of(value.next_down()),
            above: Big::of(value.next_up()),
            infinite: value.is_infinite().then_some(sign(value)),
            largest: (value.abs() == f64::MAX).then_some(sign(value)),
            even: value.to_bits() & 1 == 0,
        }
    }

    pub(super) fn single(value: f32) -> Self {
        Self {
            value: Big::of_single(value),
            below: Big::of_single(value.next_down()),
            above: Big::of_single(value.next_up()),
            infinite: value.is_infinite().then_some(sign(value.into())),
            largest: (value.abs() == f32::MAX).then_some(sign(value.into())),
            even: value.to_bits() & 1 == 0,
        }
    }

    /// Whether the candidate is what the rounding asks for. `against(x, times)` compares `x` with the
    /// exact value multiplied by `times`, which is 1 or 2.
    pub(super) fn is_right(
        &self,
        rounding: Rounding,
        against: &dyn Fn(&Big, u32) -> Ordering,
    ) -> bool {
        let down = || {
            let not_above = self.infinite == Some(Sign::Negative)
                || against(&self.value, 1) != Ordering::Greater;
            let next_is_above = self.largest == Some(Sign::Positive)
                || against(&self.above, 1) == Ordering::Greater;
            self.infinite != Some(Sign::Positive) && not_above && next_is_above
        };
        let up = || {
            let not_below =
                self.infinite == Some(Sign::Positive) || against(&self.value, 1) != Ordering::Less;
            let next_is_below =
                self.largest == Some(Sign::Negative) || against(&self.below, 1) == Ordering::Less;
            self.infinite != Some(Sign::Negative) && not_below && next_is_below
        };
        let tie = |order: Ordering, wanted: Ordering| {
            order == wanted || order == Ordering::Equal && self.even
        };
        match rounding {
            Rounding::Down => down(),
            Rounding::Up => up(),
            Rounding::Zero if against(&Big::of(0.0), 1) == Ordering::Greater => up(),
            Rounding::Zero => down(),
            Rounding::NearestAway => panic!("no arithmetic instruction rounds away"),
            Rounding::NearestEven => {
                let low = self.infinite == Some(Sign::Negative)
                    || tie(
                        against(&self.value.middle_doubled(&self.below), 2),
                        Ordering::Less,
                    );
                let high = self.infinite == Some(Sign::Positive)
                    || tie(
                        against(&self.value.middle_doubled(&self.above), 2),
                        Ordering::Greater,
                    );
                low && high
            }
        }
    }
}

fn sign(value: f64) -> Sign {
    if value.is_sign_negative() {
        Sign::Negative
    } else {
        Sign::Positive
    }
}
