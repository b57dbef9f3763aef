//! The parts of cuDNN: which each major release has, where they are, whether they can be opened, and of which
//! release they are.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_model::journal::CheckResult;
use cudacheck_model::library::Subject;

use super::super::opened::load;
use super::super::{Opened, Stop, Verdict};
use super::ffi;
use crate::check::mapped;
use crate::library::SharedLibrary;

/// A part that a major release always has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Part {
    /// What its file's name begins with.
    pub(super) stem: &'static str,
    /// The constant with its version, if it has one.
    stamp: Option<&'static CStr>,
    /// Whether the configuration that compiles everything at run time, `nvidia-cudnn-jit`, has it too.
    in_jit: bool,
}

const fn part(stem: &'static str, stamp: Option<&'static CStr>) -> Part {
    Part {
        stem,
        stamp,
        in_jit: false,
    }
}

/// Of version 8, from the wheels of 8.9.6 and 8.9.7. What trains has the constant only in `ops`.
const EIGHT: &[Part] = &[
    part("libcudnn_ops_infer", Some(c"cudnn_ops_infer_version")),
    part("libcudnn_ops_train", Some(c"cudnn_ops_train_version")),
    part("libcudnn_cnn_infer", Some(c"cudnn_cnn_infer_version")),
    part("libcudnn_cnn_train", None),
    part("libcudnn_adv_infer", Some(c"cudnn_adv_infer_version")),
    part("libcudnn_adv_train", None),
];

/// Of version 9, from the wheels of 9.10.2 and 9.28.0; `ext` and `engines_tensor_ir` came with later releases. The
/// constants kept their names of version 8.
const NINE: &[Part] = &[
    Part {
        stem: "libcudnn_graph",
        stamp: Some(c"cudnn_graph_version"),
        in_jit: true,
    },
    part("libcudnn_ops", Some(c"cudnn_ops_infer_version")),
    part("libcudnn_cnn", None),
    part("libcudnn_adv", Some(c"cudnn_adv_infer_version")),
    part("libcudnn_heuristic", None),
    part("libcudnn_engines_precompiled", None),
    Part {
        stem: "libcudnn_engines_runtime_compiled",
        stamp: None,
        in_jit: true,
    },
];

/// The major release, by the SONAME, for which alone the checks know the signatures.
pub(super) fn major(subject: &Subject) -> u64 {
    let number = subject.soname.rsplit('.').next();
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The parts that the package must have: all of the release, or those of the configuration without machine code.
pub(super) fn of_package(subject: &Subject) -> Vec<Part> {
    let jit = only_jit(subject);
    of_release(subject)
        .iter()
        .filter(|part| part.in_jit || !jit)
        .copied()
        .collect()
}

fn of_release(subject: &Subject) -> &'static [Part] {
    if major(subject) < 9 { EIGHT } else { NINE }
}

/// Whether it is the configuration that compiles everything at run time: nothing else is there, and all of that is.
pub(super) fn only_jit(subject: &Subject) -> bool {
    let parts = of_release(subject);
    parts.iter().any(|part| part.in_jit)
        && parts
            .iter()
            .all(|part| place(subject, part).is_some() == part.in_jit)
}

/// A part's name as the library asks for it: `libcudnn_ops.so.9`.
pub(super) fn name(subject: &Subject, part: &Part) -> String {
    format!("{}.so.{}", part.stem, major(subject))
}

/// The file of a part: where the library's search leads, else beside it.
pub(super) fn place(subject: &Subject, part: &Part) -> Option<PathBuf> {
    let asked = subject.parts.iter().find_map(|asked| {
        let (stem, _) = asked.name.split_once(".so")?;
        asked.found.clone().filter(|_| stem == part.stem)
    });
    asked.or_else(|| {
        let beside = subject.path.parent()?.join(name(subject, part));
        beside.exists().then_some(beside)
    })
}

/// Goes on if no part is missing. Nothing is opened. Without its first part, the first call ends the process.
pub(super) fn all_there(opened: &Opened<'_>) -> Verdict {
    let subject = opened.subject;
    let parts = of_package(subject);
    if only_jit(subject) {
        opened.note("configuration", "jit: every engine is compiled at run time");
    }
    match parts.iter().find(|part| place(subject, part).is_none()) {
        None => Ok(()),
        Some(part) => Err(missing(subject, part)),
    }
}

