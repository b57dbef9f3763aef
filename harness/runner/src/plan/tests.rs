//! Plans of small suites on small machines.

use cudacheck_model::catalogue::{AttributeNeed, KernelNeeds};
use cudacheck_model::compat;
use cudacheck_model::facts::{DriverFacts, Host, Jetson};
use cudacheck_model::library::{Library, Subjects};
use cudacheck_model::suite::Platform;
use cudacheck_model::version::{PtxIsa, Target};

use super::*;

fn device(ordinal: u32, name: &str, sm: (u32, u32)) -> Device {
    Device {
        ordinal,
        name: name.to_owned(),
        uuid: Some(format!("GPU-{ordinal}a6c1f2a3")),
        compute_capability: cudacheck_model::version::ComputeCapability::new(sm.0, sm.1),
        memory_bytes: 8 << 30,
        multiprocessors: 16,
        pci: None,
        integrated: false,
        ecc: None,
        ecc_uncorrected: None,
        mig: None,
        compute_mode: None,
        attributes: [(95, 1)].into(),
    }
}

fn machine() -> MachineFacts {
    MachineFacts {
        host: Host {
            architecture: Some("x86_64".to_owned()),
            ..Host::default()
        },
        driver: DriverFacts {
            cuda: "11.4".parse().ok(),
            nvml_driver: "470.256.02".parse().ok(),
            ..DriverFacts::default()
        },
        devices: vec![device(0, "NVIDIA H100", (9, 0))],
        ..MachineFacts::default()
    }
}

fn catalogue() -> Catalogue {
    let kernel = |name: &str, isa, target, attribute: Option<i32>| KernelNeeds {
        name: name.to_owned(),
        summary: String::new(),
        isa,
        target,
        attributes: attribute
            .map(|number| AttributeNeed {
                number,
                name: "cooperative launch".to_owned(),
                at_least: 1,
            })
            .into_iter()
            .collect(),
    };
    Catalogue {
        kernels: vec![
            kernel("canary", PtxIsa::new(6, 0), Target::baseline(5, 0), None),
            kernel("newer", PtxIsa::new(8, 0), Target::baseline(5, 0), None),
            kernel("hopper", PtxIsa::new(7, 0), Target::baseline(10, 0), None),
            kernel("grid", PtxIsa::new(6, 0), Target::baseline(6, 0), Some(95)),
            kernel("odd", PtxIsa::new(6, 0), Target::baseline(6, 0), Some(96)),
        ],
    }
}

