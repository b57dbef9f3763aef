//! Instructions of one lane that are no pure functions of their operands.

use super::step::{Block, Machine, holds, lanes, put, put_predicate, row};
use super::warp::{Cursor, Warp};
use crate::ptx::Space;
use crate::ptx::code::{Carry, MemorySpace, Row, Sign, Special, TestOp, Use};

pub(super) fn compare(
    machine: &Machine<'_>,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    test: &TestOp,
) {
    let a = row(&warp.rows, machine.constants, at.rows, test.a);
    let b = row(&warp.rows, machine.constants, at.rows, test.b);
    let (mut first, mut second) = (test.f)(mask, a, b);
    if let Some((logic, pred)) = test.combine {
        let other = holds(&warp.predicates, at.predicates, pred);
        first = logic(first, other);
        second = logic(second, other);
    }
    for (target, value) in [(test.p, first), (test.q, second)] {
        if let Some(target) = target {
            put_predicate(
                &mut warp.predicates[at.predicates + target as usize],
                mask,
                value,
            );
        }
    }
}

pub(super) fn add_with_carry(
    machine: &Machine<'_>,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    carry: &Carry,
) {
    let a = *row(&warp.rows, machine.constants, at.rows, carry.a);
    let b = *row(&warp.rows, machine.constants, at.rows, carry.b);
    let mut out = [0u64; 32];
    let mut flags = 0;
    for lane in lanes(mask) {
        let given = u128::from(carry.carry_in == Use::Yes && warp.carry >> lane & 1 != 0);
        let (a, b) = (u128::from(a[lane]), u128::from(b[lane]));
        // The flag of a subtraction is its borrow.
        let wide = match carry.subtract {
            Sign::Add => a + b + given,
            Sign::Subtract => a.wrapping_sub(b).wrapping_sub(given),
        };
        out[lane] = wide as u64 & crate::ptx::ones(carry.bits);
        flags |= u32::from(wide >> carry.bits & 1 != 0) << lane;
    }
    if carry.carry_out == Use::Yes {
        put_predicate(&mut warp.carry, mask, flags);
    }
    put(&mut warp.rows[at.rows + carry.d as usize], mask, &out);
}

pub(super) fn in_space(machine: &Machine<'_>, address: u64, space: MemorySpace) -> bool {
    let constant =
        machine
            .module
            .variables
            .iter()
            .zip(machine.addresses)
            .any(|(variable, base)| {
                variable.space == Space::Const && address.wrapping_sub(*base) < variable.size.max(1)
            });
    let window = |base: u64| address.wrapping_sub(base) < super::WINDOW_BYTES;
    match space {
        MemorySpace::Const => constant,
        MemorySpace::Global => {
            !constant && !window(super::SHARED_WINDOW) && !window(super::LOCAL_WINDOW)
        }
        MemorySpace::Generic | MemorySpace::Shared | MemorySpace::Local | MemorySpace::Param => {
            false
        }
    }
}

pub(super) fn special(machine: &Machine<'_>, block: &Block, warp: &Warp, which: Special) -> Row {
    let config = machine.config;
    // One instruction takes about four cycles of one warp, as on most devices.
    let clock = machine.statistics.warp_instructions * 4;
    let elapsed = u128::from(clock) * 1_000_000 / u128::from(config.sm.clock_khz.max(1));
    let nanoseconds = 1_700_000_000_000_000_000 + elapsed as u64;
    let each = |value: u64| [value; 32];
    match which {
        Special::Tid(axis) => warp.tid[axis],
        Special::Ntid(axis) => each(u64::from(config.block[axis])),
        Special::Ctaid(axis) => each(u64::from(block.index[axis])),
        Special::Nctaid(axis) => each(u64::from(config.grid[axis])),
        Special::LaneId => std::array::from_fn(|lane| lane as u64),
        Special::WarpId => each(u64::from(warp.number)),
        Special::NWarpId => each(u64::from(config.sm.threads.div_ceil(32))),
        Special::SmId => each(block.linear % u64::from(config.sm.multiprocessors.max(1))),
        Special::NSmId => each(u64::from(config.sm.multiprocessors)),
        Special::GridId => each(1),
        Special::LaneMask(f) => {
            let mut out = [0; 32];
            for (value, lane) in out.iter_mut().zip(0u32..) {
                *value = u64::from(f(lane));
            }
            out
        }
        Special::Clock => each(clock & 0xffff_ffff),
        Special::ClockHigh => each(clock >> 32),
        Special::Clock64 => each(clock),
        Special::GlobalTimer => each(nanoseconds),
        Special::GlobalTimerLow => each(nanoseconds & 0xffff_ffff),
        Special::GlobalTimerHigh => each(nanoseconds >> 32),
        Special::DynamicShared => each(u64::from(config.dynamic_shared)),
        Special::TotalShared => each(machine.static_shared + u64::from(config.dynamic_shared)),
        Special::Zero => each(0),
        Special::One => each(1),
    }
}
