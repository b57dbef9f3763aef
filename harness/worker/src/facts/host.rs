//! Reads the operating system's own files.

use cudacheck_model::facts::Host;

use super::elf::Architecture;
use super::kernel_module;
use super::root::Root;

/// The operating system below a root.
pub(super) fn find(root: &Root) -> Host {
    let line = |path: &str| {
        let text = root.text(path)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let kernel = line("/proc/sys/kernel/osrelease");
    let wsl = root.has("/usr/lib/wsl/lib")
        || kernel
            .as_deref()
            .is_some_and(|kernel| kernel.to_ascii_lowercase().contains("microsoft"));
    Host {
        name: line("/proc/sys/kernel/hostname"),
        distribution: root
            .text("/etc/os-release")
            .or_else(|| root.text("/usr/lib/os-release"))
            .as_deref()
            .and_then(distribution),
        architecture: architecture(root),
        memory_bytes: root.text("/proc/meminfo").as_deref().and_then(memory_bytes),
        kernel,
        wsl,
    }
}

/// The architecture: this machine's own word for itself, or what a tree's files are made for.
fn architecture(root: &Root) -> Option<String> {
    if root.is_own() {
        let name = rustix::system::uname();
        return Some(name.machine().to_string_lossy().into_owned());
    }
    if let Some(name) = root.text("/proc/sys/kernel/arch") {
        return Some(name.trim().to_owned());
    }
    if let Some(text) = root.text("/proc/driver/nvidia/version")
        && let Some(name) = kernel_module::architecture(&text)
    {
        return Some(name.to_owned());
    }
    const SIGNS: &[(&str, Architecture)] = &[
        ("/lib64/ld-linux-x86-64.so.2", Architecture::X86),
        ("/lib/ld-linux-aarch64.so.1", Architecture::Arm),
        ("/usr/lib/x86_64-linux-gnu", Architecture::X86),
        ("/usr/lib/aarch64-linux-gnu", Architecture::Arm),
        ("/etc/nv_tegra_release", Architecture::Arm),
    ];
    SIGNS
        .iter()
        .find(|(path, _)| root.has(path))
        .map(|(_, architecture)| architecture.name().to_owned())
}

/// `PRETTY_NAME` of `os-release`, whose values may be quoted as in a shell.
fn distribution(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
    let bare = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value);
    let name = bare.replace("\\\"", "\"").replace("\\$", "$");
    (!name.is_empty()).then_some(name)
}

/// `MemTotal` of `/proc/meminfo`, which counts in KiB.
fn memory_bytes(text: &str) -> Option<u64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(distribution(text).as_deref(), expected);
    }

    #[test]
    fn a_distribution_says_its_name() {
        check(
            "ID=nixos\nPRETTY_NAME=\"NixOS 26.05 (Yarara)\"\n",
            Some("NixOS 26.05 (Yarara)"),
        );
        check("PRETTY_NAME='Arch Linux'\n", Some("Arch Linux"));
        check("PRETTY_NAME=Void\n", Some("Void"));
        check("PRETTY_NAME=\"\"\n", None);
        check("NAME=x\n", None);
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        let text = "MemTotal:        6987788 kB\nMemFree:  1 kB\n";
        assert_eq!(memory_bytes(text), Some(6_987_788 * 1024));
        assert_eq!(memory_bytes("MemTotal: many kB\n"), None);
        assert_eq!(memory_bytes(""), None);
    }
}
