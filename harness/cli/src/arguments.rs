//! The command line, as types.

mod compat;
mod inspect;

pub(crate) use compat::{CompatArguments, ExplainArguments, OracleWord, PlatformWord};
pub(crate) use inspect::InspectArguments;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Does this CUDA package, as it was shipped, work on this GPU, with this driver?
#[derive(Debug, Parser)]
#[command(name = "cudacheck", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Does it work here? Runs suites and reports what works, what does not, why, and what to do
    Run(Box<RunArguments>),
    /// What is this machine? Driver, devices, Jetson, libraries, and where they were found
    Facts(FactsArguments),
    /// What GPU code does a package contain, what will it need, and what is wrong with it?
    Inspect(Box<InspectArguments>),
    /// Will this package run on that driver and GPU, and if not, why and what to do? Runs none of it
    // Boxed: it has many words, and every other command would carry their size.
    Compat(Box<CompatArguments>),
    /// What does this error mean, why does it happen, and what to do?
    Explain(ExplainArguments),
    /// Which suites, cases, and kernels are there?
    List(ListArguments),
    /// Are these suites well-formed? All complaints of all files at once
    Validate(ValidateArguments),
    #[command(hide = true)]
    Worker(WorkerArguments),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 all passed, 1 a package failed, 2 usage or suite error, 3 machine fault and no package \
failure, 4 both 1 and 3, 5 nothing ran, 6 the machine needs attention, 128+n interrupted by signal n.")]
pub(crate) struct RunArguments {
    /// Names of shipped suites, or paths of suite files; `kernels` if none is given, and with --package `linkage` and the
    /// suites of the libraries that the package has
    #[arg(value_name = "SUITE")]
    pub(crate) suites: Vec<String>,

    /// The package to examine, as it was shipped: a store path or a directory; may be repeated
    #[arg(long = "package", value_name = "PATH")]
    pub(crate) packages: Vec<PathBuf>,

    /// Accept this library although it is not the package's: a name or a path; may be repeated
    #[arg(long, value_name = "NAME", requires = "packages")]
    pub(crate) allow_host_libraries: Vec<String>,

    /// Start the workers of library checks through this dynamic loader, as `ld-linux-x86-64.so.2` of a newer glibc;
    /// found by itself if the package has one
    #[arg(long, value_name = "PATH", requires = "packages")]
    pub(crate) loader: Option<PathBuf>,

    /// Set a variable for what is checked, such as NVIDIA_TF32_OVERRIDE=0; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,

    /// Run only this case; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub(crate) cases: Vec<String>,

    /// Run only on this device: an ordinal, the beginning of a UUID, or a part of the name; may be repeated
    #[arg(long = "device", value_name = "DEVICE")]
    pub(crate) devices: Vec<String>,

    #[command(flatten)]
    pub(crate) simulation: SimulationArguments,

    /// Fixes the inputs of all checks; a new one each run if not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Also write the JUnit report to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Whether a pass after a retry carries its failed attempts; some readers do not know the element
    #[arg(long, value_enum, value_name = "HOW", default_value_t = JUnitFlaky::Report)]
    pub(crate) junit_flaky: JUnitFlaky,

    /// Also write the events as JSON Lines to this file; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,

    /// Where runs keep their directories
    #[arg(long, value_name = "DIR", default_value = "cudacheck-runs")]
    pub(crate) runs: PathBuf,

    /// Seconds that a case may take if its suite does not say
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIME_LIMIT, value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub(crate) time_limit: u64,

    /// Seconds that the probe of the machine may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) probe_timeout: u64,

    /// How often a fault of the machine is tried again, if the suite does not say
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub(crate) retries: u32,

    /// Where all runs of this machine, of every user, keep a lock for each device
    #[arg(long, value_name = "DIR", default_value = "/tmp")]
    pub(crate) locks: PathBuf,

    /// How many devices are used at once
    #[arg(long, value_name = "NUMBER")]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) display: DisplayArguments,
}

/// `NAME=VALUE`.
fn variable(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected NAME=VALUE".to_owned()),
    }
}

/// A software GPU instead of a real one; every report says so.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SimulationArguments {
    /// Use a simulated GPU: the name of a profile (h100, rtx-4090, jetson-orin, …) or a YAML file
    #[arg(long, value_name = "PROFILE")]
    pub(crate) simulate: Option<String>,

    /// Inject a fault into the simulated driver or device, such as cuInit:803 or memory:stuck-bit@CASE
    #[arg(
        long,
        value_name = "FAULT",
        requires = "simulate",
        value_delimiter = ','
    )]
    pub(crate) inject: Vec<String>,
}

/// What is shown, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct DisplayArguments {
    /// Show more: every skip, every note, the output of failing cases
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Show only failures and the summary
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// When to colour; colour never carries meaning alone
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,

    /// When to draw a progress bar
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum When {
    /// When stderr is a terminal
    Auto,
    Always,
    Never,
}

/// Seconds that a case may take if neither its suite nor the user says.
pub(crate) const DEFAULT_TIME_LIMIT: u64 = 60;

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum JUnitFlaky {
    /// As `flakyFailure`
    Report,
    /// As a plain pass
    Omit,
}

#[derive(Args, Debug)]
pub(crate) struct FactsArguments {
    /// Print the facts as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Look below this directory instead of `/`: a recorded machine, or a mounted root
    #[arg(long, value_name = "DIR", conflicts_with = "simulate")]
    pub(crate) sysroot: Option<PathBuf>,

    /// Record what was read, so that `--sysroot DIR` gives the same answers elsewhere
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) simulation: SimulationArguments,

    /// Seconds that the probe may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) probe_timeout: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Names of shipped suites, or paths of suite files; all shipped suites if none is given
    #[arg(value_name = "SUITE")]
    pub(crate) suites: Vec<String>,

    /// List the kernels that suites may name, with what each needs
    #[arg(long, conflicts_with_all = ["profiles", "libraries"])]
    pub(crate) kernels: bool,

    /// List the libraries that there are checks for, with their tests
    #[arg(long, conflicts_with = "profiles")]
    pub(crate) libraries: bool,

    /// List the profiles of `--simulate` and the faults of `--inject`
    #[arg(long)]
    pub(crate) profiles: bool,

    /// Print the list as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ValidateArguments {
    /// Suite files; the shipped suites if none is given
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Print the JSON schema of suites
    #[arg(long)]
    pub(crate) schema: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WorkerArguments {
    #[arg(long)]
    pub(crate) task: PathBuf,
    #[arg(long)]
    pub(crate) journal: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
