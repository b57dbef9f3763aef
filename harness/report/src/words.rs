//! The words, numbers, and lists that all reporters share, so that the same thing reads the same everywhere.

use cudacheck_model::event::{DeviceLabel, Part, PartOutcome};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::Owner;
use cudacheck_model::outcome::{Finding, Outcome, Problem};

use crate::text;

/// A count with its noun: `1 case`, `2 cases`. The only place that knows plurals.
pub(crate) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) if noun.ends_with('s') => format!("{number} {noun}es"),
        (_, None) => format!("{number} {noun}s"),
    }
}

/// Whose fault an outcome is; none if nobody's.
pub(crate) fn blame(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Fail(_) => Some("package at fault"),
        Outcome::Fault(finding) => Some(fault_blame(finding)),
        Outcome::UnexpectedPass { .. } => Some("suite at fault"),
        Outcome::Pass | Outcome::Skip(_) | Outcome::ExpectedFail { .. } => None,
    }
}

fn fault_blame(finding: &Finding) -> &'static str {
    match &finding.problem {
        Problem::Machine(fault) => machine_blame(fault),
        Problem::WrongResult
        | Problem::ReducedPrecision
        | Problem::NeverWritten
        | Problem::StrayWrite
        | Problem::InputChanged
        | Problem::NotRepeatable
        | Problem::CudaError(_)
        | Problem::ExitCode(_)
        | Problem::Signal(_)
        | Problem::Timeout(_)
        | Problem::MemoryLimit
        | Problem::Flaw(_)
        | Problem::Unloadable
        | Problem::LibraryError(..)
        | Problem::VersionSkew
        | Problem::ForeignLibrary
        | Problem::Uncovered
        | Problem::ResultsFailed { .. }
        | Problem::ResultsIncomplete
        | Problem::NothingTested
        | Problem::NotStarted
        | Problem::Incompatible(_)
        | Problem::NoResult => "machine at fault",
    }
}

/// `37 results: 35 passed, 1 failed, 1 skipped`; none for a case that is no tester's.
pub(crate) fn parts(parts: &[Part]) -> Option<String> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for part in parts {
        match part.outcome {
            PartOutcome::Pass => passed += 1,
            PartOutcome::Fail { .. } => failed += 1,
            PartOutcome::Skip { .. } => skipped += 1,
        }
    }
    let told = [(passed, "passed"), (failed, "failed"), (skipped, "skipped")];
    let told: Vec<String> = told
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    (!told.is_empty()).then(|| format!("{}: {}", count(parts.len(), "result"), told.join(", ")))
}

/// Whose fault a fault of the machine is: the harness counts as one, but must not blame the machine.
pub(crate) fn machine_blame(fault: &MachineFault) -> &'static str {
    match fault {
        MachineFault::Harness { .. } => "cudacheck at fault",
        MachineFault::DriverNotFound { .. }
        | MachineFault::LibraryUnusable { .. }
        | MachineFault::StubLibrary { .. }
        | MachineFault::DriverMismatch { .. }
        | MachineFault::ModuleNotLoaded
        | MachineFault::NoDevice
        | MachineFault::Cuda { .. }
        | MachineFault::Nvml { .. }
        | MachineFault::ProbeTimedOut { .. }
        | MachineFault::ProbeDied { .. }
        | MachineFault::DeviceLost { .. }
        | MachineFault::DeviceUnfit { .. }
        | MachineFault::Unkillable { .. } => "machine at fault",
    }
}

/// Whose a loaded library is.
pub(crate) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Package => "the package's",
        Owner::Closure => "of its closure",
        Owner::Driver => "the driver's",
        Owner::Host => "the host's",
        Owner::Excepted => "excepted",
        Owner::Stranger => "nobody's",
    }
}

/// What a worker left behind; none if it left nothing.
pub(crate) fn leaked(processes: u32) -> Option<String> {
    (processes > 0).then(|| format!("{} left behind and ended", count(processes, "process")))
}

/// Where something was looked for in vain, for a fault that says only how many places there were.
pub(crate) fn places(fault: &MachineFault) -> Vec<String> {
    if let MachineFault::DriverNotFound { searched } = fault {
        searched
            .iter()
            .map(|place| place.display().to_string())
            .collect()
    } else {
        Vec::new()
    }
}

