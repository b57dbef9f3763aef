//! Reads declarations of variables and their initial values.

use super::compiler::{Compiler, Name, Outcome};
use super::error::CompileError;
use super::lexer::Kind;
use super::module::{Space, Symbol, Variable};
use super::types::Ty;

/// Larger than any device's memory.
const MOST_BYTES: u64 = 1 << 40;
const MOST_CONST: u64 = 65536;
const MOST_DIMENSIONS: usize = 16;

impl<'a> Compiler<'a> {
    /// `.global`, `.const`, `.shared`, `.local`, or `.param` with all that follows.
    pub(super) fn variable(&mut self, external: bool) -> Outcome<()> {
        let space = self.next();
        self.body.line = space.line;
        let (ty, width, align) = self.declaration()?;
        loop {
            self.declarator(space.text, external, ty, width, align)?;
            if self.eat(";") {
                return Ok(());
            }
            self.expect(",")?;
        }
    }

    fn declarator(
        &mut self,
        space: &str,
        external: bool,
        ty: Ty,
        width: u64,
        align: u64,
    ) -> Outcome<()> {
        let line = self.peek().line;
        let name = self.word()?;
        let element = u64::from(ty.bytes()) * width;
        let align = align.max(element.next_power_of_two());
        if self.eat("<") {
            return Err(CompileError::Unsupported {
                line,
                instruction: format!(".{space} {name}<...>"),
            });
        }
        let mut dimensions = Vec::new();
        while self.eat("[") {
            dimensions.push(if self.is("]") {
                None
            } else {
                Some(self.constant_expression()?)
            });
            self.expect("]")?;
            if dimensions.len() > MOST_DIMENSIONS {
                return Err(CompileError::syntax(
                    line,
                    format!("too many dimensions of '{name}'"),
                ));
            }
        }
        if dimensions.iter().skip(1).any(Option::is_none) {
            return Err(CompileError::syntax(
                line,
                format!("missing dimension of '{name}'"),
            ));
        }
        let open_ended = dimensions.first() == Some(&None);
        let known: Vec<u64> = dimensions
            .iter()
            .skip(usize::from(open_ended))
            .flatten()
            .copied()
            .collect();
        let inner = known
            .iter()
            .try_fold(element, |size, count| size.checked_mul(*count))
            .filter(|size| *size <= MOST_BYTES)
            .ok_or_else(|| {
                CompileError::syntax(line, format!("Size of variable '{name}' is too large"))
            })?;
        let (mut initial, mut relocations) = (Vec::new(), Vec::new());
        let mut size = if open_ended { 0 } else { inner };
        if self.eat("=") {
            if !["global", "const"].contains(&space) || external {
                return Err(CompileError::syntax(
                    line,
                    format!("Initializer not allowed for '{name}'"),
                ));
            }
            let mut sizes = vec![element];
            for count in known.iter().rev() {
                sizes.push(sizes[sizes.len() - 1].saturating_mul(*count));
            }
            if open_ended {
                sizes.push(u64::MAX);
            }
            sizes.reverse();
            self.initial(&sizes, ty, 0, &mut initial, &mut relocations)?;
            if open_ended {
                size = (initial.len() as u64).next_multiple_of(inner.max(1));
            }
            if initial.len() as u64 > size {
                return Err(CompileError::syntax(
                    line,
                    format!("Too many initializers for '{name}'"),
                ));
            }
        }
        let meaning = match space {
            "shared" if open_ended && external => Name::Dynamic,
            _ if open_ended && size == 0 => {
                return Err(CompileError::syntax(
                    line,
                    format!("Array '{name}' has no size"),
                ));
            }
            "shared" => {
                let ended = self
                    .entries
                    .iter()
                    .map(|entry| u64::from(entry.static_shared))
                    .max();
                let (base, counter) = if self.body.is_entry {
                    (self.shared, &mut self.body.shared)
                } else {
                    self.shared = self.shared.max(ended.unwrap_or(0));
                    (0, &mut self.shared)
                };
                let offset = (base + *counter).next_multiple_of(align);
                *counter = offset + size - base;
                if offset + size > 1 << 24 {
                    return Err(CompileError::syntax(
                        line,
                        format!("'{name}' uses too much shared data"),
                    ));
                }
                Name::Shared { offset }
            }
            "local" | "param" => Name::Frame {
                offset: self.frame(size, align)?,
                size,
            },
            "global" | "const" => {
                let is_const = space == "const";
                let used: u64 = self
                    .variables
                    .iter()
                    .filter(|other| other.space == Space::Const)
                    .map(|other| other.size)
                    .sum();
                if is_const && used + size > MOST_CONST {
                    return Err(CompileError::syntax(
                        line,
                        format!(
                            "File uses too much global constant data (0x{:x} bytes, 0x10000 max)",
                            used + size
                        ),
                    ));
                }
                let index = self.variables.len();
                self.variables.push(Variable {
                    name: name.to_owned(),
                    space: if is_const {
                        Space::Const
                    } else {
                        Space::Global
                    },
                    size,
                    align,
                    initial,
                    relocations,
                    external,
                });
                Name::Variable(index)
            }
            _ => return self.unexpected("a state space"),
        };
        self.declare(name, meaning, line)
    }

