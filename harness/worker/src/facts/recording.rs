//! Records a machine as a folder of small files, and reads such a folder in place of a driver.
//!
//! The files that facts are read from are kept as they are, so that a better reader finds more in an old
//! recording. Libraries are not kept: what was found of them, and what they answered, is in `facts.json`.

use std::fs;
use std::io;
use std::path::Path;

use cudacheck_model::facts::MachineFacts;

use super::root::{Links, Root};

/// Where a recording keeps the facts.
const FACTS: &str = "/cudacheck/facts.json";

/// The files that a probe reads, apart from libraries and the loader's cache of them.
const FILES: &[&str] = &[
    "/proc/driver/nvidia/version",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/arch",
    "/proc/meminfo",
    "/etc/os-release",
    "/etc/nv_tegra_release",
    "/proc/device-tree/model",
    "/proc/device-tree/compatible",
    "/sys/firmware/devicetree/base/model",
    "/sys/firmware/devicetree/base/compatible",
];

/// Writes a recording of the machine below `sysroot`, of which `facts` is known, into the folder `into`.
///
/// # Errors
///
/// When a file cannot be written.
pub fn record(facts: &MachineFacts, sysroot: &Path, into: &Path) -> io::Result<()> {
    let root = Root::new(sysroot, Links::Inside);
    let write = |path: &str, bytes: &[u8]| {
        let file = into.join(path.trim_start_matches('/'));
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, bytes)
    };
    for path in FILES {
        if let Some(bytes) = root.read(path) {
            write(path, &bytes)?;
        }
    }
    let mut text = serde_json::to_string_pretty(facts)?;
    text.push('\n');
    write(FACTS, text.as_bytes())
}

/// The facts of a recording, if the root is one. A damaged recording is none.
pub(super) fn read(root: &Root) -> Option<MachineFacts> {
    serde_json::from_slice(&root.read(FACTS)?).ok()
}

/// Facts of a recording: what files say anew, and the rest as it was recorded.
pub(super) fn combine(read: MachineFacts, recorded: MachineFacts) -> MachineFacts {
    let mut facts = recorded;
    facts.simulated = read.simulated.or(facts.simulated);
    facts.host.name = read.host.name.or(facts.host.name);
    facts.host.kernel = read.host.kernel.or(facts.host.kernel);
    facts.host.distribution = read.host.distribution.or(facts.host.distribution);
    facts.host.memory_bytes = read.host.memory_bytes.or(facts.host.memory_bytes);
    facts.driver.kernel_module = read.driver.kernel_module.or(facts.driver.kernel_module);
    facts.jetson = read.jetson.or(facts.jetson);
    facts
}
