//! What an OpenCV was built with and for.

use std::fmt::Write as _;

use cudacheck_model::compat::Gpu;
use cudacheck_model::version::ComputeCapability;

use super::super::Stop;
use super::ffi::Core;

/// Thor was `sm_101` up to toolkit 12.9 and is `sm_110` since.
const THOR: (ComputeCapability, ComputeCapability) =
    (ComputeCapability::new(10, 1), ComputeCapability::new(11, 0));

/// The text of `cv::getBuildInformation`; empty where it has another C++ library's string.
pub(super) struct BuildInformation(String);

/// The architectures that `cv::cuda::TargetArchs` knows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Architectures {
    pub(super) machine_code: Vec<ComputeCapability>,
    pub(super) ptx: Vec<ComputeCapability>,
}

impl BuildInformation {
    pub(super) fn of(core: &Core<'_>) -> Self {
        let found = core.build_information().value;
        Self(found.map(|text| text.text()).unwrap_or_default())
    }

    /// The toolkit, as `12.9`, from a line like `NVIDIA CUDA:   YES (ver 12.9.1, CUFFT CUBLAS)`.
    pub(super) fn cuda(&self) -> Option<String> {
        let (_, version) = self.line("NVIDIA CUDA:")?.split_once("(ver ")?;
        let end = version.find([',', ')'])?;
        Some(version[..end].trim().to_owned())
    }

    /// Whether it says so. An OpenCV whose text cannot be had says nothing.
    pub(super) fn is_without_cuda(&self) -> bool {
        !self.0.is_empty()
            && !self
                .line("NVIDIA CUDA:")
                .is_some_and(|line| line.starts_with("YES"))
    }

    /// The architectures that it tells of; none if it does not tell, or in words that are none of numbers.
    pub(super) fn architectures(&self) -> Option<Architectures> {
        let of = |title| {
            let words = self.line(title)?.split_whitespace();
            let mut found = words
                .map(|word| {
                    let number: u32 = word.replace('.', "").parse().ok()?;
                    Some(ComputeCapability::new(number / 10, number % 10))
                })
                .collect::<Option<Vec<_>>>()?;
            found.sort_unstable();
            found.dedup();
            Some(found)
        };
        Some(Architectures {
            machine_code: of("NVIDIA GPU arch:")?,
            ptx: of("NVIDIA PTX archs:")?,
        })
    }

    fn line(&self, title: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| Some(line.trim().strip_prefix(title)?.trim()))
    }
}

impl Architectures {
    /// Asks for every architecture that there is or may be.
    pub(super) fn ask(
        has: impl Fn(ComputeCapability) -> Result<(bool, bool), Stop>,
    ) -> Result<Self, Stop> {
        let mut found = Self::default();
        for major in 2..=15 {
            for minor in 0..=9 {
                let capability = ComputeCapability::new(major, minor);
                let (machine_code, ptx) = has(capability)?;
                if machine_code {
                    found.machine_code.push(capability);
                }
                if ptx {
                    found.ptx.push(capability);
                }
            }
        }
        Ok(found)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.machine_code.is_empty() && self.ptx.is_empty()
    }

    /// Whether it has PTX that the driver can compile for a device, or machine code of its own major version and no
    /// later minor one, which NVIDIA supports from one desktop device to another and not to or from a Tegra.
    pub(super) fn reaches(&self, device: ComputeCapability) -> bool {
        let tegra = |it: ComputeCapability| Gpu::device(0, "", it).is_tegra();
        let native = |code: &ComputeCapability| {
            let desktop = !tegra(device) && !tegra(*code);
            *code == device
                || desktop && code.major == device.major && *code <= device
                || (*code, device) == THOR
        };
        self.machine_code.iter().any(native) || self.ptx.iter().any(|ptx| *ptx <= device)
    }

    /// `machine code for sm_80, sm_86 and no PTX`.
    pub(super) fn text(&self) -> String {
        let mut text = match self.machine_code.as_slice() {
            [] => "no machine code".to_owned(),
            some => format!("machine code for {}", Self::list(some)),
        };
        let _ = match self.ptx.as_slice() {
            [] => write!(text, " and no PTX"),
            some => write!(text, " and PTX for {}", Self::list(some)),
        };
        text
    }

    /// `sm_80, sm_86`, or `none`.
    pub(super) fn list(capabilities: &[ComputeCapability]) -> String {
        if capabilities.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<String> = capabilities.iter().map(|it| it.sm()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(machine_code: &[(u32, u32)], ptx: &[(u32, u32)]) -> Architectures {
        let of = |list: &[(u32, u32)]| {
            let capability = |(major, minor): &(u32, u32)| ComputeCapability::new(*major, *minor);
            list.iter().map(capability).collect()
        };
        Architectures {
            machine_code: of(machine_code),
            ptx: of(ptx),
        }
    }

    #[track_caller]
    fn check(built: &Architectures, device: (u32, u32), expected: bool) {
        let device = ComputeCapability::new(device.0, device.1);
        assert_eq!(built.reaches(device), expected, "{device:?}");
    }

    #[test]
    fn machine_code_reaches_later_minor_versions_and_ptx_all_later_ones() {
        let both = built(&[(8, 0), (8, 7)], &[(9, 0)]);
        check(&both, (8, 0), true);
        check(&both, (8, 6), true);
        check(&both, (7, 5), false);
        check(&both, (9, 0), true);
        check(&both, (12, 0), true);
        check(&built(&[(9, 0)], &[]), (8, 9), false);
        check(&built(&[(8, 9)], &[]), (8, 6), false);
        check(&built(&[(8, 6)], &[]), (8, 7), false);
        check(&built(&[(8, 7)], &[]), (8, 7), true);
        check(&built(&[(8, 7)], &[]), (8, 9), false);
        check(&built(&[(10, 1)], &[]), (11, 0), true);
        assert_eq!(
            both.text(),
            "machine code for sm_80, sm_87 and PTX for sm_90"
        );
        assert_eq!(built(&[], &[]).text(), "no machine code and no PTX");
    }

    #[test]
    fn the_build_information_tells_of_cuda() {
        let with = "\n  NVIDIA CUDA:        YES (ver 12.9.1, CUFFT CUBLAS)\n    NVIDIA GPU arch:  80 120\n    NVIDIA PTX archs:\n";
        let with = BuildInformation(with.to_owned());
        assert_eq!(with.cuda().as_deref(), Some("12.9.1"));
        assert!(!with.is_without_cuda());
        assert_eq!(with.architectures(), Some(built(&[(8, 0), (12, 0)], &[])));
        let without = BuildInformation("General configuration for OpenCV 4.6.0\n".to_owned());
        assert!(without.is_without_cuda());
        assert!(BuildInformation("  NVIDIA CUDA: NO\n".to_owned()).is_without_cuda());
        assert!(!BuildInformation(String::new()).is_without_cuda());
    }
}
