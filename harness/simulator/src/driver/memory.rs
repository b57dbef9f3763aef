//! Memory of a device as the host uses it: allocations, copies, fills, and what an address is.

use super::machine::{Handle, Machine};
use super::status::Status;
use crate::exec::Memory;

/// Fills are written in pieces of this size, so that filling a whole device needs no second copy of it.
const PIECE: usize = 1 << 20;

/// An element that memory is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fill {
    /// `cuMemsetD8`.
    Byte(u8),
    /// `cuMemsetD16`.
    Short(u16),
    /// `cuMemsetD32`.
    Word(u32),
}

/// What an address is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Placed {
    /// Where its allocation begins.
    pub(crate) base: u64,
    /// The allocation's bytes.
    pub(crate) size: u64,
    /// On which side it is.
    pub(crate) side: Side,
}

/// Where memory is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// In the memory of the device of this ordinal.
    Device(i32),
    /// On the host, pinned by this driver.
    Host,
}

impl Machine {
    pub(super) fn memory(&mut self, context: Handle) -> Result<&mut Memory, Status> {
        let ordinal = self.context(context)?.device;
        Ok(&mut self.visible_device_mut(ordinal)?.memory)
    }

    /// `cuMemAlloc`.
    pub(crate) fn allocate(&mut self, context: Handle, bytes: u64) -> Result<u64, Status> {
        let memory = self.memory(context)?;
        if bytes == 0 {
            return Err(Status::INVALID_VALUE);
        }
        memory.allocate(bytes).ok_or(Status::OUT_OF_MEMORY)
    }

    /// `cuMemFree`, which waits for the device; nothing is freed at address 0.
    pub(crate) fn free(&mut self, context: Handle, address: u64) -> Result<(), Status> {
        self.synchronise(context)?;
        self.free_in_order(context, address)
    }

    /// `cuMemFreeAsync`, which does not wait.
    pub(crate) fn free_in_order(&mut self, context: Handle, address: u64) -> Result<(), Status> {
        let memory = self.memory(context)?;
        if address == 0 {
            return Ok(());
        }
        memory.free(address).map_err(|_| Status::INVALID_VALUE)
    }

    /// Copies from the host.
    pub(crate) fn write(
        &mut self,
        context: Handle,
        address: u64,
        bytes: &[u8],
    ) -> Result<(), Status> {
        let memory = self.memory(context)?;
        if bytes.is_empty() {
            return Ok(());
        }
        memory
            .write(address, bytes)
            .map_err(|_| Status::INVALID_VALUE)
    }

    /// Copies to the host.
    pub(crate) fn read(
        &mut self,
        context: Handle,
        address: u64,
        bytes: &mut [u8],
    ) -> Result<(), Status> {
        let memory = self.memory(context)?;
        if bytes.is_empty() {
            return Ok(());
        }
        memory
            .read(address, bytes)
            .map_err(|_| Status::INVALID_VALUE)
    }

    /// Copies within the memory of a device; ranges that overlap copy as if through a second buffer.
    pub(crate) fn copy(
        &mut self,
        context: Handle,
        target: u64,
        source: u64,
        bytes: u64,
    ) -> Result<(), Status> {
        let memory = self.memory(context)?;
        if bytes == 0 {
            return Ok(());
        }
        // Bounds first: a length that no allocation has must not become a buffer on the host.
        for address in [target, source] {
            let inside = |(base, size): (u64, u64)| bytes <= size - (address - base);
            if !memory.size_of(address).is_some_and(inside) {
                return Err(Status::INVALID_VALUE);
            }
        }
        let length = usize::try_from(bytes).map_err(|_| Status::INVALID_VALUE)?;
        let mut buffer = vec![0; length];
        memory
            .read(source, &mut buffer)
            .and_then(|()| memory.write(target, &buffer))
            .map_err(|_| Status::INVALID_VALUE)
    }

    /// `cuMemset…`: so many elements from an address on.
    pub(crate) fn fill(
        &mut self,
        context: Handle,
        address: u64,
        element: Fill,
        count: u64,
    ) -> Result<(), Status> {
        let (pattern, width) = match element {
            Fill::Byte(value) => (u32::from_ne_bytes([value; 4]), 1),
            Fill::Short(value) => (u32::from(value) * 0x1_0001, 2),
            Fill::Word(value) => (value, 4),
        };
        let memory = self.memory(context)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = count.checked_mul(width).ok_or(Status::INVALID_VALUE)?;
        let inside = |(base, size): (u64, u64)| bytes <= size - (address - base);
        if !address.is_multiple_of(width) || !memory.size_of(address).is_some_and(inside) {
            return Err(Status::INVALID_VALUE);
        }
        let piece: Vec<u8> = pattern.to_le_bytes().repeat(PIECE / 4);
        let mut done = 0;
        while done < bytes {
            let now = usize::try_from(bytes - done).map_or(PIECE, |rest| rest.min(PIECE));
            memory
                .write(address + done, &piece[..now])
                .map_err(|_| Status::INVALID_VALUE)?;
            done += now as u64;
        }
        Ok(())
    }

    /// `cuMemGetInfo`: free and total bytes.
    pub(crate) fn memory_info(&mut self, context: Handle) -> Result<(u64, u64), Status> {
        let memory = self.memory(context)?;
        Ok((memory.total() - memory.used(), memory.total()))
    }

