//! Calls, returns, jumps through tables, and the ends of threads.

use super::memory::junk;
use super::step::{Block, Halt, Machine, Reason, Then, holds, lanes, put_predicate, row};
use super::warp::{Cursor, Warp};
use super::{CODE_ADDRESS, CODE_STEP};
use crate::ptx::code::{Argument, Call, Callee, Formal, Op};

/// The local memory of a thread, as large as CUDA allows a stack to be.
const MOST_STACK: u64 = 512 << 10;
const MOST_CALLS: usize = 1024;

/// Carries out an instruction that goes elsewhere. The path's state is written back before.
pub(super) fn transfer(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    mask: u32,
    op: &Op,
) -> Result<Then, Halt> {
    let at = warp.paths[index].at;
    if let Op::Table {
        index: selector,
        targets,
        join,
    } = op
    {
        let selectors = *row(&warp.rows, machine.constants, at.rows, *selector);
        return jump(warp, index, mask, *join, |lane| {
            let target = usize::try_from(selectors[lane])
                .ok()
                .and_then(|at| targets.get(at));
            target.copied().ok_or(Reason::Pc(selectors[lane]))
        });
    }
    if let Op::Call(call) = op {
        return call_out(machine, block, warp, index, mask, call);
    }
    if let Op::Return = op {
        if warp.paths[index].stack.is_empty() {
            return exit(machine, block, warp, index, mask);
        }
        if mask != at.mask {
            // The returning lanes wait in the caller for the others.
            warp.paths[index].at.pc += 1;
            let pc = at.pc;
            warp.split(index, mask, pc, crate::ptx::code::END);
            let last = warp.paths.len() - 1;
            warp.paths[last].at.pc = pc;
            return_from(machine, warp, last)?;
            return Ok(Then::Switch);
        }
        return_from(machine, warp, index)?;
        return Ok(Then::Switch);
    }
    if let Op::Exit = op {
        return exit(machine, block, warp, index, mask);
    }
    Err(Halt {
        lane: mask.trailing_zeros() as usize,
        reason: Reason::Trap,
    })
}

/// Sends each lane to its target; lanes that share one stay together.
fn jump(
    warp: &mut Warp,
    index: usize,
    mask: u32,
    join: u32,
    target: impl Fn(usize) -> Result<u32, Reason>,
) -> Result<Then, Halt> {
    let mut groups: Vec<(u32, u32)> = Vec::new();
    for lane in lanes(mask) {
        let target = target(lane).map_err(|reason| Halt { lane, reason })?;
        match groups.iter_mut().find(|group| group.0 == target) {
            Some(group) => group.1 |= 1 << lane,
            None => groups.push((target, 1 << lane)),
        }
    }
    let rest = warp.paths[index].at.mask & !mask;
    if rest != 0 {
        // Lanes whose guard is false go on behind the jump.
        let next = warp.paths[index].at.pc + 1;
        groups.push((next, rest));
    }
    let (first, others) = groups.split_first().unwrap_or((&(0, 0), &[]));
    for (target, mask) in others {
        warp.split(index, *mask, *target, join);
    }
    warp.paths[index].at.pc = first.0;
    Ok(if others.is_empty() {
        Then::Next
    } else {
        Then::Switch
    })
}

fn exit(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    mask: u32,
) -> Result<Then, Halt> {
    super::asynchronous::finish(machine, block, warp, mask)?;
    let path = &mut warp.paths[index];
    path.at.pc += 1;
    warp.exit(index, mask);
    block.live -= mask.count_ones();
    if block.barriers.after_exit(block.live) {
        return Ok(Then::Stop);
    }
    Ok(Then::Switch)
}

