//! Runs the instructions of one path of a warp.

use std::collections::{BTreeMap, VecDeque};

use super::barrier::Barriers;
use super::broken::weakened;
use super::faults::ExecFaults;
use super::halt::trap;
use super::launch::{LaunchConfig, Statistics};
use super::memory::{Memory, Refused};
use super::scalar::{add_with_carry, compare, in_space, special};
use super::trap::Trap;
use super::warp::{Cursor, State, Warp};
use crate::ptx::Module;
use crate::ptx::code::{Function, Op, Pred, Row, Src};

/// What all blocks of a launch share.
pub(super) struct Machine<'a> {
    pub(super) memory: &'a mut Memory,
    pub(super) module: &'a Module,
    pub(super) constants: &'a [Row],
    pub(super) addresses: &'a [u64],
    pub(super) config: &'a LaunchConfig,
    pub(super) faults: &'a ExecFaults,
    pub(super) faulty: bool,
    /// Counts events that a fault may hit.
    pub(super) events: u64,
    /// Stores that are not visible yet, by address, and in the order in which they become so.
    pub(super) pending: BTreeMap<u64, PendingStore>,
    pub(super) due: VecDeque<(u64, u64)>,
    pub(super) statistics: Statistics,
    pub(super) output: &'a mut dyn FnMut(&[u8]),
    pub(super) static_shared: u64,
}

/// A store that a device without working fences has not made visible yet.
pub(super) struct PendingStore {
    pub(super) due: u64,
    pub(super) block: u64,
    pub(super) address: u64,
    pub(super) bytes: Vec<u8>,
}

/// What the warps of a block share.
pub(super) struct Block {
    pub(super) index: [u32; 3],
    pub(super) linear: u64,
    pub(super) shared: Vec<u8>,
    pub(super) barriers: Barriers,
    /// Threads that have not exited.
    pub(super) live: u32,
    pub(super) warps: u32,
}

/// Why a lane cannot go on.
#[derive(Debug)]
pub(super) struct Halt {
    pub(super) lane: usize,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    Memory {
        refused: Refused,
        address: u64,
        bytes: u64,
    },
    Illegal(&'static str),
    Pc(u64),
    Assert(String),
    Trap,
    Stack,
}

/// What comes after an instruction.
pub(super) enum Then {
    Next,
    /// The path's state was changed; another may run.
    Switch,
    /// A barrier opened; its waiting warps go first.
    Stop,
}

/// The rows of a frame and the constants, as instructions name them.
#[inline(always)]
pub(super) fn row<'r>(rows: &'r [Row], constants: &'r [Row], base: usize, source: Src) -> &'r Row {
    if source.0 & Src::CONSTANT != 0 {
        &constants[(source.0 & !Src::CONSTANT) as usize]
    } else {
        &rows[base + source.0 as usize]
    }
}

#[inline(always)]
pub(super) fn put(target: &mut Row, mask: u32, values: &Row) {
    if mask == u32::MAX {
        *target = *values;
    } else {
        for lane in lanes(mask) {
            target[lane] = values[lane];
        }
    }
}

/// The lanes of a mask.
#[inline(always)]
pub(super) fn lanes(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let lane = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(lane)
    })
}

#[inline(always)]
pub(super) fn holds(predicates: &[u32], base: usize, pred: Pred) -> u32 {
    let value = if pred.index == Pred::TRUE {
        u32::MAX
    } else {
        predicates[base + pred.index as usize]
    };
    if pred.negate { !value } else { value }
}

#[inline(always)]
pub(super) fn put_predicate(target: &mut u32, mask: u32, value: u32) {
    *target = (*target & !mask) | (value & mask);
}

/// Runs a warp for about so many instructions. Gives how many it executed.
pub(super) fn run(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    budget: u64,
) -> Result<u64, Trap> {
    let mut executed = 0;
    while executed < budget {
        if let Some((_, paths)) = warp.complete() {
            super::lanes::together(machine, block, warp, &paths).map_err(|(index, halt)| {
                let at = warp.paths[index].at;
                trap(machine, block, warp, at, halt)
            })?;
            executed += 1;
            continue;
        }
        let Some(index) = warp.pick() else { break };
        warp.current = index;
        let mut at = warp.paths[index].at;
        let (count, then) = run_path(machine, block, warp, index, &mut at, budget - executed);
        executed += count;
        match then {
            Ok(Then::Next | Then::Switch) => {}
            Ok(Then::Stop) => break,
            Err(halt) => return Err(trap(machine, block, warp, at, halt)),
        }
    }
    warp.rotate(executed);
    Ok(executed)
}

