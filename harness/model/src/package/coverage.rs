//! Which devices a package has code for: the verdict that can be had before anything is downloaded or run.
//!
//! A container is a translation unit. A device needs one entry of it that it can run: machine code for it, or PTX
//! that its driver compiles. The rules are those of the CUDA C++ Programming Guide, "Binary compatibility" and
//! "PTX compatibility". None of them has been seen on hardware here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CodeSection, FoundBy, Loadable};
use crate::version::{ComputeCapability, PtxIsa, Target, TargetReach};

/// What a device finds in the containers of a library or a package.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Coverage {
    /// The one word for it.
    pub verdict: CoverageVerdict,
    /// Containers with machine code that the device runs.
    pub native: u64,
    /// Containers without, but with PTX that the driver compiles for it.
    pub jit: u64,
    /// Containers with code for other devices only.
    pub unusable: u64,
    /// Containers of one piece of code each for other devices, beside others of the same kind that the device can use.
    pub passed_over: u64,
    /// Containers of which nothing is loaded as it is: intermediate code that is linked first, or no kernels.
    pub not_loadable: u64,
    /// Containers that are not known well enough.
    pub unknown: u64,
}

/// What a device can do with a library or a package.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageVerdict {
    /// All containers have machine code for it.
    Native,
    /// All containers can be used, some only after the driver has compiled them.
    Jit,
    /// Some containers can be used, and some cannot.
    Partial,
    /// No container can be used.
    None,
    /// There is no code that could be loaded, or it is not known well enough.
    Unknown,
}

/// What a device finds in these sections, with a driver whose newest version of PTX is given, if it is known.
pub fn coverage<'a>(
    sections: impl IntoIterator<Item = &'a CodeSection>,
    device: ComputeCapability,
    newest_ptx: Option<PtxIsa>,
) -> Coverage {
    let mut sum = Coverage {
        verdict: CoverageVerdict::Unknown,
        native: 0,
        jit: 0,
        unusable: 0,
        passed_over: 0,
        not_loadable: 0,
        unknown: 0,
    };
    for section in sections {
        let mut found = one_section(section, device, newest_ptx);
        if is_one_piece_each(section) && found.native + found.jit > 0 {
            // Such a library looks up the piece for its device by name, and PTX only where there is no machine code.
            found.passed_over += std::mem::take(&mut found.unusable);
            if found.native > 0 {
                found.passed_over += std::mem::take(&mut found.jit);
            }
        }
        sum.native += found.native;
        sum.jit += found.jit;
        sum.unusable += found.unusable;
        sum.passed_over += found.passed_over;
        sum.not_loadable += found.not_loadable;
        sum.unknown += found.unknown;
    }
    sum.verdict = match sum {
        Coverage { unknown: 1.., .. } => CoverageVerdict::Unknown,
        Coverage {
            native: 0,
            jit: 0,
            unusable: 0,
            ..
        } => CoverageVerdict::Unknown,
        Coverage {
            native: 0, jit: 0, ..
        } => CoverageVerdict::None,
        Coverage { unusable: 1.., .. } => CoverageVerdict::Partial,
        Coverage { jit: 1.., .. } => CoverageVerdict::Jit,
        Coverage { .. } => CoverageVerdict::Native,
    };
    sum
}

/// Whether a library keeps each piece of its code in a container of its own, as cuFFT does.
fn is_one_piece_each(section: &CodeSection) -> bool {
    section.found_by == FoundBy::DeepScan
        && section
            .profiles
            .iter()
            .all(|profile| profile.loadable.len() <= 1)
}

