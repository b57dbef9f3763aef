//! Memory: allocation on the device and on the host, copies, fills, and what a pointer is.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::value::{Bytes, In, Out, Room};
use super::{call, current, in_context, initialised};
use crate::driver::Status;
use crate::driver::machine::{Handle, Machine};
use crate::driver::memory::{Fill, Placed, Side};

/// A piece of pinned host memory; drivers hand it out by pages.
#[derive(Clone, Copy)]
#[repr(align(4096))]
struct Page {
    _bytes: [u8; 4096],
}

/// Host memory that callers hold pointers to, by address.
static PAGES: Mutex<BTreeMap<u64, Vec<Page>>> = Mutex::new(BTreeMap::new());

fn allocate_host(pointer: Out<u64>, bytes: usize) -> Result<(), Status> {
    if bytes == 0 || pointer.is_null() {
        return Err(Status::INVALID_VALUE);
    }
    in_context(|machine, current| machine.flags_of(current))?;
    let count = bytes.div_ceil(size_of::<Page>());
    let mut pages = Vec::new();
    pages
        .try_reserve_exact(count)
        .map_err(|_| Status::OUT_OF_MEMORY)?;
    pages.resize(count, Page { _bytes: [0; 4096] });
    let address = pages.as_mut_ptr().expose_provenance() as u64;
    initialised(|machine| {
        machine.pin(address, bytes as u64);
        Ok(())
    })?;
    let mut all = PAGES.lock().unwrap_or_else(PoisonError::into_inner);
    all.insert(address, pages);
    Ok(pointer.set(address)?)
}

/// Device addresses are those of the current context's device; everything else belongs to the host.
fn copy_anywhere(
    machine: &mut Machine,
    context: Handle,
    target: u64,
    source: u64,
    bytes: usize,
) -> Result<(), Status> {
    let mut on_device = |address| {
        let placed = machine.placed(context, address);
        matches!(
            placed,
            Ok(Placed {
                side: Side::Device(_),
                ..
            })
        )
    };
    match (on_device(target), on_device(source)) {
        (true, true) => machine.copy(context, target, source, bytes as u64),
        (true, false) => machine.write(context, target, Bytes::at(source).slice(bytes)?),
        (false, true) => machine.read(context, source, Room::at(target).slice(bytes)?),
        (false, false) => {
            let copy = Bytes::at(source).slice(bytes)?.to_vec();
            Room::at(target).slice(bytes)?.copy_from_slice(&copy);
            Ok(())
        }
    }
}

/// The context of a stream of the calling thread.
fn on_stream<Answer>(
    stream: Handle,
    action: impl FnOnce(&mut Machine, Handle) -> Result<Answer, Status>,
) -> Result<Answer, Status> {
    initialised(|machine| {
        let context = machine.stream_context(stream, current())?;
        action(machine, context)
    })
}

/// An asynchronous copy to host memory that is not pinned ends before the call does, as on a device.
fn wait_for_pageable(machine: &mut Machine, context: Handle, target: u64) -> Result<(), Status> {
    if machine.pinned(target).is_some() {
        Ok(())
    } else {
        machine.synchronise(context)
    }
}

