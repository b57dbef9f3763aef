//! Approximates the special functions as a GPU does: near the exact value, but not the nearest value.
//!
//! The exact value comes from `libm` in `f64` and is moved by a fraction of the documented error that is a
//! function of the operand alone.
//! A check that asks for more than NVIDIA documents therefore fails here, as it may on hardware.
//! Bounds and special values are those of the PTX ISA; for `ex2`, `div.approx` and `div.full`, where
//! it and the CUDA programming guide differ by release, the narrowest holds.

use super::{Accuracy, Subnormal, double, single};

/// How far an approximation may be from the exact value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approximation {
    /// The documented bound of the absolute error, for this result.
    pub(super) bound: f64,
    /// Which part of the bound is used up before the result is rounded; less than one.
    pub(super) share: f64,
}

const SIGN: u32 = 0x8000_0000;
const TAU: f64 = std::f64::consts::TAU;

/// `sin.approx`: absolute error 2^-20.5 in [-2π, 2π] and 2^-14.7 in [-100π, 100π].
#[inline]
#[must_use]
pub fn sin(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let x = value(a);
    if x == 0.0 || !x.is_finite() {
        return if x == 0.0 { a } else { single::NAN };
    }
    trigonometric(libm::sin(x), x, a, subnormal, accuracy)
}

/// `cos.approx`: as [`sin`].
#[inline]
#[must_use]
pub fn cos(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let x = value(a);
    if single::testp(super::FloatClass::Subnormal, a) || x == 0.0 {
        return 1.0_f32.to_bits();
    }
    if !x.is_finite() {
        return single::NAN;
    }
    trigonometric(libm::cos(x), x, a, subnormal, accuracy)
}

/// `ex2.approx`: two units in the last place, and a relative error of 2^-22.5.
#[inline]
#[must_use]
pub fn ex2(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let x = value(a);
    let exact = libm::exp2(x);
    // Whole numbers are exact: the fraction that the table is asked for is zero.
    let share = if x.trunc() == x && accuracy == Accuracy::Documented {
        0.0
    } else {
        0.35
    };
    finish(
        exact,
        Approximation {
            bound: 2.0 * ulp(exact),
            share,
        },
        a,
        subnormal,
        accuracy,
    )
}

/// `lg2.approx`: absolute error 2^-22 in (0.5, 2), relative error 2^-22 elsewhere.
#[inline]
#[must_use]
pub fn lg2(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let x = value(a);
    let exact = libm::log2(x);
    let bound = exact.abs().max(1.0) * power_of_two(-22);
    let usable = bound.min(exact.abs());
    let share = 0.4 * if bound > 0.0 { usable / bound } else { 0.0 };
    finish(
        exact,
        Approximation { bound, share },
        a,
        subnormal,
        accuracy,
    )
}

/// `rcp.approx`: one unit in the last place.
#[inline]
#[must_use]
pub fn rcp(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let exact = 1.0 / value(a);
    finish(
        exact,
        Approximation {
            bound: ulp(exact),
            share: 0.4,
        },
        a,
        subnormal,
        accuracy,
    )
}

/// `rsqrt.approx`: relative error 2^-22.9.
#[inline]
#[must_use]
pub fn rsqrt(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let x = value(a);
    // The square root of -0 is -0, so that the result is -infinity as the PTX ISA says.
    let exact = 1.0 / x.sqrt();
    let bound = exact.abs() * 1.277e-7;
    finish(
        exact,
        Approximation { bound, share: 0.45 },
        a,
        subnormal,
        accuracy,
    )
}

/// `sqrt.approx`: relative error 2^-23.
#[inline]
#[must_use]
pub fn sqrt(a: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let a = single::flush(a, subnormal);
    let exact = value(a).sqrt();
    let bound = exact.abs() * power_of_two(-23);
    finish(
        exact,
        Approximation { bound, share: 0.4 },
        a,
        subnormal,
        accuracy,
    )
}

