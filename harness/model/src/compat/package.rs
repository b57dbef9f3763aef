//! What is asked about: a package as far as it is known, from a toolkit's version up to every piece of its GPU code.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::bound::{Bound, Known};
use super::system::{self, SymbolVersion};
use super::tables;
use crate::package::{FileKind, Loadable, Machine as FileMachine, PackageFacts};
use crate::suite::Platform;
use crate::version::{ComputeCapability, PtxIsa, Target, TargetReach, ToolkitVersion};

/// A package, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// How to speak of it: `toolkit 12.4`, or a name.
    pub name: String,
    /// The toolkit that it was built with.
    pub toolkit: Bound<ToolkitVersion>,
    /// Its GPU code.
    pub code: Contents,
    /// How its GPU code lies in containers, of which a device needs one entry each; empty if not known.
    pub containers: Vec<Container>,
    /// The platforms that it is built for; empty if not known.
    pub platforms: Vec<Platform>,
    /// Libraries whose versions are known.
    pub libraries: Vec<LibraryVersion>,
    /// The newest symbol versions that it needs of the system's C and C++ libraries; empty if not known.
    pub symbols: Vec<SymbolVersion>,
    /// What is to be said of how this was found out.
    pub notes: Vec<String>,
}

/// The GPU code of a package.
#[derive(Clone, Debug, PartialEq)]
pub enum Contents {
    /// Not known: taken to be what the toolkit can make.
    Assumed,
    /// All of it. Nothing, if the package has no GPU code of its own.
    Listed(Vec<Code>),
}

/// A piece of GPU code that a driver can load.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Code {
    /// Machine code.
    Machine(Target),
    /// PTX, and its version where it is known.
    Ptx(Target, Option<PtxIsa>),
}

/// Containers of the same code. Each is a translation unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// How many there are.
    pub count: u64,
    /// What a driver can load from each.
    pub code: Vec<Code>,
}

/// A library beside the toolkit.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LibraryVersion {
    /// `cudnn`.
    pub name: String,
    /// `9.11.0`.
    pub version: String,
}

impl Package {
    /// A package of which nothing but its name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            toolkit: Bound::UNKNOWN,
            code: Contents::Assumed,
            containers: Vec::new(),
            platforms: Vec::new(),
            libraries: Vec::new(),
            symbols: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whatever a toolkit makes.
    pub fn of_toolkit(version: ToolkitVersion) -> Self {
        Self {
            toolkit: Bound::exactly(version),
            ..Self::named(format!("toolkit {version}"))
        }
    }

    /// The same package with exactly this GPU code.
    #[must_use]
    pub fn with_code(self, code: Vec<Code>) -> Self {
        Self {
            code: Contents::Listed(code),
            containers: Vec::new(),
            ..self
        }
    }

    /// The same package, which needs these libraries: their names reveal the toolkit's major version.
    #[must_use]
    pub fn needing<'a>(self, names: impl IntoIterator<Item = &'a str> + Clone) -> Self {
        let majors = cuda_majors(names.clone());
        let mut notes = self.notes;
        if majors.is_empty()
            && names
                .clone()
                .into_iter()
                .any(|name| constraint(name).is_some())
        {
            notes.push("it needs libraries of several CUDA majors at once".to_owned());
        }
        let toolkit = toolkit_of(&majors, exact_minor(names.into_iter()), None);
        Self {
            toolkit,
            notes,
            ..self
        }
    }

    /// What was read from a package's files.
    ///
    /// The toolkit follows from the names of the libraries that it needs and from the versions of its PTX.
    pub fn from_facts(name: impl Into<String>, facts: &PackageFacts) -> Self {
        let mut package = Self::named(name);
        let names = || {
            let elfs = facts.files.iter().filter_map(|file| file.elf.as_ref());
            elfs.flat_map(|elf| elf.needed.iter().chain(&elf.soname).map(String::as_str))
        };
        let majors = cuda_majors(names());
        let mut code: BTreeSet<Code> = BTreeSet::new();
        for section in facts.code() {
            for group in &section.groups {
                code.extend(group.loadable().map(Code::from));
            }
            let containers = section
                .profiles
                .iter()
                .filter(|profile| !profile.loadable.is_empty());
            package
                .containers
                .extend(containers.map(|profile| Container {
                    count: profile.containers,
                    code: profile.loadable.iter().copied().map(Code::from).collect(),
                }));
        }
        let isa = code.iter().filter_map(|code| match code {
            Code::Ptx(_, isa) => *isa,
            Code::Machine(_) => None,
        });
        package.toolkit = toolkit_of(&majors, exact_minor(names()), isa.max());
        if majors.is_empty() && names().any(|name| constraint(name).is_some()) {
            let notes = "its files need libraries of several CUDA majors at once".to_owned();
            package.notes.push(notes);
        }
        package.code = Contents::Listed(code.into_iter().collect());
        let mut platforms: Vec<Platform> = Vec::new();
        for file in &facts.files {
            let loaded = matches!(file.kind, FileKind::SharedObject | FileKind::Executable);
            for platform in file
                .machine
                .filter(|_| loaded)
                .into_iter()
                .flat_map(platforms_of)
            {
                if !platforms.contains(platform) {
                    platforms.push(*platform);
                }
            }
        }
        package.platforms = platforms;
        package.symbols = system::needed(facts);
        package
    }
}

