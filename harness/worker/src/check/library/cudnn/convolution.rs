//! Convolutions by `cudnnConvolutionForward`, with the two algorithms that sum products as they are: those by Fourier
//! and Winograd transforms round on the way, and no result of theirs is the only right one.
//!
//! <https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html> lists what each supports.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::exact::{self, POISON};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{Algorithm, ConvolutionMode, Cudnn, DataType, MathType};
use super::reference::{Arrangement, Geometry, Layout, convolve, output};
use super::session::{Number, Session, equal, numbers};
use super::{AMPERE, VOLTA, unless_older};
use crate::library::DevicePointer;

/// A convolution.
struct Convolution {
    arrangement: Arrangement,
    /// Images, channels, rows, columns.
    x: [usize; 4],
    /// Outputs, channels of a group, rows, columns.
    w: [usize; 4],
    geometry: Geometry,
    algorithm: Algorithm,
    math: MathType,
    /// Bounds of the operands' absolute values.
    most: [u32; 2],
    alpha: f32,
    beta: f32,
}

/// No extent divides another, or any tile. 5 · 3 · 2 products of at most 64 · 64 stay far below 2^22, so every order
/// of summation, TF32, and tensor cores give the same sums.
const ODD: Convolution = Convolution {
    arrangement: Arrangement::Nchw,
    x: [3, 5, 19, 17],
    w: [7, 5, 3, 2],
    geometry: Geometry {
        padding: [2, 1],
        stride: [2, 3],
        dilation: [1, 1],
        groups: 1,
    },
    algorithm: Algorithm::IMPLICIT_GEMM,
    math: MathType::FMA,
    most: [64, 64],
    alpha: 1.0,
    beta: 0.0,
};

/// Channels in the multiples that tensor cores take, rows and columns still odd. 16 · 3 · 3 products of at most 3 · 2
/// are at most 864, which f16 holds exactly.
const TENSOR: Convolution = Convolution {
    x: [2, 16, 11, 9],
    w: [24, 16, 3, 3],
    geometry: Geometry {
        padding: [1, 1],
        stride: [1, 2],
        dilation: [1, 1],
        groups: 1,
    },
    algorithm: Algorithm::IMPLICIT_PRECOMP_GEMM,
    math: MathType::TENSOR_OP,
    most: [3, 2],
    ..ODD
};

pub(super) fn f32(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    exactly::<f32>(opened, bench, &ODD)
}

pub(super) fn f32_precomputed(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        algorithm: Algorithm::IMPLICIT_PRECOMP_GEMM,
        ..ODD
    };
    exactly::<f32>(opened, bench, &convolution)
}

/// Only `IMPLICIT_GEMM` is documented for dilated filters.
pub(super) fn f32_dilated(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        geometry: Geometry {
            dilation: [3, 2],
            ..ODD.geometry
        },
        ..ODD
    };
    exactly::<f32>(opened, bench, &convolution)
}

pub(super) fn f32_grouped(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        x: [2, 15, 13, 11],
        w: [9, 5, 3, 2],
        geometry: Geometry {
            groups: 3,
            ..ODD.geometry
        },
        ..ODD
    };
    exactly::<f32>(opened, bench, &convolution)
}

/// y = 2 x∗w − 3 y.
pub(super) fn f32_accumulated(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        alpha: 2.0,
        beta: -3.0,
        ..ODD
    };
    exactly::<f32>(opened, bench, &convolution)
}

/// Both images and results with unused elements between rows, channels, and images.
pub(super) fn f32_gapped(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        arrangement: Arrangement::Gapped,
        ..ODD
    };
    exactly::<f32>(opened, bench, &convolution)
}

pub(super) fn f16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    exactly::<half::f16>(opened, bench, &TENSOR)
}

pub(super) fn f16_nhwc(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = Convolution {
        arrangement: Arrangement::Nhwc,
        ..TENSOR
    };
    let since = (VOLTA, "convolutions of f16 with the channels last");
    let verdict = exactly::<half::f16>(opened, bench, &convolution);
    unless_older(opened, bench, since, verdict)
}

/// bf16 has all integers to 256, so that the operands are exact. Of the sums, which f32 holds, most are rounded when
/// they are stored: once, and to the nearest.
const BRAIN: Convolution = Convolution {
    most: [64, 64],
    ..TENSOR
};

pub(super) fn bf16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    has_bf16(opened, bench)?;
    exactly::<half::bf16>(opened, bench, &BRAIN)
}

pub(super) fn bf16_nhwc(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    has_bf16(opened, bench)?;
    let convolution = Convolution {
        arrangement: Arrangement::Nhwc,
        ..BRAIN
    };
    exactly::<half::bf16>(opened, bench, &convolution)
}

