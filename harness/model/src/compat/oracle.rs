//! What to ask the files of a machine's driver about a package.

use super::judge;
use super::machine::Machine;
use super::package::Package;
use crate::oracle::JitQuestion;

/// For each GPU the PTX that the driver would compile for it, if its version is known; each once.
pub fn questions(package: &Package, machine: &Machine) -> Vec<JitQuestion> {
    let mut questions = Vec::new();
    for gpu in &machine.gpus {
        let question = judge::jit_question(package, gpu);
        questions.extend(question.filter(|question| !questions.contains(question)));
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::{Bound, Code, DeviceAnswer, Prospect, Rule, ask_one, find_gpu};
    use crate::oracle::{CompilerStatus, JitAnswer, JitVerdict, OracleAnswer};

    fn package(code: &[&str], toolkit: &str) -> Package {
        let package = Package::of_toolkit(toolkit.parse().unwrap());
        let code = code.iter().map(|word| {
            let target = word.replace("compute_", "sm_").parse().unwrap();
            match word.starts_with("compute_") {
                true => Code::Ptx(target, None),
                false => Code::Machine(target),
            }
        });
        let code: Vec<Code> = code.collect();
        if code.is_empty() {
            package
        } else {
            package.with_code(code)
        }
    }

    fn machine(driver: &str, gpus: &[&str]) -> Machine {
        Machine {
            driver: Some(driver.parse().unwrap()),
            gpus: gpus.iter().map(|name| find_gpu(name).unwrap()).collect(),
            ..Machine::default()
        }
    }

    #[track_caller]
    fn check_questions(code: &[&str], toolkit: &str, gpus: &[&str], expected: &[&str]) {
        let asked = questions(&package(code, toolkit), &machine("550.54.15", gpus));
        let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
        assert_eq!(asked, expected);
    }

    #[test]
    fn each_gpu_is_asked_about_the_ptx_that_it_would_get() {
        let four = "PTX 8.4 for compute_80 on sm_89";
        check_questions(&["sm_80", "compute_80"], "12.4", &["sm_89"], &[four]);
        check_questions(&["compute_80"], "12.4", &["sm_89", "RTX 4090"], &[four]);
        check_questions(&["compute_80"], "12.4", &["sm_75"], &[]);
        check_questions(&["sm_80"], "12.4", &["sm_89"], &[]);
        check_questions(
            &[],
            "12.4",
            &["sm_89"],
            &["PTX 8.4 for compute_89 on sm_89"],
        );
        let unknown = Package {
            toolkit: Bound::UNKNOWN,
            ..package(&["compute_80"], "12.4")
        };
        assert_eq!(questions(&unknown, &machine("550.54.15", &["sm_89"])), []);
    }

    fn refused(status: i32, log: &str) -> JitVerdict {
        JitVerdict::Refused {
            status: CompilerStatus(status),
            log: log.to_owned(),
        }
    }

    fn told(code: &[&str], toolkit: &str, driver: &str, verdict: JitVerdict) -> DeviceAnswer {
        let package = package(code, toolkit);
        let mut machine = machine(driver, &["sm_89"]);
        let question = questions(&package, &machine)[0];
        machine.oracle = Some(OracleAnswer {
            jit: vec![JitAnswer { question, verdict }],
            ..OracleAnswer::default()
        });
        ask_one(&package, &machine, machine.gpus.first())
    }

    #[track_caller]
    fn check(answer: &DeviceAnswer, prospect: Prospect, error: Option<u32>, text: &str) {
        let step = answer
            .steps
            .iter()
            .find(|step| step.rule == Rule::OracleJit);
        let step = step.unwrap();
        assert_eq!(step.text, text);
        assert_eq!(answer.prospect, prospect);
        assert_eq!(answer.error.map(|error| error.code), error);
    }

    #[test]
    fn the_compiler_counts_more_than_the_tables() {
        let new = "ptxas fatal : Unsupported .version 8.4; current version is '8.2'";
        let ptx: &[&str] = &["compute_80"];
        check(
            &told(ptx, "12.4", "550.54.15", JitVerdict::Accepted),
            Prospect::RunsJit,
            None,
            "there is no machine code for sm_89, but the driver's own compiler compiles PTX 8.4 for compute_80 on sm_89",
        );
        check(
            &told(ptx, "12.4", "535.183.01", JitVerdict::Accepted),
            Prospect::RunsJit,
            None,
            "there is no machine code for sm_89, but the driver's own compiler compiles PTX 8.4 for compute_80 on sm_89; the tables say that it refuses it, and the compiler counts",
        );
        let answer = told(ptx, "12.4", "535.183.01", refused(7, new));
        check(
            &answer,
            Prospect::Fails,
            Some(222),
            &format!(
                "there is no machine code for sm_89, and the driver's own compiler refuses PTX 8.4 for compute_80 on sm_89 with NVPTXCOMPILE_ERROR_UNSUPPORTED_PTX_VERSION (7): {new}"
            ),
        );
        assert!(!answer.remedies.is_empty());
        check(
            &told(ptx, "12.4", "550.54.15", refused(3, "no such GPU")),
            Prospect::Fails,
            None,
            "there is no machine code for sm_89, and the driver's own compiler refuses PTX 8.4 for compute_80 on sm_89 with NVPTXCOMPILE_ERROR_COMPILATION_FAILURE (3): no such GPU; the tables say that it compiles it, and the compiler counts",
        );
        let ended = JitVerdict::Ended {
            how: "ended with SIGSEGV".to_owned(),
        };
        check(
            &told(ptx, "12.4", "550.54.15", ended),
            Prospect::Fails,
            None,
            "there is no machine code for sm_89, and the driver's own compiler ended with SIGSEGV over PTX 8.4 for compute_80 on sm_89; the tables say that it compiles it, and the compiler counts",
        );
    }

    #[test]
    fn machine_code_runs_whatever_the_compiler_says() {
        check(
            &told(
                &["sm_89", "compute_89"],
                "12.4",
                "550.54.15",
                refused(7, "too new"),
            ),
            Prospect::Runs,
            None,
            "the driver's own compiler refuses PTX 8.4 for compute_89 on sm_89 with NVPTXCOMPILE_ERROR_UNSUPPORTED_PTX_VERSION (7): too new; the tables say that it compiles it, and the compiler counts",
        );
    }

    #[track_caller]
    fn check_version(driver: &str, cuda: &str, expected: &str) {
        let mut machine = machine(driver, &["sm_89"]);
        machine.oracle = Some(OracleAnswer {
            cuda: Some(cuda.parse().unwrap()),
            ..OracleAnswer::default()
        });
        let answer = ask_one(&package(&["sm_89"], "12.4"), &machine, machine.gpus.first());
        let step = answer
            .steps
            .iter()
            .find(|step| step.rule == Rule::OracleDriver);
        assert_eq!(step.unwrap().text, expected);
    }

    #[test]
    fn the_driver_knows_its_own_version() {
        check_version(
            "550.54.15",
            "12.4",
            "`cuDriverGetVersion` answers that the driver supports CUDA 12.4, as the tables say",
        );
        check_version(
            "550.54.15",
            "12.5",
            "`cuDriverGetVersion` answers that the driver supports CUDA 12.5; the tables say 12.4, and the driver counts",
        );
    }
}
