//! Numbers of libraries that `cudacheck explain` has no table for: what they prove, and what to do.
//!
//! From the libraries' headers. Where a number says that something went wrong and not what, the cause stays unknown and
//! the remedy says where to look.

use cudacheck_model::library::Library;
use cudacheck_model::outcome::Class;

/// One number of one library.
pub(super) struct Code {
    library: Library,
    number: i32,
    pub(super) class: Class,
    /// What it proves, if it proves anything.
    pub(super) cause: Option<&'static str>,
    pub(super) remedy: &'static str,
}

const NO_CODE: &str = "the library has no code, or no such feature, for this device";
const BUILD_FOR_IT: &str =
    "take a release of the library that supports the device: cudacheck compat PATH";
const LOOK_AT_PARTS: &str = "run the case `cold` of the same suite, which names the part that is missing; cudacheck inspect PATH";
const LOOK_AT_DRIVER: &str =
    "cudacheck facts; cudacheck run kernels shows whether the driver works";
const LOOK_AT_OUTPUT: &str =
    "read the output of the worker: the library says there what went wrong";

/// `CURAND_STATUS_ARCH_MISMATCH`, and what the others call the same.
const CODES: &[Code] = &[
    row(
        Library::Curand,
        204,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    row(
        Library::Cusolver,
        4,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    row(
        Library::Cusparse,
        4,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    row(
        Library::Cutensor,
        8,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    row(
        Library::Nvjpeg,
        7,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    row(
        Library::Magma,
        -103,
        Class::Architecture,
        Some(NO_CODE),
        BUILD_FOR_IT,
    ),
    // CUTENSOR_STATUS_INSUFFICIENT_DRIVER.
    row(
        Library::Cutensor,
        20,
        Class::Execution,
        Some("the driver is older than this release of cuTENSOR needs"),
        "update the driver: cudacheck compat PATH names the lowest that suffices",
    ),
    // cv::Error::GpuNotSupported.
    row(
        Library::Opencv,
        -216,
        Class::Build,
        Some("this OpenCV was built without CUDA"),
        "build it with CUDA: opencv.override { enableCuda = true; }",
    ),
    // MAGMA_ERR_DEVICE_ALLOC.
    row(
        Library::Magma,
        -113,
        Class::Execution,
        Some("no device memory could be had"),
        "nvidia-smi shows who holds the memory",
    ),
    // CUFFT_INTERNAL_ERROR, which also stands for a part that was not found.
    row(Library::Cufft, 5, Class::Execution, None, LOOK_AT_PARTS),
    // CUFFT_MISSING_DEPENDENCY and CUFFT_NVJITLINK_FAILURE of CUDA 13.
    row(
        Library::Cufft,
        17,
        Class::Loading,
        Some("a library that cuFFT opens by name is missing"),
        LOOK_AT_PARTS,
    ),
    row(
        Library::Cufft,
        19,
        Class::Loading,
        Some("libnvJitLink, which links cuFFT's kernels, failed or is missing"),
        LOOK_AT_PARTS,
    ),
    // CURAND_STATUS_INITIALIZATION_FAILED, CUSOLVER_STATUS_NOT_INITIALIZED, and theirs.
    row(Library::Curand, 203, Class::Execution, None, LOOK_AT_DRIVER),
    row(Library::Cusolver, 1, Class::Execution, None, LOOK_AT_PARTS),
    row(Library::Cusparse, 1, Class::Execution, None, LOOK_AT_PARTS),
    row(
        Library::Cutensor,
        18,
        Class::Execution,
        None,
        LOOK_AT_DRIVER,
    ),
    // ncclUnhandledCudaError, and ncclSystemError.
    row(Library::Nccl, 1, Class::Execution, None, LOOK_AT_OUTPUT),
    row(
        Library::Nccl,
        2,
        Class::Execution,
        None,
        "read the output of the worker; NCCL needs room in /dev/shm: df /dev/shm",
    ),
];

const fn row(
    library: Library,
    number: i32,
    class: Class,
    cause: Option<&'static str>,
    remedy: &'static str,
) -> Code {
    Code {
        library,
        number,
        class,
        cause,
        remedy,
    }
}

/// What is known of a number.
pub(super) fn find(library: Library, number: i32) -> Option<&'static Code> {
    CODES
        .iter()
        .find(|code| code.library == library && code.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_explained_twice() {
        for (index, code) in CODES.iter().enumerate() {
            let same = |other: &&Code| other.library == code.library && other.number == code.number;
            assert_eq!(CODES.iter().position(|it| same(&it)), Some(index));
            assert!(!code.remedy.is_empty());
        }
    }
}
