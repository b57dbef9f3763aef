//! What a case asks of a library of the package.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::library::{Library, LibraryTest, TestNeeds};

/// A stage of the check of a library, in a process of its own.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LibraryCheck {
    /// The library: `cublas`.
    pub name: Library,
    /// The stage.
    pub stage: LibraryStage,
    /// The test, for the stages `numeric` and `coverage`; `cudacheck list --libraries` prints them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// The least that the stage `coverage` must find; `jit` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Coverage>,
    /// How many devices one run of the test sees.
    #[serde(default, skip_serializing_if = "Devices::are_taken_one_by_one")]
    pub devices: Devices,
    /// Variables that the package is wrapped with, such as `LD_LIBRARY_PATH`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// A stage of the check of a library.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LibraryStage {
    /// Nothing is loaded before it, so that it must find the driver and its own parts by itself.
    Cold,
    /// It and its parts tell their versions, which fit together. Needs no driver.
    Versions,
    /// It computes, and the result is compared with one that is known.
    Numeric,
    /// The numeric test again, without the just-in-time compiler and with nothing else.
    Coverage,
}

/// How many devices one run of a test sees.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Devices {
    /// One; the test is run on each of them.
    #[default]
    Each,
    /// All of them; the test is run once.
    All,
}

/// How a library's code reaches a device.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Not at all.
    None,
    /// Its PTX is compiled by the driver.
    Jit,
    /// It brings machine code.
    Native,
}

impl LibraryCheck {
    /// The test that it names, if the library has it.
    pub fn known_test(&self) -> Option<&'static LibraryTest> {
        self.name.test(self.test.as_deref()?)
    }

    /// Whether it is made on a device.
    pub fn needs_device(&self) -> bool {
        match self.stage {
            LibraryStage::Cold | LibraryStage::Versions => false,
            LibraryStage::Coverage => true,
            LibraryStage::Numeric => self
                .known_test()
                .is_none_or(|test| test.needs == TestNeeds::Device),
        }
    }
}

impl LibraryStage {
    /// Whether it runs one of the library's tests.
    pub fn has_test(self) -> bool {
        match self {
            Self::Cold | Self::Versions => false,
            Self::Numeric | Self::Coverage => true,
        }
    }
}

impl Devices {
    fn are_taken_one_by_one(&self) -> bool {
        *self == Self::Each
    }
}

impl fmt::Display for LibraryStage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cold => "cold",
            Self::Versions => "versions",
            Self::Numeric => "numeric",
            Self::Coverage => "coverage",
        })
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Jit => "jit",
            Self::Native => "native",
        })
    }
}
