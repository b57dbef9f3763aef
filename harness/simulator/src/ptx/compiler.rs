//! What is known while a module is read: names, constants, and the function under construction.

use std::collections::HashMap;

use cudacheck_model::version::{ComputeCapability, PtxIsa};

use super::code::{Constant, Formal, Function, Inst, Op, Pred, Src};
use super::error::CompileError;
use super::lexer::{Kind, Token};
use super::module::{Entry, Symbol, Variable};
use super::types::Ty;

pub(super) type Outcome<T> = Result<T, CompileError>;

/// The reader's state.
pub(super) struct Compiler<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) at: usize,
    pub(super) isa: PtxIsa,
    /// The capability of `.target`: what the text may use, however new the device is.
    pub(super) target: ComputeCapability,
    pub(super) constants: Vec<Constant>,
    pub(super) known: HashMap<(u8, u64, i64), u32>,
    pub(super) names: HashMap<&'a str, Name>,
    pub(super) variables: Vec<Variable>,
    pub(super) functions: Vec<Function>,
    pub(super) signatures: Vec<Signature>,
    pub(super) entries: Vec<Entry>,
    /// Bytes of shared memory that the module's variables take so far.
    pub(super) shared: u64,
    pub(super) body: Body<'a>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Register {
        row: u32,
        ty: Ty,
    },
    Predicate(u32),
    Variable(usize),
    Shared {
        offset: u64,
    },
    Dynamic,
    Function(usize),
    /// A place in the frame: a local variable or a parameter of a device function.
    Frame {
        offset: u64,
        size: u64,
    },
    /// A parameter of the kernel.
    Parameter {
        offset: u64,
    },
    Prototype,
}

/// How a function is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Signature {
    pub(super) parameters: Vec<Passed>,
    pub(super) returns: Vec<Passed>,
    pub(super) defined: Defined,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Defined {
    #[default]
    No,
    Yes,
    Entry,
}

/// How one parameter is passed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Passed {
    Register(Ty),
    Memory { size: u64, align: u64 },
}

/// The function under construction.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) code: Vec<Inst>,
    pub(super) scopes: Vec<Scope<'a>>,
    pub(super) open: Vec<usize>,
    pub(super) rows: u32,
    /// Registers that the text declares and uses, in units of 32 bits.
    pub(super) words: u32,
    pub(super) predicates: u32,
    pub(super) local: u64,
    pub(super) shared: u64,
    /// Labels that instructions name, with the scope from which they do.
    pub(super) wanted: Vec<(&'a str, usize, u32)>,
    pub(super) guard: Option<Pred>,
    pub(super) line: u32,
    pub(super) span: (u32, u32),
    pub(super) is_entry: bool,
    pub(super) parameters: Vec<Formal>,
    pub(super) returns: Vec<Formal>,
}

/// One pair of braces.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) parent: Option<usize>,
    pub(super) names: HashMap<&'a str, Name>,
    /// `%r<20>` as `%r`: the type, and how many.
    pub(super) ranges: HashMap<&'a str, (Ty, u64)>,
    pub(super) labels: HashMap<&'a str, u32>,
    pub(super) tables: HashMap<&'a str, Vec<&'a str>>,
}

/// More rows than any kernel needs; hostile text must not exhaust the host.
const MOST_ROWS: u32 = 1 << 16;

