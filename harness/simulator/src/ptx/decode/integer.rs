//! Integer arithmetic, bit fields, and logic.

use super::super::body::Raw;
use super::super::code::{Carry, Op, Sign, Src, Use};
use super::super::compiler::{Compiler, Outcome};
use super::super::types::{Ty, ones, signed};
use super::{four, one, three, two};
use crate::numeric::Signedness;
use crate::numeric::integer::{self, PrmtMode, ShiftLimit};

pub(super) fn sign(ty: Ty) -> Signedness {
    if ty.is_signed() {
        Signedness::Signed
    } else {
        Signedness::Unsigned
    }
}

/// The upper half of a product, or the product from bit `shift` on.
fn product(bits: u32, ty: Ty, a: u64, b: u64, shift: u32) -> u64 {
    if ty.is_signed() {
        let wide = i128::from(signed(a, bits)) * i128::from(signed(b, bits));
        (wide >> shift).cast_unsigned() as u64
    } else {
        ((u128::from(a) * u128::from(b)) >> shift) as u64
    }
}

impl<'a> Compiler<'a> {
    /// `add`, `sub`, ... of integers; the type is known to be one.
    pub(super) fn integer_arithmetic(&mut self, raw: &mut Raw<'a>, ty: Ty) -> Outcome<()> {
        let bits = ty.bits();
        let all = ones(bits);
        let opcode = raw.opcode;
        if matches!(ty, Ty::U8 | Ty::S8 | Ty::B8) {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{opcode}'"
            ));
        }
        let adds = matches!(opcode, "add" | "sub" | "mad");
        if (raw.modifiers.contains(&"cc") && adds) || matches!(opcode, "addc" | "subc" | "madc") {
            return self.carry(raw, ty);
        }
        let is_signed = ty.is_signed();
        match opcode {
            "add" | "sub" if raw.take("sat") => {
                if ty != Ty::S32 {
                    return raw.syntax("Modifier '.sat' requires type .s32");
                }
                let (d, s) = self.same(raw, ty, 2)?;
                let f = if opcode == "add" {
                    i32::saturating_add
                } else {
                    i32::saturating_sub
                };
                self.compute(
                    d,
                    &s,
                    two(move |a, b| u64::from(f(a as i32, b as i32).cast_unsigned())),
                );
            }
            "add" | "sub" => {
                let (d, s) = self.same(raw, ty, 2)?;
                self.compute(
                    d,
                    &s,
                    match (opcode, bits) {
                        ("add", 32) => two(|a, b| u64::from((a as u32).wrapping_add(b as u32))),
                        ("add", _) => two(move |a, b| a.wrapping_add(b) & all),
                        (_, 32) => two(|a, b| u64::from((a as u32).wrapping_sub(b as u32))),
                        _ => two(move |a, b| a.wrapping_sub(b) & all),
                    },
                );
            }
            "mul" | "mad" => return self.multiply(raw, ty),
            "div" | "rem" => {
                let (d, s) = self.same(raw, ty, 2)?;
                let f = if opcode == "div" {
                    integer::div
                } else {
                    integer::rem
                };
                self.compute(d, &s, two(move |a, b| f(bits, sign(ty), a, b) & all));
            }
            "min" | "max" => {
                if raw.modifiers.contains(&"relu") {
                    return raw.unsupported();
                }
                let (d, s) = self.same(raw, ty, 2)?;
                self.compute(
                    d,
                    &s,
                    match (opcode, is_signed) {
                        ("min", false) => two(|a, b| a.min(b)),
                        ("max", false) => two(|a, b| a.max(b)),
                        ("min", true) => two(move |a, b| {
                            if signed(a, bits) < signed(b, bits) {
                                a
                            } else {
                                b
                            }
                        }),
                        _ => two(move |a, b| {
                            if signed(a, bits) > signed(b, bits) {
                                a
                            } else {
                                b
                            }
                        }),
                    },
                );
            }
            "abs" | "neg" => {
                if !is_signed {
                    return raw.syntax(format!(
                        "Unexpected instruction types specified for '{opcode}'"
                    ));
                }
                let (d, s) = self.same(raw, ty, 1)?;
                self.compute(
                    d,
                    &s,
                    if opcode == "abs" {
                        one(move |a| signed(a, bits).wrapping_abs().cast_unsigned() & all)
                    } else {
                        one(move |a| a.wrapping_neg() & all)
                    },
                );
            }
            _ => {
                return raw.syntax(format!(
                    "Unexpected instruction types specified for '{opcode}'"
                ));
            }
        }
        Ok(())
    }

    fn multiply(&mut self, raw: &mut Raw<'a>, ty: Ty) -> Outcome<()> {
        let bits = ty.bits();
        let all = ones(bits);
        let part = raw.one_of(&[("lo", 0), ("hi", 1), ("wide", 2)]);
        let Some(part) = part else {
            return raw.syntax(format!(
                "Instruction '{}' requires .lo, .hi, or .wide",
                raw.opcode
            ));
        };
        let saturate = raw.take("sat");
        if saturate && !(part == 1 && ty == Ty::S32 && raw.opcode == "mad") {
            return raw.syntax("Modifier '.sat' is allowed for mad.hi.s32 only");
        }
        raw.done()?;
        let result = match (part, ty) {
            (2, Ty::U16) => Ty::U32,
            (2, Ty::S16) => Ty::S32,
            (2, Ty::U32) => Ty::U64,
            (2, Ty::S32) => Ty::S64,
            (2, _) => return raw.syntax("Modifier '.wide' requires a type of 16 or 32 bits"),
            _ => ty,
        };
        let add = raw.opcode == "mad";
        raw.count(3 + usize::from(add)..=3 + usize::from(add))?;
        let mut s = self.sources(&raw.operands[1..3], &[ty, ty])?;
        if add {
            s.push(self.src(&raw.operands[3], result)?);
        }
        let d = self.dst(&raw.operands[0], result)?;
        let shift = if part == 1 { bits } else { 0 };
        let all = if part == 2 { ones(result.bits()) } else { all };
        self.compute(
            d,
            &s,
            match (add, part, ty) {
                (true, 1, _) if saturate => three(|a, b, c| {
                    u64::from(integer::mad_hi_sat(a as i32, b as i32, c as i32).cast_unsigned())
                }),
                (false, 0, Ty::U32 | Ty::S32) => {
                    two(|a, b| u64::from((a as u32).wrapping_mul(b as u32)))
                }
                (true, 0, Ty::U32 | Ty::S32) => three(|a, b, c| {
                    u64::from((a as u32).wrapping_mul(b as u32).wrapping_add(c as u32))
                }),
                (false, 0, _) => two(move |a, b| a.wrapping_mul(b) & all),
                (true, 0, _) => three(move |a, b, c| a.wrapping_mul(b).wrapping_add(c) & all),
                (false, 2, Ty::U32) => two(|a, b| a * b),
                (true, 2, Ty::U32) => three(|a, b, c| (a * b).wrapping_add(c)),
                (false, ..) => two(move |a, b| product(bits, ty, a, b, shift) & all),
                (true, ..) => {
                    three(move |a, b, c| product(bits, ty, a, b, shift).wrapping_add(c) & all)
                }
            },
        );
        Ok(())
    }

    fn carry(&mut self, raw: &mut Raw<'a>, ty: Ty) -> Outcome<()> {
        let bits = ty.bits();
        if !matches!(bits, 32 | 64) {
            return raw.syntax("Carry arithmetic requires a type of 32 or 64 bits");
        }
        let yes = |yes| if yes { Use::Yes } else { Use::No };
        let carry_out = yes(raw.take("cc"));
        let carry_in = yes(raw.opcode.ends_with('c'));
        let subtract = if raw.opcode.starts_with("sub") {
            Sign::Subtract
        } else {
            Sign::Add
        };
        let (a, b) = if raw.opcode.starts_with("mad") {
            let Some(part) = raw.one_of(&[("lo", 0), ("hi", bits)]) else {
                return raw.syntax("Carry multiplication requires .lo or .hi");
            };
            raw.done()?;
            raw.count(4..=4)?;
            let s = self.sources(&raw.operands[1..], &[ty, ty, ty])?;
            let d = self.rows(ty)?;
            self.compute(
                d,
                &s[..2],
                two(move |a, b| product(bits, ty, a, b, part) & ones(bits)),
            );
            (Src(d), s[2])
        } else {
            raw.done()?;
            raw.count(3..=3)?;
            let s = self.sources(&raw.operands[1..], &[ty, ty])?;
            (s[0], s[1])
        };
        let d = self.dst(&raw.operands[0], ty)?;
        self.emit(Op::Carry(Box::new(Carry {
            d,
            a,
            b,
            subtract,
            bits,
            carry_in,
            carry_out,
        })));
        Ok(())
    }

    /// Operations that exist for integers only.
    pub(super) fn integer(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "rem" => {
                let ty = raw.ty()?;
                if !ty.is_integer() {
                    return raw.syntax("Unexpected instruction types specified for 'rem'");
                }
                self.integer_arithmetic(raw, ty)
            }
            "and" | "or" | "xor" | "not" | "cnot" | "lop3" => self.logic(raw),
            "shl" | "shr" | "shf" => self.shift(raw),
            "dp4a" | "dp2a" => self.dot(raw),
            _ => self.fields(raw),
        }
    }

    fn fields(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let opcode = raw.opcode;
        if opcode == "prmt" {
            let mode = raw.one_of(&[
                ("f4e", PrmtMode::ForwardFour),
                ("b4e", PrmtMode::BackwardFour),
                ("rc8", PrmtMode::ReplicateEight),
                ("ecl", PrmtMode::EdgeClampLeft),
                ("ecr", PrmtMode::EdgeClampRight),
                ("rc16", PrmtMode::ReplicateSixteen),
            ]);
            let mode = mode.unwrap_or(PrmtMode::Default);
            let ty = raw.ty()?;
            if ty != Ty::B32 {
                return raw.syntax("Unexpected instruction types specified for 'prmt'");
            }
            let (d, s) = self.same(raw, ty, 3)?;
            self.compute(
                d,
                &s,
                three(move |a, b, c| u64::from(integer::prmt(mode, a as u32, b as u32, c as u32))),
            );
            return Ok(());
        }
        let limit = raw.one_of(&[("clamp", ShiftLimit::Clamp), ("wrap", ShiftLimit::Wrap)]);
        let amount = raw.take("shiftamt");
        let high = raw.one_of(&[("lo", false), ("hi", true)]);
        let saturate = raw.take("sat");
        let ty = raw.ty()?;
        raw.done()?;
        let bits = ty.bits();
        let wrong = || {
            raw.syntax(format!(
                "Unexpected instruction types or modifiers specified for '{opcode}'"
            ))
        };
        let allowed: &[Ty] = match opcode {
            "popc" | "clz" | "brev" => &[Ty::B32, Ty::B64],
            "bfind" | "bfe" => &[Ty::U32, Ty::S32, Ty::U64, Ty::S64],
            "bfi" => &[Ty::B32, Ty::B64],
            "fns" | "bmsk" => &[Ty::B32],
            "szext" | "mul24" | "mad24" => &[Ty::U32, Ty::S32],
            _ => &[Ty::U16, Ty::S16, Ty::U32, Ty::S32, Ty::U64, Ty::S64],
        };
        if !allowed.contains(&ty)
            || limit.is_some() != matches!(opcode, "bmsk" | "szext")
            || (amount && opcode != "bfind")
            || high.is_some() != matches!(opcode, "mul24" | "mad24")
            || (saturate && !(opcode == "mad24" && ty == Ty::S32 && high == Some(true)))
        {
            return wrong();
        }
        match opcode {
            "fns" => self.require((6, 0), 30, opcode)?,
            "bmsk" | "szext" => self.require((7, 6), 70, opcode)?,
            _ => {}
        }
        let (result, types): (Ty, Vec<Ty>) = match opcode {
            "popc" | "clz" | "bfind" => (Ty::U32, vec![ty]),
            "brev" => (ty, vec![ty]),
            "fns" => (Ty::B32, vec![Ty::B32, Ty::B32, Ty::S32]),
            "bfe" => (ty, vec![ty, Ty::U32, Ty::U32]),
            "bfi" => (ty, vec![ty, ty, Ty::U32, Ty::U32]),
            "bmsk" => (ty, vec![Ty::U32, Ty::U32]),
            "szext" => (ty, vec![ty, Ty::U32]),
            "mul24" => (ty, vec![ty, ty]),
            _ => (
                ty,
                vec![
                    ty,
                    ty,
                    if ty.is_signed() && opcode == "sad" {
                        unsigned(ty)
                    } else {
                        ty
                    },
                ],
            ),
        };
        raw.count(types.len() + 1..=types.len() + 1)?;
        let s = self.sources(&raw.operands[1..], &types)?;
        let d = self.dst(&raw.operands[0], result)?;
        let signedness = sign(ty);
        let limit = limit.unwrap_or(ShiftLimit::Clamp);
        self.compute(
            d,
            &s,
            match opcode {
                "popc" => one(|a| u64::from(a.count_ones())),
                "clz" => one(move |a| u64::from(a.leading_zeros() - (64 - bits))),
                "brev" => one(move |a| a.reverse_bits() >> (64 - bits)),
                "bfind" if amount => {
                    one(move |a| u64::from(integer::bfind_shiftamt(bits, signedness, a)))
                }
                "bfind" => one(move |a| u64::from(integer::bfind(bits, signedness, a))),
                "fns" => three(|a, b, c| u64::from(integer::fns(a as u32, b as u32, c as i32))),
                "bfe" => three(move |a, b, c| {
                    integer::bfe(bits, signedness, a, b as u32, c as u32) & ones(bits)
                }),
                "bfi" => four(move |a, b, c, d| {
                    integer::bfi(bits, a, b, c as u32, d as u32) & ones(bits)
                }),
                "bmsk" => two(move |a, b| u64::from(integer::bmsk(limit, a as u32, b as u32))),
                "szext" => two(move |a, b| {
                    u64::from(integer::szext(limit, signedness, a as u32, b as u32))
                }),
                "mul24" => {
                    let f = if high == Some(true) {
                        integer::mul24_hi
                    } else {
                        integer::mul24_lo
                    };
                    two(move |a, b| u64::from(f(signedness, a as u32, b as u32)))
                }
                "mad24" if saturate => three(|a, b, c| {
                    u64::from(integer::mad24_hi_sat(a as i32, b as i32, c as i32).cast_unsigned())
                }),
                "mad24" => {
                    let f = if high == Some(true) {
                        integer::mad24_hi
                    } else {
                        integer::mad24_lo
                    };
                    three(move |a, b, c| u64::from(f(signedness, a as u32, b as u32, c as u32)))
                }
                "sad" => three(move |a, b, c| integer::sad(bits, signedness, a, b, c) & ones(bits)),
                _ => return wrong(),
            },
        );
        Ok(())
    }
}

fn unsigned(ty: Ty) -> Ty {
    match ty {
        Ty::S16 => Ty::U16,
        Ty::S32 => Ty::U32,
        Ty::S64 => Ty::U64,
        other => other,
    }
}
