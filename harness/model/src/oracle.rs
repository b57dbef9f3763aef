//! What a driver says of itself without a GPU: its own files are asked, where otherwise tables would answer.
//!
//! The driver's just-in-time compiler is a library that compiles PTX for any device, without a device;
//! `cuDriverGetVersion` answers before `cuInit`; a libcudart compares itself with the driver before it looks for a
//! device; and newer drivers carry a note on the kernel modules beside which they run.

mod forward;
mod runtime;

pub use forward::{FORWARD_LIMIT, FORWARD_SECTION, ForwardNote};
pub use runtime::{RuntimeAnswer, RuntimeStatus, RuntimeVerdict};

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::{ComputeCapability, PtxIsa, Target, TargetReach, ToolkitVersion};

/// Whether the driver's compiler takes PTX of a version and target for a device.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JitQuestion {
    /// The version that the PTX is written in.
    pub isa: PtxIsa,
    /// What it is written for.
    pub target: Target,
    /// What it is compiled for.
    pub device: ComputeCapability,
}

impl JitQuestion {
    /// The smallest module of this version and target: what is refused then is not an instruction.
    pub fn source(&self) -> String {
        let Self { isa, target, .. } = self;
        format!(
            ".version {isa}\n.target {target}\n.address_size 64\n.visible .entry probe()\n{{\n\tret;\n}}\n"
        )
    }

    /// The PTX in words: `PTX 8.4 for compute_80`.
    pub fn ptx(&self) -> String {
        let target = self.target.to_string().replace("sm_", "compute_");
        format!("PTX {} for {target}", self.isa)
    }

    /// The option that names the device. A suffix is the device's own: PTX for `sm_90a` is compiled for `sm_90a`.
    pub fn option(&self) -> String {
        let suffix = match self.target.reach {
            TargetReach::Baseline => "",
            TargetReach::Family => "f",
            TargetReach::Architecture => "a",
        };
        format!("--gpu-name={}{suffix}", self.device.sm())
    }
}

impl fmt::Display for JitQuestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.ptx(), self.device.sm())
    }
}

/// What the compiler returned: a value of `nvPTXCompileResult` in `nvPTXCompiler.h`, known or not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct CompilerStatus(pub i32);

impl CompilerStatus {
    /// It did what was asked.
    pub const SUCCESS: Self = Self(0);
    /// The PTX is newer than the compiler.
    pub const UNSUPPORTED_VERSION: Self = Self(7);

    /// NVIDIA's name, without its prefix.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "SUCCESS",
            1 => "ERROR_INVALID_COMPILER_HANDLE",
            2 => "ERROR_INVALID_INPUT",
            3 => "ERROR_COMPILATION_FAILURE",
            4 => "ERROR_INTERNAL",
            5 => "ERROR_OUT_OF_MEMORY",
            6 => "ERROR_COMPILER_INVOCATION_INCOMPLETE",
            7 => "ERROR_UNSUPPORTED_PTX_VERSION",
            8 => "ERROR_UNSUPPORTED_DEVSIDE_SYNC",
            9 => "ERROR_CANCELLED",
            _ => return None,
        })
    }
}

impl fmt::Display for CompilerStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "NVPTXCOMPILE_{name} ({})", self.0),
            None => write!(formatter, "status {}", self.0),
        }
    }
}

/// What became of one question.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JitVerdict {
    /// It was compiled.
    Accepted,
    /// It was not.
    Refused {
        /// What the compiler returned.
        status: CompilerStatus,
        /// Its words.
        log: String,
    },
    /// The compiler took its process along, or did not come to an end.
    Ended {
        /// How: `ended with SIGSEGV`.
        how: String,
    },
}

/// A question with its answer.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JitAnswer {
    /// What was asked.
    pub question: JitQuestion,
    /// What came of it.
    pub verdict: JitVerdict,
}

/// Everything that a driver's files said.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OracleAnswer {
    /// What `cuDriverGetVersion` answered.
    #[serde(default)]
    pub cuda: Option<ToolkitVersion>,
    /// What the compiler answered, in the order of the questions; those missing were not asked.
    #[serde(default)]
    pub jit: Vec<JitAnswer>,
    /// How many questions are dealt with, answered or not: the next one is that over which a worker died.
    #[serde(default)]
    pub dealt_with: usize,
    /// What the package's libcudart answered, if it was asked.
    #[serde(default)]
    pub runtime: Option<RuntimeAnswer>,
    /// The note in the libcuda that was asked, if it has one.
    #[serde(default)]
    pub forward: Option<ForwardNote>,
    /// Why something could not be asked, in words for people.
    #[serde(default)]
    pub complaints: Vec<String>,
}

impl OracleAnswer {
    /// What the compiler said of a question, if it was asked.
    pub fn jit(&self, question: JitQuestion) -> Option<&JitVerdict> {
        let answer = self.jit.iter().find(|answer| answer.question == question);
        answer.map(|answer| &answer.verdict)
    }

    /// Whether the files that were asked are those of a forward compatibility package for this CUDA version.
    pub fn is_of(&self, cuda: ToolkitVersion) -> bool {
        let noted = self.forward.as_ref().and_then(|note| note.cuda);
        self.cuda.or(noted) == Some(cuda)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(isa: &str, target: &str, device: &str, option: &str, words: &str) {
        let question = JitQuestion {
            isa: isa.parse().unwrap(),
            target: target.parse().unwrap(),
            device: device.parse().unwrap(),
        };
        assert_eq!(question.option(), option);
        assert_eq!(question.to_string(), words);
        let source = question.source();
        let mut lines = source.lines();
        assert_eq!(lines.next(), Some(format!(".version {isa}").as_str()));
        assert_eq!(lines.next(), Some(format!(".target {target}").as_str()));
    }

    #[test]
    fn a_question_names_version_target_and_device() {
        check(
            "8.4",
            "sm_80",
            "8.9",
            "--gpu-name=sm_89",
            "PTX 8.4 for compute_80 on sm_89",
        );
        check(
            "8.0",
            "sm_90a",
            "9.0",
            "--gpu-name=sm_90a",
            "PTX 8.0 for compute_90a on sm_90",
        );
        check(
            "8.8",
            "sm_100f",
            "10.3",
            "--gpu-name=sm_103f",
            "PTX 8.8 for compute_100f on sm_103",
        );
    }

    #[test]
    fn a_status_has_a_name_or_at_least_its_number() {
        let text = |status| CompilerStatus(status).to_string();
        assert_eq!(text(7), "NVPTXCOMPILE_ERROR_UNSUPPORTED_PTX_VERSION (7)");
        assert_eq!(text(42), "status 42");
    }
}
