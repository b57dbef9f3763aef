//! TensorRT: its version, and the files that its builder opens when it first needs them.
//!
//! Everything that computes is reached through C++ objects; that is tested by TensorRT's own `trtexec`.

mod builder;
mod ffi;

use super::{Checks, Named, Opened, Stop, Verdict};
use ffi::Infer;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[("builder-resource", builder::resources)],
    device: &[],
    explain: |_, _| Named::default(),
};

/// What the library says that it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Version {
    major: i32,
    minor: i32,
    patch: i32,
}

impl Version {
    fn of(opened: &Opened<'_>) -> Result<Self, Stop> {
        let api = Infer::new(&opened.library);
        Ok(Self::from_number(opened.value(api.version())?))
    }

    /// From 8601 or 101601.
    fn from_number(number: i32) -> Self {
        let unit = if number >= 100_000 { 10_000 } else { 1000 };
        Self {
            major: number / unit,
            minor: number % unit / 100,
            patch: number % 100,
        }
    }

    fn text(self) -> String {
        format!("{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Nothing that can be asked without a C++ object looks for the driver; the library's initialisers have run.
fn cold(opened: &Opened<'_>) -> Verdict {
    Version::of(opened).map(|_| ())
}

/// The version as one number, as three, in the SONAME, and in the name of the file.
fn versions(opened: &Opened<'_>) -> Verdict {
    let version = Version::of(opened)?;
    opened.note("version", version.text());
    let api = Infer::new(&opened.library);
    let parts = (
        api.major().value,
        api.minor().value,
        api.patch().value,
        api.build().value,
    );
    if let (Some(major), Some(minor), Some(patch), build) = parts {
        let said = Version {
            major,
            minor,
            patch,
        };
        if let Some(build) = build {
            opened.note("build", build.to_string());
        }
        if said != version {
            return Err(opened.skew(
                format!("getInferLibVersion says {}", version.text()),
                format!(
                    "getInferLibMajorVersion, Minor, and Patch say {}",
                    said.text()
                ),
            ));
        }
    }
    let soname = &opened.subject.soname;
    if !soname.ends_with(&format!(".so.{}", version.major)) {
        return Err(opened.skew(
            format!("{soname} is of the major version that its name says"),
            format!("getInferLibVersion says {}", version.text()),
        ));
    }
    let file = opened.subject.path.file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    let numbers = file.split_once(".so.").map_or("", |(_, numbers)| numbers);
    if numbers.split('.').count() >= 3 && numbers != version.text() {
        return Err(opened.skew(
            format!("{file} is of the version that its name says"),
            format!("getInferLibVersion says {}", version.text()),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: i32, expected: &str) {
        assert_eq!(Version::from_number(number).text(), expected);
    }

    #[test]
    fn the_number_of_a_version_has_grown() {
        check(8601, "8.6.1");
        check(8205, "8.2.5");
        check(9300, "9.3.0");
        check(100_001, "10.0.1");
        check(101_601, "10.16.1");
        check(110_400, "11.4.0");
    }
}
