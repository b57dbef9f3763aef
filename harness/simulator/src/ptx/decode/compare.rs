//! Comparisons, and selections by them.

use std::cmp::Ordering;

use super::super::body::Raw;
use super::super::code::{Op, Pred, Row, Test, TestOp};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::{Class, Ty, signed};
use super::{half, lanes, three};
use crate::numeric::{Comparison, Subnormal, double, half16, single};

/// For less, equal, greater, and unordered: whether the comparison holds.
type Holds = [bool; 4];

const COMPARISONS: &[(&str, Holds)] = &[
    ("eq", [false, true, false, false]),
    ("ne", [true, false, true, false]),
    ("lt", [true, false, false, false]),
    ("le", [true, true, false, false]),
    ("gt", [false, false, true, false]),
    ("ge", [false, true, true, false]),
    ("lo", [true, false, false, false]),
    ("ls", [true, true, false, false]),
    ("hi", [false, false, true, false]),
    ("hs", [false, true, true, false]),
    ("equ", [false, true, false, true]),
    ("neu", [true, false, true, true]),
    ("ltu", [true, false, false, true]),
    ("leu", [true, true, false, true]),
    ("gtu", [false, false, true, true]),
    ("geu", [false, true, true, true]),
    ("num", [true, true, true, false]),
    ("nan", [false, false, false, true]),
];

fn index(comparison: Comparison) -> usize {
    match comparison {
        Comparison::Less => 0,
        Comparison::Equal => 1,
        Comparison::Greater => 2,
        Comparison::Unordered => 3,
    }
}

fn order(ordering: Ordering) -> usize {
    match ordering {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    }
}

fn each(holds: impl Fn(u64, u64) -> bool + Send + Sync + 'static) -> Test {
    Box::new(move |mask: u32, a: &Row, b: &Row| {
        let mut found = 0;
        lanes(mask, |lane| {
            found |= u32::from(holds(a[lane], b[lane])) << lane
        });
        (found, !found)
    })
}

