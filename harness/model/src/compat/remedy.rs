//! What to do about a verdict: each remedy is found by asking the rules again, so that it is known to help.

use super::answer::{Prospect, Rule, Step};
use super::bound::{Bound, Known};
use super::gpu::Gpu;
use super::jetpack::JetPackVersion;
use super::judge::{self, forward::package_name};
use super::machine::Machine;
use super::package::{Code, Contents, Package, possible};
use super::tables;
use crate::outcome::Explained;
use crate::version::{DriverVersion, ToolkitVersion};

/// What to do, the best first. Nothing where nothing is to be done.
pub(super) fn remedies(
    package: &Package,
    machine: &Machine,
    gpu: Option<&Gpu>,
    deciding: &Step,
) -> Vec<String> {
    let case = Case {
        package,
        machine,
        gpu,
    };
    let build = || gpu.map(|gpu| case.build_for(gpu));
    let remedies: Vec<Option<String>> = match deciding.rule {
        Rule::Sass
        | Rule::NoGpuCode
        | Rule::ToolkitTargets
        | Rule::Backward
        | Rule::OracleDriver
        | Rule::CompatPackage => Vec::new(),
        Rule::MachineFault => {
            let fault = machine
                .faults
                .iter()
                .find(|fault| fault.to_string() == deciding.text);
            vec![fault.map(Explained::remedy)]
        }
        Rule::OracleForward if deciding.prospect == Prospect::RunsWithCompat => Vec::new(),
        Rule::OracleForward => vec![case.without_compat(), case.newer_driver()],
        Rule::OracleRuntime if deciding.prospect == Prospect::Runs => Vec::new(),
        Rule::OracleRuntime if deciding.prospect == Prospect::Fails => {
            let by_tables = case.newer_driver();
            vec![
                by_tables.or_else(|| case.driver_for_runtime()),
                case.compat_package(),
                case.older_toolkit(),
            ]
        }
        Rule::OracleRuntime => vec![case.full_driver().or_else(|| case.newer_driver())],
        Rule::MinorCompat => vec![case.full_driver()],
        Rule::PtxJit => vec![build()],
        Rule::JetsonNoMinorCompat => {
            vec![
                case.compat_package(),
                case.newer_driver(),
                case.older_toolkit(),
            ]
        }
        Rule::DriverTooOld => {
            vec![
                case.newer_driver(),
                case.compat_package(),
                case.older_toolkit(),
            ]
        }
        // It may also refuse for another reason than the version: then only other code helps.
        Rule::OracleJit => match (deciding.prospect, deciding.error) {
            (Prospect::Fails, Some(_)) => vec![
                case.newer_driver(),
                case.compat_package(),
                build(),
                case.older_ptx(),
            ],
            (_, _) => vec![build()],
        },
        Rule::PtxTooNew => {
            vec![
                case.newer_driver(),
                case.compat_package(),
                build(),
                case.older_ptx(),
            ]
        }
        Rule::GpuNewerThanDriver | Rule::LibraryDriver | Rule::UnknownDriver => {
            vec![case.newer_driver().or_else(|| case.tell())]
        }
        Rule::NoCodeForGpu => match machine.variables.force_jit() {
            Some(name) => vec![Some(format!("unset {name}")), case.keep_ptx()],
            None => vec![build(), case.keep_ptx()],
        },
        Rule::ToolkitDroppedGpu => vec![case.older_toolkit()],
        Rule::JitDisabled => vec![
            machine
                .variables
                .disable_jit()
                .map(|name| format!("unset {name}")),
            build(),
        ],
        Rule::NoVisibleDevice => vec![Some("unset CUDA_VISIBLE_DEVICES".to_owned())],
        Rule::GpuDroppedByDriver => vec![case.last_driver(), case.without_compat()],
        Rule::OpenModules => vec![Some(
            "install the proprietary kernel modules of the driver in place of the open ones"
                .to_owned(),
        )],
        Rule::DriverMismatch => vec![
            Some("reboot, or unload and reload the nvidia kernel modules".to_owned()),
            Some("in a container, take libraries of another driver off LD_LIBRARY_PATH".to_owned()),
        ],
        Rule::CompatNotAllowed | Rule::CompatOlderThanDriver | Rule::CompatBaseNotListed => {
            vec![case.without_compat(), case.newer_driver()]
        }
        Rule::UpgradeNotOffered => vec![
            case.newer_driver(),
            case.compat_package(),
            case.older_toolkit(),
        ],
        Rule::DgpuSassOnTegra | Rule::TegraSassOnDgpu => vec![build()],
        Rule::OtherPlatform | Rule::SbsaOnJetson | Rule::JetsonBuildOnSbsa => {
            let here = machine.platform.or_else(|| machine.jetson_platform());
            vec![here.map(|here| format!("take the build for {}", judge::platform_name(here)))]
        }
        Rule::SystemLibraries => {
            let place = super::system::of(machine).and_then(|system| system.named.first());
            vec![place.map(|place| {
                format!("take a build for {place}, or bring the newer libraries with the package")
            })]
        }
        Rule::LibraryDroppedGpu | Rule::LibraryCudaMajor => vec![case.other_library()],
        Rule::UnknownLibrary | Rule::UnknownToolkit | Rule::UnknownGpu => vec![case.tell()],
    };
    remedies.into_iter().flatten().collect()
}

