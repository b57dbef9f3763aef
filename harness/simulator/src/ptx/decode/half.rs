//! Arithmetic of 16-bit floats, single and in pairs.

use super::super::body::Raw;
use super::super::code::{Compute, Weakness};
use super::super::compiler::{Compiler, Outcome};
use super::super::types::Ty;
use super::{ROUNDINGS, mode, one, three, two};
use crate::numeric::half16::{self, Half};
use crate::numeric::{Accuracy, Extreme, NanRule, Relu, Rounding, Saturation, SignRule, Subnormal};

pub(super) fn kind(ty: Ty) -> Half {
    if matches!(ty, Ty::Bf16 | Ty::Bf16x2) {
        Half::Bf16
    } else {
        Half::F16
    }
}

fn pair(ty: Ty) -> bool {
    matches!(ty, Ty::F16x2 | Ty::Bf16x2)
}

fn lift1(ty: Ty, f: impl Fn(u16) -> u16 + Send + Sync + 'static) -> Compute {
    if pair(ty) {
        one(move |a| u64::from(half16::each1(a as u32, &f)))
    } else {
        one(move |a| u64::from(f(a as u16)))
    }
}

fn lift2(ty: Ty, f: impl Fn(u16, u16) -> u16 + Send + Sync + 'static) -> Compute {
    if pair(ty) {
        two(move |a, b| u64::from(half16::each2(a as u32, b as u32, &f)))
    } else {
        two(move |a, b| u64::from(f(a as u16, b as u16)))
    }
}

fn lift3(ty: Ty, f: impl Fn(u16, u16, u16) -> u16 + Send + Sync + 'static) -> Compute {
    if pair(ty) {
        three(move |a, b, c| u64::from(half16::each3(a as u32, b as u32, c as u32, &f)))
    } else {
        three(move |a, b, c| u64::from(f(a as u16, b as u16, c as u16)))
    }
}

impl<'a> Compiler<'a> {
    /// `add`, `sub`, `mul`, `fma`, `min`, `max`, `neg`, `abs`.
    pub(super) fn half(&mut self, raw: &mut Raw<'a>, ty: Ty) -> Outcome<()> {
        let kind = kind(ty);
        let opcode = raw.opcode;
        let bf16 = kind == Half::Bf16;
        match (opcode, bf16) {
            ("add" | "sub" | "mul", false) => self.require((4, 2), 53, "f16 arithmetic")?,
            ("add" | "sub" | "mul", true) => self.require((7, 8), 90, "bf16 arithmetic")?,
            ("fma", false) => self.require((4, 2), 53, "f16 arithmetic")?,
            ("fma" | "min" | "max", true) => self.require((7, 0), 80, "bf16 arithmetic")?,
            ("min" | "max", false) => self.require((7, 0), 80, "f16 min/max")?,
            ("neg" | "abs", false) => self.require((6, 0), 53, "f16 neg/abs")?,
            ("neg" | "abs", true) => self.require((7, 0), 80, "bf16 neg/abs")?,
            _ => {
                return raw.syntax(format!(
                    "Unexpected instruction types specified for '{opcode}'"
                ));
            }
        }
        let rounding = raw.one_of(ROUNDINGS);
        let mut mode = mode(raw);
        if raw.take("relu") {
            self.require((7, 0), 80, "relu")?;
            mode.relu = Relu::On;
        }
        let rounds = matches!(opcode, "add" | "sub" | "mul" | "fma");
        if rounding.is_some_and(|rounding| rounding != Rounding::NearestEven || !rounds)
            || (opcode == "fma" && rounding.is_none())
            || (mode.relu == Relu::On && opcode != "fma")
            || (mode.saturation != Saturation::None && (bf16 || !rounds))
            || (mode.subnormal != Subnormal::Keep && bf16)
        {
            return raw.syntax(format!(
                "Illegal modifier for instruction '{opcode}' of type .{}",
                ty.name()
            ));
        }
        let subnormal = mode.subnormal;
        match opcode {
            "fma" => {
                let (d, s) = self.same(raw, ty, 3)?;
                self.compute_weak(
                    d,
                    &s,
                    lift3(ty, move |a, b, c| half16::fma(kind, a, b, c, mode)),
                    Weakness::Fma,
                    None,
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
                let sign = if raw.take("xorsign") {
                    SignRule::Xor
                } else {
                    SignRule::Ordinary
                };
                if sign == SignRule::Xor {
                    self.require((7, 2), 86, "min/max.xorsign")?;
                    if !raw.take("abs") {
                        return raw.syntax("Modifier '.xorsign' requires '.abs'");
                    }
                }
                let (d, s) = self.same(raw, ty, 2)?;
                self.compute(
                    d,
                    &s,
                    lift2(ty, move |a, b| {
                        half16::extreme(kind, which, a, b, subnormal, nan, sign)
                    }),
                );
            }
            "neg" => {
                let (d, s) = self.same(raw, ty, 1)?;
                self.compute(d, &s, lift1(ty, move |a| half16::neg(kind, a, subnormal)));
            }
            "abs" => {
                let (d, s) = self.same(raw, ty, 1)?;
                self.compute(d, &s, lift1(ty, move |a| half16::abs(kind, a, subnormal)));
            }
            _ => {
                let f = match opcode {
                    "add" => half16::add,
                    "sub" => half16::sub,
                    _ => half16::mul,
                };
                let (d, s) = self.same(raw, ty, 2)?;
                self.compute(d, &s, lift2(ty, move |a, b| f(kind, a, b, mode)));
            }
        }
        Ok(())
    }

    /// `ex2` and `tanh`.
    pub(super) fn half_function(
        &mut self,
        raw: &mut Raw<'a>,
        ty: Ty,
        subnormal: Subnormal,
    ) -> Outcome<()> {
        let kind = kind(ty);
        if kind == Half::Bf16 {
            self.require((7, 8), 90, raw.opcode)?;
        } else {
            self.require((7, 0), 75, raw.opcode)?;
        }
        let exponential = raw.opcode == "ex2";
        if (subnormal == Subnormal::Flush) != (exponential && kind == Half::Bf16) {
            return raw.syntax(format!(
                "Modifier '.ftz' required or not allowed for '{}'",
                raw.opcode
            ));
        }
        let (d, s) = self.same(raw, ty, 1)?;
        let make = |accuracy: Accuracy| {
            if exponential {
                lift1(ty, move |a| half16::ex2(kind, a, subnormal, accuracy))
            } else {
                lift1(ty, move |a| half16::tanh(kind, a, accuracy))
            }
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
}
