//! What libcudart and the note on forward compatibility say, beside the tables and against them.

use super::cases::code;
use crate::compat::{DeviceAnswer, Machine, Package, Prospect, Rule, ask_one, find_gpu};
use crate::oracle::{ForwardNote, OracleAnswer, RuntimeAnswer, RuntimeStatus};

fn machine(driver: &str, gpu: &str) -> Machine {
    Machine {
        driver: Some(driver.parse().unwrap()),
        gpus: vec![find_gpu(gpu).unwrap()],
        ..Machine::default()
    }
}

fn asked(package: &Package, machine: &Machine) -> DeviceAnswer {
    ask_one(package, machine, machine.gpus.first())
}

/// What libcudart 12.9 answers: the CUDA version of the driver that it found, and a status.
fn runtime(driver: Option<&str>, status: i32) -> Option<OracleAnswer> {
    Some(OracleAnswer {
        runtime: Some(RuntimeAnswer {
            library: "/p/libcudart.so.12".into(),
            version: "12.9".parse().ok(),
            driver: driver.map(|driver| driver.parse().unwrap()),
            status: RuntimeStatus(status),
            found: None,
        }),
        ..OracleAnswer::default()
    })
}

#[track_caller]
fn check(
    toolkit: &str,
    driver: &str,
    answer: (Option<&str>, i32),
    expected: (Prospect, Rule, Option<u32>),
    text: Option<&str>,
) {
    let package = Package::of_toolkit(toolkit.parse().unwrap()).with_code(code(&["sm_80"]));
    let machine = Machine {
        oracle: runtime(answer.0, answer.1),
        ..machine(driver, "A100")
    };
    let device = asked(&package, &machine);
    let error = device.error.map(|error| error.code);
    assert_eq!(
        (device.prospect, device.rule, error),
        expected,
        "{device:#?}"
    );
    let step = device
        .steps
        .iter()
        .find(|step| step.rule == Rule::OracleRuntime);
    assert_eq!(step.map(|step| step.text.as_str()), text);
}

#[test]
fn libcudart_agrees_with_the_tables_or_counts_more() {
    let returns = "`cudaGetDeviceCount` of the package's libcudart.so.12 (12.9) returns";
    let takes = format!("{returns} cudaErrorNoDevice (100): it takes the driver");
    check(
        "12.9",
        "550.54.15",
        (Some("12.4"), 100),
        (Prospect::RunsMinorCompat, Rule::MinorCompat, None),
        Some(&format!("{takes}, as the tables say")),
    );
    let refuses = format!("{returns} cudaErrorInsufficientDriver (35): it refuses the driver");
    check(
        "12.9",
        "470.256.02",
        (Some("11.4"), 35),
        (Prospect::Fails, Rule::DriverTooOld, Some(35)),
        Some(&format!(
            "{refuses}, which supports CUDA 11.4, as the tables say"
        )),
    );
    check(
        "12.9",
        "550.54.15",
        (Some("12.4"), 35),
        (Prospect::Fails, Rule::OracleRuntime, Some(35)),
        Some(&format!(
            "{refuses}, which supports CUDA 12.4; the tables say that it takes it, and libcudart counts"
        )),
    );
    check(
        "12.9",
        "470.256.02",
        (Some("12.0"), 100),
        (Prospect::RunsMinorCompat, Rule::OracleRuntime, None),
        Some(&format!(
            "{takes}; by the tables toolkit 12.9 needs a driver that supports CUDA 12; this is driver 470.256.02 (supports CUDA 11.4); libcudart counts"
        )),
    );
    // The lowest driver within a major version is NVIDIA's word; the runtime does not look at it.
    check(
        "12.9",
        "525.53",
        (Some("12.0"), 100),
        (Prospect::NotSupported, Rule::OracleRuntime, None),
        Some(&format!(
            "{takes}; by the tables toolkit 12.9 needs driver 525.60.13 or newer; this is driver 525.53 (supports CUDA 12.0); NVIDIA does not support it"
        )),
    );
    // Nothing is in the tables between 12.9 and 13.0: what is a bound there is known here.
    check(
        "12.9",
        "577.10",
        (Some("12.9"), 100),
        (Prospect::Runs, Rule::Sass, None),
        Some(&format!("{takes}, as the tables say")),
    );
    check(
        "12.9",
        "550.54.15",
        (Some("12.4"), 803),
        (Prospect::RunsMinorCompat, Rule::MinorCompat, None),
        Some(&format!(
            "{returns} cudaErrorSystemDriverMismatch (803), which says nothing about the driver's version"
        )),
    );
}

