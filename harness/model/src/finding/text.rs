//! The sentences of a flaw: what it is, why it is one, and what to do.

use std::fmt;

use super::{Code, Edge, EdgeKind, Elsewhere, Flaw, OpenedNeed, Rule, StubWins, Together};
use crate::outcome::{Cause, Class, Explained};
use crate::version::Target;

impl Flaw {
    /// Its name.
    pub fn code(&self) -> Code {
        match self {
            Self::DriverDirectoryMissing { .. } => Code::DriverDirectoryMissing,
            Self::StubsOnPath { .. } => Code::StubsOnPath,
            Self::OldStyleRpath { .. } => Code::OldStyleRpath,
            Self::UsrLocalCudaOnPath { .. } => Code::UsrLocalCudaOnPath,
            Self::BuildPathOnPath { .. } => Code::BuildPathOnPath,
            Self::CurrentDirectoryOnPath { .. } => Code::CurrentDirectoryOnPath,
            Self::DependencyMissing { .. } => Code::DependencyMissing,
            Self::OpenedNameMissing { .. } => Code::OpenedNameMissing,
            Self::UnusableFileTaken { .. } => Code::UnusableFileTaken,
            Self::AbsoluteNameOpened { .. } => Code::AbsoluteNameOpened,
            Self::SymbolVersionMissing { .. } => Code::SymbolVersionMissing,
            Self::DriverSymbolsUnlinked { .. } => Code::DriverSymbolsUnlinked,
            Self::ExecutableStack => Code::ExecutableStack,
            Self::CudaMajorsMixed { .. } => Code::CudaMajorsMixed,
            Self::SonameTwice { .. } => Code::SonameTwice,
            Self::CudnnVersionsMixed { .. } => Code::CudnnVersionsMixed,
            Self::OtherPlatform { .. } => Code::OtherPlatform,
            Self::ToolkitMonolith { .. } => Code::ToolkitMonolith,
            Self::StaticLibraries { .. } => Code::StaticLibraries,
            Self::StubsInClosure { .. } => Code::StubsInClosure,
            Self::NoGpuCode { .. } => Code::NoGpuCode,
            Self::MachineCodeMissing { .. } => Code::MachineCodeMissing,
            Self::MachineCodeUnexpected { .. } => Code::MachineCodeUnexpected,
            Self::PtxMissing { .. } => Code::PtxMissing,
            Self::PtxUnexpected { .. } => Code::PtxUnexpected,
        }
    }

