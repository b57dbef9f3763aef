//! `cudacheck run`: suites in; terminal, JUnit, events, and an exit code out.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::event::RunStarted;
use cudacheck_model::suite::{Check, Limits, Package, Suite, nearest};
use cudacheck_model::task::DriverFiles;
use cudacheck_runner::{Config, DeviceFilter, Filter, PackageGiven};
use time::OffsetDateTime;
use time::macros::format_description;

use self::examined::{Depth, Examined};
use self::sinks::Sinks;
use super::inspection::Inspection;
use super::linkage;
use super::probe::{self, Machine};
use crate::arguments::{DEFAULT_TIME_LIMIT, RunArguments};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;
use crate::simulate::Simulation;
use crate::suites::{self, Loaded};

mod choice;
mod examined;
mod sinks;

pub(crate) fn run(arguments: &RunArguments, environment: &Environment) -> Result<u8, Failure> {
    let catalogue = suites::catalogue();
    let packages = packages(&arguments.packages)?;
    let mut examined = None;
    let names = if arguments.suites.is_empty() && !packages.is_empty() {
        let found = examined.insert(examined::examine(&packages, Depth::Names));
        let shipped = suites::load(&[], &catalogue)?.suites;
        choice::suites(&shipped, found)
    } else {
        chosen(arguments)
    };
    let Loaded {
        mut suites,
        words,
        scripts,
    } = suites::load(&names, &catalogue)?;
    name_package(&mut suites, &packages);
    known_cases(arguments, &suites)?;
    sensible_questions(&suites)?;
    loader_is_there(arguments)?;
    let simulation = Simulation::from_arguments(&arguments.simulation)?;
    let seed = arguments
        .seed
        .unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));
    let (run_id, directory) = run_directory(&arguments.runs)?;
    let machine = probe::machine(simulation.as_ref(), None, &directory, seed, environment)?;
    let mut config = config(arguments, &machine, &directory, seed)?;
    config.suite_words = words;
    config.scripts = scripts;
    config.package.clone_from(&packages);
    let filter = filter(arguments);
    if examined.is_none() && !packages.is_empty() {
        let depth = if choice::asks_for_libraries(&suites) {
            Some(Depth::Names)
        } else {
            cudacheck_runner::asks_for_files(&suites, &filter).then_some(Depth::Code)
        };
        examined = depth.map(|depth| examined::examine(&packages, depth));
    }
    let Examined {
        files,
        mut libraries,
        depth,
    } = examined.unwrap_or_default();
    if let (Some(files), Some(Depth::Names)) = (&files, depth) {
        let path = directory.join("package.json");
        write_json(&path, files);
        config.package_facts = Some(path);
    }
    config.examined = cudacheck_runner::packages(&suites, files.as_ref());
    examined::complete(&mut libraries, &packages, arguments, &directory);

    let start = RunStarted {
        run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        simulated: simulation
            .as_ref()
            .map(|simulation| simulation.name().to_owned()),
        injected: simulation
            .as_ref()
            .map(Simulation::injected)
            .unwrap_or_default(),
        seed,
    };
    let shown = arguments.runs.join(&start.run_id).display().to_string();
    let mut sinks = Sinks::open(arguments, environment, &directory, &shown)?;
    let sysroot = machine.work.sysroot.clone();
    let mut summary = probe::runtime()?.block_on(async {
        let probe = cudacheck_runner::probe(&config, machine.work, DriverFiles::default());
        let facts = match cudacheck_runner::unless_interrupted(probe).await {
            Ok(facts) => facts,
            Err(signal) => {
                return cudacheck_runner::interrupted(start, signal, &mut |event| {
                    sinks.event(event)
                });
            }
        };
        write_json(&directory.join("facts.json"), &facts);
        examined::on_machine(&mut libraries, &facts, &sysroot);
        let plan = cudacheck_runner::plan(
            &suites,
            &facts,
            &catalogue,
            &filter,
            &config.examined,
            &libraries,
        );
        write_json(&directory.join("plan.json"), &plan);
        cudacheck_runner::run(&config, start, facts, plan, &mut |event| sinks.event(event)).await
    });
    if let Err(failure) = sinks.finish(arguments, &directory, &shown) {
        // What was found out about a package stays true without the report of it.
        output::failure(&failure, environment);
        summary.machine_fault = true;
    }
    if simulation.is_some() {
        Simulation::clear(&directory);
    }
    Inspection::of_this_process().write(&directory);
    Ok(summary.exit_code())
}

/// The suites that the user named, or those that answer the question as it was asked.
fn chosen(arguments: &RunArguments) -> Vec<String> {
    if arguments.suites.is_empty() {
        vec!["kernels".to_owned()]
    } else {
        arguments.suites.clone()
    }
}

/// What checks of files ask for must mean something before anything runs.
fn sensible_questions(suites: &[Suite]) -> Result<(), Failure> {
    for suite in suites {
        for case in &suite.cases {
            if let Check::Linkage(check) = &case.check
                && let Err(message) = linkage::question(check)
            {
                let message = format!("case `{}` of suite `{}`: {message}", case.name, suite.name);
                return Err(Failure::Question {
                    message,
                    hint: Some("expect: \"sm_80,sm_90,ptx\"; platform: linux-x86_64".to_owned()),
                });
            }
        }
    }
    Ok(())
}

/// A loader that is not there would make every library look as if it could not be loaded.
fn loader_is_there(arguments: &RunArguments) -> Result<(), Failure> {
    match arguments.loader.as_ref().filter(|path| !path.is_file()) {
        Some(loader) => Err(Failure::Question {
            message: format!("the loader `{}` is not a file", loader.display()),
            hint: Some("name one such as …-glibc-2.42/lib/ld-linux-x86-64.so.2".to_owned()),
        }),
        None => Ok(()),
    }
}

