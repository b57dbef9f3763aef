//! Corners of the rules, each a line of a table.

use crate::compat::{DeviceAnswer, LibraryVersion, Machine, Package, ask, find_gpu};

use super::cases::code;

const CORNERS: &str = include_str!("../../../../../tests/fixtures/compat/corners.txt");

/// `535.183.01 A100`, or `JetPack 6.2 Orin NX`.
fn machine(words: &str) -> Machine {
    let jetpack = words.strip_prefix("JetPack ");
    let (version, gpu) = jetpack.unwrap_or(words).split_once(' ').unwrap();
    let mut gpu = find_gpu(gpu).unwrap();
    gpu.ordinal = Some(0);
    let mut machine = Machine {
        gpus: vec![gpu],
        ..Machine::default()
    };
    if jetpack.is_some() {
        machine.jetpack = Some(version.parse().unwrap());
        machine.platform = machine.jetson_platform();
    } else {
        machine.driver = Some(version.parse().unwrap());
    }
    machine
}

/// `compat 13.0`, `built-for linux-sbsa`, `with nccl 2.28.9`, or variables.
fn apply(words: &str, package: &mut Package, machine: &mut Machine) {
    match words.split_once(' ') {
        Some(("compat", version)) => machine.compat = Some(version.parse().unwrap()),
        Some(("with", library)) => {
            let (name, version) = library.split_once(' ').unwrap();
            package.libraries = vec![LibraryVersion {
                name: name.to_owned(),
                version: version.to_owned(),
            }];
        }
        Some(("built-for", platform)) => {
            let platform = serde_json::from_value(platform.into()).unwrap();
            package.platforms = vec![platform];
        }
        Some(_) | None => {
            for variable in words.split_whitespace() {
                let (name, value) = variable.split_once('=').unwrap();
                machine.variables.set(name, value).unwrap();
            }
        }
    }
}

fn words(device: &DeviceAnswer) -> String {
    let prospect = serde_json::to_value(device.prospect).unwrap();
    let error = device.error.map(|error| format!(" {}", error.code));
    format!(
        "{} {}{}",
        prospect.as_str().unwrap(),
        device.rule.key(),
        error.unwrap_or_default()
    )
}

#[test]
fn every_corner_is_answered_as_the_table_says() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let lines = CORNERS.lines().filter(|line| line.contains(" | "));
    for line in lines.filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [toolkit, carries, place, extra, expected] = cells[..] else {
            panic!("not five cells: {line}");
        };
        let mut package = Package::of_toolkit(toolkit.parse().unwrap());
        if carries != "assumed" {
            package = package.with_code(code(&carries.split(',').collect::<Vec<_>>()));
        }
        let mut machine = machine(place);
        apply(extra, &mut package, &mut machine);
        let device = &ask(&package, &machine).devices[0];
        let found = words(device);
        let runs = expected.starts_with("runs");
        if found != expected || (!runs && device.remedies.is_empty()) {
            wrong.push(format!("{line}\n  found {found}; {:?}", device.remedies));
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 60, "{seen}");
}
