//! Reads a module: its header, variables, and functions.

use std::collections::HashMap;

use cudacheck_model::version::{PtxIsa, Target};

use super::code::Op;
use super::compiler::{Body, Compiler, Defined, Outcome};
use super::error::CompileError;
use super::lexer::{Kind, tokens};
use super::module::{JitTarget, Module};

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

    fn called(&self, function: usize) -> bool {
        use super::code::Callee;
        self.functions.iter().flat_map(|function| &function.code).any(|inst| {
            matches!(&inst.op, Op::Call(call) if matches!(call.callee, Callee::Direct(index) if index == function))
        })
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
