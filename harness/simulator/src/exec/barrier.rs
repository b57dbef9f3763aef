//! The sixteen barriers of a block.

use super::broken::hash;
use super::step::{Block, Halt, Machine, Reason, Then, holds, lanes, put_predicate, row, wait};
use super::warp::{State, Warp};
use crate::ptx::code::{Barrier, BarrierKind, Op};

#[derive(Default)]
pub(super) struct Barriers {
    each: [One; 16],
    /// Barriers that opened and whose waiting paths have not been told.
    pub(super) opened: u32,
}

#[derive(Clone, Copy, Default)]
struct One {
    arrived: u32,
    /// Threads that the instruction names; otherwise all of the block.
    wanted: Option<u32>,
    generation: u64,
    count: u32,
    missing: u32,
    result: (u32, bool, bool),
}

impl Barriers {
    /// Fewer threads are left: barriers may open. Whether one did.
    pub(super) fn after_exit(&mut self, live: u32) -> bool {
        for id in 0..16 {
            if self.each[id].arrived > 0 && self.each[id].wanted.is_none() {
                self.open_if_complete(id, live);
            }
        }
        self.opened != 0
    }

    fn open_if_complete(&mut self, id: usize, live: u32) {
        let barrier = &mut self.each[id];
        if barrier.arrived >= barrier.wanted.unwrap_or(live) {
            let result = (barrier.count, barrier.missing == 0, barrier.count > 0);
            *barrier = One {
                generation: barrier.generation + 1,
                result,
                ..One::default()
            };
            self.opened |= 1 << id;
        }
    }
}

pub(super) fn arrive(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    mask: u32,
    barrier: &Barrier,
) -> Result<Then, Halt> {
    let at = warp.paths[index].at;
    let lane = mask.trailing_zeros() as usize;
    let halt = |reason| Halt {
        lane,
        reason: Reason::Illegal(reason),
    };
    let id = row(&warp.rows, machine.constants, at.rows, barrier.id)[lane];
    let id = usize::try_from(id)
        .ok()
        .filter(|id| *id < 16)
        .ok_or_else(|| halt("barrier number beyond 15"))?;
    let threads = barrier
        .threads
        .map(|source| row(&warp.rows, machine.constants, at.rows, source)[lane]);
    let mut wanted = None;
    if let Some(threads) = threads {
        let threads = u32::try_from(threads)
            .ok()
            .filter(|threads| threads.is_multiple_of(32) && *threads > 0);
        wanted = Some(
            threads.ok_or_else(|| halt("barrier thread count is no multiple of the warp size"))?,
        );
    }
    let state = &mut block.barriers.each[id];
    // With a count, a warp that is not full counts as one that is.
    let whole = wanted.is_some() && mask == warp.live;
    state.arrived += if whole { 32 } else { mask.count_ones() };
    state.wanted = wanted;
    if let BarrierKind::Count { p, .. } | BarrierKind::All { p, .. } | BarrierKind::Any { p, .. } =
        &barrier.kind
    {
        let value = holds(&warp.predicates, at.predicates, *p) & mask;
        state.count += value.count_ones();
        state.missing += (mask & !value).count_ones();
    }
    let early = machine.faulty
        && machine.faults.skip_barrier
        && hash(machine.faults.seed ^ block.linear ^ state.generation)
            % u64::from(block.warps.max(1))
            == u64::from(warp.number);
    if mask != at.mask {
        // Lanes whose guard is false pass by.
        warp.paths[index].at.pc += 1;
        warp.split(index, mask, at.pc, crate::ptx::code::END);
        let last = warp.paths.len() - 1;
        if let Some(path) = warp.paths.get_mut(last) {
            path.at.pc = at.pc;
        }
        if let BarrierKind::Arrive = barrier.kind {
            warp.paths[last].at.pc += 1;
        } else {
            wait(warp, last, State::Barrier(id));
        }
    } else if matches!(barrier.kind, BarrierKind::Arrive) || early {
        warp.paths[index].at.pc += 1;
    } else {
        wait(warp, index, State::Barrier(id));
    }
    block.barriers.open_if_complete(id, block.live);
    Ok(if block.barriers.opened != 0 {
        Then::Stop
    } else {
        Then::Switch
    })
}

/// Lets everyone go on who waits at a barrier that has opened.
pub(super) fn wake(machine: &Machine<'_>, block: &mut Block, warps: &mut [Warp]) {
    let opened = std::mem::take(&mut block.barriers.opened);
    for id in lanes(opened) {
        let result = block.barriers.each[id].result;
        for warp in warps.iter_mut() {
            for index in 0..warp.paths.len() {
                if warp.paths[index].state != State::Barrier(id) {
                    continue;
                }
                let at = warp.paths[index].at;
                let inst = &machine.module.functions[at.function].code[at.pc as usize];
                if let Op::Barrier(barrier) = &inst.op {
                    let all = |yes: bool| if yes { u32::MAX } else { 0 };
                    match &barrier.kind {
                        BarrierKind::Count { d, .. } => {
                            let values = [u64::from(result.0); 32];
                            super::step::put(
                                &mut warp.rows[at.rows + *d as usize],
                                at.mask,
                                &values,
                            );
                        }
                        BarrierKind::All { d, .. } => {
                            let target = &mut warp.predicates[at.predicates + *d as usize];
                            put_predicate(target, at.mask, all(result.1));
                        }
                        BarrierKind::Any { d, .. } => {
                            let target = &mut warp.predicates[at.predicates + *d as usize];
                            put_predicate(target, at.mask, all(result.2));
                        }
                        BarrierKind::Sync | BarrierKind::Arrive => {}
                    }
                }
                warp.paths[index].at.pc += 1;
                warp.paths[index].state = State::Ready;
            }
        }
    }
}
