//! Arithmetic of 32-bit and 64-bit floats, and the approximated functions.

use super::super::body::Raw;
use super::super::code::{Compute, Op, Row, Src, TestOp, Weakness};
use super::super::compiler::{Compiler, Outcome};
use super::super::types::Ty;
use super::{ROUNDINGS, lanes, mode, one, three, two};
use crate::numeric::{
    Accuracy, Extreme, FloatClass, Mode, NanRule, Rounding, Saturation, SignRule, Subnormal,
    double, single, special,
};

/// A result of the host's arithmetic as the device would write it: every NaN is the same.
#[inline(always)]
fn canonical(value: f32) -> u64 {
    u64::from(if value.is_nan() {
        single::NAN
    } else {
        value.to_bits()
    })
}

fn float(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

impl<'a> Compiler<'a> {
    /// `add` and its like, of whatever type.
    pub(super) fn arithmetic(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let types = raw.types();
        let [ty] = types[..] else {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        };
        match ty {
            Ty::F32 | Ty::F64 => self.float_arithmetic(raw, ty),
            Ty::F16 | Ty::F16x2 | Ty::Bf16 | Ty::Bf16x2 => self.half(raw, ty),
            _ if ty.is_integer() && raw.opcode != "fma" => self.integer_arithmetic(raw, ty),
            _ => raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            )),
        }
    }

    fn float_arithmetic(&mut self, raw: &mut Raw<'a>, ty: Ty) -> Outcome<()> {
        let is_double = ty == Ty::F64;
        let opcode = raw.opcode;
        let approximate = opcode == "div" && raw.take("approx");
        let full = opcode == "div" && raw.take("full");
        let rounding = raw.one_of(ROUNDINGS);
        let mut mode = mode(raw);
        if is_double && mode != Mode::RN {
            return raw.syntax(format!(
                "Illegal modifier for instruction '{opcode}' of type .f64"
            ));
        }
        let rounds = matches!(opcode, "add" | "sub" | "mul" | "mad" | "fma" | "div");
        let needs = matches!(opcode, "mad" | "fma") || (opcode == "div" && !approximate && !full);
        if (rounding.is_some() && (!rounds || approximate || full)) || (needs && rounding.is_none())
        {
            return raw.syntax(format!(
                "Rounding modifier required or not allowed for instruction '{opcode}'"
            ));
        }
        if mode.saturation != Saturation::None
            && matches!(opcode, "div" | "min" | "max" | "abs" | "neg")
        {
            return raw.syntax(format!(
                "Illegal modifier '.sat' for instruction '{opcode}'"
            ));
        }
        mode.rounding = rounding.unwrap_or_default();
        let subnormal = mode.subnormal;
        let plain = mode == Mode::RN;
        let nearest = Mode {
            rounding: Rounding::NearestEven,
            ..mode
        };
        let directed = mode.rounding != Rounding::NearestEven;
        match opcode {
            "abs" | "neg" => {
                let (d, s) = self.same(raw, ty, 1)?;
                self.compute(
                    d,
                    &s,
                    match (opcode, is_double) {
                        ("abs", true) => one(double::abs),
                        (_, true) => one(double::neg),
                        ("abs", false) => one(move |a| u64::from(single::abs(a as u32, subnormal))),
                        _ => one(move |a| u64::from(single::neg(a as u32, subnormal))),
                    },
                );
            }
            "min" | "max" => {
                let which = if opcode == "min" {
                    Extreme::Minimum
                } else {
                    Extreme::Maximum
                };
                let nan = if raw.take("NaN") {
                    NanRule::Propagate
                } else {
                    NanRule::Number
                };
                let xor = raw.take("xorsign");
                if xor && !raw.take("abs") {
                    return raw.syntax("Modifier '.xorsign' requires '.abs'");
                }
                if nan == NanRule::Propagate {
                    self.require((7, 0), 80, "min/max.NaN")?;
                }
                if xor {
                    self.require((7, 2), 86, "min/max.xorsign")?;
                }
                if is_double && (xor || nan == NanRule::Propagate) {
                    return raw.syntax("Illegal modifier for type .f64");
                }
                let sign = if xor {
                    SignRule::Xor
                } else {
                    SignRule::Ordinary
                };
                let (d, s) = self.same(raw, ty, 2)?;
                self.compute(
                    d,
                    &s,
                    if is_double {
                        two(move |a, b| double::extreme(which, a, b))
                    } else {
                        two(move |a, b| {
                            u64::from(single::extreme(
                                which, a as u32, b as u32, subnormal, nan, sign,
                            ))
                        })
                    },
                );
            }
            "div" if approximate || full => {
                if is_double {
                    return raw.syntax("Illegal modifier for type .f64");
                }
                let (d, s) = self.same(raw, ty, 2)?;
                let f = if full {
                    special::div_full
                } else {
                    special::div_approx
                };
                let make = |accuracy| {
                    two(move |a, b| u64::from(f(a as u32, b as u32, subnormal, accuracy)))
                };
                self.compute_weak(
                    d,
                    &s,
                    make(Accuracy::Documented),
                    Weakness::Special,
                    Some(make(Accuracy::Degraded)),
                );
            }
            "mad" | "fma" => {
                let (d, s) = self.same(raw, ty, 3)?;
                self.compute_weak(d, &s, fma(is_double, mode), Weakness::Fma, None);
            }
            _ => {
                let (d, s) = self.same(raw, ty, 2)?;
                let make = |mode: Mode| -> Compute {
                    if is_double {
                        let f = match opcode {
                            "add" => double::add,
                            "sub" => double::sub,
                            "mul" => double::mul,
                            _ => double::div,
                        };
                        return two(move |a, b| f(a, b, mode.rounding));
                    }
                    match (opcode, mode == Mode::RN) {
                        ("add", true) => two(|a, b| canonical(float(a) + float(b))),
                        ("sub", true) => two(|a, b| canonical(float(a) - float(b))),
                        ("mul", true) => two(|a, b| canonical(float(a) * float(b))),
                        ("add", false) => {
                            two(move |a, b| u64::from(single::add(a as u32, b as u32, mode)))
                        }
                        ("sub", false) => {
                            two(move |a, b| u64::from(single::sub(a as u32, b as u32, mode)))
                        }
                        ("mul", false) => {
                            two(move |a, b| u64::from(single::mul(a as u32, b as u32, mode)))
                        }
                        _ => two(move |a, b| u64::from(single::div(a as u32, b as u32, mode))),
                    }
                };
                let weakness = match (directed, is_double, plain) {
                    (true, ..) => Weakness::Rounding,
                    (false, false, true) => Weakness::Single,
                    (false, ..) => Weakness::None,
                };
                let broken = directed.then(|| make(nearest));
                self.compute_weak(d, &s, make(mode), weakness, broken);
            }
        }
        Ok(())
    }

    /// Functions of floats.
    pub(super) fn float(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let opcode = raw.opcode;
        let approximate = raw.take("approx");
        let rounding = raw.one_of(ROUNDINGS);
        let flush = raw.take("ftz");
        let subnormal = if flush {
            Subnormal::Flush
        } else {
            Subnormal::Keep
        };
        if matches!(opcode, "testp" | "copysign") && (approximate || rounding.is_some() || flush) {
            return raw.syntax(format!("Illegal modifier for instruction '{opcode}'"));
        }
        if opcode == "testp" {
            return self.testp(raw);
        }
        let ty = raw.ty()?;
        if matches!(ty, Ty::F16 | Ty::F16x2 | Ty::Bf16 | Ty::Bf16x2)
            && matches!(opcode, "ex2" | "tanh")
            && approximate
        {
            return self.half_function(raw, ty, subnormal);
        }
        let wrong = || {
            raw.syntax(format!(
                "Unexpected instruction types or modifiers specified for '{opcode}'"
            ))
        };
        if !matches!(ty, Ty::F32 | Ty::F64) {
            return wrong();
        }
        if opcode == "copysign" {
            let (d, s) = self.same(raw, ty, 2)?;
            self.compute(
                d,
                &s,
                if ty == Ty::F64 {
                    two(double::copysign)
                } else {
                    two(|a, b| u64::from(single::copysign(a as u32, b as u32)))
                },
            );
            return Ok(());
        }
        let is_double = ty == Ty::F64;
        if approximate == rounding.is_some() {
            return wrong();
        }
        if let Some(rounding) = rounding {
            if !matches!(opcode, "rcp" | "sqrt") || (is_double && flush) {
                return wrong();
            }
            let (d, s) = self.same(raw, ty, 1)?;
            let reciprocal = opcode == "rcp";
            let make = |rounding| -> Compute {
                let mode = Mode {
                    rounding,
                    subnormal,
                    ..Mode::RN
                };
                match (reciprocal, is_double) {
                    (true, true) => one(move |a| double::rcp(a, rounding)),
                    (false, true) => one(move |a| double::sqrt(a, rounding)),
                    (true, false) => one(move |a| u64::from(single::rcp(a as u32, mode))),
                    (false, false) => one(move |a| u64::from(single::sqrt(a as u32, mode))),
                }
            };
            let directed = rounding != Rounding::NearestEven;
            let weakness = if directed {
                Weakness::Rounding
            } else {
                Weakness::None
            };
            let broken = directed.then(|| make(Rounding::NearestEven));
            self.compute_weak(d, &s, make(rounding), weakness, broken);
            return Ok(());
        }
        if is_double && !(matches!(opcode, "rcp" | "rsqrt") && (flush || opcode == "rsqrt")) {
            return wrong();
        }
        if opcode == "tanh" {
            self.require((7, 0), 75, "tanh")?;
            if flush {
                return wrong();
            }
        }
        let (d, s) = self.same(raw, ty, 1)?;
        let make = |accuracy| -> Compute {
            if is_double {
                let f = if opcode == "rcp" {
                    special::rcp_f64
                } else {
                    special::rsqrt_f64
                };
                return one(move |a| f(a, subnormal, accuracy));
            }
            let f = match opcode {
                "sin" => special::sin,
                "cos" => special::cos,
                "ex2" => special::ex2,
                "lg2" => special::lg2,
                "rcp" => special::rcp,
                "rsqrt" => special::rsqrt,
                "sqrt" => special::sqrt,
                _ => return one(move |a| u64::from(special::tanh(a as u32, accuracy))),
            };
            one(move |a| u64::from(f(a as u32, subnormal, accuracy)))
        };
        self.compute_weak(
            d,
            &s,
            make(Accuracy::Documented),
            Weakness::Special,
            Some(make(Accuracy::Degraded)),
        );
        Ok(())
    }

    fn testp(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let class = raw.one_of(&[
            ("finite", FloatClass::Finite),
            ("infinite", FloatClass::Infinite),
            ("number", FloatClass::Number),
            ("notanumber", FloatClass::NotANumber),
            ("normal", FloatClass::Normal),
            ("subnormal", FloatClass::Subnormal),
        ]);
        let ty = raw.ty()?;
        let Some(class) = class.filter(|_| matches!(ty, Ty::F32 | Ty::F64)) else {
            return raw.syntax("Unexpected instruction types specified for 'testp'");
        };
        raw.done()?;
        raw.count(2..=2)?;
        let a = self.src(&raw.operands[1], ty)?;
        let p = self.pred_dst(&raw.operands[0])?;
        let f = move |mask: u32, a: &Row, _: &Row| {
            let mut found = 0;
            lanes(mask, |lane| {
                let holds = if ty == Ty::F64 {
                    double::testp(class, a[lane])
                } else {
                    single::testp(class, a[lane] as u32)
                };
                found |= u32::from(holds) << lane;
            });
            (found, !found)
        };
        let b: Src = a;
        self.emit(Op::Test(Box::new(TestOp {
            f: Box::new(f),
            a,
            b,
            combine: None,
            p,
            q: None,
        })));
        Ok(())
    }
}

