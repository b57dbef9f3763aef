//! cuFFT, cuRAND, cuSOLVER, and cuSPARSE.

use super::{Subject, detect};

#[test]
fn every_fault_of_cufft_is_found() {
    let found = detect(&Subject {
        suite: "cufft",
        sonames: &["libcufft.so.11"],
        faults: &[
            "cufft-version",
            "cufft-no-linker",
            "cufft-silent",
            "cufft-always-forward",
            "cufft-input-overwritten",
            "cufft-one-too-many",
            "cufft-radix-2-bit",
            "cufft-radix-5-bit",
            "cufft-chirp",
            "cufft-rows-for-columns",
            "cufft-distance-ignored",
            "cufft-last-of-batch-unwritten",
            "cufft-gap-written",
            "cufft-second-kernel-unwritten",
            "cufft-last-bin-unwritten",
            "cufft-double-in-single",
            "cufft-no-machine-code,cufft-no-ptx",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_curand_is_found() {
    let found = detect(&Subject {
        suite: "curand",
        sonames: &["libcurand.so.10"],
        faults: &[
            "curand-version",
            "curand-launch-failure",
            "curand-silent",
            "curand-one-too-many",
            "curand-host-philox-round",
            "curand-host-xorwow-counter",
            "curand-host-uniform-from-zero",
            "curand-host-normal-exchanged",
            "curand-philox-second-turn",
            "curand-xorwow-streams",
            "curand-offset-ignored",
            "curand-uniform-from-zero",
            "curand-normal-exchanged",
            "curand-mrg-late",
            "curand-mrg-stuck-bit",
            "curand-no-machine-code,curand-no-ptx",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_cusolver_is_found() {
    let found = detect(&Subject {
        suite: "cusolver",
        sonames: &["libcusolver.so.11"],
        faults: &[
            "cusolver-version",
            "cusolver-no-cublas",
            "cusolver-execution-failed",
            "cusolver-silent",
            "cusolver-factor-bit",
            "cusolver-no-exchanges",
            "cusolver-gap-written",
            "cusolver-factors-overwritten",
            "cusolver-dgetrs-transpose-ignored",
            "cusolver-sgetrs-transpose-ignored",
            "cusolver-narrow-pivots",
            "cusolver-double-in-single",
            "cusolver-tf32",
            "cusolver-dpotrf-upper-ignored",
            "cusolver-spotrf-upper-ignored",
            "cusolver-info-zero",
            "cusolver-no-machine-code,cusolver-no-ptx",
        ],
    });
    insta::assert_snapshot!(found);
}

#[test]
fn every_fault_of_cusparse_is_found() {
    let found = detect(&Subject {
        suite: "cusparse",
        sonames: &["libcusparse.so.12"],
        faults: &[
            "cusparse-version",
            "cusparse-not-initialized",
            "cusparse-execution-failed",
            "cusparse-silent",
            "cusparse-beta-ignored",
            "cusparse-operand-overwritten",
            "cusparse-one-too-many",
            "cusparse-second-algorithm-bit",
            "cusparse-double-in-single",
            "cusparse-lost-additions",
            "cusparse-base-ignored",
            "cusparse-vector-tail-unwritten",
            "cusparse-tf32",
            "cusparse-gap-written",
            "cusparse-transpose-of-b-ignored",
            "cusparse-row-gaps-ignored",
            "cusparse-matrix-tail-unwritten",
            "cusparse-no-machine-code,cusparse-no-ptx",
        ],
    });
    insta::assert_snapshot!(found);
}
