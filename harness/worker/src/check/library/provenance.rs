//! Proves whose libraries the process has used: of the package, of the driver, or of somebody else.
//!
//! A library that is opened by absolute path may take its parts from anywhere. What it computes with the parts of
//! another release says nothing about the package, so it is not a pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cudacheck_model::journal::{CheckResult, MappedLibrary, Owner, Stage, Stranger, StrangerKind};
use cudacheck_model::library::{Host, Part, Subject, Territory};

use super::Verdict;
use crate::check::mapped;
use crate::journal::Journal;

/// Tells which libraries are mapped, and stops at those that must not be.
pub(super) fn strangers(journal: &Journal, subject: &Subject) -> Verdict {
    let files = mapped::all().map_err(|fault| Box::new(CheckResult::Machine(fault)))?;
    let (mapped, strangers) = judge(&files, &subject.parts, &subject.territory);
    journal.mapped(mapped);
    if strangers.is_empty() {
        Ok(())
    } else {
        journal.stage(Stage::Provenance);
        Err(Box::new(CheckResult::Strangers(strangers)))
    }
}

/// The driver among mapped files: the one that this machine has, or another of its name.
pub(super) fn driver(files: &[PathBuf], known: Option<&Path>) -> Option<PathBuf> {
    let real = known.and_then(|known| known.canonicalize().ok());
    let is_driver = |path: &&PathBuf| {
        Some(*path) == real.as_ref() || stem(path).is_some_and(|(stem, _)| stem == "libcuda")
    };
    files.iter().find(is_driver).cloned()
}

/// Whose each library is, and which must not be mapped.
fn judge(
    files: &[PathBuf],
    parts: &[Part],
    territory: &Territory,
) -> (Vec<MappedLibrary>, Vec<Stranger>) {
    let mut mapped = Vec::new();
    let mut strangers = Vec::new();
    let mut first: BTreeMap<&str, &Path> = BTreeMap::new();
    for path in files.iter().filter(|path| concerns(path)) {
        let Some((stem, _)) = stem(path) else {
            continue;
        };
        let owner = owner(path, territory);
        mapped.push(MappedLibrary {
            path: path.clone(),
            owner,
        });
        let why = match owner {
            Owner::Excepted => None,
            // Also in the package's own directory of stubs there is nothing that works.
            Owner::Package | Owner::Closure | Owner::Driver | Owner::Host | Owner::Stranger
                if is_stub(path) =>
            {
                Some(StrangerKind::Stub)
            }
            Owner::Stranger => Some(StrangerKind::Outside),
            Owner::Closure => own_of(path, parts, territory).map(|own| StrangerKind::Hides { own }),
            Owner::Package | Owner::Driver | Owner::Host => None,
        };
        // On WSL the driver is a loader with the name of what it loads from Windows' own directory of drivers.
        let twice = first
            .get(stem)
            .filter(|other| !is_wsl(other) || !is_wsl(path))
            .map(|other| StrangerKind::Twice {
                other: (*other).to_owned(),
            });
        first.entry(stem).or_insert(path);
        if let Some(why) = why.or(twice) {
            strangers.push(Stranger {
                path: path.clone(),
                why,
            });
        }
    }
    (mapped, strangers)
}

/// Whether a file is a library of CUDA, or of what CUDA's libraries are easily mixed up with.
fn concerns(path: &Path) -> bool {
    let beginnings = [
        "libcu",
        "libnv",
        "libnccl",
        "libnpp",
        "libnvidia",
        "libstdc++",
        "libmagma",
        "libopencv_",
    ];
    stem(path).is_some_and(|(stem, _)| {
        beginnings
            .iter()
            .any(|beginning| stem.starts_with(beginning))
            && stem != "libcurl"
    })
}

/// `libcublas` and `.12.9` of `libcublas.so.12.9`.
fn stem(path: &Path) -> Option<(&str, &str)> {
    path.file_name()?.to_str()?.split_once(".so")
}

