//! Matrix instructions: fragments in the registers of a warp, rows in memory.

use super::access::{addresses, read, write};
use super::step::{Block, Halt, Machine, row};
use super::warp::{Cursor, Warp};
use crate::numeric::matrix::{self, Fault, Operand, Order};
use crate::ptx::code::{Row, Slot, Src, WarpKind};

type Words = [u32; 32];

/// Registers as 32-bit words; a wide one is two.
fn words(rows: &[Row], constants: &[Row], base: usize, sources: &[Src], wide: bool) -> Vec<Words> {
    let mut found = Vec::new();
    for source in sources {
        let values = row(rows, constants, base, *source);
        found.push(values.map(|value| value as u32));
        if wide {
            found.push(values.map(|value| (value >> 32) as u32));
        }
    }
    found
}

fn put_words(warp: &mut Warp, base: usize, targets: &[u32], values: &[Words], wide: bool) {
    for (index, target) in targets.iter().enumerate() {
        let row = &mut warp.rows[base + *target as usize];
        for lane in 0..32 {
            row[lane] = if wide {
                u64::from(values[2 * index][lane]) | u64::from(values[2 * index + 1][lane]) << 32
            } else {
                u64::from(values[index][lane])
            };
        }
    }
}

pub(super) fn execute(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    kind: &WarpKind,
) -> Result<(), Halt> {
    let fault = (machine.faulty && machine.faults.matrix_element).then_some(Fault {
        seed: machine.faults.seed,
    });
    let get = |warp: &Warp, sources: &[Src], wide: bool| {
        words(&warp.rows, machine.constants, at.rows, sources, wide)
    };
    match kind {
        WarpKind::Mma {
            shape,
            d,
            a,
            b,
            c,
            wide,
        } => {
            let mut out = vec![[0; 32]; shape.registers(Operand::D)];
            shape.multiply(
                &get(warp, a, *wide),
                &get(warp, b, *wide),
                &get(warp, c, *wide),
                &mut out,
                fault,
            );
            put_words(warp, at.rows, d, &out, *wide);
        }
        WarpKind::Wmma {
            shape,
            d,
            a,
            b,
            c,
            wide,
        } => {
            let mut out = vec![[0; 32]; shape.registers(Operand::D)];
            shape.multiply(
                &get(warp, a, *wide),
                &get(warp, b, *wide),
                &get(warp, c, *wide),
                &mut out,
                fault,
            );
            put_words(warp, at.rows, d, &out, *wide);
        }
        WarpKind::WmmaMemory {
            shape,
            operand,
            order,
            address,
            stride,
            registers,
            wide,
        } => {
            let places = addresses(machine, warp, at, address);
            let strides = *row(&warp.rows, machine.constants, at.rows, *stride);
            let parts = if *wide { 2 } else { 1 };
            for lane in 0..32 {
                for (index, slot) in registers.iter().enumerate() {
                    let mut value = match slot {
                        Slot::Read(source) => {
                            row(&warp.rows, machine.constants, at.rows, *source)[lane]
                        }
                        Slot::Write(_) | Slot::Sink => 0,
                    };
                    for part in 0..parts {
                        let register = index * parts + part;
                        for piece in 0..shape.pieces(*operand) {
                            let place =
                                shape.place(*operand, *order, strides[lane], lane, register, piece);
                            let shift = place.shift + 32 * part as u32;
                            let address_of = places[lane].wrapping_add(place.byte_offset);
                            let size = place.bytes as usize;
                            if let Slot::Read(_) = slot {
                                let bytes = (value >> shift).to_le_bytes();
                                write(
                                    machine,
                                    block,
                                    warp,
                                    lane,
                                    address.space,
                                    address_of,
                                    &bytes[..size],
                                )?;
                            } else {
                                let mut bytes = [0u8; 8];
                                read(
                                    machine,
                                    block,
                                    warp,
                                    lane,
                                    address.space,
                                    address_of,
                                    &mut bytes[..size],
                                )?;
                                value |= u64::from_le_bytes(bytes) << shift;
                            }
                        }
                    }
                    if let Slot::Write(d) = slot {
                        warp.rows[at.rows + d.row as usize][lane] = value;
                    }
                }
            }
        }
        WarpKind::LoadMatrix { address, order, d } => {
            let places = addresses(machine, warp, at, address);
            for (matrix, target) in d.iter().enumerate() {
                let mut rows = [[0u8; 16]; 8];
                for (index, bytes) in rows.iter_mut().enumerate() {
                    let lane = matrix * 8 + index;
                    read(
                        machine,
                        block,
                        warp,
                        lane,
                        address.space,
                        places[lane],
                        bytes,
                    )?;
                }
                let values = matrix::ldmatrix(&rows, *order);
                warp.rows[at.rows + *target as usize] = values.map(u64::from);
            }
        }
        WarpKind::StoreMatrix { address, order, s } => {
            let places = addresses(machine, warp, at, address);
            let order: Order = *order;
            for (matrix, source) in s.iter().enumerate() {
                let values =
                    row(&warp.rows, machine.constants, at.rows, *source).map(|value| value as u32);
                for (index, bytes) in matrix::stmatrix(&values, order).iter().enumerate() {
                    let lane = matrix * 8 + index;
                    write(
                        machine,
                        block,
                        warp,
                        lane,
                        address.space,
                        places[lane],
                        bytes,
                    )?;
                }
            }
        }
        WarpKind::Sync
        | WarpKind::Shuffle { .. }
        | WarpKind::Vote { .. }
        | WarpKind::Match { .. }
        | WarpKind::Reduce { .. }
        | WarpKind::Elect { .. } => {}
    }
    Ok(())
}
