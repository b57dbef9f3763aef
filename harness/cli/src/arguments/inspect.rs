//! The command line of `cudacheck inspect`.

use std::path::PathBuf;

use clap::Args;
use cudacheck_inspect::finding::{Expectation, Redistribution};

#[derive(Args, Debug)]
#[command(after_help = "Exit codes: 0 no finding is an error, 1 one is, 2 usage, 3 the machine.")]
pub(crate) struct InspectArguments {
    /// Files and directories: a store path, an unpacked package, a single library
    #[arg(value_name = "PATH", required_unless_present = "schema")]
    pub(crate) paths: Vec<PathBuf>,

    /// Print the answer as JSON; --schema describes it
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the JSON schema of the answer
    #[arg(long)]
    pub(crate) schema: bool,

    /// Tell about this device: a name, sm_87, or 8.7; may be repeated; all that have a name if not given
    #[arg(long = "gpu", value_name = "GPU")]
    pub(crate) gpus: Vec<String>,

    /// The GPU code that there must be, no more and no less: sm_80,sm_90,ptx
    #[arg(long, value_name = "TARGETS")]
    pub(crate) expect: Option<Expectation>,

    /// The platform that the package must be for, by NVIDIA's name: linux-x86_64, linux-sbsa, linux-aarch64, …
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<Redistribution>,

    /// Write the payload of every piece of GPU code below this directory, unpacked
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "expect", "platform"])]
    pub(crate) extract: Option<PathBuf>,

    /// Look for GPU code only in the sections that NVIDIA's tools make for it, as cuobjdump does
    #[arg(long)]
    pub(crate) sections_only: bool,

    /// Resolve libraries as on the system below this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) sysroot: Option<PathBuf>,

    /// Inspect everything that the given store paths refer to as well; asks nix-store
    #[arg(long)]
    pub(crate) closure: bool,

    /// Show every section, what each library asks the loader for, and every warning
    #[arg(short, long)]
    pub(crate) verbose: bool,
}
