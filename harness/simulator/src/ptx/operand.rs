//! Reads operands and constant expressions.

use super::code::{Address, Argument, Base, Dst, MemorySpace, Op, Pred, Special, Src};
use super::compiler::{Compiler, Name, Outcome};
use super::error::CompileError;
use super::lexer::Kind;
use super::module::Symbol;
use super::types::{Ty, ones};

/// An operand as written, with its names resolved.
#[derive(Clone, Debug)]
pub(super) enum Operand<'a> {
    Register {
        row: u32,
        ty: Ty,
    },
    Predicate(Pred),
    Integer(u64),
    Single(u32),
    Double(u64),
    Special(Special, Ty),
    /// A variable, function, or parameter, plus an offset.
    Symbol(Place, i64),
    Label(&'a str),
    Vector(Vec<Operand<'a>>),
    Bracket(Vec<Operand<'a>>, i64),
    Group(Vec<Operand<'a>>),
    /// `p|q`.
    Pair(Box<(Operand<'a>, Operand<'a>)>),
    Sink,
}

/// Where a symbol is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Variable(usize),
    Function(usize),
    Shared(u64),
    Dynamic,
    Frame { offset: u64, size: u64 },
    Parameter(u64),
}

/// Functions that the driver provides.
pub(super) fn is_builtin(name: &str) -> bool {
    ["vprintf", "__assertfail", "malloc", "free"].contains(&name)
}

const MOST_NESTING: u32 = 32;

impl<'a> Compiler<'a> {
    pub(super) fn operand(&mut self) -> Outcome<Operand<'a>> {
        let first = self.single(0)?;
        if self.eat("|") {
            let second = self.single(0)?;
            return Ok(Operand::Pair(Box::new((first, second))));
        }
        Ok(first)
    }

    fn single(&mut self, depth: u32) -> Outcome<Operand<'a>> {
        let token = self.peek();
        if depth > MOST_NESTING {
            return self.unexpected("less nesting");
        }
        match token.kind {
            Kind::Word => self.named(),
            Kind::Single(bits) => {
                self.at += 1;
                Ok(Operand::Single(bits))
            }
            Kind::Double(bits) => {
                self.at += 1;
                Ok(Operand::Double(bits))
            }
            Kind::Integer(_) => Ok(Operand::Integer(self.constant_expression()?)),
            Kind::Punct => match token.text {
                "{" => {
                    self.at += 1;
                    Ok(Operand::Vector(self.list("}", depth)?))
                }
                "(" if !self.expression_ahead() => {
                    self.at += 1;
                    Ok(Operand::Group(self.list(")", depth)?))
                }
                "[" => {
                    self.at += 1;
                    let mut parts = vec![self.single(depth + 1)?];
                    let mut offset = 0;
                    if self.is("+") || self.is("-") {
                        let minus = self.next().text == "-";
                        let value = self.constant_expression()?.cast_signed();
                        offset = if minus { value.wrapping_neg() } else { value };
                    }
                    while self.eat(",") {
                        parts.push(self.single(depth + 1)?);
                    }
                    self.expect("]")?;
                    Ok(Operand::Bracket(parts, offset))
                }
                "!" => {
                    self.at += 1;
                    match self.single(depth + 1)? {
                        Operand::Predicate(Pred { index, negate }) => {
                            Ok(Operand::Predicate(Pred {
                                index,
                                negate: !negate,
                            }))
                        }
                        Operand::Integer(value) => Ok(Operand::Integer(u64::from(value == 0))),
                        _ => self.wrong("'!' needs a predicate"),
                    }
                }
                "-" if matches!(
                    self.tokens.get(self.at + 1).map(|token| token.kind),
                    Some(Kind::Single(_) | Kind::Double(_))
                ) =>
                {
                    self.at += 1;
                    match self.next().kind {
                        Kind::Single(bits) => Ok(Operand::Single(bits ^ (1 << 31))),
                        Kind::Double(bits) => Ok(Operand::Double(bits ^ (1 << 63))),
                        _ => self.unexpected("a number"),
                    }
                }
                _ => Ok(Operand::Integer(self.constant_expression()?)),
            },
            Kind::Dot | Kind::Text | Kind::End => self.unexpected("an operand"),
        }
    }

    /// Whether a parenthesis begins a constant expression instead of a list of parameters.
    fn expression_ahead(&self) -> bool {
        let mut at = self.at;
        while self.tokens.get(at).is_some_and(|token| token.text == "(") {
            at += 1;
        }
        let number = matches!(
            self.tokens.get(at).map(|token| token.kind),
            Some(Kind::Integer(_))
        );
        number
            && self
                .tokens
                .get(at + 1)
                .is_some_and(|token| ![")", ","].contains(&token.text))
    }

    fn list(&mut self, close: &str, depth: u32) -> Outcome<Vec<Operand<'a>>> {
        let mut found = Vec::new();
        if self.eat(close) {
            return Ok(found);
        }
        loop {
            found.push(self.single(depth + 1)?);
            if self.eat(close) {
                return Ok(found);
            }
            self.expect(",")?;
        }
    }

    fn named(&mut self) -> Outcome<Operand<'a>> {
        let token = self.next();
        if token.text == "_" {
            return Ok(Operand::Sink);
        }
        if token.text.starts_with('%')
            && let Some((special, ty)) = self.special(token.text)?
        {
            return Ok(Operand::Special(special, ty));
        }
        if token.text == "WARP_SZ" {
            return Ok(Operand::Integer(32));
        }
        let place = match self.lookup(token.text)? {
            Some(Name::Register { row, ty }) => return Ok(Operand::Register { row, ty }),
            Some(Name::Predicate(index)) => {
                return Ok(Operand::Predicate(Pred {
                    index,
                    negate: false,
                }));
            }
            Some(Name::Variable(index)) => Place::Variable(index),
            Some(Name::Function(index)) => Place::Function(index),
            Some(Name::Shared { offset }) => Place::Shared(offset),
            Some(Name::Dynamic) => Place::Dynamic,
            Some(Name::Frame { offset, size }) => Place::Frame { offset, size },
            Some(Name::Parameter { offset }) => Place::Parameter(offset),
            Some(Name::Prototype) => return Ok(Operand::Label(token.text)),
            None if token.text.starts_with('%') => {
                return self.wrong(format!("Unknown symbol '{}'", token.text));
            }
            None => return Ok(Operand::Label(token.text)),
        };
        let mut offset = 0;
        if (self.is("+") || self.is("-"))
            && matches!(
                self.tokens.get(self.at + 1).map(|token| token.kind),
                Some(Kind::Integer(_))
            )
        {
            let minus = self.next().text == "-";
            let value = self.constant_expression()?.cast_signed();
            offset = if minus { value.wrapping_neg() } else { value };
        }
        Ok(Operand::Symbol(place, offset))
    }

    fn special(&mut self, name: &str) -> Outcome<Option<(Special, Ty)>> {
        let vector: Option<fn(usize) -> Special> = match name {
            "%tid" => Some(Special::Tid),
            "%ntid" => Some(Special::Ntid),
            "%ctaid" => Some(Special::Ctaid),
            "%nctaid" => Some(Special::Nctaid),
            _ => None,
        };
        if let Some(vector) = vector {
            let axis = self.next();
            let axis = ["x", "y", "z"]
                .iter()
                .position(|name| axis.kind == Kind::Dot && axis.text == *name);
            return match axis {
                Some(axis) => Ok(Some((vector(axis), Ty::U32))),
                None => self.wrong(format!("{name} needs .x, .y, or .z")),
            };
        }
        let cluster: Option<Special> = match name {
            "%clusterid" | "%cluster_ctaid" => Some(Special::Zero),
            "%nclusterid" | "%cluster_nctaid" => Some(Special::One),
            _ => None,
        };
        if let Some(special) = cluster {
            self.require((7, 8), 90, name)?;
            self.next();
            return Ok(Some((special, Ty::U32)));
        }
        Ok(Some(match name {
            "%laneid" => (Special::LaneId, Ty::U32),
            "%warpid" => (Special::WarpId, Ty::U32),
            "%nwarpid" => (Special::NWarpId, Ty::U32),
            "%smid" => (Special::SmId, Ty::U32),
            "%nsmid" => (Special::NSmId, Ty::U32),
            "%gridid" => (Special::GridId, Ty::U64),
            "%lanemask_eq" => (Special::LaneMask(|lane| 1 << lane), Ty::U32),
            "%lanemask_lt" => (Special::LaneMask(|lane| (1 << lane) - 1), Ty::U32),
            "%lanemask_le" => (Special::LaneMask(|lane| u32::MAX >> (31 - lane)), Ty::U32),
            "%lanemask_gt" => (
                Special::LaneMask(|lane| !(u32::MAX >> (31 - lane))),
                Ty::U32,
            ),
            "%lanemask_ge" => (Special::LaneMask(|lane| u32::MAX << lane), Ty::U32),
            "%clock" => (Special::Clock, Ty::U32),
            "%clock_hi" => (Special::ClockHigh, Ty::U32),
            "%clock64" => (Special::Clock64, Ty::U64),
            "%globaltimer" => (Special::GlobalTimer, Ty::U64),
            "%globaltimer_lo" => (Special::GlobalTimerLow, Ty::U32),
            "%globaltimer_hi" => (Special::GlobalTimerHigh, Ty::U32),
            "%dynamic_smem_size" => (Special::DynamicShared, Ty::U32),
            "%total_smem_size" | "%aggr_smem_size" => (Special::TotalShared, Ty::U32),
            "%reserved_smem_offset_begin" | "%reserved_smem_offset_end" => (Special::Zero, Ty::U32),
            "%cluster_ctarank" => (Special::Zero, Ty::U32),
            "%cluster_nctarank" => (Special::One, Ty::U32),
            _ => return Ok(None),
        }))
    }

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

    /// An integer constant expression, as of C.
    pub(super) fn constant_expression(&mut self) -> Outcome<u64> {
        self.binary(0, 0)
    }

    fn binary(&mut self, level: usize, depth: u32) -> Outcome<u64> {
        // A bar separates destinations, and so is no operator of an operand outside parentheses.
        const LEVELS: &[&[&str]] = &[
            &["&&", "||"],
            &["^", "&"],
            &["==", "!="],
            &["<", ">", "<=", ">="],
            &["<<", ">>"],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(operators) = LEVELS.get(level) else {
            return self.unary(depth);
        };
        let mut left = self.binary(level + 1, depth)?;
        loop {
            let token = self.peek();
            if token.kind != Kind::Punct || !operators.contains(&token.text) {
                return Ok(left);
            }
            self.at += 1;
            let right = self.binary(level + 1, depth)?;
            let (a, b) = (left.cast_signed(), right.cast_signed());
            let shift = (right & 63) as u32;
            left = match token.text {
                "&&" => u64::from(left != 0 && right != 0),
                "||" => u64::from(left != 0 || right != 0),
                "^" => left ^ right,
                "&" => left & right,
                "==" => u64::from(left == right),
                "!=" => u64::from(left != right),
                "<" => u64::from(a < b),
                ">" => u64::from(a > b),
                "<=" => u64::from(a <= b),
                ">=" => u64::from(a >= b),
                "<<" => left << shift,
                ">>" => (a >> shift).cast_unsigned(),
                "+" => left.wrapping_add(right),
                "-" => left.wrapping_sub(right),
                "*" => left.wrapping_mul(right),
                _ if right == 0 => {
                    return Err(CompileError::syntax(
                        token.line,
                        "Division by zero in constant expression",
                    ));
                }
                "/" => a.wrapping_div(b).cast_unsigned(),
                _ => a.wrapping_rem(b).cast_unsigned(),
            };
        }
    }

    fn unary(&mut self, depth: u32) -> Outcome<u64> {
        if depth > MOST_NESTING {
            return self.unexpected("less nesting");
        }
        if self.eat("-") {
            return Ok(self.unary(depth + 1)?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary(depth + 1);
        }
        if self.eat("~") {
            return Ok(!self.unary(depth + 1)?);
        }
        if self.eat("!") {
            return Ok(u64::from(self.unary(depth + 1)? == 0));
        }
        if self.eat("(") {
            let value = self.binary(0, depth + 1)?;
            self.expect(")")?;
            return Ok(value);
        }
        self.number()
    }
}
