//! Where the package shall run: reads the words that name a machine, a recorded one, or probes this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::compat::{
    self, Gpu, JetPackVersion, Machine, Variables, jetpack_release, runs_on, tables,
};
use cudacheck_model::facts::{FACTS_SCHEMA, MachineFacts};
use cudacheck_model::suite::{Platform, nearest};
use cudacheck_model::task::DriverFiles;
use cudacheck_model::version::{DriverVersion, ToolkitVersion};
use cudacheck_runner::Config;

use super::oracle::{LIBCUDA, version_in_name};
use super::{question, wrong};
use crate::arguments::CompatArguments;
use crate::command::probe;
use crate::environment::{self, Environment};
use crate::failure::Failure;
use crate::output;
use crate::simulate::Simulation;

/// The libcuda that programs on this machine load.
pub(super) struct Loaded {
    /// Where it is.
    pub(super) libcuda: PathBuf,
    /// Whose it is.
    pub(super) from: Origin,
}

/// Whose a libcuda is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// The driver's.
    Driver,
    /// That of a forward compatibility package.
    Compat,
}

/// The machine, and the libcuda that programs load if it is this one.
pub(super) fn machine(
    arguments: &CompatArguments,
    environment: &Environment,
) -> Result<(Machine, Option<Loaded>), Failure> {
    let mut loaded = None;
    let is_named = arguments.driver.is_some()
        || !arguments.gpus.is_empty()
        || arguments.jetpack.is_some()
        || arguments.platform.is_some();
    let mut machine = if is_named {
        named(arguments)?
    } else {
        let facts = match &arguments.facts {
            Some(file) => recorded(file)?,
            None => probed(arguments, environment)?,
        };
        let mut machine = Machine::from_facts(&facts);
        if arguments.facts.is_none() && arguments.sysroot.is_none() {
            let known = tables::variables().variables.iter();
            let known = known.map(|each| each.name.as_str());
            // Where libraries lie on this machine says nothing of a simulated one.
            let real = facts.simulated.is_none();
            let known = known.filter(|name| real || *name != "LD_LIBRARY_PATH");
            machine.variables = of_this_process(known);
            if facts.simulated.is_some() || !facts.devices.is_empty() {
                // A simulated driver sees all devices, and the probe of a real one only the visible ones.
                machine.variables.visible_devices = None;
            }
        }
        if arguments.facts.is_none() && arguments.sysroot.is_none() && facts.simulated.is_none() {
            let found = facts.driver.libcuda.map(|library| library.path);
            let path = machine.variables.value("LD_LIBRARY_PATH");
            loaded = first_on_path(path, found, machine.driver.as_ref());
        }
        machine
    };
    for variable in &arguments.variables {
        set(&mut machine.variables, variable)?;
    }
    machine.compat = match &arguments.compat {
        Some(text) => Some(compat_version(text)?),
        None => machine.variables.compat(),
    };
    Ok((machine, loaded))
}

/// What the loader takes: the driver's libcuda, unless another lies on `LD_LIBRARY_PATH`. One of the same version is a
/// copy of the driver's.
fn first_on_path(
    path: Option<&str>,
    found: Option<PathBuf>,
    driver: Option<&DriverVersion>,
) -> Option<Loaded> {
    let mut directories = path.into_iter().flat_map(|path| path.split([':', ';']));
    let real = |path: &Path| fs::canonicalize(path).ok();
    let other = directories
        .next()
        .map(|directory| Path::new(directory).join(LIBCUDA))
        .filter(|path| {
            found
                .as_deref()
                .is_none_or(|found| real(found) != real(path))
        });
    let (libcuda, from) = match other {
        Some(other) => {
            let version = real(&other).and_then(|path| version_in_name(&path));
            // Those of Jetson's upgrade packages have no version in their names.
            let newer = match (&version, driver) {
                (Some(own), Some(driver)) => own > driver,
                (Some(_), None) => false,
                (None, _) => true,
            };
            (
                other,
                if newer {
                    Origin::Compat
                } else {
                    Origin::Driver
                },
            )
        }
        None => (found?, Origin::Driver),
    };
    Some(Loaded { libcuda, from })
}