fn suite(kernel: &str, requires: &str) -> Suite {
    let text = format!(
        r#"{{"name": "s", "summary": "x", "requires": {requires},
            "limits": {{"time-s": 7}},
            "cases": [{{"name": "c", "check": {{"kernel": {{"name": "{kernel}"}}}}, "limits": {{"retries": 2}}}}]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

/// The plan in one line: `run`, or the sentences of its skips.
fn sentence(suite: &Suite, facts: &MachineFacts, filter: &Filter) -> String {
    let examined = packages(std::slice::from_ref(suite), None);
    let made = plan(
        std::slice::from_ref(suite),
        facts,
        &catalogue(),
        filter,
        &examined,
        &Subjects::new(),
    );
    let again = plan(
        std::slice::from_ref(suite),
        facts,
        &catalogue(),
        filter,
        &examined,
        &Subjects::new(),
    );
    assert_eq!(
        serde_json::to_vec(&made).unwrap(),
        serde_json::to_vec(&again).unwrap()
    );
    let runs = made.tasks.iter().map(|task| format!("run {}", task.id));
    let skips = made.skips.iter().map(|skip| skip.reason.to_string());
    let failures = made.failures.iter().map(|failure| {
        let finding = &failure.finding;
        let class = format!("{:?}", finding.class).to_lowercase();
        let (cause, remedy) = (finding.cause.text(), &finding.remedy);
        format!("fail {} {class}: {cause} -> {remedy}", failure.task.id)
    });
    let all = runs.chain(skips).chain(failures);
    all.collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(kernel: &str, requires: &str, expected: &str) {
    let sentence = sentence(&suite(kernel, requires), &machine(), &Filter::default());
    assert_eq!(sentence, expected);
}

#[test]
fn a_requirement_is_met_or_says_what_is_missing() {
    check("canary", "{}", "run s.c.0");
    check("grid", "{}", "run s.c.0");
    check(
        "newer",
        "{}",
        "needs PTX ISA 8.0; this driver's just-in-time compiler knows up to 7.4",
    );
    check(
        "hopper",
        "{}",
        "needs a device of sm_100; this one is sm_90",
    );
    check(
        "odd",
        "{}",
        "needs to know the device's cooperative launch, which could not be found out",
    );
    check(
        "missing",
        "{}",
        "needs to know what the kernel `missing` needs, which could not be found out",
    );
    check("canary", r#"{"driver": "470.10"}"#, "run s.c.0");
    check(
        "canary",
        r#"{"driver": "525.60.13"}"#,
        "needs driver 525.60.13 or newer; this one is 470.256.02",
    );
    check(
        "canary",
        r#"{"cuda": "12.0"}"#,
        "needs a driver that supports CUDA 12.0; this one supports 11.4",
    );
    check(
        "canary",
        r#"{"compute-capability": {"max": "8.9"}}"#,
        "needs compute capability 8.9 or lower; this device has 9.0",
    );
    check(
        "canary",
        r#"{"compute-capability": {"min": "9.0", "max": "9.0"}}"#,
        "run s.c.0",
    );
    check(
        "canary",
        r#"{"platform": ["linux-sbsa", "linux-aarch64"]}"#,
        "needs platform linux-sbsa or linux-aarch64; this is linux-x86_64",
    );
    check(
        "canary",
        r#"{"memory-mib": 9000}"#,
        "needs 9000 MiB of device memory; this device has 8192 MiB",
    );
    check(
        "canary",
        r#"{"devices": 2}"#,
        "needs 2 devices; there are 1",
    );
}

#[track_caller]
fn check_devices(patterns: &[&str], expected: &str) {
    let mut facts = machine();
    facts
        .devices
        .push(device(1, "NVIDIA GeForce GTX 1080", (6, 1)));
    let names = patterns.iter().map(ToString::to_string).collect();
    let filter = Filter {
        cases: Vec::new(),
        devices: DeviceFilter::Named(names),
        ..Filter::default()
    };
    assert_eq!(sentence(&suite("canary", "{}"), &facts, &filter), expected);
}

#[test]
fn a_device_is_chosen_by_ordinal_uuid_or_name() {
    check_devices(&["1"], "run s.c.1");
    check_devices(&["gpu-0a6c"], "run s.c.0");
    check_devices(&["1A6C"], "run s.c.1");
    check_devices(&["h100", "1"], "run s.c.0; run s.c.1");
    check_devices(
        &["7", "titan"],
        "there is no device to run on: no device matches `7` or `titan`",
    );
}

#[track_caller]
fn check_machine(change: impl FnOnce(&mut MachineFacts), expected: &str) {
    let mut facts = machine();
    change(&mut facts);
    let sentence = sentence(&suite("canary", "{}"), &facts, &Filter::default());
    assert_eq!(sentence, expected);
}

#[test]
fn a_machine_that_cannot_run_skips_with_its_fault() {
    check_machine(
        |facts| facts.devices.clear(),
        "there is no device to run on: the driver offers no device",
    );
    check_machine(
        |facts| {
            facts.devices.clear();
            facts.faults.push(MachineFault::ModuleNotLoaded);
        },
        "there is no device to run on: the NVIDIA kernel module is not loaded",
    );
    check_machine(
        |facts| {
            facts.faults.push(MachineFault::Nvml {
                function: "nvmlInit".to_owned(),
                code: 15,
                text: "GPU is lost".to_owned(),
            });
        },
        "there is no device to run on: `nvmlInit` failed: GPU is lost (NVML 15)",
    );
    check_machine(
        |facts| {
            facts.faults.push(MachineFault::Nvml {
                function: "nvmlInit".to_owned(),
                code: 18,
                text: "Driver/library version mismatch".to_owned(),
            });
        },
        "run s.c.0",
    );
    check_machine(
        |facts| facts.driver.cuda = None,
        "needs to know the PTX ISA that the driver knows, which could not be found out",
    );
}

#[test]
fn limits_of_the_case_come_before_those_of_the_suite() {
    let made = plan(
        &[suite("canary", "{}")],
        &machine(),
        &catalogue(),
        &Filter::default(),
        &Packages::new(),
        &Subjects::new(),
    );
    let limits = &made.tasks[0].limits;
    assert_eq!(
        (limits.time_s, limits.retries, limits.memory_mib),
        (Some(7), Some(2), None)
    );
}

#[test]
fn cases_are_chosen_by_name() {
    let filter = Filter {
        cases: vec!["other".to_owned()],
        ..Filter::default()
    };
    assert_eq!(sentence(&suite("canary", "{}"), &machine(), &filter), "");
}

#[track_caller]
fn check_platform(
    architecture: &str,
    soc: Option<&str>,
    sm: (u32, u32),
    expected: Option<Platform>,
) {
    let mut facts = machine();
    facts.host.architecture = Some(architecture.to_owned());
    facts.devices = vec![device(0, "x", sm)];
    facts.jetson = soc.map(|soc| Jetson {
        model: None,
        soc: Some(soc.to_owned()),
        l4t: None,
        jetpack: None,
    });
    assert_eq!(platform(&facts), expected);
}

#[test]
fn jetsons_up_to_orin_have_a_platform_of_their_own() {
    check_platform("x86_64", None, (9, 0), Some(Platform::LinuxX86_64));
    check_platform("aarch64", None, (9, 0), Some(Platform::LinuxSbsa));
    check_platform(
        "aarch64",
        Some("tegra234"),
        (8, 7),
        Some(Platform::LinuxAarch64),
    );
    check_platform(
        "aarch64",
        Some("tegra264"),
        (11, 0),
        Some(Platform::LinuxSbsa),
    );
    check_platform("ppc64le", None, (7, 0), Some(Platform::LinuxPpc64le));
    check_platform("riscv64", None, (7, 0), None);
}

#[test]
fn a_check_of_files_needs_a_package_and_no_device() {
    let mut suite = suite("canary", "{}");
    suite.cases[0].check = serde_json::from_str(r#"{"linkage": {}}"#).unwrap();
    let mut facts = machine();
    facts.devices.clear();
    let given = Filter {
        package: PackageGiven::Yes,
        ..Filter::default()
    };
    assert_eq!(sentence(&suite, &facts, &given), "run s.c");
    assert_eq!(
        sentence(&suite, &facts, &Filter::default()),
        "there is no package to examine: name its paths with --package"
    );
}

#[track_caller]
fn check_package(toolkit: &str, must_run: &str, requires: &str, expected: &str) {
    let mut suite = suite("canary", requires);
    let text = format!(r#"{{"name": "demo"{toolkit}{must_run}}}"#);
    suite.package = Some(serde_json::from_str(&text).unwrap());
    let mut facts = machine();
    facts.devices = vec![device(0, "NVIDIA A100-SXM4-40GB", (8, 0))];
    let sentence = sentence(&suite, &facts, &Filter::default());
    assert_eq!(sentence, expected);
}

#[test]
fn a_package_that_cannot_work_is_skipped_or_fails_if_it_must() {
    const OLD: &str = r#", "toolkit": "11.4""#;
    const NEW: &str = r#", "toolkit": "13.0""#;
    const MUST: &str = r#", "must-run": true"#;
    check_package("", MUST, "{}", "run s.c.0");
    check_package(
        NEW,
        "",
        "{}",
        "toolkit 13.0 needs a driver that supports CUDA 13; this is driver 470.256.02 (supports CUDA 11.4)",
    );
    check_package(
        NEW,
        MUST,
        "{}",
        "fail s.c.0 loading: toolkit 13.0 needs a driver that supports CUDA 13; this is driver 470.256.02 (supports CUDA 11.4) -> update the driver to 580.65.06 or newer; or take a package built with toolkit 11.8 or older",
    );
    // On other machines than the suite's own nothing must work.
    check_package(
        NEW,
        MUST,
        r#"{"cuda": "12.0"}"#,
        "needs a driver that supports CUDA 12.0; this one supports 11.4",
    );
    check_package(OLD, MUST, "{}", "run s.c.0");
    // Supported within limits: by minor-version compatibility.
    check_package(r#", "toolkit": "11.8""#, MUST, "{}", "run s.c.0");
}

/// What becomes of a package whose files hold machine code for one target, on an Orin.
#[track_caller]
fn check_files(target: &str, expected: &str) {
    let mut suite = suite("canary", "{}");
    suite.package = Some(serde_json::from_str(r#"{"name": "demo"}"#).unwrap());
    let mut facts = machine();
    facts.devices = vec![device(0, "Orin", (8, 7))];
    let code = vec![compat::Code::Machine(target.parse().unwrap())];
    let package = compat::Package::named("demo").with_code(code);
    let examined = [("s".to_owned(), package)].into();
    let made = plan(
        &[suite],
        &facts,
        &catalogue(),
        &Filter::default(),
        &examined,
        &Subjects::new(),
    );
    let skips = made.skips.iter().map(|skip| skip.reason.to_string());
    let runs = made.tasks.iter().map(|task| format!("run {}", task.id));
    assert_eq!(runs.chain(skips).collect::<Vec<_>>().join("; "), expected);
}

#[test]
fn code_that_nvidia_only_does_not_support_is_tried() {
    check_files("sm_87", "run s.c.0");
    check_files("sm_86", "run s.c.0");
    check_files(
        "sm_90",
        "the package carries machine code for sm_90 and no PTX; none of it runs on Orin (sm_87)",
    );
}

#[test]
fn what_the_facts_refute_is_not_held_against_a_package() {
    let mut suite = suite("canary", "{}");
    let text = r#"{"name": "demo", "toolkit": "11.8", "must-run": true}"#;
    suite.package = Some(serde_json::from_str(text).unwrap());
    // By the tables this driver does not know the H100 that it offers.
    let facts = machine();
    assert_eq!(sentence(&suite, &facts, &Filter::default()), "run s.c.0");
}

#[test]
fn files_are_read_only_for_a_suite_that_examines_a_package_on_a_device() {
    let mut suite = suite("canary", "{}");
    let asks = |suite: &Suite| asks_for_files(std::slice::from_ref(suite), &Filter::default());
    assert!(!asks(&suite));
    suite.package = Some(serde_json::from_str(r#"{"name": "demo"}"#).unwrap());
    assert!(asks(&suite));
    suite.cases[0].check = serde_json::from_str(r#"{"linkage": {}}"#).unwrap();
    assert!(!asks(&suite));
}

#[test]
fn a_case_for_all_devices_is_run_once() {
    let text = r#"{"name": "s", "summary": "x", "cases": [{"name": "c", "check": {"library":
        {"name": "nccl", "stage": "numeric", "test": "all-reduce-all", "devices": "all"}}}]}"#;
    let suite: Suite = serde_json::from_str(text).unwrap();
    let mut facts = machine();
    let others = [(1, (9, 0)), (2, (7, 5))];
    let others = others.map(|(ordinal, sm)| device(ordinal, "NVIDIA", sm));
    facts.devices.extend(others);
    let nccl = Subject {
        label: None,
        soname: "libnccl.so.2".to_owned(),
        path: "/p/lib/libnccl.so.2".into(),
        parts: Vec::new(),
        territory: Default::default(),
        loader: None,
    };
    let filter = Filter {
        package: PackageGiven::Yes,
        ..Filter::default()
    };
    let subjects = Subjects::from([(Library::Nccl, vec![nccl])]);
    let suites = std::slice::from_ref(&suite);
    let examined = packages(suites, None);
    let made = plan(suites, &facts, &catalogue(), &filter, &examined, &subjects);
    let runs: Vec<_> = made
        .tasks
        .iter()
        .map(|task| (task.device, task.beside.as_slice()))
        .collect();
    assert_eq!(runs, [(Some(0), [1, 2].as_slice())]);
}
