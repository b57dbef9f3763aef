//! The CUDA driver's error codes: whose fault each is, why it happens, and what to do.
//!
//! Names and numbers are those of `cuda.h` (enum `cudaError_enum`). A code that is not listed here is
//! neither explained nor blamed on anyone.

/// One code of the CUDA driver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CudaError {
    /// The number.
    pub code: i32,
    /// The name in `cuda.h`.
    pub name: &'static str,
    /// Whose fault it is.
    pub blame: Blame,
    /// The most likely cause.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the device must not be used again before a person has looked at it.
    pub needs_attention: bool,
}

/// Whose fault an error code is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The code that was run: the package, or the driver if the code is our own.
    Code,
    /// The machine's configuration, driver, or hardware.
    Machine,
}

/// What is known of a code.
pub fn find(code: i32) -> Option<&'static CudaError> {
    TABLE.iter().find(|error| error.code == code)
}

const fn machine(
    code: i32,
    name: &'static str,
    cause: &'static str,
    remedy: &'static str,
) -> CudaError {
    CudaError {
        code,
        name,
        blame: Blame::Machine,
        cause,
        remedy,
        needs_attention: false,
    }
}

const fn broken(
    code: i32,
    name: &'static str,
    cause: &'static str,
    remedy: &'static str,
) -> CudaError {
    CudaError {
        code,
        name,
        blame: Blame::Machine,
        cause,
        remedy,
        needs_attention: true,
    }
}

const fn code(
    code: i32,
    name: &'static str,
    cause: &'static str,
    remedy: &'static str,
) -> CudaError {
    CudaError {
        code,
        name,
        blame: Blame::Code,
        cause,
        remedy,
        needs_attention: false,
    }
}

const TABLE: &[CudaError] = &[
    machine(
        2,
        "CUDA_ERROR_OUT_OF_MEMORY",
        "the device's memory is used up, by other processes or by a small MIG instance",
        "nvidia-smi; end the other processes, or lower limits.memory-mib",
    ),
    machine(
        34,
        "CUDA_ERROR_STUB_LIBRARY",
        "the CUDA toolkit's stub of libcuda was loaded instead of a driver",
        "take the `stubs` directory off LD_LIBRARY_PATH and RUNPATH",
    ),
    machine(
        46,
        "CUDA_ERROR_DEVICE_UNAVAILABLE",
        "another process holds the device, or its compute mode forbids use",
        "nvidia-smi -q -d COMPUTE; nvidia-smi -c DEFAULT",
    ),
    machine(
        100,
        "CUDA_ERROR_NO_DEVICE",
        "no GPU, no access to /dev/nvidia*, or CUDA_VISIBLE_DEVICES hides it",
        "ls -l /dev/nvidia*; nvidia-smi; unset CUDA_VISIBLE_DEVICES",
    ),
    code(
        209,
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
        "the module carries neither machine code nor usable PTX for this device",
        "build with the device's capability in cudaCapabilities",
    ),
    broken(
        214,
        "CUDA_ERROR_ECC_UNCORRECTABLE",
        "the device's memory has an uncorrectable error",
        "nvidia-smi -q -d ECC,PAGE_RETIREMENT,ROW_REMAPPER; reset or replace the GPU",
    ),
    code(
        218,
        "CUDA_ERROR_INVALID_PTX",
        "the just-in-time compiler refuses the PTX",
        "read the log below; assemble it with ptxas",
    ),
    machine(
        221,
        "CUDA_ERROR_JIT_COMPILER_NOT_FOUND",
        "libnvidia-ptxjitcompiler.so.1 is not beside libcuda.so.1",
        "install the driver's just-in-time compiler, or mount it into the container",
    ),
    code(
        222,
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
        "the PTX is newer than the driver's just-in-time compiler",
        "update the driver, or build with an older toolkit or with machine code for the device",
    ),
    machine(
        803,
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "the driver was updated and its kernel module not reloaded, or a container brings libraries of another driver",
        "reboot, or unload and reload the nvidia kernel modules",
    ),
];
