//! cuBLASLt: matrix products by descriptors, where the library offers several algorithms and each must be right.

mod ffi;
mod matmul;
mod place;
mod products;

use super::cublas::ffi::Property;
use super::cublas::release;
use super::cublas::{Release, named};
use super::{Checks, Named, Opened, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::CublasLt;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("matmul-f32", products::f32),
        ("matmul-f32-precision", products::f32_precision),
        ("matmul-f64", products::f64),
        ("matmul-f16", products::f16),
        ("matmul-bf16", products::bf16),
        ("matmul-s8", products::s8),
        ("matmul-bias", products::bias),
        ("matmul-relu-bias", products::relu_bias),
        ("matmul-strided-batched", products::strided_batched),
        ("matmul-without-workspace", products::without_workspace),
    ],
    explain,
};

/// A handle is what makes the library look for the driver. Without one the status is 1, which is an answer.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = CublasLt::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(handle))?;
    }
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let api = CublasLt::new(&opened.library);
    let version = opened.value(api.version())?;
    let release = Release::of_number(i32::try_from(version).unwrap_or(0));
    opened.note("version", release.to_string());
    let mut parts = [0; 3];
    for (property, part) in [Property::MAJOR, Property::MINOR, Property::PATCH]
        .into_iter()
        .zip(&mut parts)
    {
        opened.ok(api.property(property, part))?;
    }
    let property = Release::of_parts(parts);
    let runtime = opened.value(api.cudart_version())?;
    opened.note("cudart-version", release::runtime(runtime));
    let soname = &opened.subject.soname;
    if Some(release.major()) != release::of_soname(soname) {
        return Err(opened.skew(
            format!("{soname} is of the major version in its name"),
            format!("it says that it is cuBLASLt {release}"),
        ));
    }
    if property != release {
        return Err(opened.skew(
            format!("cublasLtGetProperty says {release}, as cublasLtGetVersion does"),
            format!("it says {property}"),
        ));
    }
    if Some(runtime / 1000) != release::cuda(release) {
        return Err(opened.skew(
            format!("cuBLASLt {release} is built on a CUDA runtime of its own major version"),
            format!("it is built on {}", release::runtime(runtime)),
        ));
    }
    Ok(())
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = CublasLt::new(library);
    named(status, api.status_name(status), api.status_text(status))
}
