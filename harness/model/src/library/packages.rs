//! Libraries that are packages of their own: cuTENSOR, cuDSS, TensorRT, MAGMA, OpenCV.

use super::{LibraryCard, LibraryTest, TestNeeds};

pub(super) const CUTENSOR: LibraryCard = LibraryCard {
    stem: "libcutensor",
    sonames: &["libcutensor.so.2"],
    tests: &[
        on_device(
            "contraction-f32",
            "a contraction over two modes in f32, with operands that TF32 would round, exactly",
        ),
        on_device(
            "contraction-f32-jit",
            "the same contraction, for which cuTENSOR may compile a kernel by NVRTC, exactly",
        ),
        on_device(
            "contraction-f32-real",
            "a contraction of real numbers in f32 within the bound of its rounding errors",
        ),
        on_device(
            "contraction-f64",
            "a contraction over two modes in f64, exactly",
        ),
        on_device(
            "contraction-f16",
            "a contraction of f16 operands with sums in f32, exactly",
        ),
        on_device(
            "permutation-f32",
            "a scaled transposition of three modes in f32, exactly",
        ),
        on_device(
            "permutation-f16",
            "a transposition of three modes in f16, bit by bit",
        ),
        on_device(
            "reduction-sum-f32",
            "sums over two of four modes in f32, added to a scaled tensor, exactly",
        ),
        on_device(
            "reduction-max-f64",
            "the largest elements over one mode in f64",
        ),
        on_device(
            "elementwise-f32",
            "the sum of a transposed and a scaled tensor in f32, exactly",
        ),
        on_device(
            "elementwise-trinary-f32",
            "the larger of two scaled tensors, times a third, in f32, exactly",
        ),
    ],
};

pub(super) const CUDSS: LibraryCard = LibraryCard {
    stem: "libcudss",
    sonames: &["libcudss.so.0", "libcudss.so.1"],
    tests: &[
        on_device(
            "lu-f64-exact",
            "1000 equations in f64 whose factors and solution are integers, exactly",
        ),
        on_device(
            "lu-f32-exact",
            "1000 equations in f32 whose factors and solution are integers, exactly",
        ),
        on_device(
            "lu-f64",
            "1000 tridiagonal equations in f64, each with a residual within the bound of its rounding errors",
        ),
        on_device(
            "cholesky-f64",
            "1000 positive definite tridiagonal equations in f64, of which one half is given",
        ),
    ],
};

pub(super) const TENSORRT: LibraryCard = LibraryCard {
    stem: "libnvinfer",
    // The functions that are called are plain C and the same in all; the last is of headers only, so far.
    sonames: &["libnvinfer.so.8", "libnvinfer.so.10", "libnvinfer.so.11"],
    tests: &[on_host(
        "builder-resource",
        "the kernels of the builder lie beside the library, are of its version, and can be opened",
    )],
};

pub(super) const MAGMA: LibraryCard = LibraryCard {
    stem: "libmagma",
    sonames: &["libmagma.so", "libmagma.so.2"],
    tests: &[
        on_device(
            "dgemm-cublas",
            "a product in f64 by magma_dgemm, which calls cuBLAS, exactly",
        ),
        on_device(
            "magmablas-dgemm",
            "a product in f64 by MAGMA's own kernels, exactly",
        ),
        on_device(
            "magmablas-sgemm",
            "a product in f32 by MAGMA's own kernels, with operands that TF32 would round, exactly",
        ),
        on_device(
            "dgetrf-gpu",
            "an LU factorisation with row exchanges in f64, large enough to use the GPU, exactly",
        ),
        on_device(
            "dgetrs-gpu",
            "a solution from LU factors for three right-hand sides, exactly",
        ),
        on_device(
            "dpotrf-gpu",
            "a Cholesky factorisation in f64, large enough to use the GPU, exactly",
        ),
        on_device(
            "dgesv-gpu",
            "a real system of equations in f64, solved within the bound of MAGMA's own testers",
        ),
    ],
};

pub(super) const OPENCV: LibraryCard = LibraryCard {
    stem: "libopencv_core",
    // The functions that are called have kept their mangled names through all of OpenCV 4.
    sonames: &["libopencv_core.so.4*"],
    tests: &[
        on_host(
            "built-architectures",
            "it was built with CUDA, and tells for which architectures",
        ),
        on_device(
            "device-architecture",
            "it counts the device, and was built for its architecture",
        ),
    ],
};

const fn on_host(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Nothing,
    }
}

const fn on_device(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Device,
    }
}
