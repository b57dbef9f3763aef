//! cuBLAS and cuBLASLt.

use super::LibraryCard;

pub(super) const CUBLAS: LibraryCard = LibraryCard {
    stem: "libcublas",
    sonames: &["libcublas.so.11", "libcublas.so.12", "libcublas.so.13"],
    tests: &[],
};

pub(super) const CUBLAS_LT: LibraryCard = LibraryCard {
    stem: "libcublasLt",
    sonames: &[
        "libcublasLt.so.11",
        "libcublasLt.so.12",
        "libcublasLt.so.13",
    ],
    tests: &[],
};
