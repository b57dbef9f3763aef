//! Instructions at which lanes of a warp wait for each other and exchange values.

use super::broken::hash;
use super::step::{
    Block, Halt, Machine, Reason, Then, holds, lanes, put, put_predicate, row, wait,
};
use super::warp::{Cursor, State, Warp};
use crate::ptx::code::{MatchKind, Op, Row, Shuffle, Src, Vote, WarpKind, WarpOp};

/// One path that takes part: its number, where it is, and its lanes.
type Part = (usize, Cursor, u32);

/// Executes such an instruction, or waits for the lanes that are not there yet.
pub(super) fn meet(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    index: usize,
    mask: u32,
    operation: &WarpOp,
) -> Result<Then, Halt> {
    let at = warp.paths[index].at;
    let members = match operation.mask {
        Some(source) => {
            let masks = row(&warp.rows, machine.constants, at.rows, source);
            lanes(mask).fold(0, |all, lane| all | masks[lane] as u32)
        }
        None => mask,
    };
    if members & warp.live & !mask == 0 {
        exchange(machine, block, warp, &[(index, at, mask)], operation)?;
        warp.paths[index].at.pc += 1;
        return Ok(Then::Next);
    }
    if mask != at.mask {
        // The guard is false for some lanes: they go on behind the instruction.
        warp.paths[index].at.pc += 1;
        warp.split(index, mask, at.pc, crate::ptx::code::END);
        let last = warp.paths.len() - 1;
        wait(warp, last, State::Lanes(members));
        return Ok(Then::Switch);
    }
    wait(warp, index, State::Lanes(members));
    Ok(Then::Switch)
}

/// Executes what paths waited for; they may be at different instructions of the same kind.
pub(super) fn together(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    paths: &[usize],
) -> Result<(), (usize, Halt)> {
    let parts: Vec<Part> = paths
        .iter()
        .map(|index| (*index, warp.paths[*index].at, warp.paths[*index].at.mask))
        .collect();
    let module = machine.module;
    for (index, at, _) in &parts {
        if let Op::Warp(operation) = &module.functions[at.function].code[at.pc as usize].op {
            exchange_for(machine, block, warp, &parts, operation, (*index, *at))
                .map_err(|halt| (*index, halt))?;
        }
    }
    for (index, ..) in &parts {
        warp.paths[*index].at.pc += 1;
        warp.paths[*index].state = State::Ready;
    }
    Ok(())
}

fn exchange(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    parts: &[Part],
    operation: &WarpOp,
) -> Result<(), Halt> {
    let (index, at, _) = parts[0];
    exchange_for(machine, block, warp, parts, operation, (index, at))
}

/// The operand of every lane that takes part, each from its own path's instruction.
fn gather(
    machine: &Machine<'_>,
    warp: &Warp,
    parts: &[Part],
    pick: impl Fn(&WarpOp) -> Option<Src>,
) -> (Row, u32) {
    let mut values = [0; 32];
    let mut present = 0;
    for (_, at, mask) in parts {
        present |= mask;
        if let Op::Warp(operation) = &machine.module.functions[at.function].code[at.pc as usize].op
            && let Some(source) = pick(operation)
        {
            put(
                &mut values,
                *mask,
                row(&warp.rows, machine.constants, at.rows, source),
            );
        }
    }
    (values, present)
}

