//! Dot products, whose result is the host's.

use cudacheck_model::journal::MismatchKind;

use super::super::exact::{self, integers};
use super::super::{Bench, Opened, Verdict};
use super::product::{Exact, number};
use super::{Session, mismatch};
use crate::library::{Called, DevicePointer, Status};

/// Elements: more than one block of threads takes, and odd.
const COUNT: usize = 4099;
/// From one element of x to the next, and of y.
const STEPS: (usize, usize) = (2, 3);

/// 4099 · 31 · 31 < 2^22 in f32; 4099 · 2^19 · 2^19 < 2^51 in f64.
pub(super) fn dot(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    let Session { api, handle, .. } = session;
    one::<f32>(opened, bench, "cublasSdot", 31, |n, (x, y), result| {
        api.sdot(handle, n, x, number(STEPS.0), y, number(STEPS.1), result)
    })?;
    one::<f64>(opened, bench, "cublasDdot", 1 << 19, |n, (x, y), result| {
        api.ddot(handle, n, x, number(STEPS.0), y, number(STEPS.1), result)
    })?;
    session.end()
}

fn one<T: Exact>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    title: &str,
    most: u32,
    call: impl FnOnce(i32, (DevicePointer, DevicePointer), &mut T) -> Called<Status>,
) -> Verdict {
    let x = integers(bench.seed, 0, most, COUNT);
    let y = integers(bench.seed, 1, most, COUNT);
    let expected = T::exactly(x.iter().zip(&y).map(|(x, y)| x * y).sum());
    let on_device_x = bench.upload(&spread::<T>(&x, STEPS.0))?;
    let on_device_y = bench.upload(&spread::<T>(&y, STEPS.1))?;
    let unset = T::OUTSIDE;
    let mut result = unset;
    bench.computes();
    opened.ok(call(
        number(COUNT),
        (on_device_x.at, on_device_y.at),
        &mut result,
    ))?;
    bench.synchronize()?;
    bench.compares();
    if result == expected {
        return Ok(());
    }
    let untouched = exact::bytes(&[result]) == exact::bytes(&[unset]);
    let (kind, found) = if untouched {
        let found = format!("the result of {title} was never written, expected {expected}");
        (MismatchKind::NeverWritten, found)
    } else {
        let found = format!("{title} of {COUNT} elements is {result}, expected {expected}");
        (MismatchKind::WrongResult, found)
    };
    mismatch(
        kind,
        format!("{title} of {COUNT} elements is {expected}"),
        found,
    )
}

/// A vector with what spoils sums between its elements.
fn spread<T: Exact>(elements: &[i64], step: usize) -> Vec<T> {
    let mut memory = vec![T::OUTSIDE; elements.len() * step];
    for (place, element) in memory.iter_mut().step_by(step).zip(elements) {
        *place = T::exactly(*element);
    }
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_a_step_apart() {
        let memory: Vec<i32> = spread(&[7, 8], 3);
        let outside = i32::OUTSIDE;
        assert_eq!(memory, [7, outside, outside, 8, outside, outside]);
    }
}
