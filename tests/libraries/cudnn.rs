//! cuDNN, under the names of both major releases.

use cudacheck_model::outcome::Outcome;

use super::{Subject, detect, stand_in};
use crate::support::{cudacheck, words};

const NINE: &[&str] = &[
    "libcudnn.so.9",
    "libcudnn_graph.so.9",
    "libcudnn_ops.so.9",
    "libcudnn_cnn.so.9",
    "libcudnn_adv.so.9",
    "libcudnn_heuristic.so.9",
    "libcudnn_engines_precompiled.so.9",
    "libcudnn_engines_runtime_compiled.so.9",
];

const EIGHT: &[&str] = &[
    "libcudnn.so.8",
    "libcudnn_ops_infer.so.8",
    "libcudnn_ops_train.so.8",
    "libcudnn_cnn_infer.so.8",
    "libcudnn_cnn_train.so.8",
    "libcudnn_adv_infer.so.8",
    "libcudnn_adv_train.so.8",
];

#[test]
fn every_fault_of_cudnn_is_found() {
    let found = detect(&Subject {
        suite: "cudnn",
        sonames: NINE,
        faults: &[
            "cudnn-other-major",
            "cudnn-property-differs",
            "cudnn-ops-of-another-release",
            "cudnn-cnn-mismatch",
            "cudnn-adv-unavailable",
            "cudnn-strides-confused",
            "cudnn-pooling-rounds-up",
            "cudnn-create-refused",
            "cudnn-stream-forgotten",
            "cudnn-no-machine-code,cudnn-no-ptx",
            "cudnn-operand-overwritten",
            "cudnn-workspace-overrun",
            "cudnn-last-bit-wrong",
            "cudnn-precomputed-tail-unwritten",
            "cudnn-dilation-ignored",
            "cudnn-groups-mixed",
            "cudnn-alpha-ignored",
            "cudnn-beta-ignored",
            "cudnn-gap-written",
            "cudnn-tf32",
            "cudnn-half-element-wrong",
            "cudnn-nhwc-tile-unwritten",
            "cudnn-truncated",
            "cudnn-filter-taken-for-nchw",
            "cudnn-softmax-omits-channel",
            "cudnn-epsilon-ignored",
            "cudnn-maximum-counts-padding",
            "cudnn-average-counts-padding",
            "cudnn-clip-ignored",
            "cudnn-engine-wrong",
            "cudnn-fallback-silent",
            "cudnn-bias-forgotten",
            "cudnn-no-nvrtc",
            "cudnn-plan-needs-device",
        ],
    });
    insta::assert_snapshot!(found);
}

/// Runs the suite on a package of these stand-ins, and returns a line for each case that does not pass.
fn ran(sonames: &[&str], fault: &str) -> String {
    let package = stand_in::package(sonames);
    let path = package.path().to_str().unwrap();
    let variable = format!("CUDACHECK_STAND_IN={fault}");
    let mut arguments = vec!["run", "cudnn", "--simulate", "h100", "--seed", "7"];
    arguments.extend(["--package", path, "--env", &variable, "--time-limit", "30"]);
    let ran = cudacheck(arguments);
    let finished = ran.finished();
    assert!(!finished.is_empty(), "nothing ran:\n{}", ran.stderr);
    let failed = finished.iter().filter(|case| case.outcome != Outcome::Pass);
    // Cases without a device run beside the others, so that the order is not always the same.
    let mut lines: Vec<String> = failed
        .map(|case| {
            let error = match &case.outcome {
                Outcome::Fail(finding) | Outcome::Fault(finding) => finding.error.as_str(),
                Outcome::Pass
                | Outcome::Skip(_)
                | Outcome::ExpectedFail { .. }
                | Outcome::UnexpectedPass { .. } => "",
            };
            let error = error.replace(path, "PACKAGE");
            format!("{}: {}: {error}", case.id.case, words(&case.outcome))
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

#[track_caller]
fn check(sonames: &[&str], fault: &str, expected: &str) {
    assert_eq!(ran(sonames, fault), expected);
}

#[test]
fn version_8_has_numbers_of_its_own() {
    check(EIGHT, "", "graph-planned: skip not-supported: ");
    insta::assert_snapshot!(ran(EIGHT, "cudnn-no-nvrtc,cudnn-ops-mismatch"));
}

#[test]
fn a_missing_part_is_named_before_it_ends_the_process() {
    let without = |name: &str| -> Vec<&str> {
        NINE.iter()
            .copied()
            .filter(|it| !it.starts_with(name))
            .collect()
    };
    insta::assert_snapshot!("without_heuristic", ran(&without("libcudnn_heuristic"), ""));
    insta::assert_snapshot!("without_graph", ran(&without("libcudnn_graph"), ""));
}

#[test]
fn the_configuration_without_machine_code_has_no_older_functions() {
    let jit = [
        "libcudnn.so.9",
        "libcudnn_graph.so.9",
        "libcudnn_engines_runtime_compiled.so.9",
    ];
    insta::assert_snapshot!(ran(
        &jit,
        "cudnn-ops-unavailable,cudnn-cnn-unavailable,cudnn-adv-unavailable"
    ));
}
