//! The sentences of findings: expected, cause, remedy. A remedy is something to type or to do.

use cudacheck_model::journal::{MismatchKind, Stage};
use cudacheck_model::outcome::{Cause, Finding};

use super::Culprit;

/// For a worker that could not be started.
pub(super) const NOT_STARTED: &str =
    "ls -l on the file named above; it must exist, be readable, and be executable by this user";

/// For a worker whose end nobody saw.
pub(super) const LOST: &str =
    "dmesg | grep -i -e oom -e segfault; if neither appears, report it with the run's directory";

/// For a code that the table does not explain.
pub(super) const UNKNOWN_CODE: &str =
    "look the code up in NVIDIA's cuda.h; dmesg | grep -e NVRM -e nvgpu";

/// Where a worker was: `at stage launch`.
pub(super) fn place(stage: Option<Stage>) -> String {
    match stage {
        Some(stage) => format!("at stage {stage}"),
        None => "before its first stage".to_owned(),
    }
}

/// What finishes in time.
pub(super) fn in_time(stage: Option<Stage>, seconds: u64) -> String {
    match stage {
        Some(Stage::Launch | Stage::Synchronize) => {
            format!("the kernel finishes within {seconds} s")
        }
        Some(Stage::OpenPackage) => format!("the library is loaded within {seconds} s"),
        Some(Stage::Compute) => format!("the library computes within {seconds} s"),
        Some(Stage::Module) => format!("the module is compiled and loaded within {seconds} s"),
        Some(
            Stage::Start
            | Stage::Search
            | Stage::LoadLibrary
            | Stage::Initialize
            | Stage::Device
            | Stage::Nvml
            | Stage::Context
            | Stage::Allocate
            | Stage::CopyBack
            | Stage::Compare
            | Stage::OpenParts
            | Stage::Versions
            | Stage::FirstCall
            | Stage::Provenance
            | Stage::Release,
        )
        | None => format!("the check finishes within {seconds} s"),
    }
}

/// A worker that took too long. Nothing proves why, but the stage says where to look.
pub(super) fn timeout(finding: &mut Finding) {
    let text = match finding.stage {
        Some(Stage::Launch | Stage::Synchronize | Stage::CopyBack | Stage::Compute) => {
            "dmesg | grep Xid; if the kernel is only slow, raise limits.time-s"
        }
        Some(Stage::Module) => {
            "if the just-in-time compiler is only slow, raise limits.time-s, or build machine code for the device"
        }
        Some(
            Stage::Initialize | Stage::Device | Stage::Nvml | Stage::Context | Stage::LoadLibrary,
        ) => "nvidia-smi; if it hangs too, reboot; without persistence mode: nvidia-smi -pm 1",
        Some(Stage::OpenPackage | Stage::OpenParts) => {
            "LD_DEBUG=init with a program that opens it names the library whose initialiser waits; if the disk is only slow, raise limits.time-s"
        }
        Some(Stage::FirstCall) => {
            "if the driver only compiles the library's PTX, raise limits.time-s, or take a library with machine code for the device"
        }
        Some(
            Stage::Start
            | Stage::Search
            | Stage::Versions
            | Stage::Provenance
            | Stage::Allocate
            | Stage::Compare
            | Stage::Release,
        )
        | None => "look at the load of the machine: uptime; raise limits.time-s",
    };
    text.clone_into(&mut finding.remedy);
}

/// Whether a signal is one that programs do not raise themselves: a person or the kernel sent it.
pub(super) fn from_outside(signal: i32) -> bool {
    matches!(signal, 1 | 2 | 3 | 9 | 15)
}

/// A worker that a signal ended.
pub(super) fn signal(finding: &mut Finding, signal: i32) {
    let (cause, remedy) = match signal {
        9 => (
            None,
            "dmesg | grep -i -e oom -e 'killed process': if the kernel was short of memory, free some",
        ),
        1 | 2 | 3 | 15 => (
            None,
            "find out who sends signals to this machine's processes, and run it again",
        ),
        6 => (
            Some("the process aborted itself"),
            "read the last lines of the output: whoever aborts says why",
        ),
        11 | 7 => (
            Some("the process accessed memory that it does not have"),
            "ulimit -c unlimited and run the worker under gdb; dmesg | grep segfault names the library",
        ),
        4 => (
            Some("the process met an instruction that this processor does not have"),
            "lscpu; dmesg | grep 'invalid opcode' names the library; build it for this processor",
        ),
        8 => (
            Some("the process divided an integer by zero"),
            "dmesg | grep 'divide error' names the library",
        ),
        _ => (None, "read the last lines of the output"),
    };
    finding.cause = cause.map_or(Cause::Unknown, Cause::proven);
    remedy.clone_into(&mut finding.remedy);
}

/// A worker that ended with a code of its own.
pub(super) fn exit_code(finding: &mut Finding, code: i32) {
    let (cause, remedy) = match code {
        101 => (
            Some("the worker panicked: a symbol that the driver lacks, or a mistake in cudacheck"),
            "read the panic in the output; if it names no missing symbol, report it with the run's directory",
        ),
        1 => (
            Some("the worker could not open its task or its journal, or left its check unfinished"),
            "read the output; df on the run's directory",
        ),
        126 | 127 => (None, "read the output: a program was not found"),
        _ => (
            Some("a library called exit within the worker"),
            "read the last lines of the output: whoever ends a process says why",
        ),
    };
    finding.cause = cause.map_or(Cause::Unknown, Cause::proven);
    remedy.clone_into(&mut finding.remedy);
}

/// A worker that ended well and said nothing.
pub(super) fn no_result(finding: &mut Finding) {
    "read the output: a library that calls exit(0) looks like this; df on the run's directory"
        .clone_into(&mut finding.remedy);
}

/// A device that computed something else.
pub(super) fn mismatch(finding: &mut Finding, kind: MismatchKind, culprit: Culprit) {
    finding.cause = match kind {
        MismatchKind::NotRepeatable => Cause::proven(
            "the same kernel gave two results for the same input: the device or its memory is not reliable",
        ),
        MismatchKind::ReducedPrecision => Cause::proven(
            "the library rounds its operands to a lower precision than it was asked for, by its default or by a variable of its environment",
        ),
        MismatchKind::WrongResult
        | MismatchKind::NeverWritten
        | MismatchKind::StrayWrite
        | MismatchKind::InputChanged => Cause::Unknown,
    };
    let remedy = match culprit {
        Culprit::Package if kind == MismatchKind::ReducedPrecision => {
            "unset NVIDIA_TF32_OVERRIDE in the package's wrapper; if it is not set, take a release of the library that keeps the precision"
        }
        Culprit::Package => {
            "cudacheck run kernels: if that fails too, the device is at fault and not the package"
        }
        Culprit::Machine => {
            "nvidia-smi -q -d ECC,CLOCK; dmesg | grep Xid; run it again on another device or driver"
        }
    };
    remedy.clone_into(&mut finding.remedy);
}