/// The lowest known driver with which a package runs on a GPU.
pub fn lowest_driver(
    package: &Package,
    machine: &Machine,
    gpu: Option<&Gpu>,
) -> Option<DriverVersion> {
    let mut all = known_drivers();
    all.retain(|driver| {
        let machine = Machine {
            driver: Some(driver.clone()),
            ..bare(machine, gpu)
        };
        runs(prospect(package, &machine, gpu))
    });
    all.into_iter().next()
}

/// The lowest JetPack with which a package runs on a module, of those that run on it.
pub fn lowest_jetpack(package: &Package, machine: &Machine, gpu: &Gpu) -> Option<JetPackVersion> {
    let releases = tables::jetpacks().releases.iter();
    let mut fitting = releases.filter(|release| {
        let machine = Machine {
            jetpack: Some(release.jetpack[1].clone()),
            platform: Some(release.platform),
            driver: None,
            ..bare(machine, Some(gpu))
        };
        super::runs_on(release, gpu.capability) && runs(prospect(package, &machine, Some(gpu)))
    });
    fitting.next().map(|release| release.jetpack[0].clone())
}

/// Every driver that the tables name, the oldest first.
fn known_drivers() -> Vec<DriverVersion> {
    let table = tables::toolkits();
    let releases = table.toolkits.iter().flat_map(|toolkit| &toolkit.releases);
    let releases = releases.map(|release| release.driver.clone());
    let floors = table.floors.iter().map(|floor| floor.driver.clone());
    // A branch of which no release is named begins with its number.
    let branches = tables::drivers().branches.iter();
    let branches = branches.filter_map(|branch| format!("{}.0", branch.branch).parse().ok());
    let mut all: Vec<DriverVersion> = releases.chain(floors).collect();
    let unnamed: Vec<DriverVersion> = branches
        .filter(|branch: &DriverVersion| {
            !all.iter().any(|driver| driver.branch() == branch.branch())
        })
        .collect();
    all.extend(unnamed);
    all.sort();
    all.dedup();
    all
}

/// The machine without anything that a newer driver would replace.
fn bare(machine: &Machine, gpu: Option<&Gpu>) -> Machine {
    Machine {
        driver: None,
        library: None,
        cuda: None,
        compat: None,
        jetpack: None,
        distribution: None,
        faults: Vec::new(),
        oracle: None,
        gpus: gpu.cloned().into_iter().collect(),
        ..machine.clone()
    }
}

/// What happens, without what to do about it.
pub(super) fn prospect(package: &Package, machine: &Machine, gpu: Option<&Gpu>) -> Prospect {
    let steps = judge::steps(package, machine, gpu);
    judge::deciding(&steps).map_or(Prospect::Unknown, |step| step.prospect)
}

