//! What a device with injected faults does instead.

use super::memory::Refused;
use super::step::{Block, Machine, PendingStore, lanes};
use crate::ptx::code::{Compute, MemorySpace, Row, Weakness};

/// How long a store stays invisible to other blocks when fences are lost, in warp instructions.
const DELAY: u64 = 20_000;

/// Computes as a device with injected faults does.
#[cold]
pub(super) fn weakened(
    machine: &mut Machine<'_>,
    out: &mut Row,
    mask: u32,
    f: &Compute,
    broken: Option<&Compute>,
    weakness: Weakness,
    sources: [&Row; 4],
) {
    let faults = machine.faults;
    let use_broken = match weakness {
        Weakness::Special => faults.special_ulp,
        Weakness::Rounding => faults.ignore_rounding,
        Weakness::Dot => faults.dot_product,
        Weakness::None | Weakness::Fma | Weakness::Single => false,
    };
    match broken {
        Some(broken) if use_broken => broken(out, mask, sources),
        _ => f(out, mask, sources),
    }
    if weakness == Weakness::Fma && faults.flip_fma {
        for lane in lanes(mask) {
            if machine.hit(64) {
                out[lane] ^= 1;
            }
        }
    }
    if matches!(weakness, Weakness::Single | Weakness::Fma) && faults.flush_subnormals {
        for lane in lanes(mask) {
            if out[lane] & 0x7f80_0000 == 0 && out[lane] >> 32 == 0 {
                out[lane] &= 0x8000_0000;
            }
        }
    }
}

#[cold]
pub(super) fn read_faulty(
    machine: &mut Machine<'_>,
    block: &Block,
    space: MemorySpace,
    place: u64,
    into: &mut [u8],
) -> Result<(), Refused> {
    let mut address = machine.aliased(place);
    if machine.faults.constant_word && space == MemorySpace::Const {
        let neighbour = address ^ 4.max(into.len() as u64);
        if machine.memory.access(neighbour, into.len()).is_ok() {
            address = neighbour;
        }
    }
    // A block sees its own stores.
    if let Some(key) = machine.delayed(address, into.len())
        && machine.pending[&key].block == block.linear
    {
        machine.publish(address, into.len());
    }
    into.copy_from_slice(machine.memory.access(address, into.len())?);
    if machine.faults.stuck_bit {
        let page = address >> 12;
        let choice = hash(machine.faults.seed ^ page);
        let stuck = (page << 12) + (choice & 0xfff);
        if (address..address + into.len() as u64).contains(&stuck) {
            into[(stuck - address) as usize] |= 1 << (choice >> 12 & 7);
        }
    }
    Ok(())
}

#[cold]
pub(super) fn write_faulty(
    machine: &mut Machine<'_>,
    block: &Block,
    place: u64,
    from: &[u8],
) -> Result<(), Refused> {
    let address = machine.aliased(place);
    // The access must be allowed even if it is lost.
    machine.memory.access(address, from.len())?;
    if machine.faults.lost_write && machine.hit(64) {
        return Ok(());
    }
    machine.publish(address, from.len());
    if machine.faults.fence_lost && machine.hit(3) {
        let due = machine.statistics.warp_instructions + DELAY;
        let bytes = from.to_vec();
        machine.due.push_back((due, address));
        machine.pending.insert(
            address,
            PendingStore {
                due,
                block: block.linear,
                address,
                bytes,
            },
        );
        return Ok(());
    }
    machine
        .memory
        .access(address, from.len())?
        .copy_from_slice(from);
    Ok(())
}

fn overlaps(store: &PendingStore, address: u64, size: usize) -> bool {
    store.address < address.saturating_add(size as u64)
        && address < store.address + store.bytes.len() as u64
}

impl Machine<'_> {
    /// Whether a fault strikes this time, about once in so many; a function of the seed.
    pub(super) fn hit(&mut self, one_in: u64) -> bool {
        self.events += 1;
        hash(self.faults.seed ^ self.events.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .is_multiple_of(one_in)
    }

    /// The address that a device with two pages in one uses.
    fn aliased(&self, address: u64) -> u64 {
        const PAGE: u64 = 4096;
        if !self.faults.alias_page {
            return address;
        }
        match self.memory.size_of(address) {
            Some((base, _)) if (address - base) / PAGE % 16 == 3 => address - 2 * PAGE,
            _ => address,
        }
    }

    /// Makes delayed stores to a range visible.
    pub(super) fn publish(&mut self, address: u64, size: usize) {
        while let Some(key) = self.delayed(address, size) {
            self.commit(key);
        }
    }

    /// A delayed store to a range; no access is larger than 32 bytes.
    fn delayed(&self, address: u64, size: usize) -> Option<u64> {
        if self.pending.is_empty() {
            return None;
        }
        let near = self
            .pending
            .range(address.saturating_sub(31)..address.saturating_add(size as u64));
        near.rev()
            .find(|(_, store)| overlaps(store, address, size))
            .map(|(key, _)| *key)
    }

    /// Makes delayed stores visible whose time has come.
    pub(super) fn publish_due(&mut self, time: u64) {
        while let Some((due, key)) = self.due.front().copied() {
            if due > time {
                break;
            }
            self.due.pop_front();
            if self.pending.get(&key).is_some_and(|store| store.due == due) {
                self.commit(key);
            }
        }
    }

    fn commit(&mut self, key: u64) {
        if let Some(store) = self.pending.remove(&key)
            && let Ok(bytes) = self.memory.access(store.address, store.bytes.len())
        {
            bytes.copy_from_slice(&store.bytes);
        }
    }
}

pub(super) fn hash(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
