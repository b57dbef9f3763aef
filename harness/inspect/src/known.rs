//! What is known about NVIDIA's libraries and no file says, kept as data so that it can be checked and extended.
//!
//! The files in `data/` are compiled in; a test reads each of them, so that none can be malformed at run time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Whether the library of this SONAME is known to open this name, which has no directories before it.
pub(crate) fn opens(soname: &str, name: &str) -> bool {
    opened(soname, name).is_some()
}

/// What is known about a name that a library opens.
pub(crate) fn opened(soname: &str, name: &str) -> Option<&'static OpenedName> {
    let libraries = OPENED
        .libraries
        .iter()
        .filter(|library| matches(&library.library, soname));
    // The first that fits is meant: special names stand before general ones.
    libraries
        .flat_map(|library| &library.opens)
        .find(|opened| opened.names.iter().any(|pattern| matches(pattern, name)))
}

/// The driver's libraries, and where they are.
pub(crate) fn driver() -> &'static Driver {
    &DRIVER
}

/// Whether a name is one of the driver's libraries, by either of its names.
pub(crate) fn driver_library(name: &str) -> Option<&'static DriverLibrary> {
    DRIVER
        .libraries
        .iter()
        .find(|library| library.name == name || library.linked_as == name)
}

/// The major versions of the toolkit that a SONAME belongs to, if it is one of NVIDIA's libraries.
pub(crate) fn toolkit_majors(soname: &str) -> Option<&'static [u32]> {
    let (stem, version) = stem(soname)?;
    let family = TOOLKIT
        .libraries
        .iter()
        .find(|family| family.names.iter().any(|name| name == stem))?;
    Some(family.majors.get(version).map_or(&[], Vec::as_slice))
}

/// The release of GCC whose libstdc++ is the first to define all of these versions.
pub(crate) fn first_gcc(versions: &[String]) -> Option<&'static str> {
    let first = |version: &String| {
        let release = |newest: fn(&GccRelease) -> &str, wanted: &str| {
            TOOLKIT.gcc.iter().position(|gcc| newest(gcc) == wanted)
        };
        match version.split_once('_')? {
            ("GLIBCXX", wanted) => release(|gcc| &gcc.glibcxx, wanted),
            ("CXXABI", wanted) => release(|gcc| &gcc.cxxabi, wanted),
            _ => None,
        }
    };
    let newest = versions
        .iter()
        .map(first)
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .max()?;
    Some(&TOOLKIT.gcc[newest].release)
}

/// The platforms that NVIDIA redistributes for.
pub(crate) fn platforms() -> &'static [Platform] {
    &PLATFORMS.platforms
}

/// `cublas` and `12` of `libcublas.so.12`.
pub(crate) fn stem(name: &str) -> Option<(&str, &str)> {
    let (stem, version) = name.strip_prefix("lib")?.split_once(".so")?;
    Some((stem, version.strip_prefix('.').unwrap_or(version)))
}

/// A name that a library opens, or several that are the same to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct OpenedName {
    names: Vec<String>,
    /// The names that are tried, where the string is not one of them.
    #[serde(default, rename = "as")]
    tried: Vec<String>,
    #[serde(default)]
    append: Option<String>,
    /// How much the library needs it.
    pub(crate) need: Need,
    /// What happens without it, as a clause.
    #[serde(default)]
    pub(crate) without: Option<String>,
}

impl OpenedName {
    /// The names that are tried where `name` is among the strings.
    pub(crate) fn tried(&self, name: &str) -> Vec<String> {
        if let Some(append) = &self.append
            && !name.ends_with(append.as_str())
        {
            return vec![format!("{name}{append}"), name.to_owned()];
        }
        let pattern = name.contains('%') || name.ends_with(".so");
        if pattern && !self.tried.is_empty() {
            return self.tried.clone();
        }
        vec![name.to_owned()]
    }
}

/// How much a library needs what it opens.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Need {
    /// Nothing works without it.
    Required,
    /// Something does not work without it.
    Feature,
    /// Everything works without it.
    Optional,
}

/// The driver's libraries, and where they are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Driver {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test looks at it"))]
    schema: u32,
    /// Where they are on NixOS.
    pub(crate) directory: String,
    /// Directories of other systems that hold nothing else.
    pub(crate) aliases: Vec<String>,
    libraries: Vec<DriverLibrary>,
}

/// One of the driver's libraries.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DriverLibrary {
    /// Its SONAME.
    pub(crate) name: String,
    /// The name that linkers look for.
    pub(crate) linked_as: String,
}

/// A platform that NVIDIA redistributes for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Platform {
    /// NVIDIA's name.
    pub(crate) name: String,
    /// What its host files are made for.
    pub(crate) machine: PlatformMachine,
    /// The format of its host files.
    pub(crate) files: PlatformFiles,
    /// Which devices it has machine code for.
    pub(crate) devices: PlatformDevices,
    /// What Nix calls it.
    pub(crate) nix_system: String,
    /// The attribute of `pkgsCross` that builds for it.
    pub(crate) pkgs_cross: String,
}

/// What the host files of a platform are made for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PlatformMachine {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    Aarch64,
    /// 64-bit POWER, little endian.
    Ppc64le,
}

/// The format of the host files of a platform.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlatformFiles {
    /// ELF.
    Elf,
    /// Windows libraries.
    Dll,
}

