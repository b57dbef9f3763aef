//! cuBLAS and cuBLASLt.

use super::{LibraryCard, LibraryTest, TestNeeds};

/// A test on a device.
const fn device(name: &'static str, summary: &'static str) -> LibraryTest {
    LibraryTest {
        name,
        summary,
        needs: TestNeeds::Device,
    }
}

pub(super) const CUBLAS: LibraryCard = LibraryCard {
    stem: "libcublas",
    sonames: &["libcublas.so.11", "libcublas.so.12", "libcublas.so.13"],
    tests: &[
        device(
            "gemm-f32",
            "products in single precision are exact, with all transpositions and odd sizes",
        ),
        device(
            "gemm-f32-pedantic",
            "products in the pedantic mode are exact",
        ),
        device("gemm-f32-tiles", "a product of many tiles is exact"),
        device(
            "gemm-f32-precision",
            "TF32 is not used for single precision unless it is asked for",
        ),
        device(
            "gemm-f32-tf32",
            "TF32 that is asked for loses no more than TF32 does",
        ),
        device(
            "gemm-f32-real",
            "products of real numbers in single precision are within rounding",
        ),
        device("gemm-f64", "products in double precision are exact"),
        device(
            "gemm-f64-real",
            "products of real numbers in double precision are within rounding",
        ),
        device("gemm-f16", "products in half precision are exact"),
        device(
            "gemm-f16-f32",
            "products of half precision are summed in single precision",
        ),
        device(
            "gemm-bf16",
            "products of bfloat16 are summed in single precision and rounded once",
        ),
        device("gemm-s8", "products of bytes are exact"),
        device(
            "gemm-strided-batched",
            "products at equal distances are exact, and nothing between them is written",
        ),
        device("gemm-batched", "products by arrays of pointers are exact"),
        device(
            "trsm",
            "triangular systems are solved exactly, on both sides",
        ),
        device("dot", "dot products are exact, with steps"),
        device(
            "workspace",
            "memory that the caller lends is used, and nothing around it",
        ),
    ],
};

pub(super) const CUBLAS_LT: LibraryCard = LibraryCard {
    stem: "libcublasLt",
    sonames: &[
        "libcublasLt.so.11",
        "libcublasLt.so.12",
        "libcublasLt.so.13",
    ],
    tests: &[
        device(
            "matmul-f32",
            "products in single precision are exact with every algorithm on offer",
        ),
        device(
            "matmul-f32-precision",
            "TF32 is not used for single precision unless it is asked for",
        ),
        device("matmul-f64", "products in double precision are exact"),
        device(
            "matmul-f16",
            "products of half precision are summed in single precision and rounded once",
        ),
        device(
            "matmul-bf16",
            "products of bfloat16 are summed in single precision and rounded once",
        ),
        device("matmul-s8", "products of bytes are exact"),
        device("matmul-bias", "a bias is added to each row"),
        device(
            "matmul-relu-bias",
            "a bias is added to each row, and negative results become zero",
        ),
        device(
            "matmul-strided-batched",
            "products at equal distances are exact, and nothing between them is written",
        ),
        device(
            "matmul-without-workspace",
            "algorithms that are offered for no workspace need none",
        ),
    ],
};
