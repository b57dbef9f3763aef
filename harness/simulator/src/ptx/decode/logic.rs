//! Logic, shifts, and dot products.

use super::super::body::Raw;
use super::super::code::{Op, Pred, Weakness};
use super::super::compiler::{Compiler, Outcome};
use super::super::types::{Ty, ones, signed};
use super::integer::sign;
use super::{one, three, two};
use crate::numeric::integer::{self, PairHalf, ShiftLimit};

impl<'a> Compiler<'a> {
    pub(super) fn logic(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.opcode == "lop3" {
            self.require((4, 3), 50, "lop3")?;
            if raw
                .modifiers
                .iter()
                .any(|modifier| ["and", "or"].contains(modifier))
            {
                return raw.unsupported();
            }
            if raw.ty()? != Ty::B32 {
                return raw.syntax("Unexpected instruction types specified for 'lop3'");
            }
            raw.done()?;
            raw.count(5..=5)?;
            let s = self.sources(&raw.operands[1..4], &[Ty::B32; 3])?;
            let table = self.immediate(&raw.operands[4])?;
            let Ok(table) = u8::try_from(table) else {
                return raw.syntax("lop3 table out of range");
            };
            let d = self.dst(&raw.operands[0], Ty::B32)?;
            self.compute(
                d,
                &s,
                three(move |a, b, c| u64::from(integer::lop3(a as u32, b as u32, c as u32, table))),
            );
            return Ok(());
        }
        let ty = raw.ty()?;
        if ty == Ty::Pred {
            raw.done()?;
            let unary = raw.opcode == "not";
            raw.count(3 - usize::from(unary)..=3 - usize::from(unary))?;
            let a = self.pred(&raw.operands[1])?;
            let b = if unary {
                Pred {
                    index: Pred::TRUE,
                    negate: false,
                }
            } else {
                self.pred(&raw.operands[2])?
            };
            let f: fn(u32, u32) -> u32 = match raw.opcode {
                "and" => |a, b| a & b,
                "or" => |a, b| a | b,
                "xor" => |a, b| a ^ b,
                "not" => |a, _| !a,
                _ => return raw.syntax("Unexpected instruction types specified for 'cnot'"),
            };
            let Some(d) = self.pred_dst(&raw.operands[0])? else {
                return self.nothing();
            };
            self.emit(Op::Logic { f, d, a, b });
            return Ok(());
        }
        if !matches!(ty, Ty::B16 | Ty::B32 | Ty::B64) {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        }
        let all = ones(ty.bits());
        let unary = matches!(raw.opcode, "not" | "cnot");
        let (d, s) = self.same(raw, ty, if unary { 1 } else { 2 })?;
        self.compute(
            d,
            &s,
            match raw.opcode {
                "and" => two(|a, b| a & b),
                "or" => two(|a, b| a | b),
                "xor" => two(|a, b| a ^ b),
                "not" => one(move |a| !a & all),
                _ => one(|a| u64::from(a == 0)),
            },
        );
        Ok(())
    }

    pub(super) fn shift(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.opcode == "shf" {
            self.require((3, 1), 32, "shf")?;
            let left = raw.one_of(&[("l", true), ("r", false)]);
            let limit = raw.one_of(&[("clamp", ShiftLimit::Clamp), ("wrap", ShiftLimit::Wrap)]);
            let (Some(left), Some(limit)) = (left, limit) else {
                return raw.syntax("shf requires .l or .r and .clamp or .wrap");
            };
            if raw.ty()? != Ty::B32 {
                return raw.syntax("Unexpected instruction types specified for 'shf'");
            }
            raw.done()?;
            raw.count(4..=4)?;
            let s = self.sources(&raw.operands[1..], &[Ty::B32, Ty::B32, Ty::U32])?;
            let d = self.dst(&raw.operands[0], Ty::B32)?;
            let f = if left {
                integer::shf_left
            } else {
                integer::shf_right
            };
            self.compute(
                d,
                &s,
                three(move |a, b, c| u64::from(f(limit, a as u32, b as u32, c as u32))),
            );
            return Ok(());
        }
        let ty = raw.ty()?;
        let right = raw.opcode == "shr";
        let allowed = matches!(ty, Ty::B16 | Ty::B32 | Ty::B64)
            || (right && ty.is_integer() && ty.bits() > 8);
        if !allowed {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        }
        raw.done()?;
        raw.count(3..=3)?;
        let s = self.sources(&raw.operands[1..], &[ty, Ty::U32])?;
        let d = self.dst(&raw.operands[0], ty)?;
        let bits = ty.bits();
        let all = ones(bits);
        self.compute(
            d,
            &s,
            if !right {
                two(move |a, b| {
                    if b >= u64::from(bits) {
                        0
                    } else {
                        (a << b) & all
                    }
                })
            } else if ty.is_signed() {
                two(move |a, b| (signed(a, bits) >> b.min(63)).cast_unsigned() & all)
            } else {
                two(move |a, b| if b >= u64::from(bits) { 0 } else { a >> b })
            },
        );
        Ok(())
    }

    pub(super) fn dot(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        self.require((5, 0), 61, raw.opcode)?;
        let half = raw.one_of(&[("lo", PairHalf::Low), ("hi", PairHalf::High)]);
        if half.is_some() != (raw.opcode == "dp2a") {
            return raw.syntax("dp2a requires .lo or .hi, and dp4a neither");
        }
        let types = raw.types();
        let [a, b] = types[..] else {
            return raw.syntax("a dot product has two types");
        };
        if [a, b].iter().any(|ty| !matches!(ty, Ty::U32 | Ty::S32)) {
            return raw.syntax("a dot product has types .u32 or .s32");
        }
        raw.done()?;
        raw.count(4..=4)?;
        let result = if a.is_signed() || b.is_signed() {
            Ty::S32
        } else {
            Ty::U32
        };
        let s = self.sources(&raw.operands[1..], &[Ty::B32, Ty::B32, result])?;
        let d = self.dst(&raw.operands[0], result)?;
        let (a_sign, b_sign) = (sign(a), sign(b));
        let f = move |a: u64, b: u64, c: u64| {
            let (a, b, c) = (a as u32, b as u32, c as u32);
            u64::from(match half {
                None => integer::dp4a(a, a_sign, b, b_sign, c),
                Some(half) => integer::dp2a(half, a, a_sign, b, b_sign, c),
            })
        };
        let broken = three(move |a, b, c| f(a & !0xff, b, c));
        self.compute_weak(d, &s, three(f), Weakness::Dot, Some(broken));
        Ok(())
    }
}
