//! Facts and listings, as people read them.

use cudacheck_model::catalogue::{AttributeNeed, Catalogue, KernelNeeds};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::fault::MachineFault;
use cudacheck_model::suite::Suite;
use cudacheck_model::version::PtxIsa;
use cudacheck_report::{facts, jsonl, listing};

use crate::stream;

#[track_caller]
fn check(name: &str, text: &str) {
    insta::assert_snapshot!(name, text);
}

#[test]
fn facts_are_aligned_and_begin_with_the_answer() {
    check("facts", &facts::facts_text(&stream::facts(None, 1)));
    check(
        "facts-simulated",
        &facts::facts_text(&stream::facts(Some("rtx-4090"), 2)),
    );
    check("facts-jetson", &facts::facts_text(&stream::jetson()));
    let fault = MachineFault::DriverNotFound {
        searched: vec!["/usr/lib".into()],
    };
    let facts = MachineFacts {
        faults: vec![fault],
        ..MachineFacts::default()
    };
    check("facts-no-driver", &facts::facts_text(&facts));
}

fn suites() -> Vec<Suite> {
    let suite = serde_json::json!({
        "name": "kernels",
        "summary": "The driver compiles and the device computes what the PTX document says, from launch to matrix instructions",
        "requires": { "cuda": "11.2", "platform": ["linux-x86_64", "linux-sbsa"] },
        "cases": [
            { "name": "fma", "check": { "kernel": { "name": "fma" } } },
            {
                "name": "mma", "check": { "kernel": { "name": "mma-f64" } },
                "requires": { "compute-capability": { "min": "8.0", "max": "9.0" }, "memory-mib": 512, "devices": 2 },
                "expected-failure": { "because": "the driver has a bug" }
            }
        ]
    });
    let magma = serde_json::json!({
        "name": "magma", "summary": "MAGMA factors a matrix", "package": { "name": "cudaPackages.magma" },
        "cases": [{ "name": "lu", "check": { "kernel": { "name": "fma" } } }]
    });
    [suite, magma]
        .into_iter()
        .map(|suite| serde_json::from_value(suite).unwrap())
        .collect()
}

fn catalogue() -> Catalogue {
    let kernel = |name: &str, target: &str, attributes| {
        KernelNeeds {
        name: name.to_owned(),
        summary: "Multiplies and adds with one rounding, and tells a compiler that contracts what it must not".to_owned(),
        isa: PtxIsa::new(6, 0),
        target: target.parse().unwrap(),
        attributes,
    }
    };
    let cooperative = AttributeNeed {
        number: 95,
        name: "cooperative launch".to_owned(),
        at_least: 1,
    };
    let shared = AttributeNeed {
        number: 97,
        name: "shared memory per block".to_owned(),
        at_least: 98_304,
    };
    Catalogue {
        kernels: vec![
            kernel("fma", "sm_60", vec![]),
            kernel("mma-f64", "sm_80", vec![cooperative, shared]),
        ],
    }
}

#[test]
fn listings_are_aligned_and_fit_100_columns() {
    let (suites, catalogue) = (suites(), catalogue());
    let texts = [
        ("list-suites", listing::suites(&suites)),
        ("list-cases", listing::cases(&suites, &catalogue)),
        ("list-kernels", listing::kernels(&catalogue)),
        ("list-valid", listing::valid(&suites)),
    ];
    for (name, text) in texts {
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        check(name, &text);
    }
    assert_eq!(listing::suites(&[]), "");
    let pairs = [
        ("h100", "driver 580"),
        ("no-device", "a driver without a device"),
    ]
    .map(|(name, what)| (name.to_owned(), what.to_owned()));
    assert_eq!(
        listing::pairs(&pairs),
        "h100       driver 580\nno-device  a driver without a device\n"
    );
}

#[test]
fn events_come_back_from_json_lines_as_they_were() {
    let events = stream::two_devices();
    let mut written = Vec::new();
    let mut lines = jsonl::JsonLines::new(&mut written);
    for event in &events {
        lines.event(event).unwrap();
    }
    let text = String::from_utf8(written).unwrap();
    let read: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events, read);
}
