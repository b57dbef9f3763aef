//! What the planner must know of the checks that exist, without knowing how they work.
//!
//! The kernels live in a crate that the runner does not see; this is the list it is handed instead.

use serde::{Deserialize, Serialize};

use crate::version::{PtxIsa, Target};

/// The kernels that a suite may name, in the order in which they are listed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Catalogue {
    /// All kernels.
    pub kernels: Vec<KernelNeeds>,
}

impl Catalogue {
    /// The needs of the kernel of this name.
    pub fn kernel(&self, name: &str) -> Option<&KernelNeeds> {
        self.kernels.iter().find(|kernel| kernel.name == name)
    }
}

/// What one kernel asks of driver and device before it may be judged.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct KernelNeeds {
    /// The name in suites.
    pub name: String,
    /// One sentence: what it exercises, and what its failure tells.
    pub summary: String,
    /// The PTX instruction set that the driver must know.
    pub isa: PtxIsa,
    /// What the device must be at least.
    pub target: Target,
    /// Lower bounds on device attributes.
    pub attributes: Vec<AttributeNeed>,
}

/// A device attribute with a lower bound.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AttributeNeed {
    /// The number in `CUdevice_attribute` of `cuda.h`.
    pub number: i32,
    /// A name for people: `cooperative launch`.
    pub name: String,
    /// The lowest sufficient value.
    pub at_least: i32,
}

/// The newest PTX ISA that a driver's just-in-time compiler accepts, by the CUDA version it supports.
///
/// From the release table of NVIDIA's PTX ISA document. A version of CUDA that is not listed accepts what
/// the newest listed one before it accepts: a bound, never more than is known.
pub fn newest_ptx_isa(cuda: crate::version::ToolkitVersion) -> Option<PtxIsa> {
    /// CUDA major and minor, PTX ISA major and minor.
    type Row = ((u32, u32), (u32, u32));
    const TABLE: &[Row] = &[
        ((8, 0), (5, 0)),
        ((9, 0), (6, 0)),
        ((9, 1), (6, 1)),
        ((9, 2), (6, 2)),
        ((10, 0), (6, 3)),
        ((10, 1), (6, 4)),
        ((10, 2), (6, 5)),
        ((11, 0), (7, 0)),
        ((11, 1), (7, 1)),
        ((11, 2), (7, 2)),
        ((11, 3), (7, 3)),
        ((11, 4), (7, 4)),
        ((11, 5), (7, 5)),
        ((11, 6), (7, 6)),
        ((11, 7), (7, 7)),
        ((11, 8), (7, 8)),
        ((12, 0), (8, 0)),
        ((12, 1), (8, 1)),
        ((12, 2), (8, 2)),
        ((12, 3), (8, 3)),
        ((12, 4), (8, 4)),
        ((12, 5), (8, 5)),
        ((12, 7), (8, 6)),
        ((12, 8), (8, 7)),
        ((12, 9), (8, 8)),
        ((13, 0), (9, 0)),
        ((13, 1), (9, 1)),
        ((13, 2), (9, 2)),
        ((13, 3), (9, 3)),
        ((13, 4), (9, 4)),
        ((13, 5), (9, 5)),
    ];
    let known = TABLE
        .iter()
        .take_while(|((major, minor), _)| (*major, *minor) <= (cuda.major, cuda.minor));
    known
        .last()
        .map(|(_, (major, minor))| PtxIsa::new(*major, *minor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ToolkitVersion;

    #[track_caller]
    fn check(cuda: &str, isa: Option<&str>) {
        let newest = newest_ptx_isa(cuda.parse::<ToolkitVersion>().unwrap());
        assert_eq!(newest.map(|isa| isa.to_string()).as_deref(), isa);
    }

    #[test]
    fn a_driver_accepts_what_its_cuda_version_brought() {
        check("11.4", Some("7.4"));
        check("12.6", Some("8.5"));
        check("13.0", Some("9.0"));
        check("14.0", Some("9.5"));
        check("6.5", None);
    }
}
