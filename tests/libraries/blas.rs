//! cuBLAS and cuBLASLt.

use super::{Subject, detect, stand_in};
use crate::support::{cudacheck, words};

const CUBLAS: Subject = Subject {
    suite: "cublas",
    sonames: &["libcublas.so.12"],
    faults: &[
        // Found by one case each.
        "cublas-version-older",
        "cublas-of-another-release",
        "cublas-conjugate-negated",
        "cublas-pedantic-beta-ignored",
        "cublas-tile-unwritten",
        "cublas-gemmex-tf32",
        "cublas-tf32-override-misread",
        "cublas-tf32-as-bf16",
        "cublas-fractions-lost",
        "cublas-dgemm-beta-ignored",
        "cublas-dgemm-fractions-lost",
        "cublas-hgemm-beta-ignored",
        "cublas-f16-summed-in-f16",
        "cublas-bf16-cut",
        "cublas-s8-saturates",
        "cublas-stride-ignored",
        "cublas-batch-first-only",
        "cublas-trsm-diagonal-read",
        "cublas-dot-step-ignored",
        "cublas-workspace-overrun",
        // Found by many.
        "cublas-tf32",
        "cublas-bit-12",
        "cublas-silent",
        "cublas-not-supported",
        "cublas-operand-overwritten",
        "cublas-padding-written",
        "cublas-out-of-bounds",
        "cublas-handle-refused",
        "cublas-no-machine-code,cublas-no-ptx",
    ],
};

const CUBLAS_LT: Subject = Subject {
    suite: "cublaslt",
    sonames: &["libcublasLt.so.12"],
    faults: &[
        // Found by one case each.
        "cublaslt-version-major",
        "cublaslt-version-patch",
        "cublaslt-fourth-algorithm-ignores-beta",
        "cublaslt-tf32",
        "cublaslt-f64-as-f32",
        "cublaslt-f16-cut",
        "cublaslt-bf16-cut",
        "cublaslt-s8-saturates",
        "cublaslt-bias-shifted",
        "cublaslt-relu-left-out",
        "cublaslt-stride-ignored",
        "cublaslt-preference-ignored",
        // Found by many.
        "cublaslt-fifth-algorithm-bit-3",
        "cublaslt-silent",
        "cublaslt-no-algorithm",
        "cublaslt-workspace-overrun",
        "cublaslt-c-overwritten",
        "cublaslt-operand-overwritten",
        "cublaslt-handle-refused",
        "cublaslt-no-machine-code,cublaslt-no-ptx",
    ],
};

#[test]
fn every_fault_of_cublas_is_found() {
    insta::assert_snapshot!(detect(&CUBLAS));
}

#[test]
fn every_fault_of_cublaslt_is_found() {
    insta::assert_snapshot!(detect(&CUBLAS_LT));
}

/// What becomes of the products of bfloat16 on a machine whose library refuses them.
#[track_caller]
fn refused(profile: &str, expected: &str) {
    let package = stand_in::package(CUBLAS.sonames);
    let path = package.path().to_str().unwrap();
    let fault = "CUDACHECK_STAND_IN=cublas-bf16-refused";
    let mut arguments = vec!["run", "cublas", "--case", "gemm-bf16", "--seed", "7"];
    arguments.extend(["--simulate", profile, "--package", path, "--env", fault]);
    let ran = cudacheck(arguments);
    let outcomes: Vec<String> = ran
        .finished()
        .iter()
        .map(|case| words(&case.outcome))
        .collect();
    assert_eq!(outcomes, [expected], "{}", ran.stderr);
}

#[test]
fn what_a_device_has_no_arithmetic_for_is_skipped() {
    refused("gtx-1080", "skip not-supported");
    refused("h100", "fail library-error at compute");
}