    /// What an address is; one that this driver has not given out is nothing.
    pub(crate) fn placed(&mut self, context: Handle, address: u64) -> Result<Placed, Status> {
        let device = self.context(context)?.device;
        if let Some((base, size)) = self.memory(context)?.size_of(address) {
            let side = Side::Device(device);
            return Ok(Placed { base, size, side });
        }
        self.pinned(address).ok_or(Status::INVALID_VALUE)
    }

    /// Remembers host memory that the device can read at full speed.
    pub(crate) fn pin(&mut self, address: u64, bytes: u64) {
        self.pinned.insert(address, bytes);
    }

    /// Forgets it; false when it was not remembered.
    pub(crate) fn unpin(&mut self, address: u64) -> Option<u64> {
        self.pinned.remove(&address)
    }

    /// The pinned host memory that an address is inside of.
    pub(crate) fn pinned(&self, address: u64) -> Option<Placed> {
        let (base, size) = self.pinned.range(..=address).next_back()?;
        (address - base < *size).then_some(Placed {
            base: *base,
            size: *size,
            side: Side::Host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::tests::machine;
    use super::*;

    fn ready() -> (Machine, Handle) {
        let mut machine = machine(&[("CUDACHECK_SIMULATE", "gtx-1080")]);
        machine.initialise(0).unwrap();
        let context = machine.retain_primary(0).unwrap();
        (machine, context)
    }

    #[track_caller]
    fn check_fill(element: Fill, offset: u64, expected: Result<[u8; 8], Status>) {
        let (mut machine, context) = ready();
        let address = machine.allocate(context, 8).unwrap();
        machine.fill(context, address, Fill::Byte(0), 8).unwrap();
        let answer = machine
            .fill(context, address + offset, element, 1)
            .and_then(|()| {
                let mut bytes = [0; 8];
                machine.read(context, address, &mut bytes).map(|()| bytes)
            });
        assert_eq!(answer, expected);
    }

    #[test]
    fn fills_store_aligned_elements() {
        check_fill(Fill::Byte(0xA5), 3, Ok([0, 0, 0, 0xA5, 0, 0, 0, 0]));
        check_fill(Fill::Short(0x1234), 2, Ok([0, 0, 0x34, 0x12, 0, 0, 0, 0]));
        check_fill(Fill::Word(0x0102_0304), 4, Ok([0, 0, 0, 0, 4, 3, 2, 1]));
        check_fill(Fill::Word(1), 2, Err(Status::INVALID_VALUE));
        check_fill(Fill::Byte(1), 8, Err(Status::INVALID_VALUE));
    }

    #[test]
    fn memory_is_counted_and_bounded() {
        let (mut machine, context) = ready();
        let (free, total) = machine.memory_info(context).unwrap();
        let address = machine.allocate(context, 1 << 30).unwrap();
        assert_eq!(machine.memory_info(context), Ok((free - (1 << 30), total)));
        assert_eq!(machine.allocate(context, total), Err(Status::OUT_OF_MEMORY));
        assert_eq!(machine.allocate(context, 0), Err(Status::INVALID_VALUE));
        assert_eq!(
            machine.free(context, address + 1),
            Err(Status::INVALID_VALUE)
        );
        assert_eq!(machine.free(context, address), Ok(()));
        assert_eq!(machine.free(context, 0), Ok(()));
        assert_eq!(
            machine.write(context, address, &[1]),
            Err(Status::INVALID_VALUE)
        );
        assert_eq!(machine.write(context, address, &[]), Ok(()));
    }

    #[test]
    fn a_fill_of_more_than_a_piece_reaches_the_end() {
        let (mut machine, context) = ready();
        let address = machine.allocate(context, 3_000_001).unwrap();
        let ones = Fill::Byte(1);
        machine.fill(context, address, ones, 3_000_001).unwrap();
        let mut last = [0; 2];
        machine
            .read(context, address + 2_999_999, &mut last)
            .unwrap();
        assert_eq!(last, [1, 1]);
        assert_eq!(
            machine.fill(context, address, ones, 3_000_002),
            Err(Status::INVALID_VALUE)
        );
    }

    #[test]
    fn copies_stay_inside_allocations() {
        let (mut machine, context) = ready();
        let address = machine.allocate(context, 16).unwrap();
        machine.write(context, address, &[7; 16]).unwrap();
        assert_eq!(machine.copy(context, address + 8, address, 8), Ok(()));
        assert_eq!(
            machine.copy(context, address + 8, address, 9),
            Err(Status::INVALID_VALUE)
        );
        assert_eq!(
            machine.copy(context, address, 0x1000, u64::MAX),
            Err(Status::INVALID_VALUE)
        );
    }

    #[test]
    fn an_address_is_known_on_its_side() {
        let (mut machine, context) = ready();
        let address = machine.allocate(context, 64).unwrap();
        machine.pin(0x1000, 32);
        let placed = machine.placed(context, address + 63).unwrap();
        assert_eq!((placed.base, placed.side), (address, Side::Device(0)));
        assert_eq!(machine.placed(context, 0x101f).unwrap().side, Side::Host);
        assert!(machine.placed(context, 0x1020).is_err());
    }
}
