//! Branches, calls, and barriers.

use super::super::body::Raw;
use super::super::code::{Barrier, BarrierKind, Call, Callee, END, Op};
use super::super::compiler::{Compiler, Name, Outcome, Passed};
use super::super::operand::{Operand, Place};
use super::super::types::Ty;

impl<'a> Compiler<'a> {
    pub(super) fn control(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "bra" => {
                raw.take("uni");
                raw.done()?;
                raw.count(1..=1)?;
                let Operand::Label(name) = raw.operands[0] else {
                    return raw.syntax("Label expected for argument 0 of instruction 'bra'");
                };
                let target = self.want(name);
                self.emit(Op::Branch { target, join: END });
                Ok(())
            }
            "brx" => {
                self.require((6, 0), 30, "brx.idx")?;
                if !raw.take("idx") {
                    return raw.syntax("Instruction 'brx' requires .idx");
                }
                raw.take("uni");
                raw.done()?;
                raw.count(2..=2)?;
                let index = self.src(&raw.operands[0], Ty::U32)?;
                let Operand::Label(list) = raw.operands[1] else {
                    return raw.syntax("A list of branch targets is expected");
                };
                let Some(names) = self.table(list) else {
                    return raw.syntax(format!("Unknown list of branch targets '{list}'"));
                };
                let targets = names.into_iter().map(|name| self.want(name)).collect();
                self.emit(Op::Table {
                    index,
                    targets,
                    join: END,
                });
                Ok(())
            }
            "call" => self.call(raw),
            "ret" | "exit" | "trap" | "brkpt" => {
                if raw.opcode == "ret" {
                    raw.take("uni");
                }
                raw.done()?;
                raw.count(0..=0)?;
                self.emit(match raw.opcode {
                    "ret" => Op::Return,
                    "exit" => Op::Exit,
                    _ => Op::Trap,
                });
                Ok(())
            }
            "bar" | "barrier" => self.barrier(raw),
            "nanosleep" => {
                self.require((6, 3), 70, "nanosleep")?;
                let ty = raw.ty()?;
                raw.done()?;
                raw.count(1..=1)?;
                self.src(&raw.operands[0], ty)?;
                self.nothing()
            }
            "griddepcontrol" => {
                self.require((7, 8), 90, "griddepcontrol")?;
                if raw
                    .one_of(&[("launch_dependents", ()), ("wait", ())])
                    .is_none()
                {
                    return raw.syntax(
                        "Instruction 'griddepcontrol' requires .launch_dependents or .wait",
                    );
                }
                raw.done()?;
                self.nothing()
            }
            "pmevent" => self.nothing(),
            _ => raw.unsupported(),
        }
    }

    fn call(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        raw.take("uni");
        raw.done()?;
        let mut operands = raw.operands.iter().cloned().peekable();
        let returned = match operands.next_if(|operand| matches!(operand, Operand::Group(_))) {
            Some(Operand::Group(parts)) => parts,
            _ => Vec::new(),
        };
        let Some(target) = operands.next() else {
            return raw.syntax("Arguments mismatch for instruction 'call'");
        };
        let passed = match operands.next_if(|operand| matches!(operand, Operand::Group(_))) {
            Some(Operand::Group(parts)) => parts,
            _ => Vec::new(),
        };
        let prototype = operands.next();
        if operands.next().is_some() {
            return raw.syntax("Arguments mismatch for instruction 'call'");
        }
        let callee = match target {
            Operand::Symbol(Place::Function(index), 0) => {
                let name = self.functions[index].name.clone();
                let signature = self.signatures[index].clone();
                if signature.defined == super::super::compiler::Defined::Entry {
                    return raw.syntax("A kernel cannot be called");
                }
                for (given, wanted) in [
                    (&passed, &signature.parameters),
                    (&returned, &signature.returns),
                ] {
                    let agrees = given.len() == wanted.len()
                        && given
                            .iter()
                            .zip(wanted)
                            .all(|(given, wanted)| match (given, wanted) {
                                (
                                    Operand::Symbol(Place::Frame { size, .. }, 0),
                                    Passed::Memory { size: wanted, .. },
                                ) => size == wanted,
                                (Operand::Symbol(..), _) => false,
                                (Operand::Register { ty, .. }, Passed::Register(wanted)) => {
                                    wanted.accepts(*ty)
                                }
                                (Operand::Predicate(_), Passed::Register(wanted)) => {
                                    *wanted == Ty::Pred
                                }
                                (_, Passed::Register(_)) => true,
                                (Operand::Register { ty, .. }, Passed::Memory { size, .. }) => {
                                    u64::from(ty.bytes()) == *size
                                }
                                (_, Passed::Memory { size, .. }) => *size <= 8,
                            });
                    if !agrees {
                        return raw.syntax(format!("Type or alignment of argument does not match formal parameter of '{name}'"));
                    }
                }
                match name.as_str() {
                    _ if signature.defined == super::super::compiler::Defined::Yes => {
                        Callee::Direct(index)
                    }
                    "vprintf" => Callee::Print,
                    "__assertfail" => Callee::Assert,
                    "malloc" => Callee::Allocate,
                    "free" => Callee::Free,
                    _ => Callee::Direct(index),
                }
            }
            Operand::Register { .. } => {
                self.require((2, 1), 20, "indirect call")?;
                let known = match prototype {
                    Some(Operand::Label(name)) => {
                        self.table(name).is_some()
                            || matches!(self.lookup(name)?, Some(Name::Prototype))
                    }
                    _ => false,
                };
                if !known {
                    return raw
                        .syntax("An indirect call requires a prototype or a list of targets");
                }
                Callee::Indirect(self.src(&target, Ty::U64)?)
            }
            _ => return raw.syntax("Function expected for instruction 'call'"),
        };
        let mut arguments = Vec::new();
        for operand in &passed {
            arguments.push(self.argument(operand)?);
        }
        let mut returns = Vec::new();
        for operand in &returned {
            if !matches!(
                operand,
                Operand::Register { .. } | Operand::Predicate(_) | Operand::Symbol(..)
            ) {
                return raw.syntax("Arguments mismatch for instruction 'call'");
            }
            returns.push(self.argument(operand)?);
        }
        self.emit(Op::Call(Box::new(Call {
            callee,
            arguments: arguments.into_boxed_slice(),
            returns: returns.into_boxed_slice(),
        })));
        Ok(())
    }

    fn barrier(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.modifiers.first() == Some(&"warp") {
            return self.warp_barrier(raw);
        }
        if raw.modifiers.contains(&"cluster") {
            return raw.unsupported();
        }
        if raw.opcode == "barrier" {
            self.require((6, 0), 30, "barrier")?;
            raw.take("aligned");
        }
        raw.take("cta");
        let Some(kind) = raw.one_of(&[("sync", 0), ("arrive", 1), ("red", 2)]) else {
            return raw.syntax(format!(
                "Instruction '{}' requires .sync, .arrive, or .red",
                raw.opcode
            ));
        };
        if kind != 2 {
            raw.done()?;
            raw.count(1 + kind..=2)?;
            let id = self.src(&raw.operands[0], Ty::U32)?;
            let threads = match raw.operands.get(1) {
                Some(operand) => Some(self.src(operand, Ty::U32)?),
                None => None,
            };
            let kind = if kind == 0 {
                BarrierKind::Sync
            } else {
                BarrierKind::Arrive
            };
            self.check_barrier(raw, 0)?;
            self.emit(Op::Barrier(Box::new(Barrier { id, threads, kind })));
            return Ok(());
        }
        let operation = raw.one_of(&[("popc", 0), ("and", 1), ("or", 2)]);
        let ty = raw.ty()?;
        raw.done()?;
        raw.count(3..=4)?;
        let last = raw.operands.len() - 1;
        let p = self.pred(&raw.operands[last])?;
        let id = self.src(&raw.operands[1], Ty::U32)?;
        self.check_barrier(raw, 1)?;
        let threads = if last == 3 {
            Some(self.src(&raw.operands[2], Ty::U32)?)
        } else {
            None
        };
        let kind = match (operation, ty) {
            (Some(0), Ty::U32) => BarrierKind::Count {
                d: self.dst(&raw.operands[0], ty)?,
                p,
            },
            (Some(operation), Ty::Pred) if operation > 0 => {
                let d = match self.pred_dst(&raw.operands[0])? {
                    Some(d) => d,
                    None => self.predicate_row()?,
                };
                if operation == 1 {
                    BarrierKind::All { d, p }
                } else {
                    BarrierKind::Any { d, p }
                }
            }
            _ => return raw.syntax("Unexpected instruction types specified for 'bar.red'"),
        };
        self.emit(Op::Barrier(Box::new(Barrier { id, threads, kind })));
        Ok(())
    }

    fn check_barrier(&self, raw: &Raw<'a>, operand: usize) -> Outcome<()> {
        match &raw.operands[operand] {
            Operand::Integer(id) if *id > 15 => raw.syntax("Barrier number out of range (0 to 15)"),
            _ => Ok(()),
        }
    }
}
