//! JetPack, NVIDIA's system for Jetson boards: its release fixes the driver, and with it the CUDA version.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bound::Bound;
use super::tables::{self, JetPackRelease};
use crate::version::ToolkitVersion;

/// The version of JetPack or of Jetson Linux: `6.2`, `36.4.3`. Missing parts count as zero.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct JetPackVersion {
    text: String,
    parts: Vec<u32>,
}

impl FromStr for JetPackVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let part = |part: &str| {
            let plain = !part.is_empty() && part.len() <= 4;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            (plain && digits).then(|| part.parse().ok()).flatten()
        };
        let parts: Option<Vec<u32>> = text.split('.').map(part).collect();
        match parts {
            Some(parts) if (1..=4).contains(&parts.len()) => Ok(Self {
                text: text.to_owned(),
                parts,
            }),
            Some(_) | None => Err(format!("`{text}` is not a JetPack version such as \"6.2\"")),
        }
    }
}

impl TryFrom<String> for JetPackVersion {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
impl From<JetPackVersion> for String {
    fn from(version: JetPackVersion) -> Self {
        version.text
    }
}
impl fmt::Display for JetPackVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
impl PartialEq for JetPackVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for JetPackVersion {}
impl PartialOrd for JetPackVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for JetPackVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let part = |version: &Self, index: usize| version.parts.get(index).copied().unwrap_or(0);
        let longest = self.parts.len().max(other.parts.len());
        let orders = (0..longest).map(|index| part(self, index).cmp(&part(other, index)));
        orders
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl JetPackVersion {
    /// `6` of `6.2`.
    pub fn major(&self) -> u32 {
        self.parts[0]
    }
}

/// The release of this version.
pub fn release(version: &JetPackVersion) -> Option<&'static JetPackRelease> {
    let mut all = tables::jetpacks().releases.iter();
    all.find(|release| (&release.jetpack[0]..=&release.jetpack[1]).contains(&version))
}

/// The release that carries this version of Jetson Linux.
pub fn release_of_l4t(version: &JetPackVersion) -> Option<&'static JetPackRelease> {
    let mut all = tables::jetpacks().releases.iter();
    all.find(|release| (&release.l4t[0]..=&release.l4t[1]).contains(&version))
}

/// The CUDA version of a release's driver; bounds for releases that are not listed.
pub(super) fn cuda(version: &JetPackVersion) -> Bound<ToolkitVersion> {
    let all = &tables::jetpacks().releases;
    if let Some(release) = release(version) {
        return Bound::exactly(release.cuda);
    }
    let older = all
        .iter()
        .rev()
        .find(|release| release.jetpack[1] < *version);
    let newer = all.iter().find(|release| release.jetpack[0] > *version);
    Bound {
        at_least: older.map(|release| release.cuda),
        at_most: newer.map(|release| release.cuda),
    }
}

/// The CUDA versions for which there is an upgrade package.
pub(super) fn upgrades(version: &JetPackVersion) -> &'static [ToolkitVersion] {
    let mut all = tables::jetpacks().upgrades.iter();
    all.find(|upgrade| (&upgrade.jetpack[0]..=&upgrade.jetpack[1]).contains(&version))
        .map_or(&[], |upgrade| &upgrade.offered)
}
