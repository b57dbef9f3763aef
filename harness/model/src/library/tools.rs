//! What is used to build, link, copy, and watch: the runtime, compilers, codecs, communication, profiling.

use super::LibraryCard;

pub(super) const CUDART: LibraryCard = LibraryCard {
    stem: "libcudart",
    sonames: &["libcudart.so.11.0", "libcudart.so.12", "libcudart.so.13"],
    tests: &[],
};

pub(super) const NVRTC: LibraryCard = LibraryCard {
    stem: "libnvrtc",
    sonames: &["libnvrtc.so.11.2", "libnvrtc.so.12", "libnvrtc.so.13"],
    tests: &[],
};

pub(super) const NVJITLINK: LibraryCard = LibraryCard {
    stem: "libnvJitLink",
    sonames: &["libnvJitLink.so.12", "libnvJitLink.so.13"],
    tests: &[],
};

pub(super) const NPP: LibraryCard = LibraryCard {
    stem: "libnppc",
    sonames: &["libnppc.so.11", "libnppc.so.12", "libnppc.so.13"],
    tests: &[],
};

pub(super) const NVJPEG: LibraryCard = LibraryCard {
    stem: "libnvjpeg",
    sonames: &["libnvjpeg.so.11", "libnvjpeg.so.12", "libnvjpeg.so.13"],
    tests: &[],
};

pub(super) const NCCL: LibraryCard = LibraryCard {
    stem: "libnccl",
    sonames: &["libnccl.so.2"],
    tests: &[],
};

pub(super) const CUPTI: LibraryCard = LibraryCard {
    stem: "libcupti",
    sonames: &["libcupti.so.11.*", "libcupti.so.12", "libcupti.so.13"],
    tests: &[],
};
