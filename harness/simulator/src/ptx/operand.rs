//! Reads operands and constant expressions.

use super::code::{Pred, Special};
use super::compiler::{Compiler, Name, Outcome};
use super::lexer::Kind;
use super::types::Ty;

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

pub(super) const MOST_NESTING: u32 = 32;

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
}
