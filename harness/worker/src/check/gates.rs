//! Whether a kernel can be judged on this device at all: a check that cannot be made is skipped, not passed.

use cudacheck_kernels::{Attribute, Header, Kernel};
use cudacheck_model::catalogue::newest_ptx_isa;
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::version::{ComputeCapability, ToolkitVersion};

/// The oldest CUDA version whose driver has what cudarc's contexts ask for: memory pools came with it.
const OLDEST_CUDA: ToolkitVersion = ToolkitVersion::new(11, 2);

/// What is missing in the driver.
pub(super) fn driver(cuda: ToolkitVersion, header: Header) -> Option<SkipReason> {
    if cuda < OLDEST_CUDA {
        return Some(SkipReason::CudaVersion {
            needs: OLDEST_CUDA,
            has: cuda,
        });
    }
    match newest_ptx_isa(cuda) {
        None => Some(SkipReason::UnknownFact {
            what: format!("the PTX ISA of a driver that supports CUDA {cuda}"),
        }),
        Some(has) if has < header.isa => Some(SkipReason::PtxIsa {
            needs: header.isa,
            has,
        }),
        Some(_) => None,
    }
}

/// What is missing in the device. `attribute` answers with a `CUdevice_attribute`'s value.
pub(super) fn device(
    kernel: &Kernel,
    header: Header,
    capability: ComputeCapability,
    attribute: impl Fn(Attribute) -> Option<i32>,
) -> Option<SkipReason> {
    if !header.target.ptx_runs_on(capability) {
        return Some(SkipReason::Capability {
            needs: header.target,
            has: capability,
        });
    }
    kernel.needs.iter().find_map(|need| {
        let name = need.attribute.label();
        match attribute(need.attribute) {
            None => Some(SkipReason::UnknownFact {
                what: format!("the device's {name}"),
            }),
            Some(has) if has < need.at_least => Some(SkipReason::Attribute {
                attribute: name.to_owned(),
                needs: need.at_least,
                has,
            }),
            Some(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cudacheck_kernels::Need;
    use cudacheck_model::version::{PtxIsa, Target};

    #[track_caller]
    fn check_driver(cuda: &str, isa: &str, expected: Option<SkipReason>) {
        let header = Header {
            isa: isa.parse().unwrap(),
            target: "sm_50".parse().unwrap(),
        };
        assert_eq!(driver(cuda.parse().unwrap(), header), expected);
    }

    #[test]
    fn a_driver_must_know_the_instruction_set() {
        check_driver("11.4", "7.4", None);
        check_driver(
            "11.4",
            "7.8",
            Some(SkipReason::PtxIsa {
                needs: PtxIsa::new(7, 8),
                has: PtxIsa::new(7, 4),
            }),
        );
        check_driver(
            "11.0",
            "6.0",
            Some(SkipReason::CudaVersion {
                needs: ToolkitVersion::new(11, 2),
                has: ToolkitVersion::new(11, 0),
            }),
        );
    }

    const NEEDY: Kernel = Kernel {
        name: "needy",
        summary: "",
        ptx: ".version 7.0\n.target sm_80\n",
        needs: &[Need {
            attribute: Attribute::CooperativeLaunch,
            at_least: 1,
        }],
        program: |_, _| unreachable!("gates run nothing"),
    };

    #[track_caller]
    fn check_device(capability: &str, cooperative: Option<i32>, expected: Option<SkipReason>) {
        let capability = capability.parse().unwrap();
        let reason = device(&NEEDY, NEEDY.header(), capability, |attribute| {
            assert_eq!(attribute, Attribute::CooperativeLaunch);
            cooperative
        });
        assert_eq!(reason, expected);
    }

    #[test]
    fn a_device_must_have_target_and_attributes() {
        let name = Attribute::CooperativeLaunch.label();
        check_device("8.7", Some(1), None);
        check_device(
            "7.2",
            Some(1),
            Some(SkipReason::Capability {
                needs: Target::baseline(8, 0),
                has: ComputeCapability::new(7, 2),
            }),
        );
        check_device(
            "8.7",
            Some(0),
            Some(SkipReason::Attribute {
                attribute: name.to_owned(),
                needs: 1,
                has: 0,
            }),
        );
        check_device(
            "8.7",
            None,
            Some(SkipReason::UnknownFact {
                what: format!("the device's {name}"),
            }),
        );
    }
}