/// `tanh.approx`: relative error 2^-11; subnormal operands are kept.
#[inline]
#[must_use]
pub fn tanh(a: u32, accuracy: Accuracy) -> u32 {
    let x = value(a);
    if x.is_infinite() {
        return single::copysign(a, 1.0_f32.to_bits());
    }
    if x == 0.0 || single::testp(super::FloatClass::Subnormal, a) {
        return a;
    }
    let exact = libm::tanh(x);
    let bound = exact.abs() * power_of_two(-11);
    let result = match accuracy {
        Accuracy::Documented => {
            let approximation = Approximation { bound, share: 0.6 };
            approximate(exact, approximation, a.into(), accuracy).clamp(-1.0, 1.0)
        }
        Accuracy::Degraded => exact - exact.signum() * EXCESS * bound,
    };
    single::finish((result as f32).to_bits(), super::Mode::RN)
}

/// `div.approx`: two units in the last place for a divisor of magnitude 2^-126 to 2^126; beyond, a
/// finite dividend gives zero and an infinite one a NaN.
#[inline]
#[must_use]
pub fn div_approx(a: u32, b: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let (a, b) = (single::flush(a, subnormal), single::flush(b, subnormal));
    let (x, y) = (value(a), value(b));
    if y.abs() > power_of_two(126) && y.is_finite() && !x.is_nan() {
        return if x.is_infinite() {
            single::NAN
        } else {
            (a ^ b) & SIGN
        };
    }
    quotient(a, b, subnormal, accuracy)
}

/// `div.full`: two units in the last place in the whole range.
#[inline]
#[must_use]
pub fn div_full(a: u32, b: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    quotient(
        single::flush(a, subnormal),
        single::flush(b, subnormal),
        subnormal,
        accuracy,
    )
}

/// `rcp.approx.ftz.f64`: from the upper 32 bits of the operand to the upper 32 bits of the result.
#[inline]
#[must_use]
pub fn rcp_f64(a: u64, subnormal: Subnormal, accuracy: Accuracy) -> u64 {
    upper(a, subnormal, accuracy, |x| 1.0 / x)
}

/// `rsqrt.approx.f64`: as [`rcp_f64`] with `.ftz`, and to a relative error of 2^-22.9 without.
#[inline]
#[must_use]
pub fn rsqrt_f64(a: u64, subnormal: Subnormal, accuracy: Accuracy) -> u64 {
    match subnormal {
        Subnormal::Flush => upper(a, subnormal, accuracy, |x| 1.0 / x.sqrt()),
        Subnormal::Keep => {
            let exact = 1.0 / f64::from_bits(a).sqrt();
            let approximation = Approximation {
                bound: exact.abs() * 1.277e-7,
                share: 0.45,
            };
            canonical(approximate(exact, approximation, a, accuracy))
        }
    }
}

/// Eight times the bound cannot be mistaken for a rounding error.
const EXCESS: f64 = 8.0;

/// Moves a finite exact value, other than zero, by an amount that is a function of the seed.
#[inline]
pub(super) fn approximate(
    exact: f64,
    approximation: Approximation,
    seed: u64,
    accuracy: Accuracy,
) -> f64 {
    if !exact.is_finite() || exact == 0.0 {
        return exact;
    }
    let hash = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match accuracy {
        Accuracy::Documented => {
            // From -1 to 1, in steps of 2^-15.
            let place = f64::from((hash >> 48) as i16) / 32768.0;
            let reach = (approximation.bound * approximation.share).min(exact.abs() / 2.0);
            exact + reach * place
        }
        // Even a wrong result keeps its sign.
        Accuracy::Degraded => {
            let size = exact.abs() + EXCESS * approximation.bound;
            let smaller = exact.abs() - EXCESS * approximation.bound;
            let size = if hash >> 63 == 0 || smaller <= 0.0 {
                size
            } else {
                smaller
            };
            size.copysign(exact)
        }
    }
}

