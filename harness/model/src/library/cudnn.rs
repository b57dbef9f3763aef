//! cuDNN 8 and 9.

use super::{LibraryCard, LibraryTest, TestNeeds};

pub(super) const CUDNN: LibraryCard = LibraryCard {
    stem: "libcudnn",
    sonames: &["libcudnn.so.8", "libcudnn.so.9"],
    tests: &[
        LibraryTest {
            name: "descriptors",
            summary: "what descriptors remember, and the shapes of results that the library derives from them",
            needs: TestNeeds::Nothing,
        },
        LibraryTest {
            name: "graph-planned",
            summary: "a kernel is compiled for a device that is not here, which needs NVRTC and a driver's libcuda",
            needs: TestNeeds::Nothing,
        },
        test(
            "handle",
            "two handles with different streams, and the newest capability that the library knows",
        ),
        test(
            "convolution-f32",
            "IMPLICIT_GEMM with odd extents, padding, and strides, without any tolerance",
        ),
        test(
            "convolution-f32-precomputed",
            "the same by IMPLICIT_PRECOMP_GEMM, which needs a workspace",
        ),
        test(
            "convolution-f32-dilated",
            "filters with unequal gaps between their rows and columns",
        ),
        test(
            "convolution-f32-grouped",
            "channels in three groups that do not mix",
        ),
        test(
            "convolution-f32-accumulated",
            "2 x∗w - 3 y, where y is not zero before",
        ),
        test(
            "convolution-f32-gapped",
            "tensors with gaps between rows, channels, and images, which stay untouched",
        ),
        test(
            "convolution-f32-strict",
            "real numbers to the bound of f32, which TF32 exceeds",
        ),
        test(
            "convolution-f16",
            "half precision on tensor cores, summed in f32, without any tolerance",
        ),
        test("convolution-f16-nhwc", "the same with channels last"),
        test(
            "convolution-bf16",
            "bfloat16 on tensor cores, summed in f32 and rounded once",
        ),
        test("convolution-bf16-nhwc", "the same with channels last"),
        test("softmax", "the channels of each pixel, which sum to one"),
        test(
            "batch-normalization",
            "inference with a mean, variance, scale, and bias for each channel",
        ),
        test(
            "pooling-max",
            "the greatest of negative numbers, in windows that reach over every edge",
        ),
        test(
            "pooling-average",
            "averages that count padding, and averages that do not",
        ),
        test(
            "relu",
            "the rectifier and the clipped one, on a tensor with gaps",
        ),
        test(
            "graph-convolution",
            "up to five engines that the heuristic A offers, each without any tolerance",
        ),
        test(
            "graph-convolution-fallback",
            "up to five engines that are offered where the best ones do not work",
        ),
        test(
            "graph-fused-runtime",
            "convolution, bias, rectifier, and scale in kernels that are compiled at run time, which needs NVRTC",
        ),
    ],
};

const fn test(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Device,
    }
}