fn one_section(
    section: &CodeSection,
    device: ComputeCapability,
    newest_ptx: Option<PtxIsa>,
) -> Coverage {
    let mut counts = Coverage {
        verdict: CoverageVerdict::Unknown,
        native: 0,
        jit: 0,
        unusable: 0,
        passed_over: 0,
        not_loadable: 0,
        unknown: section.containers_without_profile,
    };
    for profile in &section.profiles {
        let any = |runs: &dyn Fn(&Loadable) -> bool| profile.loadable.iter().any(runs);
        let cubin = |code: &Loadable| matches!(code, Loadable::Cubin(target) if machine_code_runs_on(*target, device));
        let ptx = |code: &Loadable| matches!(code, Loadable::Ptx(target, isa) if ptx_runs_on(*target, *isa, device, newest_ptx));
        let kind = if profile.loadable.is_empty() {
            &mut counts.not_loadable
        } else if any(&cubin) {
            &mut counts.native
        } else if any(&ptx) {
            &mut counts.jit
        } else {
            &mut counts.unusable
        };
        *kind += profile.containers;
    }
    counts
}

/// Devices of Jetson boards, for which machine code is compatible with nothing but itself.
///
/// 8.8 and 10.1 are only known to compilers; 10.1 is what toolkits before 13 call 11.0.
/// NVIDIA lists the others at <https://developer.nvidia.com/cuda-gpus>, Jetson.
const TEGRA: [ComputeCapability; 8] = [
    ComputeCapability::new(3, 2),
    ComputeCapability::new(5, 3),
    ComputeCapability::new(6, 2),
    ComputeCapability::new(7, 2),
    ComputeCapability::new(8, 7),
    ComputeCapability::new(8, 8),
    ComputeCapability::new(10, 1),
    ComputeCapability::new(11, 0),
];

/// Whether a device is on a Jetson board.
pub fn is_tegra(device: ComputeCapability) -> bool {
    TEGRA.contains(&device)
}

/// Whether machine code for a target runs on a device: within a major version, on the same minor version or a later
/// one, and never between cards and Jetson boards.
pub fn machine_code_runs_on(target: Target, device: ComputeCapability) -> bool {
    let made_for = target.capability;
    if is_tegra(made_for) || is_tegra(device) {
        return made_for == device;
    }
    match target.reach {
        TargetReach::Baseline | TargetReach::Family => {
            made_for.major == device.major && made_for.minor <= device.minor
        }
        TargetReach::Architecture => made_for == device,
    }
}

/// Whether a driver that knows PTX up to a version compiles PTX of a version and a target for a device.
fn ptx_runs_on(
    target: Target,
    isa: PtxIsa,
    device: ComputeCapability,
    newest: Option<PtxIsa>,
) -> bool {
    let known = newest.is_none_or(|newest| isa <= newest);
    // The assembler of toolkit 13 takes `sm_101a` and `sm_101f` for what it calls `sm_110a` and `sm_110f`.
    let renamed = target.capability == ComputeCapability::new(10, 1)
        && device == ComputeCapability::new(11, 0);
    known && (renamed || target.ptx_runs_on(device))
}

#[cfg(test)]
mod tests {
    use super::super::ContainerProfile;
    use super::*;
    use crate::compat::{GpuKind, tables};

    /// A section with one container for each text of targets: `sm_80 ptx_90:8.0`.
    fn section(containers: &[&str]) -> CodeSection {
        let loadable = |text: &str| match text
            .strip_prefix("ptx_")
            .and_then(|text| text.split_once(':'))
        {
            Some((target, isa)) => Loadable::Ptx(
                format!("sm_{target}").parse().unwrap(),
                isa.parse().unwrap(),
            ),
            None => Loadable::Cubin(text.parse().unwrap()),
        };
        let profiles = containers.iter().map(|text| ContainerProfile {
            containers: 1,
            loadable: text.split_whitespace().map(loadable).collect(),
        });
        CodeSection {
            name: ".nv_fatbin".to_owned(),
            found_by: FoundBy::FatbinSection,
            containers: containers.len() as u64,
            entries: 0,
            groups: Vec::new(),
            profiles: profiles.collect(),
            containers_without_profile: 0,
            options: Vec::new(),
            identifiers: Vec::new(),
        }
    }

