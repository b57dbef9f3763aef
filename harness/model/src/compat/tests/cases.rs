//! The worked cases: each gives the verdict, the rule, and the error that somebody found out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::compat::{
    Code, Domain, Gpu, GpuClass, JetPackVersion, Machine, Package, Prospect, ask, cuda_majors,
    release_of_l4t,
};
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
}
