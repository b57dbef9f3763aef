//! What does not belong together, or not into a run-time closure at all.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use cudacheck_model::finding::{
    EdgeKind, Evidence, Finding, Flaw, MajorLibraries, Severity, Together,
};
use cudacheck_model::package::{FileKind, PackageFile};

use super::{Loadable, Package, parent, shown};
use crate::known;
use crate::resolve::{ResolvedEdge, is_stubs};

pub(super) fn judge(package: &Package<'_>, findings: &mut Vec<Finding>) {
    let libraries: Vec<Loadable<'_>> = package
        .by_path
        .values()
        .filter_map(|file| Loadable::of(file))
        .filter(|library| library.file.kind == FileKind::SharedObject)
        // Stubs stand beside what they stand for, and so do libraries for better processors.
        .filter(|library| !is_stubs(&parent(library.path())) && !is_for_processors(library.path()))
        .collect();
    majors(package, &libraries, findings);
    sonames(package, &libraries, findings);
    cudnn(package, findings);
    monoliths(package, findings);
    let archives = package
        .facts
        .files
        .iter()
        .filter(|file| file.kind == FileKind::Archive);
    weigh(
        archives,
        |files, bytes| Flaw::StaticLibraries { files, bytes },
        findings,
    );
    let stubs = package
        .facts
        .files
        .iter()
        .filter(|file| file.kind == FileKind::SharedObject && is_stubs(&parent(&file.path)));
    weigh(
        stubs,
        |files, bytes| Flaw::StubsInClosure { files, bytes },
        findings,
    );
}

fn is_for_processors(path: &Path) -> bool {
    path.components()
        .any(|component| component.as_os_str() == "glibc-hwcaps")
}

/// Libraries of two majors: each finds half of its dependencies in the other's.
fn majors<'a>(package: &Package<'a>, libraries: &[Loadable<'a>], findings: &mut Vec<Finding>) {
    let mut found: BTreeMap<u32, BTreeMap<&str, &Path>> = BTreeMap::new();
    for library in libraries {
        let Some(soname) = library.soname() else {
            continue;
        };
        if let Some([major]) = known::toolkit_majors(soname) {
            found
                .entry(*major)
                .or_default()
                .insert(soname, library.path());
        }
    }
    if found.len() < 2 {
        return;
    }
    let sets: Vec<Vec<&Path>> = found
        .values()
        .map(|library| library.values().copied().collect())
        .collect();
    let meeting = package.meeting(&sets);
    let together = together(meeting.is_some());
    let first = sets.first().and_then(|set| set.first().copied());
    let Some(file) = meeting.or(first) else {
        return;
    };
    let evidence = Evidence {
        other: sets
            .last()
            .and_then(|set| set.first())
            .map(|path| (*path).to_owned()),
        ..Evidence::of(file)
    };
    let majors = found
        .iter()
        .map(|(major, sonames)| MajorLibraries {
            major: *major,
            sonames: sonames.keys().map(|soname| (*soname).to_owned()).collect(),
        })
        .collect();
    let severity = worst_if_together(together);
    findings.push(Finding::new(
        severity,
        evidence,
        Flaw::CudaMajorsMixed { majors, together },
    ));
}

/// Two files of one SONAME: whichever is loaded first serves both.
fn sonames<'a>(package: &Package<'a>, libraries: &[Loadable<'a>], findings: &mut Vec<Finding>) {
    let mut found: BTreeMap<(&str, _, _), BTreeSet<&Path>> = BTreeMap::new();
    for library in libraries {
        if let Some(soname) = library.soname()
            && soname.starts_with("lib")
        {
            let key = (soname, library.file.machine, library.elf.class);
            found.entry(key).or_default().insert(library.path());
        }
    }
    for ((soname, ..), files) in found {
        if files.len() < 2 {
            continue;
        }
        let sets: Vec<Vec<&Path>> = files.iter().map(|file| vec![*file]).collect();
        let meeting = package.meeting_any_two(&sets);
        let together = together(meeting.is_some());
        let first = sets[0][0];
        let is_vital = known::toolkit_majors(soname).is_some()
            || known::driver_library(soname).is_some()
            || ["libstdc++.so.6", "libc.so.6"].contains(&soname);
        let severity = match (together, is_vital) {
            (Together::OneProcess, true) => Severity::Error,
            (Together::OneProcess, false) | (Together::OneClosure, true) => Severity::Warning,
            (Together::OneClosure, false) => Severity::Note,
        };
        let evidence = Evidence {
            other: sets
                .last()
                .and_then(|set| set.first())
                .map(|path| (*path).to_owned()),
            within: meeting.map(Path::to_owned),
            ..Evidence::of(first)
        };
        let flaw = Flaw::SonameTwice {
            soname: soname.to_owned(),
            files: files.iter().map(|file| shown(file)).collect(),
            together,
        };
        findings.push(Finding::new(severity, evidence, flaw));
    }
}

