//! GPUs by the names that people write, and which code runs on which of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tables::{self, Product};
use crate::suite::nearest;
use crate::version::{ComputeCapability, Target};

/// What NVIDIA sells a GPU as; forward compatibility packages ask for it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuClass {
    /// For data centers: Tesla and its successors.
    Datacenter,
    /// For workstations: Quadro, RTX A, RTX PRO.
    Workstation,
    /// For games: GeForce, TITAN.
    Geforce,
    /// A Jetson module.
    Jetson,
    /// Part of another chip, with the driver of servers: DGX Spark.
    Integrated,
    /// Not known.
    Unknown,
}

/// What kind of hardware the GPUs of a capability are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuKind {
    /// A card, or a module of a server.
    Discrete,
    /// Part of another chip, with the driver of servers.
    Integrated,
    /// Part of a Tegra, as on Jetson.
    Tegra,
}

/// A GPU as the rules see it.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gpu {
    /// Its number on the machine, if it is one of a real machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
    /// The product's name, or its capability where no product was named.
    pub name: String,
    /// What it can do.
    pub capability: ComputeCapability,
    /// What it is sold as.
    pub class: GpuClass,
}

impl Gpu {
    /// Any GPU of a capability.
    pub fn of(capability: ComputeCapability) -> Self {
        let class = match tables::generation(capability).map(|generation| generation.kind) {
            Some(GpuKind::Tegra) => GpuClass::Jetson,
            Some(GpuKind::Integrated) => GpuClass::Integrated,
            Some(GpuKind::Discrete) | None => GpuClass::Unknown,
        };
        Self {
            ordinal: None,
            name: capability.sm(),
            capability,
            class,
        }
    }

    /// A device of a machine, whose class is known from its name at best.
    pub fn device(ordinal: u32, name: &str, capability: ComputeCapability) -> Self {
        let class = match find(name) {
            Ok(known) if known.capability == capability => known.class,
            Ok(_) | Err(_) => class_by_name(name).unwrap_or(Self::of(capability).class),
        };
        Self {
            ordinal: Some(ordinal),
            name: name.to_owned(),
            capability,
            class,
        }
    }

    /// `A100 (sm_80)`, or only `sm_80`.
    pub fn label(&self) -> String {
        let sm = self.capability.sm();
        if self.name == sm {
            sm
        } else {
            format!("{} ({sm})", self.name)
        }
    }

    /// Whether it is part of a Tegra.
    pub fn is_tegra(&self) -> bool {
        self.class == GpuClass::Jetson || kind(self.capability) == Some(GpuKind::Tegra)
    }
}

/// A name that is not a GPU's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no GPU `{name}`")]
pub struct UnknownGpu {
    /// The name.
    pub name: String,
    /// The names that were probably meant.
    pub nearest: Vec<String>,
}

/// The GPU that somebody means by a name, a capability (`8.7`), or a target (`sm_87`).
///
/// # Errors
///
/// The name is of no GPU in the tables, or of several that differ.
pub fn find(name: &str) -> Result<Gpu, UnknownGpu> {
    let text = name.trim();
    let lower = text.to_ascii_lowercase();
    let capability = lower.parse::<ComputeCapability>().ok().or_else(|| {
        let target = lower.parse::<Target>().ok();
        target.map(|target| target.capability)
    });
    if let Some(capability) = capability {
        return if plausible(capability) {
            Ok(Gpu::of(capability))
        } else {
            let near = nearest_capabilities(capability);
            Err(UnknownGpu {
                name: text.to_owned(),
                nearest: near,
            })
        };
    }
    let key = key(text);
    let all: Vec<(String, &Product, &String)> = tables::gpus()
        .products
        .iter()
        .flat_map(|product| product.names.iter().map(move |name| (product, name)))
        .map(|(product, name)| (self::key(name), product, name))
        .collect();
    let by = |same: &dyn Fn(&str) -> bool| -> Vec<(&Product, &String)> {
        let same = all.iter().filter(|(key, ..)| same(key));
        same.map(|(_, product, name)| (*product, *name)).collect()
    };
    let found = [
        by(&|listed| listed == key),
        by(&|listed| stem(listed) == stem(&key)),
        // `P4000` is a Quadro; `RTX 6000` may be a Quadro or an Ada.
        by(&|listed| !key.starts_with("rtx") && listed.strip_prefix("quadro") == Some(&key)),
    ];
    let found = found
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    let agree = found
        .windows(2)
        .all(|pair| pair[0].0.capability == pair[1].0.capability);
    match found.first() {
        Some((product, listed)) if agree && !key.is_empty() => Ok(Gpu {
            ordinal: None,
            name: display(text, listed),
            capability: product.capability,
            class: product.class,
        }),
        Some(_) if !key.is_empty() => Err(UnknownGpu {
            name: text.to_owned(),
            nearest: found.iter().map(|(_, name)| (*name).clone()).collect(),
        }),
        Some(_) | None => {
            let near = nearest(&key, all.iter().map(|(key, ..)| key.as_str()));
            let part = |listed: &str| key.len() >= 4 && listed.contains(&key);
            let named = |same: &dyn Fn(&str) -> bool| -> Vec<String> {
                let same = all.iter().filter(|(key, ..)| same(key));
                same.map(|(.., name)| (*name).clone()).take(6).collect()
            };
            let parts = named(&part);
            let near = if parts.is_empty() {
                named(&|listed| Some(listed) == near)
            } else {
                parts
            };
            Err(UnknownGpu {
                name: text.to_owned(),
                nearest: near,
            })
        }
    }
}