#[inline]
fn finish(
    exact: f64,
    approximation: Approximation,
    seed: u32,
    subnormal: Subnormal,
    accuracy: Accuracy,
) -> u32 {
    let result = match accuracy {
        Accuracy::Documented => within_class(
            approximate(exact, approximation, seed.into(), accuracy),
            exact,
        ),
        // What rounds to zero is a special value.
        Accuracy::Degraded if exact.abs() < power_of_two(-150) => exact,
        Accuracy::Degraded => approximate(exact, approximation, seed.into(), accuracy),
    };
    let result = result as f32;
    single::finish(
        result.to_bits(),
        super::Mode {
            subnormal,
            ..super::Mode::RN
        },
    )
}

/// Keeps a moved value among the subnormal, the normal, or the infinite values, whichever the exact one is
/// in, so that `.ftz` and overflow depend on the exact value alone.
#[inline]
fn within_class(moved: f64, exact: f64) -> f64 {
    let magnitude = exact.abs();
    let (smallest, largest) = (f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
    if magnitude > largest {
        f64::INFINITY.copysign(exact)
    } else if magnitude >= smallest {
        moved.abs().clamp(smallest, largest).copysign(exact)
    } else if magnitude > 0.0 {
        moved
            .abs()
            .min(smallest - power_of_two(-149))
            .copysign(exact)
    } else {
        moved
    }
}

#[inline]
fn trigonometric(exact: f64, x: f64, seed: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let bound = if x.abs() <= TAU {
        6.744e-7
    } else if x.abs() <= 50.0 * TAU {
        3.757e-5
    } else {
        // Nothing is documented out here.
        power_of_two(-10)
    };
    // Small results are near their argument, on hardware too.
    let share = 0.5 * (exact.abs() / 64.0 / bound).min(1.0);
    let result = approximate(exact, Approximation { bound, share }, seed.into(), accuracy);
    let result = match accuracy {
        Accuracy::Documented => result.clamp(-1.0, 1.0),
        Accuracy::Degraded => result,
    };
    single::finish(
        (result as f32).to_bits(),
        super::Mode {
            subnormal,
            ..super::Mode::RN
        },
    )
}

#[inline]
fn quotient(a: u32, b: u32, subnormal: Subnormal, accuracy: Accuracy) -> u32 {
    let exact = value(a) / value(b);
    let approximation = Approximation {
        bound: 2.0 * ulp(exact),
        share: 0.45,
    };
    finish(
        exact,
        approximation,
        a ^ b.rotate_left(16),
        subnormal,
        accuracy,
    )
}

#[inline]
fn upper(a: u64, subnormal: Subnormal, accuracy: Accuracy, f: impl Fn(f64) -> f64) -> u64 {
    const UPPER: u64 = 0xffff_ffff_0000_0000;
    let flush = |bits: u64| match subnormal {
        Subnormal::Flush if double::testp(super::FloatClass::Subnormal, bits) => bits & 1 << 63,
        Subnormal::Keep | Subnormal::Flush => bits,
    };
    if double::testp(super::FloatClass::NotANumber, a) {
        return double::NAN;
    }
    let exact = f(f64::from_bits(flush(a & UPPER)));
    let exact = match accuracy {
        Accuracy::Documented => exact,
        Accuracy::Degraded => exact * (1.0 + power_of_two(-16)),
    };
    flush(canonical(exact) & UPPER)
}

fn canonical(x: f64) -> u64 {
    if x.is_nan() { double::NAN } else { x.to_bits() }
}

#[inline]
fn value(a: u32) -> f64 {
    f64::from(f32::from_bits(a))
}

/// The distance of `f32` values around a value, on its smaller side.
#[inline]
fn ulp(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52 & 0x7ff) as i32 - 1023;
    // Just above a power of two a step down is half as long as a step up.
    let fraction = x.to_bits() & 0xf_ffff_ffff_ffff;
    let exponent = if fraction >> 29 == 0 {
        exponent - 1
    } else {
        exponent
    };
    power_of_two(exponent.clamp(-126, 127) - 23)
}

#[inline]
const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}
