//! Faults by name, so that every check can be shown to fail, and the harness to survive what it meets.
//!
//! `cuInit:803` makes a call answer a code, `launch:hang` breaks execution, `memory:stuck-bit` the device, and
//! `abort` the process. `@CASE` behind a fault restricts it to the case of that name.

mod catalogue;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use catalogue::{Fault as CataloguedFault, catalogue};

use crate::exec::ExecFaults;

/// A fault, and where it applies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// The only case in which it does; every case when absent.
    pub case: Option<String>,
}

/// What goes wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A function of the driver or of NVML does not do its work.
    Call {
        /// Its name, with or without a version suffix.
        function: String,
        /// What it does instead.
        effect: CallEffect,
    },
    /// Kernels do not do their work.
    Launch(LaunchEffect),
    /// Synchronising calls answer this code.
    Sync(u32),
    /// The device computes wrongly; the name is one of the catalogue's.
    Execution(&'static str),
    /// The process dies of an invalid access at the first launch.
    Segv,
    /// The process aborts at the first launch.
    Abort,
    /// The process ends with status 0 at the first launch, as a program that calls `exit` would end it.
    Exit,
    /// Rust code panics at the first launch, and the panic crosses into the caller, which ends the process.
    Panic,
    /// The first launch writes so many megabytes to standard output.
    PrintFlood {
        /// How many.
        megabytes: u32,
    },
    /// The first launch writes lines that look like a passing result to standard output and standard error.
    PrintForgedResult,
    /// The first launch leaves a child process in a session of its own.
    ChildEscape,
    /// From the first launch on the device is gone: calls answer 719, and NVML answers 15.
    GpuLost,
    /// The first launch meets an uncorrectable memory error: 214, and NVML counts it.
    EccUncorrected,
    /// The first launch makes the kernel driver report this Xid.
    Xid(u32),
}

/// What a function does instead of its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallEffect {
    /// Answers a code.
    Answer(u32),
    /// Never returns.
    Hang,
    /// Ends the process by an invalid access.
    Segv,
    /// Ends the process by `abort`.
    Abort,
}

/// What becomes of a kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LaunchEffect {
    /// It never ends: the launch returns, the next synchronisation does not.
    Hang,
    /// It does nothing, and nobody says so.
    Silent,
    /// It dies with this code, or is refused with it where the code is one of the launch itself.
    Answer(u32),
}

/// Why a text names no fault.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{text}` is no fault: {reason}")]
pub struct InjectionError {
    text: String,
    reason: String,
}

impl Injection {
    /// Reads one fault.
    ///
    /// # Errors
    ///
    /// When the text names none; the error says what is allowed in its place.
    pub fn parse(text: &str) -> Result<Self, InjectionError> {
        let fail = |reason| InjectionError {
            text: text.to_owned(),
            reason,
        };
        let (fault, case) = match text.split_once('@') {
            Some((_, "")) => return Err(fail("a case's name is expected after `@`".to_owned())),
            Some((fault, case)) => (fault, Some(case.to_owned())),
            None => (text, None),
        };
        let fault = parse_fault(fault).map_err(fail)?;
        Ok(Self { fault, case })
    }

    /// Reads a comma-separated list.
    ///
    /// # Errors
    ///
    /// The first part that names no fault.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, InjectionError> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(Self::parse)
            .collect()
    }

    /// Whether it applies in a case; a case may be named with or without the suite before it.
    pub fn applies_to(&self, case: Option<&str>) -> bool {
        match (&self.case, case) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(case)) => {
                wanted == case || case.rsplit('/').next() == Some(wanted.as_str())
            }
        }
    }
}

impl Fault {
    /// What an exported function does instead of its work, if this is its fault.
    pub(crate) fn call_effect(&self, exported: &str) -> Option<CallEffect> {
        if let Self::Call { function, effect } = self
            && names_function(function, exported)
        {
            Some(*effect)
        } else {
            None
        }
    }

    /// What synchronising calls answer, if this is their fault.
    pub(crate) fn sync_code(&self) -> Option<u32> {
        if let Self::Sync(code) = self {
            Some(*code)
        } else {
            None
        }
    }
}

/// The faults of execution among injections.
pub fn exec_faults(injections: &[Injection], seed: u64) -> ExecFaults {
    let mut faults = ExecFaults {
        seed,
        ..ExecFaults::default()
    };
    for injection in injections {
        if let Fault::Execution(name) = injection.fault {
            catalogue::set_execution_fault(&mut faults, name);
        }
    }
    faults
}

/// Whether a fault of a call applies to an exported function.
///
/// A name without a version suffix means every version, and the names that callers know stand for all ways to do
/// the same: `cuModuleLoadData` for every load of a module, `cuMemAlloc` for every allocation on the device,
/// `cuLaunchKernel` for every launch.
pub fn names_function(fault: &str, exported: &str) -> bool {
    const GROUPS: &[(&str, &[&str])] = &[
        (
            "cuModuleLoadData",
            &[
                "cuModuleLoad",
                "cuModuleLoadDataEx",
                "cuModuleLoadFatBinary",
            ],
        ),
        (
            "cuMemAlloc",
            &["cuMemAllocAsync", "cuMemAllocPitch", "cuMemAllocManaged"],
        ),
        (
            "cuLaunchKernel",
            &["cuLaunchKernelEx", "cuLaunchCooperativeKernel"],
        ),
        ("nvmlInit", &["nvmlInitWithFlags"]),
    ];
    let base = without_version(exported);
    fault == exported
        || fault == base
        || GROUPS
            .iter()
            .any(|(name, members)| *name == fault && members.contains(&base))
}