    /// Which class of failure it belongs to.
    pub fn class(&self) -> Class {
        match self {
            Self::DriverDirectoryMissing { .. }
            | Self::StubsOnPath { .. }
            | Self::OldStyleRpath { .. }
            | Self::UsrLocalCudaOnPath { .. }
            | Self::BuildPathOnPath { .. }
            | Self::CurrentDirectoryOnPath { .. }
            | Self::DependencyMissing { .. }
            | Self::OpenedNameMissing { .. }
            | Self::UnusableFileTaken { .. }
            | Self::AbsoluteNameOpened { .. }
            | Self::SymbolVersionMissing { .. }
            | Self::DriverSymbolsUnlinked { .. }
            | Self::ExecutableStack
            | Self::CudaMajorsMixed { .. }
            | Self::SonameTwice { .. }
            | Self::CudnnVersionsMixed { .. } => Class::Loading,
            Self::OtherPlatform { .. } => Class::Build,
            Self::ToolkitMonolith { .. }
            | Self::StaticLibraries { .. }
            | Self::StubsInClosure { .. } => Class::ClosureSize,
            Self::NoGpuCode { .. }
            | Self::MachineCodeMissing { .. }
            | Self::MachineCodeUnexpected { .. }
            | Self::PtxMissing { .. }
            | Self::PtxUnexpected { .. } => Class::Architecture,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DriverDirectoryMissing {
                names, directory, ..
            } => {
                write!(
                    f,
                    "asks for {}, but `{directory}` is on none of its search paths",
                    quoted(names)
                )
            }
            Self::StubsOnPath { directory, wins } => match wins {
                StubWins::Always => {
                    write!(f, "loads a stub from `{directory}` in place of the driver")
                }
                StubWins::WithoutDriverDirectory => {
                    write!(
                        f,
                        "loads a stub from `{directory}` where the driver's directory is absent"
                    )
                }
                StubWins::Never => write!(f, "searches the stubs in `{directory}`"),
            },
            Self::OldStyleRpath { rpath } => write!(f, "has the old-style DT_RPATH `{rpath}`"),
            Self::UsrLocalCudaOnPath { directory } | Self::BuildPathOnPath { directory } => {
                write!(f, "searches `{directory}`")
            }
            Self::CurrentDirectoryOnPath { path } => {
                write!(f, "searches the current directory, by `{path}`")
            }
            Self::DependencyMissing { name, .. } => write!(f, "needs `{name}`, which is not found"),
            Self::OpenedNameMissing { names, need, .. } => match need {
                OpenedNeed::Required | OpenedNeed::Feature => {
                    write!(f, "opens {} at run time, which is not found", quoted(names))
                }
                OpenedNeed::String => {
                    write!(
                        f,
                        "may open {} at run time, which is not found",
                        quoted(names)
                    )
                }
            },
            Self::UnusableFileTaken { name, because } => {
                write!(
                    f,
                    "asks for `{name}`, and the search ends at a file that {because}"
                )
            }
            Self::AbsoluteNameOpened { path } => write!(f, "opens `{path}`, a fixed place"),
            Self::SymbolVersionMissing { name, versions, .. } => {
                write!(
                    f,
                    "needs {} of `{name}`, which the file that is taken lacks",
                    quoted(versions)
                )
            }
            Self::DriverSymbolsUnlinked { library, symbols } => {
                write!(f, "uses {} without needing `{library}`", some(symbols))
            }
            Self::ExecutableStack => f.write_str("asks for an executable stack"),
            Self::CudaMajorsMixed { majors, .. } => {
                let majors: Vec<_> = majors.iter().map(|major| major.major.to_string()).collect();
                write!(f, "libraries of CUDA {} are mixed", majors.join(" and "))
            }
            Self::SonameTwice { soname, files, .. } => {
                write!(
                    f,
                    "`{soname}` is the SONAME of {} different files",
                    files.len()
                )
            }
            Self::CudnnVersionsMixed { parts } => {
                write!(f, "parts of cuDNN differ: {}", parts.join(", "))
            }
            Self::OtherPlatform {
                asked,
                built_for,
                files,
                ..
            } => {
                write!(f, "{files} files are for {built_for}, not for {asked}")
            }
            Self::ToolkitMonolith { root, bytes } => {
                write!(
                    f,
                    "the whole toolkit is in the closure: `{root}`, {}",
                    size(*bytes)
                )
            }
            Self::StaticLibraries { files, bytes } => {
                write!(
                    f,
                    "{files} static libraries are in the closure, {}",
                    size(*bytes)
                )
            }
            Self::StubsInClosure { files, bytes } => {
                write!(
                    f,
                    "{files} stubs of driver libraries are in the closure, {}",
                    size(*bytes)
                )
            }
            Self::NoGpuCode { expected } => {
                write!(
                    f,
                    "there is no code for GPUs, though {expected} is expected"
                )
            }
            Self::MachineCodeMissing { targets, .. } => {
                write!(f, "has no machine code for {}", listed(targets))
            }
            Self::MachineCodeUnexpected { targets } => {
                write!(
                    f,
                    "has machine code for {}, which is not expected",
                    listed(targets)
                )
            }
            Self::PtxMissing {
                target: Some(target),
            } => write!(f, "has no PTX for {target}"),
            Self::PtxMissing { target: None } => f.write_str("has no PTX"),
            Self::PtxUnexpected { targets } => {
                write!(f, "has PTX for {}, which is not expected", listed(targets))
            }
        }
    }
}

