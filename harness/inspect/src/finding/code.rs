//! Whether the GPU code of a package is what its recipe asked for.

use std::collections::BTreeSet;
use std::str::FromStr;

use cudacheck_model::finding::{Evidence, Finding, Flaw, Severity};
use cudacheck_model::package::{Loadable as Code, PackageFile};
use cudacheck_model::version::{Target, TargetReach};
use thiserror::Error;

use super::Package;
use crate::known;

/// The GPU code that a recipe asks for: `sm_80,sm_90,ptx`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expectation {
    /// Targets of machine code.
    pub targets: BTreeSet<Target>,
    /// PTX.
    pub ptx: PtxExpectation,
}

/// The PTX that a recipe asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PtxExpectation {
    /// None.
    None,
    /// Some, for whichever target: `ptx`.
    Any,
    /// For these targets: `compute_90`.
    Targets(BTreeSet<Target>),
}

/// A word that is no target.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("`{word}` is not \"ptx\", nor a target such as \"sm_87\" or \"compute_90\"")]
pub struct ExpectationError {
    word: String,
}

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, ExpectationError> {
        let mut targets = BTreeSet::new();
        let mut virtual_targets = BTreeSet::new();
        let mut has_any = false;
        for word in text.split(',').map(str::trim) {
            let error = || ExpectationError {
                word: word.to_owned(),
            };
            if word == "ptx" {
                has_any = true;
                continue;
            }
            let target: Target = word.parse().map_err(|_| error())?;
            let set = if word.starts_with("compute_") {
                &mut virtual_targets
            } else {
                &mut targets
            };
            set.insert(target);
        }
        let ptx = match (virtual_targets.is_empty(), has_any) {
            (false, _) => PtxExpectation::Targets(virtual_targets),
            (true, true) => PtxExpectation::Any,
            (true, false) => PtxExpectation::None,
        };
        Ok(Self { targets, ptx })
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words: Vec<String> = self.targets.iter().map(ToString::to_string).collect();
        match &self.ptx {
            PtxExpectation::None => {}
            PtxExpectation::Any => words.push("ptx".to_owned()),
            PtxExpectation::Targets(targets) => {
                words.extend(
                    targets
                        .iter()
                        .map(|target| target.to_string().replacen("sm_", "compute_", 1)),
                );
            }
        }
        formatter.write_str(&words.join(","))
    }
}

pub(super) fn judge(package: &Package<'_>, expected: &Expectation, findings: &mut Vec<Finding>) {
    let mut has_code = false;
    for file in &package.facts.files {
        let Present { cubins, ptx } = present(file);
        if cubins.is_empty() && ptx.is_empty() {
            continue;
        }
        has_code = true;
        if is_prebuilt(file) {
            prebuilt(file, expected, &cubins, findings);
        } else {
            built(file, expected, &cubins, &ptx, findings);
        }
    }
    if !has_code {
        let root = package.facts.roots.first().cloned().unwrap_or_default();
        let flaw = Flaw::NoGpuCode {
            expected: expected.to_string(),
        };
        findings.push(Finding::new(Severity::Error, Evidence::of(&root), flaw));
    }
}

/// What a driver could load from a file.
pub(super) struct Present {
    pub(super) cubins: BTreeSet<Target>,
    pub(super) ptx: BTreeSet<Target>,
}

pub(super) fn present(file: &PackageFile) -> Present {
    let mut found = Present {
        cubins: BTreeSet::new(),
        ptx: BTreeSet::new(),
    };
    for code in file
        .code
        .iter()
        .flat_map(|section| &section.groups)
        .filter_map(|group| group.loadable())
    {
        match code {
            Code::Cubin(target) => found.cubins.insert(target),
            Code::Ptx(target, _) => found.ptx.insert(target),
        };
    }
    found
}

/// Whether NVIDIA built a file: no recipe has a say in its targets.
fn is_prebuilt(file: &PackageFile) -> bool {
    let soname = file.elf.as_ref().and_then(|elf| elf.soname.as_deref());
    soname.is_some_and(|soname| known::toolkit_majors(soname).is_some())
}

/// NVIDIA's libraries must have code that the expected devices run, whatever its exact target.
fn prebuilt(
    file: &PackageFile,
    expected: &Expectation,
    cubins: &BTreeSet<Target>,
    findings: &mut Vec<Finding>,
) {
    let runs = |wanted: &Target| {
        cubins.iter().any(|target| {
            let (has, wants) = (target.capability, wanted.capability);
            match target.reach {
                TargetReach::Baseline | TargetReach::Family => {
                    has.major == wants.major && has.minor <= wants.minor
                }
                TargetReach::Architecture => has == wants,
            }
        })
    };
    let missing: Vec<Target> = expected
        .targets
        .iter()
        .filter(|wanted| !runs(wanted))
        .copied()
        .collect();
    if !missing.is_empty() {
        let flaw = Flaw::MachineCodeMissing {
            targets: missing,
            present: cubins.iter().copied().collect(),
        };
        findings.push(Finding::new(
            Severity::Warning,
            Evidence::of(&file.path),
            flaw,
        ));
    }
}

/// What a recipe builds must have exactly what it asked for.
fn built(
    file: &PackageFile,
    expected: &Expectation,
    cubins: &BTreeSet<Target>,
    ptx: &BTreeSet<Target>,
    findings: &mut Vec<Finding>,
) {
    let mut add =
        |severity, flaw| findings.push(Finding::new(severity, Evidence::of(&file.path), flaw));
    let missing: Vec<Target> = expected.targets.difference(cubins).copied().collect();
    if !missing.is_empty() {
        let present = cubins.iter().copied().collect();
        add(
            Severity::Error,
            Flaw::MachineCodeMissing {
                targets: missing,
                present,
            },
        );
    }
    let unexpected: Vec<Target> = cubins.difference(&expected.targets).copied().collect();
    if !unexpected.is_empty() {
        add(
            Severity::Error,
            Flaw::MachineCodeUnexpected {
                targets: unexpected,
            },
        );
    }
    let unexpected_ptx = match &expected.ptx {
        PtxExpectation::Any if ptx.is_empty() => {
            add(Severity::Error, Flaw::PtxMissing { target: None });
            Vec::new()
        }
        PtxExpectation::Any => Vec::new(),
        PtxExpectation::None => ptx.iter().copied().collect(),
        PtxExpectation::Targets(targets) => {
            for target in targets.difference(ptx) {
                add(
                    Severity::Error,
                    Flaw::PtxMissing {
                        target: Some(*target),
                    },
                );
            }
            ptx.difference(targets).copied().collect()
        }
    };
    if !unexpected_ptx.is_empty() {
        add(
            Severity::Warning,
            Flaw::PtxUnexpected {
                targets: unexpected_ptx,
            },
        );
    }
}
