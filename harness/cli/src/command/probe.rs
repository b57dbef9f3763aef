//! Probes the machine, real or simulated, in a worker under supervision.

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_model::task::FactsWork;
use tokio::runtime::{Builder, Runtime};

use crate::environment::Environment;
use crate::failure::Failure;
use crate::simulate::Simulation;

/// The machine to probe and the variables its workers get.
pub(crate) struct Machine {
    pub(crate) work: FactsWork,
    pub(crate) environment: Vec<(String, String)>,
}

/// Prepares a machine: writes the simulated one to disk, or takes the root given.
pub(crate) fn machine(
    simulation: Option<&Simulation>,
    sysroot: Option<&Path>,
    directory: &Path,
    seed: u64,
    environment: &Environment,
) -> Result<Machine, Failure> {
    let mut variables = Vec::new();
    let work = match simulation {
        Some(simulation) => {
            variables.extend(simulation.environment(seed, directory));
            simulation.materialise(directory)?
        }
        None => {
            // It is about the real devices, and says nothing of a simulated one.
            let restriction = environment.visible_devices.iter();
            variables.extend(
                restriction.map(|devices| ("CUDA_VISIBLE_DEVICES".to_owned(), devices.clone())),
            );
            let root = sysroot.unwrap_or(Path::new("/"));
            let found = fs::canonicalize(root).map_err(|source| Failure::File {
                action: "open",
                path: root.to_owned(),
                source,
            })?;
            FactsWork {
                sysroot: found,
                simulated: None,
            }
        }
    };
    Ok(Machine {
        work,
        environment: variables,
    })
}

/// A runtime on this thread alone: the supervisor is small, and waits most of its life.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)
}

/// This binary, for the stubs and workers that are started from it.
pub(crate) fn executable() -> Result<PathBuf, Failure> {
    // Not its path: a binary that is replaced during a run would split the run between two versions.
    let itself = PathBuf::from("/proc/self/exe");
    match fs::metadata(&itself) {
        Ok(_) => Ok(itself),
        Err(source) => Err(Failure::File {
            action: "find",
            path: itself,
            source,
        }),
    }
}