/// A part that is in no place.
pub(super) fn missing(subject: &Subject, part: &Part) -> Stop {
    let name = name(subject, part);
    Box::new(CheckResult::Unloadable {
        reason: format!(
            "{name}: cannot open shared object file: every cuDNN {} has it, but it is neither beside {} nor on its search path",
            major(subject),
            subject.soname
        ),
        library: name,
    })
}

/// Opens every part beside the library, also those that this release alone has, with all that they need.
pub(super) fn each_opens(opened: &Opened<'_>) -> Verdict {
    let subject = opened.subject;
    let siblings = siblings(&subject.path, major(subject));
    opened.note("parts-beside-it", siblings.len().to_string());
    for file in siblings {
        let Err(reason) = load(&file) else {
            continue;
        };
        if waits_for_driver(subject, &reason) {
            let note = format!("{}: {reason}", file.display());
            opened.note("needs-a-driver", note);
            continue;
        }
        return Err(Box::new(CheckResult::Unloadable {
            library: file.display().to_string(),
            reason,
        }));
    }
    Ok(())
}

/// Whether a part needs the driver on a machine that has none, where nobody can open it.
fn waits_for_driver(subject: &Subject, reason: &str) -> bool {
    reason.starts_with(DRIVER) && !has_driver(subject)
}

/// Whether a release can load its parts only where a driver is, and this machine has none. Seen with 8.5.0, no longer
/// with 8.9.6: a part that looks for `libcuda.so` in vain leaves the loader's message behind, which the library takes
/// for its own failure to load the part, and ends the process.
pub(super) fn needs_driver(opened: &Opened<'_>, release: Release) -> bool {
    let careful = Release {
        major: 8,
        minor: 9,
        patch: 0,
    };
    release < careful && !has_driver(opened.subject)
}

/// What the driver's library is called by those who look for it.
const DRIVER: &str = "libcuda.so.1";

/// Whether this machine has a driver.
pub(super) fn has_driver(subject: &Subject) -> bool {
    let mut places = subject.territory.driver.iter();
    places.any(|place| place.join(DRIVER).exists())
}

/// The parts of this major release beside the library, each file once, by name.
fn siblings(library: &Path, major: u64) -> Vec<PathBuf> {
    let entries = library.parent().and_then(|it| fs::read_dir(it).ok());
    let names = entries.into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = names
        .filter(|entry| is_part(&entry.file_name().to_string_lossy(), major))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let mut real: Vec<PathBuf> = Vec::new();
    for file in files {
        let file = file.canonicalize().unwrap_or(file);
        if !real.contains(&file) {
            real.push(file);
        }
    }
    real
}

/// `libcudnn_ops.so.9` and `libcudnn_ops.so.9.10.2` are parts of 9, `libcudnn_ops.so` and `libcudnn.so.9` are not.
fn is_part(name: &str, major: u64) -> bool {
    let Some((_, version)) = name
        .strip_prefix("libcudnn_")
        .and_then(|rest| rest.split_once(".so."))
    else {
        return false;
    };
    version.split('.').next() == Some(major.to_string().as_str())
        && version
            .split('.')
            .all(|number| number.parse::<u64>().is_ok())
}

/// A release of cuDNN.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Release {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
}

impl Release {
    /// As `cudnnGetVersion` tells it: 8907 is 8.9.7, 92800 is 9.28.0.
    pub(super) fn reported(number: usize) -> Self {
        let number = number as u64;
        let thousands = if number < 10_000 { 1000 } else { 10_000 };
        Self {
            major: number / thousands,
            minor: number % thousands / 100,
            patch: number % 100,
        }
    }

    /// As the parts carry it: 0x091c00 is 9.28.0.
    fn stamped(number: u32) -> Self {
        let byte = |shift: u32| u64::from(number >> shift & 0xFF);
        Self {
            major: byte(16),
            minor: byte(8),
            patch: byte(0),
        }
    }

