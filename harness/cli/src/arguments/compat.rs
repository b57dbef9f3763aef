//! The words of `cudacheck compat` and `cudacheck explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SimulationArguments;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cudacheck compat 12.4 --driver 535.183.01 --gpu \"RTX 4090\"
  cudacheck compat 12.9 --targets sm_87 --jetpack 6.2 --gpu \"AGX Orin\"
  cudacheck compat --capabilities '[ \"8.6\" \"9.0a\" ]' --toolkit 12.8 --gpu H100 --driver 570.124.06
  cudacheck compat ./result --needs

Exit codes: 0 supported or limited, 1 unsupported, 2 wrong usage, 3 unknown.")]
pub(crate) struct CompatArguments {
    /// A package's file or directory, a suite (.yaml), a manifest of NVIDIA's redistributables (.json), a toolkit
    /// version, or a list of Nix's `cudaCapabilities`
    #[arg(value_name = "PACKAGE", required_unless_present_any = ["toolkit", "capabilities", "targets", "needed", "libraries", "tables", "schema"])]
    pub(crate) package: Option<String>,

    /// The toolkit that the package is built with
    #[arg(long, value_name = "VERSION", help_heading = "Package")]
    pub(crate) toolkit: Option<String>,

    /// Its GPU code: machine code as sm_80, PTX as compute_80
    #[arg(
        long,
        value_name = "LIST",
        conflicts_with = "capabilities",
        help_heading = "Package"
    )]
    pub(crate) targets: Option<String>,

    /// Its GPU code as Nix's `cudaCapabilities`: 8.6, 9.0a
    #[arg(long, value_name = "LIST", help_heading = "Package")]
    pub(crate) capabilities: Option<String>,

    /// It has no PTX: `cudaForwardCompat = false`
    #[arg(long, help_heading = "Package")]
    pub(crate) no_forward_compat: bool,

    /// Libraries that it needs, by the names of their files: libcudart.so.12; they reveal the toolkit's major version
    #[arg(
        long,
        value_name = "LIST",
        conflicts_with = "toolkit",
        help_heading = "Package"
    )]
    pub(crate) needed: Option<String>,

    /// A library that it uses, such as cudnn=9.11.0; may be repeated
    #[arg(
        long = "library",
        value_name = "NAME=VERSION",
        help_heading = "Package"
    )]
    pub(crate) libraries: Vec<String>,

    /// The platform it is built for; may be repeated
    #[arg(
        long = "built-for",
        value_name = "PLATFORM",
        value_enum,
        help_heading = "Package"
    )]
    pub(crate) built_for: Vec<PlatformWord>,

    /// The machine's driver, such as 535.183.01
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["jetpack", "facts", "sysroot", "simulate"], help_heading = "Machine")]
    pub(crate) driver: Option<String>,

    /// The version of the driver's libraries, if it is not that of its kernel module
    #[arg(
        long,
        value_name = "VERSION",
        requires = "driver",
        help_heading = "Machine"
    )]
    pub(crate) driver_libraries: Option<String>,

    /// The machine's GPU: a name, or a capability such as sm_87; may be repeated
    #[arg(long = "gpu", value_name = "NAME", conflicts_with_all = ["facts", "sysroot", "simulate"], help_heading = "Machine")]
    pub(crate) gpus: Vec<String>,

    /// The Jetson's JetPack, such as 6.2
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["facts", "sysroot", "simulate"], help_heading = "Machine")]
    pub(crate) jetpack: Option<String>,

    /// The machine's platform
    #[arg(long, value_enum, value_name = "PLATFORM", conflicts_with_all = ["facts", "sysroot", "simulate"], help_heading = "Machine")]
    pub(crate) platform: Option<PlatformWord>,

    /// A forward compatibility package is in use: the CUDA version it brings, such as 13.0 or cuda-compat-13-0
    #[arg(long, value_name = "VERSION", help_heading = "Machine")]
    pub(crate) compat: Option<String>,

    /// A variable that is set there, such as CUDA_FORCE_PTX_JIT=1; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", help_heading = "Machine")]
    pub(crate) variables: Vec<String>,

    /// A recorded machine: what `cudacheck facts --json` printed there
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sysroot", "simulate"], help_heading = "Machine")]
    pub(crate) facts: Option<PathBuf>,

    /// A recorded machine: what `cudacheck facts --record` wrote there
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "simulate",
        help_heading = "Machine"
    )]
    pub(crate) sysroot: Option<PathBuf>,

    /// When to ask the driver itself, in processes of their own: its compiler, its versions, and the package's
    /// libcudart count more than the tables
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t = OracleWord::Auto,
        default_missing_value = "always",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "needs",
        help_heading = "Machine"
    )]
    pub(crate) oracle: OracleWord,

    /// Ask the driver whose libraries lie in this directory; --gpu says for which device it compiles. With --driver,
    /// which is then the kernel's, they are those of a forward compatibility package
    #[arg(long, value_name = "DIR", requires = "gpus", conflicts_with_all = ["oracle", "jetpack", "facts", "sysroot", "simulate", "needs"], help_heading = "Machine")]
    pub(crate) driver_files: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) simulation: SimulationArguments,

    /// Seconds that the probe of this machine may take, and its driver's answers
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600), help_heading = "Machine")]
    pub(crate) probe_timeout: u64,

    /// Print which drivers and GPUs the package needs, whatever the machine
    #[arg(long, conflicts_with_all = ["driver", "gpus", "jetpack", "facts", "sysroot", "simulate"])]
    pub(crate) needs: bool,

    /// Print the table of --needs as Markdown
    #[arg(long, requires = "needs", conflicts_with = "json")]
    pub(crate) markdown: bool,

    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the tables that the answers rest on, with their sources
    #[arg(long, exclusive = true)]
    pub(crate) tables: bool,

    /// Print the JSON schema of the answer
    #[arg(long, exclusive = true)]
    pub(crate) schema: bool,
}

/// When a driver's files are asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum OracleWord {
    /// When it is about this machine, and it has a driver
    Auto,
    /// Complain where there is none
    Always,
    /// Let the tables alone answer
    Never,
}

/// NVIDIA's names of platforms.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum PlatformWord {
    #[value(name = "linux-x86_64")]
    LinuxX86_64,
    LinuxSbsa,
    LinuxAarch64,
    LinuxPpc64le,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cudacheck explain 222
  cudacheck explain CUDA_ERROR_NO_BINARY_FOR_GPU
  cudacheck explain xid 79
  cudacheck explain cudnn 3009
  cudacheck explain \"forward compatibility was attempted\"")]
pub(crate) struct ExplainArguments {
    /// A number of the CUDA driver, a name, `xid`, `cudnn`, `cublas`, or `nvml` with a number, or a piece of a message
    #[arg(value_name = "ERROR", required = true)]
    pub(crate) words: Vec<String>,

    /// Print the explanation as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
