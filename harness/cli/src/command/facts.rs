//! `cudacheck facts`: what is this machine?

use std::time::Duration;

use cudacheck_model::task::DriverFiles;
use cudacheck_report::facts::facts_text;
use cudacheck_runner::Config;

use super::probe;
use crate::arguments::FactsArguments;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;
use crate::simulate::Simulation;

pub(crate) fn facts(arguments: &FactsArguments, environment: &Environment) -> Result<u8, Failure> {
    let simulation = Simulation::from_arguments(&arguments.simulation)?;
    let directory = tempfile::Builder::new()
        .prefix("cudacheck-facts-")
        .tempdir()
        .map_err(|source| Failure::File {
            action: "make the directory",
            path: std::env::temp_dir(),
            source,
        })?;
    let machine = probe::machine(
        simulation.as_ref(),
        arguments.sysroot.as_deref(),
        directory.path(),
        0,
        environment,
    )?;
    let mut config = Config::new(probe::executable()?, directory.path().to_owned());
    config.environment = machine.environment;
    config.probe_timeout = Duration::from_secs(arguments.probe_timeout);
    let sysroot = machine.work.sysroot.clone();
    let facts = probe::runtime()?.block_on(cudacheck_runner::probe(
        &config,
        machine.work,
        DriverFiles::default(),
    ));

    if let Some(into) = &arguments.record {
        cudacheck_worker::record(&facts, &sysroot, into).map_err(|source| Failure::File {
            action: "record into",
            path: into.clone(),
            source,
        })?;
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&facts).unwrap_or_default();
        output::data(&(text + "\n"))?;
    } else {
        output::data(&facts_text(&facts))?;
    }
    // The facts of a broken machine are facts all the same; the code tells scripts that it is broken.
    Ok(match facts.faults.as_slice() {
        [] => 0,
        faults
            if faults
                .iter()
                .any(cudacheck_model::fault::MachineFault::needs_attention) =>
        {
            6
        }
        _ => 3,
    })
}
