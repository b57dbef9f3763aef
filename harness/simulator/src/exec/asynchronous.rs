//! Asynchronous copies and the barrier objects in memory.
//!
//! A copy takes place when it is waited for, not when it is issued: a kernel that does not wait reads what was
//! there before, as it may on a device.

use super::access::{addresses, read, write};
use super::step::{Block, Halt, Machine, Reason, holds, lanes, put, put_predicate, row};
use super::warp::{Cursor, Warp};
use crate::ptx::code::{CopyAsync, MemoryBarrier, MemoryBarrierKind, MemorySpace, Op, Src, Use};

/// The copies of one lane.
#[derive(Clone, Default)]
pub(super) struct Copies {
    open: Vec<Copy>,
    groups: std::collections::VecDeque<Vec<Copy>>,
}

#[derive(Clone, Copy)]
struct Copy {
    to: u64,
    from: u64,
    bytes: usize,
    read: usize,
}

pub(super) fn execute(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    op: &Op,
) -> Result<(), Halt> {
    if let Op::CopyAsync(copy) = op {
        issue(machine, warp, at, mask, copy)
    } else if let Op::CommitGroup = op {
        for lane in lanes(mask) {
            let open = std::mem::take(&mut warp.copies[lane].open);
            warp.copies[lane].groups.push_back(open);
        }
        Ok(())
    } else if let Op::WaitGroup(left) = op {
        if machine.faulty && machine.faults.async_copy_early {
            return Ok(());
        }
        for lane in lanes(mask) {
            let left = left.map_or(0, |left| left as usize);
            while warp.copies[lane].groups.len() > left {
                let group = warp.copies[lane].groups.pop_front().unwrap_or_default();
                carry_out(machine, block, warp, lane, &group)?;
            }
        }
        if left.is_none() {
            finish(machine, block, warp, mask)?;
        }
        Ok(())
    } else if let Op::MemoryBarrier(barrier) = op {
        memory_barrier(machine, block, warp, at, mask, barrier)
    } else {
        Ok(())
    }
}

fn issue(
    machine: &mut Machine<'_>,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    copy: &CopyAsync,
) -> Result<(), Halt> {
    let to = addresses(machine, warp, at, &copy.to);
    let from = addresses(machine, warp, at, &copy.from);
    let ignored = copy
        .ignore
        .map_or(0, |pred| holds(&warp.predicates, at.predicates, pred));
    let sizes = copy
        .source_bytes
        .map(|source| *row(&warp.rows, machine.constants, at.rows, source));
    for lane in lanes(mask) {
        let asked = sizes.map_or(copy.bytes as u64, |sizes| sizes[lane]);
        if asked > copy.bytes as u64 {
            return Err(Halt {
                lane,
                reason: Reason::Illegal("cp.async reads more than it writes"),
            });
        }
        let read = if ignored >> lane & 1 != 0 {
            0
        } else {
            asked as usize
        };
        warp.copies[lane].open.push(Copy {
            to: to[lane],
            from: from[lane],
            bytes: copy.bytes,
            read,
        });
    }
    Ok(())
}

fn carry_out(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    lane: usize,
    copies: &[Copy],
) -> Result<(), Halt> {
    for copy in copies {
        let mut buffer = [0u8; 16];
        if copy.read == copy.bytes {
            read(
                machine,
                block,
                warp,
                lane,
                MemorySpace::Global,
                copy.from,
                &mut buffer[..copy.bytes],
            )?;
        } else {
            if copy.from & (copy.bytes as u64 - 1) != 0 {
                let refused = super::memory::Refused::Misaligned;
                let reason = Reason::Memory {
                    refused,
                    address: copy.from,
                    bytes: copy.bytes as u64,
                };
                return Err(Halt { lane, reason });
            }
            for (index, byte) in buffer[..copy.read].iter_mut().enumerate() {
                let address = copy.from.wrapping_add(index as u64);
                read(
                    machine,
                    block,
                    warp,
                    lane,
                    MemorySpace::Global,
                    address,
                    std::slice::from_mut(byte),
                )?;
            }
        }
        write(
            machine,
            block,
            warp,
            lane,
            MemorySpace::Shared,
            copy.to,
            &buffer[..copy.bytes],
        )?;
    }
    Ok(())
}

/// Carries out all copies of some lanes.
pub(super) fn finish(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    mask: u32,
) -> Result<(), Halt> {
    for lane in lanes(mask) {
        let Copies { open, groups } = std::mem::take(&mut warp.copies[lane]);
        for group in groups.iter().chain([&open]) {
            carry_out(machine, block, warp, lane, group)?;
        }
    }
    Ok(())
}

/// A barrier object: arrivals still to come, arrivals of each phase, bytes still to come, and the phase.
#[derive(Clone, Copy)]
struct Object {
    pending: u32,
    expected: u32,
    bytes: i32,
    phase: u32,
}

const COUNT: u64 = (1 << 20) - 1;
const BYTES: u64 = (1 << 22) - 1;

