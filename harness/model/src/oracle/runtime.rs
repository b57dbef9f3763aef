//! What a package's libcudart says of a driver: it compares both versions before it looks for a device, so that a
//! machine without a GPU tells an old driver (35) from a missing device (100).

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::version::ToolkitVersion;

/// What a libcudart answered.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RuntimeAnswer {
    /// The libcudart.
    pub library: PathBuf,
    /// What `cudaRuntimeGetVersion` answered. Up to CUDA 11 it answers only where it takes the driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<ToolkitVersion>,
    /// What `cudaDriverGetVersion` answered; absent if it found no driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<ToolkitVersion>,
    /// What `cudaGetDeviceCount` returned.
    pub status: RuntimeStatus,
    /// The libcuda that the loader finds under the name by which libcudart asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<PathBuf>,
}

/// What follows from an answer about the driver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RuntimeVerdict {
    /// It is new enough.
    Takes,
    /// It is too old.
    Refuses,
    /// There was none, which libcudart reports by the same number as an old one.
    FoundNone,
    /// Something else is wrong.
    Other,
}

impl RuntimeAnswer {
    /// What follows about the driver.
    pub fn verdict(&self) -> RuntimeVerdict {
        match (self.driver, self.status) {
            (None, _) => RuntimeVerdict::FoundNone,
            (Some(_), RuntimeStatus::INSUFFICIENT_DRIVER) => RuntimeVerdict::Refuses,
            (Some(_), RuntimeStatus::SUCCESS | RuntimeStatus::NO_DEVICE) => RuntimeVerdict::Takes,
            (Some(_), _) => RuntimeVerdict::Other,
        }
    }

    /// `libcudart.so.12 (12.9)`.
    pub fn name(&self) -> String {
        let file = self.library.file_name().map_or_else(
            || self.library.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        match self.version {
            Some(version) => format!("{file} ({version})"),
            None => file,
        }
    }
}

/// What a function of libcudart returned: a value of `cudaError` in `driver_types.h`, known or not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct RuntimeStatus(pub i32);

impl RuntimeStatus {
    /// It did what was asked.
    pub const SUCCESS: Self = Self(0);
    /// The driver is older than the runtime, or there is none.
    pub const INSUFFICIENT_DRIVER: Self = Self(35);
    /// The driver is new enough, and sees no device.
    pub const NO_DEVICE: Self = Self(100);
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "cudaSuccess",
            3 => "cudaErrorInitializationError",
            34 => "cudaErrorStubLibrary",
            35 => "cudaErrorInsufficientDriver",
            36 => "cudaErrorCallRequiresNewerDriver",
            100 => "cudaErrorNoDevice",
            802 => "cudaErrorSystemNotReady",
            803 => "cudaErrorSystemDriverMismatch",
            804 => "cudaErrorCompatNotSupportedOnDevice",
            999 => "cudaErrorUnknown",
            other => return write!(formatter, "error {other}"),
        };
        write!(formatter, "{name} ({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(driver: Option<&str>, status: i32, expected: RuntimeVerdict) {
        let answer = RuntimeAnswer {
            library: "/p/lib/libcudart.so.12".into(),
            version: "12.9".parse().ok(),
            driver: driver.map(|driver| driver.parse().unwrap()),
            status: RuntimeStatus(status),
            found: None,
        };
        assert_eq!(answer.verdict(), expected);
        assert_eq!(answer.name(), "libcudart.so.12 (12.9)");
    }

    #[test]
    fn an_old_driver_is_told_from_none_at_all() {
        check(Some("11.4"), 35, RuntimeVerdict::Refuses);
        check(None, 35, RuntimeVerdict::FoundNone);
        check(None, 100, RuntimeVerdict::FoundNone);
        check(Some("12.4"), 100, RuntimeVerdict::Takes);
        check(Some("12.4"), 0, RuntimeVerdict::Takes);
        check(Some("12.4"), 803, RuntimeVerdict::Other);
        check(Some("12.4"), -1, RuntimeVerdict::Other);
    }

    #[test]
    fn a_status_has_a_name_or_at_least_its_number() {
        let text = |status| RuntimeStatus(status).to_string();
        assert_eq!(text(35), "cudaErrorInsufficientDriver (35)");
        assert_eq!(text(4711), "error 4711");
    }
}
