//! Image and signal processing: one function of each of its libraries, since each brings code of its own.
//!
//! NPP is a set of libraries in one directory with `libnppc` as their common part, so the others are looked for beside
//! it. Only functions that are given their stream's context are called; the others are gone with NPP 13.

mod call;
mod ffi;
pub(super) mod image;
mod operations;
mod pixels;

use cudacheck_model::journal::CheckResult;

use super::opened::load;
use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::Core;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("add-saturating", operations::add_saturating),
        ("resize-nearest", operations::resize_nearest),
        ("filter-3x3", operations::filter_3x3),
        ("sum", operations::sum),
        ("transpose", pixels::transpose),
        ("dilate-3x3", pixels::dilate_3x3),
        ("threshold", pixels::threshold),
        ("rgb-to-gray", pixels::rgb_to_gray),
        ("signal-add", pixels::signal_add),
    ],
    explain,
};

/// The libraries that are NPP together with `libnppc`.
const SIBLINGS: [&str; 10] = [
    "libnppial",
    "libnppicc",
    "libnppidei",
    "libnppif",
    "libnppig",
    "libnppim",
    "libnppist",
    "libnppisu",
    "libnppitc",
    "libnpps",
];

/// Opens every other library of NPP that is there, with all its functions looked up. None of them asks for the driver
/// before it computes.
fn cold(opened: &Opened<'_>) -> Verdict {
    for stem in SIBLINGS {
        match sibling(opened, stem) {
            Ok(_) => {}
            Err(stop) if matches!(*stop, CheckResult::Skip { .. }) => {
                opened.note("not-there", stem);
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let told = opened.value(Core::new(&opened.library).version())?;
    let Some([major, minor, build]) = told.parts() else {
        return Err(opened.skew("NPP tells its version", "it tells none"));
    };
    let version = format!("{major}.{minor}.{build}");
    opened.note("version", version.as_str());
    let soname = &opened.subject.soname;
    if *soname != format!("libnppc.so.{major}") {
        return Err(opened.skew(
            format!("{soname} is of the major version of its name"),
            format!("it says that it is NPP {version}"),
        ));
    }
    Ok(())
}

/// Another library of NPP, from the directory of `libnppc`.
fn sibling(opened: &Opened<'_>, stem: &str) -> Result<SharedLibrary, Stop> {
    let version = opened.subject.soname.trim_start_matches("libnppc");
    let name = format!("{stem}{version}");
    // A link with the SONAME is beside the file in every package; the file itself may have a longer name.
    let path = opened.subject.path.with_file_name(&name);
    if !path.exists() {
        return Err(opened.not_supported(format!(
            "{name} is not beside {}",
            opened.subject.path.display()
        )));
    }
    load(&path).map_err(|reason| {
        Box::new(CheckResult::Unloadable {
            library: path.display().to_string(),
            reason,
        })
    })
}

/// The library has no function for it, so these are the names of its headers. NPP 13 has renumbered some.
fn explain(library: &SharedLibrary, status: Status) -> Named {
    let version = Core::new(library).version().value;
    let major = version.and_then(|it| it.parts()).map(|[major, ..]| major);
    let name = match (major, status.0) {
        (_, -1031) => "NPP_INVALID_DEVICE_POINTER_ERROR",
        (_, -1027) => "NPP_NOT_SUFFICIENT_COMPUTE_CAPABILITY",
        (_, -1002) => "NPP_ALIGNMENT_ERROR",
        (_, -1000) => "NPP_CUDA_KERNEL_EXECUTION_ERROR",
        (_, -215) => "NPP_STREAM_CTX_ERROR",
        (_, -108) => "NPP_NOT_EVEN_STEP_ERROR",
        (Some(13), -24) | (Some(11 | 12), -23) => "NPP_RESIZE_FACTOR_ERROR",
        (Some(13), -23) | (Some(11 | 12), -22) => "NPP_INTERPOLATION_ERROR",
        (Some(13), -16) | (Some(11 | 12), -14) => "NPP_STEP_ERROR",
        (Some(13), -14) => "NPP_NOT_SUPPORTED_MODE_ERROR",
        (_, -10) => "NPP_DIVIDE_BY_ZERO_ERROR",
        (_, -9) => "NPP_MEMORY_ALLOCATION_ERR",
        (_, -8) => "NPP_NULL_POINTER_ERROR",
        (_, -7) => "NPP_RANGE_ERROR",
        (_, -6) => "NPP_SIZE_ERROR",
        (_, -5) => "NPP_BAD_ARGUMENT_ERROR",
        (_, -4) => "NPP_NO_MEMORY_ERROR",
        (_, -3) => "NPP_NOT_IMPLEMENTED_ERROR",
        (_, -2) => "NPP_ERROR",
        (_, 1) => "NPP_NO_OPERATION_WARNING",
        (_, 29) => "NPP_WRONG_INTERSECTION_ROI_WARNING",
        (_, 35) => "NPP_DOUBLE_SIZE_WARNING",
        (_, 10000) => "NPP_MISALIGNED_DST_ROI_WARNING",
        _ => "",
    };
    Named {
        name: name.to_owned(),
        ..Named::default()
    }
}
