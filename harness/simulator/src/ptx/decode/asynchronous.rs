//! Asynchronous copies, and the barriers in memory that wait for them.

use super::super::body::Raw;
use super::super::code::{CopyAsync, MemoryBarrier, MemoryBarrierKind, MemorySpace, Op, Use};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::Ty;
use super::memory::take_cache_levels;
use super::one;

impl<'a> Compiler<'a> {
    pub(super) fn asynchronous(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.opcode == "mbarrier" {
            return self.mbarrier(raw);
        }
        if !raw.take("async") {
            return raw.unsupported();
        }
        if raw
            .modifiers
            .iter()
            .any(|modifier| ["bulk", "reduce"].contains(modifier))
        {
            return raw.unsupported();
        }
        self.require((7, 0), 80, "cp.async")?;
        if raw.take("commit_group") {
            raw.done()?;
            raw.count(0..=0)?;
            self.emit(Op::CommitGroup);
        } else if raw.take("wait_all") {
            raw.done()?;
            raw.count(0..=0)?;
            self.emit(Op::WaitGroup(None));
        } else if raw.take("wait_group") {
            raw.done()?;
            raw.count(1..=1)?;
            let count = self.immediate(&raw.operands[0])?;
            self.emit(Op::WaitGroup(Some(
                u32::try_from(count).unwrap_or(u32::MAX),
            )));
        } else if raw.take("mbarrier") {
            if !raw.take("arrive") {
                return raw.syntax("Instruction 'cp.async.mbarrier' requires .arrive");
            }
            let counted = raw.take("noinc");
            let address = self.barrier_address(raw, 0, Ty::B64)?;
            // Without .noinc the barrier expects this arrival in addition, so that only the copies matter.
            self.emit(if counted {
                let kind = MemoryBarrierKind::AfterCopies;
                Op::MemoryBarrier(Box::new(MemoryBarrier { address, kind }))
            } else {
                Op::WaitGroup(None)
            });
        } else {
            let all = raw.one_of(&[("ca", true), ("cg", false)]);
            let shared = raw.take("shared") || raw.take("shared::cta");
            if !shared || !raw.take("global") {
                return raw.syntax("Instruction 'cp.async' copies from .global to .shared");
            }
            take_cache_levels(raw);
            raw.done()?;
            raw.count(3..=5)?;
            let bytes = self.immediate(&raw.operands[2])?;
            let allowed = match all {
                Some(true) => matches!(bytes, 4 | 8 | 16),
                Some(false) => bytes == 16,
                None => false,
            };
            if !allowed {
                return raw.syntax("Unexpected cp-size or cache operator for 'cp.async'");
            }
            let to = self.address(&raw.operands[0], MemorySpace::Shared)?;
            let from = self.address(&raw.operands[1], MemorySpace::Global)?;
            let (mut source_bytes, mut ignore) = (None, None);
            match raw.operands.get(3).cloned() {
                Some(Operand::Predicate(pred)) => ignore = Some(pred),
                // A 64-bit register is a cache policy.
                Some(Operand::Register { ty, .. }) if ty.bits() == 64 => {}
                Some(operand) => source_bytes = Some(self.src(&operand, Ty::B32)?),
                None => {}
            }
            let bytes = usize::try_from(bytes).unwrap_or(0);
            self.emit(Op::CopyAsync(Box::new(CopyAsync {
                to,
                from,
                bytes,
                source_bytes,
                ignore,
            })));
        }
        Ok(())
    }

    fn barrier_address(
        &mut self,
        raw: &mut Raw<'a>,
        operand: usize,
        ty: Ty,
    ) -> Outcome<super::super::code::Address> {
        let shared = raw.take("shared") || raw.take("shared::cta");
        if raw
            .modifiers
            .iter()
            .any(|modifier| modifier.starts_with("shared::cluster"))
        {
            return raw.unsupported();
        }
        if raw.ty()? != ty {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        }
        raw.done()?;
        let Some(place) = raw.operands.get(operand) else {
            return raw.syntax(format!(
                "Arguments mismatch for instruction '{}'",
                raw.opcode
            ));
        };
        self.address(
            place,
            if shared {
                MemorySpace::Shared
            } else {
                MemorySpace::Generic
            },
        )
    }

