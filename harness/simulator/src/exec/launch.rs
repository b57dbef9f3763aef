//! Runs a grid: which blocks are resident, and in which order their warps proceed.

use std::collections::{BTreeMap, VecDeque};

use super::asynchronous::Copies;
use super::barrier::{Barriers, wake};
use super::calls::{UNWRITTEN, UNWRITTEN_PREDICATE};
use super::faults::ExecFaults;
use super::halt::place;
use super::loaded::Loaded;
use super::memory::{Memory, junk};
use super::step::{Block, Machine, run};
use super::trap::Trap;
use super::warp::{Cursor, NOWHERE, Path, State, Warp};
use crate::ptx::{Entry, Module};

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

/// Instructions that a block executes before another block's turn.
const TURN: u64 = 4096;
/// Instructions that a warp executes before another warp's turn.
const SLICE: u64 = 192;

/// Runs a kernel to its end. `output` receives what it prints.
///
/// # Errors
///
/// The first trap of any thread.
pub fn launch(
    memory: &mut Memory,
    loaded: &Loaded,
    entry: &str,
    config: &LaunchConfig,
    faults: &ExecFaults,
    output: &mut dyn FnMut(&[u8]),
) -> Result<Statistics, Trap> {
    let module = loaded.module();
    let Some(found) = module.entry(entry) else {
        return Err(invalid(format!("the module has no kernel `{entry}`")));
    };
    check(found, config)?;
    let mut machine = Machine {
        memory,
        module,
        constants: &loaded.constants,
        addresses: &loaded.addresses,
        config,
        faults,
        faulty: *faults
            != ExecFaults {
                seed: faults.seed,
                ..ExecFaults::default()
            },
        events: 0,
        pending: BTreeMap::new(),
        due: VecDeque::new(),
        statistics: Statistics::default(),
        output,
        // The dynamic part follows the static one, aligned for any type.
        static_shared: u64::from(found.static_shared).next_multiple_of(16),
    };
    let result = run_grid(&mut machine, found);
    machine.publish_due(u64::MAX);
    result.map(|()| machine.statistics)
}

fn invalid(reason: String) -> Trap {
    Trap::InvalidLaunch { reason }
}

fn check(entry: &Entry, config: &LaunchConfig) -> Result<(), Trap> {
    let threads = product(config.block);
    if threads == 0 || config.grid.contains(&0) {
        return Err(invalid("a grid without threads".to_owned()));
    }
    if threads > 1024
        || entry
            .max_threads
            .is_some_and(|most| threads > u64::from(most))
    {
        return Err(invalid(format!("blocks of {threads} threads")));
    }
    if entry
        .required_block
        .is_some_and(|shape| shape != config.block)
    {
        return Err(invalid(
            "another block shape than the kernel requires".to_owned(),
        ));
    }
    if config.parameters.len() < entry.parameter_bytes {
        return Err(invalid(format!(
            "{} bytes of parameters, the kernel takes {}",
            config.parameters.len(),
            entry.parameter_bytes
        )));
    }
    Ok(())
}

fn run_grid(machine: &mut Machine<'_>, entry: &Entry) -> Result<(), Trap> {
    let config = machine.config;
    let blocks = product(config.grid);
    let resident = match config.cooperative {
        Cooperation::Plain => resident_blocks(machine.module, &entry.name, config).max(1),
        Cooperation::Cooperative => blocks,
    };
    let mut active: Vec<(Block, Vec<Warp>)> = Vec::new();
    let mut next = 0;
    while next < blocks || !active.is_empty() {
        // Most blocks end within their first turn, so that few have to exist at once; the number doubles
        // while they do not, up to what the device holds.
        let room = resident.saturating_sub(active.len() as u64);
        let admit = room.min((active.len() as u64).max(1)).min(blocks - next);
        for _ in 0..admit {
            let mut fresh = begin(machine, entry, next);
            next += 1;
            if !run_block(machine, &mut fresh.0, &mut fresh.1)? {
                active.push(fresh);
            }
        }
        let mut kept = Vec::with_capacity(active.len());
        for (mut block, mut warps) in active {
            if !run_block(machine, &mut block, &mut warps)? {
                kept.push((block, warps));
            }
        }
        active = kept;
    }
    Ok(())
}

