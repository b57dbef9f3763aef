//! Softmax, batch normalisation, pooling, and activation, each in the order in which the documentation defines it.

use std::ffi::c_void;

use super::descriptor::{Activation, Pooling, held};
use super::tensor::Tensor;
use super::{SUCCESS, Status, bad_parameter, execution_failed, failed};
use crate::fault;

/// What all these functions do: read one tensor, write one of the same or another shape. Scaling is that of the tests,
/// which ask for none.
fn apply(
    (from, x): (&Tensor, u64),
    (to, y): (&Tensor, u64),
    (alpha, beta): (f32, f32),
    layer: impl FnOnce(&[f32], &mut [f32]),
) -> Status {
    if fault::no_code("cudnn") {
        return failed(execution_failed(), "cudaErrorNoKernelImageForDevice");
    }
    if (alpha.to_bits(), beta.to_bits()) != (1.0_f32.to_bits(), 0) {
        return bad_parameter();
    }
    let run = || {
        let operand = from.read(x)?;
        let mut result = to.read(y)?;
        layer(&operand, &mut result);
        to.write(y, &result)
    };
    match run() {
        Some(()) => SUCCESS,
        None => execution_failed(),
    }
}

/// # Safety
///
/// The descriptors are tensors', `alpha` and `beta` point to `float`, and the addresses are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSoftmaxForward(
    _handle: *mut c_void,
    algorithm: i32,
    mode: i32,
    alpha: *const f32,
    x_descriptor: *mut c_void,
    x: u64,
    beta: *const f32,
    y_descriptor: *mut c_void,
    y: u64,
) -> Status {
    // Accurate, over channels.
    if (algorithm, mode) != (1, 1) {
        return bad_parameter();
    }
    // SAFETY: the caller's pointer is to a `float`.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller's pointer is to a `float`.
    let beta = unsafe { *beta };
    // SAFETY: the caller's descriptor is a tensor's.
    let from = unsafe { held::<Tensor>(x_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let to = unsafe { held::<Tensor>(y_descriptor) };
    apply((&from, x), (&to, y), (alpha, beta), |x, y| {
        let [images, channels, rows, columns] = from.size;
        for n in 0..images {
            for h in 0..rows {
                for w in 0..columns {
                    let value = |c| x[from.at(n, c, h, w)];
                    let greatest = (0..channels).map(value).fold(f32::MIN, f32::max);
                    let used = channels - i64::from(fault::on("cudnn-softmax-omits-channel"));
                    let sum: f32 = (0..used).map(|c| (value(c) - greatest).exp()).sum();
                    for c in 0..channels {
                        y[to.at(n, c, h, w)] = (value(c) - greatest).exp() / sum;
                    }
                }
            }
        }
    })
}

/// # Safety
///
/// The descriptors are tensors', `alpha` and `beta` point to `float`, and the addresses are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnBatchNormalizationForwardInference(
    _handle: *mut c_void,
    mode: i32,
    alpha: *const f32,
    beta: *const f32,
    x_descriptor: *mut c_void,
    x: u64,
    y_descriptor: *mut c_void,
    y: u64,
    of_channels: *mut c_void,
    scale: u64,
    bias: u64,
    mean: u64,
    variance: u64,
    epsilon: f64,
) -> Status {
    // SAFETY: the caller's pointer is to a `float`.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller's pointer is to a `float`.
    let beta = unsafe { *beta };
    // SAFETY: the caller's descriptor is a tensor's.
    let from = unsafe { held::<Tensor>(x_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let to = unsafe { held::<Tensor>(y_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let channels = unsafe { held::<Tensor>(of_channels) };
    if mode != 1 || channels.size != [1, from.size[1], 1, 1] {
        return bad_parameter();
    }
    let four = [scale, bias, mean, variance].map(|at| channels.read(at));
    let [Some(scale), Some(bias), Some(mean), Some(variance)] = four else {
        return execution_failed();
    };
    apply((&from, x), (&to, y), (alpha, beta), |x, y| {
        from.walk(|n, c, h, w| {
            let of = |numbers: &[f32]| f64::from(numbers[usize::try_from(c).unwrap_or(0)]);
            let added = if fault::on("cudnn-epsilon-ignored") {
                0.0
            } else {
                epsilon
            };
            let normal =
                (f64::from(x[from.at(n, c, h, w)]) - of(&mean)) / (of(&variance) + added).sqrt();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the result is rounded once"
            )]
            let scaled = (of(&scale) * normal + of(&bias)) as f32;
            y[to.at(n, c, h, w)] = scaled;
        });
    })
}

/// # Safety
///
/// The descriptors are of their kinds, `alpha` and `beta` point to `float`, and the addresses are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnPoolingForward(
    _handle: *mut c_void,
    pooling: *mut c_void,
    alpha: *const f32,
    x_descriptor: *mut c_void,
    x: u64,
    beta: *const f32,
    y_descriptor: *mut c_void,
    y: u64,
) -> Status {
    // SAFETY: the caller's pointer is to a `float`.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller's pointer is to a `float`.
    let beta = unsafe { *beta };
    // SAFETY: the caller's descriptor is a pooling's.
    let how = unsafe { held::<Pooling>(pooling) };
    // SAFETY: the caller's descriptor is a tensor's.
    let from = unsafe { held::<Tensor>(x_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let to = unsafe { held::<Tensor>(y_descriptor) };
    apply((&from, x), (&to, y), (alpha, beta), |x, y| {
        to.walk(|n, c, h, w| {
            y[to.at(n, c, h, w)] = pooled(&how, &from, x, [n, c, h, w]);
        });
    })
}

/// # Safety
///
/// The descriptors are of their kinds, and the other pointers are to `int`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetPooling2dForwardOutputDim(
    pooling: *mut c_void,
    x: *mut c_void,
    n: *mut i32,
    c: *mut i32,
    h: *mut i32,
    w: *mut i32,
) -> Status {
    // SAFETY: the caller's descriptor is a pooling's.
    let how = unsafe { held::<Pooling>(pooling) };
    // SAFETY: the caller's descriptor is a tensor's.
    let from = unsafe { held::<Tensor>(x) };
    let steps = |axis: usize| {
        let free = from.size[axis + 2] + 2 * how.pad[axis] - how.window[axis];
        free.div_euclid(how.step[axis]) + 1
    };
    let ceiling = i64::from(fault::on("cudnn-pooling-rounds-up"));
    let sizes = [from.size[0], from.size[1], steps(0) + ceiling, steps(1)];
    for (place, size) in [n, c, h, w].into_iter().zip(sizes) {
        let Ok(size) = i32::try_from(size) else {
            return bad_parameter();
        };
        // SAFETY: the caller's pointer is to an `int`.
        unsafe { place.write(size) };
    }
    SUCCESS
}

fn pooled(how: &Pooling, from: &Tensor, x: &[f32], [n, c, h, w]: [i64; 4]) -> f32 {
    let rows = h * how.step[0] - how.pad[0]..h * how.step[0] - how.pad[0] + how.window[0];
    let columns = w * how.step[1] - how.pad[1]..w * how.step[1] - how.pad[1] + how.window[1];
    let mut seen = Vec::new();
    let mut padding = 0;
    for row in rows {
        for column in columns.clone() {
            let inside = (0..from.size[2]).contains(&row) && (0..from.size[3]).contains(&column);
            if inside {
                seen.push(x[from.at(n, c, row, column)]);
            } else {
                padding += 1;
            }
        }
    }
    let sum: f32 = seen.iter().sum();
    let average = |count: usize| sum / u16::try_from(count).map_or(f32::NAN, f32::from);
    match how.mode {
        0 => {
            if fault::on("cudnn-maximum-counts-padding") && padding > 0 {
                seen.push(0.0);
            }
            seen.into_iter().fold(f32::NEG_INFINITY, f32::max)
        }
        1 => average(seen.len() + padding),
        _ if fault::on("cudnn-average-counts-padding") => average(seen.len() + padding),
        _ => average(seen.len()),
    }
}

/// # Safety
///
/// The descriptors are of their kinds, `alpha` and `beta` point to `float`, and the addresses are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnActivationForward(
    _handle: *mut c_void,
    activation: *mut c_void,
    alpha: *const f32,
    x_descriptor: *mut c_void,
    x: u64,
    beta: *const f32,
    y_descriptor: *mut c_void,
    y: u64,
) -> Status {
    // SAFETY: the caller's pointer is to a `float`.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller's pointer is to a `float`.
    let beta = unsafe { *beta };
    // SAFETY: the caller's descriptor is an activation's.
    let how = unsafe { held::<Activation>(activation) };
    // SAFETY: the caller's descriptor is a tensor's.
    let from = unsafe { held::<Tensor>(x_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let to = unsafe { held::<Tensor>(y_descriptor) };
    let clips = how.mode == 3 && !fault::on("cudnn-clip-ignored");
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the documentation takes a double for a float"
    )]
    let highest = if clips {
        how.coefficient as f32
    } else {
        f32::INFINITY
    };
    apply((&from, x), (&to, y), (alpha, beta), |x, y| {
        from.walk(|n, c, h, w| {
            let value = x[from.at(n, c, h, w)];
            let positive = if value > 0.0 { value } else { 0.0 };
            y[to.at(n, c, h, w)] = if positive > highest {
                highest
            } else {
                positive
            };
        });
    })
}