impl Explained for Flaw {
    fn cause(&self) -> Cause {
        Cause::proven(match self {
            Self::DriverDirectoryMissing { elsewhere, .. } => match elsewhere {
                Elsewhere::Nowhere => "the loader of this file searches no directory of the system, and RUNPATH is not inherited from the program".to_owned(),
                Elsewhere::SystemDirectories => "a distribution's loader finds the driver in its cache; on NixOS nothing does, and RUNPATH is not inherited from the program".to_owned(),
                Elsewhere::InheritedRpath => "only programs of this package find it, through their DT_RPATH, which its dependencies inherit; other programs do not".to_owned(),
            },
            Self::StubsOnPath { wins, .. } => match wins {
                StubWins::Always => "the directory is searched before any directory of a driver, and a stub answers every call with CUDA_ERROR_STUB_LIBRARY (34)".to_owned(),
                StubWins::WithoutDriverDirectory => "the directory is searched after the driver's, which exists on NixOS only".to_owned(),
                StubWins::Never => "stubs are for the linker; nothing that the file asks for is among them today".to_owned(),
            },
            Self::OldStyleRpath { .. } => "DT_RPATH is searched before LD_LIBRARY_PATH, and what the file loads inherits it".to_owned(),
            Self::UsrLocalCudaOnPath { .. } => "where a toolkit is installed there, its libraries are taken in place of those that the package was built with".to_owned(),
            Self::BuildPathOnPath { .. } => "the directory belongs neither to the package nor to the system; whoever can write there decides what is loaded".to_owned(),
            Self::CurrentDirectoryOnPath { .. } => "an empty or relative element means the directory that the program is started in".to_owned(),
            Self::DependencyMissing { found_within: Some(program), .. } => {
                format!("`{program}` finds it through its DT_RPATH, which its dependencies inherit; other programs do not")
            }
            Self::DependencyMissing { found_within: None, .. } => "neither its search paths nor the loader's directories hold a file of this name for this machine".to_owned(),
            Self::OpenedNameMissing { present_at: Some(path), .. } => {
                format!("`{path}` is there, but no search path of the file that opens it leads to it, and RUNPATH is not inherited")
            }
            Self::OpenedNameMissing { need, without, .. } => match (need, without) {
                (OpenedNeed::Required | OpenedNeed::Feature, Some(without)) => format!("no header names it, so that linking and loading succeed; without it {without}"),
                (OpenedNeed::Required | OpenedNeed::Feature, None) => "no header names it, so that linking and loading succeed, and the first use fails".to_owned(),
                (OpenedNeed::String, _) => "the name is among its strings; whether it is opened is not known".to_owned(),
            },
            Self::UnusableFileTaken { .. } => "the loader does not search on after a file that it cannot read as a library".to_owned(),
            Self::AbsoluteNameOpened { .. } => "the place is a distribution's; on NixOS nothing is there".to_owned(),
            Self::SymbolVersionMissing { first_in: Some(release), .. } => {
                format!("the file that is taken is older than {release}, which the package was built with or after")
            }
            Self::SymbolVersionMissing { first_in: None, .. } => "the file that is taken is another one than the package was built with".to_owned(),
            Self::DriverSymbolsUnlinked { .. } => "the linker was allowed to leave them undefined; they are found only if something else has loaded the driver for all".to_owned(),
            Self::ExecutableStack => "since 2.41 glibc refuses to open such a library while the program runs".to_owned(),
            Self::CudaMajorsMixed { majors, .. } => {
                let lists: Vec<_> = majors.iter().map(|major| format!("{}: {}", major.major, major.sonames.join(" "))).collect();
                lists.join("; ")
            }
            Self::SonameTwice { together, .. } => match together {
                Together::OneProcess => "a process loads only one of them, the one that is asked for first, for all who need either".to_owned(),
                Together::OneClosure => "where both meet in a process, the first that is loaded serves both".to_owned(),
            },
            Self::CudnnVersionsMixed { .. } => "the parts of cuDNN work only with parts of the same version".to_owned(),
            Self::OtherPlatform { built_for, .. } => format!("the headers of the files, or the targets of their machine code, are those of {built_for}"),
            Self::ToolkitMonolith { .. } => "the compiler and every library of the toolkit are together in one path, which something refers to".to_owned(),
            Self::StaticLibraries { .. } => "static libraries are for the linker; nothing reads them at run time".to_owned(),
            Self::StubsInClosure { .. } => "stubs are for the linker; at run time they can only be loaded by mistake".to_owned(),
            Self::NoGpuCode { .. } => "the package was built without CUDA, or leaves all of it to its dependencies".to_owned(),
            Self::MachineCodeMissing { present, .. } if present.is_empty() => "there is no machine code at all: a driver can only compile PTX".to_owned(),
            Self::MachineCodeMissing { present, .. } => format!("there is machine code for {}", listed(present)),
            Self::MachineCodeUnexpected { .. } | Self::PtxUnexpected { .. } => "the build did not keep to the list of capabilities".to_owned(),
            Self::PtxMissing { .. } => "without PTX the package does not run on devices newer than its machine code".to_owned(),
        })
    }

