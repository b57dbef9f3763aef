//! What must hold for every driver, GPU, and package, not only for those that somebody thought of.

use proptest::prelude::*;

use crate::compat::reach::{Fit, machine_code_runs};
use crate::compat::{
    Code, Gpu, JetPackVersion, Machine, Package, Prospect, Rule, Verdict, ask, ask_one, tables,
};
use crate::package::machine_code_runs_on;
use crate::version::{DriverVersion, Target, TargetReach, ToolkitVersion};

fn gpu() -> impl Strategy<Value = Gpu> {
    let all: Vec<Gpu> = tables::gpus()
        .capabilities
        .iter()
        .map(|generation| Gpu::of(generation.capability))
        .collect();
    proptest::sample::select(all)
}

fn target() -> impl Strategy<Value = Target> {
    let capabilities: Vec<_> = tables::gpus()
        .capabilities
        .iter()
        .map(|generation| generation.capability)
        .collect();
    let reach = proptest::sample::select(vec![
        TargetReach::Baseline,
        TargetReach::Family,
        TargetReach::Architecture,
    ]);
    (proptest::sample::select(capabilities), reach)
        .prop_map(|(capability, reach)| Target { capability, reach })
}

fn code() -> impl Strategy<Value = Vec<Code>> {
    let one = (target(), any::<bool>()).prop_map(|(target, ptx)| {
        if ptx {
            Code::Ptx(target, None)
        } else {
            Code::Machine(target)
        }
    });
    proptest::collection::vec(one, 1..6)
}

fn toolkit() -> impl Strategy<Value = ToolkitVersion> {
    (9u32..16, 0u32..11).prop_map(|(major, minor)| ToolkitVersion::new(major, minor))
}

/// Branches of today, before them, between them, and beyond them.
fn driver() -> impl Strategy<Value = DriverVersion> {
    (340u32..700, 0u32..200, 0u32..20).prop_map(|(branch, minor, patch)| {
        format!("{branch}.{minor:02}.{patch:02}").parse().unwrap()
    })
}

fn machine(driver: &DriverVersion, gpu: &Gpu) -> Machine {
    Machine::named(driver.clone(), gpu.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_newer_driver_never_takes_support_away_unless_it_drops_the_gpu(
        toolkit in toolkit(), code in code(), gpu in gpu(), one in driver(), other in driver(),
    ) {
        let (old, new) = if one <= other { (one, other) } else { (other, one) };
        for package in [
            Package::of_toolkit(toolkit),
            Package::of_toolkit(toolkit).with_code(code),
        ] {
            let before = ask(&package, &machine(&old, &gpu));
            let after = ask(&package, &machine(&new, &gpu));
            let ran = matches!(before.verdict, Verdict::Supported | Verdict::Limited);
            let dropped = after.devices[0].rule == Rule::GpuDroppedByDriver;
            prop_assert!(
                !ran || dropped || after.verdict != Verdict::Unsupported,
                "{old}: {}; {new}: {}", before.sentence, after.sentence
            );
            // Within one branch nothing changes but for the floor of its major version.
            if ran && old.branch() == new.branch() {
                prop_assert_eq!(before.verdict, after.verdict);
            }
        }
    }

    #[test]
    fn more_code_never_worsens_a_verdict(
        toolkit in toolkit(), code in code(), more in target(), gpu in gpu(), driver in driver(),
    ) {
        // Machine code for Tegra and desktop may displace PTX, as the driver prefers it: that is a rule of its own.
        let package = Package::of_toolkit(toolkit).with_code(code.clone());
        let before = ask(&package, &machine(&driver, &gpu));
        for added in [Code::Machine(more), Code::Ptx(more, None)] {
            let mut code = code.clone();
            code.push(added);
            let after = ask(&Package::of_toolkit(toolkit).with_code(code), &machine(&driver, &gpu));
            let across = matches!(after.devices[0].rule, Rule::DgpuSassOnTegra | Rule::TegraSassOnDgpu);
            prop_assert!(
                across || after.devices[0].prospect <= before.devices[0].prospect,
                "{}; with {added}: {}", before.sentence, after.sentence
            );
        }
    }

    #[test]
    fn every_answer_says_why_and_what_to_do(
        toolkit in toolkit(), code in code(), gpu in gpu(), driver in driver(),
    ) {
        let package = Package::of_toolkit(toolkit).with_code(code);
        let machine = machine(&driver, &gpu);
        let answer = ask_one(&package, &machine, Some(&gpu));
        prop_assert!(!answer.sentence.is_empty() && !answer.sentence.ends_with('.'));
        prop_assert!(!answer.steps.is_empty());
        prop_assert_eq!(answer.prospect == Prospect::Fails, answer.error.is_some(), "{}", answer.sentence);
    }

    #[test]
    fn an_unknown_major_version_is_never_said_to_run(minor in 0u32..11, gpu in gpu(), driver in driver()) {
        let package = Package::of_toolkit(ToolkitVersion::new(15, minor));
        let answer = ask(&package, &machine(&driver, &gpu));
        prop_assert!(matches!(answer.verdict, Verdict::Unsupported | Verdict::Unknown), "{}", answer.sentence);
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        let _ = crate::compat::find_gpu(&text);
        let _ = crate::compat::explain(&text);
        let _ = crate::compat::capability_entry(&text);
        let _ = crate::compat::cuda_majors([text.as_str()]);
        let _ = text.parse::<JetPackVersion>();
    }

    #[test]
    fn jetpacks_print_as_they_are_read_and_are_ordered_by_number(
        parts in proptest::collection::vec(0u32..100, 1..4), other in proptest::collection::vec(0u32..100, 1..4),
    ) {
        let text = |parts: &[u32]| parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let read = |parts: &[u32]| text(parts).parse::<JetPackVersion>().unwrap();
        prop_assert_eq!(read(&parts).to_string(), text(&parts));
        let padded = |parts: &[u32]| {
            let mut parts = parts.to_vec();
            parts.resize(4, 0);
            parts
        };
        prop_assert_eq!(read(&parts).cmp(&read(&other)), padded(&parts).cmp(&padded(&other)));
    }
}

#[test]
fn the_rule_for_machine_code_is_that_of_packages() {
    for made_for in &tables::gpus().capabilities {
        for device in &tables::gpus().capabilities {
            for reach in [
                TargetReach::Baseline,
                TargetReach::Family,
                TargetReach::Architecture,
            ] {
                let target = Target {
                    capability: made_for.capability,
                    reach,
                };
                // No toolkit makes such code.
                if reach == TargetReach::Family && made_for.family.is_empty() {
                    continue;
                }
                let device = device.capability;
                let here = matches!(machine_code_runs(target, device), Fit::Runs(_));
                assert_eq!(
                    here,
                    machine_code_runs_on(target, device),
                    "{target} on {device}"
                );
            }
        }
    }
}