/// A signal's name on Linux for x86-64 and Arm, where the numbers agree; see signal(7).
pub(crate) fn signal(number: i32) -> String {
    const NAMES: &[&str] = &[
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1));
    let name = index.and_then(|index| NAMES.get(index));
    name.map_or_else(|| format!("SIG {number}"), |name| (*name).to_owned())
}

/// Seconds with milliseconds: `0.412s`.
pub(crate) fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}s", milliseconds / 1000, milliseconds % 1000)
}

/// A run's duration: seconds up to a minute, then minutes and hours.
pub(crate) fn run_time(milliseconds: u64) -> String {
    let whole = milliseconds / 1000;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => seconds(milliseconds),
        (0, _) => format!("{minutes:02}:{rest:02}"),
        (_, _) => format!("{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// A size of memory, rounded: `20 GiB`, `512 MiB`.
pub(crate) fn memory(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    if bytes < GIB {
        format!("{} MiB", bytes.saturating_add(MIB / 2) / MIB)
    } else {
        format!("{} GiB", bytes.saturating_add(GIB / 2) / GIB)
    }
}

/// A command line that a shell takes as it is.
pub(crate) fn shell(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c));
        if plain {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    text::one_line(quoted.collect::<Vec<_>>().join(" "))
}

/// A device for a failure's heading: `device 0 (Orin, sm_87)`.
pub(crate) fn device(label: &DeviceLabel) -> String {
    text::one_line(format!(
        "device {} ({}, {})",
        label.ordinal, label.name, label.sm
    ))
}

/// The driver in one phrase: `driver 580.95.05 (supports CUDA 13.0)`.
pub(crate) fn driver(facts: &MachineFacts) -> String {
    match (facts.driver.version(), facts.driver.cuda) {
        (Some(version), Some(cuda)) => format!("driver {version} (supports CUDA {cuda})"),
        (Some(version), None) => format!("driver {version}"),
        // Up to JetPack 5 the driver has no number of its own: it is a part of Jetson Linux.
        (None, Some(cuda)) => {
            let l4t = facts.jetson.as_ref().and_then(|jetson| jetson.l4t.as_ref());
            let whose = l4t.map_or("unknown version".to_owned(), |l4t| format!("L4T {l4t}"));
            format!("driver of {whose} (supports CUDA {cuda})")
        }
        (None, None) => "no driver".to_owned(),
    }
}

/// A Jetson in one phrase: `Jetson AGX Orin · L4T 36.4.3 (JetPack 6.2)`.
pub(crate) fn jetson(facts: &MachineFacts) -> Option<String> {
    let jetson = facts.jetson.as_ref()?;
    let model = jetson.model.as_deref().unwrap_or("Jetson");
    let l4t = jetson
        .l4t
        .as_ref()
        .map(|l4t| format!(" · L4T {l4t}"))
        .unwrap_or_default();
    let jetpack = jetson
        .jetpack
        .as_ref()
        .map(|jetpack| format!(" (JetPack {jetpack})"))
        .unwrap_or_default();
    Some(text::one_line(format!("{model}{l4t}{jetpack}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: impl AsRef<str>, expected: &str) {
        assert_eq!(found.as_ref(), expected);
    }

    #[test]
    fn counts_have_their_plural() {
        check(count(0u32, "case"), "0 cases");
        check(count(1u32, "case"), "1 case");
        check(count(2usize, "library"), "2 libraries");
        check(count(2usize, "process"), "2 processes");
    }

    #[test]
    fn durations_and_sizes_are_short() {
        check(seconds(412), "0.412s");
        check(run_time(1_204), "1.204s");
        check(run_time(108_000), "01:48");
        check(run_time(3_723_000), "01:02:03");
        check(memory(21_121_466_368), "20 GiB");
        check(memory(512 << 20), "512 MiB");
        check(memory(u64::MAX), "17179869183 GiB");
    }

    #[test]
    fn signals_have_names() {
        check(signal(11), "SIGSEGV");
        check(signal(6), "SIGABRT");
        check(signal(31), "SIGSYS");
        check(signal(0), "SIG 0");
        check(signal(64), "SIG 64");
        check(signal(-1), "SIG -1");
    }

    #[test]
    fn commands_can_be_pasted() {
        let words = ["cudacheck", "run", "it's", "a b", ""].map(str::to_owned);
        check(shell(&words), r"cudacheck run 'it'\''s' 'a b' ''");
    }
}
