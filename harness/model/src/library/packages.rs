//! Libraries that are packages of their own: cuTENSOR, cuDSS, TensorRT, MAGMA, OpenCV.

use super::LibraryCard;

pub(super) const CUTENSOR: LibraryCard = LibraryCard {
    stem: "libcutensor",
    sonames: &["libcutensor.so.2"],
    tests: &[],
};

pub(super) const CUDSS: LibraryCard = LibraryCard {
    stem: "libcudss",
    sonames: &["libcudss.so.0", "libcudss.so.1"],
    tests: &[],
};

pub(super) const TENSORRT: LibraryCard = LibraryCard {
    stem: "libnvinfer",
    sonames: &["libnvinfer.so.8", "libnvinfer.so.10"],
    tests: &[],
};

pub(super) const MAGMA: LibraryCard = LibraryCard {
    stem: "libmagma",
    sonames: &["libmagma.so", "libmagma.so.2"],
    tests: &[],
};

pub(super) const OPENCV: LibraryCard = LibraryCard {
    stem: "libopencv_core",
    // The functions that are called have kept their mangled names through all of OpenCV 4.
    sonames: &["libopencv_core.so.4*"],
    tests: &[],
};
