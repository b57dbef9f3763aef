//! What is used to build, link, copy, and watch: the runtime, compilers, codecs, communication, profiling.

use super::{LibraryCard, LibraryTest, TestNeeds};

pub(super) const CUDART: LibraryCard = LibraryCard {
    stem: "libcudart",
    sonames: &["libcudart.so.11.0", "libcudart.so.12", "libcudart.so.13"],
    tests: &[
        device(
            "memory",
            "memory is reserved, described, set, copied in three directions, and freed",
        ),
        device(
            "memory-2d",
            "rectangles are copied between arrays of different pitch, and nothing beside them",
        ),
        device(
            "streams",
            "copies from pinned memory are in order in a stream, and events tell their times",
        ),
    ],
};

pub(super) const NVRTC: LibraryCard = LibraryCard {
    stem: "libnvrtc",
    sonames: &["libnvrtc.so.11.2", "libnvrtc.so.12", "libnvrtc.so.13"],
    tests: &[
        host(
            "cubin",
            "a kernel becomes machine code for each architecture that the compiler names",
        ),
        host(
            "ptx",
            "a kernel becomes PTX for each architecture that the compiler names",
        ),
        host(
            "compile-error",
            "a program with an error is refused with its line, and one without is not",
        ),
        host(
            "template-instance",
            "an instance of a template has the name that the compiler tells",
        ),
        device(
            "cubin-run",
            "machine code for this device runs and computes",
        ),
        device(
            "ptx-run",
            "PTX for this device is compiled by the driver, runs, and computes",
        ),
    ],
};

pub(super) const NVJITLINK: LibraryCard = LibraryCard {
    stem: "libnvJitLink",
    sonames: &["libnvJitLink.so.12", "libnvJitLink.so.13"],
    tests: &[
        host(
            "ptx-to-cubin",
            "two modules of PTX become machine code for sm_75, sm_80, sm_86, and sm_90",
        ),
        host("ptx-error", "PTX with an error is refused with its line"),
        host(
            "undefined-symbol",
            "a module that calls a function of no module is refused",
        ),
        device(
            "linked-run",
            "two modules that were linked for this device run and compute",
        ),
    ],
};

pub(super) const NPP: LibraryCard = LibraryCard {
    stem: "libnppc",
    sonames: &["libnppc.so.11", "libnppc.so.12", "libnppc.so.13"],
    tests: &[
        device(
            "add-saturating",
            "the sum of two images is saturated and scaled (libnppial)",
        ),
        device(
            "resize-nearest",
            "an image is enlarged without mixing its values (libnppig)",
        ),
        device(
            "filter-3x3",
            "a filter of nine integers sums and saturates (libnppif)",
        ),
        device("sum", "the sum over an image is exact (libnppist)"),
        device("transpose", "rows become columns (libnppidei)"),
        device(
            "dilate-3x3",
            "each pixel becomes the brightest of the nine around it (libnppim)",
        ),
        device(
            "threshold",
            "what is above a threshold becomes the threshold (libnppitc)",
        ),
        device(
            "rgb-to-gray",
            "colours become brightness that is off by one at most (libnppicc)",
        ),
        device("signal-add", "the sum of two signals is exact (libnpps)"),
    ],
};

pub(super) const NVJPEG: LibraryCard = LibraryCard {
    stem: "libnvjpeg",
    sonames: &["libnvjpeg.so.11", "libnvjpeg.so.12", "libnvjpeg.so.13"],
    tests: &[
        device(
            "image-info",
            "size, components, and subsampling of images are told",
        ),
        device("decode-luma", "an image is decoded to its exact luma"),
        device(
            "decode-rgb",
            "an image is decoded to colours that are off by one at most",
        ),
        device(
            "decode-rgb-420",
            "an image with colour of half the size is decoded to colours that are off by one at most",
        ),
        device("truncated", "an image that is cut off is refused"),
    ],
};

pub(super) const NCCL: LibraryCard = LibraryCard {
    stem: "libnccl",
    sonames: &["libnccl.so.2"],
    tests: &[
        device(
            "all-reduce",
            "the sum over one device is its operand, in i32 and f32",
        ),
        device(
            "scaled-sum",
            "a sum whose operands are multiplied before it, which takes a kernel, is exact",
        ),
        device(
            "reduce-scatter",
            "the only part of the sum over one device is its operand",
        ),
        device("all-gather", "what one device gathers is its operand"),
        device("broadcast", "what one device sends to itself arrives"),
        device(
            "all-reduce-all",
            "the sum over all devices is exact on each of them, in i32 and f32",
        ),
    ],
};

pub(super) const CUPTI: LibraryCard = LibraryCard {
    stem: "libcupti",
    sonames: &["libcupti.so.11.*", "libcupti.so.12", "libcupti.so.13"],
    tests: &[device(
        "kernel-record",
        "the launch of a kernel is recorded with its shape and its times",
    )],
};

const fn host(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Nothing,
    }
}

const fn device(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Device,
    }
}
