//! Executes compiled modules: warps of 32 lanes in lock step, their memories, barriers, and traps.

mod faults;
mod launch;
mod loaded;
mod memory;
mod trap;

pub use faults::ExecFaults;
pub use launch::{Cooperation, LaunchConfig, SmShape, Statistics, launch, resident_blocks};
pub use loaded::{Loaded, OutOfMemory};
pub use memory::{Memory, UnknownAddress};
pub use trap::{Place, Trap};
