//! Reads a module: its header, variables, and functions.

use std::collections::HashMap;

use cudacheck_model::version::{PtxIsa, Target};

use super::code::{Formal, Function, Op};
use super::compiler::{Body, Compiler, Defined, Name, Outcome, Passed, Signature};
use super::error::CompileError;
use super::flow::mark_joins;
use super::lexer::{Kind, tokens};
use super::module::{Entry, JitTarget, Module, Parameter};
use super::types::Ty;

/// The static shared memory that any kernel may have.
const MOST_SHARED: u64 = 0xc000;
/// The local memory of one thread.
const MOST_LOCAL: u64 = 512 << 10;
/// Parameters of a kernel: more than 4 KiB came with PTX 8.1 and sm_70.
const MOST_PARAMETERS: (usize, usize) = (4096, 32764);

pub(super) fn module(text: &str, target: &JitTarget) -> Outcome<Module> {
    let tokens = tokens(text)?;
    let mut compiler = Compiler {
        text,
        tokens,
        at: 0,
        isa: PtxIsa::new(1, 0),
        target: target.capability,
        constants: Vec::new(),
        known: HashMap::new(),
        names: HashMap::new(),
        variables: Vec::new(),
        functions: Vec::new(),
        signatures: Vec::new(),
        entries: Vec::new(),
        shared: 0,
        body: Body::default(),
    };
    // Symbols zero and one are used by many operations.
    let _ = compiler.constant(0);
    compiler.header(target)?;
    while compiler.peek().kind != Kind::End {
        compiler.top()?;
    }
    for (index, signature) in compiler.signatures.iter().enumerate() {
        let name = &compiler.functions[index].name;
        if signature.defined == Defined::No
            && !super::operand::is_builtin(name)
            && compiler.called(index)
        {
            return Err(CompileError::syntax(
                1,
                format!("Unresolved extern function '{name}'"),
            ));
        }
    }
    for entry in &mut compiler.entries {
        entry.static_shared = entry
            .static_shared
            .max(u32::try_from(compiler.shared).unwrap_or(u32::MAX));
    }
    Ok(Module {
        entries: compiler.entries,
        variables: compiler.variables,
        functions: compiler.functions,
        constants: compiler.constants,
        source: text.to_owned(),
    })
}

impl<'a> Compiler<'a> {
    fn header(&mut self, target: &JitTarget) -> Outcome<()> {
        let line = self.peek().line;
        if !self.eat_dot("version") {
            return Err(CompileError::syntax(
                line,
                "Missing .version directive at start of file",
            ));
        }
        let text = self.next();
        self.isa = text.text.parse().map_err(|_| {
            CompileError::syntax(text.line, "Parsing error near .version: syntax error")
        })?;
        if self.isa > target.isa_max {
            return Err(CompileError::IsaTooNew {
                version: self.isa,
                max: target.isa_max,
            });
        }
        let line = self.peek().line;
        if !self.eat_dot("target") {
            return Err(CompileError::syntax(line, "Missing .target directive"));
        }
        let name = self.word()?;
        let wanted: Target = name
            .parse()
            .map_err(|_| CompileError::syntax(line, format!("Unknown target '{name}'")))?;
        while self.eat(",") {
            let option = self.word()?;
            if ![
                "debug",
                "texmode_unified",
                "texmode_independent",
                "map_f64_to_f32",
            ]
            .contains(&option)
            {
                return Err(CompileError::syntax(
                    line,
                    format!("Unknown target option '{option}'"),
                ));
            }
        }
        let known = TARGETS
            .iter()
            .find(|row| row.0 == wanted.capability.major * 10 + wanted.capability.minor);
        let Some((_, major, minor)) = known else {
            return Err(CompileError::syntax(
                line,
                format!("Unknown target '{name}'"),
            ));
        };
        if self.isa < PtxIsa::new(*major, *minor) {
            return Err(CompileError::syntax(
                line,
                format!("PTX .version {major}.{minor} or later is required for .target {name}"),
            ));
        }
        if !wanted.ptx_runs_on(target.capability) {
            return Err(CompileError::TargetNotReached {
                target: wanted,
                device: target.capability,
            });
        }
        self.target = wanted.capability;
        if self.eat_dot("address_size") {
            let line = self.peek().line;
            if self.number()? != 64 {
                return Err(CompileError::Unsupported {
                    line,
                    instruction: ".address_size 32".to_owned(),
                });
            }
        }
        Ok(())
    }

    fn top(&mut self) -> Outcome<()> {
        let token = self.peek();
        self.body.line = token.line;
        if self.eat(";") {
            return Ok(());
        }
        if token.kind != Kind::Dot {
            return self.unexpected("a directive");
        }
        if self.skipped()? {
            return Ok(());
        }
        let mut external = false;
        while ["visible", "extern", "weak", "common"]
            .iter()
            .any(|name| self.is_dot(name))
        {
            external |= self.is_dot("extern");
            self.at += 1;
        }
        let token = self.peek();
        match token.text {
            _ if token.kind != Kind::Dot => self.unexpected("a directive"),
            "entry" => self.entry(),
            "func" => self.function(),
            "global" | "const" | "shared" => self.variable(external),
            "alias" | "tex" | "texref" | "surfref" | "samplerref" => {
                Err(CompileError::Unsupported {
                    line: token.line,
                    instruction: format!(".{}", token.text),
                })
            }
            _ => self.unexpected("a known directive"),
        }
    }

    /// Debugging information, which changes nothing.
    pub(super) fn skipped(&mut self) -> Outcome<bool> {
        let token = self.peek();
        match token.text {
            _ if token.kind != Kind::Dot => return Ok(false),
            "file" | "loc" => {
                while self.peek().line == token.line && self.peek().kind != Kind::End {
                    self.at += 1;
                }
            }
            "pragma" => {
                self.at += 1;
                while self.peek().kind == Kind::Text {
                    self.at += 1;
                    self.eat(",");
                }
                self.expect(";")?;
            }
            "section" => {
                while !self.is("{") {
                    if self.next().kind == Kind::End {
                        return self.unexpected("`{`");
                    }
                }
                while !self.eat("}") {
                    if self.next().kind == Kind::End {
                        return self.unexpected("`}`");
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn entry(&mut self) -> Outcome<()> {
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

    fn function(&mut self) -> Outcome<()> {
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

    fn called(&self, function: usize) -> bool {
        use super::code::Callee;
        self.functions.iter().flat_map(|function| &function.code).any(|inst| {
            matches!(&inst.op, Op::Call(call) if matches!(call.callee, Callee::Direct(index) if index == function))
        })
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

/// Targets and the PTX version that introduced each; "PTX ISA release history" of NVIDIA's manual.
const TARGETS: &[(u32, u32, u32)] = &[
    (10, 1, 0),
    (11, 1, 0),
    (12, 1, 2),
    (13, 1, 2),
    (20, 2, 0),
    (30, 3, 1),
    (32, 4, 0),
    (35, 3, 1),
    (37, 4, 1),
    (50, 4, 0),
    (52, 4, 1),
    (53, 4, 2),
    (60, 5, 0),
    (61, 5, 0),
    (62, 5, 0),
    (70, 6, 0),
    (72, 6, 1),
    (75, 6, 3),
    (80, 7, 0),
    (86, 7, 1),
    (87, 7, 4),
    (88, 9, 0),
    (89, 7, 8),
    (90, 7, 8),
    (100, 8, 6),
    (101, 8, 6),
    (103, 8, 8),
    (110, 9, 0),
    (120, 8, 7),
    (121, 8, 8),
];
