//! Transforms of one signal: each length leads to other kernels.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::ffi::{Cufft, Direction, Kind, Plan};
use super::measure::{
    Rounded, back, bound, complex, impulse, mean_square, near, ones, parts, passes, signal,
};
use super::transform::{Complex, bins, transform};
use super::{Opened, Stop, Verdict, plan};
use crate::check::library::bench::{Bench, Buffer};
use crate::library::{Called, DevicePointer, Status};

/// A transform between complex numbers of one precision.
type Execute = fn(&Cufft<'_>, Plan, DevicePointer, DevicePointer, Direction) -> Called<Status>;

/// Powers of two: one kernel, and roots that are exact where it matters, so that an impulse comes out exactly.
pub(super) fn radix_2(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = single(opened, bench, 1024)?;
    ones(&way.forward::<f32>(&impulse(1024))?)?;
    way.there_and_back::<f32>(passes(1024))?;
    way.end()
}

/// Factors 2 and 5.
pub(super) fn mixed(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = single(opened, bench, 1000)?;
    way.there_and_back::<f32>(passes(1000))?;
    way.end()
}

/// A prime is transformed by Bluestein's convolution: three transforms of at least twice its length, of which one may
/// be made beforehand, and products before and after.
pub(super) fn prime(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = single(opened, bench, 1009)?;
    way.there_and_back::<f32>(3.0 * passes(4 * 1009))?;
    way.end()
}

/// In f64, which a transform in f32 misses by nine digits.
pub(super) fn double(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let way = Way {
        opened,
        bench,
        n: 1024,
        plan: plan(opened, 1024, Kind::Z2Z)?,
        execute: |api, plan, input, output, direction| api.z2z(plan, input, output, direction),
    };
    ones(&way.forward::<f64>(&impulse(1024))?)?;
    way.there_and_back::<f64>(passes(1024))?;
    way.end()
}

/// More numbers than one kernel holds. The sum by definition would take long, so elements are sampled, and Parseval's
/// equation is for the others: the squares of the transform add up to n times those of the signal.
pub(super) fn long(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 1 << 16;
    let way = single(opened, bench, N)?;
    ones(&way.forward::<f32>(&impulse(N))?)?;
    let signal = signal(bench.seed, 0, N);
    let found: Vec<f32> = way.forward(&signal)?;
    // 997 has no factor in common with n, so the samples fall on all residues.
    let which: Vec<usize> = (0..64)
        .map(|index| (index * 997 * 64 + index) % N)
        .collect();
    let expected = bins(&signal, Direction::FORWARD, &which);
    let sampled: Vec<f32> = which
        .iter()
        .flat_map(|k| [found[2 * k], found[2 * k + 1]])
        .collect();
    near(
        "a sample",
        &expected,
        &sampled,
        bound::<f32>(passes(N), &expected),
    )?;
    parseval(&signal, &found)?;
    way.end()
}

/// Each element may have a relative error of the bound of [`near`], and so may the root of the sum.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
fn parseval(signal: &[Complex], found: &[f32]) -> Verdict {
    let expected = mean_square(signal) * signal.len() as f64;
    let sum = mean_square(&complex(found));
    let allowed = 2.0 * 8.0 * f32::UNIT * passes(signal.len());
    let error = (sum / expected - 1.0).abs();
    // Written so that a NaN is not within.
    if error <= allowed {
        return Ok(());
    }
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: "the squares of the transform add up to n times those of the signal".to_owned(),
        found: format!("they differ by {error:.3e} of them, and {allowed:.3e} is allowed"),
    }))
}

/// A plan with its call, in f32.
fn single<'a>(opened: &'a Opened<'a>, bench: &'a Bench<'a>, n: usize) -> Result<Way<'a>, Stop> {
    let plan = plan(opened, n, Kind::C2C)?;
    Ok(Way {
        opened,
        bench,
        n,
        plan,
        execute: |api, plan, input, output, direction| api.c2c(plan, input, output, direction),
    })
}

/// A plan with its call.
struct Way<'a> {
    opened: &'a Opened<'a>,
    bench: &'a Bench<'a>,
    n: usize,
    plan: Plan,
    execute: Execute,
}

impl Way<'_> {
    /// The transform of a signal.
    fn forward<T: Rounded>(&self, signal: &[Complex]) -> Result<Vec<T>, Stop> {
        let output = self.run::<T>(signal, Direction::FORWARD)?;
        let found = self.bench.download(&output)?;
        self.bench.compares();
        Ok(found)
    }

    /// A random signal to its transform, which is compared with the exact one, and from there back.
    fn there_and_back<T: Rounded>(&self, passes: f64) -> Verdict {
        let signal = signal(self.bench.seed, 0, self.n);
        let spectrum = self.run::<T>(&signal, Direction::FORWARD)?;
        let found: Vec<T> = self.bench.download(&spectrum)?;
        let again = self.bench.poisoned::<T>(2 * self.n)?;
        self.call(&spectrum, &again, Direction::INVERSE)?;
        let returned: Vec<T> = self.bench.download(&again)?;
        self.bench.compares();
        let expected = transform(&signal, Direction::FORWARD);
        near("X", &expected, &found, bound::<T>(passes, &expected))?;
        back(&signal, &returned, passes)
    }

    fn run<T: Rounded>(&self, signal: &[Complex], direction: Direction) -> Result<Buffer, Stop> {
        let operand: Vec<T> = parts(signal);
        let input = self.bench.upload(&operand)?;
        let output = self.bench.poisoned::<T>(2 * self.n)?;
        self.bench.computes();
        self.call(&input, &output, direction)?;
        self.bench.unchanged("x", &input, &operand)?;
        Ok(output)
    }

    fn call(&self, input: &Buffer, output: &Buffer, direction: Direction) -> Verdict {
        let api = Cufft::new(&self.opened.library);
        self.opened.ok((self.execute)(
            &api, self.plan, input.at, output.at, direction,
        ))
    }

    fn end(&self) -> Verdict {
        let api = Cufft::new(&self.opened.library);
        self.opened.ok(api.destroy(self.plan))
    }
}