/// Which devices a platform has machine code for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlatformDevices {
    /// All that there are.
    Any,
    /// Cards, not Jetson boards.
    Discrete,
    /// Jetson boards, not cards.
    Tegra,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Opened {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test looks at it"))]
    schema: u32,
    libraries: Vec<OpeningLibrary>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OpeningLibrary {
    library: String,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "it is for readers of the table")
    )]
    seen_in: String,
    opens: Vec<OpenedName>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Toolkit {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test looks at it"))]
    schema: u32,
    libraries: Vec<ToolkitFamily>,
    gcc: Vec<GccRelease>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ToolkitFamily {
    names: Vec<String>,
    majors: BTreeMap<String, Vec<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GccRelease {
    release: String,
    glibcxx: String,
    cxxabi: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Platforms {
    #[cfg_attr(not(test), expect(dead_code, reason = "a test looks at it"))]
    schema: u32,
    platforms: Vec<Platform>,
}

static OPENED: LazyLock<Opened> = LazyLock::new(|| read(include_str!("../data/opened-names.yaml")));
static DRIVER: LazyLock<Driver> =
    LazyLock::new(|| read(include_str!("../data/driver-libraries.yaml")));
static TOOLKIT: LazyLock<Toolkit> =
    LazyLock::new(|| read(include_str!("../data/toolkit-libraries.yaml")));
static PLATFORMS: LazyLock<Platforms> =
    LazyLock::new(|| read(include_str!("../data/platforms.yaml")));

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_yaml::from_str(text).expect("a test reads every file that is compiled in")
}

/// Whether a name is the pattern, in which `*` stands for any text at the end.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_well_formed() {
        assert_eq!(
            [
                OPENED.schema,
                DRIVER.schema,
                TOOLKIT.schema,
                PLATFORMS.schema
            ],
            [1; 4]
        );
        for library in &OPENED.libraries {
            assert!(
                library.library.starts_with("lib") && !library.seen_in.is_empty(),
                "{library:?}"
            );
            for opened in &library.opens {
                assert!(
                    opened.names.iter().all(|name| name.starts_with("lib")),
                    "{opened:?}"
                );
                let feature = opened.need == Need::Feature;
                assert!(
                    !feature || opened.without.is_some(),
                    "{opened:?} does not say what fails"
                );
            }
        }
        for library in &DRIVER.libraries {
            assert!(library.name.starts_with(&library.linked_as), "{library:?}");
        }
        for family in &TOOLKIT.libraries {
            assert!(
                family.majors.values().all(|majors| !majors.is_empty()),
                "{family:?}"
            );
        }
        for (older, newer) in TOOLKIT.gcc.iter().zip(&TOOLKIT.gcc[1..]) {
            let number = |text: &str| text.rsplit('.').next().unwrap().parse::<u32>().unwrap();
            assert!(
                number(&older.glibcxx) <= number(&newer.glibcxx),
                "{older:?} {newer:?}"
            );
            assert!(
                number(&older.cxxabi) <= number(&newer.cxxabi),
                "{older:?} {newer:?}"
            );
        }
        assert_eq!(PLATFORMS.platforms.len(), 5);
    }

    #[track_caller]
    fn check_opened(soname: &str, name: &str, expected: Option<(Need, &[&str])>) {
        let found = opened(soname, name).map(|opened| (opened.need, opened.tried(name)));
        let expected = expected
            .map(|(need, tried)| (need, tried.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(found, expected, "{soname} {name}");
        assert_eq!(opens(soname, name), expected.is_some());
    }

    #[test]
    fn what_libraries_open_is_known_by_soname() {
        let graph = &["libcudnn_graph.so.9", "libcudnn_graph.so"][..];
        check_opened(
            "libcudnn.so.9",
            "libcudnn_graph.so",
            Some((Need::Required, graph)),
        );
        check_opened(
            "libcudnn.so.9",
            "libcudnn_graph.so.9",
            Some((Need::Required, &graph[..1])),
        );
        check_opened(
            "libcudnn.so.9",
            "libcudnn_ext.so.9",
            Some((Need::Optional, &["libcudnn_ext.so.9"])),
        );
        let nvrtc = &["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"][..];
        check_opened(
            "libcudnn_graph.so.9",
            "libnvrtc.so.%d",
            Some((Need::Feature, nvrtc)),
        );
        check_opened(
            "libcublasLt.so.12",
            "libnvrtc.so.12",
            Some((Need::Feature, &["libnvrtc.so.12"])),
        );
        check_opened(
            "libnvrtc.so.12",
            "libnvrtc-builtins.so.12.9",
            Some((Need::Required, &["libnvrtc-builtins.so.12.9"])),
        );
        check_opened(
            "libnccl.so.2",
            "libibverbs.so.1",
            Some((Need::Optional, &["libibverbs.so.1"])),
        );
        check_opened("libfoo.so.1", "libnvrtc.so.12", None);
    }

    #[track_caller]
    fn check_majors(soname: &str, expected: Option<&[u32]>) {
        assert_eq!(toolkit_majors(soname), expected, "{soname}");
    }

    #[test]
    fn sonames_reveal_major_versions() {
        check_majors("libcudart.so.11.0", Some(&[11]));
        check_majors("libcufft.so.11", Some(&[12]));
        check_majors("libcusolver.so.11", Some(&[11, 12]));
        check_majors("libcudnn.so.9", Some(&[]));
        check_majors("libcudart.so.99", Some(&[]));
        check_majors("libz.so.1", None);
    }

    #[track_caller]
    fn check_gcc(versions: &[&str], expected: Option<&str>) {
        let versions: Vec<_> = versions
            .iter()
            .map(|version| (*version).to_owned())
            .collect();
        assert_eq!(first_gcc(&versions), expected);
    }

    #[test]
    fn versions_of_symbols_tell_the_compiler() {
        check_gcc(&["GLIBCXX_3.4.30"], Some("12.1"));
        check_gcc(&["GLIBCXX_3.4.21", "CXXABI_1.3.15"], Some("14.1"));
        check_gcc(&["GLIBCXX_3.4.99"], None);
        check_gcc(&["GLIBC_2.34"], None);
    }
}
