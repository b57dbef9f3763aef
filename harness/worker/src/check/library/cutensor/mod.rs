//! cuTENSOR 2: contractions, permutations, reductions, and element-wise operations of tensors.

mod contraction;
mod elementwise;
mod ffi;
mod operation;
mod reduction;
mod tensor;

use cudacheck_model::library::Part;

use super::{Checks, Named, Opened, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::Cutensor;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("contraction-f32", contraction::f32_exact),
        ("contraction-f32-jit", contraction::f32_jit),
        ("contraction-f32-real", contraction::f32_real),
        ("contraction-f64", contraction::f64_exact),
        ("contraction-f16", contraction::f16_exact),
        ("permutation-f32", elementwise::permutation_f32),
        ("permutation-f16", elementwise::permutation_f16),
        ("reduction-sum-f32", reduction::sum_f32),
        ("reduction-max-f64", reduction::max_f64),
        ("elementwise-f32", elementwise::binary_f32),
        ("elementwise-trinary-f32", elementwise::trinary_f32),
    ],
    explain,
};

/// `cutensorCreate` asks the driver for the device. Without one its answer is `CUTENSOR_STATUS_CUDA_ERROR`.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cutensor::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(handle))?;
    }
    Ok(())
}

/// The SONAME's major version, the library's, and that of the CUDA runtime against the cuBLASLt that it is linked to.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cutensor::new(&opened.library);
    let version = opened.value(api.version())?;
    let (major, minor, patch) = (version / 10000, version / 100 % 100, version % 100);
    opened.note("version", format!("{major}.{minor}.{patch}"));
    let cudart = opened.value(api.cudart_version())?;
    let (cuda, cuda_minor) = (cudart / 1000, cudart % 1000 / 10);
    opened.note("cudart-version", format!("{cuda}.{cuda_minor}"));
    let soname = &opened.subject.soname;
    if !soname.ends_with(&format!(".so.{major}")) {
        return Err(opened.skew(
            format!("{soname} is of the major version that its name says"),
            format!("cutensorGetVersion says {major}.{minor}.{patch}"),
        ));
    }
    let linked = opened.subject.parts.iter().find_map(blas_major);
    if let Some(blas) = linked.filter(|blas| *blas != cuda) {
        return Err(opened.skew(
            format!("cuTENSOR is built with the CUDA {blas} of libcublasLt.so.{blas}, which it is linked to"),
            format!("cutensorGetCudartVersion says {cuda}.{cuda_minor}"),
        ));
    }
    Ok(())
}

/// The number in `libcublasLt.so.12`.
fn blas_major(part: &Part) -> Option<usize> {
    part.name.strip_prefix("libcublasLt.so.")?.parse().ok()
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let name = match status.0 {
        1 => "CUTENSOR_STATUS_NOT_INITIALIZED",
        3 => "CUTENSOR_STATUS_ALLOC_FAILED",
        7 => "CUTENSOR_STATUS_INVALID_VALUE",
        8 => "CUTENSOR_STATUS_ARCH_MISMATCH",
        11 => "CUTENSOR_STATUS_MAPPING_ERROR",
        13 => "CUTENSOR_STATUS_EXECUTION_FAILED",
        14 => "CUTENSOR_STATUS_INTERNAL_ERROR",
        15 => "CUTENSOR_STATUS_NOT_SUPPORTED",
        16 => "CUTENSOR_STATUS_LICENSE_ERROR",
        17 => "CUTENSOR_STATUS_CUBLAS_ERROR",
        18 => "CUTENSOR_STATUS_CUDA_ERROR",
        19 => "CUTENSOR_STATUS_INSUFFICIENT_WORKSPACE",
        20 => "CUTENSOR_STATUS_INSUFFICIENT_DRIVER",
        21 => "CUTENSOR_STATUS_IO_ERROR",
        _ => "",
    };
    let text = Cutensor::new(library).error_text(status).value;
    let text = text.map(|words| words.text()).unwrap_or_default();
    Named {
        name: name.to_owned(),
        text: if text == name { String::new() } else { text },
        log: String::new(),
    }
}
