//! Convolutions by cuDNN's graphs, where the library chooses among engines: those that it brings as machine code, and
//! those that it compiles at run time, for which it needs NVRTC.

mod ahead;
mod descriptor;
mod engine;

use super::super::exact;
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{HeuristicMode, PointwiseMode};
use super::reference::{Arrangement, Geometry, Layout, convolve, output};
use super::session::{Number, Session};
use super::{AMPERE, VOLTA, unless_older};
use crate::library::{Handle, Status};
use engine::{Engine, Planned};

pub(super) use ahead::planned;

/// Numbers by which a variant pack knows the tensors.
const X: i64 = 1;
const W: i64 = 2;
const Y: i64 = 3;
const BIAS: i64 = 4;
const SUM: i64 = 5;
const BIASED: i64 = 6;
const RECTIFIED: i64 = 7;
const SCALE: i64 = 8;

/// How many engines are run.
const ENGINES: usize = 5;

/// Channels in the multiples that tensor cores take, so that engines for them are offered too.
const X_EXTENTS: [usize; 4] = [2, 16, 9, 7];
const W_EXTENTS: [usize; 4] = [24, 16, 3, 3];
const GEOMETRY: Geometry = Geometry {
    padding: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    groups: 1,
};

/// 16 · 3 · 3 products of at most 64 · 64 stay below 2^22, and the operands are exact in TF32.
pub(super) fn convolution(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    plain(opened, bench, HeuristicMode::A)
}

/// The engines that work where the best ones do not.
pub(super) fn convolution_fallback(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    plain(opened, bench, HeuristicMode::FALLBACK)
}

fn integers(bench: &Bench<'_>, array: u64, most: u32, count: usize) -> Vec<f64> {
    let integers = exact::integers(bench.seed, array, most, count).into_iter();
    integers.map(|value| value as f64).collect()
}

fn typed<T: Number>(layout: &Layout, values: &[f64]) -> Vec<T> {
    let values = layout.spread(values, 0.0).into_iter();
    values.map(T::nearest).collect()
}

/// Images, filters, and results, packed alike.
fn layouts(arrangement: Arrangement) -> [Layout; 3] {
    let result = output(X_EXTENTS, W_EXTENTS, &GEOMETRY);
    [X_EXTENTS, W_EXTENTS, result].map(|extents| Layout::new(arrangement, extents))
}

fn plain(opened: &Opened<'_>, bench: &Bench<'_>, mode: HeuristicMode) -> Verdict {
    let [x_layout, w_layout, y_layout] = layouts(Arrangement::Nchw);
    let images = integers(bench, 0, 64, X_EXTENTS.iter().product());
    let filters = integers(bench, 1, 64, W_EXTENTS.iter().product());
    let expected = convolve((&images, X_EXTENTS), (&filters, W_EXTENTS), &GEOMETRY);
    let expected = typed::<f32>(&y_layout, &expected);

    let session = Session::open(opened)?;
    let x = descriptor::tensor::<f32>(&session, &x_layout, X)?;
    let w = descriptor::tensor::<f32>(&session, &w_layout, W)?;
    let y = descriptor::tensor::<f32>(&session, &y_layout, Y)?;
    let operation = descriptor::convolution(&session, &GEOMETRY, [x, w, y])?;
    let graph = descriptor::graph(&session, &[operation])?;
    let engines = engine::offered(&session, graph, mode)?;
    tell(opened, &engines);
    let operands = Operands {
        x: typed::<f32>(&x_layout, &images),
        w: typed::<f32>(&w_layout, &filters),
        others: Vec::new(),
    };
    let chosen = engines.iter().filter(|engine| engine.is_exact());
    let ran = each(&session, bench, chosen, &operands, &expected, &y_layout)?;
    enough(&session, graph, ran)?;
    session.close()
}

/// y = s · max(x ∗ w + b, 0) in one kernel that does not exist before: f16 in memory, f32 between.
///
/// For x ∗ w + b and its rectification alone, cuDNN 9 brings machine code. The factor s, one for each channel, is what
/// makes it compile: its heuristic offers nothing else then. 16 · 3 · 3 products of at most 3 · 2, a bias of at most
/// 100, and a factor of 1, 2, or -2 stay below 2048, up to which f16 has all integers.
///
/// Engines of the generic fusion need capability 7.0: "Generic Runtime Fusion Engines" in
/// <https://docs.nvidia.com/deeplearning/cudnn/backend/latest/developer/graph-api.html>. Which fusions they take grew
/// with the architectures, so that before 8.0 a refusal is an answer.
pub(super) fn fused_runtime(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    type Half = half::f16;
    if bench.capability() < VOLTA {
        let what = format!("fusion at run time on capability {}", bench.capability());
        return Err(opened.not_supported(what));
    }
    let [x_layout, w_layout, y_layout] = layouts(Arrangement::Nhwc);
    let of_channels = Layout::new(Arrangement::Nhwc, [1, W_EXTENTS[0], 1, 1]);
    let images = integers(bench, 0, 3, X_EXTENTS.iter().product());
    let filters = integers(bench, 1, 2, W_EXTENTS.iter().product());
    let bias = integers(bench, 2, 100, W_EXTENTS[0]);
    let scale: Vec<f64> = [1.0, 2.0, -2.0]
        .into_iter()
        .cycle()
        .take(W_EXTENTS[0])
        .collect();
    let sums = convolve((&images, X_EXTENTS), (&filters, W_EXTENTS), &GEOMETRY);
    let scaled: Vec<f64> = sums
        .iter()
        .zip(y_layout.indices())
        .map(|(sum, [_, k, _, _])| scale[k] * (sum + bias[k]).max(0.0))
        .collect();
    let expected = typed::<Half>(&y_layout, &scaled);

    let session = Session::open(opened)?;
    let (graph, engines) = fusion(&session)?;
    let operands = Operands {
        x: typed::<Half>(&x_layout, &images),
        w: typed::<Half>(&w_layout, &filters),
        others: vec![
            (BIAS, typed::<Half>(&of_channels, &bias)),
            (SCALE, typed::<Half>(&of_channels, &scale)),
        ],
    };
    let chosen = engines
        .iter()
        .filter(|engine| engine.is_compiled_at_run_time() && engine.is_exact());
    let ran = each(&session, bench, chosen, &operands, &expected, &y_layout)?;
    let enough = enough(&session, graph, ran);
    unless_older(opened, bench, (AMPERE, "this fusion at run time"), enough)?;
    session.close()
}