/// What `cudaCapabilities` of a Nix package set makes a compiler emit: machine code for each, and PTX for the last
/// unless forward compatibility is turned off.
pub fn from_capabilities(capabilities: &[Target], forward: ForwardCompatibility) -> Vec<Code> {
    let machine = capabilities.iter().map(|target| Code::Machine(*target));
    let last = capabilities
        .last()
        .filter(|_| forward == ForwardCompatibility::Yes);
    machine
        .chain(last.map(|target| Code::Ptx(*target, None)))
        .collect()
}

/// Whether PTX is kept beside machine code, as `cudaForwardCompat` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForwardCompatibility {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// One entry of `cudaCapabilities`: `8.6`, `9.0a`, or a target.
pub fn capability_entry(text: &str) -> Option<Target> {
    let (number, reach) = match text.as_bytes().last()? {
        b'a' => (&text[..text.len() - 1], TargetReach::Architecture),
        b'f' => (&text[..text.len() - 1], TargetReach::Family),
        _ => (text, TargetReach::Baseline),
    };
    let plain = number.parse::<ComputeCapability>().ok();
    let plain = plain.map(|capability| Target { capability, reach });
    plain.or_else(|| text.parse().ok())
}

/// The CUDA major versions to which all of these names of libraries can belong. Names that reveal nothing are passed
/// over; the answer is empty if none reveals anything, and if they contradict each other.
pub fn cuda_majors<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<u32> {
    let mut all = names.into_iter().filter_map(constraint);
    let Some(first) = all.next() else {
        return BTreeSet::new();
    };
    let first: BTreeSet<u32> = first.iter().copied().collect();
    all.fold(first, |left, next| {
        left.into_iter()
            .filter(|major| next.contains(major))
            .collect()
    })
}

fn constraint(name: &str) -> Option<&'static Vec<u32>> {
    let (library, version) = name.rsplit('/').next()?.split_once(".so.")?;
    let mut rows = tables::libraries().sonames.iter();
    let row = rows.find(|row| row.library == library)?;
    // `libcublas.so.12.9.1.4` is a file's whole name; the beginning is what loaders ask for.
    let mut version = version;
    loop {
        if let Some(majors) = row.majors.get(version) {
            return Some(majors);
        }
        version = version.rsplit_once('.')?.0;
    }
}

/// The toolkit's version by the one library whose name has both numbers.
fn exact_minor<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<ToolkitVersion> {
    names.find_map(|name| name.strip_prefix("libnvrtc-builtins.so.")?.parse().ok())
}

fn toolkit_of(
    majors: &BTreeSet<u32>,
    exact: Option<ToolkitVersion>,
    isa: Option<PtxIsa>,
) -> Bound<ToolkitVersion> {
    if let Some(exact) = exact {
        return Bound::exactly(exact);
    }
    let all = &tables::toolkits().toolkits;
    let possible = all.iter().filter(|toolkit| {
        let by_name = majors.is_empty() || majors.contains(&toolkit.version.major);
        by_name && isa.is_none_or(|isa| toolkit.ptx >= isa)
    });
    let versions: Vec<ToolkitVersion> = possible.map(|toolkit| toolkit.version).collect();
    let newest = all.last().map(|toolkit| toolkit.version.major);
    let open = majors.is_empty() || majors.last().copied() >= newest;
    match (versions.first(), versions.last()) {
        _ if majors.is_empty() && isa.is_none() => Bound::UNKNOWN,
        (Some(first), Some(last)) => Bound {
            at_least: Some(*first),
            // A minor version may follow that the tables do not know.
            at_most: (!open).then_some(*last),
        },
        (_, _) => Bound {
            at_least: majors.first().map(|major| ToolkitVersion::new(*major, 0)),
            at_most: None,
        },
    }
}

