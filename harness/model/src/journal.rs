//! The worker's voice: one JSON object a line, appended to a file and never to stdout.
//!
//! Device printf and NVIDIA's libraries write to stdout, so a result there could be corrupted or forged.
//! When a worker dies, the last stage in its journal tells where.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::facts::MachineFacts;
use crate::finding::Finding;
use crate::library::Library;
use crate::oracle::OracleAnswer;
use crate::outcome::MachineFault;

/// The schema number of journal lines.
pub const JOURNAL_SCHEMA: u32 = 1;

/// One line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// [`JOURNAL_SCHEMA`].
    pub v: u32,
    /// The token of the task, which only supervisor and worker know: a line without it is not the worker's.
    pub token: String,
    /// Microseconds since the worker started, by a monotonic clock.
    pub at_us: u64,
    /// What happened.
    pub record: Record,
}

/// What a worker tells.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The worker enters a stage.
    Stage(Stage),
    /// A measurement or observation that belongs in the report, not in the verdict.
    Note {
        /// A kebab-case name: `seed`, `jit-wall-ms`.
        key: String,
        /// Its value as text.
        value: String,
    },
    /// What the just-in-time compiler said.
    JitLog {
        /// The information log.
        info: String,
        /// The error log.
        error: String,
    },
    /// The libraries that the process had mapped at the end of a stage.
    Mapped(Vec<MappedLibrary>),
    /// The verdict of a check. The last line of a journal.
    Result(CheckResult),
    /// The answer of a facts worker. The last line of its journal.
    Facts(Box<MachineFacts>),
    /// What an oracle worker knows so far; each line has all of the one before it.
    Oracle(OracleAnswer),
}

/// How far a worker has come. The order is the order of a kernel check.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The process runs.
    Start,
    /// Files are looked for and read.
    Search,
    /// A library is opened.
    LoadLibrary,
    /// A library of the package is opened.
    OpenPackage,
    /// What a library of the package opens by name is opened.
    OpenParts,
    /// A library of the package is asked for its version, and its parts for theirs.
    Versions,
    /// `cuInit`.
    Initialize,
    /// The device is looked at.
    Device,
    /// NVML is asked.
    Nvml,
    /// The primary context is retained.
    Context,
    /// The module is loaded, its PTX compiled.
    Module,
    /// Memory is reserved and filled.
    Allocate,
    /// A library of the package is called for the first time: it makes its handle, and loads what it needs.
    FirstCall,
    /// A library of the package computes.
    Compute,
    /// A kernel is launched.
    Launch,
    /// The worker waits for the device.
    Synchronize,
    /// Results are copied back.
    CopyBack,
    /// Results are compared with the reference.
    Compare,
    /// The process is asked which libraries it has mapped.
    Provenance,
    /// Everything is released.
    Release,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Start => "start",
            Self::Search => "search",
            Self::LoadLibrary => "load-library",
            Self::OpenPackage => "open-package",
            Self::OpenParts => "open-parts",
            Self::Versions => "versions",
            Self::FirstCall => "first-call",
            Self::Compute => "compute",
            Self::Provenance => "provenance",
            Self::Initialize => "initialize",
            Self::Device => "device",
            Self::Nvml => "nvml",
            Self::Context => "context",
            Self::Module => "module",
            Self::Allocate => "allocate",
            Self::Launch => "launch",
            Self::Synchronize => "synchronize",
            Self::CopyBack => "copy-back",
            Self::Compare => "compare",
            Self::Release => "release",
        })
    }
}

