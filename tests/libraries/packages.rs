//! cuTENSOR, cuDSS, TensorRT, MAGMA, and OpenCV.

use super::{Subject, detect, stand_in};
use crate::support::{Ran, cudacheck, words};

const CUTENSOR: Subject = Subject {
    suite: "cutensor",
    sonames: &["libcutensor.so.2"],
    faults: &[
        // Found by one case each.
        "cutensor-version",
        "cutensor-last-bit",
        "cutensor-compiled-wrong",
        "cutensor-14-bits",
        "cutensor-f64-as-f32",
        "cutensor-f16-tile",
        "cutensor-permutation-alpha",
        "cutensor-f16-swapped",
        "cutensor-reduction-beta",
        "cutensor-max-of-sizes",
        "cutensor-binary-overwrites",
        "cutensor-trinary-gap",
        // Found by many.
        "cutensor-tf32",
        "cutensor-beta",
        "cutensor-reduction-stray",
        "cutensor-silent",
        "cutensor-no-machine-code,cutensor-no-ptx",
    ],
};

const CUDSS: Subject = Subject {
    suite: "cudss",
    sonames: &["libcudss.so.1"],
    faults: &[
        // Found by one case each.
        "cudss-0.8",
        "cudss-last-bit",
        "cudss-unwritten",
        "cudss-single-factors",
        "cudss-one-half",
        // Found by many.
        "cudss-2.0",
        "cudss-singular",
        "cudss-overwrites",
        "cudss-silent",
        "cudss-no-machine-code,cudss-no-ptx",
    ],
};

/// The builder's file has no function that is called; any library will do.
const TENSORRT: Subject = Subject {
    suite: "nvinfer",
    sonames: &["libnvinfer.so.10", "libnvinfer_builder_resource.so.10.3.0"],
    faults: &["tensorrt-minor", "tensorrt-patch"],
};

const MAGMA: Subject = Subject {
    suite: "magma-library",
    sonames: &["libmagma.so.2"],
    faults: &[
        // Found by one case each.
        "magma-version",
        "magma-cublas-beta",
        "magmablas-dgemm-silent",
        "magmablas-sgemm-tf32",
        "magma-factor-last-bit",
        "magma-solution-last-bit",
        "magma-last-panel",
        "magma-single-factors",
        // Found by many.
        "magma-definite",
        "magma-gap",
        "magma-no-devices",
        "magma-no-queue",
        "magma-allocation",
        "magma-no-machine-code,magma-no-ptx",
    ],
};

const OPENCV: Subject = Subject {
    suite: "opencv-library",
    sonames: &["libopencv_core.so.414"],
    faults: &[
        // Found by one case each.
        "opencv-version",
        "opencv-other-build",
        "opencv-other-architecture",
        "opencv-incompatible",
        "opencv-old-driver",
        // Found by both that ask for architectures.
        "opencv-without-cuda",
    ],
};

#[test]
fn cutensor_is_seen_through() {
    insta::assert_snapshot!(detect(&CUTENSOR));
}

#[test]
fn cudss_is_seen_through() {
    insta::assert_snapshot!(detect(&CUDSS));
}

#[test]
fn tensorrt_is_seen_through() {
    insta::assert_snapshot!(detect(&TENSORRT));
}

#[test]
fn magma_is_seen_through() {
    insta::assert_snapshot!(detect(&MAGMA));
}

#[test]
fn opencv_is_seen_through() {
    insta::assert_snapshot!(detect(&OPENCV));
}

/// Runs a suite on stand-ins with these switches, which are no faults of the library.
#[track_caller]
fn run(suite: &str, sonames: &[&str], switches: &str) -> Ran {
    let package = stand_in::package(sonames);
    let path = package.path().to_str().unwrap();
    let variable = format!("CUDACHECK_STAND_IN={switches}");
    let mut arguments = vec!["run", suite, "--simulate", "h100", "--seed", "7"];
    arguments.extend(["--package", path, "--env", &variable, "--time-limit", "30"]);
    cudacheck(arguments)
}

/// 0.8 has the SONAME of 0.7 and the signatures of 1.0; before 0.7 and before 0.6 the phases have other numbers.
#[test]
fn every_cudss_is_called_by_its_own_signatures() {
    for version in ["cudss-0.5", "cudss-0.6", "cudss-0.7", "cudss-0.8"] {
        let ran = run("cudss", &["libcudss.so.0"], version);
        assert_eq!(ran.code, 0, "{version}:\n{}", ran.stderr);
    }
}

#[test]
fn magma_may_have_integers_of_64_bits() {
    let ran = run("magma-library", &["libmagma.so"], "magma-ilp64");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_builder_without_its_file_cannot_be_loaded() {
    let ran = run("nvinfer", &["libnvinfer.so.10"], "");
    let finished = ran.finished().into_iter();
    let outcomes: Vec<String> = finished
        .map(|case| format!("{} {}", case.id.case, words(&case.outcome)))
        .collect();
    assert!(
        outcomes.contains(&"builder-resource fail unloadable-library at first-call".to_owned()),
        "{outcomes:?}"
    );
}

/// What a report says of a fault.
#[track_caller]
fn says(subject: &Subject, fault: &str, expected: &str) {
    let ran = run(subject.suite, subject.sonames, fault);
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}

#[test]
fn a_report_names_what_went_wrong() {
    says(&CUTENSOR, "cutensor-tf32", "it is what TF32");
    says(&MAGMA, "magmablas-sgemm-tf32", "it is what TF32");
    says(&OPENCV, "opencv-other-architecture", "cudaCapabilities");
    says(
        &OPENCV,
        "opencv-without-cuda",
        "it was built without CUDA, and would throw",
    );
}
