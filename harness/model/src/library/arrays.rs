//! The mathematical libraries of the toolkit beside cuBLAS: cuFFT, cuRAND, cuSOLVER, cuSPARSE.

use super::LibraryCard;

pub(super) const CUFFT: LibraryCard = LibraryCard {
    stem: "libcufft",
    sonames: &["libcufft.so.10", "libcufft.so.11", "libcufft.so.12"],
    tests: &[],
};

pub(super) const CURAND: LibraryCard = LibraryCard {
    stem: "libcurand",
    sonames: &["libcurand.so.10"],
    tests: &[],
};

pub(super) const CUSOLVER: LibraryCard = LibraryCard {
    stem: "libcusolver",
    sonames: &["libcusolver.so.11", "libcusolver.so.12"],
    tests: &[],
};

pub(super) const CUSPARSE: LibraryCard = LibraryCard {
    stem: "libcusparse",
    sonames: &["libcusparse.so.11", "libcusparse.so.12"],
    tests: &[],
};