impl Object {
    fn unpack(word: u64) -> Self {
        Self {
            pending: (word & COUNT) as u32,
            expected: (word >> 20 & COUNT) as u32,
            bytes: (((word >> 40 & BYTES) as u32) << 10).cast_signed() >> 10,
            phase: (word >> 62 & 1) as u32,
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.pending)
            | u64::from(self.expected) << 20
            | (u64::from(self.bytes.cast_unsigned()) & BYTES) << 40
            | u64::from(self.phase) << 62
    }

    fn turn(&mut self) {
        if self.pending == 0 && self.bytes == 0 {
            self.phase ^= 1;
            self.pending = self.expected;
        }
    }
}

/// `mbarrier.pending_count` of a state that `arrive` returned.
pub(crate) fn pending_count(state: u64) -> u32 {
    Object::unpack(state).pending
}

fn memory_barrier(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    barrier: &MemoryBarrier,
) -> Result<(), Halt> {
    let places = addresses(machine, warp, at, &barrier.address);
    let space = barrier.address.space;
    let values = |warp: &Warp, source: Src| *row(&warp.rows, machine.constants, at.rows, source);
    let operand = match &barrier.kind {
        MemoryBarrierKind::Initialise(source)
        | MemoryBarrierKind::Expect(source)
        | MemoryBarrierKind::Complete(source)
        | MemoryBarrierKind::Test { state: source, .. }
        | MemoryBarrierKind::TestParity { parity: source, .. }
        | MemoryBarrierKind::Arrive { count: source, .. } => values(warp, *source),
        MemoryBarrierKind::Invalidate | MemoryBarrierKind::AfterCopies => [1; 32],
    };
    let expect = match &barrier.kind {
        MemoryBarrierKind::Arrive {
            expect: Some(source),
            ..
        } => values(warp, *source),
        _ => [0; 32],
    };
    let mut out = [0u64; 32];
    let mut done = 0u32;
    for lane in lanes(mask) {
        let mut word = [0u8; 8];
        if !matches!(barrier.kind, MemoryBarrierKind::Initialise(_)) {
            read(machine, block, warp, lane, space, places[lane], &mut word)?;
        }
        let mut object = Object::unpack(u64::from_le_bytes(word));
        let amount = operand[lane];
        let short = amount as u32;
        let illegal = |reason| Halt {
            lane,
            reason: Reason::Illegal(reason),
        };
        match &barrier.kind {
            MemoryBarrierKind::Initialise(_) => {
                if short == 0 || u64::from(short) > COUNT {
                    return Err(illegal("mbarrier count out of range"));
                }
                object = Object {
                    pending: short,
                    expected: short,
                    bytes: 0,
                    phase: 0,
                };
            }
            // The memory may be anything afterwards.
            MemoryBarrierKind::Invalidate => {
                object = Object {
                    pending: 0x5a5a,
                    expected: 0,
                    bytes: 0,
                    phase: 1,
                }
            }
            MemoryBarrierKind::Arrive { drop, .. } => {
                out[lane] = object.pack();
                object.bytes = object
                    .bytes
                    .wrapping_add((expect[lane] as u32).cast_signed());
                if short > object.pending {
                    return Err(illegal("more arrivals than an mbarrier expects"));
                }
                object.pending -= short;
                if *drop == Use::Yes {
                    object.expected = object.expected.saturating_sub(short);
                }
                object.turn();
            }
            MemoryBarrierKind::AfterCopies => {
                finish(machine, block, warp, 1 << lane)?;
                object.pending = object
                    .pending
                    .checked_sub(1)
                    .ok_or_else(|| illegal("more arrivals than an mbarrier expects"))?;
                object.turn();
            }
            MemoryBarrierKind::Expect(_) => {
                object.bytes = object.bytes.wrapping_add(short.cast_signed())
            }
            MemoryBarrierKind::Complete(_) => {
                object.bytes = object.bytes.wrapping_sub(short.cast_signed());
                object.turn();
            }
            MemoryBarrierKind::Test { .. } => {
                done |= u32::from(Object::unpack(amount).phase != object.phase) << lane;
                continue;
            }
            MemoryBarrierKind::TestParity { .. } => {
                done |= u32::from(short & 1 != object.phase) << lane;
                continue;
            }
        }
        write(
            machine,
            block,
            warp,
            lane,
            space,
            places[lane],
            &object.pack().to_le_bytes(),
        )?;
    }
    match &barrier.kind {
        MemoryBarrierKind::Arrive { d: Some(d), .. } => {
            put(&mut warp.rows[at.rows + *d as usize], mask, &out)
        }
        MemoryBarrierKind::Test { p, .. } | MemoryBarrierKind::TestParity { p, .. } => {
            put_predicate(
                &mut warp.predicates[at.predicates + *p as usize],
                mask,
                done,
            );
        }
        MemoryBarrierKind::Arrive { d: None, .. }
        | MemoryBarrierKind::Initialise(_)
        | MemoryBarrierKind::Invalidate
        | MemoryBarrierKind::Expect(_)
        | MemoryBarrierKind::Complete(_)
        | MemoryBarrierKind::AfterCopies => {}
    }
    Ok(())
}
