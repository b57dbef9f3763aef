//! Executes compiled modules: warps of 32 lanes in lock step, their memories, barriers, and traps.

#![expect(
    clippy::cast_possible_truncation,
    reason = "registers are 64 bits wide, and an instruction means the low bits of its operands"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the paths that meet at an instruction are at one of the same kind"
)]

mod access;
mod asynchronous;
mod barrier;
mod broken;
mod builtin;
mod calls;
mod faults;
mod halt;
mod lanes;
mod launch;
mod loaded;
mod matrix;
mod memory;
mod scalar;
mod step;
mod trap;
mod warp;

pub use faults::ExecFaults;
pub use launch::{Cooperation, LaunchConfig, SmShape, Statistics, launch, resident_blocks};
pub use loaded::{Loaded, OutOfMemory};
pub use memory::{Memory, UnknownAddress};
pub use trap::{Place, Trap};

pub(crate) use asynchronous::pending_count;

/// Where shared memory begins in generic addresses.
pub(crate) const SHARED_WINDOW: u64 = 0x7e00_0000_0000;
/// Where local memory begins in generic addresses.
pub(crate) const LOCAL_WINDOW: u64 = 0x7e01_0000_0000;
/// The size of either.
pub(crate) const WINDOW_BYTES: u64 = 1 << 24;
/// The value of a function's address, and the distance to the next one's.
pub(crate) const CODE_ADDRESS: u64 = 0x1_0000;
pub(crate) const CODE_STEP: u64 = 0x100;
