//! Each operation over one device, whose result is its operand.

use super::super::exact::{self, Element};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{FLOAT32, INT32, Nccl, SUM};
use crate::library::{Called, DevicePointer, Handle, Status};

/// Elements of an array; a prime, so that no part of it is whole.
const COUNT: usize = 10_007;

/// The sum over one device, in integers and in reals.
pub(super) fn all_reduce(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let communicator = create(opened)?;
    bench.computes();
    identity(opened, bench, communicator, &integers(bench), |from, to| {
        api.all_reduce(from, to, COUNT, INT32, SUM, communicator, Handle::NULL)
    })?;
    identity(opened, bench, communicator, &reals(bench), |from, to| {
        api.all_reduce(from, to, COUNT, FLOAT32, SUM, communicator, Handle::NULL)
    })?;
    opened.ok(api.destroy(communicator))
}

/// `ncclScalarHostImmediate`.
const AT_ONCE: i32 = 1;

/// Three times the operand: over one device the other operations need no more than a copy, and this one a kernel.
/// Integers of at most 2^20 in f32, so that the product is exact.
pub(super) fn scaled_sum(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let communicator = create(opened)?;
    let mut operation = 0;
    let created = api.create_scaled_sum(
        &mut operation,
        (&[3.0]).into(),
        FLOAT32,
        AT_ONCE,
        communicator,
    );
    let function = created.function.to_string_lossy().into_owned();
    let status = opened.value_if_there(created)?;
    if status != Status(0) {
        return Err(opened.refused(function, status));
    }
    bench.computes();
    let integers = exact::integers(bench.seed, 2, 1 << 20, COUNT);
    let operand: Vec<f32> = integers.iter().map(|value| narrowed(*value)).collect();
    let expected: Vec<f32> = integers.iter().map(|value| narrowed(value * 3)).collect();
    let from = bench.upload(&operand)?;
    let to = bench.poisoned::<f32>(COUNT)?;
    opened.ok(api.all_reduce(
        from.at,
        to.at,
        COUNT,
        FLOAT32,
        operation,
        communicator,
        Handle::NULL,
    ))?;
    let found: Vec<f32> = bench.download(&to)?;
    bench.compares();
    settled(opened, communicator)?;
    exact::same(&expected, &found, |index| format!("element {index}"))?;
    bench.unchanged("the operand", &from, &operand)?;
    opened.ok(api.destroy_operation(operation, communicator))?;
    opened.ok(api.destroy(communicator))
}

/// An integer below 2^24, which an f32 holds.
fn narrowed(value: i64) -> f32 {
    let value = i32::try_from(value).expect("the values are bounded by 3 · 2^20");
    value as f32
}

/// The only part of the sum over one device.
pub(super) fn reduce_scatter(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let communicator = create(opened)?;
    bench.computes();
    identity(opened, bench, communicator, &reals(bench), |from, to| {
        api.reduce_scatter(from, to, COUNT, FLOAT32, SUM, communicator, Handle::NULL)
    })?;
    opened.ok(api.destroy(communicator))
}

/// The only part that there is to gather.
pub(super) fn all_gather(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let communicator = create(opened)?;
    bench.computes();
    identity(opened, bench, communicator, &integers(bench), |from, to| {
        api.all_gather(from, to, COUNT, INT32, communicator, Handle::NULL)
    })?;
    opened.ok(api.destroy(communicator))
}

/// From the only device to itself.
pub(super) fn broadcast(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let communicator = create(opened)?;
    bench.computes();
    identity(opened, bench, communicator, &integers(bench), |from, to| {
        api.broadcast(from, to, COUNT, INT32, 0, communicator, Handle::NULL)
    })?;
    opened.ok(api.destroy(communicator))
}

fn create(opened: &Opened<'_>) -> Result<Handle, Stop> {
    let mut communicator = [Handle::NULL];
    let api = Nccl::new(&opened.library);
    opened.ok(api.init_all((&mut communicator).into(), 1, (&[0]).into()))?;
    Ok(communicator[0])
}

/// Starts an operation into a poisoned array, waits for it, and compares the array with the operand.
fn identity<T: Element>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    communicator: Handle,
    operand: &[T],
    start: impl Fn(DevicePointer, DevicePointer) -> Called<Status>,
) -> Verdict {
    let from = bench.upload(operand)?;
    let to = bench.poisoned::<T>(operand.len())?;
    opened.ok(start(from.at, to.at))?;
    let found: Vec<T> = bench.download(&to)?;
    bench.compares();
    settled(opened, communicator)?;
    exact::same(operand, &found, |index| format!("element {index}"))?;
    bench.unchanged("the operand", &from, operand)
}

/// Goes on if nothing went wrong behind the back of the functions that have returned.
pub(super) fn settled(opened: &Opened<'_>, communicator: Handle) -> Verdict {
    let mut error = Status(0);
    let api = Nccl::new(&opened.library);
    opened.ok(api.async_error(communicator, &mut error))?;
    if error == Status(0) {
        return Ok(());
    }
    Err(opened.refused("an operation that ncclCommGetAsyncError tells of", error))
}

fn integers(bench: &Bench<'_>) -> Vec<i32> {
    let values = exact::integers(bench.seed, 0, 1 << 30, COUNT);
    let narrow = |value| i32::try_from(value).expect("the values are bounded by 2^30");
    values.into_iter().map(narrow).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the values have 24 bits, which an f32 holds"
)]
fn reals(bench: &Bench<'_>) -> Vec<f32> {
    let values = exact::reals(bench.seed, 1, COUNT);
    values.into_iter().map(|value| value as f32).collect()
}
