//! A run in which everything happens that can happen, once. Numbers and names are made up.

use cudacheck_model::event::{
    Attempt, CaseFinished, DeviceLabel, EVENT_SCHEMA, Event, Output, RunStarted, Summary, Timed,
};
use cudacheck_model::facts::{
    Device, DriverFacts, FACTS_SCHEMA, Host, Jetson, KernelModule, Library, LookupRule,
    MachineFacts, ModuleFlavour,
};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::Stage;
use cudacheck_model::outcome::{Cause, Class, Finding, Outcome, Problem, SkipReason};
use cudacheck_model::plan::PlannedSkip;
use cudacheck_model::task::TaskId;
use cudacheck_model::version::{ComputeCapability, ToolkitVersion};

/// The whole run on one real device.
pub(crate) fn real() -> Vec<Timed> {
    run(None, 1)
}

/// The same on one simulated device, with an injected fault.
pub(crate) fn simulated() -> Vec<Timed> {
    run(Some("rtx-4090"), 1)
}

/// The same on two devices, of which the second is withdrawn.
pub(crate) fn two_devices() -> Vec<Timed> {
    run(None, 2)
}

/// A run on a machine without a driver.
pub(crate) fn no_driver() -> Vec<Timed> {
    let mut events = vec![started(None)];
    let fault = MachineFault::DriverNotFound {
        searched: vec!["/usr/lib".into(), "/run/opengl-driver/lib".into()],
    };
    let facts = MachineFacts {
        schema: FACTS_SCHEMA,
        host: Host {
            name: Some("ci-02".to_owned()),
            ..Host::default()
        },
        faults: vec![fault],
        ..MachineFacts::default()
    };
    events.push(Event::MachineProbed(Box::new(facts)));
    events.push(Event::Planned {
        tasks: 0,
        skips: 2,
        suites: 1,
        devices: 0,
    });
    for case in ["canary", "fma"] {
        let reason = SkipReason::NoDevice {
            because: "no NVIDIA driver".to_owned(),
        };
        events.push(skip("kernels", case, None, reason));
    }
    let summary = Summary {
        skipped: 2,
        machine_fault: true,
        duration_ms: 81,
        ..Summary::default()
    };
    events.push(Event::RunFinished(summary));
    timed(events)
}

/// The run's first events, and nothing of its end.
pub(crate) fn cut_off() -> Vec<Timed> {
    let mut events = real();
    let third = events
        .iter()
        .position(|timed| matches!(timed.event, Event::CaseStarted { .. }))
        .unwrap();
    events.truncate(third + 3);
    events.push(events[third].clone());
    if let Event::CaseStarted { id, .. } = &mut events.last_mut().unwrap().event {
        id.case = "still-running".to_owned();
    }
    events
}

/// Facts with everything that can be known.
pub(crate) fn facts(simulated: Option<&str>, devices: u32) -> MachineFacts {
    let library = |name: &str, complaint: Option<&str>| Library {
        path: format!("/run/opengl-driver/lib/{name}").into(),
        resolved: Some(format!("/nix/store/x-nvidia/lib/{name}.580.95.05").into()),
        found_by: LookupRule::RunOpenglDriver,
        version: "580.95.05".parse().ok(),
        complaint: complaint.map(str::to_owned),
    };
    let device = |ordinal: u32| Device {
        ordinal,
        name: "NVIDIA RTX 4000 SFF Ada".to_owned(),
        uuid: Some(format!("GPU-6c1f2a3{ordinal}-0000-4000-8000-000000000000")),
        compute_capability: ComputeCapability::new(8, 9),
        memory_bytes: 20_475 << 20,
        multiprocessors: 48,
        pci: Some("0000:65:00.0".to_owned()),
        integrated: false,
        ecc: Some(true),
        ecc_uncorrected: None,
        mig: Some(false),
        compute_mode: Some(cudacheck_model::facts::ComputeMode::Default),
        attributes: [(16, 48)].into(),
    };
    MachineFacts {
        schema: FACTS_SCHEMA,
        simulated: simulated.map(str::to_owned),
        host: Host {
            name: Some("ada-01".to_owned()),
            kernel: Some("6.12.1".to_owned()),
            distribution: Some("NixOS 26.05".to_owned()),
            architecture: Some("x86_64".to_owned()),
            memory_bytes: Some(64 << 30),
            wsl: false,
        },
        driver: DriverFacts {
            kernel_module: Some(KernelModule {
                version: "580.95.05".parse().unwrap(),
                flavour: ModuleFlavour::Open,
            }),
            libcuda: Some(library("libcuda.so.1", None)),
            nvml: Some(library("libnvidia-ml.so.1", None)),
            cuda: Some(ToolkitVersion::new(13, 0)),
            nvml_driver: "580.95.05".parse().ok(),
            passed_over: vec![Library {
                path: "/usr/local/cuda/lib64/stubs/libcuda.so".into(),
                resolved: None,
                found_by: LookupRule::LdSoCache,
                version: None,
                complaint: Some("the toolkit's stub".to_owned()),
            }],
        },
        devices: (0..devices).map(device).collect(),
        jetson: None,
        faults: Vec::new(),
    }
}

