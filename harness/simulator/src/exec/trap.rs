//! How a kernel dies, with the place where it did.

use std::fmt;

use thiserror::Error;

/// Where a kernel died.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Place {
    /// The kernel or function.
    pub function: String,
    /// The instruction as written.
    pub instruction: String,
    /// Its line in the PTX text, from 1; 0 where there is none.
    pub line: u32,
    /// The block in the grid.
    pub block: [u32; 3],
    /// The thread in the block.
    pub thread: [u32; 3],
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return formatter.write_str("a copy by the host");
        }
        let ([bx, by, bz], [tx, ty, tz]) = (self.block, self.thread);
        write!(
            formatter,
            "`{}` in line {} of `{}`, block ({bx}, {by}, {bz}), thread ({tx}, {ty}, {tz})",
            self.instruction, self.line, self.function
        )
    }
}

/// Why a kernel stopped before its end. Each is one of the driver's sticky errors.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Trap {
    /// An access outside every allocation: `CUDA_ERROR_ILLEGAL_ADDRESS`.
    #[error("illegal access of {bytes} bytes at 0x{address:x} by {place}")]
    IllegalAddress {
        /// The address.
        address: u64,
        /// The access's size.
        bytes: u64,
        /// Where.
        place: Box<Place>,
    },
    /// An address that is no multiple of the access's size: `CUDA_ERROR_MISALIGNED_ADDRESS`.
    #[error("misaligned access of {bytes} bytes at 0x{address:x} by {place}")]
    MisalignedAddress {
        /// The address.
        address: u64,
        /// The access's size.
        bytes: u64,
        /// Where.
        place: Box<Place>,
    },
    /// An instruction with operands that the device refuses: `CUDA_ERROR_ILLEGAL_INSTRUCTION`.
    #[error("illegal instruction: {reason}, {place}")]
    IllegalInstruction {
        /// What is wrong with it.
        reason: String,
        /// Where.
        place: Box<Place>,
    },
    /// An access to a state space that the instruction cannot reach: `CUDA_ERROR_INVALID_ADDRESS_SPACE`.
    #[error("the address 0x{address:x} is in a state space that cannot be accessed by {place}")]
    InvalidAddressSpace {
        /// The address.
        address: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A jump or call to something that is no code: `CUDA_ERROR_INVALID_PC`.
    #[error("jump to 0x{target:x}, which is no code, by {place}")]
    InvalidPc {
        /// The target.
        target: u64,
        /// Where.
        place: Box<Place>,
    },
    /// A failed device assertion: `CUDA_ERROR_ASSERT`.
    #[error("{message}")]
    Assert {
        /// The text that the device prints.
        message: String,
        /// Where.
        place: Box<Place>,
    },
    /// The `trap` instruction: `CUDA_ERROR_LAUNCH_FAILED`.
    #[error("trap by {place}")]
    TrapInstruction {
        /// Where.
        place: Box<Place>,
    },
    /// Calls nested deeper than a thread's stack: `CUDA_ERROR_LAUNCH_FAILED`, a hardware stack error.
    #[error("stack overflow by {place}")]
    StackError {
        /// Where.
        place: Box<Place>,
    },
    /// Every remaining warp waits at a barrier that no other can complete.
    #[error("deadlock: every remaining warp waits, one of them at {place}")]
    Deadlock {
        /// Where one of the warps waits.
        place: Box<Place>,
    },
    /// The launch's own limit on executed instructions is reached; never without [`super::LaunchConfig::step_limit`].
    #[error("stopped after {steps} warp instructions")]
    StepLimit {
        /// The limit.
        steps: u64,
    },
    /// A launch that does not fit the kernel: too few parameter bytes, an unknown entry, too large a block.
    #[error("invalid launch: {reason}")]
    InvalidLaunch {
        /// What does not fit.
        reason: String,
    },
}
