//! What a package asks of a system's C and C++ libraries, and up to where a distribution has it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::machine::Machine;
use super::tables::{self, System};
use crate::package::PackageFacts;

/// A version of symbols: `GLIBCXX_3.4.32`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SymbolVersion {
    /// Which library's.
    pub family: Family,
    /// `3.4.32`.
    pub numbers: Vec<u32>,
}

/// Whose versions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Family {
    /// The C library.
    Glibc,
    /// The C++ library.
    Glibcxx,
    /// What C++ programs of one compiler have in common.
    Cxxabi,
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Self::Glibc => "GLIBC",
            Self::Glibcxx => "GLIBCXX",
            Self::Cxxabi => "CXXABI",
        }
    }
}

impl FromStr for SymbolVersion {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (family, numbers) = text.split_once('_').ok_or(())?;
        let family = match family {
            "GLIBC" => Family::Glibc,
            "GLIBCXX" => Family::Glibcxx,
            "CXXABI" => Family::Cxxabi,
            _ => return Err(()),
        };
        // `GLIBC_PRIVATE` and `CXXABI_FLOAT128` are no steps of a line.
        Ok(Self {
            family,
            numbers: numbers_of(numbers).ok_or(())?,
        })
    }
}

impl fmt::Display for SymbolVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        write!(formatter, "{}_{}", self.family.name(), numbers.join("."))
    }
}

impl PartialOrd for SymbolVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.family == other.family).then(|| self.numbers.cmp(&other.numbers))
    }
}

fn numbers_of(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

/// The newest versions that the files of a package need of the system, one of each family.
///
/// Nothing of what the package brings itself, and nothing at all of a package of Nix: its closure has its own
/// libraries.
pub(super) fn needed(facts: &PackageFacts) -> Vec<SymbolVersion> {
    let elfs = || facts.files.iter().filter_map(|file| file.elf.as_ref());
    let of_nix = |text: &str| text.contains("/nix/store/");
    let paths = elfs().flat_map(|elf| [&elf.interpreter, &elf.runpath, &elf.rpath]);
    let mut roots = facts.roots.iter().map(|root| root.display().to_string());
    if roots.any(|root| of_nix(&root)) || paths.flatten().any(|path| of_nix(path)) {
        return Vec::new();
    }
    let own: Vec<&String> = elfs().flat_map(|elf| &elf.provided_versions).collect();
    let mut newest: BTreeMap<Family, SymbolVersion> = BTreeMap::new();
    for needed in elfs().flat_map(|elf| &elf.needed_versions) {
        let versions = needed.versions.iter();
        let versions = versions.filter(|text| !needed.weak.contains(text) && !own.contains(text));
        for version in versions.filter_map(|text| text.parse::<SymbolVersion>().ok()) {
            let known = newest
                .entry(version.family)
                .or_insert_with(|| version.clone());
            if *known < version {
                *known = version;
            }
        }
    }
    newest.into_values().collect()
}

/// The system of a machine, if the tables know it.
pub(super) fn of(machine: &Machine) -> Option<&'static System> {
    let mut all = tables::systems().systems.iter();
    match (&machine.distribution, &machine.jetpack) {
        (Some(name), _) => all.find(|system| {
            let mut named = system.named.iter();
            // `Ubuntu 22.04` begins `Ubuntu 22.04.5 LTS`, and does not begin `Ubuntu 22.041`.
            named.any(|known| {
                let rest = name.strip_prefix(known.as_str());
                rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
            })
        }),
        (None, Some(jetpack)) => all.find(|system| system.jetpacks.contains(&jetpack.major())),
        (None, None) => None,
    }
}