fn named(arguments: &CompatArguments) -> Result<Machine, Failure> {
    let mut machine = Machine {
        driver: arguments.driver.as_deref().map(driver).transpose()?,
        library: arguments
            .driver_libraries
            .as_deref()
            .map(driver)
            .transpose()?,
        jetpack: arguments.jetpack.as_deref().map(jetpack).transpose()?,
        platform: arguments.platform.map(Into::into),
        ..Machine::default()
    };
    for name in &arguments.gpus {
        machine.gpus.push(gpu(name)?);
    }
    if let Some(version) = &machine.jetpack {
        agree_on_jetpack(version, &mut machine.gpus)?;
        let release = machine.jetson_platform();
        match (machine.platform, release) {
            (Some(given), Some(own)) if given != own => {
                let message = format!(
                    "--platform {} contradicts JetPack {version}",
                    compat::platform_name(given)
                );
                let hint = format!("its platform is {}", compat::platform_name(own));
                return Err(wrong(message, hint));
            }
            (None, _) => machine.platform = release,
            (Some(_), _) => {}
        }
    }
    for gpu in &machine.gpus {
        agree_with_platform(gpu, &machine)?;
    }
    Ok(machine)
}

fn agree_on_jetpack(version: &JetPackVersion, gpus: &mut Vec<Gpu>) -> Result<(), Failure> {
    let Some(release) = jetpack_release(version) else {
        return Ok(());
    };
    if let Some(other) = gpus.iter().find(|gpu| !runs_on(release, gpu.capability)) {
        let message = format!("JetPack {version} does not run on {}", other.label());
        let hint = format!("it runs on {}", release.modules.join(", "));
        return Err(wrong(message, hint));
    }
    if gpus.is_empty() {
        for module in &release.modules {
            let found = compat::find_gpu(module).ok();
            let known = |gpu: &Gpu| gpus.iter().any(|each| each.capability == gpu.capability);
            if let Some(gpu) = found.filter(|gpu| !known(gpu)) {
                gpus.push(gpu);
            }
        }
    }
    Ok(())
}