fn call_out(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    mask: u32,
    call: &Call,
) -> Result<Then, Halt> {
    let at = warp.paths[index].at;
    let next = at.pc + 1;
    let mut groups: Vec<(usize, u32)> = Vec::new();
    match &call.callee {
        Callee::Direct(function) => groups.push((*function, mask)),
        Callee::Indirect(source) => {
            let values = *row(&warp.rows, machine.constants, at.rows, *source);
            for lane in lanes(mask) {
                let value = values[lane];
                let number = value.wrapping_sub(CODE_ADDRESS);
                let function = usize::try_from(number / CODE_STEP).unwrap_or(usize::MAX);
                let known = machine
                    .module
                    .functions
                    .get(function)
                    .is_some_and(|function| !function.code.is_empty());
                if !number.is_multiple_of(CODE_STEP) || !known {
                    return Err(Halt {
                        lane,
                        reason: Reason::Pc(value),
                    });
                }
                match groups.iter_mut().find(|group| group.0 == function) {
                    Some(group) => group.1 |= 1 << lane,
                    None => groups.push((function, 1 << lane)),
                }
            }
        }
        Callee::Print | Callee::Assert | Callee::Allocate | Callee::Free => {
            super::builtin::call(machine, block, warp, &at, mask, call)?;
            warp.paths[index].at.pc = next;
            return Ok(Then::Next);
        }
    }
    let alone = groups.len() == 1 && mask == at.mask;
    if !alone {
        let depth = warp.paths[index].stack.len();
        warp.meet(index, next, depth);
    }
    let rest = at.mask & !mask;
    let mut entered = Vec::new();
    for (function, lanes) in groups {
        // The group leaves the path, unless it is what is left of it.
        let own = if warp.paths[index].at.mask == lanes {
            index
        } else {
            let mut other = warp.paths[index].clone();
            other.at.mask = lanes;
            warp.paths[index].at.mask &= !lanes;
            warp.paths.push(other);
            warp.paths.len() - 1
        };
        entered.push((own, function));
    }
    for (own, function) in entered {
        enter(machine, warp, own, function, call)?;
    }
    if rest != 0 {
        warp.paths[index].at.pc = next;
        // Those that do not call are at the meeting already.
        warp.arrive(index);
    }
    Ok(if alone { Then::Next } else { Then::Switch })
}

fn enter(
    machine: &mut Machine<'_>,
    warp: &mut Warp,
    index: usize,
    function: usize,
    call: &Call,
) -> Result<(), Halt> {
    let caller = warp.paths[index].at;
    let lane = caller.mask.trailing_zeros() as usize;
    let halt = |reason| Halt { lane, reason };
    let (old, new) = (
        &machine.module.functions[caller.function],
        &machine.module.functions[function],
    );
    if new.code.is_empty() {
        return Err(halt(Reason::Illegal("call of a function without a body")));
    }
    if warp.paths[index].stack.len() >= MOST_CALLS {
        return Err(halt(Reason::Stack));
    }
    let rows = caller.rows + old.rows as usize;
    let predicates = caller.predicates + old.predicates as usize;
    let inside = Cursor {
        mask: caller.mask,
        pc: 0,
        function,
        rows,
        predicates,
        local: caller.top,
        top: caller.top + new.local_bytes,
    };
    let needed = rows + new.rows as usize;
    if warp.rows.len() < needed {
        warp.rows.resize(needed, UNWRITTEN);
    }
    let needed = predicates + new.predicates as usize;
    if warp.predicates.len() < needed {
        warp.predicates.resize(needed, UNWRITTEN_PREDICATE);
    }
    grow(warp, caller.mask, inside.top)?;
    if call.arguments.len() != new.parameters.len() || call.returns.len() != new.returns.len() {
        return Err(halt(Reason::Illegal(
            "call of a function with another signature",
        )));
    }
    for (argument, formal) in call.arguments.iter().zip(&new.parameters) {
        pass(machine, warp, &caller, *argument, &inside, *formal).map_err(halt)?;
    }
    let path = &mut warp.paths[index];
    let mut back = caller;
    back.pc += 1;
    path.stack.push(back);
    path.at = inside;
    Ok(())
}

/// What a register holds before it is written; it fits the narrowest.
pub(super) const UNWRITTEN: crate::ptx::code::Row = [0x5a5a; 32];
pub(super) const UNWRITTEN_PREDICATE: u32 = 0x5a5a_5a5a;

