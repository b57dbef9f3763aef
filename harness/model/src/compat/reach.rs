//! Which code runs on which device: machine code within its major version, PTX from its target on.

use super::gpu::{GpuKind, kind};
use super::tables::{self, Confidence};
use crate::version::{ComputeCapability, Target, TargetReach};

/// Whether code runs on a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fit {
    /// It does.
    Runs(Confidence),
    /// It may, but NVIDIA says that desktop and Tegra do not share machine code.
    NotSupported,
    /// Nobody knows.
    Unknown,
    /// It does not.
    No,
}

/// Thor was `sm_101` up to toolkit 12.9 and is `sm_110` since.
const THOR: (ComputeCapability, ComputeCapability) =
    (ComputeCapability::new(10, 1), ComputeCapability::new(11, 0));

/// Whether machine code for a target runs on a device.
///
/// CUDA programming guide, "Binary Compatibility"; what `nvlink` 13.5 accepts agrees where it can be compared.
pub(super) fn machine_code_runs(target: Target, device: ComputeCapability) -> Fit {
    if (target.capability, device) == THOR {
        return Fit::Unknown;
    }
    let fits = match target.reach {
        TargetReach::Architecture => device == target.capability,
        TargetReach::Family => family(target.capability).contains(&device),
        TargetReach::Baseline => {
            device.major == target.capability.major && device.minor >= target.capability.minor
        }
    };
    let tegra = [target.capability, device].map(|each| kind(each) == Some(GpuKind::Tegra));
    match () {
        () if !fits => Fit::No,
        () if device == target.capability => Fit::Runs(Confidence::High),
        () if tegra.contains(&true) => Fit::NotSupported,
        () if kind(device).is_none() => Fit::Unknown,
        // Volta's code on Turing: by the general rule, but no tool of ours could show it.
        () if device.major == 7 => Fit::Runs(Confidence::Medium),
        () => Fit::Runs(Confidence::High),
    }
}

/// Whether PTX for a target can be compiled for a device.
///
/// CUDA programming guide, "PTX Compatibility"; agrees with what `ptxas` 12.9 and 13.5 accept.
pub(super) fn ptx_reaches(target: Target, device: ComputeCapability) -> bool {
    match target.reach {
        TargetReach::Baseline => device >= target.capability,
        TargetReach::Family => family(target.capability).contains(&device),
        TargetReach::Architecture => {
            device == target.capability || (target.capability, device) == THOR
        }
    }
}

fn family(capability: ComputeCapability) -> &'static [ComputeCapability] {
    tables::generation(capability).map_or(&[], |generation| &generation.family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn code(target: &str, device: &str, expected: Fit) {
        let device = device.parse().unwrap();
        assert_eq!(
            machine_code_runs(target.parse().unwrap(), device),
            expected,
            "{target}"
        );
    }

    #[test]
    fn machine_code_runs_on_later_minors_of_its_major() {
        const YES: Fit = Fit::Runs(Confidence::High);
        code("sm_80", "8.6", YES);
        code("sm_86", "8.0", Fit::No);
        code("sm_80", "9.0", Fit::No);
        code("sm_90a", "9.0", YES);
        code("sm_100a", "10.3", Fit::No);
        code("sm_100f", "10.3", YES);
        code("sm_100f", "10.7", YES);
        code("sm_103f", "10.0", Fit::No);
        code("sm_120f", "12.1", YES);
        code("sm_100f", "12.0", Fit::No);
        code("sm_70", "7.5", Fit::Runs(Confidence::Medium));
        code("sm_86", "8.7", Fit::NotSupported);
        code("sm_87", "8.9", Fit::NotSupported);
        code("sm_101", "11.0", Fit::Unknown);
        code("sm_120", "12.5", Fit::Unknown);
    }

    #[test]
    fn ptx_reaches_further() {
        let reaches = |target: &str, device: &str| {
            ptx_reaches(target.parse().unwrap(), device.parse().unwrap())
        };
        assert!(reaches("compute_80", "12.0"));
        assert!(!reaches("compute_101", "10.0") && !reaches("compute_110", "10.3"));
        assert!(reaches("compute_101a", "11.0") && reaches("compute_101f", "11.0"));
        assert!(!reaches("compute_90a", "12.0") && reaches("compute_100f", "10.7"));
    }
}
