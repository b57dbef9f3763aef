//! Global memory of one device: addresses, bounds, and contents that nobody wrote.

use std::cell::Cell;

use thiserror::Error;

use super::trap::{Place, Trap};

/// Where allocations begin; the shape of addresses that real drivers hand out.
const FIRST: u64 = 0x7f20_0000_0000;
/// `cuMemAlloc` aligns to at least 256 bytes.
const ALIGNMENT: u64 = 256;
/// Unmapped bytes behind each allocation, so that running over its end is an illegal address.
const GAP: u64 = 4096;
/// Host memory is committed in pieces of this size, when something is first stored in them.
const CHUNK: usize = 1 << 16;

/// Global memory of one device.
#[derive(Debug)]
pub struct Memory {
    /// Sorted by address, because addresses are never used twice.
    allocations: Vec<Allocation>,
    next: u64,
    used: u64,
    total: u64,
    /// The allocation of the last access: the next one is most likely in it too.
    last: Cell<usize>,
}

#[derive(Debug)]
struct Allocation {
    base: u64,
    size: u64,
    chunks: Vec<Option<Box<[u8]>>>,
}

/// An address at which no allocation begins.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("no allocation begins at 0x{0:x}")]
pub struct UnknownAddress(pub u64);

/// Why an access is refused; the interpreter adds where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refused {
    Illegal,
    Misaligned,
    Space,
}

impl Memory {
    /// Memory of a device with so many bytes. Host memory is committed for what is stored.
    pub fn new(total_bytes: u64) -> Self {
        Self {
            allocations: Vec::new(),
            next: FIRST,
            used: 0,
            total: total_bytes,
            last: Cell::new(0),
        }
    }

    /// Reserves memory and gives its address, or nothing when the device has none left.
    pub fn allocate(&mut self, bytes: u64) -> Option<u64> {
        let rounded = bytes.max(1).checked_next_multiple_of(ALIGNMENT)?;
        let used = self.used.checked_add(rounded)?;
        if used > self.total {
            return None;
        }
        let base = self.next;
        self.next = base.checked_add(rounded)?.checked_add(GAP)?;
        self.used = used;
        let chunks = usize::try_from(bytes.div_ceil(CHUNK as u64)).ok()?;
        self.allocations.push(Allocation {
            base,
            size: bytes,
            chunks: vec![None; chunks],
        });
        Some(base)
    }

    /// Gives memory back.
    ///
    /// # Errors
    ///
    /// When no allocation begins at the address.
    pub fn free(&mut self, address: u64) -> Result<(), UnknownAddress> {
        let index = self
            .allocations
            .binary_search_by_key(&address, |allocation| allocation.base)
            .map_err(|_| UnknownAddress(address))?;
        let allocation = self.allocations.remove(index);
        self.used -= allocation.size.max(1).next_multiple_of(ALIGNMENT);
        Ok(())
    }

    /// Base and size of the allocation that an address is inside of.
    pub fn size_of(&self, address: u64) -> Option<(u64, u64)> {
        let allocation = &self.allocations[self.find(address, 1)?];
        Some((allocation.base, allocation.size))
    }