exported! { call => Status;
    fn cuMemAlloc_v2(address: Out<u64>, bytes: usize) {
        if address.is_null() {
            return Err(Status::INVALID_VALUE);
        }
        let place = in_context(|machine, current| machine.allocate(current, bytes as u64))?;
        Ok(address.set(place)?)
    }

    fn cuMemAllocAsync(address: Out<u64>, bytes: usize, stream: Handle) {
        if address.is_null() {
            return Err(Status::INVALID_VALUE);
        }
        let place = on_stream(stream, |machine, context| machine.allocate(context, bytes as u64))?;
        Ok(address.set(place)?)
    }

    fn cuMemAllocPitch_v2(address: Out<u64>, pitch: Out<usize>, width: usize, height: usize, _element: u32) {
        if address.is_null() || pitch.is_null() {
            return Err(Status::INVALID_VALUE);
        }
        let row = width.checked_next_multiple_of(512).ok_or(Status::INVALID_VALUE)?;
        let bytes = row.checked_mul(height).ok_or(Status::INVALID_VALUE)?;
        let place = in_context(|machine, current| machine.allocate(current, bytes as u64))?;
        pitch.set(row)?;
        Ok(address.set(place)?)
    }

    // Memory that host and device share needs pages that move, which are not here.
    fn cuMemAllocManaged(_address: Out<u64>, _bytes: usize, _flags: u32) {
        in_context(|machine, current| machine.flags_of(current))?;
        Err(Status::NOT_SUPPORTED)
    }

    fn cuMemFree_v2(address: u64) {
        in_context(|machine, current| machine.free(current, address))
    }

    fn cuMemFreeAsync(address: u64, stream: Handle) {
        on_stream(stream, |machine, context| machine.free_in_order(context, address))
    }

    fn cuMemAllocHost_v2(pointer: Out<u64>, bytes: usize) {
        allocate_host(pointer, bytes)
    }

    fn cuMemHostAlloc(pointer: Out<u64>, bytes: usize, _flags: u32) {
        allocate_host(pointer, bytes)
    }

    fn cuMemFreeHost(pointer: Bytes) {
        let address = pointer.address();
        initialised(|machine| machine.unpin(address).ok_or(Status::INVALID_VALUE))?;
        let mut all = PAGES.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&address);
        Ok(())
    }

    fn cuMemHostGetFlags(flags: Out<u32>, pointer: Bytes) {
        let address = pointer.address();
        initialised(|machine| machine.pinned(address).ok_or(Status::INVALID_VALUE))?;
        Ok(flags.set(0)?)
    }

    fn cuMemHostGetDevicePointer_v2(_address: Out<u64>, _pointer: Bytes, _flags: u32) {
        in_context(|machine, current| machine.flags_of(current))?;
        Err(Status::NOT_SUPPORTED)
    }

    fn cuMemHostRegister_v2(_pointer: Bytes, _bytes: usize, _flags: u32) {
        in_context(|machine, current| machine.flags_of(current))?;
        Err(Status::NOT_SUPPORTED)
    }

    fn cuMemcpyHtoD_v2(target: u64, source: Bytes, bytes: usize) {
        in_context(|machine, current| {
            machine.synchronise(current)?;
            machine.write(current, target, source.slice(bytes)?)
        })
    }

    fn cuMemcpyHtoDAsync_v2(target: u64, source: Bytes, bytes: usize, stream: Handle) {
        on_stream(stream, |machine, context| machine.write(context, target, source.slice(bytes)?))
    }

    fn cuMemcpyDtoH_v2(target: Room, source: u64, bytes: usize) {
        in_context(|machine, current| {
            machine.synchronise(current)?;
            machine.read(current, source, target.slice(bytes)?)
        })
    }

    fn cuMemcpyDtoHAsync_v2(target: Room, source: u64, bytes: usize, stream: Handle) {
        on_stream(stream, |machine, context| {
            wait_for_pageable(machine, context, target.address())?;
            machine.read(context, source, target.slice(bytes)?)
        })
    }

    fn cuMemcpyDtoD_v2(target: u64, source: u64, bytes: usize) {
        in_context(|machine, current| {
            machine.synchronise(current)?;
            machine.copy(current, target, source, bytes as u64)
        })
    }

    fn cuMemcpyDtoDAsync_v2(target: u64, source: u64, bytes: usize, stream: Handle) {
        on_stream(stream, |machine, context| machine.copy(context, target, source, bytes as u64))
    }

    fn cuMemcpy(target: u64, source: u64, bytes: usize) {
        in_context(|machine, current| {
            machine.synchronise(current)?;
            copy_anywhere(machine, current, target, source, bytes)
        })
    }

    fn cuMemcpyAsync(target: u64, source: u64, bytes: usize, stream: Handle) {
        on_stream(stream, |machine, context| copy_anywhere(machine, context, target, source, bytes))
    }

    fn cuMemsetD8_v2(address: u64, value: u8, count: usize) {
        in_context(|machine, current| machine.fill(current, address, Fill::Byte(value), count as u64))
    }

    fn cuMemsetD16_v2(address: u64, value: u16, count: usize) {
        in_context(|machine, current| machine.fill(current, address, Fill::Short(value), count as u64))
    }

    fn cuMemsetD32_v2(address: u64, value: u32, count: usize) {
        in_context(|machine, current| machine.fill(current, address, Fill::Word(value), count as u64))
    }

    fn cuMemsetD8Async(address: u64, value: u8, count: usize, stream: Handle) {
        on_stream(stream, |machine, context| machine.fill(context, address, Fill::Byte(value), count as u64))
    }

    fn cuMemsetD16Async(address: u64, value: u16, count: usize, stream: Handle) {
        on_stream(stream, |machine, context| machine.fill(context, address, Fill::Short(value), count as u64))
    }

    fn cuMemsetD32Async(address: u64, value: u32, count: usize, stream: Handle) {
        on_stream(stream, |machine, context| machine.fill(context, address, Fill::Word(value), count as u64))
    }

    fn cuMemGetInfo_v2(free: Out<usize>, total: Out<usize>) {
        let (left, all) = in_context(|machine, current| machine.memory_info(current))?;
        free.set_if_wanted(usize::try_from(left).unwrap_or(usize::MAX));
        total.set_if_wanted(usize::try_from(all).unwrap_or(usize::MAX));
        Ok(())
    }

    fn cuMemGetAddressRange_v2(base: Out<u64>, bytes: Out<usize>, address: u64) {
        let placed = in_context(|machine, current| machine.placed(current, address))?;
        let Side::Device(_) = placed.side else {
            return Err(Status::NOT_FOUND);
        };
        base.set_if_wanted(placed.base);
        bytes.set_if_wanted(usize::try_from(placed.size).unwrap_or(usize::MAX));
        Ok(())
    }

    fn cuPointerGetAttribute(data: Out<u8>, attribute: u32, address: u64) {
        if data.is_null() {
            return Err(Status::INVALID_VALUE);
        }
        in_context(|machine, current| {
            let placed = machine.placed(current, address)?;
            describe(data, attribute, address, Some(placed), current)
        })
    }

    // An address that is nothing here is answered with zeros, not with an error.
    fn cuPointerGetAttributes(count: u32, attributes: In<u32>, data: In<Out<u8>>, address: u64) {
        in_context(|machine, current| {
            let placed = machine.placed(current, address).ok();
            let count = usize::try_from(count).map_err(|_| Status::INVALID_VALUE)?;
            for index in 0..count {
                describe(data.at(index)?, attributes.at(index)?, address, placed, current)?;
            }
            Ok(())
        })
    }
}

