//! The other layers of the older functions: softmax, batch normalisation, pooling, and activation.

use super::super::exact::{self, POISON};
use super::super::{Bench, Opened, Verdict};
use super::ffi::{
    ActivationMode, BatchNormMode, Cudnn, NanPropagation, PoolingMode, SoftmaxAlgorithm,
    SoftmaxMode,
};
use super::reference::{Arrangement, Geometry, Layout, pool};
use super::session::{Session, numbers};

/// Images, channels, rows, columns.
const EXTENTS: [usize; 4] = [3, 11, 9, 7];

/// Half a unit in the last place of f32, relative to the number.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

const ONE: f32 = 1.0;
const ZERO: f32 = 0.0;

fn packed(extents: [usize; 4]) -> Layout {
    Layout::new(Arrangement::Nchw, extents)
}

fn count(extents: [usize; 4]) -> usize {
    extents.iter().product()
}

fn rounded(values: &[f64]) -> Vec<f32> {
    values
        .iter()
        .map(|value| super::session::Number::nearest(*value))
        .collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// Over the channels of each pixel, for integers from -8 to 8.
///
/// The bound: the difference to the largest is exact, e to its power is right to 2 + ⌊1.16 · 16⌋ = 20 units in the
/// last place even with the fast exponential (CUDA C++ Programming Guide, intrinsic functions), a sum of positive
/// numbers adds one unit for each of them, and the quotient two. So each result is right to 2 · 20 + 11 + 3 ulp, of
/// which one is 2^-23 of it, and the sum of each pixel is one to the same.
pub(super) fn softmax(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let layout = packed(EXTENTS);
    let x: Vec<f64> = exact::integers(bench.seed, 0, 8, count(EXTENTS))
        .into_iter()
        .map(|value| value as f64)
        .collect();
    let session = Session::open(opened)?;
    let descriptor = session.tensor::<f32>(&layout)?;
    let operand = rounded(&x);
    let from = bench.upload(&operand)?;
    let to = bench.poisoned::<f32>(count(EXTENTS))?;
    bench.computes();
    opened.ok(session.api.softmax(
        session.handle,
        SoftmaxAlgorithm::ACCURATE,
        SoftmaxMode::CHANNEL,
        &ONE,
        descriptor,
        from.at,
        &ZERO,
        descriptor,
        to.at,
    ))?;
    let y = wide(&bench.download::<f32>(&to)?);
    bench.compares();
    bench.unchanged("x", &from, &operand)?;
    let relative = 54.0 * 2.0 * UNIT;
    let expected = softmax_of(&layout, &x);
    let bounds: Vec<f64> = expected.iter().map(|value| value * relative).collect();
    exact::within(&expected, &y, &bounds, |place| layout.name("y", place))?;
    let [n, _, h, w] = EXTENTS;
    let pixels = packed([n, 1, h, w]);
    let sums = channel_sums(&layout, &y);
    let ones = vec![1.0; sums.len()];
    exact::within(&ones, &sums, &vec![relative; sums.len()], |place| {
        pixels.name("the sum over the channels of y", place)
    })?;
    opened.ok(session.api.destroy_tensor(descriptor))?;
    session.close()
}

/// The sum over the channels of each pixel, by image, row, and column.
fn channel_sums(layout: &Layout, values: &[f64]) -> Vec<f64> {
    let [n, c, h, w] = layout.extents;
    let pixels = packed([n, 1, h, w]);
    let sum = |[n, _, h, w]: [usize; 4]| {
        (0..c)
            .map(|c| values[layout.place([n, c, h, w])])
            .sum::<f64>()
    };
    pixels.indices().map(sum).collect()
}

fn softmax_of(layout: &Layout, x: &[f64]) -> Vec<f64> {
    let powers: Vec<f64> = x.iter().map(|value| value.exp()).collect();
    let sums = channel_sums(layout, &powers);
    let [n, _, h, w] = layout.extents;
    let pixels = packed([n, 1, h, w]);
    let quotient =
        |at @ [n, _, h, w]: [usize; 4]| powers[layout.place(at)] / sums[pixels.place([n, 0, h, w])];
    layout.indices().map(quotient).collect()
}

/// `CUDNN_BN_MIN_EPSILON` of version 8 is 0, of version 7 was 1e-5; a power of two, so that it is no matter how it is
/// rounded.
const EPSILON: f64 = 1.0 / 1024.0;

/// y = scale · (x − mean) / √(variance + ε) + bias, each channel with its own four numbers.
///
/// The bound: the difference, the root, its inverse, and two products are right to at most 2 units each, and the
/// inverse square root may be the approximate one, with 2; the sum adds one more of the whole. Together 12 units of
/// 2^-23 of |scale · (x − mean) / √…| + |bias|. An implementation that first makes one factor and one summand of the
/// four numbers rounds scale · mean / √… instead, which |mean| in the bound covers.
pub(super) fn batch_normalization(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let layout = packed(EXTENTS);
    let channels = EXTENTS[1];
    let real = |array, count| rounded(&exact::reals(bench.seed, array, count));
    let x = real(0, count(EXTENTS));
    let (scale, bias, mean) = (real(1, channels), real(2, channels), real(3, channels));
    let variance: Vec<f32> = real(4, channels).iter().map(|it| it.abs() + 0.25).collect();

    let session = Session::open(opened)?;
    let descriptor = session.tensor::<f32>(&layout)?;
    let of_channels = session.tensor::<f32>(&packed([1, channels, 1, 1]))?;
    let x_buffer = bench.upload(&x)?;
    let [scale_at, bias_at, mean_at, variance_at] = [
        bench.upload(&scale)?.at,
        bench.upload(&bias)?.at,
        bench.upload(&mean)?.at,
        bench.upload(&variance)?.at,
    ];
    let y_buffer = bench.poisoned::<f32>(count(EXTENTS))?;
    bench.computes();
    opened.ok(session.api.batch_norm(
        session.handle,
        BatchNormMode::SPATIAL,
        &ONE,
        &ZERO,
        descriptor,
        x_buffer.at,
        descriptor,
        y_buffer.at,
        of_channels,
        scale_at,
        bias_at,
        mean_at,
        variance_at,
        EPSILON,
    ))?;
    let y = wide(&bench.download::<f32>(&y_buffer)?);
    bench.compares();
    bench.unchanged("x", &x_buffer, &x)?;
    let channel = |[_, c, _, _]: [usize; 4]| {
        let factor = f64::from(scale[c]) / (f64::from(variance[c]) + EPSILON).sqrt();
        (factor, f64::from(mean[c]), f64::from(bias[c]))
    };
    let at = |place: [usize; 4]| f64::from(x[layout.place(place)]);
    let expected: Vec<f64> = layout
        .indices()
        .map(|place| {
            let (factor, mean, bias) = channel(place);
            factor * (at(place) - mean) + bias
        })
        .collect();
    let bounds: Vec<f64> = layout
        .indices()
        .map(|place| {
            let (factor, mean, bias) = channel(place);
            12.0 * 2.0 * UNIT * (factor.abs() * (at(place).abs() + mean.abs()) + bias.abs())
        })
        .collect();
    exact::within(&expected, &y, &bounds, |place| layout.name("y", place))?;
    opened.ok(session.api.destroy_tensor(of_channels))?;
    opened.ok(session.api.destroy_tensor(descriptor))?;
    session.close()
}

/// Windows that reach over every edge, and overlap by one column.
const WINDOW: [usize; 2] = [4, 2];
const POOLING: Geometry = Geometry {
    padding: [2, 1],
    stride: [3, 1],
    dilation: [1, 1],
    groups: 1,
};

/// Padding counts as less than any number, so windows of negative numbers show whether it was taken for zero.
pub(super) fn pooling_max(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let x: Vec<f64> = exact::integers(bench.seed, 0, 1 << 20, count(EXTENTS))
        .into_iter()
        .map(|value| value as f64 - f64::from(1 << 20))
        .collect();
    let most = |under: &[f64], _: usize| under.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    pooled(opened, bench, PoolingMode::MAX, &x, most)
}

/// Both ways to count padding. Sums are integers and windows have 8 elements, so an average that counts padding is
/// exact; the other is made exact by operands that are multiples of 840, which 1 to 8 divide.
pub(super) fn pooling_average(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let x: Vec<f64> = exact::integers(bench.seed, 0, 100, count(EXTENTS))
        .into_iter()
        .map(|value| value as f64 * 840.0)
        .collect();
    let sum = |under: &[f64]| under.iter().sum::<f64>();
    let all = PoolingMode::AVERAGE_INCLUDE_PADDING;
    pooled(opened, bench, all, &x, |under, size| {
        sum(under) / size as f64
    })?;
    let inner = PoolingMode::AVERAGE_EXCLUDE_PADDING;
    pooled_nearly(opened, bench, inner, &x, |under, _| {
        sum(under) / under.len() as f64
    })
}

fn pooled(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    mode: PoolingMode,
    x: &[f64],
    of: impl Fn(&[f64], usize) -> f64,
) -> Verdict {
    let (layout, y) = run_pooling(opened, bench, mode, x)?;
    let expected = rounded(&pool((x, EXTENTS), WINDOW, &POOLING, of));
    exact::same(&expected, &y, |place| layout.name("y", place))
}

/// As [`pooled`], but a product with a rounded reciprocal in place of a quotient is right too: two units of 2^-24.
fn pooled_nearly(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    mode: PoolingMode,
    x: &[f64],
    of: impl Fn(&[f64], usize) -> f64,
) -> Verdict {
    let (layout, y) = run_pooling(opened, bench, mode, x)?;
    let expected = pool((x, EXTENTS), WINDOW, &POOLING, of);
    let bounds: Vec<f64> = expected.iter().map(|it| it.abs() * 4.0 * UNIT).collect();
    exact::within(&expected, &wide(&y), &bounds, |place| {
        layout.name("y", place)
    })
}

fn run_pooling(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    mode: PoolingMode,
    x: &[f64],
) -> Result<(Layout, Vec<f32>), super::super::Stop> {
    let [n, c, h, w] = EXTENTS;
    let [rows, columns] = POOLING.positions([h, w], WINDOW);
    let layout = packed([n, c, rows, columns]);
    let session = Session::open(opened)?;
    let from = session.tensor::<f32>(&packed(EXTENTS))?;
    let to = session.tensor::<f32>(&layout)?;
    let descriptor = session.made(Cudnn::create_pooling)?;
    let [wh, ww, ph, pw] = numbers([WINDOW[0], WINDOW[1], POOLING.padding[0], POOLING.padding[1]]);
    let [sh, sw] = numbers(POOLING.stride);
    let nan = NanPropagation::PROPAGATE;
    let set = session
        .api
        .set_pooling(descriptor, mode, nan, wh, ww, ph, pw, sh, sw);
    opened.ok(set)?;
    let operand = rounded(x);
    let x_buffer = bench.upload(&operand)?;
    let y_buffer = bench.poisoned::<f32>(layout.span())?;
    bench.computes();
    opened.ok(session.api.pool(
        session.handle,
        descriptor,
        &ONE,
        from,
        x_buffer.at,
        &ZERO,
        to,
        y_buffer.at,
    ))?;
    let y = bench.download::<f32>(&y_buffer)?;
    bench.compares();
    bench.unchanged("x", &x_buffer, &operand)?;
    opened.ok(session.api.destroy_pooling(descriptor))?;
    opened.ok(session.api.destroy_tensor(from))?;
    opened.ok(session.api.destroy_tensor(to))?;
    session.close()?;
    Ok((layout, y))
}

/// The upper bound of the clipped rectifier.
const CEILING: f64 = 5.0;

/// The rectifier, and the one with an upper bound, on a tensor with gaps, which must stay as they are.
pub(super) fn relu(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let layout = Layout::new(Arrangement::Gapped, EXTENTS);
    let x: Vec<f32> = exact::integers(bench.seed, 0, 9, count(EXTENTS))
        .into_iter()
        .map(|value| super::session::Number::nearest(value as f64))
        .collect();
    let session = Session::open(opened)?;
    let descriptor = session.tensor::<f32>(&layout)?;
    let activation = session.made(Cudnn::create_activation)?;
    let x_values = layout.spread(&x, 12_345.0);
    let x_buffer = bench.upload(&x_values)?;
    let poison = exact::elements::<f32>(&[POISON; 4])[0];
    for (mode, highest) in [
        (ActivationMode::RELU, f32::MAX),
        (ActivationMode::CLIPPED_RELU, 5.0),
    ] {
        let nan = NanPropagation::PROPAGATE;
        opened.ok(session.api.set_activation(activation, mode, nan, CEILING))?;
        let y_buffer = bench.poisoned::<f32>(layout.span())?;
        bench.computes();
        opened.ok(session.api.activate(
            session.handle,
            activation,
            &ONE,
            descriptor,
            x_buffer.at,
            &ZERO,
            descriptor,
            y_buffer.at,
        ))?;
        let y = bench.download::<f32>(&y_buffer)?;
        bench.compares();
        bench.unchanged("x", &x_buffer, &x_values)?;
        let expected: Vec<f32> = x.iter().map(|value| value.clamp(0.0, highest)).collect();
        let expected = layout.spread(&expected, poison);
        exact::same(&expected, &y, |place| layout.name("y", place))?;
    }
    opened.ok(session.api.destroy_activation(activation))?;
    opened.ok(session.api.destroy_tensor(descriptor))?;
    session.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_is_what_was_worked_out_by_hand() {
        let layout = packed([1, 2, 1, 2]);
        let found = softmax_of(&layout, &[0.0, 2.0f64.ln(), 0.0, 0.0]);
        let expected = [0.5, 2.0 / 3.0, 0.5, 1.0 / 3.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(channel_sums(&layout, &[1.0, 2.0, 4.0, 8.0]), [5.0, 10.0]);
    }

    #[test]
    fn every_window_has_something_under_it() {
        let x = vec![1.0; count(EXTENTS)];
        let counts = pool((&x, EXTENTS), WINDOW, &POOLING, |under, _| {
            under.len() as f64
        });
        assert!(counts.iter().all(|count| (1.0..=8.0).contains(count)));
        assert!(counts.contains(&8.0) && counts.contains(&2.0));
    }
}
