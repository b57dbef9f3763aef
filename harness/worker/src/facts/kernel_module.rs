//! Reads `/proc/driver/nvidia/version`, which says which kernel module is loaded.

use cudacheck_model::facts::{KernelModule, ModuleFlavour};
use cudacheck_model::version::DriverVersion;

/// The module that the text names. The text has two forms:
/// `NVIDIA UNIX x86_64 Kernel Module  535.261.03  …` and `NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  …`.
/// On a Jetson of JetPack 5 the version is that of L4T.
pub(super) fn parse(text: &str) -> Option<KernelModule> {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("NVRM version:"))?;
    let (before, after) = line.split_once("Kernel Module")?;
    let version = after
        .split_whitespace()
        .find_map(|word| word.parse::<DriverVersion>().ok())?;
    let open = before.split_whitespace().any(|word| word == "Open");
    Some(KernelModule {
        version,
        flavour: if open {
            ModuleFlavour::Open
        } else {
            ModuleFlavour::Proprietary
        },
    })
}

/// The architecture that the text names, as `uname -m` prints it.
pub(super) fn architecture(text: &str) -> Option<&str> {
    text.split_whitespace()
        .find(|word| matches!(*word, "x86_64" | "aarch64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", tail in ".*") {
            let _ = parse(&text);
            let _ = parse(&format!("NVRM version: {text} Kernel Module{tail}"));
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, ModuleFlavour, &str)>) {
        let module = parse(text);
        let found = module.as_ref().map(|module| {
            (
                module.version.to_string(),
                module.flavour,
                architecture(text).unwrap_or("none").to_owned(),
            )
        });
        let expected = expected.map(|(version, flavour, architecture)| {
            (version.to_owned(), flavour, architecture.to_owned())
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn both_forms_are_read() {
        use ModuleFlavour::{Open, Proprietary};
        check(
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.261.03  Sat Jun 28 00:12:33 UTC 2025\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n",
            Some(("535.261.03", Proprietary, "x86_64")),
        );
        check(
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (dvs-builder@U22-I3-AE18-23-3)  Tue Sep 23 10:11:16 UTC 2025\n",
            Some(("580.95.05", Open, "x86_64")),
        );
        check(
            "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  35.4.1  Release Build\nGCC version\n",
            Some(("35.4.1", Open, "aarch64")),
        );
        check(
            "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.00  Release Build\n",
            Some(("580.00", Open, "aarch64")),
        );
        check("NVRM version: NVIDIA UNIX x86_64 Kernel Module\n", None);
        check("GCC version: 12.2.0\n", None);
        check("", None);
    }
}
