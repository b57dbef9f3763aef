//! A stand-in for libcurand, from `curand.h` of CUDA 12.9.

mod sequence;

use std::ffi::c_void;
use std::slice;

use crate::{fault, memory};
use sequence::Sequence;

const SUCCESS: i32 = 0;
const NOT_INITIALIZED: i32 = 101;
const TYPE_ERROR: i32 = 103;
const OUT_OF_RANGE: i32 = 104;
const LENGTH_NOT_MULTIPLE: i32 = 105;
const LAUNCH_FAILURE: i32 = 201;
const INITIALIZATION_FAILED: i32 = 203;

/// What a `curandGenerator_t` points to.
struct Generator {
    host: bool,
    kind: u32,
    seed: u64,
    /// How many numbers of the sequence have been given or left out.
    position: u64,
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandGetVersion(version: *mut i32) -> i32 {
    let value = if fault::on("curand-version") {
        10300
    } else {
        10310
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *version = value };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandGetProperty(property: u32, value: *mut i32) -> i32 {
    let Some(number) = [10, 3, 10].get(property as usize) else {
        return OUT_OF_RANGE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = *number };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandCreateGenerator(generator: *mut *mut c_void, kind: u32) -> i32 {
    if !memory::has_driver() {
        return INITIALIZATION_FAILED;
    }
    // SAFETY: the caller passes a place for a generator.
    unsafe { create(generator, kind, false) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandCreateGeneratorHost(generator: *mut *mut c_void, kind: u32) -> i32 {
    // SAFETY: the caller passes a place for a generator.
    unsafe { create(generator, kind, true) }
}

/// # Safety
///
/// `generator` is a place for a pointer.
unsafe fn create(generator: *mut *mut c_void, kind: u32, host: bool) -> i32 {
    if ![101, 121, 161].contains(&kind) {
        return TYPE_ERROR;
    }
    let made = Box::new(Generator {
        host,
        kind,
        seed: 0,
        position: 0,
    });
    // SAFETY: the caller promises the place.
    unsafe { *generator = Box::into_raw(made).cast() };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandDestroyGenerator(generator: *mut c_void) -> i32 {
    if generator.is_null() {
        return NOT_INITIALIZED;
    }
    // SAFETY: it was made by `create`, and the caller does not use it again.
    drop(unsafe { Box::from_raw(generator.cast::<Generator>()) });
    SUCCESS
}

/// # Safety
///
/// `generator` was made by `create` and is not in use by others.
unsafe fn generator<'a>(generator: *mut c_void) -> Option<&'a mut Generator> {
    // SAFETY: the caller promises it.
    unsafe { generator.cast::<Generator>().as_mut() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandSetPseudoRandomGeneratorSeed(handle: *mut c_void, seed: u64) -> i32 {
    // SAFETY: the caller passes a generator.
    let Some(generator) = (unsafe { generator(handle) }) else {
        return NOT_INITIALIZED;
    };
    generator.seed = seed;
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandSetGeneratorOffset(handle: *mut c_void, offset: u64) -> i32 {
    // SAFETY: the caller passes a generator.
    let Some(generator) = (unsafe { generator(handle) }) else {
        return NOT_INITIALIZED;
    };
    let ignored = !generator.host && generator.kind == 161 && fault::on("curand-offset-ignored");
    generator.position = if ignored { 0 } else { offset };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandSetGeneratorOrdering(handle: *mut c_void, ordering: u32) -> i32 {
    // SAFETY: the caller passes a generator.
    match unsafe { generator(handle) } {
        Some(_) if [100, 101, 103].contains(&ordering) => SUCCESS,
        Some(_) => OUT_OF_RANGE,
        None => NOT_INITIALIZED,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandGenerate(handle: *mut c_void, output: *mut u32, count: usize) -> i32 {
    // SAFETY: the caller passes a generator.
    let Some(generator) = (unsafe { generator(handle) }) else {
        return NOT_INITIALIZED;
    };
    let mut words = generator.words(count);
    if generator.host && generator.kind == 161 && fault::on("curand-host-philox-round") {
        words[0] = words[0].rotate_left(1);
    }
    // SAFETY: the caller passes a place of so many words, on the generator's side.
    unsafe { generator.give(output, words) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandGenerateUniform(
    handle: *mut c_void,
    output: *mut f32,
    count: usize,
) -> i32 {
    // SAFETY: the caller passes a generator.
    let Some(generator) = (unsafe { generator(handle) }) else {
        return NOT_INITIALIZED;
    };
    let side = if generator.host { "host-" } else { "" };
    let from_zero = fault::on(&format!("curand-{side}uniform-from-zero"));
    let words = generator.words(count).into_iter();
    // The middle of each of the 2^32 steps, so that zero is left out.
    let numbers = words.map(|word| {
        let step = 2f32.powi(-32);
        let start = word as f32 * step;
        if from_zero { start } else { start + step / 2.0 }
    });
    let numbers = numbers.collect();
    // SAFETY: the caller passes a place of so many numbers, on the generator's side.
    unsafe { generator.give(output, numbers) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn curandGenerateNormal(
    handle: *mut c_void,
    output: *mut f32,
    count: usize,
    mean: f32,
    deviation: f32,
) -> i32 {
    // SAFETY: the caller passes a generator.
    let Some(generator) = (unsafe { generator(handle) }) else {
        return NOT_INITIALIZED;
    };
    if !count.is_multiple_of(2) {
        return LENGTH_NOT_MULTIPLE;
    }
    let side = if generator.host { "host-" } else { "" };
    let exchanged = fault::on(&format!("curand-{side}normal-exchanged"));
    let words = generator.words(count);
    let mut numbers = Vec::new();
    for pair in words.chunks(2) {
        let u = pair[0] as f32 * 2f32.powi(-32) + 2f32.powi(-33);
        let v = (pair[1] as f32 * 2f32.powi(-32) + 2f32.powi(-33)) * std::f32::consts::TAU;
        let length = (-2.0 * u.ln()).sqrt();
        let (sine, cosine) = v.sin_cos();
        let pair = if exchanged {
            [cosine, sine]
        } else {
            [sine, cosine]
        };
        numbers.extend(pair.map(|it| mean + deviation * length * it));
    }
    // SAFETY: the caller passes a place of so many numbers, on the generator's side.
    unsafe { generator.give(output, numbers) }
}

impl Generator {
    /// The next words of the sequence.
    fn words(&mut self, count: usize) -> Vec<u32> {
        let mut sequence = match self.kind {
            101 => Sequence::xorwow(self.seed),
            121 => Sequence::mrg(self.seed),
            _ => Sequence::philox(self.seed),
        };
        sequence.skip(self.position);
        let mut words: Vec<u32> = (0..count).map(|_| sequence.next()).collect();
        self.position += count as u64;
        let spoilt = |name: &str| fault::on(&format!("curand-{name}"));
        match (self.kind, self.host) {
            (101, true) if spoilt("host-xorwow-counter") => {
                words
                    .iter_mut()
                    .for_each(|word| *word = word.wrapping_add(1));
            }
            (101, false) if spoilt("xorwow-streams") => words.reverse(),
            // Both sides are wrong in the same way, so only a look at the numbers themselves shows it.
            (121, _) if spoilt("mrg-stuck-bit") => {
                words.iter_mut().for_each(|word| *word |= 1 << 12);
            }
            (121, false) if spoilt("mrg-late") && count > 1 => words.rotate_left(1),
            // What comes after the first turn of all streams is what comes first.
            (161, false) if spoilt("philox-second-turn") && count > 1 << 18 => {
                words[1 << 18] = words[0];
            }
            _ => {}
        }
        words
    }

    /// Puts numbers where they are wanted.
    ///
    /// # Safety
    ///
    /// `output` is a place for the numbers: of the host's memory for a generator of the host, else of the device's.
    unsafe fn give<T: memory::Plain>(&self, output: *mut T, mut numbers: Vec<T>) -> i32 {
        if self.host {
            // SAFETY: the caller promises the place.
            let place = unsafe { slice::from_raw_parts_mut(output, numbers.len()) };
            place.copy_from_slice(&numbers);
            return SUCCESS;
        }
        if fault::no_code("curand") || fault::on("curand-launch-failure") {
            return LAUNCH_FAILURE;
        }
        if fault::on("curand-silent") {
            return SUCCESS;
        }
        if fault::on("curand-one-too-many") {
            numbers.push(numbers[0]);
        }
        match memory::write(output as u64, &numbers) {
            Some(()) => SUCCESS,
            None => LAUNCH_FAILURE,
        }
    }
}
