//! The mathematical libraries of the toolkit beside cuBLAS: cuFFT, cuRAND, cuSOLVER, cuSPARSE.

use super::{LibraryCard, LibraryTest, TestNeeds};

pub(super) const CUFFT: LibraryCard = LibraryCard {
    stem: "libcufft",
    sonames: &["libcufft.so.10", "libcufft.so.11", "libcufft.so.12"],
    tests: &[
        on_device(
            "c2c-radix-2",
            "1024 complex numbers in f32: an impulse exactly, a signal against an f64 transform, and back",
        ),
        on_device(
            "c2c-mixed",
            "1000 complex numbers in f32, a length with factors 2 and 5",
        ),
        on_device(
            "c2c-prime",
            "1009 complex numbers in f32, a prime length that goes through a convolution",
        ),
        on_device("c2c-2d", "64 by 48 complex numbers in f32"),
        on_device(
            "c2c-batch",
            "8 transforms of 240 complex numbers in f32 with gaps between them, which stay untouched",
        ),
        on_device(
            "c2c-long",
            "65536 complex numbers in f32, more than one kernel holds: an impulse exactly, sampled bins, Parseval's sum",
        ),
        on_device(
            "r2c-c2r",
            "1000 real numbers in f32 to half a spectrum, and back",
        ),
        on_device(
            "z2z",
            "1024 complex numbers in f64: an impulse exactly, a signal against an f64 transform, and back",
        ),
    ],
};

pub(super) const CURAND: LibraryCard = LibraryCard {
    stem: "libcurand",
    sonames: &["libcurand.so.10"],
    tests: &[
        on_host(
            "host-philox",
            "the words of Philox 4x32-10 on the host are the known ones, from any offset, in three orderings",
        ),
        on_host(
            "host-xorwow",
            "the words of XORWOW on the host are the known ones, from any offset",
        ),
        on_host(
            "host-uniform",
            "uniform numbers on the host are the words of Philox, scaled, to the last bit",
        ),
        on_host(
            "host-normal",
            "normal numbers on the host are pairs of words of Philox after Box and Muller",
        ),
        on_device(
            "philox",
            "262145 words of Philox 4x32-10 on the device are the known ones",
        ),
        on_device(
            "xorwow",
            "262145 words of XORWOW on the device are the known ones",
        ),
        on_device(
            "offsets",
            "words on the device begin where the offset says, and a second call goes on where the first ended",
        ),
        on_device(
            "uniform",
            "uniform numbers on the device are the words of Philox, scaled, to the last bit",
        ),
        on_device(
            "normal",
            "normal numbers on the device are pairs of words of Philox after Box and Muller",
        ),
        on_device(
            "device-equals-host",
            "MRG32k3a gives the same words on the device and on the host",
        ),
        on_device(
            "moments",
            "bits, mean, and variance of MRG32k3a on the device are within 7 standard deviations",
        ),
    ],
};

pub(super) const CUSOLVER: LibraryCard = LibraryCard {
    stem: "libcusolver",
    sonames: &["libcusolver.so.11", "libcusolver.so.12"],
    tests: &[
        on_device(
            "lu-f64",
            "a matrix of 200 by 200 integers is factored exactly, and systems with it and its transpose are solved exactly",
        ),
        on_device("lu-f32", "the same in f32"),
        on_device(
            "lu-64-bit",
            "the same through the functions with 64-bit sizes and pivots",
        ),
        on_device(
            "lu-real-f64",
            "the factors of a real matrix of 200 by 200 multiply to it within rounding",
        ),
        on_device(
            "lu-real-f32",
            "the factors of a real matrix of 96 by 96 in f32 multiply to it within rounding, which TF32 exceeds",
        ),
        on_device(
            "cholesky-f64",
            "both triangles of an integer L times its transpose are factored exactly, and a system is solved",
        ),
        on_device("cholesky-f32", "the same in f32"),
        on_device(
            "info",
            "a singular and an indefinite matrix are reported by the number of their column",
        ),
    ],
};

pub(super) const CUSPARSE: LibraryCard = LibraryCard {
    stem: "libcusparse",
    sonames: &["libcusparse.so.11", "libcusparse.so.12"],
    tests: &[
        on_device(
            "spmv-csr",
            "matrix times vector, rows compressed, in f32 with integers, some rows empty, by three algorithms",
        ),
        on_device("spmv-csr-f64", "the same in f64"),
        on_device("spmv-csr-transposed", "the transposed matrix times vector"),
        on_device(
            "spmv-csr-base-one",
            "matrix times vector with indices that begin at one",
        ),
        on_device(
            "spmv-coo",
            "matrix times vector, every element with its row and column",
        ),
        on_device(
            "spmv-csr-real",
            "matrix times vector in f32 with real numbers, within rounding, which TF32 exceeds",
        ),
        on_device(
            "spmm-csr",
            "matrix times dense columns that lie apart, rows compressed, in f32 with integers",
        ),
        on_device(
            "spmm-csr-transposed",
            "the transposed matrix times the transpose of dense columns",
        ),
        on_device("spmm-csr-rows", "matrix times dense rows that lie apart"),
        on_device(
            "spmm-coo",
            "matrix times dense columns, every element with its row and column",
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
