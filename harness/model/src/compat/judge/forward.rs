//! Forward compatibility packages: which libcuda a program loads, and whether it may run beside the kernel module.

use super::driver::{Loaded, Origin};
use super::oracle;
use crate::compat::answer::{Domain, Prospect, Rule, Step};
use crate::compat::bound::Bound;
use crate::compat::gpu::{Gpu, GpuClass};
use crate::compat::jetpack;
use crate::compat::machine::{Ability, Machine};
use crate::compat::tables::{self, Confidence};
use crate::version::{ComputeCapability, ToolkitVersion};

/// The name of the forward compatibility package for a CUDA version.
pub(crate) fn package_name(cuda: ToolkitVersion, machine: &Machine) -> String {
    let seven = machine
        .jetpack
        .as_ref()
        .is_some_and(|jetpack| jetpack.major() >= 7);
    let orin = machine
        .gpus
        .iter()
        .any(|gpu| gpu.capability == ComputeCapability::new(8, 7));
    let middle = if seven && orin { "orin-" } else { "" };
    format!("cuda-compat-{middle}{}-{}", cuda.major, cuda.minor)
}

/// Which libcuda a program loads, and what is to be said of the package that it may be from.
pub(crate) fn loaded(machine: &Machine, gpu: Option<&Gpu>) -> (Loaded, Option<Step>) {
    let own = Loaded {
        ability: machine.ability(),
        from: Origin::Driver,
    };
    let Some(cuda) = machine.compat else {
        return (own, None);
    };
    let by_package = Loaded {
        ability: Ability::of(Bound::exactly(cuda)),
        from: Origin::Compat(cuda),
    };
    match compat_package(machine, gpu, cuda) {
        None => (own, None),
        Some(step) => (by_package, Some(step)),
    }
}

/// What becomes of a forward compatibility package; nothing if the driver has its version anyway.
fn compat_package(machine: &Machine, gpu: Option<&Gpu>, cuda: ToolkitVersion) -> Option<Step> {
    let name = package_name(cuda, machine);
    if let Some(version) = &machine.jetpack {
        let offered = jetpack::upgrades(version);
        if machine.ability().cuda.exact() == Some(cuda) {
            return None;
        }
        return Some(if offered.contains(&cuda) {
            let text = format!("{name} brings CUDA {cuda} to JetPack {version}");
            Step::new(Rule::CompatPackage, Prospect::RunsWithCompat, text)
        } else {
            let text = format!(
                "NVIDIA offers no {name} for JetPack {version}{}",
                listed(offered)
            );
            Step::new(Rule::UpgradeNotOffered, Prospect::NotSupported, text)
        });
    }
    match gpu.map(|gpu| (gpu.class, gpu.label())) {
        Some((GpuClass::Geforce, label)) => {
            let text = format!("{name} is for data centers, and {label} is a GeForce or TITAN");
            let step = Step::new(Rule::CompatNotAllowed, Prospect::Fails, text);
            return Some(step.error(Domain::Cuda, 804));
        }
        Some((GpuClass::Workstation | GpuClass::Integrated | GpuClass::Unknown, label)) => {
            let text = format!(
                "{name} works on GPUs for data centers and on selected RTX ones; whether {label} is one is not known"
            );
            return Some(Step::new(Rule::CompatNotAllowed, Prospect::Unknown, text));
        }
        Some((GpuClass::Jetson, _)) => {
            let text =
                format!("whether {name} works here depends on the JetPack, which is not known");
            return Some(Step::new(Rule::UpgradeNotOffered, Prospect::Unknown, text));
        }
        Some((GpuClass::Datacenter, _)) | None => {}
    }
    // The driver's own libcuda is then as good, whether or not its branch is in NVIDIA's matrix.
    if machine.ability().cuda.exact() == Some(cuda) {
        return None;
    }
    let table = by_matrix(machine, cuda, &name);
    oracle::note(machine, cuda, &name, table)
}

/// What NVIDIA's matrix says of a forward compatibility package; nothing if the driver has its version anyway.
fn by_matrix(machine: &Machine, cuda: ToolkitVersion, name: &str) -> Option<Step> {
    let table = &tables::drivers().compat_packages;
    let package = table.packages.iter().find(|package| package.cuda == cuda);
    let (Some(package), Some(driver)) = (package, &machine.driver) else {
        let text = format!(
            "NVIDIA's list of forward compatibility packages does not tell of {name} on this driver"
        );
        return Some(Step::new(
            Rule::CompatBaseNotListed,
            Prospect::Unknown,
            text,
        ));
    };
    let branch = driver.branch();
    let newest = table
        .bases
        .iter()
        .max()
        .is_none_or(|newest| branch > *newest);
    match () {
        () if package.needless_on.contains(&branch) => None,
        () if package.usable_on.contains(&branch) => {
            let text = format!("{name} brings CUDA {cuda} to driver {driver}");
            Some(Step::new(
                Rule::CompatPackage,
                Prospect::RunsWithCompat,
                text,
            ))
        }
        () if table.bases.contains(&branch) || newest => {
            let text = format!("{name} is older than driver {driver}");
            let step = Step::new(Rule::CompatOlderThanDriver, Prospect::Fails, text);
            let why = "NVIDIA only says that there is none for this branch; the error is what is seen in practice";
            Some(
                step.error(Domain::Cuda, 803)
                    .doubted(Confidence::Medium, why),
            )
        }
        () => {
            let bases: Vec<String> = table.bases.iter().map(ToString::to_string).collect();
            let text = format!(
                "{name} is not listed for branch {branch}, but for {}",
                bases.join(", ")
            );
            let step = Step::new(Rule::CompatBaseNotListed, Prospect::NotSupported, text);
            let why = if package.admits.contains(&branch) {
                "the note in a libcuda of this version names the branch, so that it probably runs"
            } else {
                "the matrix lists only branches that are still maintained, and earlier ones listed others"
            };
            Some(step.doubted(Confidence::Medium, why))
        }
    }
}

fn listed(offered: &[ToolkitVersion]) -> String {
    let versions: Vec<String> = offered.iter().map(ToString::to_string).collect();
    if versions.is_empty() {
        ", nor any other".to_owned()
    } else {
        format!(", only for CUDA {}", versions.join(", "))
    }
}