fn begin(machine: &Machine<'_>, entry: &Entry, linear: u64) -> (Block, Vec<Warp>) {
    let [width, height, _] = machine.config.grid.map(u64::from);
    let index = [
        linear % width,
        linear / width % height,
        linear / width / height,
    ];
    let index = index.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let [x, y, z] = machine.config.block;
    let threads = x * y * z;
    let shared = machine.static_shared as usize + machine.config.dynamic_shared as usize;
    let function = &machine.module.functions[entry.function];
    let warps = (0..threads.div_ceil(32)).map(|number| {
        let first = number * 32;
        let count = (threads - first).min(32);
        let mask = u32::MAX >> (32 - count);
        let mut tid = [[0u64; 32]; 3];
        for (lane, thread) in (first..first + count).enumerate() {
            tid[0][lane] = u64::from(thread % x);
            tid[1][lane] = u64::from(thread / x % y);
            tid[2][lane] = u64::from(thread / x / y);
        }
        let local = function.local_bytes as usize;
        let frame = |lane: u64| (0..local).map(|position| junk(lane, position)).collect();
        Warp {
            number,
            live: mask,
            rows: vec![UNWRITTEN; function.rows as usize],
            predicates: vec![UNWRITTEN_PREDICATE; function.predicates as usize],
            local: (0..32).map(frame).collect(),
            paths: vec![Path {
                at: Cursor {
                    mask,
                    pc: 0,
                    function: entry.function,
                    rows: 0,
                    predicates: 0,
                    local: 0,
                    top: function.local_bytes,
                },
                stack: Vec::new(),
                meeting: NOWHERE,
                state: State::Ready,
            }],
            meetings: Vec::new(),
            current: 0,
            carry: 0,
            tid,
            copies: vec![Copies::default(); 32],
            alone: 0,
        }
    });
    let warps: Vec<Warp> = warps.collect();
    let block = Block {
        index,
        linear,
        shared: (0..shared)
            .map(|position| junk(linear ^ 0x55, position))
            .collect(),
        barriers: Barriers::default(),
        live: threads,
        warps: u32::try_from(warps.len()).unwrap_or(u32::MAX),
    };
    (block, warps)
}

/// Gives each warp of a block its slices of one turn. Whether the block has ended.
fn run_block(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warps: &mut [Warp],
) -> Result<bool, Trap> {
    let mut executed = 0;
    while executed < TURN {
        let mut progress = 0;
        for index in 0..warps.len() {
            if warps[index].live == 0 {
                continue;
            }
            progress += run(machine, block, &mut warps[index], SLICE)?;
            if block.barriers.opened != 0 {
                progress += 1;
                wake(machine, block, warps);
            }
        }
        if machine
            .config
            .step_limit
            .is_some_and(|steps| machine.statistics.warp_instructions > steps)
        {
            return Err(Trap::StepLimit {
                steps: machine.statistics.warp_instructions,
            });
        }
        machine.publish_due(machine.statistics.warp_instructions);
        if block.live == 0 {
            return Ok(true);
        }
        if progress == 0 {
            let warp = warps.iter().find(|warp| warp.live != 0);
            let stuck = warp.and_then(|warp| Some((warp, warp.paths.first()?)));
            let place = stuck.map(|(warp, path)| {
                place(
                    machine,
                    block,
                    warp,
                    path.at,
                    path.at.mask.trailing_zeros() as usize & 31,
                )
            });
            return Err(Trap::Deadlock {
                place: Box::new(place.unwrap_or_default()),
            });
        }
        executed += progress;
    }
    Ok(false)
}

/// How many blocks of a launch can be resident together; a cooperative grid must not be larger.
pub fn resident_blocks(module: &Module, entry: &str, config: &LaunchConfig) -> u64 {
    let threads = product(config.block);
    let threads = threads.clamp(1, 1 << 40).next_multiple_of(32);
    let shared = module.entry(entry).map_or(0, |entry| entry.static_shared);
    let shared = u64::from(shared) + u64::from(config.dynamic_shared);
    let by_threads = u64::from(config.sm.threads) / threads;
    let by_shared = u64::from(config.sm.shared_bytes).checked_div(shared);
    let each = by_threads
        .min(by_shared.unwrap_or(u64::MAX))
        .min(u64::from(config.sm.blocks));
    each * u64::from(config.sm.multiprocessors)
}

/// How many there are in three dimensions; more than any device takes, if it is beyond counting.
fn product(sides: [u32; 3]) -> u64 {
    sides.iter().fold(1, |product: u64, side| {
        product.saturating_mul(u64::from(*side))
    })
}