fn together(meets: bool) -> Together {
    if meets {
        Together::OneProcess
    } else {
        Together::OneClosure
    }
}

fn worst_if_together(together: Together) -> Severity {
    match together {
        Together::OneProcess => Severity::Error,
        Together::OneClosure => Severity::Warning,
    }
}

/// Parts of cuDNN that would be loaded together although their files name different versions.
fn cudnn(package: &Package<'_>, findings: &mut Vec<Finding>) {
    let version = |path: &Path| package.file(path).and_then(cudnn_version);
    let mut parts: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut differs: Option<&ResolvedEdge> = None;
    for edge in package
        .resolution
        .edges
        .iter()
        .chain(&package.resolution.within)
    {
        let Some(taken) = edge.found.real() else {
            continue;
        };
        if let (Some(one), Some(other)) = (version(&edge.file), version(taken))
            && one != other
        {
            differs = differs.or(Some(edge));
            parts.insert(edge.file.clone(), one);
            parts.insert(taken.to_owned(), other);
        }
    }
    let Some(edge) = differs else { return };
    let evidence = Evidence {
        edge: Some(edge.edge.clone()),
        rule: edge.found.rule().cloned(),
        other: edge.found.real().map(Path::to_owned),
        within: edge.within.clone(),
        ..Evidence::of(&edge.file)
    };
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let parts = parts
        .iter()
        .map(|(path, version)| format!("{} is {version}", name(path)))
        .collect();
    findings.push(Finding::new(
        Severity::Error,
        evidence,
        Flaw::CudnnVersionsMixed { parts },
    ));
}

/// The version of a part of cuDNN, from the names of its file or of its store path. Its content does not tell.
fn cudnn_version(file: &PackageFile) -> Option<String> {
    let soname = file.elf.as_ref()?.soname.as_deref()?;
    let is_part = soname.starts_with("libcudnn.so.") || soname.starts_with("libcudnn_");
    if !is_part {
        return None;
    }
    let names = std::iter::once(&file.path).chain(&file.aliases);
    let of_file = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let (_, version) = name.split_once(".so.")?;
        version.contains('.').then(|| version.to_owned())
    };
    let of_store = |path: &PathBuf| {
        let mut parts = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned());
        parts.find_map(|part| {
            let (_, rest) = part.split_once("-cudnn-")?;
            let version: String = rest
                .chars()
                .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
                .collect();
            // The fourth number is that of the build, which names of files do not have.
            let version: Vec<&str> = version.split('.').take(3).collect();
            (version.len() == 3).then(|| version.join("."))
        })
    };
    names
        .clone()
        .find_map(of_file)
        .or_else(|| names.clone().find_map(of_store))
}

