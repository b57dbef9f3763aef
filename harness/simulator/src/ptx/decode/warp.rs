//! Instructions by which the lanes of a warp talk to each other.

use super::super::body::Raw;
use super::super::code::{MatchKind, Op, Shuffle, Src, Vote, WarpKind, WarpOp};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::Ty;

impl<'a> Compiler<'a> {
    pub(super) fn warp(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "shfl" => self.shuffle(raw),
            "vote" => self.vote(raw),
            "match" => self.matching(raw),
            "redux" => self.reduce(raw),
            "elect" => {
                self.require((8, 0), 90, "elect")?;
                self.synchronous(raw)?;
                raw.done()?;
                raw.count(2..=2)?;
                let Operand::Pair(both) = raw.operands[0].clone() else {
                    return raw.syntax("Arguments mismatch for instruction 'elect'");
                };
                let d = match &both.0 {
                    Operand::Sink => None,
                    operand => Some(self.dst(operand, Ty::B32)?),
                };
                let Some(p) = self.pred_dst(&both.1)? else {
                    return raw.syntax("Predicate expected");
                };
                let mask = Some(self.src(&raw.operands[1], Ty::B32)?);
                self.rendezvous(mask, WarpKind::Elect { d, p });
                Ok(())
            }
            _ => {
                self.require((6, 2), 30, "activemask")?;
                if raw.ty()? != Ty::B32 {
                    return raw.syntax("Unexpected instruction types specified for 'activemask'");
                }
                raw.done()?;
                raw.count(1..=1)?;
                let d = self.dst(&raw.operands[0], Ty::B32)?;
                self.emit(Op::ActiveMask { d });
                Ok(())
            }
        }
    }

    fn rendezvous(&mut self, mask: Option<Src>, kind: WarpKind) {
        self.emit(Op::Warp(Box::new(WarpOp { mask, kind })));
    }

    fn synchronous(&self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.take("sync") {
            self.require((6, 0), 30, &format!("{}.sync", raw.opcode))
        } else {
            raw.syntax(format!("Instruction '{}' requires .sync", raw.opcode))
        }
    }

    /// Whether `.sync` is there; without it the instruction is gone from PTX 6.4 on for sm_70 and later.
    fn optional_sync(&self, raw: &mut Raw<'a>) -> Outcome<bool> {
        if raw.take("sync") {
            self.require((6, 0), 30, &format!("{}.sync", raw.opcode))?;
            return Ok(true);
        }
        let gone = cudacheck_model::version::PtxIsa::new(6, 4);
        if self.isa >= gone && self.target.major >= 7 {
            return raw.syntax(format!(
                "Instruction '{}' without '.sync' is not supported on .target sm_70 and higher from PTX ISA version 6.4",
                raw.opcode
            ));
        }
        Ok(false)
    }

    pub(super) fn warp_barrier(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        raw.take("warp");
        self.require((6, 0), 30, "bar.warp.sync")?;
        if !raw.take("sync") {
            return raw.syntax("Instruction 'bar.warp' requires .sync");
        }
        raw.done()?;
        raw.count(1..=1)?;
        let mask = Some(self.src(&raw.operands[0], Ty::B32)?);
        self.rendezvous(mask, WarpKind::Sync);
        Ok(())
    }

    fn shuffle(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let sync = self.optional_sync(raw)?;
        let mode = raw.one_of(&[
            ("up", Shuffle::Up),
            ("down", Shuffle::Down),
            ("bfly", Shuffle::Butterfly),
            ("idx", Shuffle::Index),
        ]);
        let Some(mode) = mode else {
            return raw.syntax("Instruction 'shfl' requires a mode");
        };
        if raw.ty()? != Ty::B32 {
            return raw.syntax("Unexpected instruction types specified for 'shfl'");
        }
        raw.done()?;
        raw.count(4 + usize::from(sync)..=4 + usize::from(sync))?;
        let (destination, p) = match raw.operands[0].clone() {
            Operand::Pair(both) => (both.0, self.pred_dst(&both.1)?),
            single => (single, None),
        };
        let d = match &destination {
            Operand::Sink => None,
            operand => Some(self.dst(operand, Ty::B32)?),
        };
        let s = self.sources(&raw.operands[1..4], &[Ty::B32; 3])?;
        let mask = if sync {
            Some(self.src(&raw.operands[4], Ty::B32)?)
        } else {
            None
        };
        self.rendezvous(
            mask,
            WarpKind::Shuffle {
                mode,
                d,
                p,
                a: s[0],
                b: s[1],
                c: s[2],
            },
        );
        Ok(())
    }

    fn vote(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let sync = self.optional_sync(raw)?;
        let mode = raw.one_of(&[
            ("all", Vote::All),
            ("any", Vote::Any),
            ("uni", Vote::Uniform),
            ("ballot", Vote::Ballot),
        ]);
        let Some(mode) = mode else {
            return raw.syntax("Instruction 'vote' requires a mode");
        };
        let ty = raw.ty()?;
        raw.done()?;
        raw.count(2 + usize::from(sync)..=2 + usize::from(sync))?;
        if ty
            != (if mode == Vote::Ballot {
                Ty::B32
            } else {
                Ty::Pred
            })
        {
            return raw.syntax("Unexpected instruction types specified for 'vote'");
        }
        let d = if mode == Vote::Ballot {
            self.dst(&raw.operands[0], ty)?
        } else {
            match self.pred_dst(&raw.operands[0])? {
                Some(d) => d,
                None => self.predicate_row()?,
            }
        };
        let p = self.pred(&raw.operands[1])?;
        let mask = if sync {
            Some(self.src(&raw.operands[2], Ty::B32)?)
        } else {
            None
        };
        self.rendezvous(mask, WarpKind::Vote { mode, d, p });
        Ok(())
    }

    fn matching(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        self.require((6, 0), 70, "match")?;
        self.synchronous(raw)?;
        let kind = raw.one_of(&[("any", MatchKind::Any), ("all", MatchKind::All)]);
        let Some(kind) = kind else {
            return raw.syntax("Instruction 'match' requires .any or .all");
        };
        let ty = raw.ty()?;
        if !matches!(ty, Ty::B32 | Ty::B64) {
            return raw.syntax("Unexpected instruction types specified for 'match'");
        }
        raw.done()?;
        raw.count(3..=3)?;
        let (destination, p) = match raw.operands[0].clone() {
            Operand::Pair(both) if kind == MatchKind::All => (both.0, self.pred_dst(&both.1)?),
            Operand::Pair(_) => return raw.syntax("Arguments mismatch for instruction 'match'"),
            single => (single, None),
        };
        let d = match &destination {
            Operand::Sink => None,
            operand => Some(self.dst(operand, Ty::B32)?),
        };
        let a = self.src(&raw.operands[1], ty)?;
        let mask = Some(self.src(&raw.operands[2], Ty::B32)?);
        self.rendezvous(mask, WarpKind::Match { kind, d, p, a });
        Ok(())
    }

    fn reduce(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        self.require((7, 0), 80, "redux")?;
        self.synchronous(raw)?;
        let names = ["add", "min", "max", "and", "or", "xor"];
        let Some(name) = names.into_iter().find(|name| raw.take(name)) else {
            return raw.syntax("Instruction 'redux' requires an operation");
        };
        let ty = raw.ty()?;
        let f: fn(u32, u32) -> u32 = match (name, ty) {
            ("add", Ty::U32 | Ty::S32) => u32::wrapping_add,
            ("min", Ty::U32) => |a, b| a.min(b),
            ("max", Ty::U32) => |a, b| a.max(b),
            ("min", Ty::S32) => |a, b| a.cast_signed().min(b.cast_signed()).cast_unsigned(),
            ("max", Ty::S32) => |a, b| a.cast_signed().max(b.cast_signed()).cast_unsigned(),
            ("and", Ty::B32) => |a, b| a & b,
            ("or", Ty::B32) => |a, b| a | b,
            ("xor", Ty::B32) => |a, b| a ^ b,
            (_, Ty::F32) => return raw.unsupported(),
            _ => return raw.syntax("Unexpected instruction types specified for 'redux'"),
        };
        raw.done()?;
        raw.count(3..=3)?;
        let a = self.src(&raw.operands[1], ty)?;
        let d = self.dst(&raw.operands[0], ty)?;
        let mask = Some(self.src(&raw.operands[2], Ty::B32)?);
        self.rendezvous(mask, WarpKind::Reduce { f, d, a });
        Ok(())
    }
}
