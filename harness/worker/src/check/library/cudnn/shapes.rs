//! What descriptors remember, and which shapes cuDNN derives from them. No device is needed for that, but the parts of
//! the library that convolve and pool.

use cudacheck_model::journal::CheckResult;
use cudacheck_model::outcome::SkipReason;

use super::super::{Opened, Stop, Verdict};
use super::ffi::{ConvolutionMode, Cudnn, DataType, Format, NanPropagation, PoolingMode};
use super::parts::{self, Release};
use super::reference::{Arrangement, Geometry, Layout, output};
use super::session::{equal, numbers};
use crate::library::{Called, Handle, Status};

/// Images, channels, rows, columns; nothing divides anything.
const X: [usize; 4] = [3, 10, 19, 17];
/// Outputs, channels of a group, rows, columns.
const W: [usize; 4] = [14, 5, 3, 2];
const GEOMETRY: Geometry = Geometry {
    padding: [2, 1],
    stride: [2, 3],
    dilation: [3, 2],
    groups: 2,
};

/// A tensor with channels last and one with gaps, and the results of a convolution with everything and of a pooling.
pub(super) fn descriptors(opened: &Opened<'_>) -> Verdict {
    if parts::only_jit(opened.subject) {
        let what = "layers outside of graphs, by the configuration that compiles everything";
        return Err(opened.not_supported(what));
    }
    let api = Cudnn::new(&opened.library);
    let release = Release::reported(opened.value(api.version())?);
    if parts::needs_driver(opened, release) {
        let because = format!("cuDNN {release} loads its parts only with a driver");
        return Err(Box::new(CheckResult::Skip {
            reason: SkipReason::NoDevice { because },
        }));
    }
    let tensor = made(opened, |it| api.create_tensor(it))?;
    remembered(opened, tensor)?;

    let [n, c, h, w] = numbers(X);
    opened.ok(api.set_tensor(tensor, Format::NCHW, DataType::FLOAT, n, c, h, w))?;
    let filter = made(opened, |it| api.create_filter(it))?;
    let [k, c, h, w] = numbers(W);
    opened.ok(api.set_filter(filter, DataType::FLOAT, Format::NCHW, k, c, h, w))?;
    let convolution = made(opened, |it| api.create_convolution(it))?;
    let [ph, pw] = numbers(GEOMETRY.padding);
    let [sh, sw] = numbers(GEOMETRY.stride);
    let [dh, dw] = numbers(GEOMETRY.dilation);
    let [groups] = numbers([GEOMETRY.groups]);
    let (mode, compute) = (ConvolutionMode::CROSS_CORRELATION, DataType::FLOAT);
    opened.ok(api.set_convolution(convolution, ph, pw, sh, sw, dh, dw, mode, compute))?;
    opened.ok(api.set_groups(convolution, groups))?;
    let mut told = [0; 4];
    let [n, c, h, w] = &mut told;
    opened.ok(api.convolution_output(convolution, tensor, filter, n, c, h, w))?;
    let expected = numbers(output(X, W, &GEOMETRY));
    equal("the extents of a convolution", expected, told)?;

    let pooling = made(opened, |it| api.create_pooling(it))?;
    let (mode, nan) = (PoolingMode::MAX, NanPropagation::PROPAGATE);
    opened.ok(api.set_pooling(pooling, mode, nan, 4, 2, ph, pw, sh, sw))?;
    let windows = Geometry {
        dilation: [1, 1],
        ..GEOMETRY
    };
    let [rows, columns] = windows.positions([X[2], X[3]], [4, 2]);
    let mut told = [0; 4];
    let [n, c, h, w] = &mut told;
    opened.ok(api.pooling_output(pooling, tensor, n, c, h, w))?;
    let expected = numbers([X[0], X[1], rows, columns]);
    equal("the extents of a pooling", expected, told)?;

    opened.ok(api.destroy_pooling(pooling))?;
    opened.ok(api.destroy_convolution(convolution))?;
    opened.ok(api.destroy_filter(filter))?;
    opened.ok(api.destroy_tensor(tensor))
}

fn made(
    opened: &Opened<'_>,
    create: impl Fn(&mut Handle) -> Called<Status>,
) -> Result<Handle, Stop> {
    let mut descriptor = Handle::NULL;
    opened.ok(create(&mut descriptor))?;
    Ok(descriptor)
}

/// Sets a tensor in two ways, and reads back each.
fn remembered(opened: &Opened<'_>, tensor: Handle) -> Verdict {
    let api = Cudnn::new(&opened.library);
    let [n, c, h, w] = numbers(X);
    for arrangement in [Arrangement::Nhwc, Arrangement::Gapped] {
        let layout = Layout::new(arrangement, X);
        let [sn, sc, sh, sw] = numbers(layout.strides);
        let set = match arrangement {
            Arrangement::Nchw | Arrangement::Nhwc => {
                api.set_tensor(tensor, Format::NHWC, DataType::HALF, n, c, h, w)
            }
            Arrangement::Gapped => {
                api.set_tensor_strides(tensor, DataType::HALF, n, c, h, w, sn, sc, sh, sw)
            }
        };
        opened.ok(set)?;
        let mut told = [0; 9];
        let [kind, tn, tc, th, tw, tsn, tsc, tsh, tsw] = &mut told;
        opened.ok(api.tensor(tensor, kind, tn, tc, th, tw, tsn, tsc, tsh, tsw))?;
        let expected = [DataType::HALF.0, n, c, h, w, sn, sc, sh, sw];
        equal("type, extents, and strides of a tensor", expected, told)?;
    }
    Ok(())
}
