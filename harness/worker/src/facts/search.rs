//! Looks for the driver's libraries where each kind of machine keeps them.
//!
//! The order is that of [`LookupRule`]. Whatever has the right name is reported, taken or not: a file that
//! was passed over explains many a failure of other programs.

use std::io::Read;
use std::path::{Path, PathBuf};

use cudacheck_model::facts::{Library, LookupRule};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::ld_cache;
use cudacheck_model::version::DriverVersion;

use super::elf::{self, Architecture};
use super::root::{self, Broken, Place, Root};

/// What a search depends on beside the files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine<'a> {
    /// Selects the directories and the entries of the cache.
    pub(super) architecture: Option<Architecture>,
    /// What a library must be made for.
    pub(super) libraries: Option<Architecture>,
    /// The system on chip of a Jetson.
    pub(super) soc: Option<&'a str>,
}

/// What a search found.
pub(super) struct Search {
    /// Everything of the right name, in the order of the rules.
    candidates: Vec<Candidate>,
    searched: Vec<PathBuf>,
}

struct Candidate {
    library: Library,
    /// Where it can be opened; none if it must not be.
    host: Option<PathBuf>,
}

impl Search {
    /// The first candidate without a complaint, and where it can be opened.
    pub(super) fn taken(&self) -> Option<(&Library, &Path)> {
        self.candidates
            .iter()
            .find_map(|candidate| Some((&candidate.library, candidate.host.as_deref()?)))
    }

    /// What the taken library is made for.
    pub(super) fn architecture(&self) -> Option<Architecture> {
        let (_, host) = self.taken()?;
        elf::architecture(&head(host).ok()?.0)
    }

    /// Everything else.
    pub(super) fn passed_over(&self) -> impl Iterator<Item = &Library> {
        let taken = self.taken().map(|(library, _)| &library.path);
        self.candidates
            .iter()
            .map(|candidate| &candidate.library)
            .filter(move |library| Some(&library.path) != taken)
    }

    /// Takes the next candidate instead of the one taken now.
    pub(super) fn reject(&mut self, complaint: &str) {
        let taken = self.candidates.iter_mut().find(|one| one.host.is_some());
        if let Some(candidate) = taken {
            candidate.host = None;
            candidate.library.complaint = Some(complaint.to_owned());
        }
    }

    /// Why nothing was taken.
    pub(super) fn fault(&self) -> Option<MachineFault> {
        if self.taken().is_some() {
            return None;
        }
        let stub = self.candidates.iter().find(|one| {
            one.library
                .complaint
                .as_deref()
                .is_some_and(|complaint| complaint.contains("stub"))
        });
        if let Some(stub) = stub {
            return Some(MachineFault::StubLibrary {
                library: stub.library.path.clone(),
            });
        }
        Some(match self.candidates.first() {
            Some(first) => MachineFault::LibraryUnusable {
                library: first.library.path.clone(),
                reason: first.library.complaint.clone().unwrap_or_default(),
            },
            None => MachineFault::DriverNotFound {
                searched: self.searched.clone(),
            },
        })
    }
}

/// Looks for a library: `libcuda.so.1`.
pub(super) fn find(root: &Root, machine: Machine<'_>, name: &str) -> Search {
    let mut search = Search {
        candidates: Vec::new(),
        searched: Vec::new(),
    };
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut look = |search: &mut Search, path: &Path, rule: LookupRule| {
        let Some(candidate) = candidate(root, machine, path, rule) else {
            return;
        };
        // The same file by another name adds nothing.
        let file = candidate
            .library
            .resolved
            .clone()
            .unwrap_or_else(|| path.to_owned());
        if !seen.contains(&file) {
            seen.push(file);
            search.candidates.push(candidate);
        }
    };
    for (folder, rule) in first_folders(machine) {
        search.searched.push(folder.clone());
        look(&mut search, &folder.join(name), rule);
        if rule == LookupRule::Jetson {
            // The link to it is made by `ldconfig`, which containers do not always run.
            look(&mut search, &folder.join(format!("{name}.1")), rule);
        }
    }
    search.searched.push("/etc/ld.so.cache".into());
    if let (Some(cache), Some(architecture)) = (root.read("/etc/ld.so.cache"), machine.architecture)
    {
        for path in in_cache(&cache, name, architecture) {
            look(&mut search, &path, LookupRule::LdSoCache);
        }
    }
    for folder in default_folders(root, machine.architecture) {
        look(
            &mut search,
            &folder.join(name),
            LookupRule::DefaultDirectory,
        );
        search.searched.push(folder);
    }
    search
}

/// The paths that the loader's cache has for a library, those for particular processors among them.
fn in_cache(cache: &[u8], name: &str, architecture: Architecture) -> Vec<PathBuf> {
    let flags = ld_cache::flags(architecture.machine());
    ld_cache::entries(cache)
        .filter(|entry| Some(entry.flags) == flags && entry.name == name)
        .map(|entry| PathBuf::from(entry.path.into_owned()))
        .collect()
}

