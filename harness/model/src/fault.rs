//! What keeps a machine from answering. Never the tested package's doing.
//!
//! Each fault proves its own cause by its variant and names a remedy that can be typed or done.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cuda;
use crate::journal::Stage;
use crate::outcome::{Cause, Explained};
use crate::version::DriverVersion;

/// What kept the machine from answering.
#[derive(Clone, Debug, Deserialize, Error, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum MachineFault {
    /// No file named `libcuda.so.1` in any place where drivers are.
    #[error("no NVIDIA driver: `libcuda.so.1` was not found in any of its usual places")]
    DriverNotFound {
        /// The places.
        searched: Vec<PathBuf>,
    },
    /// The dynamic loader refused a driver library.
    #[error("the driver's library `{}` cannot be loaded: {reason}", library.display())]
    LibraryUnusable {
        /// The file.
        library: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// The toolkit's stub stands where the driver should.
    #[error("`{}` is the CUDA toolkit's stub, not a driver", library.display())]
    StubLibrary {
        /// The file.
        library: PathBuf,
    },
    /// Kernel module and libraries have different versions.
    #[error("{}", mismatch(module.as_ref(), library.as_ref()))]
    DriverMismatch {
        /// The kernel module's version.
        module: Option<DriverVersion>,
        /// The library's version.
        library: Option<DriverVersion>,
    },
    /// The libraries are there, the kernel module is not.
    #[error("the NVIDIA kernel module is not loaded")]
    ModuleNotLoaded,
    /// The driver runs but offers no device.
    #[error("the driver offers no device")]
    NoDevice,
    /// A call of the driver failed for a reason that no package can cause.
    #[error("`{function}` failed: {text} ({name}, {code})")]
    Cuda {
        /// The function.
        function: String,
        /// CUDA's number.
        code: i32,
        /// CUDA's name.
        name: String,
        /// CUDA's sentence.
        text: String,
    },
    /// NVML refused.
    #[error("`{function}` failed: {text} (NVML {code})")]
    Nvml {
        /// The function.
        function: String,
        /// NVML's number.
        code: u32,
        /// NVML's sentence.
        text: String,
    },
    /// The driver did not answer in time.
    #[error("the driver did not answer within {seconds} s, at stage {stage}")]
    ProbeTimedOut {
        /// Where it stopped.
        stage: Stage,
        /// How long it was given.
        seconds: u64,
    },
    /// The driver took its process down.
    #[error("the probe of the driver ended with {ending} at stage {stage}")]
    ProbeDied {
        /// Where it died.
        stage: Stage,
        /// How: `SIGSEGV`, `exit code 101`.
        ending: String,
    },
    /// The driver no longer offers a device that it offered at the start of the run.
    #[error("device {device} was lost: the driver no longer offers it")]
    DeviceLost {
        /// Its UUID, or its name where it has none.
        device: String,
    },
    /// A device must not be used again before a person has looked at it.
    #[error("device {device} is not fit for use: {reason}")]
    DeviceUnfit {
        /// Its UUID, or its name where it has none.
        device: String,
        /// What shows it.
        reason: String,
    },
    /// A process survives SIGKILL inside the driver.
    #[error("process {pid} does not end {seconds} s after SIGKILL (state {state})")]
    Unkillable {
        /// The process.
        pid: u32,
        /// How long it was given.
        seconds: u64,
        /// Its state by `/proc/PID/stat`: `D`.
        state: String,
    },
    /// The harness itself could not do its part.
    #[error("{message}")]
    Harness {
        /// What happened.
        message: String,
    },
}

fn mismatch(module: Option<&DriverVersion>, library: Option<&DriverVersion>) -> String {
    match (module, library) {
        (Some(module), Some(library)) => {
            format!("the driver's kernel module is {module} but its library is {library}")
        }
        (Some(module), None) => {
            format!("the driver's kernel module is {module} but its library is of another version")
        }
        (None, Some(library)) => {
            format!("the driver's library is {library} but its kernel module is of another version")
        }
        (None, None) => {
            "the driver's kernel module and its library are of different versions".to_owned()
        }
    }
}

impl MachineFault {
    /// The word for it in JUnit's `type` attribute, without the `cudacheck.` before it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::DriverNotFound { .. } => "driver-missing",
            Self::LibraryUnusable { .. } => "driver-unusable",
            Self::StubLibrary { .. } => "driver-stub",
            Self::DriverMismatch { .. } => "driver-mismatch",
            Self::ModuleNotLoaded => "driver-not-loaded",
            Self::NoDevice => "no-device",
            Self::Cuda { .. } => "cuda-error",
            Self::Nvml { .. } => "nvml",
            Self::ProbeTimedOut { .. } => "probe-timeout",
            Self::ProbeDied { .. } => "probe-died",
            Self::DeviceLost { .. } => "gpu-lost",
            Self::DeviceUnfit { .. } => "gpu-unfit",
            Self::Unkillable { .. } => "unkillable",
            Self::Harness { .. } => "harness",
        }
    }

    /// Whether nothing can be run on this machine until a person has looked at it.
    pub fn needs_attention(&self) -> bool {
        match self {
            Self::Unkillable { .. } | Self::DeviceLost { .. } | Self::DeviceUnfit { .. } => true,
            Self::Cuda { code, .. } => cuda::find(*code).is_some_and(|error| error.needs_attention),
            Self::Nvml { code, .. } => *code == 15,
            Self::DriverNotFound { .. }
            | Self::LibraryUnusable { .. }
            | Self::StubLibrary { .. }
            | Self::DriverMismatch { .. }
            | Self::ModuleNotLoaded
            | Self::NoDevice
            | Self::ProbeTimedOut { .. }
            | Self::ProbeDied { .. }
            | Self::Harness { .. } => false,
        }
    }
}

