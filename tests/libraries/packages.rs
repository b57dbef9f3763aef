//! cuTENSOR, cuDSS, TensorRT, MAGMA, and OpenCV.

use super::{Subject, detect};

const CUTENSOR: Subject = Subject {
    suite: "cutensor",
    sonames: &["libcutensor.so.2"],
    faults: &[
        // Found by one case each.
        "cutensor-version",
        "cutensor-last-bit",
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
