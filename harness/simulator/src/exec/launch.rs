//! Runs a grid: which blocks are resident, and in which order their warps proceed.

use super::faults::ExecFaults;
use super::loaded::Loaded;
use super::memory::Memory;
use super::trap::Trap;
use crate::ptx::Module;

/// How a kernel is launched.
#[derive(Clone, Debug)]
pub struct LaunchConfig {
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads of a block in x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub dynamic_shared: u32,
    /// Whether all blocks must be resident together.
    pub cooperative: Cooperation,
    /// The parameter block, laid out by the entry's [`crate::ptx::Parameter`]s.
    pub parameters: Vec<u8>,
    /// What the device is made of.
    pub sm: SmShape,
    /// Stops after so many warp instructions; none for a driver, where a hanging kernel hangs.
    pub step_limit: Option<u64>,
}

/// Whether all blocks of a grid are resident together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cooperation {
    /// `cuLaunchKernel`.
    #[default]
    Plain,
    /// `cuLaunchCooperativeKernel`.
    Cooperative,
}

/// What decides how many blocks run at once, and what the clocks show.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SmShape {
    /// Streaming multiprocessors.
    pub multiprocessors: u32,
    /// Threads that one multiprocessor holds.
    pub threads: u32,
    /// Blocks that one multiprocessor holds.
    pub blocks: u32,
    /// Bytes of shared memory of one multiprocessor.
    pub shared_bytes: u32,
    /// The clock in kHz.
    pub clock_khz: u32,
}

/// What a launch executed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Instructions, counted for each thread that executed them.
    pub thread_instructions: u64,
    /// Instructions, counted once per warp.
    pub warp_instructions: u64,
}

/// Runs a kernel to its end. `output` receives what it prints.
///
/// # Errors
///
/// The first trap of any thread.
pub fn launch(
    _memory: &mut Memory,
    _loaded: &Loaded,
    _entry: &str,
    _config: &LaunchConfig,
    _faults: &ExecFaults,
    _output: &mut dyn FnMut(&[u8]),
) -> Result<Statistics, Trap> {
    Err(Trap::InvalidLaunch {
        reason: "the interpreter is not wired up yet".to_owned(),
    })
}

/// How many blocks of a launch can be resident together; a cooperative grid must not be larger.
pub fn resident_blocks(module: &Module, entry: &str, config: &LaunchConfig) -> u64 {
    let threads: u64 = config.block.iter().map(|count| u64::from(*count)).product();
    let threads = threads.max(1).next_multiple_of(32);
    let shared = module.entry(entry).map_or(0, |entry| entry.static_shared);
    let shared = u64::from(shared) + u64::from(config.dynamic_shared);
    let by_threads = u64::from(config.sm.threads) / threads;
    let by_shared = u64::from(config.sm.shared_bytes).checked_div(shared);
    let each = by_threads
        .min(by_shared.unwrap_or(u64::MAX))
        .min(u64::from(config.sm.blocks));
    each * u64::from(config.sm.multiprocessors)
}
