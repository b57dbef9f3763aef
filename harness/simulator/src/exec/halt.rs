//! Where a lane stopped, for people.

use super::memory::Refused;
use super::step::{Block, Halt, Machine, Reason};
use super::trap::{Place, Trap};
use super::warp::{Cursor, Warp};

/// The place of a path's lane.
pub(super) fn place(
    machine: &Machine<'_>,
    block: &Block,
    warp: &Warp,
    at: Cursor,
    lane: usize,
) -> Place {
    let function = &machine.module.functions[at.function];
    let inst = function.code.get(at.pc as usize);
    let text = inst.and_then(|inst| {
        machine
            .module
            .source
            .get(inst.span.0 as usize..inst.span.1 as usize)
    });
    let thread = warp.tid.map(|axis| u32::try_from(axis[lane]).unwrap_or(0));
    Place {
        function: function.name.clone(),
        instruction: text
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        line: inst.map_or(0, |inst| inst.line),
        block: block.index,
        thread,
    }
}

pub(super) fn trap(
    machine: &Machine<'_>,
    block: &Block,
    warp: &Warp,
    at: Cursor,
    halt: Halt,
) -> Trap {
    let place = Box::new(place(machine, block, warp, at, halt.lane));
    match halt.reason {
        Reason::Memory {
            refused: Refused::Illegal,
            address,
            bytes,
        } => Trap::IllegalAddress {
            address,
            bytes,
            place,
        },
        Reason::Memory {
            refused: Refused::Misaligned,
            address,
            bytes,
        } => Trap::MisalignedAddress {
            address,
            bytes,
            place,
        },
        Reason::Memory {
            refused: Refused::Space,
            address,
            ..
        } => Trap::InvalidAddressSpace { address, place },
        Reason::Illegal(reason) => Trap::IllegalInstruction {
            reason: reason.to_owned(),
            place,
        },
        Reason::Pc(target) => Trap::InvalidPc { target, place },
        Reason::Assert(message) => Trap::Assert { message, place },
        Reason::Trap => Trap::TrapInstruction { place },
        Reason::Stack => Trap::StackError { place },
    }
}
