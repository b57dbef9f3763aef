//! Generators on the host. They need neither driver nor device, and show that the library is whole and that the
//! references here are right.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::ffi::{Curand, Kind, Ordering};
use super::xorwow as xorwow_reference;
use super::{Opened, Setting, Side, Stop, Verdict, generator, philox as reference, statistics};
use crate::check::library::exact::{self, Element, POISON};

/// Seeds with bits in both halves, and the ones whose words are published.
const SEEDS: [u64; 3] = [0, 1234, 0x0123_4567_89ab_cdef];

/// Where the last turn of four words of the 65536 streams ends, and the first begins anew.
const SECOND_ROUND: u64 = 4 * 65536;

/// Words of Philox from several places of its sequence, in the three orderings that are one.
pub(super) fn philox(opened: &Opened<'_>) -> Verdict {
    let step = step(opened)?;
    for seed in SEEDS {
        for offset in [0, 3, SECOND_ROUND - 6, (1 << 34) + 1] {
            let offset = offset / step * step;
            let setting = Setting::new(Kind::PHILOX4_32_10, seed).from(offset);
            let found = words(opened, setting, &[fitting(1021, step)])?;
            let expected = reference::words(seed, offset, found.len());
            exact::same(&expected, &found, place("Philox", setting))?;
        }
    }
    for ordering in [Ordering::BEST, Ordering::DEFAULT, Ordering::LEGACY] {
        let setting = Setting::new(Kind::PHILOX4_32_10, 1234).ordered(ordering);
        let found = words(opened, setting, &[fitting(13, step), fitting(10, step)])?;
        let expected = reference::words(1234, 0, found.len());
        exact::same(&expected, &found, place("Philox", setting))?;
    }
    Ok(())
}

/// Words of XORWOW, beyond the first turn of its 4096 streams.
pub(super) fn xorwow(opened: &Opened<'_>) -> Verdict {
    for seed in SEEDS {
        for offset in [0, 4095, 12293] {
            let setting = Setting::new(Kind::XORWOW, seed).from(offset);
            let found = words(opened, setting, &[1021, 6])?;
            let first = usize::try_from(offset).unwrap_or_default();
            let expected = xorwow_reference::words(seed, first, 1027);
            exact::same(&expected, &found, place("XORWOW", setting))?;
        }
    }
    Ok(())
}

/// Uniform numbers from the words of Philox.
pub(super) fn uniform(opened: &Opened<'_>) -> Verdict {
    let setting = Setting::new(Kind::PHILOX4_32_10, SEEDS[2]);
    let api = Curand::new(&opened.library);
    let generator = generator(opened, Side::Host, setting)?;
    let count = fitting(4099, step(opened)?);
    let mut found = poisoned::<f32>(count + 1);
    opened.ok(api.host_uniform(generator, found.as_mut_slice().into(), count))?;
    opened.ok(api.destroy(generator))?;
    let found = unspoilt(found)?;
    let words = reference::words(setting.seed, 0, count).into_iter();
    let expected: Vec<f32> = words.map(reference::uniform).collect();
    exact::same(&expected, &found, place("uniform number", setting))
}

/// Normal numbers from pairs of words of Philox.
pub(super) fn normal(opened: &Opened<'_>) -> Verdict {
    let setting = Setting::new(Kind::PHILOX4_32_10, SEEDS[2]);
    let api = Curand::new(&opened.library);
    let generator = generator(opened, Side::Host, setting)?;
    let count = fitting(4098, step(opened)?);
    let mut found = poisoned::<f32>(count + 1);
    opened.ok(api.host_normal(generator, found.as_mut_slice().into(), count, 0.0, 1.0))?;
    opened.ok(api.destroy(generator))?;
    let found = unspoilt(found)?;
    normals(setting, &found)
}

/// Of how many words the beginnings and ends of calls of Philox on the host are a multiple.
///
/// cuRAND 10.2.10 of CUDA 11.7 crashes where one lies within a turn of four, and 10.3.0 of CUDA 11.8 no longer does. It
/// says so in no document, and programs get along with it, so it is not held against a package.
fn step(opened: &Opened<'_>) -> Result<u64, Stop> {
    let mut version = 0;
    opened.ok(Curand::new(&opened.library).version(&mut version))?;
    Ok(if version < 10300 { 4 } else { 1 })
}

/// The greatest multiple that is not above a number.
fn fitting(number: u64, step: u64) -> usize {
    usize::try_from(number / step * step).unwrap_or(0)
}

/// Goes on if these numbers are what Box and Muller make of the words of Philox.
pub(super) fn normals(setting: Setting, found: &[f32]) -> Verdict {
    let words = reference::words(setting.seed, setting.offset, found.len());
    let mut expected = Vec::with_capacity(found.len());
    let mut bounds = Vec::with_capacity(found.len());
    for pair in words.chunks_exact(2) {
        let (numbers, bound) = reference::normal([pair[0], pair[1]]);
        expected.extend(numbers);
        bounds.extend([bound; 2]);
    }
    exact::near(&expected, found, &bounds, place("normal number", setting))?;
    odd(statistics::normal(found))
}

/// Words of a generator on the host, from one call after the other.
pub(super) fn words(
    opened: &Opened<'_>,
    setting: Setting,
    calls: &[usize],
) -> Result<Vec<u32>, Stop> {
    let api = Curand::new(&opened.library);
    let generator = generator(opened, Side::Host, setting)?;
    let mut words = Vec::new();
    for count in calls {
        let mut found = poisoned::<u32>(count + 1);
        opened.ok(api.host_words(generator, found.as_mut_slice().into(), *count))?;
        words.extend(unspoilt(found)?);
    }
    opened.ok(api.destroy(generator))?;
    Ok(words)
}

/// Names a number by its place in the sequence.
pub(super) fn place(what: &str, setting: Setting) -> impl Fn(usize) -> String {
    let Setting {
        seed,
        offset,
        ordering,
        ..
    } = setting;
    move |index| {
        let at = offset + index as u64;
        format!("{what} {at} of seed {seed} in ordering {}", ordering.0)
    }
}

/// A sample that is too unlikely.
pub(super) fn odd(oddity: statistics::Oddity) -> Verdict {
    match oddity {
        None => Ok(()),
        Some(found) => Err(Box::new(CheckResult::Mismatch {
            kind: MismatchKind::WrongResult,
            expected: "moments are within 7 standard deviations of the distribution's".to_owned(),
            found,
        })),
    }
}

/// Elements that nobody has written yet; the last is not for the library.
fn poisoned<T: Element>(count: usize) -> Vec<T> {
    exact::elements(&vec![POISON; count * T::SIZE])
}

/// All elements but the last, if that is untouched.
fn unspoilt<T: Element>(mut elements: Vec<T>) -> Result<Vec<T>, Stop> {
    let guard: Vec<T> = elements.split_off(elements.len().saturating_sub(1));
    if exact::bytes(&guard).iter().all(|byte| *byte == POISON) {
        return Ok(elements);
    }
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::StrayWrite,
        expected: format!("{} numbers are written", elements.len()),
        found: "the number after them was written as well".to_owned(),
    }))
}
