//! Turns PTX text into a module that can be executed, or into the error that `ptxas` would report.
//!
//! One pass reads the text and chooses the operation of each instruction (`code`); a second one finds where
//! divergent paths meet again (`flow`). What is not understood is an error, never ignored.

#![expect(
    clippy::cast_possible_truncation,
    reason = "registers are 64 bits wide, and an instruction means the low bits of its operands"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an instruction names the few types and operands that it takes, and refuses all others"
)]

mod body;
pub(crate) mod code;
mod compiler;
mod decode;
mod error;
mod expression;
mod flow;
mod function;
mod lexer;
mod module;
mod operand;
mod parse;
mod resolve;
mod types;
mod variable;

pub use error::CompileError;
pub(crate) use module::Symbol;
pub use module::{Entry, JitTarget, Module, Parameter, Space, Variable};
pub(crate) use types::{ones, signed};

/// Compiles a module for a device.
///
/// # Errors
///
/// The first thing that is wrong with the text, with its line.
pub fn compile(ptx: &str, target: &JitTarget) -> Result<Module, CompileError> {
    parse::module(ptx, target)
}
