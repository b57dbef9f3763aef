//! The worked cases: each gives the verdict, the rule, and the error that somebody found out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compat::{
    Bound, Code, Domain, Gpu, GpuClass, JetPackVersion, Machine, Package, Prospect, Rule, ask,
    cuda_majors, release_of_l4t,
};
use crate::facts::{Jetson, KernelModule, MachineFacts, ModuleFlavour};
use crate::fault::MachineFault;
use crate::suite::Platform;
use crate::version::{ComputeCapability, DriverVersion, Target, ToolkitVersion};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    schema: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    title: String,
    package: CasePackage,
    machine: CaseMachine,
    expect: Expect,
    /// Which library is asked, if it is not the CUDA runtime.
    #[serde(default)]
    asks: Option<Domain>,
    why: String,
    confidence: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePackage {
    #[serde(default)]
    toolkit: Option<ToolkitVersion>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    needed: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseMachine {
    platform: String,
    #[serde(default)]
    gpu: Option<String>,
    #[serde(default)]
    capability: Option<ComputeCapability>,
    #[serde(default)]
    class: Option<GpuClass>,
    #[serde(default)]
    driver: Option<DriverVersion>,
    #[serde(default)]
    library: Option<DriverVersion>,
    #[serde(default)]
    jetpack: Option<JetPackVersion>,
    #[serde(default)]
    compat: Option<ToolkitVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: String,
    rule: String,
    #[serde(default)]
    error: Option<ExpectedError>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    domain: Domain,
    code: u32,
}

fn cases() -> Cases {
    let text = include_str!("../../../../../tests/fixtures/compat/cases.yaml");
    serde_yaml::from_str(text).unwrap()
}

pub(super) fn code(targets: &[&str]) -> Vec<Code> {
    let one = |text: &&str| {
        let target: Target = text.parse().unwrap();
        if text.starts_with("compute_") {
            Code::Ptx(target, None)
        } else {
            Code::Machine(target)
        }
    };
    targets.iter().map(one).collect()
}

fn gpu(machine: &CaseMachine) -> Option<Gpu> {
    Some(Gpu {
        ordinal: None,
        name: machine.gpu.clone()?,
        capability: machine.capability.unwrap(),
        class: machine.class.unwrap(),
    })
}

#[test]
fn every_worked_case_comes_out_as_it_must() {
    let words: BTreeMap<Prospect, &str> = [
        (Prospect::Runs, "runs"),
        (Prospect::RunsMinorCompat, "runs-minor-compat"),
        (Prospect::RunsJit, "runs-jit"),
        (Prospect::RunsWithCompat, "runs-with-compat"),
        (Prospect::Unknown, "unknown"),
        (Prospect::NotSupported, "not-supported"),
        (Prospect::Fails, "fails"),
    ]
    .into();
    let cases = cases();
    assert_eq!(cases.schema, 1);
    assert!(cases.cases.len() >= 14);
    for case in cases.cases {
        let name = format!("{} {}: {}", case.id, case.title, case.why);
        assert!(
            ["high", "medium", "low"].contains(&case.confidence.as_str()),
            "{name}"
        );
        if case.expect.verdict == "cuda-major" {
            let majors = cuda_majors(case.package.needed.iter().map(String::as_str));
            let majors: Vec<String> = majors.iter().map(ToString::to_string).collect();
            assert_eq!(majors.join(" or "), case.expect.rule, "{name}");
            continue;
        }
        let targets: Vec<&str> = case.package.targets.iter().map(String::as_str).collect();
        let package = Package::of_toolkit(case.package.toolkit.unwrap()).with_code(code(&targets));
        let machine = Machine {
            platform: (case.machine.platform != "jetson").then(|| {
                serde_json::from_value::<Platform>(case.machine.platform.clone().into()).unwrap()
            }),
            gpus: gpu(&case.machine).into_iter().collect(),
            driver: case.machine.driver,
            library: case.machine.library,
            jetpack: case.machine.jetpack,
            compat: case.machine.compat,
            ..Machine::default()
        };
        let answer = ask(&package, &machine);
        let device = &answer.devices[0];
        assert_eq!(
            words[&device.prospect], case.expect.verdict,
            "{name}: {device:#?}"
        );
        assert_eq!(device.rule.key(), case.expect.rule, "{name}");
        let deciding = device
            .steps
            .iter()
            .find(|step| step.rule == device.rule)
            .unwrap();
        let mut errors = device.error.iter().chain(&deciding.other_errors);
        let error = match case.asks {
            Some(domain) => errors.find(|error| error.domain == domain).copied(),
            None => device.error,
        };
        let error = error.map(|error| ExpectedError {
            domain: error.domain,
            code: error.code,
        });
        assert_eq!(error, case.expect.error, "{name}");
        let runs = device.prospect < Prospect::Unknown;
        assert!(runs || !device.remedies.is_empty(), "{name}: no remedy");
    }
}

#[test]
fn jetpacks_are_found_by_their_linux() {
    let release = |l4t: &str| release_of_l4t(&l4t.parse().unwrap()).map(|release| release.cuda);
    assert_eq!(release("36.4.3"), Some(ToolkitVersion::new(12, 6)));
    assert_eq!(release("35.4.1"), Some(ToolkitVersion::new(11, 4)));
    assert_eq!(release("40.1"), None);
    assert_eq!(release("32.4.4"), Some(ToolkitVersion::new(10, 2)));
    assert_eq!(release("36.5.2"), Some(ToolkitVersion::new(12, 6)));
    assert_eq!(release("38.2.1"), Some(ToolkitVersion::new(13, 0)));
}

/// A probed machine with one device, whose driver answers this CUDA version.
fn probed(name: &str, capability: &str, cuda: &str) -> MachineFacts {
    let mut facts = MachineFacts::default();
    facts.driver.cuda = Some(cuda.parse().unwrap());
    facts.host.architecture = Some("aarch64".to_owned());
    // As JSON, in which whatever else a device has may be absent.
    let device = serde_json::json!({
        "ordinal": 0, "name": name, "uuid": null, "compute-capability": capability, "memory-bytes": 0,
        "multiprocessors": 1, "integrated": true, "attributes": {},
    });
    facts.devices.push(serde_json::from_value(device).unwrap());
    facts
}

#[track_caller]
fn asked(facts: &MachineFacts, toolkit: &str, targets: &[&str], expected: (Prospect, Rule)) {
    let package = Package::of_toolkit(toolkit.parse().unwrap()).with_code(code(targets));
    let answer = ask(&package, &Machine::from_facts(facts));
    let device = &answer.devices[0];
    assert_eq!((device.prospect, device.rule), expected, "{device:#?}");
}

#[test]
fn probed_machines_are_judged_by_what_they_answer() {
    // A Jetson whose root file system does not tell its JetPack.
    let orin = probed("Orin", "8.7", "12.6");
    asked(&orin, "12.6", &["sm_87"], (Prospect::Runs, Rule::Sass));
    asked(
        &orin,
        "12.9",
        &["sm_87"],
        (Prospect::NotSupported, Rule::JetsonNoMinorCompat),
    );
    asked(
        &orin,
        "13.0",
        &["sm_87"],
        (Prospect::Fails, Rule::DriverTooOld),
    );

    // The number of a Windows driver is none of a Linux branch: 581 is the 580 of Windows, which still knows Volta.
    let mut wsl = probed("NVIDIA TITAN V", "7.0", "13.0");
    wsl.host.wsl = true;
    wsl.host.architecture = Some("x86_64".to_owned());
    wsl.driver.nvml_driver = Some("581.29".parse().unwrap());
    asked(&wsl, "12.8", &["sm_70"], (Prospect::Runs, Rule::Sass));

    // The JetPack follows from Jetson Linux.
    let mut xavier = probed("Xavier", "7.2", "11.4");
    xavier.jetson = Some(Jetson {
        model: None,
        soc: None,
        l4t: Some("35.4.1".to_owned()),
        jetpack: None,
    });
    asked(
        &xavier,
        "11.8",
        &["sm_72"],
        (Prospect::NotSupported, Rule::JetsonNoMinorCompat),
    );
    assert_eq!(
        Machine::from_facts(&xavier).platform,
        Some(Platform::LinuxAarch64)
    );

    // The open kernel modules begin with Turing.
    let mut open = probed("Tesla V100-SXM2-16GB", "7.0", "12.8");
    open.driver.kernel_module = Some(KernelModule {
        version: "570.124.06".parse().unwrap(),
        flavour: ModuleFlavour::Open,
    });
    asked(
        &open,
        "12.8",
        &["sm_70"],
        (Prospect::Fails, Rule::OpenModules),
    );
}

#[test]
fn devices_that_a_variable_hides_are_no_fault_of_the_machine() {
    let mut facts = probed("NVIDIA H100", "9.0", "12.6");
    facts.devices.clear();
    facts.faults.push(MachineFault::NoDevice);
    let package = Package::of_toolkit("12.4".parse().unwrap());
    let mut machine = Machine::from_facts(&facts);
    let rule = |machine: &Machine| ask(&package, machine).devices[0].rule;
    assert_eq!(rule(&machine), Rule::MachineFault);
    machine.variables.set("CUDA_VISIBLE_DEVICES", "-1").unwrap();
    assert_eq!(rule(&machine), Rule::NoVisibleDevice);
    machine.variables.set("CUDA_VISIBLE_DEVICES", "0").unwrap();
    assert_eq!(rule(&machine), Rule::MachineFault);
}

#[test]
fn a_package_of_several_majors_says_so() {
    let package = Package::named("mixed").needing(["libcudart.so.12", "libcublas.so.11"]);
    assert_eq!(package.notes.len(), 1);
    let package = Package::named("plain").needing(["libnvrtc-builtins.so.12.9", "libcudart.so.12"]);
    assert_eq!(package.toolkit.exact(), Some(ToolkitVersion::new(12, 9)));
}

#[track_caller]
fn from_then_on(toolkit: &str, cuda: &str, expected: (Prospect, Rule)) {
    let mut facts = probed("NVIDIA H100", "9.0", cuda);
    facts.host.architecture = Some("x86_64".to_owned());
    let package = Package {
        toolkit: Bound {
            at_least: toolkit.parse().ok(),
            at_most: None,
        },
        ..Package::named("demo").with_code(code(&["sm_90"]))
    };
    let answer = ask(&package, &Machine::from_facts(&facts));
    let device = &answer.devices[0];
    assert_eq!((device.prospect, device.rule), expected, "{device:#?}");
}

#[test]
fn a_toolkit_of_which_only_the_lowest_version_is_known_may_be_of_the_driver_s_major_version() {
    from_then_on("12.9", "12.6", (Prospect::Unknown, Rule::UnknownToolkit));
    from_then_on("12.4", "12.6", (Prospect::Unknown, Rule::UnknownToolkit));
    from_then_on("12.9", "11.8", (Prospect::Fails, Rule::DriverTooOld));
    from_then_on("12.9", "13.0", (Prospect::Unknown, Rule::UnknownToolkit));
}
