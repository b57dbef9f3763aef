//! Transforms of more than one signal or dimension, and of real numbers.

use super::ffi::{Cufft, Direction, Kind, Plan};
use super::measure::{back, bound, near, parts, passes, signal};
use super::transform::{Complex, transform, transform_2d};
use super::{Opened, Verdict, length, plan, planned};
use crate::check::library::bench::Bench;
use crate::check::library::exact::{self, POISON};

/// 64 rows of 48 numbers.
pub(super) fn two_dimensions(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const ROWS: usize = 64;
    const COLUMNS: usize = 48;
    let api = Cufft::new(&opened.library);
    let mut plan = Plan::NONE;
    let status = api.plan_2d(&mut plan, length(ROWS), length(COLUMNS), Kind::C2C);
    let plan = planned(opened, "cufftPlan2d", opened.value(status)?, plan)?;
    let signal = signal(bench.seed, 0, ROWS * COLUMNS);
    let operand: Vec<f32> = parts(&signal);
    let input = bench.upload(&operand)?;
    let output = bench.poisoned::<f32>(operand.len())?;
    let again = bench.poisoned::<f32>(operand.len())?;
    bench.computes();
    opened.ok(api.c2c(plan, input.at, output.at, Direction::FORWARD))?;
    opened.ok(api.c2c(plan, output.at, again.at, Direction::INVERSE))?;
    bench.unchanged("x", &input, &operand)?;
    let found: Vec<f32> = bench.download(&output)?;
    let returned: Vec<f32> = bench.download(&again)?;
    bench.compares();
    let expected = transform_2d(&signal, COLUMNS, Direction::FORWARD);
    let passes = passes(ROWS * COLUMNS);
    near("X", &expected, &found, bound::<f32>(passes, &expected))?;
    back(&signal, &returned, passes)?;
    opened.ok(api.destroy(plan))
}

/// Eight signals of 240 numbers, which begin 251 numbers apart and go where they begin 257 apart.
pub(super) fn batch(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 240;
    const BATCH: usize = 8;
    const APART: usize = 251;
    const GO_APART: usize = 257;
    let api = Cufft::new(&opened.library);
    let mut plan = Plan::NONE;
    // The sizes of the surrounding array count from the second dimension on, but must be given for a distance to.
    let status = api.plan_many(
        &mut plan,
        1,
        (&mut [length(N)]).into(),
        (&mut [length(APART)]).into(),
        1,
        length(APART),
        (&mut [length(GO_APART)]).into(),
        1,
        length(GO_APART),
        Kind::C2C,
        length(BATCH),
    );
    let plan = planned(opened, "cufftPlanMany", opened.value(status)?, plan)?;
    let signal = signal(bench.seed, 0, BATCH * APART);
    let operand: Vec<f32> = parts(&signal);
    let input = bench.upload(&operand)?;
    let output = bench.poisoned::<f32>(2 * BATCH * GO_APART)?;
    bench.computes();
    opened.ok(api.c2c(plan, input.at, output.at, Direction::FORWARD))?;
    bench.unchanged("x", &input, &operand)?;
    let found: Vec<f32> = bench.download(&output)?;
    bench.compares();
    for (index, (signal, found)) in signal
        .chunks_exact(APART)
        .zip(found.chunks_exact(2 * GO_APART))
        .enumerate()
    {
        let (found, gap) = found.split_at(2 * N);
        let expected = transform(&signal[..N], Direction::FORWARD);
        let bound = bound::<f32>(passes(N), &expected);
        near(&format!("X{index}"), &expected, found, bound)?;
        let untouched: Vec<u32> = vec![u32::from_le_bytes([POISON; 4]); gap.len()];
        let gap: Vec<u32> = gap.iter().map(|number| number.to_bits()).collect();
        exact::same(&untouched, &gap, |at| {
            format!("word {at} of the gap after X{index}, which nobody may write,")
        })?;
    }
    opened.ok(api.destroy(plan))
}

/// 1000 real numbers to the 501 numbers of half a spectrum, and back. The way back may overwrite its input.
pub(super) fn real(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const N: usize = 1000;
    const HALF: usize = N / 2 + 1;
    let api = Cufft::new(&opened.library);
    let there = plan(opened, N, Kind::R2C)?;
    let home = plan(opened, N, Kind::C2R)?;
    let signal: Vec<Complex> = exact::reals(bench.seed, 0, N)
        .into_iter()
        .map(|number| [number, 0.0])
        .collect();
    let operand: Vec<f32> = parts::<f32>(&signal).into_iter().step_by(2).collect();
    let input = bench.upload(&operand)?;
    let output = bench.poisoned::<f32>(2 * HALF)?;
    let again = bench.poisoned::<f32>(N)?;
    bench.computes();
    opened.ok(api.r2c(there, input.at, output.at))?;
    bench.unchanged("x", &input, &operand)?;
    let found: Vec<f32> = bench.download(&output)?;
    opened.ok(api.c2r(home, output.at, again.at))?;
    let returned: Vec<f32> = bench.download(&again)?;
    bench.compares();
    let expected = transform(&signal, Direction::FORWARD);
    let bound = bound::<f32>(passes(N), &expected);
    near("X", &expected[..HALF], &found, bound)?;
    let returned: Vec<f32> = returned.into_iter().flat_map(|it| [it, 0.0]).collect();
    back(&signal, &returned, passes(N))?;
    opened.ok(api.destroy(there))?;
    opened.ok(api.destroy(home))
}
