//! Reads kernels and device functions: how they are called, and what surrounds their bodies.

use cudacheck_model::version::PtxIsa;

use super::code::{Formal, Function, Op};
use super::compiler::{Body, Compiler, Defined, Name, Outcome, Passed, Signature};
use super::error::CompileError;
use super::flow::mark_joins;
use super::lexer::Kind;
use super::module::{Entry, Parameter};
use super::types::Ty;

/// The static shared memory that any kernel may have.
const MOST_SHARED: u64 = 0xc000;
/// The local memory of one thread.
const MOST_LOCAL: u64 = 512 << 10;
/// Parameters of a kernel: more than 4 KiB came with PTX 8.1 and sm_70.
const MOST_PARAMETERS: (usize, usize) = (4096, 32764);

impl<'a> Compiler<'a> {
    pub(super) fn entry(&mut self) -> Outcome<()> {
        self.at += 1;
        let line = self.peek().line;
        let name = self.word()?;
        self.begin(true);
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut bytes = 0usize;
        if self.eat("(") && !self.eat(")") {
            loop {
                let (name, passed, line) = self.parameter()?;
                let Passed::Memory { size, align } = passed else {
                    return Err(CompileError::syntax(
                        line,
                        "Parameters of .entry must be in .param space",
                    ));
                };
                let (size, align) = (size as usize, align as usize);
                let offset = bytes.next_multiple_of(align);
                bytes = offset.saturating_add(size);
                let most = if self.isa >= PtxIsa::new(8, 1) && self.target.major >= 7 {
                    MOST_PARAMETERS.1
                } else {
                    MOST_PARAMETERS.0
                };
                if bytes > most {
                    return Err(CompileError::syntax(
                        line,
                        format!(
                            "Formal parameter space overflow ({bytes} bytes required, max {most} bytes allowed)"
                        ),
                    ));
                }
                parameters.push(Parameter {
                    offset,
                    size,
                    align,
                });
                self.declare(
                    name,
                    Name::Parameter {
                        offset: offset as u64,
                    },
                    line,
                )?;
                if self.eat(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        let (mut max_threads, mut required_block) = (None, None);
        while self.peek().kind == Kind::Dot {
            let directive = self.next();
            match directive.text {
                "maxntid" | "reqntid" => {
                    let shape = self.shape()?;
                    let threads = shape
                        .iter()
                        .try_fold(1u32, |product, side| product.checked_mul(*side));
                    max_threads = threads.or(Some(u32::MAX));
                    if directive.text == "reqntid" {
                        required_block = Some(shape);
                    }
                }
                "minnctapersm" | "maxnctapersm" | "maxnreg" => {
                    self.number()?;
                }
                "pragma" => {
                    self.at -= 1;
                    self.skipped()?;
                }
                _ => {
                    self.at -= 1;
                    return self.unexpected("a performance directive or a body");
                }
            }
        }
        let index = self.functions.len();
        let meaning = Name::Function(index);
        if self.names.insert(name, meaning).is_some() {
            return Err(CompileError::syntax(
                line,
                format!("Duplicate definition of function '{name}'"),
            ));
        }
        self.signatures.push(Signature {
            defined: Defined::Entry,
            ..Signature::default()
        });
        self.functions.push(placeholder(name));
        self.statements()?;
        let shared = self.body.shared;
        let (words, local) = (self.body.words, self.body.local);
        self.functions[index] = self.finish(name)?;
        if self.shared + shared > MOST_SHARED {
            return Err(CompileError::syntax(
                line,
                format!(
                    "Entry function '{name}' uses too much shared data (0x{:x} bytes, 0x{MOST_SHARED:x} max)",
                    self.shared + shared
                ),
            ));
        }
        self.entries.push(Entry {
            name: name.to_owned(),
            parameters,
            parameter_bytes: bytes,
            static_shared: u32::try_from(self.shared + shared).unwrap_or(u32::MAX),
            local_bytes: u32::try_from(local).unwrap_or(u32::MAX),
            registers: words.clamp(8, 255),
            max_threads,
            required_block,
            function: index,
        });
        Ok(())
    }

    fn shape(&mut self) -> Outcome<[u32; 3]> {
        let mut shape = [1; 3];
        for (index, side) in shape.iter_mut().enumerate() {
            if index > 0 && !self.eat(",") {
                break;
            }
            let line = self.peek().line;
            *side = u32::try_from(self.number()?)
                .map_err(|_| CompileError::syntax(line, "thread count out of range"))?;
        }
        Ok(shape)
    }

    pub(super) fn function(&mut self) -> Outcome<()> {
        self.at += 1;
        self.begin(false);
        let mut signature = Signature::default();
        if self.is("(") {
            for (name, passed, line) in self.formals()? {
                signature.returns.push(passed);
                let formal = self.place(name, passed, line)?;
                self.body.returns.push(formal);
            }
        }
        let line = self.peek().line;
        let name = self.word()?;
        if self.is("(") {
            for (name, passed, line) in self.formals()? {
                signature.parameters.push(passed);
                let formal = self.place(name, passed, line)?;
                self.body.parameters.push(formal);
            }
        }
        while self.eat_dot("noreturn") || self.skipped()? {}
        let index = match self.names.get(name) {
            None => {
                let index = self.functions.len();
                self.names.insert(name, Name::Function(index));
                self.functions.push(placeholder(name));
                self.signatures.push(signature.clone());
                index
            }
            Some(Name::Function(index)) => {
                let index = *index;
                let earlier = &self.signatures[index];
                if earlier.parameters != signature.parameters
                    || earlier.returns != signature.returns
                {
                    return Err(CompileError::syntax(
                        line,
                        format!("Inconsistent redefinition of '{name}'"),
                    ));
                }
                index
            }
            Some(_) => {
                return Err(CompileError::syntax(
                    line,
                    format!("Duplicate definition of '{name}'"),
                ));
            }
        };
        if self.eat(";") {
            self.body = Body::default();
            return Ok(());
        }
        if self.signatures[index].defined != Defined::No {
            return Err(CompileError::syntax(
                line,
                format!("Duplicate definition of function '{name}'"),
            ));
        }
        self.signatures[index].defined = Defined::Yes;
        self.statements()?;
        self.functions[index] = self.finish(name)?;
        Ok(())
    }

    fn begin(&mut self, is_entry: bool) {
        self.body = Body {
            is_entry,
            shared: 0,
            ..Body::default()
        };
        self.open_scope();
    }

    fn place(&mut self, name: &'a str, passed: Passed, line: u32) -> Outcome<Formal> {
        self.body.line = line;
        let (formal, meaning) = match passed {
            Passed::Register(ty) => {
                let register = self.register(ty)?;
                match register {
                    Name::Predicate(index) => (Formal::Predicate(index), register),
                    Name::Register { row, .. } if ty.bits() <= 64 => {
                        (Formal::Register(row), register)
                    }
                    _ => return self.wrong("128-bit register parameters are not allowed"),
                }
            }
            Passed::Memory { size, align } => {
                let offset = self.frame(size, align)?;
                (Formal::Local { offset, size }, Name::Frame { offset, size })
            }
        };
        if name != "_" {
            self.declare(name, meaning, line)?;
        }
        Ok(formal)
    }

    /// Room in the frame.
    pub(super) fn frame(&mut self, size: u64, align: u64) -> Outcome<u64> {
        let offset = self.body.local.next_multiple_of(align.max(1));
        let end = offset.checked_add(size).filter(|end| *end <= MOST_LOCAL);
        let Some(end) = end else {
            return self.wrong(format!("uses too much local data (0x{MOST_LOCAL:x} max)"));
        };
        self.body.local = end;
        Ok(offset)
    }

    pub(super) fn formals(&mut self) -> Outcome<Vec<(&'a str, Passed, u32)>> {
        self.expect("(")?;
        let mut found = Vec::new();
        if self.eat(")") {
            return Ok(found);
        }
        loop {
            found.push(self.parameter()?);
            if self.eat(")") {
                return Ok(found);
            }
            self.expect(",")?;
        }
    }

    /// `.param .align 8 .b8 name[16]`, `.param .u64 .ptr .global .align 4 name`, `.reg .u32 name`.
    fn parameter(&mut self) -> Outcome<(&'a str, Passed, u32)> {
        let line = self.peek().line;
        self.body.line = line;
        if self.eat_dot("reg") {
            let ty = self.ty()?;
            return Ok((self.word()?, Passed::Register(ty), line));
        }
        if !self.eat_dot("param") {
            return self.unexpected("`.param`");
        }
        let (ty, width, mut align) = self.declaration()?;
        if self.eat_dot("ptr") {
            for space in ["global", "shared", "const", "local"] {
                self.eat_dot(space);
            }
            if self.eat_dot("align") {
                self.alignment()?;
            }
        }
        let name = self.word()?;
        let mut size = u64::from(ty.bytes()) * width;
        align = align.max(u64::from(ty.bytes()) * width);
        while self.eat("[") {
            let count = if self.is("]") { 0 } else { self.number()? };
            self.expect("]")?;
            size = size
                .checked_mul(count)
                .filter(|size| *size <= MOST_LOCAL)
                .ok_or_else(|| {
                    CompileError::syntax(line, format!("Size of parameter '{name}' is too large"))
                })?;
        }
        Ok((name, Passed::Memory { size, align }, line))
    }

    /// `.align 8 .v2 .f32`: type, vector width, alignment (1 where none is written).
    pub(super) fn declaration(&mut self) -> Outcome<(Ty, u64, u64)> {
        let mut align = 1;
        if self.eat_dot("attribute") {
            self.expect("(")?;
            while !self.eat(")") {
                if self.next().kind == Kind::End {
                    return self.unexpected("`)`");
                }
            }
        }
        if self.eat_dot("align") {
            align = self.alignment()?;
        }
        let width = if self.eat_dot("v2") {
            2
        } else if self.eat_dot("v4") {
            4
        } else {
            1
        };
        let ty = self.ty()?;
        if self.eat_dot("align") {
            align = self.alignment()?;
        }
        if ty == Ty::Pred {
            return self.wrong("'.pred' is not allowed in memory");
        }
        Ok((ty, width, align))
    }

    pub(super) fn alignment(&mut self) -> Outcome<u64> {
        let line = self.peek().line;
        let align = self.number()?;
        if !align.is_power_of_two() || align > 1 << 16 {
            return Err(CompileError::syntax(
                line,
                format!("Illegal alignment value {align}"),
            ));
        }
        Ok(align)
    }

    pub(super) fn ty(&mut self) -> Outcome<Ty> {
        let token = self.peek();
        match Ty::named(token.text) {
            Some(ty) if token.kind == Kind::Dot => {
                self.at += 1;
                Ok(ty)
            }
            _ => self.unexpected("a type"),
        }
    }

    fn finish(&mut self, name: &str) -> Outcome<Function> {
        self.body.guard = None;
        self.emit(Op::Return);
        self.resolve_labels()?;
        let mut body = std::mem::take(&mut self.body);
        mark_joins(&mut body.code);
        Ok(Function {
            name: name.to_owned(),
            code: body.code,
            rows: body.rows,
            predicates: body.predicates,
            local_bytes: body.local.next_multiple_of(16),
            parameters: body.parameters,
            returns: body.returns,
        })
    }

    /// Puts the instruction's index in the place of each label's number.
    fn resolve_labels(&mut self) -> Outcome<()> {
        let mut places = Vec::with_capacity(self.body.wanted.len());
        for (name, scope, line) in &self.body.wanted {
            let mut scope = Some(*scope);
            let place = loop {
                let Some(index) = scope else {
                    return Err(CompileError::syntax(
                        *line,
                        format!("Label expected for argument: unknown label '{name}'"),
                    ));
                };
                let here = &self.body.scopes[index];
                if let Some(place) = here.labels.get(name) {
                    break *place;
                }
                scope = here.parent;
            };
            places.push(place);
        }
        for inst in &mut self.body.code {
            if let Op::Branch { target, .. } = &mut inst.op {
                *target = places[*target as usize];
            }
            if let Op::Table { targets, .. } = &mut inst.op {
                for target in targets.iter_mut() {
                    *target = places[*target as usize];
                }
            }
        }
        Ok(())
    }
}

fn placeholder(name: &str) -> Function {
    Function {
        name: name.to_owned(),
        code: Vec::new(),
        rows: 0,
        predicates: 0,
        local_bytes: 0,
        parameters: Vec::new(),
        returns: Vec::new(),
    }
}
