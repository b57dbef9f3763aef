//! Versions as types, because every rule about CUDA is an order on them, and text orders wrongly.
//!
//! `12.10` is newer than `12.9`, `sm_120` is newer than `sm_90`, and a driver's version is neither.
//! All of them print as they are read, and compare by their numbers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The version of a CUDA toolkit, and equally the CUDA version that a driver supports: `12.4`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ToolkitVersion {
    /// `12` of `12.4`.
    pub major: u32,
    /// `4` of `12.4`.
    pub minor: u32,
}

impl ToolkitVersion {
    /// A version from its two parts.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// What `cuDriverGetVersion` answers: `1000 * major + 10 * minor`, as in `cuda.h`.
    pub const fn from_api(number: u32) -> Self {
        Self {
            major: number / 1000,
            minor: number % 1000 / 10,
        }
    }

    /// The inverse of [`ToolkitVersion::from_api`].
    pub const fn to_api(self) -> u32 {
        self.major * 1000 + self.minor * 10
    }
}

/// The version of the PTX instruction set that a module is written in: `.version 7.0`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PtxIsa {
    /// `7` of `7.0`.
    pub major: u32,
    /// `0` of `7.0`.
    pub minor: u32,
}

impl PtxIsa {
    /// A version from its two parts.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// A device's compute capability: `8.7` is the Orin's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ComputeCapability {
    /// `8` of `8.7`.
    pub major: u32,
    /// `7` of `8.7`.
    pub minor: u32,
}

impl ComputeCapability {
    /// A capability from its two parts.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// `sm_87`, as NVIDIA's tools write a device's architecture.
    pub fn sm(self) -> String {
        format!("sm_{}{}", self.major, self.minor)
    }
}

/// How far beyond its own capability code for a target may run.
///
/// See "Compute capability" in NVIDIA's CUDA programming guide, on architecture- and family-specific features.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TargetReach {
    /// `sm_90`: this and every later device.
    Baseline,
    /// `sm_100f`: the devices of this family only.
    Family,
    /// `sm_90a`: exactly this device.
    Architecture,
}

/// What GPU code is made for: `sm_80`, `sm_90a`, `sm_100f`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target {
    /// The lowest capability that has the target's features.
    pub capability: ComputeCapability,
    /// Which other devices may run it.
    pub reach: TargetReach,
}

impl Target {
    /// A target without a suffix.
    pub const fn baseline(major: u32, minor: u32) -> Self {
        Self {
            capability: ComputeCapability::new(major, minor),
            reach: TargetReach::Baseline,
        }
    }

    /// Whether PTX for this target can be compiled for a device.
    ///
    /// A family is taken to be one major version; NVIDIA has named no family across majors so far.
    pub fn ptx_runs_on(self, device: ComputeCapability) -> bool {
        match self.reach {
            TargetReach::Baseline => device >= self.capability,
            TargetReach::Family => {
                device.major == self.capability.major && device >= self.capability
            }
            TargetReach::Architecture => device == self.capability,
        }
    }
}

/// The version of an NVIDIA driver: `580.95.05`. Two to four parts, kept as written.
///
/// The order is by number; `535.54.03` and `535.54.3` are equal in order but print as they were read.
#[derive(Clone, Debug)]
pub struct DriverVersion {
    text: String,
    parts: Vec<u32>,
}

impl DriverVersion {
    /// The branch, `580` of `580.95.05`.
    pub fn branch(&self) -> u32 {
        self.parts[0]
    }
}

impl PartialEq for DriverVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for DriverVersion {}
impl PartialOrd for DriverVersion {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for DriverVersion {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let part = |version: &Self, index: usize| version.parts.get(index).copied().unwrap_or(0);
        let longest = self.parts.len().max(other.parts.len());
        (0..longest)
            .map(|index| part(self, index).cmp(&part(other, index)))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }
}

/// Text that is not a version of the kind that was asked for.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{text}` is not {wanted}")]
pub struct VersionError {
    text: String,
    wanted: &'static str,
}

fn number(text: &str) -> Option<u32> {
    let plain =
        !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((number(major)?, number(minor)?))
}

fn target(text: &str) -> Option<Target> {
    let body = text
        .strip_prefix("sm_")
        .or_else(|| text.strip_prefix("compute_"))?;
    let (digits, reach) = match body.as_bytes().last()? {
        b'a' => (&body[..body.len() - 1], TargetReach::Architecture),
        b'f' => (&body[..body.len() - 1], TargetReach::Family),
        _ => (body, TargetReach::Baseline),
    };
    if digits.len() < 2 {
        return None;
    }
    let (major, minor) = digits.split_at_checked(digits.len() - 1)?;
    Some(Target {
        capability: ComputeCapability::new(number(major)?, number(minor)?),
        reach,
    })
}

