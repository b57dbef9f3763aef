//! cuBLAS: dense linear algebra, with results that are known to the last bit.

mod batched;
pub(super) mod comparison;
mod dot;
pub(super) mod ffi;
mod gemm;
mod log;
pub(super) mod loss;
mod precision;
pub(super) mod product;
mod reals;
pub(super) mod release;
pub(super) mod status;
pub(super) mod trial;
mod trsm;
mod workspace;

use cudacheck_model::journal::{CheckResult, Stage};

use super::{Bench, Checks, Named, Opened, Stop, Verdict};
use crate::check::mapped;
use crate::library::{Called, Handle, SharedLibrary, Status, Words};
use ffi::{Cublas, MathMode, Property};

pub(super) use release::Release;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("gemm-f32", gemm::f32),
        ("gemm-f32-pedantic", gemm::f32_pedantic),
        ("gemm-f32-tiles", gemm::f32_tiles),
        ("gemm-f32-precision", precision::unasked),
        ("gemm-f32-tf32", precision::asked),
        ("gemm-f32-real", precision::real_f32),
        ("gemm-f64", gemm::f64),
        ("gemm-f64-real", precision::real_f64),
        ("gemm-f16", gemm::f16),
        ("gemm-f16-f32", gemm::f16_f32),
        ("gemm-bf16", gemm::bf16),
        ("gemm-s8", gemm::s8),
        ("gemm-strided-batched", batched::strided),
        ("gemm-batched", batched::pointers),
        ("trsm", trsm::trsm),
        ("dot", dot::dot),
        ("workspace", workspace::workspace),
    ],
    explain,
};

/// `CUBLAS_STATUS_ARCH_MISMATCH` and `CUBLAS_STATUS_NOT_SUPPORTED`.
pub(super) const REFUSALS: [Status; 2] = [Status(8), Status(15)];

/// A handle is what makes the library look for the driver. Without one the status is 1, which is an answer.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cublas::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(handle))?;
    }
    Ok(())
}

/// libcublas and the libcublasLt that it is linked with are built, numbered, and shipped together. Asked for its
/// version, libcublas says what its libcublasLt says; what it is itself, it tells in its log only, and there before
/// 12.9 no more than the version of its runtime. The names of their files tell the rest, where they are whole.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cublas::new(&opened.library);
    let mut version = 0;
    let mut told = Ok(());
    let heard = log::listen(api, || {
        told = opened.ok(api.version(Handle::NULL, &mut version));
    });
    told?;
    let release = Release::of_number(version);
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
    let part = opened.value(api.lt_version())?;
    let part = Release::of_number(i32::try_from(part).unwrap_or(0));
    opened.note("cublaslt-version", part.to_string());
    let part_runtime = opened.value(api.lt_cudart_version())?;
    let own = log::own_version(&heard);
    opened.note("own-version", own.unwrap_or("not told"));
    let soname = &opened.subject.soname;

    if Some(release.major()) != release::of_soname(soname) {
        return Err(opened.skew(
            format!("{soname} is of the major version in its name"),
            format!("it says that it is cuBLAS {release}"),
        ));
    }
    if property != release {
        return Err(opened.skew(
            format!("cublasGetProperty says {release}, as cublasGetVersion_v2 does"),
            format!("it says {property}"),
        ));
    }
    if part != release {
        return Err(opened.skew(
            format!("libcublas {release} is linked with libcublasLt {release}"),
            format!("it is linked with libcublasLt {part}"),
        ));
    }
    // The runtime is older than the release in some releases: 12.9.1 says 12.8.
    if runtime / 1000 != part_runtime / 1000 || Some(runtime / 1000) != release::cuda(release) {
        return Err(opened.skew(
            format!("libcublas {release} and libcublasLt {part} are built on one CUDA runtime"),
            format!(
                "they are built on {} and {}",
                release::runtime(runtime),
                release::runtime(part_runtime)
            ),
        ));
    }
    let files = mapped::all().map_err(|fault| Box::new(CheckResult::Machine(fault)))?;
    if let Some((file, part)) = release::files_of_two_releases(&opened.subject.path, &files) {
        return Err(opened.skew(
            format!("libcublas and its libcublasLt are files of one release, as {file}"),
            format!("{part} is loaded with it"),
        ));
    }
    match own {
        Some(own) if !part.is_called(own) && release::runtime(part_runtime) != own => Err(opened
            .skew(
                format!("libcublas is of the same release as its libcublasLt, which is {part}"),
                format!("libcublas calls itself {own} in its log"),
            )),
        Some(_) | None => Ok(()),
    }
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = Cublas::new(library);
    named(status, api.status_name(status), api.status_text(status))
}

/// A status in the words of the library, else of the header.
pub(super) fn named(status: Status, name: Called<Words>, text: Called<Words>) -> Named {
    let words = |called: Called<Words>| called.value.map(|words| words.text());
    Named {
        name: words(name).unwrap_or_else(|| status::name(status).to_owned()),
        text: words(text).unwrap_or_default(),
        log: String::new(),
    }
}

/// A library with a handle.
struct Session<'a> {
    opened: &'a Opened<'a>,
    api: Cublas<'a>,
    handle: Handle,
}

impl<'a> Session<'a> {
    /// Makes the handle. What the test prepares after that is not the library's time.
    fn begin(opened: &'a Opened<'a>, bench: &Bench<'_>) -> Result<Self, Stop> {
        let api = Cublas::new(&opened.library);
        let mut handle = Handle::NULL;
        opened.ok(api.create(&mut handle))?;
        bench.journal.stage(Stage::Allocate);
        Ok(Self {
            opened,
            api,
            handle,
        })
    }

    fn mode(&self, mode: MathMode) -> Verdict {
        self.opened.ok(self.api.set_math_mode(self.handle, mode))
    }

    fn end(self) -> Verdict {
        self.opened.ok(self.api.destroy(self.handle))
    }
}

/// The end of a check that has found something wrong.
fn mismatch(
    kind: cudacheck_model::journal::MismatchKind,
    expected: String,
    found: String,
) -> Verdict {
    Err(Box::new(CheckResult::Mismatch {
        kind,
        expected,
        found,
    }))
}