fn runs(prospect: Prospect) -> bool {
    prospect < Prospect::Unknown
}

/// What is asked, for the remedies that depend on all of it.
struct Case<'a> {
    package: &'a Package,
    machine: &'a Machine,
    gpu: Option<&'a Gpu>,
}

impl Case<'_> {
    fn is_jetson(&self) -> bool {
        self.machine.jetpack.is_some() || self.gpu.is_some_and(Gpu::is_tegra)
    }

    fn newer_driver(&self) -> Option<String> {
        if let Some(gpu) = self.gpu.filter(|_| self.is_jetson()) {
            let lowest = lowest_jetpack(self.package, self.machine, gpu)?;
            let newer = self
                .machine
                .jetpack
                .as_ref()
                .is_none_or(|jetpack| lowest > *jetpack);
            return newer.then(|| format!("install JetPack {lowest} or newer"));
        }
        let lowest = lowest_driver(self.package, self.machine, self.gpu)?;
        match &self.machine.driver {
            None => Some(format!("use {} or newer", named(&lowest))),
            Some(driver) if lowest > *driver => {
                Some(format!("update the driver to {} or newer", named(&lowest)))
            }
            Some(_) => None,
        }
    }

    /// Where the tables thought that the driver would do, only its own number tells what is needed.
    fn driver_for_runtime(&self) -> Option<String> {
        let runtime = self.machine.oracle.as_ref()?.runtime.as_ref()?;
        let major = runtime.version?.major;
        Some(format!(
            "update the driver to one that supports CUDA {major}"
        ))
    }

    /// The driver that has everything that the toolkit can ask for.
    fn full_driver(&self) -> Option<String> {
        let wanted = self.package.toolkit.exact()?;
        let all = known_drivers();
        let full = all.iter().find(|driver| {
            let cuda = tables::cuda_of(driver.branch());
            cuda.reaches(Bound::exactly(wanted)) == Known::Yes
        })?;
        let label = named(full);
        Some(format!(
            "to have every function of toolkit {wanted}, update the driver to {label} or newer"
        ))
    }

    fn compat_package(&self) -> Option<String> {
        let candidates: Vec<ToolkitVersion> = match &self.machine.jetpack {
            Some(jetpack) => super::jetpack::upgrades(jetpack).to_vec(),
            None => {
                let packages = &tables::drivers().compat_packages.packages;
                packages.iter().rev().map(|package| package.cuda).collect()
            }
        };
        let wanted = self.package.toolkit.at_least?;
        let found = candidates
            .into_iter()
            .filter(|cuda| *cuda >= wanted)
            .find(|cuda| {
                let machine = Machine {
                    compat: Some(*cuda),
                    ..self.machine.clone()
                };
                prospect(self.package, &machine, self.gpu) == Prospect::RunsWithCompat
            })?;
        let name = package_name(found, self.machine);
        let directory = if name.contains("orin") {
            "compat_orin"
        } else {
            "compat"
        };
        Some(format!(
            "install {name} and put /usr/local/cuda-{found}/{directory} on LD_LIBRARY_PATH"
        ))
    }

    fn older_toolkit(&self) -> Option<String> {
        let wanted = self.package.toolkit.at_least;
        let all = tables::toolkits().toolkits.iter().rev();
        let mut older = all.filter(|toolkit| wanted.is_none_or(|wanted| toolkit.version < wanted));
        let found = older.find(|toolkit| {
            let package = Package {
                toolkit: Bound::exactly(toolkit.version),
                ..Package::named("")
            };
            runs(prospect(&package, self.machine, self.gpu)) && !toolkit.targets.is_empty()
        })?;
        Some(format!(
            "take a package built with toolkit {} or older",
            found.version
        ))
    }

    fn older_ptx(&self) -> Option<String> {
        let accepts = self.machine.ability().ptx.at_least?;
        let wanted = self.package.toolkit.at_least;
        let all = tables::toolkits().toolkits.iter().rev();
        let mut fitting =
            all.filter(|toolkit| toolkit.ptx <= accepts && !toolkit.targets.is_empty());
        let found = fitting
            .next()
            .filter(|toolkit| wanted.is_none_or(|wanted| toolkit.version < wanted))?;
        // Whoever goes back to an older toolkit needs a host compiler that it knows.
        let compiler = found
            .compilers
            .map(|newest| format!(" and takes GCC up to {}", newest.gcc));
        Some(format!(
            "build it with toolkit {} or older, which emits PTX {}{}",
            found.version,
            found.ptx,
            compiler.unwrap_or_default()
        ))
    }

    fn build_for(&self, gpu: &Gpu) -> String {
        let with = maker(self.package, gpu).map(|toolkit| format!(" with {toolkit}"));
        let (capability, sm) = (gpu.capability, gpu.capability.sm());
        format!(
            "build it{} for {sm}: cudaCapabilities = [ \"{capability}\" ]",
            with.unwrap_or_default()
        )
    }

    fn keep_ptx(&self) -> Option<String> {
        let Contents::Listed(code) = &self.package.code else {
            return None;
        };
        let gpu = self.gpu?;
        let mut older = code.iter().filter_map(|code| match code {
            Code::Machine(target) => Some(target),
            Code::Ptx(..) => None,
        });
        let reaching = older.any(|target| super::reach::ptx_reaches(*target, gpu.capability));
        reaching.then(|| "keep PTX in it: cudaForwardCompat = true".to_owned())
    }

    fn without_compat(&self) -> Option<String> {
        self.machine.compat.map(|cuda| {
            format!(
                "take /usr/local/cuda-{cuda}/compat (or /usr/local/cuda/compat) off LD_LIBRARY_PATH"
            )
        })
    }

    fn last_driver(&self) -> Option<String> {
        let generation = tables::generation(self.gpu?.capability)?;
        let last = generation.branches.as_ref()?.last?;
        Some(format!(
            "use a driver of branch {last}, the last for {}",
            generation.architecture
        ))
    }

    fn other_library(&self) -> Option<String> {
        let gpu = self.gpu?;
        self.package.libraries.iter().find_map(|library| {
            let rows = tables::libraries().floors.iter().rev();
            let major = super::package::major(self.package.toolkit);
            let mut fitting = rows.filter(|row| {
                let cuda = major.is_none_or(|major| row.cuda.contains(&major));
                row.library == library.name && row.capability <= gpu.capability && cuda
            });
            let row = fitting.next()?;
            let [first, last] = &row.versions;
            Some(format!("take {} {first} to {last}", library.name))
        })
    }

    fn tell(&self) -> Option<String> {
        let ask = if self.gpu.is_none() || self.machine.driver.is_none() {
            "say which machine: --driver VERSION --gpu NAME, or --jetpack VERSION on a Jetson"
        } else if self.package.toolkit == Bound::UNKNOWN {
            "say which toolkit: --toolkit VERSION"
        } else {
            "run `cudacheck run` on that machine: it tries what the tables do not tell"
        };
        Some(ask.to_owned())
    }
}

/// The toolkits that can build for a GPU, if the package's own cannot.
pub(super) fn maker(package: &Package, gpu: &Gpu) -> Option<String> {
    let made = |toolkit: &tables::Toolkit| {
        let mut targets = toolkit.targets.iter();
        targets.any(|target| target.capability == gpu.capability)
    };
    if package.toolkit == Bound::UNKNOWN || possible(package.toolkit).any(made) {
        return None;
    }
    let span = &tables::generation(gpu.capability)?.toolkits;
    Some(match span.last {
        Some(last) => format!("a toolkit from {} to {last}", span.first),
        None => format!("toolkit {} or newer", span.first),
    })
}

/// A driver, or its branch where no version of it is known.
fn named(driver: &DriverVersion) -> String {
    let text = driver.to_string();
    match text.strip_suffix(".0") {
        Some(branch) if !branch.contains('.') => format!("branch {branch}"),
        Some(_) | None => text,
    }
}
