//! Finds out what a machine is: first from its files, then from its driver.
//!
//! What the files say is in the journal before the driver is touched, because the driver may not let us
//! come back.

mod elf;
mod host;
mod jetson;
mod judge;
mod kernel_module;
mod live;
mod nvml;
mod recording;
mod root;
mod search;

#[cfg(test)]
mod machines;

use std::path::Path;

use cudacheck_model::facts::{DriverFacts, FACTS_SCHEMA, MachineFacts};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::Stage;
use cudacheck_model::task::FactsWork;

use self::elf::Architecture;
use self::judge::{Kind, Signs};
use self::live::{Dependencies, Stub};
use self::root::{Links, Root};
use self::search::{Machine, Search};
use crate::journal::Journal;

pub use self::recording::record;

const LIBCUDA: &str = "libcuda.so.1";
const NVML: &str = "libnvidia-ml.so.1";

/// Probes the machine below a root. The last facts in the journal are the whole answer; those before
/// them are what was known until then.
pub(crate) fn probe(journal: &Journal, work: &FactsWork) {
    journal.stage(Stage::Search);
    let (root, mut found) = offline(&work.sysroot, work.simulated.clone());
    if let Some(recorded) = recording::read(&root) {
        journal.facts(&recording::combine(found.facts, recorded));
        return;
    }
    journal.facts(&found.facts);
    let foreign = found.libraries != Architecture::own();
    if foreign || found.cuda.taken().is_none() {
        return;
    }
    let dependencies = if root.is_own() {
        Dependencies::Loader
    } else {
        Dependencies::Beside
    };
    let cuda = driver(journal, dependencies, &mut found);
    journal.facts(&found.facts);
    let nvml = management(journal, &mut found);
    let Found { facts, .. } = &mut found;
    if let Some(cuda) = cuda {
        facts.faults.extend(judge::judge(Signs {
            cuda,
            nvml: &nvml,
            module: facts
                .driver
                .kernel_module
                .as_ref()
                .map(|module| module.version.clone()),
            library: facts
                .driver
                .libcuda
                .as_ref()
                .and_then(|library| library.version.clone()),
            kind: if facts.host.wsl || facts.jetson.is_some() {
                Kind::Other
            } else {
                Kind::Plain
            },
        }));
    }
    journal.facts(&found.facts);
}

/// What the files say, and what is still to be asked.
struct Found {
    facts: MachineFacts,
    cuda: Search,
    nvml: Search,
    /// What libraries must be made for.
    libraries: Option<Architecture>,
}

impl Found {
    /// Writes the state of the searches into the facts.
    fn tell(&mut self) {
        let driver = &mut self.facts.driver;
        driver.libcuda = self.cuda.taken().map(|(library, _)| library.clone());
        driver.nvml = self.nvml.taken().map(|(library, _)| library.clone());
        driver.passed_over = self
            .cuda
            .passed_over()
            .chain(self.nvml.passed_over())
            .cloned()
            .collect();
        self.facts.faults = self.cuda.fault().into_iter().collect();
    }
}

/// Reads everything that can be read without loading a library.
fn offline(sysroot: &Path, simulated: Option<String>) -> (Root, Found) {
    let links = match simulated {
        Some(_) => Links::Outward,
        None => Links::Inside,
    };
    let root = Root::new(sysroot, links);
    let host = host::find(&root);
    let jetson = jetson::find(&root);
    let architecture = host.architecture.as_deref().and_then(Architecture::named);
    let machine = Machine {
        architecture,
        // A simulated machine of any architecture has the simulator of this one.
        libraries: match simulated {
            Some(_) => Architecture::own(),
            None => architecture,
        },
        soc: jetson.as_ref().and_then(|jetson| jetson.soc.as_deref()),
    };
    let cuda = search::find(&root, machine, LIBCUDA);
    let mut found = Found {
        nvml: search::find(&root, machine, NVML),
        // A tree may hold a driver and nothing else that tells.
        libraries: machine.libraries.or_else(|| cuda.architecture()),
        cuda,
        facts: MachineFacts {
            schema: FACTS_SCHEMA,
            simulated,
            host,
            driver: DriverFacts {
                kernel_module: root
                    .text("/proc/driver/nvidia/version")
                    .as_deref()
                    .and_then(kernel_module::parse),
                ..DriverFacts::default()
            },
            devices: Vec::new(),
            jetson,
            faults: Vec::new(),
        },
    };
    if found.facts.host.architecture.is_none() {
        found.facts.host.architecture = found.libraries.map(|own| own.name().to_owned());
    }
    found.tell();
    (root, found)
}

/// Asks the driver, and the next one where the first is a stub. Answers how many devices there are, or
/// nothing if no driver could be asked.
fn driver(
    journal: &Journal,
    dependencies: Dependencies,
    found: &mut Found,
) -> Option<Result<usize, MachineFault>> {
    loop {
        let (library, host) = found.cuda.taken()?;
        let driver = match live::open(journal, host, dependencies) {
            Ok(driver) => driver,
            Err(reason) => {
                found.facts.faults.push(MachineFault::LibraryUnusable {
                    library: library.path.clone(),
                    reason: reason.clone(),
                });
                if let Some(library) = &mut found.facts.driver.libcuda {
                    library.complaint = Some(reason);
                }
                return None;
            }
        };
        let asked = live::version(&driver).and_then(|cuda| {
            found.facts.driver.cuda = cuda;
            journal.facts(&found.facts);
            live::devices(journal, &driver)
        });
        match asked {
            Ok(devices) => {
                return Some(devices.map(|devices| {
                    found.facts.devices = devices;
                    found.facts.devices.len()
                }));
            }
            Err(Stub) => {
                found.facts.driver.cuda = None;
                found.cuda.reject(
                    "it is the CUDA toolkit's stub: it answers 34 (CUDA_ERROR_STUB_LIBRARY)",
                );
                found.tell();
            }
        }
    }
}

/// Asks the management library.
fn management(journal: &Journal, found: &mut Found) -> nvml::Answer {
    let Some((_, host)) = found.nvml.taken() else {
        return nvml::Answer::Absent;
    };
    journal.stage(Stage::Nvml);
    let answer = nvml::ask(host);
    let driver = &mut found.facts.driver;
    match &answer {
        nvml::Answer::Answered(answers) => {
            driver.nvml_driver.clone_from(&answers.driver);
            driver.cuda = driver.cuda.or(answers.cuda);
            live::enrich(&mut found.facts.devices, &answers.devices);
        }
        nvml::Answer::Unusable(reason) => {
            if let Some(library) = &mut driver.nvml {
                library.complaint = Some(reason.clone());
            }
        }
        nvml::Answer::Absent | nvml::Answer::Refused(..) => {}
    }
    answer
}