impl<'a> Compiler<'a> {
    pub(super) fn compare(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "selp" => self.select(raw),
            "slct" => self.select_by_sign(raw),
            _ => self.set(raw),
        }
    }

    fn test(&self, raw: &mut Raw<'a>, name: &str, holds: Holds, ty: Ty) -> Outcome<Test> {
        let flush = raw.take("ftz");
        let subnormal = if flush {
            Subnormal::Flush
        } else {
            Subnormal::Keep
        };
        let unsigned = ["lo", "ls", "hi", "hs"].contains(&name);
        let unordered = name.len() == 3;
        let fits = match ty.class() {
            Class::Bits => matches!(name, "eq" | "ne") && matches!(ty, Ty::B16 | Ty::B32 | Ty::B64),
            Class::Unsigned => !unordered && ty.bits() >= 16,
            Class::Signed => !unordered && !unsigned && ty.bits() >= 16,
            Class::Float => !unsigned,
            Class::Predicate => false,
        };
        if !fits || (flush && !matches!(ty, Ty::F32 | Ty::F16 | Ty::F16x2)) {
            return raw.syntax(format!(
                "Illegal comparison or modifier for instruction '{}' of type .{}",
                raw.opcode,
                ty.name()
            ));
        }
        let bits = ty.bits();
        Ok(match ty {
            Ty::F32 => {
                each(move |a, b| holds[index(single::compare(a as u32, b as u32, subnormal))])
            }
            Ty::F64 => each(move |a, b| holds[index(double::compare(a, b))]),
            Ty::F16 | Ty::Bf16 => {
                let kind = half::kind(ty);
                each(move |a, b| holds[index(half16::compare(kind, a as u16, b as u16, subnormal))])
            }
            Ty::F16x2 | Ty::Bf16x2 => {
                let kind = half::kind(ty);
                Box::new(move |mask, a: &Row, b: &Row| {
                    let (mut low, mut high) = (0, 0);
                    let holds =
                        |a, b| u32::from(holds[index(half16::compare(kind, a, b, subnormal))]);
                    lanes(mask, |lane| {
                        low |= holds(a[lane] as u16, b[lane] as u16) << lane;
                        high |= holds((a[lane] >> 16) as u16, (b[lane] >> 16) as u16) << lane;
                    });
                    (low, high)
                })
            }
            _ if ty.is_signed() => {
                each(move |a, b| holds[order(signed(a, bits).cmp(&signed(b, bits)))])
            }
            _ => match name {
                "eq" => each(|a, b| a == b),
                "ne" => each(|a, b| a != b),
                "lt" | "lo" => each(|a, b| a < b),
                "ge" | "hs" => each(|a, b| a >= b),
                _ => each(move |a, b| holds[order(a.cmp(&b))]),
            },
        })
    }

    fn set(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let Some(at) = raw
            .modifiers
            .iter()
            .position(|name| COMPARISONS.iter().any(|row| row.0 == *name))
        else {
            return raw.syntax(format!(
                "Instruction '{}' requires a comparison",
                raw.opcode
            ));
        };
        let name = raw.modifiers.remove(at);
        let holds = COMPARISONS
            .iter()
            .find(|row| row.0 == name)
            .map_or([false; 4], |row| row.1);
        let logic: Option<fn(u32, u32) -> u32> = raw.one_of(&[
            ("and", (|a, b| a & b) as fn(u32, u32) -> u32),
            ("or", |a, b| a | b),
            ("xor", |a, b| a ^ b),
        ]);
        let is_set = raw.opcode == "set";
        let types = raw.types();
        let (result, ty) = match types[..] {
            [ty] if !is_set => (Ty::Pred, ty),
            [result, ty] if is_set => (result, ty),
            _ => {
                return raw.syntax(format!(
                    "Unexpected instruction types specified for '{}'",
                    raw.opcode
                ));
            }
        };
        match ty {
            Ty::F16 | Ty::F16x2 => self.require((4, 2), 53, "f16 comparison")?,
            Ty::Bf16 | Ty::Bf16x2 => self.require((7, 8), 90, "bf16 comparison")?,
            _ => {}
        }
        let f = self.test(raw, name, holds, ty)?;
        raw.done()?;
        let operands = 3 + usize::from(logic.is_some());
        raw.count(operands..=operands)?;
        let (a, b) = (
            self.src(&raw.operands[1], ty)?,
            self.src(&raw.operands[2], ty)?,
        );
        let combine = match logic {
            Some(logic) => Some((logic, self.pred(&raw.operands[3])?)),
            None => None,
        };
        let pair = matches!(ty, Ty::F16x2 | Ty::Bf16x2);
        if !is_set {
            let (p, q) = match &raw.operands[0] {
                Operand::Pair(both) => (self.pred_dst(&both.0)?, self.pred_dst(&both.1)?),
                _ if pair => return raw.syntax("Arguments mismatch for instruction 'setp'"),
                single => (self.pred_dst(single)?, None),
            };
            self.emit(Op::Test(Box::new(TestOp {
                f,
                a,
                b,
                combine,
                p,
                q,
            })));
            return Ok(());
        }
        if pair {
            return raw.unsupported();
        }
        let true_value = match result {
            Ty::U32 | Ty::S32 => 0xffff_ffff,
            Ty::F32 => 0x3f80_0000,
            Ty::F16 if ty == Ty::F16 => 0x3c00,
            Ty::Bf16 if ty == Ty::Bf16 => 0x3f80,
            Ty::U16 | Ty::S16 if matches!(ty, Ty::F16 | Ty::Bf16) => 0xffff,
            _ => return raw.syntax("Unexpected instruction types specified for 'set'"),
        };
        let p = self.predicate_row()?;
        self.emit(Op::Test(Box::new(TestOp {
            f,
            a,
            b,
            combine,
            p: Some(p),
            q: None,
        })));
        let (yes, no) = (self.constant(true_value), self.constant(0));
        let d = self.dst(&raw.operands[0], result)?;
        self.emit(Op::Select {
            d,
            a: yes,
            b: no,
            p: Pred {
                index: p,
                negate: false,
            },
        });
        Ok(())
    }

    fn select(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let ty = raw.ty()?;
        if !matches!(ty.bits(), 16 | 32 | 64)
            || matches!(ty, Ty::F16 | Ty::F16x2 | Ty::Bf16 | Ty::Bf16x2 | Ty::Tf32)
        {
            return raw.syntax("Unexpected instruction types specified for 'selp'");
        }
        raw.done()?;
        raw.count(4..=4)?;
        let (a, b) = (
            self.src(&raw.operands[1], ty)?,
            self.src(&raw.operands[2], ty)?,
        );
        let p = self.pred(&raw.operands[3])?;
        let d = self.dst(&raw.operands[0], ty)?;
        self.emit(Op::Select { d, a, b, p });
        Ok(())
    }

    fn select_by_sign(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let flush = raw.take("ftz");
        let types = raw.types();
        let [ty, by] = types[..] else {
            return raw.syntax("Unexpected instruction types specified for 'slct'");
        };
        if !matches!(by, Ty::S32 | Ty::F32) || (flush && by != Ty::F32) || ty.bits() < 16 {
            return raw.syntax("Unexpected instruction types specified for 'slct'");
        }
        raw.done()?;
        raw.count(4..=4)?;
        let s = self.sources(&raw.operands[1..], &[ty, ty, by])?;
        let d = self.dst(&raw.operands[0], ty)?;
        let float = by == Ty::F32;
        self.compute(
            d,
            &s,
            three(move |a, b, c| {
                let c = c as u32;
                // A negative subnormal counts as -0 with .ftz; NaN selects the second.
                let first = if float {
                    f32::from_bits(c) >= 0.0 || (flush && c & 0x7f80_0000 == 0)
                } else {
                    c >> 31 == 0
                };
                if first { a } else { b }
            }),
        );
        Ok(())
    }
}