    fn mbarrier(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        self.require((7, 0), 80, "mbarrier")?;
        let names = [
            "init",
            "inval",
            "arrive",
            "arrive_drop",
            "test_wait",
            "try_wait",
            "expect_tx",
            "complete_tx",
            "pending_count",
        ];
        let Some(name) = names
            .into_iter()
            .find(|name| raw.modifiers.first() == Some(name))
        else {
            return raw.syntax("Instruction 'mbarrier' requires an operation");
        };
        raw.modifiers.remove(0);
        if raw
            .one_of(&[("release", ()), ("acquire", ()), ("relaxed", ())])
            .is_some()
        {
            self.require((8, 0), 80, "mbarrier with ordering")?;
        }
        raw.one_of(&[("cta", ()), ("cluster", ())]);
        raw.take("noComplete");
        let parity = raw.take("parity");
        let expects = name != "expect_tx" && raw.take("expect_tx");
        if expects || name == "expect_tx" || name == "complete_tx" {
            self.require((8, 0), 90, "mbarrier.expect_tx")?;
        }
        if name == "try_wait" {
            self.require((7, 8), 90, "mbarrier.try_wait")?;
        }
        if parity {
            self.require((7, 1), 80, "mbarrier parity")?;
        }
        if name == "pending_count" {
            if raw.ty()? != Ty::B64 {
                return raw.syntax("Unexpected instruction types specified for 'mbarrier'");
            }
            raw.done()?;
            raw.count(2..=2)?;
            let a = self.src(&raw.operands[1], Ty::B64)?;
            let d = self.dst(&raw.operands[0], Ty::B32)?;
            self.compute(
                d,
                &[a],
                one(|state| u64::from(crate::exec::pending_count(state))),
            );
            return Ok(());
        }
        let place = usize::from(
            matches!(name, "arrive" | "arrive_drop" | "test_wait" | "try_wait")
                && !matches!(raw.operands.first(), Some(Operand::Bracket(..))),
        );
        let address = self.barrier_address(raw, place, Ty::B64)?;
        let rest: Vec<Operand<'a>> = raw.operands[place + 1..].to_vec();
        let one_more = |raw: &Raw<'a>| -> Outcome<()> {
            if rest.is_empty() {
                raw.syntax("Arguments mismatch for instruction 'mbarrier'")
            } else {
                Ok(())
            }
        };
        let kind = match name {
            "init" => {
                one_more(raw)?;
                MemoryBarrierKind::Initialise(self.src(&rest[0], Ty::U32)?)
            }
            "inval" => MemoryBarrierKind::Invalidate,
            "expect_tx" => {
                one_more(raw)?;
                MemoryBarrierKind::Expect(self.src(&rest[0], Ty::U32)?)
            }
            "complete_tx" => {
                one_more(raw)?;
                MemoryBarrierKind::Complete(self.src(&rest[0], Ty::U32)?)
            }
            "test_wait" | "try_wait" => {
                one_more(raw)?;
                let Some(p) = self.pred_dst(&raw.operands[0])? else {
                    return raw.syntax("Predicate expected");
                };
                if parity {
                    MemoryBarrierKind::TestParity {
                        p,
                        parity: self.src(&rest[0], Ty::U32)?,
                    }
                } else {
                    MemoryBarrierKind::Test {
                        p,
                        state: self.src(&rest[0], Ty::B64)?,
                    }
                }
            }
            _ => {
                let d = match raw.operands.first() {
                    Some(Operand::Sink | Operand::Bracket(..)) | None => None,
                    Some(operand) => Some(self.dst(&operand.clone(), Ty::B64)?),
                };
                let first = match rest.first() {
                    Some(operand) => Some(self.src(operand, Ty::U32)?),
                    None => None,
                };
                let one = self.constant(1);
                let (count, expect) = if expects {
                    (one, first)
                } else {
                    (first.unwrap_or(one), None)
                };
                let drop = if name == "arrive_drop" {
                    Use::Yes
                } else {
                    Use::No
                };
                MemoryBarrierKind::Arrive {
                    d,
                    count,
                    drop,
                    expect,
                }
            }
        };
        self.emit(Op::MemoryBarrier(Box::new(MemoryBarrier { address, kind })));
        Ok(())
    }
}
