//! `mov` with its packing forms, and addresses as values.

use super::super::body::Raw;
use super::super::code::{MemorySpace, Op, Pred, Src};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::{Operand, Place};
use super::super::types::{Ty, ones};
use super::{four, one, two};
use crate::exec::{LOCAL_WINDOW, SHARED_WINDOW, WINDOW_BYTES};

const SPACES: &[(&str, MemorySpace)] = &[
    ("global", MemorySpace::Global),
    ("shared", MemorySpace::Shared),
    ("shared::cta", MemorySpace::Shared),
    ("local", MemorySpace::Local),
    ("const", MemorySpace::Const),
    ("param", MemorySpace::Param),
];

/// Where a space begins in generic addresses, if it is no part of global memory.
fn window(space: MemorySpace) -> Option<u64> {
    match space {
        MemorySpace::Shared => Some(SHARED_WINDOW),
        MemorySpace::Local => Some(LOCAL_WINDOW),
        MemorySpace::Generic | MemorySpace::Global | MemorySpace::Const | MemorySpace::Param => {
            None
        }
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn moves(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "mov" => self.mov(raw),
            "cvta" => self.cvta(raw),
            "isspacep" => self.isspacep(raw),
            _ => raw.unsupported(),
        }
    }

    fn mov(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let ty = raw.ty()?;
        raw.done()?;
        raw.count(2..=2)?;
        if ty == Ty::Pred {
            let a = self.pred(&raw.operands[1])?;
            let Some(d) = self.pred_dst(&raw.operands[0])? else {
                return self.nothing();
            };
            let b = Pred {
                index: Pred::TRUE,
                negate: false,
            };
            self.emit(Op::Logic {
                f: |a, _| a,
                d,
                a,
                b,
            });
            return Ok(());
        }
        let float = ty.is_float() && !matches!(ty, Ty::F32 | Ty::F64);
        if matches!(ty.bits(), 1 | 4 | 8) || float {
            return raw.syntax("Unexpected instruction types specified for 'mov'");
        }
        if ty == Ty::B128 {
            self.require((8, 3), 70, "mov.b128")?;
        }
        match (raw.operands[0].clone(), raw.operands[1].clone()) {
            (Operand::Vector(parts), source) => self.unpack(raw, ty, &parts, &source),
            (destination, Operand::Vector(parts)) => self.pack(raw, ty, &destination, &parts),
            (destination, source) => {
                if ty == Ty::B128 {
                    let (
                        Operand::Register {
                            row: d,
                            ty: Ty::B128,
                        },
                        Operand::Register {
                            row: a,
                            ty: Ty::B128,
                        },
                    ) = (&destination, &source)
                    else {
                        return self.mismatch(ty);
                    };
                    self.compute(*d, &[Src(*a)], one(|a| a));
                    self.compute(d + 1, &[Src(a + 1)], one(|a| a));
                    return Ok(());
                }
                if matches!(source, Operand::Symbol(Place::Parameter(_), _)) && ty.bits() != 64 {
                    return self.mismatch(Ty::U64);
                }
                // The halves of special registers may be read with their own width only.
                let a = self.src(&source, ty)?;
                let d = self.dst(&destination, ty)?;
                self.compute(d, &[a], one(|a| a));
                Ok(())
            }
        }
    }

    fn part(&self, raw: &Raw<'a>, ty: Ty, count: usize) -> Outcome<Ty> {
        match (ty, count) {
            (Ty::B16, 2) => Ok(Ty::B8),
            (Ty::B32, 2) => Ok(Ty::B16),
            (Ty::B32, 4) => Ok(Ty::B8),
            (Ty::B64, 2) => Ok(Ty::B32),
            (Ty::B64, 4) => Ok(Ty::B16),
            (Ty::B128, 2) => Ok(Ty::B64),
            (Ty::B128, 4) => Ok(Ty::B32),
            _ => raw.syntax("Vector operand does not fit the type of 'mov'"),
        }
    }

    fn pack(
        &mut self,
        raw: &Raw<'a>,
        ty: Ty,
        destination: &Operand<'a>,
        parts: &[Operand<'a>],
    ) -> Outcome<()> {
        let part = self.part(raw, ty, parts.len())?;
        let mut s = self.sources(parts, &vec![part; parts.len()])?;
        let bits = part.bits();
        if ty == Ty::B128 {
            let Operand::Register { row, ty: Ty::B128 } = destination else {
                return self.mismatch(ty);
            };
            let half = s.len() / 2;
            // Both halves are read before either is written.
            let low = self.rows(Ty::B64)?;
            for (d, s) in [(low, &s[..half]), (row + 1, &s[half..])] {
                self.compute(
                    d,
                    s,
                    if half == 1 {
                        one(|a| a)
                    } else {
                        two(|a, b| a | b << 32)
                    },
                );
            }
            self.compute(*row, &[Src(low)], one(|a| a));
            return Ok(());
        }
        let d = self.dst(destination, ty)?;
        let zero = self.constant(0);
        s.resize(4, zero);
        self.compute(
            d,
            &s,
            four(move |a, b, c, e| {
                let shifted = |value: u64, by: u32| value.checked_shl(bits * by).unwrap_or(0);
                (a & ones(bits)) | shifted(b & ones(bits), 1) | shifted(c, 2) | shifted(e, 3)
            }),
        );
        Ok(())
    }

    fn unpack(
        &mut self,
        raw: &Raw<'a>,
        ty: Ty,
        parts: &[Operand<'a>],
        source: &Operand<'a>,
    ) -> Outcome<()> {
        let part = self.part(raw, ty, parts.len())?;
        let bits = part.bits();
        let words: Vec<Src> = if ty == Ty::B128 {
            let Operand::Register { row, ty: Ty::B128 } = source else {
                return self.mismatch(ty);
            };
            vec![Src(*row), Src(row + 1)]
        } else {
            vec![self.src(source, ty)?]
        };
        // The source may be one of the destinations, so that it is copied first.
        let mut copies = Vec::new();
        for word in words {
            let copy = self.rows(Ty::B64)?;
            self.compute(copy, &[word], one(|a| a));
            copies.push(copy);
        }
        for (index, operand) in (0u32..).zip(parts) {
            if matches!(operand, Operand::Sink) {
                continue;
            }
            let d = self.dst(operand, part)?;
            let place = index * bits;
            let shift = place % 64;
            let word = copies[(place / 64) as usize];
            self.compute(d, &[Src(word)], one(move |a| (a >> shift) & ones(bits)));
        }
        Ok(())
    }

    fn cvta(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let to = raw.take("to");
        let Some(space) = raw.one_of(SPACES) else {
            return raw.syntax("Instruction 'cvta' requires a state space");
        };
        let ty = raw.ty()?;
        if ty != Ty::U64 {
            return raw.syntax("Unexpected instruction types specified for 'cvta'");
        }
        raw.done()?;
        raw.count(2..=2)?;
        if space == MemorySpace::Param {
            return raw.unsupported();
        }
        let a = self.src(&raw.operands[1], ty)?;
        let d = self.dst(&raw.operands[0], ty)?;
        self.compute(
            d,
            &[a],
            match (window(space), to) {
                (None, _) => one(|a| a),
                (Some(base), false) => one(move |a| a.wrapping_add(base)),
                (Some(base), true) => one(move |a| a.wrapping_sub(base)),
            },
        );
        Ok(())
    }

    fn isspacep(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let Some(space) = raw.one_of(SPACES) else {
            return raw.syntax("Instruction 'isspacep' requires a state space");
        };
        raw.done()?;
        raw.count(2..=2)?;
        let a = self.src(&raw.operands[1], Ty::U64)?;
        let Some(p) = self.pred_dst(&raw.operands[0])? else {
            return self.nothing();
        };
        let d = self.rows(Ty::B64)?;
        match window(space) {
            Some(base) => self.compute(
                d,
                &[a],
                one(move |a| u64::from(a.wrapping_sub(base) < WINDOW_BYTES)),
            ),
            None => self.emit(Op::IsSpace { d, a, space }),
        }
        let zero = self.constant(0);
        self.emit(Op::Test(Box::new(super::super::code::TestOp {
            f: Box::new(|mask, a, b| {
                let mut found = 0;
                super::lanes(mask, |lane| found |= u32::from(a[lane] != b[lane]) << lane);
                (found, !found)
            }),
            a: Src(d),
            b: zero,
            combine: None,
            p: Some(p),
            q: None,
        })));
        Ok(())
    }
}