    /// Copies from the host.
    ///
    /// # Errors
    ///
    /// [`Trap::IllegalAddress`] when a byte of it is in no allocation; then nothing is written.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Trap> {
        let index = self.range(address, bytes.len())?;
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let room = self.piece(index, address, rest.len());
            let (now, later) = rest.split_at(room.len());
            room.copy_from_slice(now);
            address += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// Copies to the host.
    ///
    /// # Errors
    ///
    /// [`Trap::IllegalAddress`] when a byte of it is in no allocation.
    pub fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), Trap> {
        let index = self.range(address, bytes.len())?;
        let allocation = &self.allocations[index];
        let mut offset = (address - allocation.base) as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (chunk, within) = (offset / CHUNK, offset % CHUNK);
            let count = rest.len().min(CHUNK - within);
            let (now, later) = rest.split_at_mut(count);
            match &allocation.chunks[chunk] {
                Some(content) => now.copy_from_slice(&content[within..within + count]),
                None => {
                    for (byte, position) in now.iter_mut().zip(offset..) {
                        *byte = junk(allocation.base, position);
                    }
                }
            }
            offset += count;
            rest = later;
        }
        Ok(())
    }

    /// Bytes that are allocated, with their padding.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Bytes of the device.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The bytes of one aligned access of a kernel: a power of two up to 16 bytes.
    #[inline]
    pub(crate) fn access(&mut self, address: u64, bytes: usize) -> Result<&mut [u8], Refused> {
        let Some(index) = self.find(address, bytes as u64) else {
            return Err(Refused::Illegal);
        };
        if address & (bytes as u64 - 1) != 0 {
            return Err(Refused::Misaligned);
        }
        Ok(self.piece(index, address, bytes))
    }

    /// The same for a size that is known when compiling, which is several times faster.
    #[inline(always)]
    pub(crate) fn fetch<const N: usize>(&mut self, address: u64) -> Result<&mut [u8; N], Refused> {
        let Some(index) = self.find(address, N as u64) else {
            return Err(Refused::Illegal);
        };
        if address & (N as u64 - 1) != 0 {
            return Err(Refused::Misaligned);
        }
        self.piece(index, address, N)
            .first_chunk_mut()
            .ok_or(Refused::Illegal)
    }

    fn range(&self, address: u64, bytes: usize) -> Result<usize, Trap> {
        self.find(address, bytes as u64)
            .ok_or_else(|| Trap::IllegalAddress {
                address,
                bytes: bytes as u64,
                place: Box::new(Place::default()),
            })
    }

    /// The allocation that holds all of a range.
    #[inline]
    fn find(&self, address: u64, bytes: u64) -> Option<usize> {
        let holds = |allocation: &Allocation| {
            address >= allocation.base
                && bytes <= allocation.size
                && address - allocation.base <= allocation.size - bytes
        };
        let last = self.last.get();
        if self.allocations.get(last).is_some_and(holds) {
            return Some(last);
        }
        let index = self
            .allocations
            .partition_point(|allocation| allocation.base <= address)
            .checked_sub(1)?;
        self.last.set(index);
        holds(&self.allocations[index]).then_some(index)
    }

    /// Up to `bytes` bytes of an allocation, no further than the end of a chunk.
    #[inline]
    fn piece(&mut self, index: usize, address: u64, bytes: usize) -> &mut [u8] {
        let allocation = &mut self.allocations[index];
        let offset = (address - allocation.base) as usize;
        let (chunk, within) = (offset / CHUNK, offset % CHUNK);
        let base = allocation.base;
        let content = allocation.chunks[chunk].get_or_insert_with(|| {
            let first = chunk * CHUNK;
            let size = CHUNK.min(allocation.size as usize - first);
            (first..first + size)
                .map(|position| junk(base, position))
                .collect()
        });
        let end = content.len().min(within + bytes);
        &mut content[within..end]
    }
}

/// What memory holds before something is stored in it: anything but zeros, and the same in every run.
pub(crate) fn junk(base: u64, position: usize) -> u8 {
    let word = (base >> 8) ^ (position as u64 >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (word >> 29).to_le_bytes()[position & 3] | 0x21
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_crosses_chunks_and_stops_at_the_end() {
        let mut memory = Memory::new(1 << 30);
        let address = memory.allocate(200_000).unwrap();
        let bytes: Vec<u8> = (0..200_000u32).map(|index| (index % 251) as u8).collect();
        memory.write(address, &bytes).unwrap();
        let mut back = vec![0; 200_000];
        memory.read(address, &mut back).unwrap();
        assert!(bytes == back);
        assert!(memory.write(address + 1, &bytes).is_err());
        assert_eq!(memory.size_of(address + 199_999), Some((address, 200_000)));
        assert_eq!(memory.size_of(address + 200_000), None);
        assert_eq!(memory.free(address + 1), Err(UnknownAddress(address + 1)));
        memory.free(address).unwrap();
        assert_eq!(memory.used(), 0);
        assert!(memory.read(address, &mut [0]).is_err());
    }

    #[test]
    fn untouched_memory_is_junk_and_stays_the_same() {
        let mut memory = Memory::new(1 << 40);
        let address = memory.allocate(1 << 36).unwrap();
        let (mut before, mut after) = ([0; 64], [0; 64]);
        memory.read(address + 65_520, &mut before).unwrap();
        memory.write(address + 65_536, &before[16..17]).unwrap();
        memory.read(address + 65_520, &mut after).unwrap();
        assert_eq!(before, after);
        assert!(before.iter().all(|byte| *byte != 0));
    }

    #[test]
    fn a_device_runs_out_of_memory() {
        let mut memory = Memory::new(1000);
        assert!(memory.allocate(512).is_some());
        assert!(memory.allocate(512).is_none());
        assert!(memory.allocate(u64::MAX).is_none());
    }
}