fn owner(path: &Path, territory: &Territory) -> Owner {
    let name = path.file_name().unwrap_or_default();
    let excepted = territory.excepted.iter().any(|word| {
        name == word.as_str()
            || stem(path).is_some_and(|(stem, _)| stem == word)
            || path.starts_with(word)
    });
    if path.starts_with(&territory.own) {
        Owner::Package
    } else if territory.closure.iter().any(|root| path.starts_with(root)) {
        Owner::Closure
    } else if is_drivers(path) && is_of_driver(path, territory) || is_only_tegras(path) {
        Owner::Driver
    } else if excepted {
        Owner::Excepted
    } else if territory.host == Host::Serves
        && stem(path).is_some_and(|(stem, _)| stem == "libstdc++")
    {
        Owner::Host
    } else {
        Owner::Stranger
    }
}

/// Whether a driver brings a library of this name; toolkits may lie in the same directory. On Jetson the driver's
/// own directory has many more, and no toolkit.
pub(super) fn is_drivers(path: &Path) -> bool {
    let beginnings = [
        "libcuda",
        "libcudadebugger",
        "libnvidia-",
        "libnvcuvid",
        "libnvoptix",
        "libnvrm",
        "libnvos",
    ];
    let Some((stem, _)) = stem(path) else {
        return false;
    };
    let of_jetson = path
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|name| name == "tegra" || name == "nvidia");
    let named = beginnings.iter().any(|beginning| {
        stem == *beginning
            || beginning.ends_with('-') && stem.starts_with(beginning)
            || of_jetson && stem.starts_with(beginning)
    });
    named && !is_stub(path) || of_jetson || is_wsl(path)
}

/// Whether a file lies where the driver of this machine does.
fn is_of_driver(path: &Path, territory: &Territory) -> bool {
    let mut directories = territory.driver.iter();
    directories.any(|directory| path.starts_with(directory) || is_wsl(directory) && is_wsl(path))
}

/// Whether a file is of WSL, where all of the driver is below two directories, and nothing else is.
fn is_wsl(path: &Path) -> bool {
    path.starts_with("/usr/lib/wsl")
}

/// Whether only the driver of a Tegra brings a library of this name. In a Nix store they lie in packages of their own
/// beside that of libcuda; no toolkit and no other machine has them.
fn is_only_tegras(path: &Path) -> bool {
    let beginnings = [
        "libnvrm_",
        "libnvos",
        "libnvsci",
        "libnvsocsys",
        "libnvtegra",
    ];
    let named = |stem: &str| {
        beginnings
            .iter()
            .any(|beginning| stem.starts_with(beginning))
    };
    stem(path).is_some_and(|(stem, _)| named(stem)) && !is_stub(path)
}

fn is_stub(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "stubs")
}

/// The package's own file of a library that was taken from elsewhere: the one that the search paths of its files lead
/// to, and so the one that would have been taken without something before them.
fn own_of(path: &Path, parts: &[Part], territory: &Territory) -> Option<PathBuf> {
    let (wanted, _) = stem(path)?;
    let mut found = parts.iter().filter_map(|part| part.found.as_ref());
    found
        .find(|found| {
            let same = stem(found).is_some_and(|(stem, _)| stem == wanted);
            same && found.starts_with(&territory.own)
        })
        .cloned()
}

#[cfg(test)]
mod tests {
    use cudacheck_model::library::PartNeed;

    use super::*;

    fn territory() -> Territory {
        Territory {
            own: PathBuf::from("/store/cudnn"),
            closure: vec![PathBuf::from("/store/cublas")],
            driver: vec![
                PathBuf::from("/run/opengl-driver/lib"),
                PathBuf::from("/usr/lib/x86_64-linux-gnu"),
            ],
            excepted: vec!["libnvToolsExt".to_owned()],
            host: Host::Serves,
        }
    }

    #[track_caller]
    fn check(path: &str, expected: Owner) {
        assert_eq!(owner(Path::new(path), &territory()), expected, "{path}");
    }