#[test]
fn what_the_tables_leave_open_libcudart_decides() {
    let open = Package {
        toolkit: crate::compat::Bound {
            at_least: "12.8".parse().ok(),
            at_most: None,
        },
        ..Package::named("demo").with_code(code(&["sm_80"]))
    };
    let mut machine = machine("560.35.03", "A100");
    assert_eq!(asked(&open, &machine).prospect, Prospect::Unknown);
    machine.oracle = runtime(Some("12.6"), 100);
    let device = asked(&open, &machine);
    assert_eq!(
        (device.prospect, device.rule),
        (Prospect::RunsMinorCompat, Rule::OracleRuntime)
    );
    machine.oracle = runtime(Some("11.8"), 35);
    let device = asked(&open, &machine);
    assert_eq!(
        (device.prospect, device.rule),
        (Prospect::Fails, Rule::OracleRuntime)
    );
    assert!(
        device.remedies[0].contains("supports CUDA 12"),
        "{:?}",
        device.remedies
    );
}

#[test]
fn a_runtime_that_finds_no_driver_says_nothing_of_one() {
    let by_tables = (Prospect::RunsMinorCompat, Rule::MinorCompat, None);
    check("12.9", "550.54.15", (None, 35), by_tables, None);
}

/// What the note of a forward compatibility package leads to on a driver.
#[track_caller]
fn check_note(
    cuda: &str,
    driver: &str,
    branches: &[u32],
    expected: (Prospect, Rule, Option<u32>),
    text: &str,
) {
    let package = Package::of_toolkit(cuda.parse().unwrap()).with_code(code(&["sm_80"]));
    let note = ForwardNote {
        format: 1,
        cuda: cuda.parse().ok(),
        branches: branches.to_vec(),
        devices: vec![1, 2, 7],
    };
    let machine = Machine {
        compat: cuda.parse().ok(),
        oracle: Some(OracleAnswer {
            cuda: cuda.parse().ok(),
            forward: Some(note),
            ..OracleAnswer::default()
        }),
        ..machine(driver, "A100")
    };
    let device = asked(&package, &machine);
    let error = device.error.map(|error| error.code);
    assert_eq!(
        (device.prospect, device.rule, error),
        expected,
        "{device:#?}"
    );
    let told = device.steps.iter().find(|step| step.text == text);
    assert!(told.is_some(), "{:#?}", device.steps);
}

#[test]
fn the_note_of_a_package_counts_more_than_the_matrix() {
    let works = (Prospect::RunsWithCompat, Rule::OracleForward, None);
    check_note(
        "13.0",
        "535.183.01",
        &[535, 550, 570],
        works,
        "cuda-compat-13-0 brings CUDA 13.0 to driver 535.183.01: the note in its libcuda names branches 535, 550, 570",
    );
    check_note(
        "13.0",
        "550.54.15",
        &[535, 550, 570],
        works,
        "cuda-compat-13-0 brings CUDA 13.0 to driver 550.54.15: the note in its libcuda names branches 535, 550, 570; NVIDIA's matrix does not list it, and the note counts",
    );
    check_note(
        "13.0",
        "570.124.06",
        &[535, 550],
        (Prospect::NotSupported, Rule::OracleForward, None),
        "the note in the libcuda of cuda-compat-13-0 names branches 535, 550, and not that of driver 570.124.06; NVIDIA's matrix lists it, and the note counts",
    );
    check_note(
        "13.0",
        "590.48.01",
        &[535, 570, 580],
        (Prospect::Fails, Rule::OracleForward, Some(803)),
        "the note in the libcuda of cuda-compat-13-0 names branches 535, 570, 580, and not that of driver 590.48.01",
    );
    // A note that names no branches, as that of Orin, changes nothing.
    check_note(
        "13.0",
        "570.124.06",
        &[],
        (Prospect::RunsWithCompat, Rule::CompatPackage, None),
        "cuda-compat-13-0 brings CUDA 13.0 to driver 570.124.06",
    );
}

#[test]
fn the_package_s_compiler_is_not_the_driver_s() {
    let package = Package::of_toolkit("13.0".parse().unwrap()).with_code(code(&["compute_80"]));
    let mut machine = machine("535.183.01", "A100");
    machine.compat = "13.0".parse().ok();
    machine.oracle = Some(OracleAnswer {
        cuda: "13.0".parse().ok(),
        ..runtime(Some("13.0"), 100).unwrap()
    });
    let rules = |device: &DeviceAnswer| {
        let steps = device.steps.iter();
        steps.map(|step| step.rule).collect::<Vec<_>>()
    };
    let device = asked(&package, &machine);
    assert_eq!(device.prospect, Prospect::RunsWithCompat);
    assert!(rules(&device).contains(&Rule::OracleRuntime));
    // The files of the driver itself were asked: they say nothing of those of the package.
    machine.oracle = runtime(Some("12.2"), 35);
    machine.oracle.as_mut().unwrap().cuda = "12.2".parse().ok();
    let device = asked(&package, &machine);
    assert_eq!(device.prospect, Prospect::RunsWithCompat);
    assert!(!rules(&device).contains(&Rule::OracleRuntime));
}