/// The documentation gives bf16 to devices of capability 8.0 and newer.
fn has_bf16(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    if bench.capability() >= AMPERE {
        return Ok(());
    }
    let what = format!("convolutions of bf16 on capability {}", bench.capability());
    Err(opened.not_supported(what))
}

/// Operands of small integers, and a result without any tolerance.
fn exactly<T: Number>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    convolution: &Convolution,
) -> Verdict {
    let Convolution { x, w, most, .. } = convolution;
    let operand = |array, most, extents: [usize; 4]| -> Vec<f64> {
        exact::integers(bench.seed, array, most, extents.iter().product())
            .into_iter()
            .map(|value| value as f64)
            .collect()
    };
    let images = operand(0, most[0], *x);
    let filters = operand(1, most[1], *w);
    let before = operand(2, most[0], output(*x, *w, &convolution.geometry));
    let sums = convolve((&images, *x), (&filters, *w), &convolution.geometry);
    let expected: Vec<T> = sums
        .iter()
        .zip(&before)
        .map(|(sum, before)| {
            // Both products are integers below 2^24, so f32 holds each, and their sum.
            T::nearest(f64::from(convolution.alpha) * sum + f64::from(convolution.beta) * before)
        })
        .collect();
    let computed = compute::<T>(opened, bench, convolution, &images, &filters, &before)?;
    let Computed { y, layout } = computed;
    let poison = exact::elements::<T>(&vec![POISON; T::SIZE])[0];
    let name = |place| layout.name("y", place);
    exact::same(&layout.spread(&expected, poison), &y, name)
}

/// What the library has left where the result belongs.
struct Computed<T> {
    y: Vec<T>,
    layout: Layout,
}

/// Far from every operand, so that it shows in the result if it is read.
const GAP: f64 = 12_345.0;

fn compute<T: Number>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    convolution: &Convolution,
    images: &[f64],
    filters: &[f64],
    before: &[f64],
) -> Result<Computed<T>, Stop> {
    let session = Session::open(opened)?;
    let api = session.api;
    let typed = |layout: &Layout, values: &[f64]| -> Vec<T> {
        let values = layout.spread(values, GAP).into_iter();
        values.map(T::nearest).collect()
    };
    let x_layout = Layout::new(convolution.arrangement, convolution.x);
    // Filters have no gaps: their descriptors have no strides.
    let w_layout = match convolution.arrangement {
        Arrangement::Nchw | Arrangement::Gapped => Layout::new(Arrangement::Nchw, convolution.w),
        Arrangement::Nhwc => Layout::new(Arrangement::Nhwc, convolution.w),
    };
    let y_extents = output(convolution.x, convolution.w, &convolution.geometry);
    let layout = Layout::new(convolution.arrangement, y_extents);
    let x_values = typed(&x_layout, images);
    let w_values = typed(&w_layout, filters);

    let x_descriptor = session.tensor::<T>(&x_layout)?;
    let w_descriptor = session.filter::<T>(&w_layout)?;
    let y_descriptor = session.tensor::<T>(&layout)?;
    let descriptor = session.made(Cudnn::create_convolution)?;
    let Geometry {
        padding,
        stride,
        dilation,
        groups,
    } = convolution.geometry;
    let [ph, pw, sh, sw] = numbers([padding[0], padding[1], stride[0], stride[1]]);
    let [dh, dw, groups] = numbers([dilation[0], dilation[1], groups]);
    let mode = ConvolutionMode::CROSS_CORRELATION;
    opened.ok(api.set_convolution(descriptor, ph, pw, sh, sw, dh, dw, mode, DataType::FLOAT))?;
    opened.ok(api.set_math(descriptor, convolution.math))?;
    opened.ok(api.set_groups(descriptor, groups))?;
    let mut told = [0; 4];
    let [n, c, h, w] = &mut told;
    opened.ok(api.convolution_output(descriptor, x_descriptor, w_descriptor, n, c, h, w))?;
    equal("the extents of the result", numbers(y_extents), told)?;
    let mut bytes = 0;
    opened.ok(api.convolution_workspace(
        session.handle,
        x_descriptor,
        w_descriptor,
        descriptor,
        y_descriptor,
        convolution.algorithm,
        &mut bytes,
    ))?;
    opened.note("workspace-bytes", bytes.to_string());
    let workspace = match bytes {
        0 => None,
        _ => Some(bench.poisoned::<u8>(bytes)?),
    };
    let x_buffer = bench.upload(&x_values)?;
    let w_buffer = bench.upload(&w_values)?;
    let y_buffer = if convolution.beta == 0.0 {
        bench.poisoned::<T>(layout.span())?
    } else {
        let before: Vec<T> = before.iter().map(|value| T::nearest(*value)).collect();
        bench.upload(&layout.spread(&before, T::nearest(GAP)))?
    };

    bench.computes();
    opened.ok(api.convolve(
        session.handle,
        &convolution.alpha,
        x_descriptor,
        x_buffer.at,
        w_descriptor,
        w_buffer.at,
        descriptor,
        convolution.algorithm,
        workspace.map_or(DevicePointer::NULL, |buffer| buffer.at),
        bytes,
        &convolution.beta,
        y_descriptor,
        y_buffer.at,
    ))?;
    let y = bench.download(&y_buffer)?;

    bench.compares();
    bench.unchanged("x", &x_buffer, &x_values)?;
    bench.unchanged("w", &w_buffer, &w_values)?;
    if let Some(workspace) = workspace {
        // Its content is the library's; what lies around it is not.
        bench.download::<u8>(&workspace)?;
    }
    opened.ok(api.destroy_convolution(descriptor))?;
    opened.ok(api.destroy_filter(w_descriptor))?;
    opened.ok(api.destroy_tensor(x_descriptor))?;
    opened.ok(api.destroy_tensor(y_descriptor))?;
    session.close()?;
    Ok(Computed { y, layout })
}