    #[test]
    fn every_library_has_an_owner() {
        check("/store/cudnn/lib/libcudnn.so.9", Owner::Package);
        check("/store/cublas/lib/libcublas.so.12", Owner::Closure);
        check("/store/cublas-old/lib/libcublas.so.12", Owner::Stranger);
        check(
            "/usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05",
            Owner::Driver,
        );
        check("/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1", Owner::Driver);
        check("/usr/lib/x86_64-linux-gnu/libcublas.so.11", Owner::Stranger);
        check(
            "/usr/lib/x86_64-linux-gnu/libcudart.so.11.0",
            Owner::Stranger,
        );
        check("/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30", Owner::Host);
        check("/opt/x/libnvToolsExt.so.1", Owner::Excepted);
        check("/store/l4t-core/lib/libnvrm_gpu.so", Owner::Driver);
        check("/store/l4t-nvsci/lib/libnvsciipc.so", Owner::Driver);
        check("/store/other/lib/libnvvm.so.4", Owner::Stranger);
    }

    fn parts() -> Vec<Part> {
        let found = |name: &str, path: &str| Part {
            name: name.to_owned(),
            need: PartNeed::Required,
            found: Some(PathBuf::from(path)),
            driver: false,
        };
        vec![
            found("libcudnn_cnn.so.9", "/store/cudnn/lib/libcudnn_cnn.so.9.10"),
            found("libcublasLt.so.12", "/store/cublas/lib/libcublasLt.so.12"),
        ]
    }

    #[track_caller]
    fn finds(files: &[&str], expected: &[StrangerKind]) {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let (_, strangers) = judge(&files, &parts(), &territory());
        let found: Vec<StrangerKind> = strangers.into_iter().map(|it| it.why).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_driver_of_wsl_is_a_loader_and_what_it_loads() {
        let loader = "/usr/lib/wsl/lib/libcuda.so.1.1";
        let store = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1";
        let files = [
            loader.to_owned(),
            format!("{store}/libcuda.so.1.1"),
            format!("{store}/libnvdxgdmal.so.1"),
            format!("{store}/libnvidia-ptxjitcompiler.so.1"),
        ]
        .map(PathBuf::from);
        let wsl = Territory {
            driver: vec![PathBuf::from("/usr/lib/wsl/lib")],
            ..territory()
        };
        let (mapped, strangers) = judge(&files, &[], &wsl);
        assert!(mapped.iter().all(|it| it.owner == Owner::Driver));
        assert_eq!(strangers, []);
        let (_, strangers) = judge(&files, &parts(), &territory());
        assert_eq!(strangers.len(), 4);
    }

    #[test]
    fn what_must_not_be_mapped_is_named() {
        finds(
            &[
                "/store/cudnn/lib/libcudnn.so.9",
                "/lib/libc.so.6",
                "/lib/libcurl.so.4",
            ],
            &[],
        );
        finds(&["/store/cublas/lib/libcublasLt.so.12"], &[]);
        finds(&["/opt/old/libcudnn_ops.so.9"], &[StrangerKind::Outside]);
        finds(
            &["/store/cublas/lib/libcudnn_cnn.so.9"],
            &[StrangerKind::Hides {
                own: PathBuf::from("/store/cudnn/lib/libcudnn_cnn.so.9.10"),
            }],
        );
        finds(&["/opt/cuda/lib64/stubs/libcuda.so"], &[StrangerKind::Stub]);
        finds(
            &["/store/cublas/lib64/stubs/libcuda.so.1"],
            &[StrangerKind::Stub],
        );
        finds(
            &[
                "/store/cudnn/lib/libcudnn_ops.so.9.1",
                "/store/cublas/lib/libcudnn_ops.so.9.2",
            ],
            &[StrangerKind::Twice {
                other: PathBuf::from("/store/cudnn/lib/libcudnn_ops.so.9.1"),
            }],
        );
    }
}