impl Explained for MachineFault {
    fn cause(&self) -> Cause {
        match self {
            Self::DriverNotFound { .. } => {
                Cause::proven("no NVIDIA driver is installed, or it is not visible here")
            }
            Self::LibraryUnusable { .. } => Cause::proven(
                "the file or one of its own libraries is missing, damaged, or for another architecture",
            ),
            Self::StubLibrary { .. } => Cause::proven(
                "a `stubs` directory of the CUDA toolkit is on the search path before the driver",
            ),
            Self::DriverMismatch { .. } => Cause::proven(
                "the driver was updated and its kernel module not reloaded, or a container brings libraries of another driver",
            ),
            Self::ModuleNotLoaded => {
                Cause::proven("the driver's libraries answer that its kernel module does not")
            }
            Self::NoDevice => {
                Cause::proven("no GPU, no access to /dev/nvidia*, or CUDA_VISIBLE_DEVICES hides it")
            }
            Self::Cuda { code, .. } => match cuda::find(*code) {
                Some(error) => Cause::proven(error.cause),
                None => Cause::Unknown,
            },
            Self::Nvml { code: 15, .. } => {
                Cause::proven("the GPU has fallen off the bus or has otherwise become inaccessible")
            }
            Self::Nvml { .. } => Cause::Unknown,
            Self::ProbeTimedOut { .. } => Cause::proven("a call into the driver does not return"),
            Self::ProbeDied { .. } => {
                Cause::proven("the driver's library ended the process that called it")
            }
            Self::DeviceLost { .. } => {
                Cause::proven("the GPU has fallen off the bus or has otherwise become inaccessible")
            }
            Self::DeviceUnfit { reason, .. } => Cause::proven(reason.clone()),
            Self::Unkillable { .. } => Cause::proven(
                "the process waits inside the kernel's driver, where signals do not reach it",
            ),
            Self::Harness { .. } => Cause::Unknown,
        }
    }

    fn remedy(&self) -> String {
        match self {
            Self::DriverNotFound { .. } => "install an NVIDIA driver; in a container pass the GPU in; to try without a GPU: cudacheck run --simulate h100".to_owned(),
            Self::LibraryUnusable { library, .. } => format!("ldd {}", library.display()),
            Self::StubLibrary { .. } => "take the `stubs` directory off LD_LIBRARY_PATH and RUNPATH".to_owned(),
            Self::DriverMismatch { .. } => "reboot, or unload and reload the nvidia kernel modules".to_owned(),
            Self::ModuleNotLoaded => "modprobe nvidia, and look at `dmesg | grep NVRM`".to_owned(),
            Self::NoDevice => "ls -l /dev/nvidia*; nvidia-smi; unset CUDA_VISIBLE_DEVICES".to_owned(),
            Self::Cuda { code, .. } => match cuda::find(*code) {
                Some(error) => error.remedy.to_owned(),
                None => "cudacheck facts, and look at `dmesg | grep -e NVRM -e nvgpu`".to_owned(),
            },
            Self::Nvml { code: 15, .. } => "take the GPU out of service; look for Xid 79 in `dmesg`; reboot".to_owned(),
            Self::Nvml { .. } => "nvidia-smi, and look at `dmesg | grep NVRM`".to_owned(),
            Self::ProbeTimedOut { .. } => "nvidia-smi; if it hangs too, reboot; a GPU without persistence mode may need a longer --probe-timeout".to_owned(),
            Self::ProbeDied { .. } => "nvidia-smi, and look at `dmesg | grep -e NVRM -e nvgpu`".to_owned(),
            Self::DeviceLost { .. } => {
                "take the GPU out of service; look for Xid 79 in `dmesg`; reboot".to_owned()
            }
            Self::DeviceUnfit { .. } => {
                "nvidia-smi -q -d ECC,PAGE_RETIREMENT,ROW_REMAPPER; reset or replace the GPU"
                    .to_owned()
            }
            Self::Unkillable { pid, .. } => format!("cat /proc/{pid}/wchan; reboot the machine before it is used again"),
            Self::Harness { .. } => "report this as a bug of cudacheck, with the run's directory".to_owned(),
        }
    }
}
