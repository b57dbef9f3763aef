//! A stand-in for libcufft, from `cufft.h` of CUDA 12.9.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are small and positive, and results are rounded to f32"
)]

mod fourier;

use std::sync::Mutex;

use crate::{fault, memory};
use fourier::{Number, fourier};

const SUCCESS: i32 = 0;
const INVALID_PLAN: i32 = 1;
const INVALID_TYPE: i32 = 3;
const INVALID_VALUE: i32 = 4;
const INTERNAL_ERROR: i32 = 5;
const EXEC_FAILED: i32 = 6;

const C2C: u32 = 0x29;
const R2C: u32 = 0x2a;
const C2R: u32 = 0x2c;
const Z2Z: u32 = 0x69;

const FORWARD: i32 = -1;

/// What a `cufftHandle` is the number of, plus one.
static PLANS: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

#[derive(Clone, Debug)]
struct Plan {
    /// One length, or two: rows and columns.
    lengths: Vec<usize>,
    kind: u32,
    batch: usize,
    /// From one signal to the next, and from one transform to the next, in numbers.
    distances: (usize, usize),
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftGetVersion(version: *mut i32) -> i32 {
    let value = if fault::on("cufft-version") {
        11303
    } else {
        11401
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *version = value };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftGetProperty(property: u32, value: *mut i32) -> i32 {
    let Some(number) = [11, 4, 1].get(property as usize) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a place for a number.
    unsafe { *value = *number };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftPlan1d(plan: *mut i32, nx: i32, kind: u32, batch: i32) -> i32 {
    let n = nx as usize;
    let distances = match kind {
        R2C => (n, n / 2 + 1),
        C2R => (n / 2 + 1, n),
        _ => (n, n),
    };
    let made = Plan {
        lengths: vec![n],
        kind,
        batch: batch as usize,
        distances,
    };
    // SAFETY: the caller passes a place for a plan.
    unsafe { make(plan, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftPlan2d(plan: *mut i32, nx: i32, ny: i32, kind: u32) -> i32 {
    let mut lengths = vec![nx as usize, ny as usize];
    if fault::on("cufft-rows-for-columns") {
        lengths.reverse();
    }
    let made = Plan {
        distances: (lengths[0] * lengths[1], lengths[0] * lengths[1]),
        lengths,
        kind,
        batch: 1,
    };
    // SAFETY: the caller passes a place for a plan.
    unsafe { make(plan, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftPlanMany(
    plan: *mut i32,
    rank: i32,
    n: *const i32,
    inembed: *const i32,
    istride: i32,
    idist: i32,
    onembed: *const i32,
    ostride: i32,
    odist: i32,
    kind: u32,
    batch: i32,
) -> i32 {
    let supported = rank == 1 && istride == 1 && ostride == 1;
    if !supported || inembed.is_null() || onembed.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller passes as many lengths as the rank says.
    let length = unsafe { *n } as usize;
    let mut distances = (idist as usize, odist as usize);
    if fault::on("cufft-distance-ignored") {
        distances = (length, length);
    }
    let made = Plan {
        lengths: vec![length],
        kind,
        batch: batch as usize,
        distances,
    };
    // SAFETY: the caller passes a place for a plan.
    unsafe { make(plan, made) }
}

/// # Safety
///
/// `plan` is a place for a number.
unsafe fn make(plan: *mut i32, made: Plan) -> i32 {
    if !memory::has_driver() || fault::on("cufft-no-linker") || fault::no_code("cufft") {
        return INTERNAL_ERROR;
    }
    if ![C2C, R2C, C2R, Z2Z].contains(&made.kind) {
        return INVALID_TYPE;
    }
    let Ok(mut plans) = PLANS.lock() else {
        return INTERNAL_ERROR;
    };
    plans.push(made);
    // SAFETY: the caller promises the place.
    unsafe { *plan = plans.len() as i32 };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftDestroy(plan: i32) -> i32 {
    match found(plan) {
        Some(_) => SUCCESS,
        None => INVALID_PLAN,
    }
}

fn found(plan: i32) -> Option<Plan> {
    let plans = PLANS.lock().ok()?;
    plans.get(usize::try_from(plan - 1).ok()?).cloned()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftExecC2C(plan: i32, input: u64, output: u64, direction: i32) -> i32 {
    match found(plan) {
        Some(plan) if plan.kind == C2C => status(c2c::<f32>(&plan, input, output, direction)),
        _ => INVALID_PLAN,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftExecZ2Z(plan: i32, input: u64, output: u64, direction: i32) -> i32 {
    match found(plan) {
        Some(plan) if plan.kind == Z2Z => status(c2c::<f64>(&plan, input, output, direction)),
        _ => INVALID_PLAN,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftExecR2C(plan: i32, input: u64, output: u64) -> i32 {
    match found(plan) {
        Some(plan) if plan.kind == R2C => status(r2c(&plan, input, output)),
        _ => INVALID_PLAN,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cufftExecC2R(plan: i32, input: u64, output: u64) -> i32 {
    match found(plan) {
        Some(plan) if plan.kind == C2R => status(c2r(&plan, input, output)),
        _ => INVALID_PLAN,
    }
}

fn status(done: Option<()>) -> i32 {
    if done.is_some() { SUCCESS } else { EXEC_FAILED }
}

/// A type of parts: f32 or f64.
trait Part: memory::Plain {
    fn wide(self) -> f64;
    fn narrow(value: f64) -> Self;
    /// With the given bit of its pattern turned.
    fn turned(self, bit: u32) -> Self;
    const IS_SINGLE: bool;
}

impl Part for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn narrow(value: f64) -> Self {
        value as Self
    }
    fn turned(self, bit: u32) -> Self {
        Self::from_bits(self.to_bits() ^ (1 << bit))
    }
    const IS_SINGLE: bool = true;
}

impl Part for f64 {
    fn wide(self) -> f64 {
        self
    }
    fn narrow(value: f64) -> Self {
        if fault::on("cufft-double-in-single") {
            f64::from(value as f32)
        } else {
            value
        }
    }
    fn turned(self, bit: u32) -> Self {
        Self::from_bits(self.to_bits() ^ (1 << bit))
    }
    const IS_SINGLE: bool = false;
}

/// Reads, transforms, and writes each signal of a plan between complex numbers.
fn c2c<T: Part>(plan: &Plan, input: u64, output: u64, direction: i32) -> Option<()> {
    let count: usize = plan.lengths.iter().product();
    let size = 2 * size_of::<T>();
    let direction = if fault::on("cufft-always-forward") {
        FORWARD
    } else {
        direction
    };
    for index in 0..plan.batch {
        let parts: Vec<T> =
            memory::read(input + (index * plan.distances.0 * size) as u64, 2 * count)?;
        let signal: Vec<Number> = parts
            .chunks(2)
            .map(|pair| (pair[0].wide(), pair[1].wide()))
            .collect();
        let spectrum = match plan.lengths.as_slice() {
            [_, columns] => two_dimensions(&signal, *columns, direction),
            _ => fourier(&signal, direction),
        };
        let mut parts: Vec<T> = Vec::new();
        for (re, im) in spectrum {
            parts.push(T::narrow(re));
            parts.push(T::narrow(im));
        }
        spoil(plan, direction, &mut parts);
        give(
            output + (index * plan.distances.1 * size) as u64,
            parts,
            plan,
            index,
        )?;
    }
    if fault::on("cufft-input-overwritten") {
        let first: Vec<T> = memory::read(output, 1)?;
        memory::write(input, &first)?;
    }
    Some(())
}

/// What goes wrong in the kernels for some lengths only.
fn spoil<T: Part>(plan: &Plan, direction: i32, parts: &mut [T]) {
    if !T::IS_SINGLE || plan.batch > 1 || plan.lengths.len() > 1 {
        return;
    }
    let n = plan.lengths[0];
    let on = |name: &str| fault::on(&format!("cufft-{name}"));
    if n == 1024 && on("radix-2-bit") {
        parts[600] = parts[600].turned(12);
    }
    if n.is_multiple_of(125) && on("radix-5-bit") {
        parts[601] = parts[601].turned(12);
    }
    if n == 1009 && direction == FORWARD && on("chirp") {
        let last = parts.len() - 1;
        parts[last] = T::narrow(parts[last].wide() * 1.001);
    }
    if n > 4096 && on("second-kernel-unwritten") {
        parts[n..].fill(T::narrow(0.0));
    }
}

fn r2c(plan: &Plan, input: u64, output: u64) -> Option<()> {
    let n = plan.lengths[0];
    let signal: Vec<f32> = memory::read(input, n)?;
    let signal: Vec<Number> = signal.iter().map(|re| (f64::from(*re), 0.0)).collect();
    let spectrum = fourier(&signal, FORWARD);
    let half = if fault::on("cufft-last-bin-unwritten") {
        n / 2
    } else {
        n / 2 + 1
    };
    let parts = spectrum[..half]
        .iter()
        .flat_map(|(re, im)| [*re as f32, *im as f32])
        .collect();
    give(output, parts, plan, 0)?;
    if fault::on("cufft-input-overwritten") {
        memory::write(input, &[0f32])?;
    }
    Some(())
}

fn c2r(plan: &Plan, input: u64, output: u64) -> Option<()> {
    let n = plan.lengths[0];
    let parts: Vec<f32> = memory::read(input, 2 * (n / 2 + 1))?;
    let mut spectrum: Vec<Number> = parts
        .chunks(2)
        .map(|pair| (f64::from(pair[0]), f64::from(pair[1])))
        .collect();
    // The other half is the mirror image.
    for k in n / 2 + 1..n {
        let (re, im) = spectrum[n - k];
        spectrum.push((re, -im));
    }
    let signal = fourier(&spectrum, 1);
    let parts = signal.iter().map(|(re, _)| *re as f32).collect();
    // The real one may use its input as it likes.
    memory::write(input, &[0f32; 4])?;
    give(output, parts, plan, 0)
}

/// Columns first, then rows.
fn two_dimensions(signal: &[Number], columns: usize, direction: i32) -> Vec<Number> {
    let rows = signal.len() / columns;
    let mut all = signal.to_vec();
    for column in 0..columns {
        let one: Vec<Number> = (0..rows).map(|row| all[row * columns + column]).collect();
        for (row, number) in fourier(&one, direction).into_iter().enumerate() {
            all[row * columns + column] = number;
        }
    }
    all.chunks(columns)
        .flat_map(|row| fourier(row, direction))
        .collect()
}

/// Writes a transform.
fn give<T: Part>(at: u64, mut parts: Vec<T>, plan: &Plan, index: usize) -> Option<()> {
    if fault::on("cufft-silent") {
        return Some(());
    }
    let is_last_of_many = plan.batch > 1 && index + 1 == plan.batch;
    if is_last_of_many && fault::on("cufft-last-of-batch-unwritten") {
        return Some(());
    }
    if plan.batch > 1 && index == 0 && fault::on("cufft-gap-written") {
        parts.extend([T::narrow(0.0); 2]);
    }
    if fault::on("cufft-one-too-many") && plan.batch == 1 {
        parts.push(parts[0]);
    }
    memory::write(at, &parts)
}
