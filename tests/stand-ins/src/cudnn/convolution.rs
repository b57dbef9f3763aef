//! `cudnnConvolutionForward`, as seven nested loops.

use std::ffi::c_void;

use super::descriptor::{Convolution, held};
use super::tensor::{Kind, Tensor};
use super::{SUCCESS, Status, bad_parameter, execution_failed, failed};
use crate::{fault, memory};

/// Bytes that the algorithm with indices asks for.
const WORKSPACE: usize = 1000;

/// How far a filter reaches over an image, and how often it fits.
fn fits(image: i64, filter: i64, pad: i64, step: i64, dilation: i64) -> i64 {
    let reach = dilation * (filter - 1) + 1;
    (image + pad + pad - reach).div_euclid(step) + 1
}

pub(super) fn result_size(x: &Tensor, w: &Tensor, how: &Convolution) -> [i64; 4] {
    [
        x.size[0],
        w.size[0],
        fits(
            x.size[2],
            w.size[2],
            how.pad[0],
            how.step[0],
            how.dilation[0],
        ),
        fits(
            x.size[3],
            w.size[3],
            how.pad[1],
            how.step[1],
            how.dilation[1],
        ),
    ]
}

/// # Safety
///
/// The descriptors are of their kinds, and the pointers to `int`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetConvolution2dForwardOutputDim(
    convolution: *mut c_void,
    x: *mut c_void,
    w: *mut c_void,
    n: *mut i32,
    c: *mut i32,
    h: *mut i32,
    width: *mut i32,
) -> Status {
    // SAFETY: the caller's descriptor is a convolution's.
    let how = unsafe { held::<Convolution>(convolution) };
    // SAFETY: the caller's descriptor is a tensor's.
    let x = unsafe { held::<Tensor>(x) };
    // SAFETY: the caller's descriptor is a filter's.
    let w = unsafe { held::<Tensor>(w) };
    for (place, size) in [n, c, h, width].into_iter().zip(result_size(&x, &w, &how)) {
        let Ok(size) = i32::try_from(size) else {
            return bad_parameter();
        };
        // SAFETY: the caller's pointer is to an `int`.
        unsafe { place.write(size) };
    }
    SUCCESS
}

/// # Safety
///
/// `size` points to a `size_t`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetConvolutionForwardWorkspaceSize(
    _handle: *mut c_void,
    _x: *mut c_void,
    _w: *mut c_void,
    _convolution: *mut c_void,
    _y: *mut c_void,
    algorithm: i32,
    size: *mut usize,
) -> Status {
    let bytes = if algorithm == 1 { WORKSPACE } else { 0 };
    // SAFETY: the caller's pointer is to a `size_t`.
    unsafe { size.write(bytes) };
    SUCCESS
}

/// # Safety
///
/// The descriptors are of their kinds, `alpha` and `beta` point to `float`, and the addresses are the device's.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnConvolutionForward(
    _handle: *mut c_void,
    alpha: *const f32,
    x_descriptor: *mut c_void,
    x: u64,
    w_descriptor: *mut c_void,
    w: u64,
    convolution: *mut c_void,
    algorithm: i32,
    workspace: u64,
    workspace_size: usize,
    beta: *const f32,
    y_descriptor: *mut c_void,
    y: u64,
) -> Status {
    if fault::no_code("cudnn") {
        return failed(execution_failed(), "cudaErrorNoKernelImageForDevice");
    }
    // SAFETY: the caller's pointer is to a `float`.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller's pointer is to a `float`.
    let beta = unsafe { *beta };
    // SAFETY: the caller's descriptor is a convolution's.
    let how = unsafe { held::<Convolution>(convolution) };
    // SAFETY: the caller's descriptor is a tensor's.
    let images = unsafe { held::<Tensor>(x_descriptor) };
    // SAFETY: the caller's descriptor is a filter's.
    let filters = unsafe { held::<Tensor>(w_descriptor) };
    // SAFETY: the caller's descriptor is a tensor's.
    let results = unsafe { held::<Tensor>(y_descriptor) };
    if results.size != result_size(&images, &filters, &how) {
        return bad_parameter();
    }
    if algorithm == 1 {
        if workspace_size < WORKSPACE {
            return bad_parameter();
        }
        let overrun = usize::from(fault::on("cudnn-workspace-overrun")) * 8;
        if memory::write(workspace, &vec![0_u8; WORKSPACE + overrun]).is_none() {
            return execution_failed();
        }
    }
    let call = Call {
        alpha,
        beta,
        how,
        algorithm,
    };
    match call.run((&images, x), (&filters, w), (&results, y)) {
        Some(()) => SUCCESS,
        None => execution_failed(),
    }
}

struct Call {
    alpha: f32,
    beta: f32,
    how: Convolution,
    algorithm: i32,
}

