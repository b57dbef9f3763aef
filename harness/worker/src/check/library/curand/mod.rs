//! cuRAND: two of its generators word by word against references of our own, a third by its moments and against
//! NVIDIA's own generator on the host.

mod device;
mod ffi;
mod host;
mod philox;
mod statistics;
mod xorwow;

use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::{Curand, Kind, Ordering};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[
        ("host-philox", host::philox),
        ("host-xorwow", host::xorwow),
        ("host-uniform", host::uniform),
        ("host-normal", host::normal),
    ],
    device: &[
        ("philox", device::philox),
        ("xorwow", device::xorwow),
        ("offsets", device::offsets),
        ("uniform", device::uniform),
        ("normal", device::normal),
        ("device-equals-host", device::equals_host),
        ("moments", device::moments),
    ],
    explain,
};

/// Where a generator computes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Device,
    Host,
}

/// What a generator is set to.
#[derive(Clone, Copy, Debug)]
struct Setting {
    kind: Kind,
    seed: u64,
    offset: u64,
    ordering: Ordering,
}

impl Setting {
    /// From the first word on, in the order that NVIDIA promises to keep.
    fn new(kind: Kind, seed: u64) -> Self {
        Self {
            kind,
            seed,
            offset: 0,
            ordering: Ordering::LEGACY,
        }
    }

    fn from(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    fn ordered(self, ordering: Ordering) -> Self {
        Self { ordering, ..self }
    }
}

/// A generator with these settings. Without a driver `curandCreateGenerator` answers 203.
fn generator(opened: &Opened<'_>, side: Side, setting: Setting) -> Result<Handle, Stop> {
    let api = Curand::new(&opened.library);
    let mut generator = Handle::NULL;
    opened.ok(match side {
        Side::Device => api.create(&mut generator, setting.kind),
        Side::Host => api.create_host(&mut generator, setting.kind),
    })?;
    opened.ok(api.ordering(generator, setting.ordering))?;
    opened.ok(api.seed(generator, setting.seed))?;
    opened.ok(api.offset(generator, setting.offset))?;
    Ok(generator)
}

/// `curandCreateGenerator` opens the driver. Without one its answer is 203.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Curand::new(&opened.library);
    let mut generator = Handle::NULL;
    let status = opened.value(api.create(&mut generator, Kind::PHILOX4_32_10))?;
    opened.note("create-status", status.0.to_string());
    Ok(())
}

/// The version comes from two functions, which are of one library and so must agree.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Curand::new(&opened.library);
    let mut whole = 0;
    opened.ok(api.version(&mut whole))?;
    let mut parts = [0; 3];
    for (property, part) in (0..).zip(&mut parts) {
        opened.ok(api.property(property, part))?;
    }
    let [major, minor, patch] = parts;
    opened.note("version", format!("{major}.{minor}.{patch}"));
    if whole != major * 1000 + minor * 100 + patch {
        return Err(opened.skew(
            format!(
                "`curandGetVersion` says what `curandGetProperty` says: {major}.{minor}.{patch}"
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

/// The names in `curand.h`, with its remarks; the library has no strings of its own.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let (name, text) = match status.0 {
        100 => (
            "CURAND_STATUS_VERSION_MISMATCH",
            "header and library do not match",
        ),
        101 => ("CURAND_STATUS_NOT_INITIALIZED", "generator not initialized"),
        102 => (
            "CURAND_STATUS_ALLOCATION_FAILED",
            "memory allocation failed",
        ),
        103 => ("CURAND_STATUS_TYPE_ERROR", "generator is of the wrong type"),
        104 => ("CURAND_STATUS_OUT_OF_RANGE", "argument out of range"),
        105 => (
            "CURAND_STATUS_LENGTH_NOT_MULTIPLE",
            "length is not a multiple of the dimension",
        ),
        106 => (
            "CURAND_STATUS_DOUBLE_PRECISION_REQUIRED",
            "the GPU lacks the double precision that the generator needs",
        ),
        201 => ("CURAND_STATUS_LAUNCH_FAILURE", "kernel launch failure"),
        202 => (
            "CURAND_STATUS_PREEXISTING_FAILURE",
            "preexisting failure on entry",
        ),
        203 => (
            "CURAND_STATUS_INITIALIZATION_FAILED",
            "CUDA could not be initialized: no driver, no device, or no code for it",
        ),
        204 => (
            "CURAND_STATUS_ARCH_MISMATCH",
            "the GPU does not support the requested feature",
        ),
        999 => (
            "CURAND_STATUS_INTERNAL_ERROR",
            "internal error of the library",
        ),
        _ => ("", ""),
    };
    Named {
        name: name.to_owned(),
        text: text.to_owned(),
        log: String::new(),
    }
}