fn platforms_of(machine: FileMachine) -> &'static [Platform] {
    match machine {
        FileMachine::X86_64 => &[Platform::LinuxX86_64],
        FileMachine::Aarch64 => &[Platform::LinuxAarch64, Platform::LinuxSbsa],
        FileMachine::Ppc64le => &[Platform::LinuxPpc64le],
        FileMachine::X86
        | FileMachine::Arm
        | FileMachine::Ppc64
        | FileMachine::Cuda
        | FileMachine::Other(_) => &[],
    }
}

/// The version of PTX of a piece of code: its own, else what the toolkit emits.
pub(super) fn ptx_version(isa: Option<PtxIsa>, toolkit: Bound<ToolkitVersion>) -> Bound<PtxIsa> {
    isa.map_or_else(|| tables::ptx_of(toolkit), Bound::exactly)
}

/// Whether all toolkits within the bounds are of one major version, and which.
pub(super) fn major(toolkit: Bound<ToolkitVersion>) -> Option<u32> {
    let majors = toolkit.map(|version| version.major);
    // Open bounds at the newest known major: a later major would have another name for its libraries.
    let newest = tables::toolkits()
        .toolkits
        .last()
        .map(|toolkit| toolkit.version.major);
    match (majors.exact(), majors.at_least, majors.at_most) {
        (Some(major), ..) => Some(major),
        (None, Some(low), None) if Some(low) == newest => Some(low),
        (None, ..) => None,
    }
}

/// The toolkits within the bounds that the tables know.
pub(super) fn possible(
    toolkit: Bound<ToolkitVersion>,
) -> impl Iterator<Item = &'static tables::Toolkit> {
    tables::toolkits().toolkits.iter().filter(move |each| {
        let version = Bound::exactly(each.version);
        version.reaches(Bound {
            at_most: toolkit.at_least,
            at_least: toolkit.at_least,
        }) != Known::No
            && toolkit.at_most.is_none_or(|high| each.version <= high)
    })
}

impl From<Loadable> for Code {
    fn from(loadable: Loadable) -> Self {
        match loadable {
            Loadable::Cubin(target) => Self::Machine(target),
            Loadable::Ptx(target, isa) => Self::Ptx(target, Some(isa)),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(target) => target.fmt(formatter),
            Self::Ptx(target, isa) => {
                write!(
                    formatter,
                    "{}",
                    target.to_string().replace("sm_", "compute_")
                )?;
                isa.map_or(Ok(()), |isa| write!(formatter, " (PTX {isa})"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[u32]) {
        let majors: Vec<u32> = cuda_majors(names.iter().copied()).into_iter().collect();
        assert_eq!(majors, expected, "{names:?}");
    }

    #[test]
    fn names_of_libraries_reveal_the_major_version() {
        check(&["libcudart.so.12", "libc.so.6"], &[12]);
        check(
            &["libcusolver.so.11", "libcusparse.so.12", "libcurand.so.10"],
            &[12],
        );
        check(&["libcusparse.so.12"], &[12, 13]);
        check(&["libcurand.so.10", "libcudnn.so.9", "libnccl.so.2"], &[]);
        check(&["libcudart.so.11.0"], &[11]);
        check(&["libcublas.so.12.9.1.4"], &[12]);
        check(&["libcublas.so.11", "libcudart.so.12"], &[]);
        check(&["libnvrtc.so.11.2"], &[11]);
        check(&["libcudart.so.10.2"], &[10]);
        check(&["libcufft.so.11"], &[12]);
    }

    #[test]
    fn capabilities_are_read_as_nix_writes_them() {
        let read = |text| capability_entry(text).map(|target: Target| target.to_string());
        assert_eq!(read("8.6").as_deref(), Some("sm_86"));
        assert_eq!(read("9.0a").as_deref(), Some("sm_90a"));
        assert_eq!(read("10.0f").as_deref(), Some("sm_100f"));
        assert_eq!(read("sm_87").as_deref(), Some("sm_87"));
        assert_eq!(read("86"), None);
        assert_eq!(read("é"), None);
    }
}
