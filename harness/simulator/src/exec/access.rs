//! Loads, stores, and atomics of a warp, in every state space.

use super::broken::{read_faulty, write_faulty};
use super::memory::Refused;
use super::step::{Block, Halt, Machine, Reason, lanes, put, row};
use super::warp::{Cursor, Warp};
use super::{LOCAL_WINDOW, SHARED_WINDOW, WINDOW_BYTES};
use crate::ptx::code::{Access, Address, Atomic, Base, Dst, MemorySpace, Row, Slot, Src};
use crate::ptx::{ones, signed};

/// The address of each lane.
pub(super) fn addresses(machine: &Machine<'_>, warp: &Warp, at: &Cursor, address: &Address) -> Row {
    let offset = address.offset.cast_unsigned();
    let mut found = match address.base {
        Base::Register(source) => *row(&warp.rows, machine.constants, at.rows, source),
        Base::Frame => [at.local; 32],
        Base::Dynamic => [machine.static_shared; 32],
    };
    // Addresses of these spaces have 32 bits, so that sums wrap there.
    let narrow = matches!(
        address.space,
        MemorySpace::Shared | MemorySpace::Local | MemorySpace::Param
    );
    for value in &mut found {
        let sum = value.wrapping_add(offset);
        *value = if narrow && *value >> 32 == 0 {
            sum & 0xffff_ffff
        } else {
            sum
        };
    }
    found
}

/// Which space a generic address is in, and where.
fn resolve(space: MemorySpace, address: u64) -> (MemorySpace, u64) {
    if space != MemorySpace::Generic {
        return (space, address);
    }
    for (window, space) in [
        (SHARED_WINDOW, MemorySpace::Shared),
        (LOCAL_WINDOW, MemorySpace::Local),
    ] {
        let offset = address.wrapping_sub(window);
        if offset < WINDOW_BYTES {
            return (space, offset);
        }
    }
    (MemorySpace::Global, address)
}

fn slice(bytes: &mut [u8], address: u64, size: usize) -> Result<&mut [u8], Refused> {
    let begin = usize::try_from(address).map_err(|_| Refused::Illegal)?;
    let end = begin.checked_add(size).ok_or(Refused::Illegal)?;
    if end > bytes.len() {
        return Err(Refused::Illegal);
    }
    if begin & (size - 1) != 0 {
        return Err(Refused::Misaligned);
    }
    Ok(&mut bytes[begin..end])
}

/// Reads the bytes of one lane's access.
#[inline]
pub(super) fn read(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    lane: usize,
    space: MemorySpace,
    address: u64,
    into: &mut [u8],
) -> Result<(), Halt> {
    let (space, place) = resolve(space, address);
    let size = into.len();
    let found = match space {
        MemorySpace::Global | MemorySpace::Const | MemorySpace::Generic => {
            if machine.faulty {
                read_faulty(machine, block, space, place, into)
            } else {
                machine
                    .memory
                    .access(place, size)
                    .map(|bytes| into.copy_from_slice(bytes))
            }
        }
        MemorySpace::Shared => {
            slice(&mut block.shared, place, size).map(|bytes| into.copy_from_slice(bytes))
        }
        MemorySpace::Local => {
            slice(&mut warp.local[lane], place, size).map(|bytes| into.copy_from_slice(bytes))
        }
        MemorySpace::Param => {
            let begin = usize::try_from(place).unwrap_or(usize::MAX);
            match machine
                .config
                .parameters
                .get(begin..begin.saturating_add(size))
            {
                _ if begin & (size - 1) != 0 => Err(Refused::Misaligned),
                Some(bytes) => {
                    into.copy_from_slice(bytes);
                    Ok(())
                }
                None => Err(Refused::Illegal),
            }
        }
    };
    found.map_err(|refused| Halt {
        lane,
        reason: Reason::Memory {
            refused,
            address,
            bytes: size as u64,
        },
    })
}