fn run_path(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    at: &mut Cursor,
    budget: u64,
) -> (u64, Result<Then, Halt>) {
    let module = machine.module;
    let mut function: &Function = &module.functions[at.function];
    let mut executed = 0;
    let mut threads = 0;
    let outcome = loop {
        if executed >= budget {
            warp.paths[index].at = *at;
            break Ok(Then::Switch);
        }
        let inst = &function.code[at.pc as usize];
        let mask = match inst.guard {
            None => at.mask,
            Some(guard) => at.mask & holds(&warp.predicates, at.predicates, guard),
        };
        executed += 1;
        machine.statistics.warp_instructions += 1;
        threads += u64::from(mask.count_ones());
        if let Op::Branch { target, join } = inst.op {
            if mask == at.mask {
                at.pc = target;
            } else if mask == 0 {
                at.pc += 1;
            } else {
                at.pc += 1;
                warp.paths[index].at = *at;
                warp.split(index, mask, target, join);
                at.mask &= !mask;
            }
            continue;
        }
        if mask == 0 {
            at.pc += 1;
            continue;
        }
        if let Op::Compute {
            f,
            d,
            s,
            weakness,
            broken,
        } = &inst.op
        {
            let mut out = [0u64; 32];
            let sources = s.map(|s| row(&warp.rows, machine.constants, at.rows, s));
            if machine.faulty {
                weakened(
                    machine,
                    &mut out,
                    mask,
                    f,
                    broken.as_ref(),
                    *weakness,
                    sources,
                );
            } else {
                f(&mut out, mask, sources);
            }
            put(&mut warp.rows[at.rows + *d as usize], mask, &out);
            at.pc += 1;
            continue;
        }
        match &inst.op {
            Op::Join => {
                executed -= 1;
                threads -= u64::from(mask.count_ones());
                warp.paths[index].at = *at;
                if warp.arrive(index) {
                    break Ok(Then::Switch);
                }
                at.pc += 1;
            }
            Op::Test(test) => {
                compare(machine, warp, at, mask, test);
                at.pc += 1;
            }
            Op::Logic { f, d, a, b } => {
                let value = f(
                    holds(&warp.predicates, at.predicates, *a),
                    holds(&warp.predicates, at.predicates, *b),
                );
                put_predicate(
                    &mut warp.predicates[at.predicates + *d as usize],
                    mask,
                    value,
                );
                at.pc += 1;
            }
            Op::Select { d, a, b, p } => {
                let chosen = holds(&warp.predicates, at.predicates, *p);
                let a = row(&warp.rows, machine.constants, at.rows, *a);
                let b = row(&warp.rows, machine.constants, at.rows, *b);
                let mut out = [0u64; 32];
                for lane in 0..32 {
                    out[lane] = if chosen >> lane & 1 != 0 {
                        a[lane]
                    } else {
                        b[lane]
                    };
                }
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::Carry(carry) => {
                add_with_carry(machine, warp, at, mask, carry);
                at.pc += 1;
            }
            Op::Special { d, which } => {
                let out = special(machine, block, warp, *which);
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::FrameAddress { d, offset } => {
                let out = [at.local.wrapping_add(*offset); 32];
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::DynamicShared { d, offset } => {
                let out = [machine.static_shared.wrapping_add(*offset); 32];
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::IsSpace { d, a, space } => {
                let a = row(&warp.rows, machine.constants, at.rows, *a);
                let out = a.map(|address| u64::from(in_space(machine, address, *space)));
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::Load(access) => match super::access::load(machine, block, warp, at, mask, access) {
                Ok(()) => at.pc += 1,
                Err(halt) => break Err(halt),
            },
            Op::Store(access) => match super::access::store(machine, block, warp, at, mask, access)
            {
                Ok(()) => at.pc += 1,
                Err(halt) => break Err(halt),
            },
            Op::Atomic(atomic) => {
                match super::access::atomic(machine, block, warp, at, mask, atomic) {
                    Ok(()) => at.pc += 1,
                    Err(halt) => break Err(halt),
                }
            }
            Op::ActiveMask { d } => {
                let out = [u64::from(mask); 32];
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::Fence | Op::Nothing => at.pc += 1,
            Op::StackSave { d } => {
                let out = [at.top; 32];
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
                at.pc += 1;
            }
            Op::StackRestore { a } => {
                let lane = mask.trailing_zeros() as usize;
                let top = row(&warp.rows, machine.constants, at.rows, *a)[lane];
                at.top = top.clamp(at.local, at.top.max(at.local));
                at.pc += 1;
            }
            Op::Alloca { d, size, align } => {
                let sizes = row(&warp.rows, machine.constants, at.rows, *size);
                let most = lanes(mask)
                    .map(|lane| sizes[lane])
                    .max()
                    .unwrap_or(0)
                    .min(1 << 32);
                let begin = at.top.next_multiple_of(*align);
                let end = begin.saturating_add(most).next_multiple_of(16);
                if let Err(halt) = super::calls::grow(warp, mask, end) {
                    break Err(halt);
                }
                at.top = end;
                put(&mut warp.rows[at.rows + *d as usize], mask, &[begin; 32]);
                at.pc += 1;
            }
            Op::CopyAsync(_) | Op::CommitGroup | Op::WaitGroup(_) | Op::MemoryBarrier(_) => {
                match super::asynchronous::execute(machine, block, warp, at, mask, &inst.op) {
                    Ok(()) => at.pc += 1,
                    Err(halt) => break Err(halt),
                }
            }
            // Everything below may change which lanes run, so that the path is written back first.
            Op::Table { .. }
            | Op::Call(_)
            | Op::Return
            | Op::Exit
            | Op::Trap
            | Op::Barrier(_)
            | Op::Warp(_) => {
                warp.paths[index].at = *at;
                let then = match &inst.op {
                    Op::Barrier(barrier) => {
                        super::barrier::arrive(machine, block, warp, index, mask, barrier)
                    }
                    Op::Warp(operation) => {
                        super::lanes::meet(machine, block, warp, index, mask, operation)
                    }
                    _ => super::calls::transfer(machine, block, warp, index, mask, &inst.op),
                };
                match then {
                    Ok(Then::Next) => {
                        *at = warp.paths[index].at;
                        function = &module.functions[at.function];
                    }
                    Ok(other) => break Ok(other),
                    Err(halt) => break Err(halt),
                }
            }
            Op::Compute { .. } | Op::Branch { .. } => at.pc += 1,
        }
    };
    machine.statistics.thread_instructions += threads;
    (executed, outcome)
}

/// Makes a path wait.
pub(super) fn wait(warp: &mut Warp, index: usize, state: State) {
    warp.paths[index].state = state;
}