/// Facts of a Jetson without NVML.
pub(crate) fn jetson() -> MachineFacts {
    let mut facts = facts(None, 1);
    facts.jetson = Some(Jetson {
        model: Some("NVIDIA Jetson AGX Orin Developer Kit".to_owned()),
        soc: Some("tegra234".to_owned()),
        l4t: Some("35.4.1".to_owned()),
        jetpack: Some("5.1.2".to_owned()),
    });
    facts.driver.nvml = None;
    facts.driver.nvml_driver = None;
    facts.driver.kernel_module = None;
    facts.driver.passed_over.clear();
    facts.devices[0].name = "Orin".to_owned();
    facts.devices[0].integrated = true;
    facts.devices[0].compute_capability = ComputeCapability::new(8, 7);
    facts.devices[0].uuid = None;
    facts
}

/// A finding in which every field says something.
pub(crate) fn finding(problem: Problem, class: Class, error: &str) -> Box<Finding> {
    Box::new(Finding {
        problem,
        class,
        stage: Some(Stage::Compare),
        expected: "the output equals the reference".to_owned(),
        error: error.to_owned(),
        cause: Cause::Unknown,
        remedy: "cudacheck run kernels --case fma -v".to_owned(),
        details: Vec::new(),
    })
}

/// An attempt that printed something.
pub(crate) fn attempt(outcome: Outcome, printed: &str) -> Attempt {
    Attempt {
        outcome,
        started: "2026-11-21T19:12:01.250Z".to_owned(),
        duration_ms: 1_203,
        stages: vec![(Stage::Start, 0), (Stage::Compare, 900_000)],
        notes: vec![("jit-wall-ms".to_owned(), "41".to_owned())],
        mapped: Vec::new(),
        parts: Vec::new(),
        output: Output {
            head: printed.to_owned(),
            ..Output::default()
        },
        leaked: 0,
    }
}

/// A case that ended like this.
pub(crate) fn finished(
    suite: &str,
    case: &str,
    device: Option<u32>,
    outcome: Outcome,
) -> CaseFinished {
    let id = id(suite, case, device);
    CaseFinished {
        package: (suite == "magma").then(|| "cudaPackages.magma".to_owned()),
        device: device.map(|ordinal| DeviceLabel {
            ordinal,
            name: "NVIDIA RTX 4000 SFF Ada".to_owned(),
            sm: "sm_89".to_owned(),
            uuid: Some("GPU-6c1f2a30-0000-4000-8000-000000000000".to_owned()),
        }),
        attempt: attempt(outcome.clone(), ""),
        outcome,
        earlier: Vec::new(),
        rerun: ["cudacheck", "run", suite, "--case", case]
            .map(str::to_owned)
            .to_vec(),
        log: id.to_string(),
        id,
    }
}

/// Events with times, one every tenth of a second.
pub(crate) fn timed(events: Vec<Event>) -> Vec<Timed> {
    let stamp = |(index, event): (u64, Event)| Timed {
        v: EVENT_SCHEMA,
        at: format!("2026-11-21T19:12:{index:02}.000Z"),
        elapsed_ms: index * 100,
        event,
    };
    (0..).zip(events).map(stamp).collect()
}

pub(crate) fn started(simulated: Option<&str>) -> Event {
    Event::RunStarted(RunStarted {
        run_id: "20261121T191200Z-1a2b".to_owned(),
        version: "0.1.0".to_owned(),
        command: vec!["cudacheck".to_owned(), "run".to_owned()],
        simulated: simulated.map(str::to_owned),
        injected: simulated
            .map(|_| "cuLaunchKernel:719".to_owned())
            .into_iter()
            .collect(),
        seed: 42,
    })
}

fn id(suite: &str, case: &str, device: Option<u32>) -> TaskId {
    TaskId {
        suite: suite.to_owned(),
        case: case.to_owned(),
        subject: None,
        device,
    }
}

fn skip(suite: &str, case: &str, device: Option<u32>, reason: SkipReason) -> Event {
    Event::CaseSkipped(PlannedSkip {
        id: id(suite, case, device),
        package: None,
        reason,
    })
}

fn capability() -> SkipReason {
    SkipReason::Capability {
        needs: "sm_90".parse().unwrap(),
        has: ComputeCapability::new(8, 9),
    }
}

