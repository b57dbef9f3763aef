//! Turns operands into what instructions read and write, and refuses those of the wrong type.

use super::code::{Address, Argument, Base, Dst, MemorySpace, Op, Pred, Src};
use super::compiler::{Compiler, Outcome};
use super::module::Symbol;
use super::operand::{Operand, Place};
use super::types::{Ty, ones};

impl<'a> Compiler<'a> {
    /// A register or constant to read, of a type that the instruction wants.
    pub(super) fn src(&mut self, operand: &Operand<'a>, ty: Ty) -> Outcome<Src> {
        self.source(operand, ty, Ty::accepts)
    }

    /// The same where the register may be wider.
    pub(super) fn wide_src(&mut self, operand: &Operand<'a>, ty: Ty) -> Outcome<Src> {
        self.source(operand, ty, Ty::accepts_wider)
    }

    fn source(&mut self, operand: &Operand<'a>, ty: Ty, fits: fn(Ty, Ty) -> bool) -> Outcome<Src> {
        match operand {
            Operand::Register { row, ty: register } => {
                if fits(ty, *register) {
                    Ok(Src(*row))
                } else {
                    self.mismatch(ty)
                }
            }
            Operand::Integer(value) if !ty.is_float() && ty != Ty::Pred => {
                Ok(self.constant(value & ones(ty.bits())))
            }
            Operand::Single(bits) => match ty {
                Ty::F32 | Ty::B32 | Ty::Tf32 => Ok(self.constant(u64::from(*bits))),
                Ty::F64 => Ok(self.constant(f64::from(f32::from_bits(*bits)).to_bits())),
                _ => self.mismatch(ty),
            },
            Operand::Double(bits) => match ty {
                Ty::F64 | Ty::B64 => Ok(self.constant(*bits)),
                Ty::F32 => Ok(self.constant(u64::from((f64::from_bits(*bits) as f32).to_bits()))),
                _ => self.mismatch(ty),
            },
            Operand::Special(special, register) => {
                if !fits(ty, *register) {
                    return self.mismatch(ty);
                }
                let d = self.rows(*register)?;
                self.emit_always(Op::Special { d, which: *special });
                Ok(Src(d))
            }
            Operand::Symbol(place, offset) if !ty.is_float() && ty.bits() >= 32 => {
                self.place_source(*place, *offset)
            }
            _ => self.mismatch(ty),
        }
    }

    fn place_source(&mut self, place: Place, offset: i64) -> Outcome<Src> {
        let moved = |base: u64| base.wrapping_add(offset.cast_unsigned());
        Ok(match place {
            Place::Variable(index) => self.symbol(Symbol::Variable(index, offset)),
            Place::Function(index) => self.symbol(Symbol::Function(index)),
            Place::Shared(base) | Place::Parameter(base) => self.constant(moved(base)),
            Place::Dynamic => {
                let d = self.rows(Ty::B64)?;
                self.emit_always(Op::DynamicShared {
                    d,
                    offset: moved(0),
                });
                Src(d)
            }
            Place::Frame { offset: base, .. } => {
                let d = self.rows(Ty::B64)?;
                self.emit_always(Op::FrameAddress {
                    d,
                    offset: moved(base),
                });
                Src(d)
            }
        })
    }

    /// Emits what computes an operand; it needs no guard, because it only writes a register of its own.
    pub(super) fn emit_always(&mut self, op: Op) {
        let guard = self.body.guard.take();
        self.emit(op);
        self.body.guard = guard;
    }

    pub(super) fn mismatch<T>(&self, ty: Ty) -> Outcome<T> {
        self.wrong(format!(
            "Arguments mismatch for instruction: an operand is not of type '.{}'",
            ty.name()
        ))
    }

    /// A register to write.
    pub(super) fn dst(&mut self, operand: &Operand<'a>, ty: Ty) -> Outcome<u32> {
        match operand {
            Operand::Register { row, ty: register } if ty.accepts(*register) => Ok(*row),
            Operand::Sink => self.rows(ty),
            _ => self.mismatch(ty),
        }
    }

    /// A register to write that may be wider.
    pub(super) fn wide_dst(&mut self, operand: &Operand<'a>, ty: Ty) -> Outcome<Dst> {
        match operand {
            Operand::Register { row, ty: register } if ty.accepts_wider(*register) => Ok(Dst {
                row: *row,
                bits: register.bits(),
            }),
            Operand::Sink => Ok(Dst {
                row: self.rows(ty)?,
                bits: ty.bits(),
            }),
            _ => self.mismatch(ty),
        }
    }

