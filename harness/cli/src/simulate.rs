//! Turns a profile into a small root tree and the variables that make a worker's driver the simulator.
//!
//! The probe reads the tree by the same rules as a real machine's, and finds the simulator's library where
//! that machine would keep its driver. Nothing after the probe knows of the simulation, but everything that
//! is reported says so.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cudacheck_model::task::FactsWork;
use cudacheck_simulator::inject::Injection;
use cudacheck_simulator::profile::{self, Profile};

use crate::arguments::SimulationArguments;
use crate::failure::Failure;
use crate::suites;

/// Where a simulated machine's files lie below the run's directory.
const SYSROOT: &str = "sysroot";
/// Where the state of the simulated devices lies below the run's directory.
const STATE: &str = "simulated-state";
/// The longest profile that is read; ours have a few kilobytes.
const MAX_PROFILE_BYTES: u64 = 1024 * 1024;

/// A simulated machine, checked but not yet on disk.
pub(crate) struct Simulation {
    profile: Profile,
    /// What the simulator reads: a profile's name, or an absolute path.
    selector: String,
    injected: Vec<Injection>,
    library: PathBuf,
}

impl Simulation {
    /// Reads the arguments; none if no simulation is asked for.
    pub(crate) fn from_arguments(arguments: &SimulationArguments) -> Result<Option<Self>, Failure> {
        let Some(word) = &arguments.simulate else {
            return Ok(None);
        };
        let (profile, selector) = profile(word)?;
        let parse = |text: &String| {
            text.parse::<Injection>().map_err(|error| Failure::Inject {
                message: error.to_string(),
            })
        };
        let injected = arguments
            .inject
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()?;
        Ok(Some(Self {
            profile,
            selector,
            injected,
            library: library()?,
        }))
    }

    /// The profile's name, for every report.
    pub(crate) fn name(&self) -> &str {
        &self.profile.name
    }

    /// The injected faults as the user wrote them.
    pub(crate) fn injected(&self) -> Vec<String> {
        self.injected.iter().map(ToString::to_string).collect()
    }

    /// What the library reads from its environment. `directory` lets a lost device stay lost from one
    /// worker to the next.
    pub(crate) fn environment(&self, seed: u64, directory: &Path) -> Vec<(String, String)> {
        let state = directory.join(STATE);
        let mut variables = vec![
            (
                "CUDACHECK_SIMULATE_STATE".to_owned(),
                state.display().to_string(),
            ),
            ("CUDACHECK_SIMULATE".to_owned(), self.selector.clone()),
            ("CUDACHECK_SIMULATE_SEED".to_owned(), seed.to_string()),
        ];
        if !self.injected.is_empty() {
            variables.push(("CUDACHECK_INJECT".to_owned(), self.injected().join(",")));
        }
        variables
    }

    /// Removes what [`Simulation::materialise`] wrote: the facts are recorded, and the links would keep old
    /// builds of the simulator on disk.
    pub(crate) fn clear(directory: &Path) {
        for folder in [SYSROOT, STATE] {
            let _ = fs::remove_dir_all(directory.join(folder));
        }
    }

    /// Writes the machine's files below the run's directory, and links the simulator where its driver
    /// would lie.
    pub(crate) fn materialise(&self, directory: &Path) -> Result<FactsWork, Failure> {
        let state = directory.join(STATE);
        fs::create_dir_all(&state).map_err(|source| Failure::File {
            action: "make the directory",
            path: state,
            source,
        })?;
        let root = &directory.join(SYSROOT);
        for (path, text) in &self.profile.files {
            place(root, path, |target| fs::write(target, text))?;
        }
        for library in &self.profile.libraries {
            place(root, &library.path, |target| link(&self.library, target))?;
        }
        let sysroot = fs::canonicalize(root).map_err(|source| Failure::File {
            action: "find",
            path: root.to_owned(),
            source,
        })?;
        Ok(FactsWork {
            sysroot,
            simulated: Some(self.profile.name.clone()),
        })
    }
}

/// Links the library so that a build that replaces it during a run does not take it away: by its inode
/// where the file system allows.
fn link(library: &Path, target: &Path) -> io::Result<()> {
    fs::hard_link(library, target).or_else(|_| symlink(library, target))
}

fn place(
    root: &Path,
    path: &str,
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), Failure> {
    let target = root.join(path.trim_start_matches('/'));
    let directory = target.parent().unwrap_or(root);
    let failure = |source| Failure::File {
        action: "write",
        path: target.clone(),
        source,
    };
    fs::create_dir_all(directory).map_err(failure)?;
    write(&target).map_err(failure)
}

fn profile(word: &str) -> Result<(Profile, String), Failure> {
    if let Some(profile) = profile::find(word) {
        return Ok((profile.clone(), word.to_owned()));
    }
    let path = Path::new(word);
    if !word.contains('/') && path.extension().is_none() {
        return Err(Failure::UnknownProfile {
            name: word.to_owned(),
            known: profile::names().map(ToOwned::to_owned).collect(),
        });
    }
    let failure = |message: String| Failure::Profile {
        path: path.to_owned(),
        message,
    };
    let text = suites::text(path, MAX_PROFILE_BYTES).map_err(failure)?;
    let profile = Profile::parse(&text).map_err(|error| failure(error.to_string()))?;
    let absolute = fs::canonicalize(path).map_err(|error| failure(error.to_string()))?;
    Ok((profile, absolute.display().to_string()))
}

/// The shared library: beside the binary as cargo leaves it, or where packages install it.
fn library() -> Result<PathBuf, Failure> {
    let executable = std::env::current_exe().map_err(|source| Failure::File {
        action: "find",
        path: "/proc/self/exe".into(),
        source,
    })?;
    let directory = executable.parent().unwrap_or(Path::new("/"));
    let name = "libcudacheck_simulator.so";
    let places = [
        directory.join(name),
        directory.join("deps").join(name),
        directory.join("../lib/cudacheck").join(name),
    ];
    // In a build directory the library may lie in both places, the older one left over from another build.
    let newest = places
        .iter()
        .filter_map(|place| Some((fs::metadata(place).ok()?.modified().ok()?, place)))
        .max();
    let place = newest
        .map(|(_, place)| place)
        .ok_or(Failure::SimulatorMissing {
            executable: executable.clone(),
        })?;
    fs::canonicalize(place).map_err(|source| Failure::File {
        action: "find",
        path: place.clone(),
        source,
    })
}