/// Half a unit in the last place of f32, relative to the number.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

/// Real numbers with 24 bits each, and `CUDNN_FMA_MATH`, which forbids to convert them to TF32 or less.
///
/// A sum of K products of such numbers in f32, in any order and with or without fused operations, differs by at most
/// γ · Σ|x w| with γ = K u / (1 − K u) and u = 2^-24 (Higham, Accuracy and Stability, section 3.1). With K = 30 this
/// is 2^-19.1, while TF32 cuts each operand at 2^-11, which shows in nearly every element.
pub(super) fn f32_strict(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let convolution = &ODD;
    let operand = |array, extents: [usize; 4]| -> Vec<f64> {
        exact::reals(bench.seed, array, extents.iter().product())
    };
    let (images, filters) = (operand(0, convolution.x), operand(1, convolution.w));
    let both = |images: &[f64], filters: &[f64]| {
        convolve(
            (images, convolution.x),
            (filters, convolution.w),
            &convolution.geometry,
        )
    };
    let absolute = |values: &[f64]| -> Vec<f64> { values.iter().map(|it| it.abs()).collect() };
    let expected = both(&images, &filters);
    let magnitudes = both(&absolute(&images), &absolute(&filters));
    let products: usize = convolution.w[1..].iter().product();
    let terms = products as f64 * UNIT;
    let bounds: Vec<f64> = magnitudes
        .iter()
        .map(|magnitude| terms / (1.0 - terms) * magnitude)
        .collect();
    let Computed { y, layout } =
        compute::<f32>(opened, bench, convolution, &images, &filters, &[])?;
    let found: Vec<f64> = y.iter().map(|value| value.wide()).collect();
    let name = |place| layout.name("y", place);
    let verdict = exact::within(&expected, &found, &bounds, name);
    verdict.map_err(|stop| with_tf32(stop, &expected, &found, &magnitudes))
}

/// Says so if operands of 11 bits explain a wrong result: each of the two is off by at most 2^-11 of itself.
fn with_tf32(mut stop: Stop, expected: &[f64], found: &[f64], magnitudes: &[f64]) -> Stop {
    let allowance = 2.1 / 2048.0;
    let explained = (expected.iter().zip(found).zip(magnitudes))
        .all(|((expected, found), magnitude)| (expected - found).abs() <= allowance * magnitude);
    if let CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        found,
        ..
    } = &mut *stop
        && explained
    {
        found.push_str("; all errors are of the size that TF32 makes, which was forbidden");
    }
    stop
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, tf32: bool) {
        let stop = exact::within(&[1.0], &[found], &[0.0], |_| "y".to_owned()).unwrap_err();
        let told = with_tf32(stop, &[1.0], &[found], &[1.5]);
        let CheckResult::Mismatch { found, .. } = *told else {
            panic!("{told:?}");
        };
        assert_eq!(found.contains("TF32"), tf32, "{found}");
    }

    #[test]
    fn tf32_is_suspected_only_where_it_explains_all() {
        check(1.001, true);
        check(1.01, false);
        check(f64::NAN, false);
    }

    #[test]
    fn the_operands_are_small_enough_to_be_exact() {
        for (convolution, limit) in [(&ODD, 1 << 22), (&BRAIN, 1 << 22), (&TENSOR, 2048)] {
            let products = convolution.w[1..].iter().product::<usize>() as u64;
            let most = convolution.most.map(u64::from);
            assert!(products * most[0] * most[1] <= limit);
        }
    }
}
