//! Why a driver refused a package's code, shown by the package's own entries. Nothing where they do not show it.
//!
//! A verdict looks ahead; a proof looks back at an error that a device has already reported, and may say no
//! more than what follows from the entries: a program that fails although its code fits has another reason.

use super::bound::{Bound, Known};
use super::gpu::Gpu;
use super::judge::code::enumerate;
use super::package::{Code, Container, Contents, Package, ptx_version};
use super::reach::{self, Fit};
use super::remedy::maker;
use super::tables;
use crate::version::{PtxIsa, ToolkitVersion};

/// Why, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// As a sentence without a full stop.
    pub cause: String,
    /// Something to do.
    pub remedy: String,
}

/// Why a driver found no code for a GPU (error 209).
pub fn of_no_code(package: &Package, gpu: &Gpu) -> Option<Proof> {
    let sm = gpu.capability.sm();
    let lacks = |code: &[Code]| !code.iter().any(|piece| sure(piece, gpu) || ptx(piece, gpu));
    let carries = blame(package, lacks)?;
    Some(Proof {
        cause: format!("{carries}; this device is {sm}"),
        remedy: build(package, gpu),
    })
}

/// Why a driver that supports a CUDA version refused PTX (error 222).
pub fn of_refused_ptx(package: &Package, gpu: &Gpu, cuda: ToolkitVersion) -> Option<Proof> {
    let sm = gpu.capability.sm();
    let accepted = tables::ptx_of(Bound::exactly(cuda));
    let newer = |piece: &Code| match piece {
        Code::Ptx(_, isa) => {
            let isa = ptx_version(*isa, package.toolkit);
            (ptx(piece, gpu) && accepted.reaches(isa) == Known::No).then_some(isa)
        }
        Code::Machine(_) => None,
    };
    // Machine code that fits is taken before PTX is looked at.
    let refused = |code: &[Code]| {
        let reaching = || code.iter().filter(|piece| ptx(piece, gpu));
        let all = reaching().all(|piece| newer(piece).is_some());
        all && reaching().next().is_some() && !code.iter().any(|piece| sure(piece, gpu))
    };
    let carries = blame(package, refused)?;
    let Contents::Listed(code) = &package.code else {
        return None;
    };
    let isa: PtxIsa = code
        .iter()
        .filter_map(newer)
        .filter_map(|isa| isa.at_least)
        .max()?;
    let ceiling = accepted.at_most?;
    let mut toolkits = tables::toolkits().toolkits.iter();
    let update = toolkits.find(|toolkit| toolkit.ptx >= isa).map(|toolkit| {
        format!(
            "; or install a driver that supports CUDA {}",
            toolkit.version
        )
    });
    Some(Proof {
        cause: format!(
            "{carries}; its PTX is of version {isa}, this driver supports CUDA {cuda} and so PTX ISA up to {ceiling}, and this device is {sm}"
        ),
        remedy: build(package, gpu) + &update.unwrap_or_default(),
    })
}

/// What the package carries, if all of its code fails in this way, or how many of its containers do.
fn blame(package: &Package, fails: impl Fn(&[Code]) -> bool) -> Option<String> {
    let Contents::Listed(code) = &package.code else {
        return None;
    };
    if code.is_empty() {
        return None;
    }
    let name = &package.name;
    if fails(code) {
        return Some(format!("{name} carries {}", enumerate(code)));
    }
    let count = |containers: &mut dyn Iterator<Item = &Container>| -> u64 {
        containers.map(|container| container.count).sum()
    };
    let failing = || {
        package
            .containers
            .iter()
            .filter(|container| fails(&container.code))
    };
    let (some, all) = (count(&mut failing()), count(&mut package.containers.iter()));
    if some == 0 {
        return None;
    }
    let theirs: Vec<Code> = failing()
        .flat_map(|container| container.code.clone())
        .collect();
    Some(format!(
        "{some} of the {all} containers of code in {name} carry only {}",
        enumerate(&theirs)
    ))
}