/// The newest version of a family that a system defines.
pub(super) fn newest(system: &System, family: Family) -> Option<SymbolVersion> {
    let text = match family {
        Family::Glibc => &system.glibc,
        Family::Glibcxx => &system.glibcxx,
        Family::Cxxabi => &system.cxxabi,
    };
    Some(SymbolVersion {
        family,
        numbers: numbers_of(text)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::{Package, Prospect, Rule, ask};

    /// What a library needs, in a directory, with a search path.
    fn facts(
        root: &str,
        runpath: Option<&str>,
        needed: &[&str],
        provided: &[&str],
    ) -> PackageFacts {
        let versions = serde_json::json!([{ "file": "libstdc++.so.6", "versions": needed }]);
        let elf = serde_json::json!({
            "class": "elf64", "runpath": runpath, "needed-versions": versions,
            "provided-versions": provided, "executable-stack": "no",
        });
        let file = serde_json::json!({
            "path": format!("{root}/lib/libdemo.so"), "kind": "shared-object", "size": 1,
            "machine": "aarch64", "elf": elf,
        });
        let facts = serde_json::json!({
            "schema": 1, "roots": [root], "files": [file], "warnings": [],
            "counts": {
                "files": 1, "bytes": 1, "files-with-code": 0, "containers": 0, "entries": 0,
            },
        });
        serde_json::from_value(facts).unwrap()
    }

    #[track_caller]
    fn check(facts: &PackageFacts, expected: &[&str]) {
        let needed: Vec<String> = needed(facts).iter().map(ToString::to_string).collect();
        assert_eq!(needed, expected);
    }

    #[test]
    fn the_newest_version_of_each_family_counts() {
        let versions = [
            "GLIBCXX_3.4.9",
            "GLIBCXX_3.4.32",
            "CXXABI_1.3.13",
            "GLIBC_2.4",
            "GLIBC_2.38",
        ];
        let expected = ["GLIBC_2.38", "GLIBCXX_3.4.32", "CXXABI_1.3.13"];
        check(&facts("/p", None, &versions, &[]), &expected);
        check(
            &facts("/p", None, &versions, &["GLIBCXX_3.4.32"]),
            &["GLIBC_2.38", "GLIBCXX_3.4.9", "CXXABI_1.3.13"],
        );
        check(
            &facts("/p", None, &["GLIBC_PRIVATE", "CXXABI_FLOAT128"], &[]),
            &[],
        );
        check(&facts("/nix/store/x-demo", None, &versions, &[]), &[]);
        let runpath = Some("/nix/store/x-gcc/lib:/run/opengl-driver/lib");
        check(&facts("/p", runpath, &versions, &[]), &[]);
    }

    #[track_caller]
    fn judged(versions: &[&str], machine: &Machine, expected: (Prospect, Rule)) {
        let mut package = Package::from_facts("demo", &facts("/p", None, versions, &[]));
        package.toolkit = crate::compat::Bound::exactly("12.6".parse().unwrap());
        let device = ask(&package, machine).devices.remove(0);
        assert_eq!((device.prospect, device.rule), expected, "{device:#?}");
    }

    #[test]
    fn a_system_must_have_what_the_package_needs() {
        let orin = |jetpack: &str| Machine {
            jetpack: jetpack.parse().ok(),
            gpus: vec![crate::compat::find_gpu("Orin NX").unwrap()],
            ..Machine::default()
        };
        let fails = (Prospect::Fails, Rule::SystemLibraries);
        let runs = (Prospect::Runs, Rule::NoGpuCode);
        judged(&["GLIBCXX_3.4.30", "GLIBC_2.35"], &orin("6.2"), runs);
        judged(&["GLIBCXX_3.4.32"], &orin("6.2"), fails);
        judged(&["GLIBC_2.38"], &orin("6.2"), fails);
        let named = |name: &str| Machine {
            distribution: Some(name.to_owned()),
            ..orin("6.2")
        };
        judged(&["GLIBC_2.38"], &named("Ubuntu 24.04.1 LTS"), runs);
        judged(
            &["GLIBC_2.38"],
            &named("Debian GNU/Linux 12 (bookworm)"),
            fails,
        );
        // Of others nothing is known, and nothing is said.
        judged(&["GLIBC_2.99"], &named("NixOS 26.05 (Yarara)"), runs);
    }
}