/// The name as it was written if it is more than the listed one, else the listed one.
fn display(written: &str, listed: &str) -> String {
    if written.len() > listed.len() {
        written.to_owned()
    } else {
        listed.to_owned()
    }
}

/// Capabilities beyond the tables are understood as far as the numbering goes on; others are slips of the pen.
fn plausible(capability: ComputeCapability) -> bool {
    let newest = tables::gpus().capabilities.last();
    tables::generation(capability).is_some()
        || newest.is_some_and(|newest| {
            let newest = newest.capability;
            capability > newest && capability.major <= newest.major + 8 && capability.minor < 10
        })
}

fn nearest_capabilities(capability: ComputeCapability) -> Vec<String> {
    let all = &tables::gpus().capabilities;
    let below = all.iter().rev().find(|known| known.capability < capability);
    let above = all.iter().find(|known| known.capability > capability);
    let both = [below, above].into_iter().flatten();
    both.map(|known| known.capability.sm()).collect()
}

/// What is left of a name without brands, form factors, sizes of memory, and spaces.
fn key(name: &str) -> String {
    const NOISE: &[&str] = &[
        "nvidia",
        "geforce",
        "tesla",
        "jetson",
        "gpu",
        "laptop",
        "mobile",
        "max",
        "q",
        "maxq",
        "pcie",
        "pci",
        "e",
        "sxm",
        "sxm2",
        "sxm3",
        "sxm4",
        "sxm5",
        "sxm6",
        "nvl",
        "hbm2",
        "hbm2e",
        "hbm3",
        "hbm3e",
        "nvl16",
        "ac",
        "lc",
        "active",
        "oem",
        "embedded",
        "design",
        "graphics",
        "card",
        "developer",
        "devkit",
        "kit",
        "module",
        "generation",
        "with",
        "engineering",
        "reference",
        "edition",
        "workstation",
        "server",
        "nvgpu",
    ];
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let kept: Vec<&str> = words
        .filter(|word| !word.is_empty() && !NOISE.contains(word) && !is_size(word))
        .collect();
    // `RTX6000ADA`, `orin-nx`, `AGX Orin`: the spaces differ, the letters do not.
    let joined = kept.concat();
    let brand = ["geforce", "nvidia", "tesla", "jetson"];
    let stripped = brand.iter().find_map(|brand| joined.strip_prefix(brand));
    let plain = stripped.unwrap_or(&joined);
    // `RTX A6000` is as often called `A6000`.
    match plain.strip_prefix("rtxa") {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("a{rest}"),
        Some(_) | None => plain.to_owned(),
    }
}

