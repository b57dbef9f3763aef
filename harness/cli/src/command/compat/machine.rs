//! Where the package shall run: reads the words that name a machine, a recorded one, or probes this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::compat::{
    self, Gpu, JetPackVersion, Machine, Switch, Variables, jetpack_release, runs_on, tables,
};
use cudacheck_model::facts::{FACTS_SCHEMA, MachineFacts};
use cudacheck_model::suite::{Platform, nearest};
use cudacheck_model::task::DriverFiles;
use cudacheck_model::version::{DriverVersion, ToolkitVersion};
use cudacheck_runner::Config;

use super::{question, wrong};
use crate::arguments::CompatArguments;
use crate::command::probe;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;
use crate::simulate::Simulation;

/// The machine, and the libcuda that was found if it is this one.
pub(super) fn machine(
    arguments: &CompatArguments,
    environment: &Environment,
) -> Result<(Machine, Option<PathBuf>), Failure> {
    let mut libcuda = None;
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
            machine.variables = of_this_process(environment);
            libcuda = facts.driver.libcuda.map(|library| library.path);
        }
        machine
    };
    if let Some(text) = &arguments.compat {
        machine.compat = Some(compat_version(text)?);
    }
    for variable in &arguments.variables {
        set(&mut machine.variables, variable)?;
    }
    Ok((machine, libcuda))
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

fn of_this_process(environment: &Environment) -> Variables {
    let switch = |on| if on { Switch::On } else { Switch::Off };
    Variables {
        force_ptx_jit: switch(environment.force_ptx_jit),
        disable_ptx_jit: switch(environment.disable_ptx_jit),
        // The probe has seen only the devices that are visible.
        visible_devices: None,
    }
}

fn set(variables: &mut Variables, text: &str) -> Result<(), Failure> {
    const KNOWN: [&str; 5] = [
        "CUDA_FORCE_PTX_JIT",
        "CUDA_DISABLE_PTX_JIT",
        "CUDA_FORCE_JIT",
        "CUDA_DISABLE_JIT",
        "CUDA_VISIBLE_DEVICES",
    ];
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let switch = match value {
        "1" => Switch::On,
        _ => Switch::Off,
    };
    match name {
        "CUDA_FORCE_PTX_JIT" | "CUDA_FORCE_JIT" => variables.force_ptx_jit = switch,
        "CUDA_DISABLE_PTX_JIT" | "CUDA_DISABLE_JIT" => variables.disable_ptx_jit = switch,
        "CUDA_VISIBLE_DEVICES" => variables.visible_devices = Some(value.to_owned()),
        _ => {
            let hint = nearest(name, KNOWN).map_or_else(
                || format!("known are {}", KNOWN.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(wrong(format!("`{name}` does not change the answer"), hint));
        }
    }
    Ok(())
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
