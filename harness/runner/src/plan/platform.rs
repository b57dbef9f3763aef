//! Which of NVIDIA's platforms a machine is.

use cudacheck_model::facts::MachineFacts;
use cudacheck_model::suite::Platform;

/// The platform for which NVIDIA would redistribute CUDA for this machine.
///
/// Jetsons up to Orin have a platform of their own; Thor takes the one of Arm servers. None if the
/// architecture is unknown or NVIDIA does not serve it.
pub fn platform(facts: &MachineFacts) -> Option<Platform> {
    match facts.host.architecture.as_deref()? {
        "x86_64" => Some(Platform::LinuxX86_64),
        "aarch64" if old_jetson(facts) => Some(Platform::LinuxAarch64),
        "aarch64" => Some(Platform::LinuxSbsa),
        "ppc64le" => Some(Platform::LinuxPpc64le),
        _ => None,
    }
}

fn old_jetson(facts: &MachineFacts) -> bool {
    let Some(jetson) = &facts.jetson else {
        return false;
    };
    // tegra264 is Thor's chip; its GPU is the first of a Jetson with a capability of two digits.
    let thor_chip = jetson.soc.as_deref() == Some("tegra264");
    let thor_gpu = facts
        .devices
        .iter()
        .any(|device| device.compute_capability.major >= 10);
    !thor_chip && !thor_gpu
}

/// NVIDIA's name for it.
pub(super) fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxX86_64 => "linux-x86_64",
        Platform::LinuxSbsa => "linux-sbsa",
        Platform::LinuxAarch64 => "linux-aarch64",
        Platform::LinuxPpc64le => "linux-ppc64le",
    }
}