    /// As a file is named: `libcudnn_ops.so.9.10.2`. Names with only the major number tell nothing.
    pub(super) fn of_file(path: &Path) -> Option<Self> {
        let (_, version) = path.file_name()?.to_str()?.split_once(".so.")?;
        let mut numbers = version.split('.').map(str::parse);
        Some(Self {
            major: numbers.next()?.ok()?,
            minor: numbers.next()?.ok()?,
            patch: numbers.next()?.ok()?,
        })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The releases of the library and its parts, as far as constants inside or names of files tell them: of what the
/// process has mapped, else of what would be taken.
pub(super) fn releases(opened: &Opened<'_>) -> BTreeMap<String, Release> {
    let subject = opened.subject;
    let mapped = mapped::all().unwrap_or_default();
    let mut releases = BTreeMap::new();
    if let Some(release) = Release::of_file(&subject.path) {
        releases.insert(subject.soname.clone(), release);
    }
    for part in of_package(subject) {
        let is_it = |path: &&PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.and_then(|name| name.split_once(".so."))
                .is_some_and(|(stem, _)| stem == part.stem)
        };
        let found = || place(subject, &part).map(|path| path.canonicalize().unwrap_or(path));
        let Some(path) = mapped.iter().find(is_it).cloned().or_else(found) else {
            continue;
        };
        let inside = part.stamp.and_then(|stamp| {
            let library = SharedLibrary::open(&path).ok()?;
            ffi::stamp(&library, stamp).map(Release::stamped)
        });
        if let Some(release) = inside.or_else(|| Release::of_file(&path)) {
            releases.insert(name(subject, &part), release);
        }
    }
    releases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Option<Release>, expected: &str) {
        let told = found.map_or_else(|| "none".to_owned(), |release| release.to_string());
        assert_eq!(told, expected);
    }

    #[test]
    fn releases_are_read_in_every_spelling() {
        check(Some(Release::reported(8907)), "8.9.7");
        check(Some(Release::reported(8600)), "8.6.0");
        check(Some(Release::reported(90000)), "9.0.0");
        check(Some(Release::reported(92800)), "9.28.0");
        check(Some(Release::stamped(526_599)), "8.9.7");
        check(Some(Release::stamped(592_386)), "9.10.2");
        check(Some(Release::stamped(596_992)), "9.28.0");
        let file = |name| Release::of_file(Path::new(name));
        check(file("/p/lib/libcudnn_ops.so.9.10.2"), "9.10.2");
        check(file("/p/lib/libcudnn.so.8.9.7"), "8.9.7");
        check(file("/p/lib/libcudnn_ops.so.9"), "none");
        check(file("/p/lib/libcudnn_ops.so"), "none");
    }

    #[test]
    fn parts_are_told_from_other_files() {
        assert!(is_part("libcudnn_ops.so.9", 9));
        assert!(is_part("libcudnn_engines_tensor_ir.so.9.28.0", 9));
        assert!(!is_part("libcudnn_ops.so", 9));
        assert!(!is_part("libcudnn_ops.so.8", 9));
        assert!(!is_part("libcudnn.so.9", 9));
        assert!(!is_part("libcudnn_ops.so.9.bak", 9));
        assert!(!is_part("libcudnn_ops_static.a", 9));
    }

    /// A package with these files, and the names of the parts that it must have but has not.
    #[track_caller]
    fn lacks(files: &[&str], expected: &[&str]) {
        let package = tempfile::tempdir().unwrap();
        let directory = package.path();
        for file in files {
            fs::write(directory.join(file), "").unwrap();
        }
        let subject = Subject {
            label: None,
            soname: "libcudnn.so.9".to_owned(),
            path: directory.join("libcudnn.so.9"),
            parts: Vec::new(),
            territory: cudacheck_model::library::Territory::default(),
            loader: None,
        };
        let parts = of_package(&subject);
        let absent = parts.iter().filter(|it| place(&subject, it).is_none());
        let names: Vec<&str> = absent.map(|part| part.stem).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn the_configuration_without_machine_code_is_complete() {
        let jit = [
            "libcudnn_graph.so.9",
            "libcudnn_engines_runtime_compiled.so.9",
        ];
        lacks(&jit, &[]);
        let all: Vec<String> = NINE.iter().map(|it| format!("{}.so.9", it.stem)).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        lacks(&all, &[]);
        lacks(&all[..6], &["libcudnn_engines_runtime_compiled"]);
        lacks(
            &all[1..5],
            &[
                "libcudnn_graph",
                "libcudnn_engines_precompiled",
                "libcudnn_engines_runtime_compiled",
            ],
        );
    }
}
