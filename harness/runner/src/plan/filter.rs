//! Which cases and which devices the user chose.

use std::fmt;

use cudacheck_model::facts::Device;
use cudacheck_model::suite::Case;

/// What of the suites is run. The default is everything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Names of cases; all if empty.
    pub cases: Vec<String>,
    /// The devices.
    pub devices: DeviceFilter,
    /// Whether there are files to examine.
    pub package: PackageGiven,
}

/// Whether the user named the files of a package.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PackageGiven {
    /// Checks of its files can be made.
    Yes,
    /// They are skipped.
    #[default]
    No,
}

impl Filter {
    pub(super) fn takes(&self, case: &Case) -> bool {
        self.cases.is_empty() || self.cases.contains(&case.name)
    }
}

/// Which devices are used.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum DeviceFilter {
    /// Every device.
    #[default]
    All,
    /// The devices that any of these names: an ordinal, the beginning of a UUID with or without `GPU-`, or
    /// a part of the product's name. Upper and lower case are the same.
    Named(Vec<String>),
}

impl DeviceFilter {
    /// The chosen devices with their index into the facts, in the order of the driver.
    pub fn of<'a>(&self, devices: &'a [Device]) -> Vec<(usize, &'a Device)> {
        let takes = |device: &Device| match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| is_named(device, name)),
        };
        let numbered = devices.iter().enumerate();
        numbered.filter(|(_, device)| takes(device)).collect()
    }
}

fn is_named(device: &Device, name: &str) -> bool {
    if let Ok(ordinal) = name.parse::<u32>() {
        return device.ordinal == ordinal;
    }
    let name = name.to_lowercase();
    let uuid = device.uuid.as_deref().unwrap_or_default().to_lowercase();
    let bare = uuid.split_once('-').map_or("", |(_, rest)| rest);
    let by_uuid = uuid.starts_with(&name) || bare.starts_with(&name);
    !name.is_empty() && (by_uuid || device.name.to_lowercase().contains(&name))
}

impl fmt::Display for DeviceFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("every device"),
            Self::Named(names) => {
                let words: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                formatter.write_str(&words.join(" or "))
            }
        }
    }
}