    fn remedy(&self) -> String {
        match self {
            Self::DriverDirectoryMissing { directory, .. } => {
                format!("add `autoAddDriverRunpath` to nativeBuildInputs, or `patchelf --add-rpath {directory}` the file")
            }
            Self::StubsOnPath { .. } => "remove the directory from the path: `autoAddDriverRunpath` and `patchelf --set-rpath`; link with the stubs through LIBRARY_PATH".to_owned(),
            Self::OldStyleRpath { .. } => "link with `-Wl,--enable-new-dtags`, or `patchelf --set-rpath` the file, which writes DT_RUNPATH".to_owned(),
            Self::UsrLocalCudaOnPath { .. } | Self::BuildPathOnPath { .. } => {
                "`patchelf --shrink-rpath --allowed-rpath-prefixes /nix/store` the file, or build with `-DCMAKE_SKIP_BUILD_RPATH=ON`".to_owned()
            }
            Self::CurrentDirectoryOnPath { .. } => "remove the empty element with `patchelf --set-rpath`".to_owned(),
            Self::DependencyMissing { name, .. } => {
                format!("add the package with `{name}` to buildInputs and use `autoPatchelfHook`, or add its directory to RUNPATH")
            }
            Self::OpenedNameMissing { names, .. } => match names.first() {
                Some(name) => format!("add the directory with `{name}` to the RUNPATH of the file that opens it (`patchelf --add-rpath`, `runtimeDependencies`)"),
                None => "add its directory to the RUNPATH of the file that opens it".to_owned(),
            },
            Self::UnusableFileTaken { .. } => "remove the file, or take its directory off the search path".to_owned(),
            Self::AbsoluteNameOpened { .. } => "patch the name in the source, or redirect it with a wrapper of dlopen".to_owned(),
            Self::SymbolVersionMissing { first_in: Some(release), .. } => {
                format!("let the newer one be found first: build every dependency with one stdenv, or provide {release}")
            }
            Self::SymbolVersionMissing { first_in: None, .. } => "let the file be found that the package was built with".to_owned(),
            Self::DriverSymbolsUnlinked { library, .. } => {
                let short = library.strip_prefix("lib").and_then(|name| name.split(".so").next()).unwrap_or(library);
                format!("link with `-l{short}` against the stubs, so that `{library}` is in DT_NEEDED")
            }
            Self::ExecutableStack => "`patchelf --clear-execstack` the file, or mark its assembly `.note.GNU-stack`".to_owned(),
            Self::CudaMajorsMixed { .. } => "build everything with one `cudaPackages`".to_owned(),
            Self::SonameTwice { .. } => "let everything refer to one of them: override the dependency that brings the other".to_owned(),
            Self::CudnnVersionsMixed { .. } => "take all parts from one cuDNN package".to_owned(),
            Self::OtherPlatform { asked, pkgs_cross, .. } => format!("take the redistributable for {asked}: build with `pkgsCross.{pkgs_cross}`"),
            Self::ToolkitMonolith { .. } => "depend on the components (`cudaPackages.cuda_cudart`, `libcublas`, …); `nix why-depends` shows who refers to it".to_owned(),
            Self::StaticLibraries { .. } => "refer to the `lib` output instead of `static`; `nix why-depends` shows who refers to it".to_owned(),
            Self::StubsInClosure { .. } => "keep the `stubs` output out of run-time references; `nix why-depends` shows who refers to it".to_owned(),
            Self::NoGpuCode { .. } => "build with `cudaSupport = true`".to_owned(),
            Self::MachineCodeMissing { targets, .. } => format!("build with `cudaCapabilities = [ {} ]`", capabilities(targets)),
            Self::MachineCodeUnexpected { .. } => "pass the capabilities on to the build: `CMAKE_CUDA_ARCHITECTURES`, `TORCH_CUDA_ARCH_LIST`".to_owned(),
            Self::PtxMissing { .. } => "build with `cudaForwardCompat = true`".to_owned(),
            Self::PtxUnexpected { .. } => "build with `cudaForwardCompat = false`".to_owned(),
        }
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            EdgeKind::Needed => "needs",
            EdgeKind::Opened => "opens",
            EdgeKind::PerhapsOpened => "may open",
        };
        write!(f, "{verb} {}", self.name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyLoaded => f.write_str("already loaded"),
            Self::Rpath { of } => write!(f, "RPATH of {}", of.display()),
            Self::LibraryPath => f.write_str("LD_LIBRARY_PATH"),
            Self::Runpath => f.write_str("RUNPATH"),
            Self::Cache => f.write_str("the loader's cache"),
            Self::DefaultDirectory => f.write_str("a default directory"),
            Self::Path => f.write_str("the name is a path"),
        }
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Long lists tell no more than their beginning.
fn some(symbols: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = quoted(&symbols[..symbols.len().min(SHOWN)]);
    match symbols.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more driver symbols"),
    }
}

