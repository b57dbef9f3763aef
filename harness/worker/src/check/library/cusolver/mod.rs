//! cuSOLVER: factorisations whose factors are known exactly, and real ones whose factors must multiply to what they
//! came from.

mod cholesky;
mod ffi;
mod lu;
mod matrices;
mod parts;
mod placed;
mod precision;
mod wide;

use super::bench::Bench;
use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::Cusolver;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("lu-f64", lu::exact::<f64>),
        ("lu-f32", lu::exact::<f32>),
        ("lu-64-bit", wide::exact),
        ("lu-real-f64", lu::real_f64),
        ("lu-real-f32", lu::real_f32),
        ("cholesky-f64", cholesky::exact::<f64>),
        ("cholesky-f32", cholesky::exact::<f32>),
        ("info", cholesky::info),
    ],
    explain,
};

/// `cusolverDnCreate` opens the driver, and makes a handle of cuBLAS. Without a driver its answer is 1.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cusolver::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    Ok(())
}

/// The version comes from two functions, which are of one library and so must agree. The versions of what it is linked
/// with are told as well.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cusolver::new(&opened.library);
    let mut whole = 0;
    opened.ok(api.version(&mut whole))?;
    let mut numbers = [0; 3];
    for (property, number) in (0..).zip(&mut numbers) {
        opened.ok(api.property(property, number))?;
    }
    let [major, minor, patch] = numbers;
    opened.note("version", format!("{major}.{minor}.{patch}"));
    parts::tell(opened);
    if whole != major * 1000 + minor * 100 + patch {
        return Err(opened.skew(
            format!(
                "`cusolverGetVersion` says what `cusolverGetProperty` says: {major}.{minor}.{patch}"
            ),
            format!("it says {whole}"),
        ));
    }
    if !opened.subject.soname.ends_with(&format!(".so.{major}")) {
        return Err(opened.skew(
            format!("{} is of the version in its name", opened.subject.soname),
            format!("it says that it is {major}.{minor}.{patch}"),
        ));
    }
    Ok(())
}

/// A handle, and the end of setting up.
fn handle(opened: &Opened<'_>, bench: &Bench<'_>) -> Result<Handle, Stop> {
    let api = Cusolver::new(&opened.library);
    let mut handle = Handle::NULL;
    opened.ok(api.create(&mut handle))?;
    bench.computes();
    Ok(handle)
}

/// The names in `cusolver_common.h`; the library has no strings of its own.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let (name, text) = match status.0 {
        1 => (
            "CUSOLVER_STATUS_NOT_INITIALIZED",
            "the library could not be initialized: no driver, no device, or cuBLAS or cuSPARSE could not be",
        ),
        2 => ("CUSOLVER_STATUS_ALLOC_FAILED", "memory could not be had"),
        3 => ("CUSOLVER_STATUS_INVALID_VALUE", "a parameter is not valid"),
        4 => (
            "CUSOLVER_STATUS_ARCH_MISMATCH",
            "the device's architecture is not supported",
        ),
        5 => (
            "CUSOLVER_STATUS_MAPPING_ERROR",
            "memory could not be mapped",
        ),
        6 => (
            "CUSOLVER_STATUS_EXECUTION_FAILED",
            "a kernel could not be launched",
        ),
        7 => (
            "CUSOLVER_STATUS_INTERNAL_ERROR",
            "internal error of the library",
        ),
        8 => (
            "CUSOLVER_STATUS_MATRIX_TYPE_NOT_SUPPORTED",
            "the type of matrix is not supported",
        ),
        9 => (
            "CUSOLVER_STATUS_NOT_SUPPORTED",
            "not supported for these parameters",
        ),
        10 => ("CUSOLVER_STATUS_ZERO_PIVOT", "a pivot is zero"),
        11 => ("CUSOLVER_STATUS_INVALID_LICENSE", "license error"),
        31 => (
            "CUSOLVER_STATUS_INVALID_WORKSPACE",
            "the workspace is not valid",
        ),
        _ => ("", ""),
    };
    Named {
        name: name.to_owned(),
        text: text.to_owned(),
        log: String::new(),
    }
}