/// The folders that come before the loader's.
fn first_folders(machine: Machine<'_>) -> Vec<(PathBuf, LookupRule)> {
    // From JetPack 7.2 on both of the first two may be there; only one fits the processor.
    let jetson = if machine.soc == Some("tegra264") {
        [
            "/opt/nvidia/l4t-gpu-libs/openrm",
            "/opt/nvidia/l4t-gpu-libs/nvgpu",
        ]
    } else {
        [
            "/opt/nvidia/l4t-gpu-libs/nvgpu",
            "/opt/nvidia/l4t-gpu-libs/openrm",
        ]
    };
    [
        ("/run/opengl-driver/lib", LookupRule::RunOpenglDriver),
        ("/usr/lib/wsl/lib", LookupRule::Wsl),
    ]
    .into_iter()
    .chain(
        jetson
            .into_iter()
            .chain([
                "/usr/lib/aarch64-linux-gnu/nvidia",
                "/usr/lib/aarch64-linux-gnu/tegra",
            ])
            // Debian uses the first of these on any machine.
            .filter(|_| machine.architecture != Some(Architecture::X86))
            .map(|folder| (folder, LookupRule::Jetson)),
    )
    .map(|(folder, rule)| (PathBuf::from(folder), rule))
    .collect()
}

/// The loader's own folders, and those in which distributions keep several drivers side by side.
fn default_folders(root: &Root, architecture: Option<Architecture>) -> Vec<PathBuf> {
    let multiarch = match architecture {
        Some(Architecture::Arm) => "aarch64-linux-gnu",
        Some(Architecture::X86) | None => "x86_64-linux-gnu",
    };
    let mut folders: Vec<PathBuf> = [
        format!("/lib/{multiarch}"),
        format!("/usr/lib/{multiarch}"),
        "/lib64".to_owned(),
        "/usr/lib64".to_owned(),
        "/lib".to_owned(),
        "/usr/lib".to_owned(),
        "/usr/local/nvidia/lib64".to_owned(),
    ]
    .into_iter()
    .map(PathBuf::from)
    .collect();
    let side_by_side = PathBuf::from(format!("/usr/lib/{multiarch}/nvidia"));
    folders.push(side_by_side.join("current"));
    for name in root.folders(&side_by_side) {
        let folder = side_by_side.join(name);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn candidate(
    root: &Root,
    machine: Machine<'_>,
    path: &Path,
    found_by: LookupRule,
) -> Option<Candidate> {
    let (place, complaint) = match root.follow(path) {
        Err(Broken::Missing) => return None,
        Err(Broken::Dangling(target)) => (
            None,
            Some(format!(
                "it is a link to `{}`, which is not there",
                target.display()
            )),
        ),
        Err(Broken::Loop) => (None, Some("it is a link that leads to itself".to_owned())),
        Ok(place) => {
            let complaint = complaint(&place, path, machine.libraries);
            (Some(place), complaint)
        }
    };
    let resolved = place.as_ref().map(|place| place.inside.clone());
    Some(Candidate {
        library: Library {
            path: path.to_owned(),
            version: version(resolved.as_deref().unwrap_or(path)),
            resolved: resolved.filter(|resolved| resolved != path),
            found_by,
            complaint: complaint.clone(),
        },
        host: place
            .map(|place| place.host)
            .filter(|_| complaint.is_none()),
    })
}

fn complaint(place: &Place, path: &Path, wanted: Option<Architecture>) -> Option<String> {
    let in_stubs = |path: &Path| path.iter().any(|part| part == "stubs");
    if in_stubs(path) || in_stubs(&place.inside) {
        return Some("it is the CUDA toolkit's stub: it lies in a `stubs` directory".to_owned());
    }
    match head(&place.host) {
        Ok((head, size)) => elf::complaint(&head, size, wanted),
        Err(error) => Some(format!("it cannot be read: {error}")),
    }
}

/// A file's first bytes, and its size.
fn head(file: &Path) -> std::io::Result<(Vec<u8>, u64)> {
    let file = root::open(file)?;
    let size = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(elf::HEAD).read_to_end(&mut head)?;
    Ok((head, size))
}

/// The driver's version in a file's name: `libcuda.so.580.95.05`. The `1.1` of a Jetson's is none.
fn version(file: &Path) -> Option<DriverVersion> {
    let name = file.file_name()?.to_str()?;
    let (_, version) = name.split_once(".so.")?;
    let version: DriverVersion = version.parse().ok()?;
    (version.branch() >= 100).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: Option<&str>) {
        let version = version(Path::new(file)).map(|version| version.to_string());
        assert_eq!(version.as_deref(), expected);
    }

    #[test]
    fn a_file_name_tells_the_version() {
        check("/usr/lib/libcuda.so.580.95.05", Some("580.95.05"));
        check("/usr/lib/libnvidia-ml.so.340.108", Some("340.108"));
        check("/usr/lib/libcuda.so.1.1", None);
        check("/usr/lib/libcuda.so.1", None);
        check("/usr/lib/libcudacheck_simulator.so", None);
    }

    #[test]
    fn the_cache_of_this_machine_knows_the_c_library() {
        // A machine without such a cache, as NixOS is, has nothing to show here.
        if let (Ok(cache), Some(own)) = (std::fs::read("/etc/ld.so.cache"), Architecture::own()) {
            assert!(!in_cache(&cache, "libc.so.6", own).is_empty());
        }
    }
}