fn sure(piece: &Code, gpu: &Gpu) -> bool {
    match piece {
        Code::Machine(target) => {
            matches!(
                reach::machine_code_runs(*target, gpu.capability),
                Fit::Runs(_)
            )
        }
        Code::Ptx(..) => false,
    }
}

fn ptx(piece: &Code, gpu: &Gpu) -> bool {
    match piece {
        Code::Ptx(target, _) => reach::ptx_reaches(*target, gpu.capability),
        Code::Machine(_) => false,
    }
}

fn build(package: &Package, gpu: &Gpu) -> String {
    let toolkit = maker(package, gpu).map(|toolkit| format!("{toolkit} and "));
    format!(
        "build {} with {}cudaCapabilities = [ \"{}\" ]",
        package.name,
        toolkit.unwrap_or_default(),
        gpu.capability
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(entries: &[&str]) -> Package {
        let read = |text: &&str| match text.split_once(' ') {
            Some((target, isa)) => Code::Ptx(target.parse().unwrap(), isa.parse().ok()),
            None => Code::Machine(text.parse().unwrap()),
        };
        Package::named("demo").with_code(entries.iter().map(read).collect())
    }

    fn gpu(capability: &str) -> Gpu {
        Gpu::of(capability.parse().unwrap())
    }

    #[track_caller]
    fn no_code(entries: &[&str], capability: &str, expected: &str) {
        let proof = of_no_code(&package(entries), &gpu(capability));
        let text = proof.map(|proof| format!("{} -> {}", proof.cause, proof.remedy));
        assert_eq!(text.unwrap_or_default(), expected);
    }

    #[test]
    fn entries_show_that_code_is_missing_or_show_nothing() {
        no_code(
            &["sm_80", "sm_86"],
            "8.7",
            "demo carries machine code for sm_80, sm_86 and no PTX; this device is sm_87 -> build demo with cudaCapabilities = [ \"8.7\" ]",
        );
        no_code(
            &["sm_90", "compute_90 8.4"],
            "8.0",
            "demo carries machine code for sm_90 and PTX for compute_90; this device is sm_80 -> build demo with cudaCapabilities = [ \"8.0\" ]",
        );
        no_code(&["sm_80", "sm_86"], "8.9", "");
        no_code(&["compute_80 7.0"], "8.7", "");
        no_code(&[], "8.7", "");
    }

    #[test]
    fn a_container_without_code_is_counted() {
        let mut package = package(&["sm_80", "sm_90"]);
        let container = |count, target: &str| Container {
            count,
            code: vec![Code::Machine(target.parse().unwrap())],
        };
        package.containers = vec![container(2, "sm_90"), container(7, "sm_80")];
        assert_eq!(
            of_no_code(&package, &gpu("8.0")).unwrap().cause,
            "2 of the 9 containers of code in demo carry only machine code for sm_90 and no PTX; this device is sm_80"
        );
    }

    #[track_caller]
    fn refused(entries: &[&str], capability: &str, expected: &str) {
        let proof = of_refused_ptx(&package(entries), &gpu(capability), "11.4".parse().unwrap());
        let text = proof.map(|proof| format!("{} -> {}", proof.cause, proof.remedy));
        assert_eq!(text.unwrap_or_default(), expected);
    }

    #[test]
    fn ptx_that_is_too_new_is_named_unless_machine_code_fits() {
        refused(
            &["sm_75", "compute_75 8.4"],
            "8.0",
            "demo carries machine code for sm_75 and PTX for compute_75; its PTX is of version 8.4, this driver supports CUDA 11.4 and so PTX ISA up to 7.4, and this device is sm_80 -> build demo with cudaCapabilities = [ \"8.0\" ]; or install a driver that supports CUDA 12.4",
        );
        refused(&["sm_80", "compute_75 8.4"], "8.0", "");
        refused(&["compute_75 7.4"], "8.0", "");
        refused(&["compute_90 8.4"], "8.0", "");
    }
}