impl<'a> Compiler<'a> {
    pub(super) fn peek(&self) -> Token<'a> {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub(super) fn is(&self, punct: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Punct && token.text == punct
    }

    pub(super) fn is_dot(&self, name: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Dot && token.text == name
    }

    pub(super) fn eat(&mut self, punct: &str) -> bool {
        let found = self.is(punct);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_dot(&mut self, name: &str) -> bool {
        let found = self.is_dot(name);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, punct: &str) -> Outcome<()> {
        if self.eat(punct) {
            Ok(())
        } else {
            self.unexpected(&format!("`{punct}`"))
        }
    }

    pub(super) fn unexpected<T>(&self, wanted: &str) -> Outcome<T> {
        let token = self.peek();
        let text = match token.kind {
            Kind::End => "end of input".to_owned(),
            Kind::Dot => format!("'.{}'", token.text),
            Kind::Word
            | Kind::Integer(_)
            | Kind::Single(_)
            | Kind::Double(_)
            | Kind::Text
            | Kind::Punct => {
                format!("'{}'", token.text)
            }
        };
        Err(CompileError::syntax(
            token.line,
            format!("Parsing error near {text}: syntax error, expected {wanted}"),
        ))
    }

    pub(super) fn word(&mut self) -> Outcome<&'a str> {
        if self.peek().kind == Kind::Word {
            Ok(self.next().text)
        } else {
            self.unexpected("a name")
        }
    }

    pub(super) fn number(&mut self) -> Outcome<u64> {
        if let Kind::Integer(value) = self.peek().kind {
            self.at += 1;
            Ok(value)
        } else {
            self.unexpected("an integer")
        }
    }

    /// An error in the line of the current instruction.
    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Outcome<T> {
        Err(CompileError::syntax(self.body.line, message))
    }

    /// Refuses what the module's `.version` or `.target` does not have yet.
    pub(super) fn require(&self, isa: (u32, u32), sm: u32, what: &str) -> Outcome<()> {
        let wanted = PtxIsa::new(isa.0, isa.1);
        if self.isa < wanted {
            return self.wrong(format!(
                "Feature '{what}' requires PTX ISA .version {wanted} or later"
            ));
        }
        if self.target < ComputeCapability::new(sm / 10, sm % 10) {
            return self.wrong(format!(
                "Feature '{what}' requires .target sm_{sm} or higher"
            ));
        }
        Ok(())
    }

    pub(super) fn constant(&mut self, value: u64) -> Src {
        self.pooled((0, value, 0), Constant::Value(value))
    }

    pub(super) fn symbol(&mut self, symbol: Symbol) -> Src {
        let key = match symbol {
            Symbol::Variable(index, offset) => (1, index as u64, offset),
            Symbol::Function(index) => (2, index as u64, 0),
        };
        self.pooled(key, Constant::Address(symbol))
    }

    fn pooled(&mut self, key: (u8, u64, i64), constant: Constant) -> Src {
        let next = u32::try_from(self.constants.len()).unwrap_or(Src::CONSTANT - 1);
        let index = *self.known.entry(key).or_insert(next);
        if index == next {
            self.constants.push(constant);
        }
        Src(index | Src::CONSTANT)
    }

    pub(super) fn emit(&mut self, op: Op) {
        let Body {
            guard, line, span, ..
        } = self.body;
        self.body.code.push(Inst {
            guard,
            op,
            line,
            span,
        });
    }

    /// Rows for a register: two where it has 128 bits.
    pub(super) fn rows(&mut self, ty: Ty) -> Outcome<u32> {
        let row = self.body.rows;
        self.body.rows += if ty.bits() > 64 { 2 } else { 1 };
        self.body.words += ty.bits().div_ceil(32);
        if self.body.rows > MOST_ROWS {
            return self.wrong("too many registers");
        }
        Ok(row)
    }

    pub(super) fn predicate_row(&mut self) -> Outcome<u32> {
        let index = self.body.predicates;
        self.body.predicates += 1;
        if index > MOST_ROWS {
            return self.wrong("too many predicates");
        }
        Ok(index)
    }

    /// What a name stands for here; registers of a range come into being when they are first named.
    pub(super) fn lookup(&mut self, name: &'a str) -> Outcome<Option<Name>> {
        let stem = name.trim_end_matches(|character: char| character.is_ascii_digit());
        let number: Option<u64> = name[stem.len()..].parse().ok();
        let plain = name.len() - stem.len() == 1 || name.as_bytes().get(stem.len()) != Some(&b'0');
        for index in (0..self.body.open.len()).rev() {
            let scope = self.body.open[index];
            if let Some(found) = self.body.scopes[scope].names.get(name) {
                return Ok(Some(found.clone()));
            }
            let Some(number) = number.filter(|_| plain) else {
                continue;
            };
            // `%r1<5>` declares %r10 to %r14, so that every split of the digits may be a range.
            for split in (stem.len()..name.len()).rev() {
                let rest = &name[split..];
                let within: u64 = if split == stem.len() {
                    number
                } else {
                    rest.parse().unwrap_or(u64::MAX)
                };
                if rest.len() > 1 && rest.starts_with('0') {
                    continue;
                }
                if let Some((ty, count)) = self.body.scopes[scope].ranges.get(&name[..split]) {
                    let (ty, count) = (*ty, *count);
                    if within < count {
                        let made = self.register(ty)?;
                        self.body.scopes[scope].names.insert(name, made.clone());
                        return Ok(Some(made));
                    }
                }
            }
        }
        Ok(self.names.get(name).cloned())
    }

    /// A new register.
    pub(super) fn register(&mut self, ty: Ty) -> Outcome<Name> {
        Ok(if ty == Ty::Pred {
            Name::Predicate(self.predicate_row()?)
        } else {
            Name::Register {
                row: self.rows(ty)?,
                ty,
            }
        })
    }

    /// Declares a name in the innermost braces.
    pub(super) fn declare(&mut self, name: &'a str, meaning: Name, line: u32) -> Outcome<()> {
        let names = match self.body.open.last() {
            Some(scope) => &mut self.body.scopes[*scope].names,
            None => &mut self.names,
        };
        if names.insert(name, meaning).is_some() {
            return Err(CompileError::syntax(
                line,
                format!("Duplicate definition of '{name}'"),
            ));
        }
        Ok(())
    }

    pub(super) fn open_scope(&mut self) {
        let scope = Scope {
            parent: self.body.open.last().copied(),
            ..Scope::default()
        };
        self.body.open.push(self.body.scopes.len());
        self.body.scopes.push(scope);
    }
}