fn pass(
    machine: &Machine<'_>,
    warp: &mut Warp,
    outside: &Cursor,
    argument: Argument,
    inside: &Cursor,
    formal: Formal,
) -> Result<(), Reason> {
    let mask = inside.mask;
    match (argument, formal) {
        (Argument::Register(source), Formal::Register(d)) => {
            let values = *row(&warp.rows, machine.constants, outside.rows, source);
            super::step::put(&mut warp.rows[inside.rows + d as usize], mask, &values);
        }
        (Argument::Predicate(pred), Formal::Predicate(d)) => {
            let value = holds(&warp.predicates, outside.predicates, pred);
            put_predicate(
                &mut warp.predicates[inside.predicates + d as usize],
                mask,
                value,
            );
        }
        (Argument::Register(source), Formal::Local { offset, size }) if size <= 8 => {
            let values = *row(&warp.rows, machine.constants, outside.rows, source);
            for lane in lanes(mask) {
                let begin = (inside.local + offset) as usize;
                warp.local[lane][begin..begin + size as usize]
                    .copy_from_slice(&values[lane].to_le_bytes()[..size as usize]);
            }
        }
        (
            Argument::Local { offset: from, size },
            Formal::Local {
                offset: to,
                size: wanted,
            },
        ) if size == wanted => {
            for lane in lanes(mask) {
                let begin = (outside.local + from) as usize;
                warp.local[lane]
                    .copy_within(begin..begin + size as usize, (inside.local + to) as usize);
            }
        }
        _ => return Err(Reason::Illegal("call of a function with another signature")),
    }
    Ok(())
}

/// Goes back to the caller with the results.
fn return_from(machine: &mut Machine<'_>, warp: &mut Warp, index: usize) -> Result<(), Halt> {
    let inside = warp.paths[index].at;
    let Some(mut back) = warp.paths[index].stack.pop() else {
        return Ok(());
    };
    back.mask = inside.mask;
    let lane = inside.mask.trailing_zeros() as usize;
    let function = &machine.module.functions[inside.function];
    let caller = &machine.module.functions[back.function];
    if let Op::Call(call) = &caller.code[back.pc as usize - 1].op {
        for (argument, formal) in call.returns.iter().zip(&function.returns) {
            give_back(warp, &inside, *formal, &back, *argument)
                .map_err(|reason| Halt { lane, reason })?;
        }
    }
    warp.paths[index].at = back;
    warp.leave_deeper(index);
    // Leaving meetings may move paths; the one that returned is found by its lanes.
    let index = warp
        .paths
        .iter()
        .position(|path| path.at.mask & back.mask != 0);
    if let Some(index) = index {
        warp.arrive(index);
    }
    Ok(())
}

fn give_back(
    warp: &mut Warp,
    inside: &Cursor,
    formal: Formal,
    back: &Cursor,
    argument: Argument,
) -> Result<(), Reason> {
    let mask = inside.mask;
    match (formal, argument) {
        (Formal::Register(source), Argument::Register(d)) => {
            let values = warp.rows[inside.rows + source as usize];
            super::step::put(&mut warp.rows[back.rows + d.0 as usize], mask, &values);
        }
        (Formal::Predicate(source), Argument::Predicate(pred)) => {
            let value = warp.predicates[inside.predicates + source as usize];
            put_predicate(
                &mut warp.predicates[back.predicates + pred.index as usize],
                mask,
                value,
            );
        }
        (Formal::Local { offset, size }, Argument::Register(d)) if size <= 8 => {
            for lane in lanes(mask) {
                let begin = (inside.local + offset) as usize;
                let mut word = [0u8; 8];
                word[..size as usize]
                    .copy_from_slice(&warp.local[lane][begin..begin + size as usize]);
                warp.rows[back.rows + d.0 as usize][lane] = u64::from_le_bytes(word);
            }
        }
        (
            Formal::Local {
                offset: from,
                size: wanted,
            },
            Argument::Local { offset: to, size },
        ) if size == wanted => {
            for lane in lanes(mask) {
                let begin = (inside.local + from) as usize;
                warp.local[lane]
                    .copy_within(begin..begin + size as usize, (back.local + to) as usize);
            }
        }
        _ => return Err(Reason::Illegal("call of a function with another signature")),
    }
    Ok(())
}

/// Makes the lanes' local memory reach up to an address.
pub(super) fn grow(warp: &mut Warp, mask: u32, top: u64) -> Result<(), Halt> {
    if top > MOST_STACK {
        return Err(Halt {
            lane: mask.trailing_zeros() as usize,
            reason: Reason::Stack,
        });
    }
    let top = top as usize;
    for lane in lanes(mask) {
        let local = &mut warp.local[lane];
        while local.len() < top {
            local.push(junk(lane as u64, local.len()));
        }
    }
    Ok(())
}
