//! The driver's status as a number in a newtype: a code that nobody listed must stay a code.

/// A `CUresult`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status(pub u32);

impl Status {
    /// `CUDA_SUCCESS`.
    pub const SUCCESS: Self = Self(0);
    /// `CUDA_ERROR_INVALID_VALUE`.
    pub const INVALID_VALUE: Self = Self(1);
    /// `CUDA_ERROR_OUT_OF_MEMORY`.
    pub const OUT_OF_MEMORY: Self = Self(2);
    /// `CUDA_ERROR_NOT_INITIALIZED`.
    pub const NOT_INITIALIZED: Self = Self(3);
    /// `CUDA_ERROR_NO_DEVICE`.
    pub const NO_DEVICE: Self = Self(100);
    /// `CUDA_ERROR_INVALID_DEVICE`.
    pub const INVALID_DEVICE: Self = Self(101);
    /// `CUDA_ERROR_INVALID_IMAGE`.
    pub const INVALID_IMAGE: Self = Self(200);
    /// `CUDA_ERROR_INVALID_CONTEXT`.
    pub const INVALID_CONTEXT: Self = Self(201);
    /// `CUDA_ERROR_NO_BINARY_FOR_GPU`.
    pub const NO_BINARY_FOR_GPU: Self = Self(209);
    /// `CUDA_ERROR_ECC_UNCORRECTABLE`.
    pub const ECC_UNCORRECTABLE: Self = Self(214);
    /// `CUDA_ERROR_UNSUPPORTED_LIMIT`.
    pub const UNSUPPORTED_LIMIT: Self = Self(215);
    /// `CUDA_ERROR_PEER_ACCESS_UNSUPPORTED`.
    pub const PEER_ACCESS_UNSUPPORTED: Self = Self(217);
    /// `CUDA_ERROR_INVALID_PTX`.
    pub const INVALID_PTX: Self = Self(218);
    /// `CUDA_ERROR_UNSUPPORTED_PTX_VERSION`.
    pub const UNSUPPORTED_PTX_VERSION: Self = Self(222);
    /// `CUDA_ERROR_JIT_COMPILATION_DISABLED`.
    pub const JIT_COMPILATION_DISABLED: Self = Self(223);
    /// `CUDA_ERROR_INVALID_HANDLE`.
    pub const INVALID_HANDLE: Self = Self(400);
    /// `CUDA_ERROR_NOT_FOUND`.
    pub const NOT_FOUND: Self = Self(500);
    /// `CUDA_ERROR_NOT_READY`.
    pub const NOT_READY: Self = Self(600);
    /// `CUDA_ERROR_ILLEGAL_ADDRESS`.
    pub const ILLEGAL_ADDRESS: Self = Self(700);
    /// `CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES`.
    pub const LAUNCH_OUT_OF_RESOURCES: Self = Self(701);
    /// `CUDA_ERROR_LAUNCH_TIMEOUT`.
    pub const LAUNCH_TIMEOUT: Self = Self(702);
    /// `CUDA_ERROR_CONTEXT_IS_DESTROYED`.
    pub const CONTEXT_IS_DESTROYED: Self = Self(709);
    /// `CUDA_ERROR_ASSERT`.
    pub const ASSERT: Self = Self(710);
    /// `CUDA_ERROR_HARDWARE_STACK_ERROR`.
    pub const HARDWARE_STACK_ERROR: Self = Self(714);
    /// `CUDA_ERROR_ILLEGAL_INSTRUCTION`.
    pub const ILLEGAL_INSTRUCTION: Self = Self(715);
    /// `CUDA_ERROR_MISALIGNED_ADDRESS`.
    pub const MISALIGNED_ADDRESS: Self = Self(716);
    /// `CUDA_ERROR_INVALID_ADDRESS_SPACE`.
    pub const INVALID_ADDRESS_SPACE: Self = Self(717);
    /// `CUDA_ERROR_INVALID_PC`.
    pub const INVALID_PC: Self = Self(718);
    /// `CUDA_ERROR_LAUNCH_FAILED`.
    pub const LAUNCH_FAILED: Self = Self(719);
    /// `CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE`.
    pub const COOPERATIVE_LAUNCH_TOO_LARGE: Self = Self(720);
    /// `CUDA_ERROR_NOT_SUPPORTED`.
    pub const NOT_SUPPORTED: Self = Self(801);
    /// `CUDA_ERROR_UNKNOWN`.
    pub const UNKNOWN: Self = Self(999);
    /// No code of the API: the call does not return. Only the exported functions see it, and obey.
    pub(crate) const NEVER: Self = Self(u32::MAX);

    /// Whether the error makes its context unusable: every later call answers the same.
    ///
    /// These are the codes whose comment in `cuda.h` says that the process, or the context, cannot go on.
    pub fn is_sticky(self) -> bool {
        matches!(
            self.0,
            214 | 220 | 226 | 700 | 702 | 710 | 714..=719 | 721 | 810 | 999
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_kernels_stick_and_errors_of_calls_do_not() {
        let sticky: Vec<u32> = (0..1000).filter(|code| Status(*code).is_sticky()).collect();
        assert_eq!(
            sticky,
            [
                214, 220, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 810, 999
            ]
        );
    }
}