/// A worker's own verdict. Whose fault it is, is decided outside, with the exit status beside it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// Everything came out as it must.
    Pass,
    /// The check cannot be made here; the sentence says why.
    Skip {
        /// What is missing.
        reason: crate::outcome::SkipReason,
    },
    /// The device computed something else than the reference.
    Mismatch {
        /// What kind of difference.
        kind: MismatchKind,
        /// What should have come out, as a sentence.
        expected: String,
        /// What came out, as a sentence.
        found: String,
    },
    /// The files of the package have flaws, the worst first.
    Flaws(Vec<Finding>),
    /// A call of the CUDA driver failed.
    Cuda {
        /// The function: `cuModuleLoadDataEx`.
        function: String,
        /// CUDA's number.
        code: i32,
        /// CUDA's name: `CUDA_ERROR_INVALID_PTX`. Empty if the driver knows none.
        name: String,
        /// CUDA's sentence.
        text: String,
        /// The error log of the just-in-time compiler, if that is what failed.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        log: String,
    },
    /// A library of the package cannot be opened.
    Unloadable {
        /// The file, or the name by which it was asked for.
        library: String,
        /// The dynamic loader's words.
        reason: String,
    },
    /// A call of a library of the package failed.
    Library {
        /// The library, which knows its own numbers.
        library: Library,
        /// The function: `cublasGemmEx`.
        function: String,
        /// The library's number.
        code: i32,
        /// The library's name of it: `CUBLAS_STATUS_ARCH_MISMATCH`. Empty if it tells none.
        name: String,
        /// The library's sentence. Empty if it tells none.
        text: String,
        /// What else it says: a compiler's log, the last error.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        log: String,
        /// What the driver's context says after it; 0 if nothing is wrong there, none without a context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        driver: Option<i32>,
    },
    /// Parts of a package are of versions that do not fit together.
    Skew {
        /// What must agree, as a sentence.
        expected: String,
        /// What there is.
        found: String,
    },
    /// Libraries are mapped that are none of the package's and none of the driver's, or that are there twice.
    Strangers(Vec<Stranger>),
    /// The machine or the harness is not fit for the check.
    Machine(MachineFault),
}

/// A library that a process has mapped.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MappedLibrary {
    /// Its file, with all links resolved.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a mapped library is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// Of the package that is examined.
    Package,
    /// Of its closure, or of another package of the run.
    Closure,
    /// Of the driver.
    Driver,
    /// Of the host, which serves packages that count on it.
    Host,
    /// Excepted by `--allow-host-libraries`.
    Excepted,
    /// Of nobody who may bring it.
    Stranger,
}

/// A library that must not be mapped.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stranger {
    /// Its file.
    pub path: PathBuf,
    /// Why it must not.
    pub why: StrangerKind,
}

/// Why a library must not be mapped.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrangerKind {
    /// It lies outside of the package's closure and of the driver's directories.
    Outside,
    /// It is a stub, made for linking only.
    Stub,
    /// Another package of the run brings it, and the package has one of its own, which this hides.
    Hides {
        /// The package's own.
        own: PathBuf,
    },
    /// The same library is mapped from another file as well.
    Twice {
        /// The other file.
        other: PathBuf,
    },
}

/// What kind of difference a comparison found; each points to another culprit.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MismatchKind {
    /// A wrong value.
    WrongResult,
    /// What a lower precision than the one that was asked for gives: TF32, or bfloat16.
    ReducedPrecision,
    /// An output that was never written: the kernel, or a part of its grid, did not run.
    NeverWritten,
    /// A write outside a buffer.
    StrayWrite,
    /// An input that changed.
    InputChanged,
    /// Two runs with different results.
    NotRepeatable,
}

/// Reads a journal. A torn last line, a foreign line, and a line with another token are left out: the
/// worker may have been killed while it wrote.
pub fn read(text: &str, token: &str) -> Vec<Entry> {
    let entries = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Entry>(line).ok());
    entries.filter(|entry| entry.token == token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(token: &str, record: Record) -> String {
        serde_json::to_string(&Entry {
            v: JOURNAL_SCHEMA,
            token: token.to_owned(),
            at_us: 1,
            record,
        })
        .unwrap()
    }

    #[test]
    fn a_torn_or_forged_line_is_left_out() {
        let whole = line("t", Record::Stage(Stage::Launch));
        let forged = line("guess", Record::Result(CheckResult::Pass));
        let torn = &line("t", Record::Result(CheckResult::Pass))[..20];
        let text = format!("{whole}\nnoise\n{forged}\n{torn}");
        let records: Vec<_> = read(&text, "t")
            .into_iter()
            .map(|entry| entry.record)
            .collect();
        assert_eq!(records, [Record::Stage(Stage::Launch)]);
    }
}