/// The graph of [`fused_runtime`], and the engines for it.
fn fusion(session: &Session<'_>) -> Result<(Handle, Vec<Engine>), Stop> {
    type Half = half::f16;
    let [x_layout, w_layout, y_layout] = layouts(Arrangement::Nhwc);
    let of_channels = Layout::new(Arrangement::Nhwc, [1, W_EXTENTS[0], 1, 1]);
    let x = descriptor::tensor::<Half>(session, &x_layout, X)?;
    let w = descriptor::tensor::<Half>(session, &w_layout, W)?;
    let b = descriptor::tensor::<Half>(session, &of_channels, BIAS)?;
    let s = descriptor::tensor::<Half>(session, &of_channels, SCALE)?;
    let sum = descriptor::between(session, &y_layout, SUM)?;
    let biased = descriptor::between(session, &y_layout, BIASED)?;
    let rectified = descriptor::between(session, &y_layout, RECTIFIED)?;
    let y = descriptor::tensor::<Half>(session, &y_layout, Y)?;
    let operations = [
        descriptor::convolution(session, &GEOMETRY, [x, w, sum])?,
        descriptor::combination(session, PointwiseMode::ADD, [sum, b, biased])?,
        descriptor::rectification(session, [biased, rectified])?,
        descriptor::combination(session, PointwiseMode::MUL, [rectified, s, y])?,
    ];
    let graph = descriptor::graph(session, &operations)?;
    let mut engines = engine::offered(session, graph, HeuristicMode::A)?;
    engines.extend(engine::offered(session, graph, HeuristicMode::FALLBACK)?);
    tell(session.opened, &engines);
    Ok((graph, engines))
}

/// Which engines there are, and which of them are compiled.
fn tell(opened: &Opened<'_>, engines: &[Engine]) {
    let words: Vec<String> = engines
        .iter()
        .map(|engine| {
            let how = match (engine.is_compiled_at_run_time(), engine.is_exact()) {
                (true, _) => " (compiled at run time)",
                (false, true) => "",
                (false, false) => " (not exact)",
            };
            format!("{}{how}", engine.index)
        })
        .collect();
    opened.note("engines", words.join(", "));
}

struct Operands<T> {
    x: Vec<T>,
    w: Vec<T>,
    /// By their numbers.
    others: Vec<(i64, Vec<T>)>,
}

/// What became of the engines that were chosen.
struct Ran {
    engines: usize,
    /// The status of the last one that could not be made ready.
    refused: Option<Status>,
}

/// Goes on if an engine ran. Else what is missing is the answer, and only where nothing is, that there is no engine.
fn enough(session: &Session<'_>, graph: Handle, ran: Ran) -> Verdict {
    if ran.engines > 0 {
        return Ok(());
    }
    engine::why_not_offered(session, graph)?;
    let opened = session.opened;
    Err(match ran.refused {
        Some(status) => opened.refused("cudnnBackendFinalize", status),
        None => opened.not_supported("any engine of the kind that is tested, on this device"),
    })
}

/// Runs the first engines that can be made ready, each once and into a result of its own. One engine is offered several
/// times, with different tiles; different engines show more.
fn each<'e, T: Number>(
    session: &Session<'_>,
    bench: &Bench<'_>,
    engines: impl Iterator<Item = &'e Engine>,
    operands: &Operands<T>,
    expected: &[T],
    layout: &Layout,
) -> Result<Ran, Stop> {
    let opened = session.opened;
    let x = bench.upload(&operands.x)?;
    let w = bench.upload(&operands.w)?;
    let mut tensors = vec![(X, x.at), (W, w.at)];
    for (number, values) in &operands.others {
        tensors.push((*number, bench.upload(values)?.at));
    }
    let mut ran: Vec<i64> = Vec::new();
    let mut refused = None;
    for engine in engines {
        if ran.len() == ENGINES {
            break;
        }
        if ran.contains(&engine.index) {
            continue;
        }
        bench.computes();
        let plan = match engine::plan(session, engine)? {
            Planned::Ready(plan) => plan,
            Planned::NotSupported(status) => {
                refused = Some(status);
                continue;
            }
        };
        if plan.workspace as u64 > bench.budget / 2 {
            opened.note("engine-too-large", engine.index.to_string());
            continue;
        }
        let y = bench.poisoned::<T>(layout.span())?;
        tensors.push((Y, y.at));
        engine::run(session, bench, &plan, &tensors)?;
        tensors.pop();
        let found = bench.download::<T>(&y)?;
        bench.compares();
        exact::same(expected, &found, |place| {
            format!("{} by engine {}", layout.name("y", place), engine.index)
        })?;
        ran.push(engine.index);
    }
    bench.unchanged("x", &x, &operands.x)?;
    bench.unchanged("w", &w, &operands.w)?;
    let words: Vec<String> = ran.iter().map(ToString::to_string).collect();
    opened.note("engines-run", words.join(", "));
    Ok(Ran {
        engines: ran.len(),
        refused,
    })
}