    #[track_caller]
    fn check(containers: &[&str], device: &str, expected: CoverageVerdict) {
        let found = coverage(
            [&section(containers)],
            device.parse().unwrap(),
            Some(PtxIsa::new(8, 4)),
        );
        assert_eq!(found.verdict, expected, "{found:?}");
        let used = found.native + found.jit + found.unusable + found.passed_over;
        let total = used + found.not_loadable + found.unknown;
        assert_eq!(total, containers.len() as u64);
    }

    #[test]
    fn machine_code_is_for_its_major_version() {
        use CoverageVerdict::{Native, None};
        check(&["sm_80"], "8.0", Native);
        check(&["sm_80"], "8.6", Native);
        check(&["sm_86"], "8.0", None);
        check(&["sm_80"], "9.0", None);
        check(&["sm_70 sm_80", "sm_86"], "8.9", Native);
        check(&["sm_90a"], "9.0", Native);
        check(&["sm_100a"], "10.3", None);
        check(&["sm_100f"], "10.3", Native);
        check(&["sm_100f"], "12.0", None);
    }

    #[test]
    fn machine_code_of_cards_is_not_that_of_jetson_boards() {
        use CoverageVerdict::{Native, None};
        check(&["sm_80 sm_86"], "8.7", None);
        check(&["sm_87"], "8.7", Native);
        check(&["sm_87"], "8.9", None);
        check(&["sm_72"], "7.5", None);
        check(&["sm_70"], "7.2", None);
        check(&["sm_110f"], "11.0", Native);
        check(&["sm_101"], "11.0", None);
    }

    #[test]
    fn jetson_boards_are_those_of_the_table_of_gpus() {
        let mut tegra = Vec::new();
        for known in &tables::gpus().capabilities {
            let in_table = known.kind == GpuKind::Tegra;
            assert_eq!(is_tegra(known.capability), in_table, "{}", known.capability);
            tegra.extend(in_table.then_some(known.capability));
        }
        assert_eq!(tegra, TEGRA);
    }

    #[test]
    fn ptx_is_compiled_for_later_devices_by_drivers_that_know_its_version() {
        use CoverageVerdict::{Jit, None};
        check(&["sm_80 ptx_80:8.4"], "9.0", Jit);
        check(&["sm_80 ptx_80:8.4"], "8.7", Jit);
        check(&["sm_80 ptx_80:8.5"], "9.0", None);
        check(&["ptx_90:8.0"], "8.9", None);
        check(&["ptx_90a:8.0"], "10.0", None);
        check(&["ptx_101a:8.4"], "11.0", Jit);
    }

    #[test]
    fn every_container_counts_but_those_that_are_not_loaded() {
        use CoverageVerdict::{Jit, Native, Partial, Unknown};
        check(&["sm_80", "ptx_80:8.0"], "8.0", Jit);
        check(&["sm_80", "sm_90"], "8.0", Partial);
        check(&["sm_80", ""], "8.0", Native);
        check(&[""], "8.0", Unknown);
        check(&[], "8.0", Unknown);
    }

    #[test]
    fn a_library_with_one_piece_in_each_container_is_judged_as_a_whole() {
        let mut section = section(&["sm_80", "sm_90", "ptx_70:7.0", ""]);
        section.found_by = FoundBy::DeepScan;
        let judge = |device: &str| {
            let found = coverage([&section], device.parse().unwrap(), None);
            (
                found.verdict,
                found.native,
                found.jit,
                found.unusable,
                found.passed_over,
            )
        };
        assert_eq!(judge("8.6"), (CoverageVerdict::Native, 1, 0, 0, 2));
        assert_eq!(judge("8.7"), (CoverageVerdict::Jit, 0, 1, 0, 2));
        assert_eq!(judge("6.0"), (CoverageVerdict::None, 0, 0, 3, 0));
    }

    #[test]
    fn what_was_not_kept_is_not_judged() {
        let mut section = section(&["sm_80"]);
        section.containers_without_profile = 1;
        let found = coverage([&section], ComputeCapability::new(8, 0), None);
        assert_eq!(
            (found.verdict, found.native, found.unknown),
            (CoverageVerdict::Unknown, 1, 1)
        );
    }
}