fn agree_with_platform(gpu: &Gpu, machine: &Machine) -> Result<(), Failure> {
    let label = gpu.label();
    if let (true, Some(driver)) = (gpu.is_tegra(), &machine.driver) {
        let message =
            format!("--driver {driver} says too little of {label}: its driver is part of JetPack");
        return Err(wrong(
            message,
            "name it with --jetpack, such as --jetpack 6.2".to_owned(),
        ));
    }
    let possible: &[Platform] = match (gpu.is_tegra(), tables::generation(gpu.capability)) {
        (_, None) => return Ok(()),
        (true, Some(_)) => &[Platform::LinuxAarch64, Platform::LinuxSbsa],
        (false, Some(_)) => &[
            Platform::LinuxX86_64,
            Platform::LinuxSbsa,
            Platform::LinuxPpc64le,
        ],
    };
    match machine.platform {
        Some(platform) if !possible.contains(&platform) => {
            let message = format!("no {} machine has {label}", compat::platform_name(platform));
            let names: Vec<&str> = possible
                .iter()
                .map(|each| compat::platform_name(*each))
                .collect();
            Err(wrong(
                message,
                format!("its platform is one of {}", names.join(", ")),
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// A driver's version; a branch alone is taken at the newest of its versions in the tables.
fn driver(text: &str) -> Result<DriverVersion, Failure> {
    let text = text.trim().trim_start_matches(['R', 'r', 'v']);
    let bad = |hint: String| Err(wrong(format!("there is no driver `{text}`"), hint));
    if let Ok(branch) = text.parse::<u32>() {
        let releases = tables::toolkits()
            .toolkits
            .iter()
            .flat_map(|toolkit| &toolkit.releases);
        let of_branch = releases.filter(|release| release.driver.branch() == branch);
        let Some(newest) = of_branch.map(|release| &release.driver).max() else {
            return bad("name the whole version, such as 580.95.05".to_owned());
        };
        output::people(&format!("driver branch {branch} is taken as {newest}\n"));
        return Ok(newest.clone());
    }
    match text.parse::<DriverVersion>() {
        Ok(version) if (100..1500).contains(&version.branch()) => Ok(version),
        Ok(version) if version.branch() < 100 => bad(format!(
            "`{version}` looks like a version of CUDA or of Jetson Linux; a driver's is such as 580.95.05"
        )),
        Ok(_) | Err(_) => {
            let known: Vec<String> = tables::toolkits()
                .toolkits
                .iter()
                .flat_map(|toolkit| &toolkit.releases)
                .map(|release| release.driver.to_string())
                .collect();
            let near = nearest(text, known.iter().map(String::as_str));
            bad(near.map_or_else(
                || "a driver's version is such as 580.95.05".to_owned(),
                |near| format!("did you mean `{near}`?"),
            ))
        }
    }
}

fn gpu(name: &str) -> Result<Gpu, Failure> {
    compat::find_gpu(name).map_err(|unknown| {
        let hint = match unknown.nearest.as_slice() {
            [] => "`cudacheck compat --tables` lists the names; a capability such as sm_87 is understood, too".to_owned(),
            near => format!("did you mean `{}`?", near.join("` or `")),
        };
        wrong(unknown.to_string(), hint)
    })
}

fn jetpack(text: &str) -> Result<JetPackVersion, Failure> {
    let releases = &tables::jetpacks().releases;
    let known: Vec<String> = releases
        .iter()
        .flat_map(|release| &release.jetpack)
        .map(ToString::to_string)
        .collect();
    let near = || {
        let near = nearest(text, known.iter().map(String::as_str));
        near.map_or_else(
            || "a JetPack's version is such as 6.2".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )
    };
    let bad = || wrong(format!("there is no JetPack `{text}`"), near());
    let version: JetPackVersion = text.trim().parse().map_err(|_| bad())?;
    let newest = releases
        .last()
        .map_or(0, |release| release.jetpack[1].major());
    if version.major() > newest + 2 || version.major() < 1 {
        return Err(bad());
    }
    Ok(version)
}

/// `13.0`, or the name of the package.
fn compat_version(text: &str) -> Result<ToolkitVersion, Failure> {
    let numbers = text.strip_prefix("cuda-compat-").unwrap_or(text);
    let numbers = numbers
        .strip_prefix("orin-")
        .unwrap_or(numbers)
        .replace('-', ".");
    match question::toolkit(&numbers)?.exact() {
        Some(version) => Ok(version),
        None => Err(wrong(
            format!("`{text}` is not a forward compatibility package"),
            "name it as cuda-compat-13-0, or as 13.0".to_owned(),
        )),
    }
}

fn of_this_process<'a>(names: impl Iterator<Item = &'a str>) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in environment::those_set(names) {
        let value = match name.as_str() {
            "LD_LIBRARY_PATH" => with_driver(&value),
            _ => Some(value),
        };
        if let Some(value) = value {
            // Only names of the table were asked for.
            let _ = variables.set(&name, &value);
        }
    }
    variables
}

/// The directories that hold a libcuda: the others change nothing here.
fn with_driver(path: &str) -> Option<String> {
    let directories = path.split([':', ';']).filter(|directory| {
        Path::new(directory).is_absolute() && Path::new(directory).join(LIBCUDA).is_file()
    });
    let directories: Vec<&str> = directories.collect();
    (!directories.is_empty()).then(|| directories.join(":"))
}

fn set(variables: &mut Variables, text: &str) -> Result<(), Failure> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    variables.set(name, value).map_err(|unknown| {
        let known = tables::variables().variables.iter();
        let known: Vec<&str> = known.map(|each| each.name.as_str()).collect();
        let hint = nearest(name, known.iter().copied()).map_or_else(
            || format!("known are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong(unknown.to_string(), hint)
    })
}

fn recorded(file: &Path) -> Result<MachineFacts, Failure> {
    let text = fs::read(file).map_err(|source| Failure::File {
        action: "read",
        path: file.to_owned(),
        source,
    })?;
    let no_facts = |why: String| {
        let message = format!("`{}` holds no facts: {why}", file.display());
        wrong(message, "cudacheck facts --json >FILE".to_owned())
    };
    let facts: MachineFacts =
        serde_json::from_slice(&text).map_err(|error| no_facts(error.to_string()))?;
    if facts.schema != FACTS_SCHEMA {
        return Err(no_facts(format!(
            "its schema is {}, not {FACTS_SCHEMA}",
            facts.schema
        )));
    }
    Ok(facts)
}

fn probed(arguments: &CompatArguments, environment: &Environment) -> Result<MachineFacts, Failure> {
    let simulation = Simulation::from_arguments(&arguments.simulation)?;
    let directory = tempfile::Builder::new()
        .prefix("cudacheck-compat-")
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
    Ok(probe::runtime()?.block_on(cudacheck_runner::probe(
        &config,
        machine.work,
        DriverFiles::default(),
    )))
}
