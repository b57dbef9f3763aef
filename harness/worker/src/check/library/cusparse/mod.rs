//! cuSPARSE: products of sparse matrices through the generic interface, with integers to the last bit.

mod dense;
mod described;
mod ffi;
mod sparse;
mod vector;

use super::bench::Bench;
use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{Called, Handle, SharedLibrary, Status, Words};
use ffi::Cusparse;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("spmv-csr", vector::csr),
        ("spmv-csr-f64", vector::csr_f64),
        ("spmv-csr-transposed", vector::transposed),
        ("spmv-csr-base-one", vector::base_one),
        ("spmv-coo", vector::coo),
        ("spmv-csr-real", vector::real),
        ("spmm-csr", dense::csr),
        ("spmm-csr-transposed", dense::transposed),
        ("spmm-csr-rows", dense::rows),
        ("spmm-coo", dense::coo),
    ],
    explain,
};

/// `cusparseCreate` opens the driver. Without one its answer is 1.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cusparse::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    Ok(())
}

/// The version, and that its major number is the SONAME's. CUDA 13 has a cuSPARSE 12.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cusparse::new(&opened.library);
    let mut parts = [0; 3];
    for (property, part) in (0..).zip(&mut parts) {
        opened.ok(api.property(property, part))?;
    }
    let [major, minor, patch] = parts;
    opened.note("version", format!("{major}.{minor}.{patch}"));
    if !opened.subject.soname.ends_with(&format!(".so.{major}")) {
        return Err(opened.skew(
            format!("{} is of the version in its name", opened.subject.soname),
            format!("it says that it is {major}.{minor}.{patch}"),
        ));
    }
    Ok(())
}

/// A handle. It is the end of setting up.
fn handle(opened: &Opened<'_>, bench: &Bench<'_>) -> Result<Handle, Stop> {
    let api = Cusparse::new(&opened.library);
    let mut handle = Handle::NULL;
    opened.ok(api.create(&mut handle))?;
    bench.computes();
    Ok(handle)
}

/// The library's own words.
fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = Cusparse::new(library);
    let text = |called: Called<Words>| called.value.map(Words::text).unwrap_or_default();
    Named {
        name: text(api.error_name(status)),
        text: text(api.error_text(status)),
        log: String::new(),
    }
}