fn fma(is_double: bool, mode: Mode) -> Compute {
    if is_double {
        if mode.rounding == Rounding::NearestEven {
            return three(|a, b, c| {
                let value = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
                if value.is_nan() {
                    double::fma(a, b, c, Rounding::NearestEven)
                } else {
                    value.to_bits()
                }
            });
        }
        return three(move |a, b, c| double::fma(a, b, c, mode.rounding));
    }
    if mode == Mode::RN {
        return three(|a, b, c| canonical(fused(float(a), float(b), float(c))));
    }
    three(move |a, b, c| u64::from(single::fma(a as u32, b as u32, c as u32, mode)))
}

/// `a * b + c` with one rounding, in a form that the compiler turns into vector instructions.
///
/// The product is exact in 64 bits. The sum is rounded there to odd, so that rounding it again to 32 bits
/// gives what one rounding of the exact value gives (Boldo and Melquiond, "Emulation of FMA").
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (product, addend) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + addend;
    let part = sum - product;
    let error = (product - (sum - part)) + (addend - part);
    let bits = sum.to_bits();
    let inexact = (error > 0.0) | (error < 0.0);
    let even = bits & 1 == 0;
    let step = if (error > 0.0) == (sum > 0.0) {
        1
    } else {
        u64::MAX
    };
    let odd = if inexact & even {
        bits.wrapping_add(step)
    } else {
        bits
    };
    f64::from_bits(odd) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[track_caller]
    fn check(a: u32, b: u32, c: u32) {
        let [a, b, c] = [a, b, c].map(f32::from_bits);
        let (got, expected) = (super::fused(a, b, c), a.mul_add(b, c));
        assert!(
            got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan()),
            "{a:e} * {b:e} + {c:e}: {got:e} instead of {expected:e}"
        );
    }

    #[test]
    fn special_values_are_fused_as_by_the_host() {
        let values = [
            0u32,
            1,
            0x0080_0000,
            0x007f_ffff,
            0x3f80_0000,
            0x3f80_0001,
            0x7f7f_ffff,
            0x7f80_0000,
            0x7fc0_0000,
        ];
        let values: Vec<u32> = values
            .iter()
            .flat_map(|bits| [*bits, bits | 1 << 31])
            .collect();
        for &a in &values {
            for &b in &values {
                for &c in &values {
                    check(a, b, c);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_values_are_fused_as_by_the_host(a: u32, b: u32, c: u32, near in 0u32..64) {
            check(a, b, c);
            // Where the product nearly cancels, or is half a unit off.
            let product = f32::from_bits(a) * f32::from_bits(b);
            check(a, b, product.to_bits().wrapping_add(near).wrapping_sub(32) ^ 1 << 31);
            check(a & 0xffff_f000, b & 0xffff_f000, c);
        }
    }
}
