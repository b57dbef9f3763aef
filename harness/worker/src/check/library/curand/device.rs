//! Generators on the device, which NVIDIA's guide promises to give the sequence of those on the host.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::ffi::{Curand, Kind};
use super::host::{self, normals, odd, place};
use super::xorwow as xorwow_reference;
use super::{Opened, Setting, Side, Stop, Verdict, generator, philox as reference, statistics};
use crate::check::library::bench::Bench;
use crate::check::library::exact::{self, POISON};

/// One more than the words that the streams of Philox give in their first turn: 65536 streams, four words each.
const LONG: usize = (1 << 18) + 1;

/// That many, or what fits the memory: an odd number in any case.
fn long(bench: &Bench<'_>) -> usize {
    let fits = usize::try_from(bench.budget / 8).unwrap_or(LONG);
    (fits / 2 * 2 + 1).min(LONG)
}

pub(super) fn philox(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let setting = Setting::new(Kind::PHILOX4_32_10, bench.seed);
    let found = words(opened, bench, setting, &[long(bench)])?;
    let expected = reference::words(setting.seed, 0, found.len());
    exact::same(&expected, &found, place("Philox", setting))
}

pub(super) fn xorwow(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let setting = Setting::new(Kind::XORWOW, bench.seed);
    let found = words(opened, bench, setting, &[long(bench)])?;
    let expected = xorwow_reference::words(setting.seed, 0, found.len());
    exact::same(&expected, &found, place("XORWOW", setting))
}

/// Beginnings in the middle of a stream's turn of four, and calls that end there.
pub(super) fn offsets(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    for (offset, calls) in [(1, [509, 12]), (3, [513, 1027]), ((1 << 34) + 2, [4, 63])] {
        let setting = Setting::new(Kind::PHILOX4_32_10, bench.seed).from(offset);
        let found = words(opened, bench, setting, &calls)?;
        let expected = reference::words(setting.seed, offset, found.len());
        exact::same(&expected, &found, place("Philox", setting))?;
    }
    Ok(())
}

pub(super) fn uniform(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let setting = Setting::new(Kind::PHILOX4_32_10, bench.seed);
    let api = Curand::new(&opened.library);
    let count = 20_001;
    let buffer = bench.poisoned::<f32>(count)?;
    let generator = generator(opened, Side::Device, setting)?;
    bench.computes();
    opened.ok(api.uniform(generator, buffer.at, count))?;
    let found: Vec<f32> = bench.download(&buffer)?;
    bench.compares();
    let words = reference::words(setting.seed, 0, count).into_iter();
    let expected: Vec<f32> = words.map(reference::uniform).collect();
    exact::same(&expected, &found, place("uniform number", setting))?;
    opened.ok(api.destroy(generator))
}

pub(super) fn normal(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let setting = Setting::new(Kind::PHILOX4_32_10, bench.seed);
    let api = Curand::new(&opened.library);
    // Box and Muller make pairs, so that the number must be even.
    let count = 20_002;
    let buffer = bench.poisoned::<f32>(count)?;
    let generator = generator(opened, Side::Device, setting)?;
    bench.computes();
    opened.ok(api.normal(generator, buffer.at, count, 0.0, 1.0))?;
    let found: Vec<f32> = bench.download(&buffer)?;
    bench.compares();
    normals(setting, &found)?;
    opened.ok(api.destroy(generator))
}

/// MRG32k3a has no reference here; NVIDIA's own on the host is one for the device.
pub(super) fn equals_host(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    // From the beginning: what an offset is to this generator, NVIDIA has not always held alike on both sides.
    let setting = Setting::new(Kind::MRG32K3A, bench.seed);
    let found = words(opened, bench, setting, &[20_001])?;
    let expected = host::words(opened, setting, &[found.len()])?;
    exact::same(&expected, &found, place("MRG32k3a", setting))
}

pub(super) fn moments(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let setting = Setting::new(Kind::MRG32K3A, bench.seed);
    let found = words(opened, bench, setting, &[long(bench)])?;
    written(&found)?;
    odd(statistics::bits(&found))?;
    odd(statistics::uniform(&found))
}

/// Four words of poison in a row are not a chance that anybody lives to see.
fn written(found: &[u32]) -> Verdict {
    let poison = [u32::from_le_bytes([POISON; 4]); 4];
    match found.windows(4).position(|words| words == poison) {
        None => Ok(()),
        Some(index) => Err(Box::new(CheckResult::Mismatch {
            kind: MismatchKind::NeverWritten,
            expected: format!("{} words are written", found.len()),
            found: format!("words from {index} on were never written"),
        })),
    }
}

/// Words of a generator on the device, from one call after the other.
fn words(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    setting: Setting,
    calls: &[usize],
) -> Result<Vec<u32>, Stop> {
    let api = Curand::new(&opened.library);
    let generator = generator(opened, Side::Device, setting)?;
    let mut words = Vec::new();
    for count in calls {
        let buffer = bench.poisoned::<u32>(*count)?;
        bench.computes();
        opened.ok(api.words(generator, buffer.at, *count))?;
        words.extend(bench.download::<u32>(&buffer)?);
        bench.compares();
    }
    opened.ok(api.destroy(generator))?;
    Ok(words)
}