fn listed(targets: &[Target]) -> String {
    let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
    targets.join(", ")
}

fn capabilities(targets: &[Target]) -> String {
    let text = |target: &Target| {
        let name = target.to_string();
        let suffix = name.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let suffix = suffix.trim_start_matches(|letter: char| letter.is_ascii_digit());
        format!("\"{}{suffix}\"", target.capability)
    };
    targets.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// Bytes in the unit that a person would use.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(1024)),
        MIB..GIB => format!("{} MiB", bytes / MIB),
        GIB.. => format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Evidence, Finding, Severity};
    use std::path::Path;

    #[track_caller]
    fn check(flaw: Flaw, code: &str, message: &str) {
        let finding = Finding::new(Severity::Error, Evidence::of(Path::new("/p/libx.so")), flaw);
        assert_eq!(finding.code.to_string(), code);
        assert_eq!(finding.message, message);
        assert!(!finding.cause.is_empty() && !finding.remedy.is_empty());
        let json = serde_json::to_value(&finding).unwrap();
        assert_eq!(json["code"], code);
        assert_eq!(serde_json::from_value::<Finding>(json).unwrap(), finding);
    }

    #[test]
    fn findings_speak_and_survive_json() {
        check(
            Flaw::DriverDirectoryMissing {
                names: vec!["libcuda.so.1".to_owned()],
                directory: "/run/opengl-driver/lib".to_owned(),
                elsewhere: Elsewhere::Nowhere,
            },
            "driver-directory-missing",
            "asks for `libcuda.so.1`, but `/run/opengl-driver/lib` is on none of its search paths",
        );
        check(
            Flaw::StubsOnPath {
                directory: "/x/stubs".to_owned(),
                wins: StubWins::Always,
            },
            "stubs-on-path",
            "loads a stub from `/x/stubs` in place of the driver",
        );
        check(
            Flaw::MachineCodeMissing {
                targets: vec![Target::baseline(9, 0)],
                present: vec![],
            },
            "machine-code-missing",
            "has no machine code for sm_90",
        );
        check(
            Flaw::ToolkitMonolith {
                root: "/t".to_owned(),
                bytes: 5 << 29,
            },
            "toolkit-monolith",
            "the whole toolkit is in the closure: `/t`, 2.5 GiB",
        );
        check(
            Flaw::ExecutableStack,
            "executable-stack",
            "asks for an executable stack",
        );
    }

    #[test]
    fn capabilities_are_written_as_nixpkgs_does() {
        let targets: Vec<Target> = ["sm_87", "sm_90a", "sm_120f"]
            .map(|text| text.parse().unwrap())
            .into();
        assert_eq!(capabilities(&targets), "\"8.7\" \"9.0a\" \"12.0f\"");
    }
}
