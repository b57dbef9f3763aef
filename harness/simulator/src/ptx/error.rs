//! Why a module cannot be compiled, in the words that `ptxas` writes to the JIT's error log.

use cudacheck_model::version::{ComputeCapability, PtxIsa, Target};
use thiserror::Error;

/// Why a module cannot be compiled.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CompileError {
    /// The text is not PTX, or an instruction is not allowed as it stands.
    #[error(
        "ptxas application ptx input, line {line}; error   : {message}\nptxas fatal   : Ptx assembly aborted due to errors"
    )]
    Syntax {
        /// The line, from 1.
        line: u32,
        /// What is wrong with it.
        message: String,
    },
    /// The module is written in a newer PTX than the driver knows.
    #[error("ptxas fatal   : Unsupported .version {version}; current version is '{max}'")]
    IsaTooNew {
        /// What the module declares.
        version: PtxIsa,
        /// What the driver knows.
        max: PtxIsa,
    },
    /// The module is for newer or other devices.
    #[error("ptxas fatal   : SM version specified by .target is higher than default SM version assumed: `{target}` on `{}`", .device.sm())]
    TargetNotReached {
        /// What the module declares.
        target: Target,
        /// What the device is.
        device: ComputeCapability,
    },
    /// An instruction that is PTX, but that the interpreter cannot execute.
    #[error(
        "ptxas application ptx input, line {line}; error   : the simulator does not support `{instruction}`"
    )]
    Unsupported {
        /// The line, from 1.
        line: u32,
        /// The instruction as written.
        instruction: String,
    },
}

impl CompileError {
    pub(crate) fn syntax(line: u32, message: impl Into<String>) -> Self {
        Self::Syntax {
            line,
            message: message.into(),
        }
    }
}
