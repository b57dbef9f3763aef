//! A compiler that crashes answers one question by it, and the others are answered all the same.

use cudacheck_model::oracle::{JitQuestion, JitVerdict};
use cudacheck_model::task::{DriverFiles, OracleWork};

use crate::setup::Setup;

/// The stand-in crashes at PTX 9.0, exits at 9.1, is not asked about 9.2, and accepts everything else.
#[track_caller]
fn check(isas: &[&str], expected: &[&str]) {
    let question = |isa: &&str| JitQuestion {
        isa: isa.parse().unwrap(),
        target: "sm_80".parse().unwrap(),
        device: "8.6".parse().unwrap(),
    };
    let work = OracleWork {
        compiler: Some("/compiler".into()),
        questions: isas.iter().map(question).collect(),
        ..OracleWork::default()
    };
    let setup = Setup::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(cudacheck_runner::oracle(
        &setup.config,
        work,
        DriverFiles::default(),
    ));
    let mut told: Vec<String> = Vec::new();
    for answer in &answer.jit {
        let isa = answer.question.isa;
        told.push(match &answer.verdict {
            JitVerdict::Accepted => format!("{isa} accepted"),
            JitVerdict::Refused { status, .. } => format!("{isa} refused with {status}"),
            JitVerdict::Ended { how } => format!("{isa} {how}"),
        });
    }
    told.extend(answer.complaints);
    assert_eq!(told, expected);
}

#[test]
fn a_crash_is_the_answer_to_its_question_alone() {
    check(&[], &[]);
    check(&["8.0", "8.4"], &["8.0 accepted", "8.4 accepted"]);
    check(
        &["8.0", "9.0", "8.4", "9.1"],
        &[
            "8.0 accepted",
            "9.0 ended with SIGSEGV",
            "8.4 accepted",
            "9.1 ended with exit code 3",
        ],
    );
    check(
        &["9.2", "9.0", "8.4"],
        &[
            "9.0 ended with SIGSEGV",
            "8.4 accepted",
            "9.2 was not asked",
        ],
    );
}

#[test]
fn a_compiler_that_always_crashes_is_given_up() {
    let mut expected = vec!["9.0 ended with SIGSEGV"; 8];
    expected.push("the driver's compiler died 8 times and was not asked about 2 more");
    check(&["9.0"; 10], &expected);
}

/// The stand-in is a libcudart that answers, crashes, or cannot be loaded, by its name.
#[track_caller]
fn check_runtime(name: &str, answered: bool, complaints: &[&str]) {
    let question = JitQuestion {
        isa: "8.0".parse().unwrap(),
        target: "sm_80".parse().unwrap(),
        device: "8.6".parse().unwrap(),
    };
    let work = OracleWork {
        compiler: Some("/compiler".into()),
        questions: vec![question],
        runtime: Some(name.into()),
        ..OracleWork::default()
    };
    let setup = Setup::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let driver = DriverFiles::default();
    let oracle = cudacheck_runner::oracle(&setup.config, work, driver);
    let answer = runtime.block_on(oracle);
    assert_eq!(answer.complaints, complaints);
    assert_eq!(answer.runtime.is_some(), answered);
    // Whatever becomes of libcudart, the compiler's answer is not lost.
    assert_eq!(answer.jit.len(), 1);
}

#[test]
fn a_libcudart_that_crashes_costs_only_its_own_answer() {
    check_runtime("/libcudart.so.12", true, &[]);
    check_runtime(
        "/crashes/libcudart.so.12",
        false,
        &["the worker that asked the package's libcudart ended with SIGSEGV"],
    );
    check_runtime(
        "/complains/libcudart.so.12",
        false,
        &["it cannot be loaded"],
    );
}