fn driver(text: &str) -> Option<DriverVersion> {
    let parts: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    if !(2..=4).contains(&parts.len()) {
        return None;
    }
    Some(DriverVersion {
        text: text.to_owned(),
        parts,
    })
}

/// Reading, printing, and (de)serialising as text are the same for all: one place keeps them so.
macro_rules! textual {
    ($type:ident, $wanted:literal, $pattern:literal, $parse:expr) => {
        impl FromStr for $type {
            type Err = VersionError;
            fn from_str(text: &str) -> Result<Self, VersionError> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text).ok_or_else(|| VersionError { text: text.to_owned(), wanted: $wanted })
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $type;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str(concat!($wanted, ", in quotes"))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                // Not `deserialize_str`: a number must be refused, or 12.10 would arrive as 12.1.
                deserializer.deserialize_any(Text)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $wanted })
            }
        }
    };
}

textual!(
    ToolkitVersion,
    "a toolkit version such as \"12.4\"",
    r"^\d+\.\d+$",
    |text| { two_numbers(text).map(|(major, minor)| ToolkitVersion { major, minor }) }
);
textual!(
    PtxIsa,
    "a PTX ISA version such as \"7.0\"",
    r"^\d+\.\d+$",
    |text| { two_numbers(text).map(|(major, minor)| PtxIsa { major, minor }) }
);
textual!(
    ComputeCapability,
    "a compute capability such as \"8.7\"",
    r"^\d+\.\d+$",
    |text| { two_numbers(text).map(|(major, minor)| ComputeCapability { major, minor }) }
);
textual!(
    Target,
    "a target such as \"sm_87\" or \"sm_90a\"",
    r"^(sm|compute)_\d+[af]?$",
    target
);
textual!(
    DriverVersion,
    "a driver version such as \"580.95.05\"",
    r"^\d+(\.\d+){1,3}$",
    driver
);

impl fmt::Display for ToolkitVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}
impl fmt::Display for PtxIsa {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}
impl fmt::Display for ComputeCapability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}
impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = match self.reach {
            TargetReach::Baseline => "",
            TargetReach::Family => "f",
            TargetReach::Architecture => "a",
        };
        write!(formatter, "{}{suffix}", self.capability.sm())
    }
}
impl fmt::Display for DriverVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check<T: FromStr + fmt::Display>(text: &str, expected: Option<&str>) {
        assert_eq!(
            text.parse::<T>()
                .ok()
                .map(|value| value.to_string())
                .as_deref(),
            expected
        );
    }

    #[test]
    fn versions_print_as_they_are_read() {
        check::<ToolkitVersion>("12.10", Some("12.10"));
        check::<ToolkitVersion>("12", None);
        check::<ToolkitVersion>("12.4.1", None);
        check::<ToolkitVersion>("+1.4", None);
        check::<DriverVersion>("535.54.03", Some("535.54.03"));
        check::<DriverVersion>("535", None);
        check::<DriverVersion>("535..1", None);
        check::<Target>("sm_90a", Some("sm_90a"));
        check::<Target>("compute_120", Some("sm_120"));
        check::<Target>("sm_9", None);
        check::<Target>("sm_é0", None);
    }

    #[test]
    fn order_is_by_number() {
        assert!("12.10".parse::<ToolkitVersion>().unwrap() > "12.9".parse().unwrap());
        assert!("sm_120".parse::<Target>().unwrap() > "sm_90".parse().unwrap());
        assert!("580.95.05".parse::<DriverVersion>().unwrap() > "580.65.06".parse().unwrap());
        assert!("535.54.3".parse::<DriverVersion>().unwrap() == "535.54.03".parse().unwrap());
        assert!("535.54".parse::<DriverVersion>().unwrap() < "535.54.03".parse().unwrap());
    }

    #[test]
    fn ptx_reaches_later_devices_unless_its_suffix_forbids() {
        let hopper = ComputeCapability::new(9, 0);
        let blackwell = ComputeCapability::new(10, 0);
        assert!("sm_80".parse::<Target>().unwrap().ptx_runs_on(hopper));
        assert!("sm_90a".parse::<Target>().unwrap().ptx_runs_on(hopper));
        assert!(!"sm_90a".parse::<Target>().unwrap().ptx_runs_on(blackwell));
        assert!(
            "sm_100f"
                .parse::<Target>()
                .unwrap()
                .ptx_runs_on(ComputeCapability::new(10, 3))
        );
        assert!(
            !"sm_100f"
                .parse::<Target>()
                .unwrap()
                .ptx_runs_on(ComputeCapability::new(12, 0))
        );
    }

    proptest! {
        #[test]
        fn toolkit_versions_round_trip(major in 1u32..40, minor in 0u32..100) {
            let version = ToolkitVersion::new(major, minor);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
            prop_assert_eq!(ToolkitVersion::from_api(version.to_api()), version);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Target>();
            let _ = text.parse::<DriverVersion>();
            let _ = text.parse::<ToolkitVersion>();
        }
    }
}