fn run(simulated: Option<&str>, devices: u32) -> Vec<Timed> {
    let mut events = vec![
        started(simulated),
        Event::MachineProbed(Box::new(facts(simulated, devices))),
    ];
    let count = usize::try_from(devices).unwrap();
    events.push(Event::Planned {
        tasks: 12 * count,
        skips: 3 * count,
        suites: 3,
        devices: count,
    });
    for device in 0..devices {
        for case in ["cluster", "tma"] {
            events.push(skip("kernels", case, Some(device), capability()));
        }
        let needs = "12.4".parse().unwrap();
        let reason = SkipReason::CudaVersion {
            needs,
            has: ToolkitVersion::new(11, 4),
        };
        events.push(skip("opencv", "dnn", Some(device), reason));
    }
    for device in 0..devices {
        for case in cases(device) {
            events.push(Event::CaseStarted {
                id: case.id.clone(),
                attempt: 1,
            });
            if !case.earlier.is_empty() {
                events.push(Event::CaseStarted {
                    id: case.id.clone(),
                    attempt: 2,
                });
            }
            if matches!(&case.outcome, Outcome::Fail(finding) if finding.problem == Problem::Timeout(60))
            {
                events.push(Event::CaseSlow {
                    id: case.id.clone(),
                    elapsed_ms: 12_000,
                });
            }
            events.push(Event::CaseFinished(Box::new(case)));
        }
        if device == 1 {
            events.push(Event::DeviceWithdrawn {
                device,
                fault: lost(),
            });
            let because = lost().to_string();
            events.push(skip(
                "kernels",
                "late",
                Some(1),
                SkipReason::DeviceWithdrawn { device, because },
            ));
        }
    }
    let skip_interrupted = SkipReason::Interrupted;
    events.push(Event::Interrupted { signal: 2 });
    events.push(skip("kernels", "never", Some(0), skip_interrupted));
    events.push(Event::RunFinished(Summary {
        passed: 2 * devices,
        flaky: devices,
        failed: 4 * devices,
        faults: 2 * devices,
        skipped: 4 * devices + 1,
        expected_failures: devices,
        unexpected_passes: devices,
        crashed: 2 * devices,
        timed_out: devices,
        duration_ms: 108_400,
        interrupted: Some(2),
        needs_attention: devices > 1,
        machine_fault: false,
    }));
    timed(events)
}

fn lost() -> MachineFault {
    MachineFault::Nvml {
        function: "nvmlDeviceGetHandleByIndex".to_owned(),
        code: 15,
        text: "GPU is lost".to_owned(),
    }
}

fn cases(device: u32) -> Vec<CaseFinished> {
    let at = Some(device);
    let wrong = finding(
        Problem::WrongResult,
        Class::Numerical,
        "element 17 is 3, not 4",
    );
    let mut architecture = finding(
        Problem::CudaError(209),
        Class::Architecture,
        "no kernel image is available for execution on the device (CUDA_ERROR_NO_BINARY_FOR_GPU, 209)",
    );
    architecture.stage = Some(Stage::Module);
    architecture.cause = Cause::proven(
        "libmagma.so carries machine code for sm_80, sm_86, sm_90 and no PTX; this device is sm_87",
    );
    architecture.remedy = "build magma with cudaCapabilities = [ \"8.7\" ]".to_owned();
    architecture.details = vec![
        "ptxas info: 0 bytes gmem".to_owned(),
        "::error::not a command\n##[group]x".to_owned(),
    ];
    let segv = finding(
        Problem::Signal(11),
        Class::Execution,
        "the worker was ended by SIGSEGV",
    );
    let timeout = finding(
        Problem::Timeout(60),
        Class::Execution,
        "no result within 60 s",
    );
    let mut harness = finding(
        Problem::Machine(MachineFault::Harness {
            message: "cannot create the case's directory".to_owned(),
        }),
        Class::Machine,
        "cannot create the case's directory",
    );
    harness.stage = None;
    let aborted = finding(
        Problem::Signal(6),
        Class::Machine,
        "the driver ended the worker by SIGABRT",
    );
    let busy = finding(Problem::Machine(lost()), Class::Machine, "GPU is lost");

    let mut crash = finished("opencv", "warp-affine", at, Outcome::Fail(segv));
    crash.attempt.output.head = "\u{1b}[31mabout to crash\u{1b}[0m\n".to_owned();
    let mut hang = finished("opencv", "dft", at, Outcome::Fail(timeout));
    hang.attempt.duration_ms = 60_012;
    hang.attempt.output = Output {
        head: "line\n".repeat(20),
        tail: "the end\n".to_owned(),
        left_out: 200_000_000,
    };
    hang.attempt.leaked = 2;
    let mut flaky = finished("kernels", "atomics", at, Outcome::Pass);
    flaky.earlier = vec![attempt(Outcome::Fault(busy.clone()), "first try\n")];
    let mut gave_up = finished("kernels", "fence", at, Outcome::Fault(aborted));
    gave_up.earlier = vec![attempt(Outcome::Fault(busy), "")];
    let because = "the reference is wrong, see https://example.org/1".to_owned();
    let known = Outcome::ExpectedFail {
        finding: wrong.clone(),
        because: because.clone(),
    };
    vec![
        finished("kernels", "warp-shuffle", at, Outcome::Pass),
        flaky,
        finished("kernels", "fma", at, Outcome::Fail(wrong)),
        finished("magma", "testing-dgetrf", at, Outcome::Fail(architecture)),
        crash,
        hang,
        gave_up,
        finished("kernels", "canary", at, Outcome::Fault(harness)),
        finished("kernels", "sin", at, known),
        finished("kernels", "cos", at, Outcome::UnexpectedPass { because }),
        finished("kernels", "mma-f64", at, Outcome::Skip(capability())),
    ]
}
