//! Reads the statements of a function.

use super::code::{Op, Pred};
use super::compiler::{Compiler, Name, Outcome};
use super::error::CompileError;
use super::lexer::Kind;
use super::operand::Operand;
use super::types::Ty;

/// Braces within braces.
const MOST_SCOPES: usize = 256;

/// An instruction as written.
pub(super) struct Raw<'a> {
    pub(super) opcode: &'a str,
    /// Modifiers that have not been understood yet.
    pub(super) modifiers: Vec<&'a str>,
    pub(super) operands: Vec<Operand<'a>>,
    pub(super) line: u32,
    pub(super) text: &'a str,
}

impl<'a> Raw<'a> {
    /// Takes a modifier, wherever it stands.
    pub(super) fn take(&mut self, name: &str) -> bool {
        match self.modifiers.iter().position(|modifier| *modifier == name) {
            Some(index) => {
                self.modifiers.remove(index);
                true
            }
            None => false,
        }
    }

    /// Takes the first modifier that is one of these.
    pub(super) fn one_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let index = self
            .modifiers
            .iter()
            .position(|modifier| table.iter().any(|row| row.0 == *modifier))?;
        let name = self.modifiers.remove(index);
        table.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// Takes all types, in order.
    pub(super) fn types(&mut self) -> Vec<Ty> {
        let mut found = Vec::new();
        self.modifiers.retain(|modifier| match Ty::named(modifier) {
            Some(ty) => {
                found.push(ty);
                false
            }
            None => true,
        });
        found
    }

    pub(super) fn unsupported<T>(&self) -> Outcome<T> {
        Err(CompileError::Unsupported {
            line: self.line,
            instruction: self.text.to_owned(),
        })
    }

    pub(super) fn syntax<T>(&self, message: impl Into<String>) -> Outcome<T> {
        Err(CompileError::syntax(self.line, message))
    }

    /// Checks how many operands there are.
    pub(super) fn count(&self, allowed: std::ops::RangeInclusive<usize>) -> Outcome<()> {
        if allowed.contains(&self.operands.len()) {
            Ok(())
        } else {
            self.syntax(format!(
                "Arguments mismatch for instruction '{}'",
                self.opcode
            ))
        }
    }

    /// The one type of the instruction.
    pub(super) fn ty(&mut self) -> Outcome<Ty> {
        match self.types()[..] {
            [ty] => Ok(ty),
            _ => self.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                self.opcode
            )),
        }
    }

    /// Refuses what is left over.
    pub(super) fn done(&self) -> Outcome<()> {
        match self.modifiers.first() {
            None => Ok(()),
            Some(modifier) => self.syntax(format!(
                "Illegal modifier '.{modifier}' for instruction '{}'",
                self.opcode
            )),
        }
    }
}

impl<'a> Compiler<'a> {
    /// The body of a function, from its opening to its closing brace.
    pub(super) fn statements(&mut self) -> Outcome<()> {
        self.expect("{")?;
        let mut depth = 1usize;
        while depth > 0 {
            let token = self.peek();
            self.body.line = token.line;
            self.body.guard = None;
            match token.kind {
                Kind::Punct if token.text == "{" => {
                    self.at += 1;
                    depth += 1;
                    if depth > MOST_SCOPES {
                        return self.wrong("braces are nested too deeply");
                    }
                    self.open_scope();
                }
                Kind::Punct if token.text == "}" => {
                    self.at += 1;
                    depth -= 1;
                    if depth > 0 {
                        self.body.open.pop();
                    }
                }
                Kind::Punct if token.text == "@" => self.instruction()?,
                Kind::Dot => self.directive()?,
                Kind::Word
                    if self
                        .tokens
                        .get(self.at + 1)
                        .is_some_and(|next| next.text == ":" && next.kind == Kind::Punct) =>
                {
                    self.label()?;
                }
                Kind::Word => self.instruction()?,
                _ => return self.unexpected("a statement"),
            }
        }
        self.body.open.clear();
        Ok(())
    }

