//! The runtime, the compilers, NPP, nvJPEG, NCCL, and CUPTI.

use cudacheck_model::outcome::{Class, Outcome};

use super::{Subject, detect, stand_in};
use crate::support::{cudacheck, words};

#[test]
fn every_fault_of_cudart_is_found() {
    let found = detect(&Subject {
        suite: "cudart",
        sonames: &["libcudart.so.12"],
        faults: &[
            "cudart-version",
            "cudart-memset-words",
            "cudart-copy-silent",
            "cudart-attributes",
            "cudart-whole-rows",
            "cudart-one-pitch",
            "cudart-async-dropped",
            "cudart-events",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_nvrtc_is_found() {
    let found = detect(&Subject {
        suite: "nvrtc",
        sonames: &["libnvrtc.so.12", "libnvrtc-builtins.so.12.9"],
        faults: &[
            "nvrtc-version",
            "nvrtc-builtins-missing",
            "nvrtc-builtins-of-another-release",
            "nvrtc-cubin-architecture",
            "nvrtc-ptx-target",
            "nvrtc-accepts-errors",
            "nvrtc-wrong-line",
            "nvrtc-lowered-name",
            "nvrtc-instance-missing",
            "nvrtc-cubin-wrong",
            "nvrtc-ptx-wrong",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_nvjitlink_is_found() {
    let found = detect(&Subject {
        suite: "nvjitlink",
        sonames: &["libnvJitLink.so.12"],
        faults: &[
            "nvjitlink-version",
            "nvjitlink-architecture",
            "nvjitlink-no-kernel",
            "nvjitlink-accepts-errors",
            "nvjitlink-silent",
            "nvjitlink-accepts-undefined",
            "nvjitlink-wrong-code",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_npp_is_found() {
    let found = detect(&Subject {
        suite: "npp",
        sonames: &[
            "libnppc.so.12",
            "libnppial.so.12",
            "libnppicc.so.12",
            "libnppidei.so.12",
            "libnppif.so.12",
            "libnppig.so.12",
            "libnppim.so.12",
            "libnppist.so.12",
            "libnppitc.so.12",
            "libnpps.so.12",
        ],
        faults: &[
            "npp-version",
            "npp-no-machine-code,npp-no-ptx",
            "npp-add-wraps",
            "npp-add-vectors",
            "npp-add-operand",
            "npp-resize-linear",
            "npp-resize-mirrored",
            "npp-filter-transposed",
            "npp-filter-saturates-early",
            "npp-sum-padding",
            "npp-sum-scratch",
            "npp-sum-silent",
            "npp-transpose-flipped",
            "npp-dilate-row",
            "npp-threshold-below",
            "npp-gray-bgr",
            "npp-signal-bit",
            "npp-signal-tail",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_nvjpeg_is_found() {
    let found = detect(&Subject {
        suite: "nvjpeg",
        sonames: &["libnvjpeg.so.12"],
        faults: &[
            "nvjpeg-version",
            "nvjpeg-cudart-version",
            "nvjpeg-no-machine-code,nvjpeg-no-ptx",
            "nvjpeg-subsampling",
            "nvjpeg-accepts-truncated",
            "nvjpeg-silent",
            "nvjpeg-luma-off-by-one",
            "nvjpeg-luma-last-block",
            "nvjpeg-swapped-colours",
            "nvjpeg-420-without-colour",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_nccl_is_found() {
    let found = detect(&Subject {
        suite: "nccl",
        sonames: &["libnccl.so.2"],
        faults: &[
            "nccl-version",
            "nccl-no-machine-code,nccl-no-ptx",
            "nccl-async-error",
            "nccl-all-reduce-bit",
            "nccl-all-reduce-silent",
            "nccl-all-reduce-short",
            "nccl-factor-ignored",
            "nccl-reduce-scatter-bit",
            "nccl-reduce-scatter-silent",
            "nccl-all-gather-bit",
            "nccl-all-gather-short",
            "nccl-broadcast-bit",
            "nccl-broadcast-silent",
        ],
    });
    insta::assert_snapshot!(found);
}

/// What a case of NCCL for all devices says on two, and on how many devices the others were run.
fn on_two_devices(fault: &str) -> String {
    let package = stand_in::package(&["libnccl.so.2"]);
    let path = package.path().to_str().unwrap();
    let variable = format!("CUDACHECK_STAND_IN={fault}");
    let mut arguments = vec!["run", "nccl", "--simulate", "two-gpus", "--seed", "7"];
    arguments.extend(["--package", path, "--env", &variable]);
    arguments.extend(["--case", "all-reduce", "--case", "all-reduce-all"]);
    let ran = cudacheck(arguments);
    let mut lines: Vec<String> = ran
        .finished()
        .iter()
        .map(|case| {
            let devices = case.attempt.notes.iter().find(|(key, _)| key == "devices");
            let devices = devices.map_or("its own", |(_, count)| count);
            format!("{} on {devices}: {}", case.id, words(&case.outcome))
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn a_sum_over_two_devices_is_one_case() {
    insta::assert_snapshot!(on_two_devices(""));
    // The last device alone has a wrong bit, which no sum over one device has.
    insta::assert_snapshot!(on_two_devices("nccl-last-device-bit"));
}

#[test]
fn every_fault_of_cupti_is_found() {
    let found = detect(&Subject {
        suite: "cupti",
        sonames: &["libcupti.so.12"],
        faults: &[
            "cupti-version",
            "cupti-silent",
            "cupti-twice",
            "cupti-shape",
            "cupti-times",
            "cupti-privileges",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn a_compiler_without_its_builtins_says_which_file_is_missing() {
    let package = stand_in::package(&["libnvrtc.so.12"]);
    let path = package.path().to_str().unwrap();
    let mut arguments = vec!["run", "nvrtc", "--simulate", "no-device", "--case", "cubin"];
    let fault = "CUDACHECK_STAND_IN=nvrtc-builtins-missing";
    arguments.extend(["--package", path, "--env", fault]);
    let finished = cudacheck(arguments).finished();
    let [case] = finished.as_slice() else {
        panic!("{finished:?}");
    };
    let Outcome::Fail(finding) = &case.outcome else {
        panic!("{:?}", case.outcome);
    };
    assert_eq!(finding.class, Class::Loading);
    assert_eq!(
        finding.cause.text(),
        "libnvrtc-builtins.so.12.9 is missing beside libnvrtc; it must be of exactly its version"
    );
}

#[test]
fn a_library_of_npp_that_is_not_there_is_a_skip() {
    let package = stand_in::package(&["libnppc.so.12", "libnppial.so.12"]);
    let path = package.path().to_str().unwrap();
    let mut arguments = vec!["run", "npp", "--simulate", "h100", "--package", path];
    arguments.extend(["--case", "add-saturating", "--case", "sum"]);
    let ran = cudacheck(arguments);
    let outcomes: Vec<String> = ran
        .finished()
        .iter()
        .map(|case| format!("{} {}", case.id.case, words(&case.outcome)))
        .collect();
    assert_eq!(outcomes, ["add-saturating pass", "sum skip not-supported"]);
}