/// The whole toolkit in one path: a compiler beside libraries that have nothing to do with it.
fn monoliths(package: &Package<'_>, findings: &mut Vec<Finding>) {
    const COMPILERS: [&str; 4] = ["nvcc", "cicc", "ptxas", "cudafe++"];
    const LIBRARIES: [&str; 7] = [
        "cudart", "cublas", "cufft", "curand", "cusolver", "cusparse", "nppc",
    ];
    const ENOUGH: usize = 3;
    let mut groups: BTreeMap<PathBuf, Vec<&PackageFile>> = BTreeMap::new();
    for file in &package.facts.files {
        if let Some(root) = root(package, &file.path) {
            groups.entry(root).or_default().push(file);
        }
    }
    for (root, files) in groups {
        let name = |file: &PackageFile| {
            file.path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let is_compiler = |file: &&PackageFile| {
            file.kind == FileKind::Executable
                && name(file).is_some_and(|name| COMPILERS.contains(&name.as_str()))
        };
        let stems: HashSet<&str> = files
            .iter()
            .filter_map(|file| known::stem(file.elf.as_ref()?.soname.as_deref()?))
            .filter_map(|(stem, _)| LIBRARIES.into_iter().find(|library| *library == stem))
            .collect();
        let is_named = root.to_string_lossy().contains("-cudatoolkit-") && !stems.is_empty();
        if is_named || (files.iter().any(is_compiler) && stems.len() >= ENOUGH) {
            let bytes = files.iter().map(|file| file.size).sum();
            let flaw = Flaw::ToolkitMonolith {
                root: shown(&root),
                bytes,
            };
            findings.push(Finding::new(Severity::Warning, Evidence::of(&root), flaw));
        }
    }
}

/// The store path, or else the given path, that a file is in.
fn root(package: &Package<'_>, path: &Path) -> Option<PathBuf> {
    let parts: Vec<_> = path.components().collect();
    let store = parts
        .windows(2)
        .position(|pair| pair[0].as_os_str() == "nix" && pair[1].as_os_str() == "store");
    if let Some(at) = store
        && parts.len() > at + 3
    {
        return Some(parts[..at + 3].iter().collect());
    }
    package
        .facts
        .roots
        .iter()
        .find(|root| path.starts_with(root))
        .cloned()
}

/// One finding for all files of a kind, with the largest as its evidence.
fn weigh<'a>(
    files: impl Iterator<Item = &'a PackageFile>,
    flaw: impl Fn(u64, u64) -> Flaw,
    findings: &mut Vec<Finding>,
) {
    let files: Vec<&PackageFile> = files.collect();
    let Some(largest) = files.iter().max_by_key(|file| file.size) else {
        return;
    };
    let bytes = files.iter().map(|file| file.size).sum();
    let flaw = flaw(files.len() as u64, bytes);
    findings.push(Finding::new(
        Severity::Warning,
        Evidence::of(&largest.path),
        flaw,
    ));
}

impl<'a> Package<'a> {
    /// Everything that is loaded with a file because it is needed, the file included.
    pub(super) fn needed_by<'p>(&'p self, file: &'p Path) -> impl Iterator<Item = &'p Path> {
        let mut seen: HashSet<&Path> = HashSet::from([file]);
        let mut pending = vec![file];
        while let Some(next) = pending.pop() {
            let needed = self
                .resolution
                .of(next)
                .filter(|edge| edge.edge.kind == EdgeKind::Needed);
            for real in needed.filter_map(|edge| edge.found.real()) {
                if seen.insert(real) {
                    pending.push(real);
                }
            }
        }
        seen.into_iter()
    }

    /// The file at which things of all these sets meet first.
    fn meeting(&self, sets: &[Vec<&'a Path>]) -> Option<&'a Path> {
        let mut sources = sets.iter().map(|set| self.leading_to(set));
        let first = sources.next()?;
        let common = sources.fold(first, |common, next| &common & &next);
        self.nearest(&common)
    }

    /// The file at which things of two of these sets meet first.
    fn meeting_any_two(&self, sets: &[Vec<&'a Path>]) -> Option<&'a Path> {
        let mut seen: BTreeSet<&Path> = BTreeSet::new();
        let mut common: BTreeSet<&Path> = BTreeSet::new();
        for set in sets {
            let sources = self.leading_to(set);
            common.extend(&sources & &seen);
            seen.extend(sources);
        }
        self.nearest(&common)
    }

    /// The one of these files that leads to none of the others: who needs it only inherits what is wrong with it.
    fn nearest(&self, files: &BTreeSet<&'a Path>) -> Option<&'a Path> {
        let leads_on = |file: &Path| {
            let taken = self
                .resolution
                .of(file)
                .filter_map(|edge| edge.found.real());
            taken
                .filter(|real| *real != file)
                .any(|real| files.contains(real))
        };
        let nearest = files.iter().find(|file| !leads_on(file));
        // In a circle of files each leads to another.
        nearest.or_else(|| files.first()).copied()
    }

    /// The files that lead to one of these, by what they need or are known to open.
    fn leading_to(&self, files: &[&'a Path]) -> BTreeSet<&'a Path> {
        let mut found: BTreeSet<&Path> = files.iter().copied().collect();
        let mut pending = files.to_vec();
        while let Some(next) = pending.pop() {
            for asker in self.askers.get(next).into_iter().flatten() {
                if found.insert(asker) {
                    pending.push(asker);
                }
            }
        }
        found
    }
}