fn without_version(name: &str) -> &str {
    match name.rsplit_once("_v") {
        Some((base, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => name,
    }
}

fn exported_names() -> impl Iterator<Item = &'static str> {
    crate::driver::function_names().chain(crate::nvml::function_names())
}

fn parse_fault(text: &str) -> Result<Fault, String> {
    if let Some(name) = catalogue::execution_fault(text) {
        return Ok(Fault::Execution(name));
    }
    let code = |word: &str, others: &str| {
        word.parse::<u32>()
            .map_err(|_| format!("expected a number{others} after `:`, found `{word}`"))
    };
    match text {
        "segv" => return Ok(Fault::Segv),
        "abort" => return Ok(Fault::Abort),
        "exit" => return Ok(Fault::Exit),
        "panic" => return Ok(Fault::Panic),
        "print:forged-result" => return Ok(Fault::PrintForgedResult),
        "child:escape" => return Ok(Fault::ChildEscape),
        "gpu:lost" => return Ok(Fault::GpuLost),
        "ecc:uncorrected" => return Ok(Fault::EccUncorrected),
        _ => {}
    }
    let (subject, word) = text
        .split_once(':')
        .ok_or_else(|| unknown(text, "expected a fault, or FUNCTION:CODE"))?;
    match subject {
        "launch" => Ok(Fault::Launch(match word {
            "hang" => LaunchEffect::Hang,
            "silent" => LaunchEffect::Silent,
            number => LaunchEffect::Answer(code(number, ", `hang` or `silent`")?),
        })),
        "sync" => Ok(Fault::Sync(code(word, "")?)),
        "xid" => Ok(Fault::Xid(code(word, "")?)),
        "print" => word
            .strip_suffix("MB")
            .and_then(|number| number.parse().ok())
            .map(|megabytes| Fault::PrintFlood { megabytes })
            .ok_or_else(|| "expected `print:forged-result` or `print:200MB`".to_owned()),
        function if function.starts_with("cu") || function.starts_with("nvml") => {
            if !exported_names().any(|name| names_function(function, name)) {
                return Err(unknown(
                    function,
                    "the simulated driver has no such function",
                ));
            }
            let effect = match word {
                "hang" => CallEffect::Hang,
                "segv" => CallEffect::Segv,
                "abort" => CallEffect::Abort,
                number => CallEffect::Answer(code(number, ", `hang`, `segv` or `abort`")?),
            };
            Ok(Fault::Call {
                function: function.to_owned(),
                effect,
            })
        }
        _ => Err(unknown(text, "no fault has this name")),
    }
}

fn unknown(word: &str, reason: &str) -> String {
    let plain = catalogue().iter().map(|fault| fault.pattern);
    let functions = exported_names().map(without_version);
    match nearest(word, plain.chain(functions)) {
        Some(near) => format!("{reason}; did you mean `{near}`?"),
        None => {
            let patterns: Vec<&str> = catalogue().iter().map(|fault| fault.pattern).collect();
            format!("{reason}; known are {}", patterns.join(", "))
        }
    }
}

/// The word that was probably meant: at most a third of its letters are wrong.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance in bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, byte) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

impl FromStr for Injection {
    type Err = InjectionError;
    fn from_str(text: &str) -> Result<Self, InjectionError> {
        Self::parse(text)
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.fault)?;
        match &self.case {
            Some(case) => write!(formatter, "@{case}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { function, effect } => match effect {
                CallEffect::Answer(code) => write!(formatter, "{function}:{code}"),
                CallEffect::Hang => write!(formatter, "{function}:hang"),
                CallEffect::Segv => write!(formatter, "{function}:segv"),
                CallEffect::Abort => write!(formatter, "{function}:abort"),
            },
            Self::Launch(LaunchEffect::Hang) => formatter.write_str("launch:hang"),
            Self::Launch(LaunchEffect::Silent) => formatter.write_str("launch:silent"),
            Self::Launch(LaunchEffect::Answer(code)) => write!(formatter, "launch:{code}"),
            Self::Sync(code) => write!(formatter, "sync:{code}"),
            Self::Execution(name) => formatter.write_str(name),
            Self::Segv => formatter.write_str("segv"),
            Self::Abort => formatter.write_str("abort"),
            Self::Exit => formatter.write_str("exit"),
            Self::Panic => formatter.write_str("panic"),
            Self::PrintFlood { megabytes } => write!(formatter, "print:{megabytes}MB"),
            Self::PrintForgedResult => formatter.write_str("print:forged-result"),
            Self::ChildEscape => formatter.write_str("child:escape"),
            Self::GpuLost => formatter.write_str("gpu:lost"),
            Self::EccUncorrected => formatter.write_str("ecc:uncorrected"),
            Self::Xid(number) => write!(formatter, "xid:{number}"),
        }
    }
}

#[cfg(test)]
mod tests;