    pub(super) fn pred(&self, operand: &Operand<'a>) -> Outcome<Pred> {
        match operand {
            Operand::Predicate(pred) => Ok(*pred),
            Operand::Integer(value) => Ok(Pred {
                index: Pred::TRUE,
                negate: *value == 0,
            }),
            _ => self.mismatch(Ty::Pred),
        }
    }

    pub(super) fn pred_dst(&self, operand: &Operand<'a>) -> Outcome<Option<u32>> {
        match operand {
            Operand::Predicate(Pred {
                index,
                negate: false,
            }) => Ok(Some(*index)),
            Operand::Sink => Ok(None),
            _ => self.mismatch(Ty::Pred),
        }
    }

    pub(super) fn immediate(&self, operand: &Operand<'a>) -> Outcome<u64> {
        match operand {
            Operand::Integer(value) => Ok(*value),
            _ => self.wrong(
                "Arguments mismatch for instruction: an operand must be an integer constant",
            ),
        }
    }

    /// The one address in brackets.
    pub(super) fn address(
        &mut self,
        operand: &Operand<'a>,
        space: MemorySpace,
    ) -> Outcome<Address> {
        match operand {
            Operand::Bracket(parts, offset) if parts.len() == 1 => {
                self.address_of(&parts[0], *offset, space)
            }
            _ => {
                self.wrong("Arguments mismatch for instruction: an address in brackets is expected")
            }
        }
    }

    pub(super) fn address_of(
        &mut self,
        part: &Operand<'a>,
        offset: i64,
        space: MemorySpace,
    ) -> Outcome<Address> {
        let bad = |compiler: &Self| {
            compiler.wrong("State space mismatch between instruction and address in instruction")
        };
        match part {
            Operand::Symbol(place, inner) => {
                let offset = offset.wrapping_add(*inner);
                let (space, base, offset) = match (place, space) {
                    (
                        Place::Variable(index),
                        MemorySpace::Global | MemorySpace::Const | MemorySpace::Generic,
                    ) => {
                        let is_const = self.variables[*index].space == super::module::Space::Const;
                        if (space == MemorySpace::Const) != is_const {
                            return bad(self);
                        }
                        (
                            space,
                            Base::Register(self.symbol(Symbol::Variable(*index, offset))),
                            0,
                        )
                    }
                    (Place::Shared(base), MemorySpace::Shared) => {
                        let base = self.constant(*base);
                        (space, Base::Register(base), offset)
                    }
                    (Place::Dynamic, MemorySpace::Shared) => (space, Base::Dynamic, offset),
                    (
                        Place::Frame { offset: base, .. },
                        MemorySpace::Local | MemorySpace::Param,
                    ) => (
                        MemorySpace::Local,
                        Base::Frame,
                        offset.wrapping_add(base.cast_signed()),
                    ),
                    (Place::Parameter(base), MemorySpace::Param) => {
                        let base = self.constant(*base);
                        (space, Base::Register(base), offset)
                    }
                    _ => return bad(self),
                };
                Ok(Address {
                    space,
                    base,
                    offset,
                })
            }
            Operand::Register { row, ty } if !ty.is_float() && matches!(ty.bits(), 32 | 64) => {
                if ty.bits() == 32 && matches!(space, MemorySpace::Generic | MemorySpace::Global) {
                    return self.mismatch(Ty::B64);
                }
                let space = if space == MemorySpace::Param && !self.body.is_entry {
                    MemorySpace::Local
                } else {
                    space
                };
                Ok(Address {
                    space,
                    base: Base::Register(Src(*row)),
                    offset,
                })
            }
            Operand::Integer(value) => {
                let base = self.constant(*value);
                Ok(Address {
                    space,
                    base: Base::Register(base),
                    offset,
                })
            }
            _ => self.wrong("Arguments mismatch for instruction: an address is expected"),
        }
    }

    pub(super) fn argument(&mut self, operand: &Operand<'a>) -> Outcome<Argument> {
        match operand {
            Operand::Symbol(Place::Frame { offset, size }, 0) => Ok(Argument::Local {
                offset: *offset,
                size: *size,
            }),
            Operand::Register { row, ty } if ty.bits() <= 64 => Ok(Argument::Register(Src(*row))),
            Operand::Predicate(pred) => Ok(Argument::Predicate(*pred)),
            Operand::Integer(value) => Ok(Argument::Register(self.constant(*value))),
            Operand::Single(bits) => Ok(Argument::Register(self.constant(u64::from(*bits)))),
            Operand::Double(bits) => Ok(Argument::Register(self.constant(*bits))),
            _ => self.wrong("Arguments mismatch for instruction 'call'"),
        }
    }
}
