//! Integer constant expressions, as of C.

use super::compiler::{Compiler, Outcome};
use super::error::CompileError;
use super::lexer::Kind;
use super::operand::MOST_NESTING;

impl Compiler<'_> {
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