/// Writes the bytes of one lane's access.
#[inline]
pub(super) fn write(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    lane: usize,
    space: MemorySpace,
    address: u64,
    from: &[u8],
) -> Result<(), Halt> {
    let (space, place) = resolve(space, address);
    let size = from.len();
    let found = match space {
        MemorySpace::Global | MemorySpace::Generic => {
            if machine.faulty {
                write_faulty(machine, block, place, from)
            } else {
                machine
                    .memory
                    .access(place, size)
                    .map(|bytes| bytes.copy_from_slice(from))
            }
        }
        MemorySpace::Shared => {
            slice(&mut block.shared, place, size).map(|bytes| bytes.copy_from_slice(from))
        }
        MemorySpace::Local => {
            slice(&mut warp.local[lane], place, size).map(|bytes| bytes.copy_from_slice(from))
        }
        MemorySpace::Const | MemorySpace::Param => Err(Refused::Space),
    };
    found.map_err(|refused| Halt {
        lane,
        reason: Reason::Memory {
            refused,
            address,
            bytes: size as u64,
        },
    })
}

pub(super) fn load(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    access: &Access,
) -> Result<(), Halt> {
    if let ([Slot::Write(d)], false) = (&access.slots[..], machine.faulty) {
        match access.bytes {
            1 => return load_one::<1>(machine, block, warp, at, mask, access, *d),
            2 => return load_one::<2>(machine, block, warp, at, mask, access, *d),
            4 => return load_one::<4>(machine, block, warp, at, mask, access, *d),
            _ => return load_one::<8>(machine, block, warp, at, mask, access, *d),
        }
    }
    let addresses = addresses(machine, warp, at, &access.address);
    let total = access.bytes * access.slots.len();
    let mut buffer = [0u8; 32];
    let bits = access.bytes as u32 * 8;
    for lane in lanes(mask) {
        read(
            machine,
            block,
            warp,
            lane,
            access.address.space,
            addresses[lane],
            &mut buffer[..total],
        )?;
        for (bytes, slot) in buffer.chunks_exact(access.bytes).zip(&access.slots) {
            let mut word = [0u8; 8];
            word[..access.bytes].copy_from_slice(bytes);
            let mut value = u64::from_le_bytes(word);
            if let Slot::Write(d) = slot {
                if access.signed {
                    value = signed(value, bits).cast_unsigned() & ones(d.bits);
                }
                warp.rows[at.rows + d.row as usize][lane] = value;
            }
        }
    }
    Ok(())
}

pub(super) fn store(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    access: &Access,
) -> Result<(), Halt> {
    if let ([Slot::Read(source)], false) = (&access.slots[..], machine.faulty) {
        match access.bytes {
            1 => return store_one::<1>(machine, block, warp, at, mask, access, *source),
            2 => return store_one::<2>(machine, block, warp, at, mask, access, *source),
            4 => return store_one::<4>(machine, block, warp, at, mask, access, *source),
            _ => return store_one::<8>(machine, block, warp, at, mask, access, *source),
        }
    }
    let addresses = addresses(machine, warp, at, &access.address);
    let total = access.bytes * access.slots.len();
    let mut buffer = [0u8; 32];
    for lane in lanes(mask) {
        for (bytes, slot) in buffer.chunks_exact_mut(access.bytes).zip(&access.slots) {
            if let Slot::Read(source) = slot {
                let value = row(&warp.rows, machine.constants, at.rows, *source)[lane];
                bytes.copy_from_slice(&value.to_le_bytes()[..access.bytes]);
            }
        }
        write(
            machine,
            block,
            warp,
            lane,
            access.address.space,
            addresses[lane],
            &buffer[..total],
        )?;
    }
    Ok(())
}

/// The bytes of one lane's access of a size that is known when compiling, in the two common spaces.
#[inline(always)]
fn fetch<'m, const N: usize>(
    machine: &'m mut Machine<'_>,
    block: &'m mut Block,
    space: MemorySpace,
    address: u64,
) -> Option<&'m mut [u8; N]> {
    match resolve(space, address) {
        (MemorySpace::Global | MemorySpace::Const, place) => machine.memory.fetch::<N>(place).ok(),
        (MemorySpace::Shared, place) => slice(&mut block.shared, place, N).ok()?.first_chunk_mut(),
        (MemorySpace::Generic | MemorySpace::Local | MemorySpace::Param, _) => None,
    }
}

