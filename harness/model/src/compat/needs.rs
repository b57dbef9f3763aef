//! The inverse question: which drivers and GPUs does a package need?

use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{PackageSummary, Verdict};
use super::gpu::{Gpu, GpuKind};
use super::jetpack::JetPackVersion;
use super::machine::Machine;
use super::package::Package;
use super::remedy::prospect;
use super::{ask_one, lowest_driver, lowest_jetpack, summary, tables};
use crate::version::{ComputeCapability, DriverVersion};

/// What a package needs: driver branches across, GPUs down.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Needs {
    /// [`super::COMPAT_SCHEMA`].
    pub schema: u32,
    /// The package.
    pub package: PackageSummary,
    /// The branches at which something changes: each column goes on to the next.
    pub branches: Vec<u32>,
    /// One row for each compute capability.
    pub gpus: Vec<GpuNeeds>,
}

/// What a package needs on one generation of GPUs.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GpuNeeds {
    /// The capability.
    pub capability: ComputeCapability,
    /// `Ampere`.
    pub architecture: String,
    /// Some products of it.
    pub examples: Vec<String>,
    /// The lowest driver with which it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest_driver: Option<DriverVersion>,
    /// The lowest JetPack with which it runs, on a Jetson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest_jetpack: Option<JetPackVersion>,
    /// For each column. Empty for a Jetson, whose driver is part of JetPack.
    pub verdicts: Vec<Verdict>,
    /// Why it runs with no driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a package needs on every generation of GPUs that the tables know.
pub fn needs(package: &Package) -> Needs {
    let branches: Vec<u32> = tables::drivers()
        .branches
        .iter()
        .map(|branch| branch.branch)
        .collect();
    let rows: Vec<GpuNeeds> = tables::gpus()
        .capabilities
        .iter()
        .map(|generation| row(package, generation, &branches))
        .collect();
    // Only what is said of GPUs on which it runs at all matters; a column that says the same as the one before it, and
    // those before the first driver that runs it anywhere, are not shown.
    let running: Vec<&GpuNeeds> = rows
        .iter()
        .filter(|row| row.lowest_driver.is_some())
        .collect();
    let column = |index: usize| running.iter().map(move |row| row.verdicts.get(index));
    let first = (0..branches.len())
        .find(|index| column(*index).any(|verdict| verdict != Some(&Verdict::Unsupported)));
    let kept: Vec<usize> = first
        .into_iter()
        .flat_map(|first| (first..branches.len()).map(move |index| (first, index)))
        .filter(|(first, index)| index == first || column(*index).ne(column(index - 1)))
        .map(|(_, index)| index)
        .collect();
    let gpus = rows.into_iter().map(|row| GpuNeeds {
        verdicts: kept
            .iter()
            .filter_map(|index| row.verdicts.get(*index))
            .copied()
            .collect(),
        ..row
    });
    Needs {
        schema: super::COMPAT_SCHEMA,
        package: summary(package),
        branches: kept.iter().map(|index| branches[*index]).collect(),
        gpus: gpus.collect(),
    }
}

fn row(package: &Package, generation: &tables::Generation, branches: &[u32]) -> GpuNeeds {
    let gpu = Gpu::of(generation.capability);
    let tegra = generation.kind == GpuKind::Tegra;
    let machine = Machine::default();
    let lowest_driver = (!tegra)
        .then(|| lowest_driver(package, &machine, Some(&gpu)))
        .flatten();
    let lowest_jetpack = tegra
        .then(|| lowest_jetpack(package, &machine, &gpu))
        .flatten();
    let verdicts = branches.iter().filter(|_| !tegra).map(|branch| {
        // The newest driver of the branch, whatever its number.
        let driver = format!("{branch}.999").parse().ok();
        let machine = Machine {
            driver,
            gpus: vec![gpu.clone()],
            ..Machine::default()
        };
        prospect(package, &machine, Some(&gpu)).verdict()
    });
    let verdicts: Vec<Verdict> = verdicts.collect();
    let none = lowest_driver.is_none() && lowest_jetpack.is_none();
    let reason = none.then(|| {
        let answer = ask_one(package, &Machine::default(), Some(&gpu));
        (answer.verdict != Verdict::Unknown).then_some(answer.sentence)
    });
    let products = tables::gpus().products.iter();
    let products = products.filter(|product| product.capability == generation.capability);
    GpuNeeds {
        capability: generation.capability,
        architecture: generation.architecture.clone(),
        examples: products
            .filter_map(|product| product.names.first().cloned())
            .collect(),
        lowest_driver,
        lowest_jetpack,
        verdicts,
        reason: reason.flatten(),
    }
}
