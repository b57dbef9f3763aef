//! cuDNN 8 and 9: one library that passes every call on to parts which it opens by name, engines that it compiles at
//! run time, and two generations of functions for the same layers.

mod convolution;
mod ffi;
mod graph;
mod layers;
mod parts;
mod reference;
mod session;
mod shapes;
mod versions;

use cudacheck_model::journal::CheckResult;
use cudacheck_model::version::ComputeCapability;

use super::{Bench, Checks, Named, Opened, Verdict};
use crate::library::{Handle, Out, SharedLibrary, Status};
use ffi::Cudnn;
use session::Session;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions::agree),
    host: &[
        ("descriptors", shapes::descriptors),
        ("graph-planned", graph::planned),
    ],
    device: &[
        ("handle", handle),
        ("convolution-f32", convolution::f32),
        ("convolution-f32-precomputed", convolution::f32_precomputed),
        ("convolution-f32-dilated", convolution::f32_dilated),
        ("convolution-f32-grouped", convolution::f32_grouped),
        ("convolution-f32-accumulated", convolution::f32_accumulated),
        ("convolution-f32-gapped", convolution::f32_gapped),
        ("convolution-f32-strict", convolution::f32_strict),
        ("convolution-f16", convolution::f16),
        ("convolution-f16-nhwc", convolution::f16_nhwc),
        ("convolution-bf16", convolution::bf16),
        ("convolution-bf16-nhwc", convolution::bf16_nhwc),
        ("softmax", layers::softmax),
        ("batch-normalization", layers::batch_normalization),
        ("pooling-max", layers::pooling_max),
        ("pooling-average", layers::pooling_average),
        ("relu", layers::relu),
        ("graph-convolution", graph::convolution),
        ("graph-convolution-fallback", graph::convolution_fallback),
        ("graph-fused-runtime", graph::fused_runtime),
    ],
    explain,
};

/// `cudnnCreate` looks for the driver, and for the parts that all handles need. Without a device it fails, as it must.
fn cold(opened: &Opened<'_>) -> Verdict {
    parts::all_there(opened)?;
    let api = Cudnn::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(handle))?;
    } else {
        opened.note("create-says", last_error(&opened.library));
    }
    parts::each_opens(opened)
}

/// `cudaStreamPerThread` of `driver_types.h`: a stream that need not be created.
const STREAM_PER_THREAD: usize = 2;

/// Two handles at once, one of them with a stream.
fn handle(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let first = Session::open(opened)?;
    let second = Session::open(opened)?;
    let api = first.api;
    bench.computes();
    opened.ok(api.set_stream(second.handle, STREAM_PER_THREAD))?;
    let mut streams = [usize::MAX; 2];
    let [of_first, of_second] = &mut streams;
    opened.ok(api.stream(first.handle, of_first))?;
    opened.ok(api.stream(second.handle, of_second))?;
    bench.compares();
    session::equal(
        "the streams of two handles",
        [0, STREAM_PER_THREAD],
        streams,
    )?;
    if let Some(newest) = versions::newest_capability(opened)
        && bench.capability() > newest
    {
        let note = format!("the device is {}: forward-compat JIT", bench.capability());
        opened.note("newer-device", note);
    }
    second.close()?;
    first.close()
}

/// The least capability with products of bf16.
const AMPERE: ComputeCapability = ComputeCapability::new(8, 0);

/// The least capability with tensor cores, for which the layouts and fusions of f16 are made.
const VOLTA: ComputeCapability = ComputeCapability::new(7, 0);

/// Makes a skip of a failure if the library says that it does not support this, and the device is older than those for
/// which `what` is made.
fn unless_older(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    (since, what): (ComputeCapability, &str),
    verdict: Verdict,
) -> Verdict {
    let here = bench.capability();
    verdict.map_err(|stop| {
        if let CheckResult::Library { code, .. } = &*stop
            && here < since
            && says_not_supported(Status(*code))
        {
            return opened.not_supported(format!("{what} on capability {here}"));
        }
        stop
    })
}

/// Whether a status says that the library cannot do this here: 9 of version 8; 3000 to 3999 of version 9, but for a
/// library that is missing, which is no trait of what was asked for.
fn says_not_supported(status: Status) -> bool {
    matches!(status, Status(9 | 3000..=3007 | 3010..=3999))
}

/// The name of a status, and what the library says of the last failure.
fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = Cudnn::new(library);
    let name = api.error_string(status).value;
    Named {
        name: name.map(|words| words.text()).unwrap_or_default(),
        text: last_error(library),
        log: String::new(),
    }
}

/// What failed last, in the words of version 9: mostly the condition that did not hold.
fn last_error(library: &SharedLibrary) -> String {
    let mut message = [0; 1024];
    let size = message.len();
    Cudnn::new(library).last_error(Out::from(&mut message), size);
    let text = message.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim().to_owned()
}
