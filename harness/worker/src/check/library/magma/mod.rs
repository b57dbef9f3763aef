//! MAGMA as a shared library: products by cuBLAS and by kernels of its own, and factorisations by processor and GPU.
//!
//! MAGMA starts its own kernels without asking whether they started. On a device that it has no code for, its results
//! are what lay there before, so every result lies on poison, or differs from what was given.

mod api;
mod factors;
mod ffi;
mod matrix;
mod product;
mod session;
mod systems;

use super::{Checks, Named, Opened, Verdict};
use crate::library::{SharedLibrary, Status};
use api::{Magma, Version};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("dgemm-cublas", product::by_cublas),
        ("magmablas-dgemm", product::own_f64),
        ("magmablas-sgemm", product::own_f32),
        ("dgetrf-gpu", factors::lu),
        ("dgetrs-gpu", factors::solve_exact),
        ("dpotrf-gpu", factors::cholesky),
        ("dgesv-gpu", factors::solve_real),
    ],
    explain,
};

/// `magma_init` counts the devices. Without a driver its answer is `MAGMA_ERR_UNKNOWN`.
fn cold(opened: &Opened<'_>) -> Verdict {
    let version = opened.value(Version::of(&opened.library))?;
    let magma = Magma::new(&opened.library, version);
    let status = opened.value(magma.init())?;
    opened.note("init-status", status.to_string());
    if status == 0 {
        opened.note("gpus-to-use", opened.value(magma.gpus())?.to_string());
        opened.value(magma.finalize())?;
    }
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let Version { numbers, bits } = opened.value(Version::of(&opened.library))?;
    let [major, minor, micro] = numbers;
    let version = format!("{major}.{minor}.{micro}");
    opened.note("version", version.as_str());
    let model = if bits == 32 { "LP64" } else { "ILP64" };
    opened.note("integers", format!("{bits} bits ({model})"));
    // MAGMA itself sets no version in its SONAME; distributions number it by the major version.
    if major != 2 {
        let soname = &opened.subject.soname;
        return Err(opened.skew(
            format!("{soname} is MAGMA 2"),
            format!("magma_version says {version}"),
        ));
    }
    Ok(())
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let name = match status.0 {
        -101 => "MAGMA_ERR_NOT_INITIALIZED",
        -103 => "MAGMA_ERR_NOT_SUPPORTED",
        -105 => "MAGMA_ERR_NOT_FOUND",
        -112 => "MAGMA_ERR_HOST_ALLOC",
        -113 => "MAGMA_ERR_DEVICE_ALLOC",
        -115 => "MAGMA_ERR_INVALID_PTR",
        -116 => "MAGMA_ERR_UNKNOWN",
        -117 => "MAGMA_ERR_NOT_IMPLEMENTED",
        -118 => "MAGMA_ERR_NAN",
        _ => "",
    };
    let version = Version::of(library).value;
    let words = version.and_then(|it| Magma::new(library, it).error_text(status.0).value);
    Named {
        name: name.to_owned(),
        text: words.map(|words| words.text()).unwrap_or_default(),
        log: String::new(),
    }
}