fn exchange_for(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    parts: &[Part],
    operation: &WarpOp,
    (index, at): (usize, Cursor),
) -> Result<(), Halt> {
    let mask = parts
        .iter()
        .find(|part| part.0 == index)
        .map_or(0, |part| part.2);
    let members = match operation.mask {
        Some(source) => *row(&warp.rows, machine.constants, at.rows, source),
        None => [u64::from(mask); 32],
    };
    match &operation.kind {
        WarpKind::Sync => {}
        WarpKind::Shuffle {
            mode,
            d,
            p,
            a,
            b,
            c,
        } => {
            let (values, present) =
                gather(machine, warp, parts, |operation| match &operation.kind {
                    WarpKind::Shuffle { a, .. } => Some(*a),
                    _ => None,
                });
            let own = *row(&warp.rows, machine.constants, at.rows, *a);
            let b = *row(&warp.rows, machine.constants, at.rows, *b);
            let c = *row(&warp.rows, machine.constants, at.rows, *c);
            let (mut out, mut inside) = ([0; 32], 0);
            for lane in lanes(mask) {
                let (source, valid) = shuffled(*mode, lane as u32, b[lane] as u32, c[lane] as u32);
                let mut source = source as usize;
                inside |= u32::from(valid) << lane;
                if machine.faulty && machine.faults.shuffle_lane {
                    source ^= 1;
                }
                // A lane that does not take part has no value to give; what comes is undefined.
                out[lane] = if !valid && source == lane {
                    own[lane]
                } else if present >> source & 1 != 0 {
                    values[source]
                } else {
                    0xdead_beef
                };
            }
            if let Some(d) = d {
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
            }
            if let Some(p) = p {
                put_predicate(
                    &mut warp.predicates[at.predicates + *p as usize],
                    mask,
                    inside,
                );
            }
        }
        WarpKind::Vote { mode, d, .. } => {
            vote(machine, warp, parts, (at, mask, &members), *mode, *d)
        }
        WarpKind::Match { kind, d, p, .. } => {
            let (values, present) =
                gather(machine, warp, parts, |operation| match &operation.kind {
                    WarpKind::Match { a, .. } => Some(*a),
                    _ => None,
                });
            let (mut out, mut same) = ([0; 32], 0);
            for lane in lanes(mask) {
                let group = members[lane] as u32 & present;
                let equal = lanes(group)
                    .filter(|other| values[*other] == values[lane])
                    .fold(0u32, |all, other| all | 1 << other);
                let all = equal == group;
                same |= u32::from(all) << lane;
                out[lane] = match kind {
                    MatchKind::Any => u64::from(equal),
                    MatchKind::All if all => u64::from(group),
                    MatchKind::All => 0,
                };
            }
            if let Some(d) = d {
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
            }
            if let Some(p) = p {
                put_predicate(
                    &mut warp.predicates[at.predicates + *p as usize],
                    mask,
                    same,
                );
            }
        }
        WarpKind::Reduce { f, d, .. } => {
            let (values, present) =
                gather(machine, warp, parts, |operation| match &operation.kind {
                    WarpKind::Reduce { a, .. } => Some(*a),
                    _ => None,
                });
            let mut out = [0; 32];
            for lane in lanes(mask) {
                let group = members[lane] as u32 & present;
                let total = lanes(group).map(|other| values[other] as u32).reduce(f);
                out[lane] = u64::from(total.unwrap_or(0));
            }
            put(&mut warp.rows[at.rows + *d as usize], mask, &out);
        }
        WarpKind::Elect { d, p } => {
            let (_, present) = gather(machine, warp, parts, |_| None);
            let (mut out, mut elected) = ([0; 32], 0);
            for lane in lanes(mask) {
                let leader = (members[lane] as u32 & present).trailing_zeros();
                out[lane] = u64::from(leader);
                elected |= u32::from(leader as usize == lane) << lane;
            }
            if let Some(d) = d {
                put(&mut warp.rows[at.rows + *d as usize], mask, &out);
            }
            put_predicate(
                &mut warp.predicates[at.predicates + *p as usize],
                mask,
                elected,
            );
        }
        WarpKind::Mma { .. }
        | WarpKind::Wmma { .. }
        | WarpKind::WmmaMemory { .. }
        | WarpKind::LoadMatrix { .. }
        | WarpKind::StoreMatrix { .. } => {
            if mask != u32::MAX {
                let reason = Reason::Illegal("a matrix instruction without all lanes of the warp");
                return Err(Halt {
                    lane: mask.trailing_zeros() as usize,
                    reason,
                });
            }
            super::matrix::execute(machine, block, warp, &at, &operation.kind)?;
        }
    }
    Ok(())
}

/// The lane that a shuffle reads from, and whether it is within bounds; the PTX ISA's own formula.
fn shuffled(mode: Shuffle, lane: u32, b: u32, c: u32) -> (u32, bool) {
    let (b, clamp, segment) = (b & 0x1f, c & 0x1f, c >> 8 & 0x1f);
    let highest = (lane & segment) | (clamp & !segment);
    let lowest = lane & segment;
    let (source, valid) = match mode {
        Shuffle::Up => {
            let source = lane.wrapping_sub(b);
            (source, source.cast_signed() >= highest.cast_signed())
        }
        Shuffle::Down => (lane + b, lane + b <= highest),
        Shuffle::Butterfly => (lane ^ b, lane ^ b <= highest),
        Shuffle::Index => {
            let source = lowest | (b & !segment);
            (source, source <= highest)
        }
    };
    if valid {
        (source & 0x1f, true)
    } else {
        (lane, false)
    }
}

fn vote(
    machine: &Machine<'_>,
    warp: &mut Warp,
    parts: &[Part],
    (at, mask, members): (Cursor, u32, &Row),
    mode: Vote,
    d: u32,
) {
    let (mut value, mut present) = (0, 0);
    for (_, at, mask) in parts {
        present |= mask;
        if let Op::Warp(operation) = &machine.module.functions[at.function].code[at.pc as usize].op
            && let WarpKind::Vote { p, .. } = &operation.kind
        {
            value |= holds(&warp.predicates, at.predicates, *p) & mask;
        }
    }
    if machine.faulty && machine.faults.vote_lane {
        value ^= 1 << (hash(machine.faults.seed) & 31);
    }
    let (mut out, mut yes) = ([0; 32], 0);
    for lane in lanes(mask) {
        let group = members[lane] as u32 & present;
        let ballot = value & group;
        out[lane] = u64::from(ballot);
        let holds = match mode {
            Vote::All => ballot == group,
            Vote::Any => ballot != 0,
            Vote::Uniform => ballot == 0 || ballot == group,
            Vote::Ballot => false,
        };
        yes |= u32::from(holds) << lane;
    }
    if mode == Vote::Ballot {
        put(&mut warp.rows[at.rows + d as usize], mask, &out);
    } else {
        put_predicate(&mut warp.predicates[at.predicates + d as usize], mask, yes);
    }
}