    /// `sizes[0]` is the size of this level, the last that of one element.
    fn initial(
        &mut self,
        sizes: &[u64],
        ty: Ty,
        at: u64,
        bytes: &mut Vec<u8>,
        relocations: &mut Vec<(usize, Symbol)>,
    ) -> Outcome<()> {
        let line = self.peek().line;
        if self.eat("{") {
            let below = if sizes.len() > 1 { &sizes[1..] } else { sizes };
            // A vector element's braces hold its scalars.
            let step = if sizes.len() > 1 {
                below[0]
            } else {
                u64::from(ty.bytes())
            };
            let mut offset = at;
            if self.eat("}") {
                return Ok(());
            }
            loop {
                if offset >= at.saturating_add(sizes[0]) {
                    return Err(CompileError::syntax(line, "Too many initializers"));
                }
                // Inner braces may be left out; then the scalars follow each other.
                if self.is("{") {
                    offset = at + (offset - at).next_multiple_of(step.max(1));
                    if sizes.len() == 1 {
                        return Err(CompileError::syntax(line, "Too many braces in initializer"));
                    }
                    self.initial(below, ty, offset, bytes, relocations)?;
                    offset += step;
                } else {
                    self.scalar(ty, offset, bytes, relocations)?;
                    offset += u64::from(ty.bytes());
                }
                if self.eat("}") {
                    return Ok(());
                }
                self.expect(",")?;
                if self.eat("}") {
                    return Ok(());
                }
            }
        }
        self.scalar(ty, at, bytes, relocations)
    }

    fn scalar(
        &mut self,
        ty: Ty,
        at: u64,
        bytes: &mut Vec<u8>,
        relocations: &mut Vec<(usize, Symbol)>,
    ) -> Outcome<()> {
        let token = self.peek();
        let at = usize::try_from(at)
            .map_err(|_| CompileError::syntax(token.line, "initializer too large"))?;
        let size = ty.bytes() as usize;
        let value: u64 = if token.kind == Kind::Word {
            self.at += 1;
            let generic = token.text == "generic" && self.eat("(");
            let name = if generic { self.word()? } else { token.text };
            if generic {
                self.expect(")")?;
            }
            let sign = if self.eat("+") {
                1
            } else if self.eat("-") {
                -1
            } else {
                0
            };
            let offset = if sign == 0 {
                0
            } else {
                sign * self.constant_expression()?.cast_signed()
            };
            match self.names.get(name) {
                Some(Name::Function(index)) if size == 8 => {
                    relocations.push((at, Symbol::Function(*index)))
                }
                Some(Name::Variable(index)) if size == 8 => {
                    relocations.push((at, Symbol::Variable(*index, offset)));
                }
                Some(Name::Shared { offset: place }) => {
                    let end = (at + size).max(bytes.len());
                    bytes.resize(end, 0);
                    let value = place.wrapping_add(offset.cast_unsigned()).to_le_bytes();
                    bytes[at..at + size].copy_from_slice(&value[..size.min(8)]);
                    return Ok(());
                }
                _ => {
                    return Err(CompileError::syntax(
                        token.line,
                        format!("Unknown symbol '{name}' or wrong size in initializer"),
                    ));
                }
            }
            0
        } else {
            self.literal(ty)?
        };
        let end = (at + size).max(bytes.len());
        if end > 1 << 28 {
            return Err(CompileError::syntax(token.line, "initializer too large"));
        }
        bytes.resize(end, 0);
        bytes[at..at + size.min(8)].copy_from_slice(&value.to_le_bytes()[..size.min(8)]);
        Ok(())
    }

    /// A number as a value of a type.
    fn literal(&mut self, ty: Ty) -> Outcome<u64> {
        let line = self.peek().line;
        let negative = ty.is_float() && self.eat("-");
        let value = match (self.peek().kind, ty) {
            (Kind::Single(bits), Ty::F32 | Ty::B32) => {
                self.at += 1;
                u64::from(bits) ^ (u64::from(negative) << 31)
            }
            (Kind::Double(bits), Ty::F64 | Ty::B64) => {
                self.at += 1;
                bits ^ (u64::from(negative) << 63)
            }
            (Kind::Double(bits), Ty::F32) => {
                self.at += 1;
                u64::from((f64::from_bits(bits) as f32).to_bits()) ^ (u64::from(negative) << 31)
            }
            (Kind::Single(bits), Ty::F64) => {
                self.at += 1;
                f64::from(f32::from_bits(bits)).to_bits() ^ (u64::from(negative) << 63)
            }
            (Kind::Integer(0), Ty::F32) => {
                self.at += 1;
                0
            }
            (Kind::Integer(0), Ty::F64) => {
                self.at += 1;
                0
            }
            _ if ty.is_float() && !matches!(ty, Ty::F16 | Ty::Bf16) => {
                return Err(CompileError::syntax(
                    line,
                    format!("Illegal initializer for type .{}", ty.name()),
                ));
            }
            _ => self.constant_expression()?,
        };
        Ok(value)
    }
}