    fn directive(&mut self) -> Outcome<()> {
        if self.skipped()? {
            return Ok(());
        }
        match self.peek().text {
            "reg" => {
                self.at += 1;
                if self.is_dot("v2") || self.is_dot("v4") {
                    let line = self.peek().line;
                    return Err(CompileError::Unsupported {
                        line,
                        instruction: ".reg with a vector type".to_owned(),
                    });
                }
                let ty = self.ty()?;
                loop {
                    let line = self.peek().line;
                    let name = self.word()?;
                    if self.eat("<") {
                        let count = self.number()?;
                        self.expect(">")?;
                        let scope = self.body.open[self.body.open.len() - 1];
                        if self.body.scopes[scope]
                            .ranges
                            .insert(name, (ty, count))
                            .is_some()
                        {
                            return Err(CompileError::syntax(
                                line,
                                format!("Duplicate definition of '{name}<>'"),
                            ));
                        }
                    } else {
                        let meaning = self.register(ty)?;
                        self.declare(name, meaning, line)?;
                    }
                    if self.eat(";") {
                        return Ok(());
                    }
                    self.expect(",")?;
                }
            }
            "local" | "shared" | "param" | "global" | "const" => self.variable(false),
            "extern" | "visible" => {
                let external = self.next().text == "extern";
                self.variable(external)
            }
            _ => self.unexpected("a known directive"),
        }
    }

    fn label(&mut self) -> Outcome<()> {
        let token = self.next();
        self.at += 1;
        let scope = self.body.open[self.body.open.len() - 1];
        if self.eat_dot("branchtargets") || self.eat_dot("calltargets") {
            let mut names = Vec::new();
            loop {
                names.push(self.word()?);
                if self.eat(";") {
                    break;
                }
                self.expect(",")?;
            }
            self.body.scopes[scope].tables.insert(token.text, names);
            return Ok(());
        }
        if self.eat_dot("callprototype") {
            if self.is("(") {
                self.formals()?;
            }
            self.word()?;
            if self.is("(") {
                self.formals()?;
            }
            self.eat_dot("noreturn");
            self.expect(";")?;
            return self.declare(token.text, Name::Prototype, token.line);
        }
        let place = u32::try_from(self.body.code.len()).unwrap_or(u32::MAX);
        if self.body.scopes[scope]
            .labels
            .insert(token.text, place)
            .is_some()
        {
            return self.wrong(format!("Duplicate definition of label '{}'", token.text));
        }
        Ok(())
    }

    fn instruction(&mut self) -> Outcome<()> {
        let first = self.peek();
        if self.eat("@") {
            let negate = self.eat("!");
            let name = self.word()?;
            match self.lookup(name)? {
                Some(Name::Predicate(index)) => self.body.guard = Some(Pred { index, negate }),
                _ => return self.wrong(format!("Unknown or wrong predicate '{name}'")),
            }
        }
        let opcode = self.peek();
        self.body.line = opcode.line;
        let name = self.word()?;
        let mut modifiers = Vec::new();
        while self.peek().kind == Kind::Dot {
            modifiers.push(self.next().text);
        }
        let mut operands = Vec::new();
        if !self.is(";") {
            loop {
                // A label may have the name of a function or variable.
                let label = (name == "bra" || (name == "brx" && operands.len() == 1))
                    && self.peek().kind == Kind::Word;
                operands.push(if label {
                    Operand::Label(self.next().text)
                } else {
                    self.operand()?
                });
                if !self.eat(",") {
                    break;
                }
            }
        }
        let end = self.peek();
        self.expect(";")?;
        let span = (first.start, end.start);
        self.body.span = (
            u32::try_from(span.0).unwrap_or(u32::MAX),
            u32::try_from(span.1).unwrap_or(u32::MAX),
        );
        let text = self.text.get(span.0..span.1).unwrap_or_default();
        let raw = Raw {
            opcode: name,
            modifiers,
            operands,
            line: opcode.line,
            text,
        };
        self.decode(raw)
    }

    /// A label that an instruction names: its number until all labels are known.
    pub(super) fn want(&mut self, name: &'a str) -> u32 {
        let scope = self.body.open[self.body.open.len() - 1];
        self.body.wanted.push((name, scope, self.body.line));
        u32::try_from(self.body.wanted.len() - 1).unwrap_or(u32::MAX)
    }

    /// A `.branchtargets` or `.calltargets` list.
    pub(super) fn table(&self, name: &str) -> Option<Vec<&'a str>> {
        self.body
            .open
            .iter()
            .rev()
            .find_map(|scope| self.body.scopes[*scope].tables.get(name).cloned())
    }

    /// Nothing to execute.
    pub(super) fn nothing(&mut self) -> Outcome<()> {
        self.emit(Op::Nothing);
        Ok(())
    }
}