fn is_size(word: &str) -> bool {
    let number = word.strip_suffix("gb").or_else(|| word.strip_suffix('g'));
    number.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// A name without the suffixes by which variants of one chip differ.
fn stem(key: &str) -> &str {
    let mut stem = key;
    while let Some(shorter) = ["ti", "super", "d", "generation", "blackwell", "lovelace"]
        .iter()
        .find_map(|suffix| stem.strip_suffix(suffix))
        .filter(|shorter| shorter.ends_with(|c: char| c.is_ascii_digit()))
    {
        stem = shorter;
    }
    stem.strip_suffix("generation").unwrap_or(stem)
}

fn class_by_name(name: &str) -> Option<GpuClass> {
    let lower = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["geforce", "titan"]) {
        Some(GpuClass::Geforce)
    } else if has(&["quadro", "rtx a", "rtx pro", " ada"]) {
        Some(GpuClass::Workstation)
    } else if has(&["tesla", "h100", "a100", "b200"]) {
        Some(GpuClass::Datacenter)
    } else if has(&["orin", "xavier", "tegra", "thor"]) {
        Some(GpuClass::Jetson)
    } else {
        None
    }
}

pub(super) fn kind(capability: ComputeCapability) -> Option<GpuKind> {
    tables::generation(capability).map(|generation| generation.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Result<&str, &str>) {
        match (find(name), expected) {
            (Ok(gpu), Ok(capability)) => {
                assert_eq!(gpu.capability.to_string(), capability, "{name}")
            }
            (Err(error), Err(near)) => assert_eq!(error.nearest.join(", "), near, "{name}"),
            (found, expected) => panic!("{name}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn gpus_are_found_as_people_write_them() {
        for (name, capability) in [
            ("RTX 4090", "8.9"),
            ("rtx4090", "8.9"),
            ("NVIDIA GeForce RTX 4090 Laptop GPU", "8.9"),
            ("H100 PCIe", "9.0"),
            ("NVIDIA H100 80GB HBM3", "9.0"),
            ("A100-SXM4-80GB", "8.0"),
            ("Tesla V100-SXM2-16GB", "7.0"),
            ("v100", "7.0"),
            ("Orin NX", "8.7"),
            ("AGX Orin", "8.7"),
            ("orin-nano", "8.7"),
            ("Orin", "8.7"),
            ("Jetson AGX Xavier", "7.2"),
            ("thor", "11.0"),
            ("GTX 1080 Ti", "6.1"),
            ("gtx1650", "7.5"),
            ("RTX 6000 Ada", "8.9"),
            ("RTX 6000 Ada Generation", "8.9"),
            ("RTX A6000", "8.6"),
            ("A6000", "8.6"),
            ("Quadro RTX 6000", "7.5"),
            ("T4", "7.5"),
            ("RTX PRO 6000 Blackwell", "12.0"),
            ("sm_87", "8.7"),
            ("8.7", "8.7"),
            ("GB10", "12.1"),
            ("B200", "10.0"),
            ("RTX 3080 Ti", "8.6"),
            ("TITAN V", "7.0"),
            ("L40S", "8.9"),
            ("sm_90a", "9.0"),
            ("NVIDIA GeForce GTX 1060 6GB", "6.1"),
            ("NVIDIA A10G", "8.6"),
            ("NVIDIA RTX 4000 SFF Ada Generation", "8.9"),
            ("sm_130", "13.0"),
            ("NVIDIA GeForce RTX 2080 with Max-Q Design", "7.5"),
            ("NVIDIA RTX PRO 500 Blackwell Embedded GPU", "12.0"),
            ("GeForce RTX 3050 6GB Laptop GPU", "8.6"),
            ("GeForce RTX 3050 A Laptop GPU", "8.9"),
            ("NVIDIA B300 SXM6 AC", "10.3"),
            ("NVIDIA GH200 144G HBM3e", "9.0"),
            ("Tesla M10", "5.0"),
        ] {
            check(name, Ok(capability));
        }
    }

    #[test]
    fn near_misses_are_answered_with_what_was_meant() {
        check("RTX 4900", Err("GeForce RTX 4090"));
        check("RTX 6000", Err("Quadro RTX 6000, RTX 6000 Ada"));
        check("Orin NY", Err("Jetson Orin NX"));
        check("sm_85", Err("sm_80, sm_86"));
        check("9.9", Err("sm_90, sm_100"));
        check("banana", Err(""));
        check("", Err(""));
        check("sm_9999", Err("sm_121"));
    }
}
