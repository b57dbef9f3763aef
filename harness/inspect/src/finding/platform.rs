//! Whether a package is for the platform that it was asked for: its host files, and for Arm its GPU code.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cudacheck_model::finding::{Evidence, Finding, Flaw, Severity};
use cudacheck_model::package::{FileKind, Machine, PackageFile, is_tegra};
use thiserror::Error;

use super::Package;
use super::code::{Present, present};
use crate::known::{self, Platform, PlatformDevices, PlatformFiles, PlatformMachine};

/// A platform that NVIDIA redistributes for, by NVIDIA's name: `linux-sbsa`.
#[derive(Clone, Copy, Debug)]
pub struct Redistribution(&'static Platform);

impl Redistribution {
    /// All that there are.
    pub fn all() -> impl Iterator<Item = Self> {
        known::platforms().iter().map(Self)
    }

    /// NVIDIA's name: `linux-sbsa`.
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// What Nix calls it: `aarch64-linux`, which two of NVIDIA's are.
    pub fn nix_system(self) -> &'static str {
        &self.0.nix_system
    }

    /// The attribute of `pkgsCross` that builds for it.
    pub fn pkgs_cross(self) -> &'static str {
        &self.0.pkgs_cross
    }
}

impl fmt::Display for Redistribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that names no platform, or several.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{word}` is not one platform: {}", choices(.candidates))]
pub struct UnknownRedistribution {
    word: String,
    candidates: Vec<&'static str>,
}

fn choices(candidates: &[&str]) -> String {
    format!("say {}", candidates.join(", "))
}

impl FromStr for Redistribution {
    type Err = UnknownRedistribution;

    /// Reads NVIDIA's name, or what Nix calls it where that is one platform.
    fn from_str(word: &str) -> Result<Self, UnknownRedistribution> {
        if let Some(platform) = Self::all().find(|platform| platform.name() == word) {
            return Ok(platform);
        }
        let is_meant =
            |platform: &Self| platform.nix_system() == word || platform.pkgs_cross() == word;
        let meant: Vec<Self> = Self::all().filter(is_meant).collect();
        if let [platform] = meant[..] {
            return Ok(platform);
        }
        let candidates = if meant.is_empty() {
            Self::all().collect()
        } else {
            meant
        };
        Err(UnknownRedistribution {
            word: word.to_owned(),
            candidates: candidates.into_iter().map(Self::name).collect(),
        })
    }
}

pub(super) fn judge(package: &Package<'_>, asked: Redistribution, findings: &mut Vec<Finding>) {
    let mut others: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for file in &package.facts.files {
        if let Some(built_for) = built_for_other(file, asked.0) {
            others.entry(built_for).or_default().push(&file.path);
        }
    }
    for (built_for, files) in others {
        let flaw = Flaw::OtherPlatform {
            asked: asked.name().to_owned(),
            built_for,
            files: files.len() as u64,
            pkgs_cross: asked.pkgs_cross().to_owned(),
        };
        findings.push(Finding::new(Severity::Error, Evidence::of(files[0]), flaw));
    }
}

/// What a file is for, if that is not the platform.
fn built_for_other(file: &PackageFile, asked: &Platform) -> Option<String> {
    let files = match file.kind {
        FileKind::SharedObject
        | FileKind::Executable
        | FileKind::Relocatable
        | FileKind::Archive => PlatformFiles::Elf,
        FileKind::Dll => PlatformFiles::Dll,
        // GPU code by itself runs wherever the GPU is.
        FileKind::Fatbin | FileKind::Cubin => return None,
    };
    let machine = file.machine?;
    let is_for =
        |platform: &&Platform| platform.files == files && same_machine(platform.machine, machine);
    if !is_for(&asked) {
        let names: Vec<&str> = known::platforms()
            .iter()
            .filter(is_for)
            .map(|other| other.name.as_str())
            .collect();
        return Some(if names.is_empty() {
            format!("{machine:?}").to_lowercase()
        } else {
            names.join(" or ")
        });
    }
    let Present { cubins, .. } = present(file);
    let tegra = cubins
        .iter()
        .filter(|target| is_tegra(target.capability))
        .count();
    let devices = match tegra {
        _ if cubins.is_empty() => return None,
        0 => PlatformDevices::Discrete,
        all if all == cubins.len() => PlatformDevices::Tegra,
        _ => return None,
    };
    if asked.devices == PlatformDevices::Any || asked.devices == devices {
        return None;
    }
    let other = known::platforms()
        .iter()
        .find(|other| is_for(other) && other.devices == devices);
    other.map(|other| other.name.clone())
}

fn same_machine(platform: PlatformMachine, machine: Machine) -> bool {
    match platform {
        PlatformMachine::X86_64 => machine == Machine::X86_64,
        PlatformMachine::Aarch64 => machine == Machine::Aarch64,
        PlatformMachine::Ppc64le => machine == Machine::Ppc64le,
    }
}