impl Call {
    fn run(&self, x: (&Tensor, u64), w: (&Tensor, u64), y: (&Tensor, u64)) -> Option<()> {
        let (results, place) = y;
        let mut how = self.how;
        if fault::on("cudnn-dilation-ignored") {
            how.dilation = [1, 1];
        }
        let mut images = x.0.read(x.1)?;
        let mut filters = w.0.read(w.1)?;
        let mut filter_layout = *w.0;
        if fault::on("cudnn-tf32") && x.0.kind == Kind::Float {
            for value in images.iter_mut().chain(&mut filters) {
                *value = f32::from_bits(value.to_bits() & !0x1FFF);
            }
        }
        if fault::on("cudnn-filter-taken-for-nchw") && x.0.kind == Kind::Brain {
            let packed = Tensor::new(9, 0, filter_layout.size)?;
            filter_layout = packed;
        }
        let sums = forward((x.0, &images), (&filter_layout, &filters), results, &how);
        let mut left = results.read(place)?;
        let alpha = if fault::on("cudnn-alpha-ignored") {
            1.0
        } else {
            self.alpha
        };
        let beta = if fault::on("cudnn-beta-ignored") {
            0.0
        } else {
            self.beta
        };
        let mut index = 0;
        results.walk(|n, k, h, w| {
            let at = results.at(n, k, h, w);
            let before = if beta == 0.0 { 0.0 } else { beta * left[at] };
            if !self.skips(results, [n, k, h, w]) {
                left[at] = self.rounded(results, alpha * sums[index] + before, index);
            }
            index += 1;
        });
        if fault::on("cudnn-gap-written") && results.has_gaps() {
            let end_of_row = results.at(0, 0, 0, results.size[3] - 1) + 1;
            left[end_of_row] = 0.0;
        }
        results.write(place, &left)?;
        if fault::on("cudnn-operand-overwritten") {
            images[3] += 1.0;
            x.0.write(x.1, &images)?;
        }
        Some(())
    }

    /// Whether this is the kernel for the common case, without any extra.
    fn is_plain(&self, results: &Tensor) -> bool {
        let how = self.how;
        let bare = how.dilation == [1, 1] && how.groups == 1 && self.beta == 0.0;
        bare && self.algorithm == 0 && !results.has_gaps()
    }

    /// Whether a faulty kernel leaves an element out.
    fn skips(&self, results: &Tensor, [n, _, h, _]: [i64; 4]) -> bool {
        let last = n == results.size[0] - 1 && h == results.size[2] - 1;
        let precomputed = self.algorithm == 1 && self.how.math == 3;
        let tail = fault::on("cudnn-precomputed-tail-unwritten") && precomputed;
        let half = results.kind == Kind::Half && results.channels_last();
        let tile = fault::on("cudnn-nhwc-tile-unwritten") && half;
        last && (tail || tile)
    }

    /// An element as it is left, with whatever a faulty kernel makes of it.
    fn rounded(&self, results: &Tensor, value: f32, index: usize) -> f32 {
        let flipped = |bit: u32| f32::from_bits(value.to_bits() ^ (1 << bit));
        if fault::on("cudnn-last-bit-wrong") && self.is_plain(results) && index == 77 {
            return flipped(0);
        }
        if fault::on("cudnn-half-element-wrong")
            && results.kind == Kind::Half
            && !results.channels_last()
            && index == 77
        {
            return value + 1.0;
        }
        if fault::on("cudnn-truncated") && results.kind == Kind::Brain && !results.channels_last() {
            return f32::from_bits(value.to_bits() & 0xFFFF_0000);
        }
        value
    }
}

/// The sums of products, in the order of [`Tensor::walk`].
pub(super) fn forward(
    (images, x): (&Tensor, &[f32]),
    (filters, w): (&Tensor, &[f32]),
    results: &Tensor,
    how: &Convolution,
) -> Vec<f32> {
    let [outputs, depth, filter_rows, filter_columns] = filters.size;
    let per_group = outputs / how.groups;
    let mixed = fault::on("cudnn-groups-mixed");
    let mut sums = Vec::new();
    results.walk(|n, k, h, wide| {
        let group = if mixed { 0 } else { k / per_group };
        let top = h * how.step[0] - how.pad[0];
        let left = wide * how.step[1] - how.pad[1];
        let mut sum = 0.0_f32;
        for c in 0..depth {
            for r in 0..filter_rows {
                let row = top + r * how.dilation[0];
                if !(0..images.size[2]).contains(&row) {
                    continue;
                }
                for s in 0..filter_columns {
                    let column = left + s * how.dilation[1];
                    if (0..images.size[3]).contains(&column) {
                        let from = images.at(n, group * depth + c, row, column);
                        sum += x[from] * w[filters.at(k, c, r, s)];
                    }
                }
            }
        }
        sums.push(sum);
    });
    sums
}
