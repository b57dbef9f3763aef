//! cuDSS: direct solution of sparse systems of equations.

mod equations;
mod ffi;
mod solution;

use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::{Cudss, Phases};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("lu-f64-exact", solution::lu_f64_exact),
        ("lu-f32-exact", solution::lu_f32_exact),
        ("lu-f64", solution::lu_f64),
        ("cholesky-f64", solution::cholesky_f64),
    ],
    explain,
};

/// `cudssCreate` asks the driver for the device.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cudss::new(&opened.library);
    let mut handle = Handle::NULL;
    let status = opened.value(api.create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(handle))?;
    }
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let version = Version::of(opened)?;
    opened.note("version", version.text());
    let soname = &opened.subject.soname;
    if !soname.ends_with(&format!(".so.{}", version.major)) {
        return Err(opened.skew(
            format!("{soname} is of the major version that its name says"),
            format!("cudssGetProperty says {}", version.text()),
        ));
    }
    Ok(())
}

/// What the library says that it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Version {
    major: i32,
    minor: i32,
    patch: i32,
}

/// Whether `cudssMatrixCreateCsr` is told the type of the rows' offsets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Csr {
    BeforeOffsets,
    SinceOffsets,
}

impl Version {
    fn of(opened: &Opened<'_>) -> Result<Self, Stop> {
        let api = Cudss::new(&opened.library);
        let property = |number| {
            let mut value = 0;
            opened.ok(api.property(number, &mut value))?;
            Ok::<i32, Stop>(value)
        };
        Ok(Self {
            major: property(0)?,
            minor: property(1)?,
            patch: property(2)?,
        })
    }

    fn text(self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.patch)
    }

    /// The signatures and numbers of this version; none where no header of it was read.
    fn abi(self) -> Option<(Csr, Phases)> {
        match (self.major, self.minor) {
            (0, 4 | 5) => Some((Csr::BeforeOffsets, Phases::FIRST)),
            (0, 6) => Some((Csr::BeforeOffsets, Phases::SECOND)),
            (0, 7) => Some((Csr::BeforeOffsets, Phases::THIRD)),
            // Within one major version a later minor version keeps what it has, as the SONAME promises from 1 on.
            (0, 8) | (1, _) => Some((Csr::SinceOffsets, Phases::THIRD)),
            _ => None,
        }
    }
}

/// The library has no words of its own; these are the names of `cudssStatus_t`, the same in all versions.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let (name, text) = match status.0 {
        1 => (
            "CUDSS_STATUS_NOT_INITIALIZED",
            "a handle was not initialised",
        ),
        2 => ("CUDSS_STATUS_ALLOC_FAILED", "memory could not be allocated"),
        3 => ("CUDSS_STATUS_INVALID_VALUE", "an argument is invalid"),
        4 => ("CUDSS_STATUS_NOT_SUPPORTED", "a parameter is not supported"),
        5 => (
            "CUDSS_STATUS_EXECUTION_FAILED",
            "a kernel could not be started or failed",
        ),
        6 => ("CUDSS_STATUS_INTERNAL_ERROR", "the library itself failed"),
        7 => (
            "CUDSS_STATUS_IR_FAILED",
            "iterative refinement did not converge",
        ),
        _ => ("", ""),
    };
    Named {
        name: name.to_owned(),
        text: text.to_owned(),
        log: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check((major, minor): (i32, i32), expected: Option<(Csr, Phases)>) {
        let version = Version {
            major,
            minor,
            patch: 0,
        };
        assert_eq!(version.abi(), expected, "{}", version.text());
    }

    #[test]
    fn the_version_decides_which_signature_is_called() {
        check((0, 3), None);
        check((0, 5), Some((Csr::BeforeOffsets, Phases::FIRST)));
        check((0, 6), Some((Csr::BeforeOffsets, Phases::SECOND)));
        check((0, 7), Some((Csr::BeforeOffsets, Phases::THIRD)));
        check((0, 8), Some((Csr::SinceOffsets, Phases::THIRD)));
        check((1, 2), Some((Csr::SinceOffsets, Phases::THIRD)));
        check((2, 0), None);
    }

    #[test]
    fn solving_is_every_phase_from_the_permutation_to_the_refinement() {
        assert_eq!(Phases::THIRD.solve, 1008);
        assert_eq!(Phases::SECOND.solve, 112);
    }
}