/// Stores one attribute of an address, in the width that `CUpointer_attribute` gives it.
fn describe(
    data: Out<u8>,
    attribute: u32,
    address: u64,
    placed: Option<Placed>,
    context: Handle,
) -> Result<(), Status> {
    let side = placed.map(|placed| placed.side);
    let device = match side {
        Some(Side::Device(ordinal)) => Some(ordinal),
        Some(Side::Host) | None => None,
    };
    match attribute {
        1 => data.of().set(if placed.is_some() { context } else { 0 })?,
        2 => data.of().set(match side {
            Some(Side::Host) => 1_u32,
            Some(Side::Device(_)) => 2,
            None => 0,
        })?,
        3 => data.of().set(if device.is_some() { address } else { 0 })?,
        4 => data
            .of()
            .set(if side == Some(Side::Host) { address } else { 0 })?,
        7 => data.of().set(placed.map_or(0, |placed| placed.base))?,
        8 => data.of().set(0_u32)?,
        9 => data.of().set(match side {
            Some(Side::Device(ordinal)) => ordinal,
            Some(Side::Host) => 0,
            None => -2,
        })?,
        11 => data.of().set(placed.map_or(0, |placed| placed.base))?,
        12 => data.of().set(placed.map_or(0, |placed| placed.size))?,
        13 => data.of().set(u32::from(placed.is_some()))?,
        _ => return Err(Status::INVALID_VALUE),
    }
    Ok(())
}