fn load_one<const N: usize>(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    access: &Access,
    d: Dst,
) -> Result<(), Halt> {
    let addresses = addresses(machine, warp, at, &access.address);
    let space = access.address.space;
    let mut out = [0u64; 32];
    for lane in lanes(mask) {
        let mut word = [0u8; 8];
        match fetch::<N>(machine, block, space, addresses[lane]) {
            Some(bytes) => word[..N].copy_from_slice(bytes),
            None => read(
                machine,
                block,
                warp,
                lane,
                space,
                addresses[lane],
                &mut word[..N],
            )?,
        }
        out[lane] = u64::from_le_bytes(word);
    }
    if access.signed {
        let keep = ones(d.bits);
        out = out.map(|value| signed(value, N as u32 * 8).cast_unsigned() & keep);
    }
    put(&mut warp.rows[at.rows + d.row as usize], mask, &out);
    Ok(())
}

fn store_one<const N: usize>(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    access: &Access,
    source: Src,
) -> Result<(), Halt> {
    let addresses = addresses(machine, warp, at, &access.address);
    let space = access.address.space;
    let values = *row(&warp.rows, machine.constants, at.rows, source);
    for lane in lanes(mask) {
        let word = values[lane].to_le_bytes();
        match fetch::<N>(machine, block, space, addresses[lane]) {
            Some(bytes) if space != MemorySpace::Const => bytes.copy_from_slice(&word[..N]),
            _ => write(
                machine,
                block,
                warp,
                lane,
                space,
                addresses[lane],
                &word[..N],
            )?,
        }
    }
    Ok(())
}

pub(super) fn atomic(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    atomic: &Atomic,
) -> Result<(), Halt> {
    let addresses = addresses(machine, warp, at, &atomic.address);
    let size = atomic.bytes;
    let wide = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
    for lane in lanes(mask) {
        let whole = size as u64 * atomic.b.len() as u64;
        if addresses[lane] & (whole - 1) != 0 {
            let reason = Reason::Memory {
                refused: Refused::Misaligned,
                address: addresses[lane],
                bytes: whole,
            };
            return Err(Halt { lane, reason });
        }
        if resolve(atomic.address.space, addresses[lane]).0 == MemorySpace::Local {
            let reason = Reason::Memory {
                refused: Refused::Space,
                address: addresses[lane],
                bytes: whole,
            };
            return Err(Halt { lane, reason });
        }
        for (index, b) in atomic.b.iter().enumerate() {
            let address = addresses[lane].wrapping_add((index * size) as u64);
            let mut buffer = [0u8; 16];
            read(
                machine,
                block,
                warp,
                lane,
                atomic.address.space,
                address,
                &mut buffer[..size],
            )?;
            let old = u128::from_le_bytes(buffer);
            let value = |source| row(&warp.rows, machine.constants, at.rows, source)[lane];
            let b = wide(value(b[0]), value(b[1]));
            let c = atomic.c.map_or(0, |c| wide(value(c[0]), value(c[1])));
            let new = (atomic.f)(old, b, c);
            let lost = machine.faulty && machine.faults.lose_atomic && machine.hit(64);
            if !lost {
                let bytes = new.to_le_bytes();
                write(
                    machine,
                    block,
                    warp,
                    lane,
                    atomic.address.space,
                    address,
                    &bytes[..size],
                )?;
                machine.publish(address, size);
            }
            if let Some([low, high]) = atomic.d.get(index) {
                if high != low {
                    warp.rows[at.rows + *high as usize][lane] = (old >> 64) as u64;
                }
                warp.rows[at.rows + *low as usize][lane] = old as u64;
            }
        }
    }
    Ok(())
}