/// The paths of the package, as workers will need them: they live in directories of their own.
fn packages(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let absolute = |path: &PathBuf| {
        let found = fs::symlink_metadata(path).and_then(|_| std::path::absolute(path));
        found.map_err(|error| Failure::Question {
            message: format!("the package `{}` cannot be read: {error}", path.display()),
            hint: None,
        })
    };
    paths.iter().map(absolute).collect()
}

/// A suite for any package examines the one that is given.
fn name_package(suites: &mut [Suite], packages: &[PathBuf]) {
    let name = |path: &PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    let Some(name) = packages.first().and_then(name) else {
        return;
    };
    for suite in suites {
        let for_any =
            suite.package.is_none() && suite.cases.iter().all(|case| case.check.needs_package());
        if for_any {
            suite.package = Some(Package {
                name: name.clone(),
                toolkit: None,
                must_run: false,
            });
        }
    }
}

/// A case that no suite has is a mistake of the command line, not a run in which nothing ran.
fn known_cases(arguments: &RunArguments, suites: &[Suite]) -> Result<(), Failure> {
    let names = || {
        suites
            .iter()
            .flat_map(|suite| &suite.cases)
            .map(|case| case.name.as_str())
    };
    match arguments
        .cases
        .iter()
        .find(|name| !names().any(|known| known == *name))
    {
        Some(name) => Err(Failure::UnknownCase {
            name: name.clone(),
            nearest: nearest(name, names()).map(str::to_owned),
        }),
        None => Ok(()),
    }
}

fn filter(arguments: &RunArguments) -> Filter {
    let devices = if arguments.devices.is_empty() {
        DeviceFilter::All
    } else {
        DeviceFilter::Named(arguments.devices.clone())
    };
    Filter {
        cases: arguments.cases.clone(),
        devices,
        package: if arguments.packages.is_empty() {
            PackageGiven::No
        } else {
            PackageGiven::Yes
        },
    }
}

fn config(
    arguments: &RunArguments,
    machine: &Machine,
    directory: &Path,
    seed: u64,
) -> Result<Config, Failure> {
    let mut config = Config::new(probe::executable()?, directory.to_owned());
    config.environment = machine.environment.clone();
    config.environment.extend(arguments.env.iter().cloned());
    config.probe_timeout = Duration::from_secs(arguments.probe_timeout);
    config.default_limits = Limits {
        time_s: Some(arguments.time_limit),
        memory_mib: simulated_memory(arguments),
        retries: Some(arguments.retries),
    };
    config.seed = seed;
    config.health = Some(machine.work.clone());
    config.jobs = arguments
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    config.lock_dir.clone_from(&arguments.locks);
    config.rerun_prefix = rerun_prefix(arguments);
    Ok(config)
}

/// An interpreter walks through memory some thousand times slower than a device: enough to find every
/// injected fault, not enough to be waited for.
fn simulated_memory(arguments: &RunArguments) -> Option<u64> {
    arguments.simulation.simulate.as_ref().map(|_| 4)
}

/// The part of the command line that every case's rerun line repeats.
fn rerun_prefix(arguments: &RunArguments) -> Vec<String> {
    let mut words = vec!["cudacheck".to_owned(), "run".to_owned()];
    if let Some(profile) = &arguments.simulation.simulate {
        words.extend(["--simulate".to_owned(), profile.clone()]);
    }
    for fault in &arguments.simulation.inject {
        words.extend(["--inject".to_owned(), fault.clone()]);
    }
    if arguments.time_limit != DEFAULT_TIME_LIMIT {
        words.extend(["--time-limit".to_owned(), arguments.time_limit.to_string()]);
    }
    for package in &arguments.packages {
        words.extend(["--package".to_owned(), package.display().to_string()]);
    }
    for word in &arguments.allow_host_libraries {
        words.extend(["--allow-host-libraries".to_owned(), word.clone()]);
    }
    if let Some(loader) = &arguments.loader {
        words.extend(["--loader".to_owned(), loader.display().to_string()]);
    }
    for (name, value) in &arguments.env {
        words.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    words
}

fn run_directory(runs: &Path) -> Result<(String, PathBuf), Failure> {
    let now = OffsetDateTime::now_utc();
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let stamp = now
        .format(format)
        .unwrap_or_else(|_| now.unix_timestamp().to_string());
    let failure = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File {
            action: "make the directory",
            path,
            source,
        }
    };
    let place = std::path::absolute(runs).map_err(failure(runs))?;
    if place.to_str().is_none() {
        let reason = "its path is not UTF-8, and tasks and reports are";
        let error = io::Error::new(io::ErrorKind::InvalidInput, reason);
        return Err(failure(&place)(error));
    }
    fs::create_dir_all(runs).map_err(failure(runs))?;
    loop {
        let run_id = format!(
            "{stamp}-{:04x}",
            RandomState::new().hash_one(&stamp) & 0xFFFF
        );
        let directory = runs.join(&run_id);
        match fs::create_dir(&directory) {
            Ok(()) => {
                let absolute = fs::canonicalize(&directory).map_err(failure(&directory))?;
                return Ok((run_id, absolute));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failure(&directory)(error)),
        }
    }
}

/// Beside the events these files are a convenience; a run does not fail for the lack of them.
fn write_json<T: serde::Serialize>(path: &Path, value: &T) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        let _ = fs::write(path, text + "\n");
    }
}
