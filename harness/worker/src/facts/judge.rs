//! Decides what is wrong with a machine, from what driver and management library answered.

use cudacheck_model::fault::MachineFault;
use cudacheck_model::version::DriverVersion;

use super::nvml::{Answer, DRIVER_NOT_LOADED, GPU_IS_LOST, NOT_SUPPORTED, VERSION_MISMATCH};
use crate::driver::CudaStatus;

/// What there is to judge by.
pub(super) struct Signs<'a> {
    /// How many devices the driver offers, or how it failed.
    pub(super) cuda: Result<usize, MachineFault>,
    /// What the management library said.
    pub(super) nvml: &'a Answer,
    /// The kernel module's version.
    pub(super) module: Option<DriverVersion>,
    /// The version of the library by its file name.
    pub(super) library: Option<DriverVersion>,
    /// What kind of machine it is.
    pub(super) kind: Kind,
}

/// Machines differ in what their silence means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// NVIDIA's kernel module tells its version.
    Plain,
    /// The kernel's side is in Windows, or in a Jetson's own drivers.
    Other,
}

/// The faults, the most telling first.
pub(super) fn judge(signs: Signs<'_>) -> Vec<MachineFault> {
    let Signs {
        cuda,
        nvml,
        module,
        library,
        kind,
    } = signs;
    let refused = match nvml {
        Answer::Refused(code, text) => Some((*code, text)),
        Answer::Absent | Answer::Unusable(_) | Answer::Answered(_) => None,
    };
    let refusal = refused.map(|(code, _)| code);
    let status = match &cuda {
        Ok(0) => CudaStatus::NO_DEVICE,
        Ok(_) => CudaStatus::SUCCESS,
        Err(MachineFault::Cuda { code, .. }) => CudaStatus(*code),
        Err(_) => CudaStatus::UNKNOWN,
    };
    // Of these, older drivers return the first two where newer ones say what is the matter.
    let vague = matches!(status, CudaStatus::NO_DEVICE | CudaStatus::UNKNOWN);
    let differ = matches!((&module, &library), (Some(module), Some(library)) if module != library);
    if status == CudaStatus::SYSTEM_DRIVER_MISMATCH
        || refusal == Some(VERSION_MISMATCH)
        || (vague && differ)
    {
        return vec![MachineFault::DriverMismatch { module, library }];
    }
    let silent = kind == Kind::Plain && module.is_none() && !matches!(nvml, Answer::Answered(_));
    if vague && (refusal == Some(DRIVER_NOT_LOADED) || silent) {
        return vec![MachineFault::ModuleNotLoaded];
    }
    let mut faults = Vec::new();
    // It explains whatever the driver says of the device.
    if let Answer::Answered(answers) = nvml
        && let Some(text) = &answers.lost
    {
        faults.push(MachineFault::Nvml {
            function: "nvmlDeviceGetHandleByIndex_v2".to_owned(),
            code: GPU_IS_LOST,
            text: text.clone(),
        });
    }
    match cuda {
        Err(_) if status == CudaStatus::NO_DEVICE => faults.push(MachineFault::NoDevice),
        Err(fault) => faults.push(fault),
        Ok(0) => faults.push(MachineFault::NoDevice),
        Ok(_) => {}
    }
    if let Some((code, text)) = refused {
        // A Jetson's library may refuse everything, and the device still works.
        let tolerable = kind == Kind::Other && matches!(code, NOT_SUPPORTED | DRIVER_NOT_LOADED);
        if !tolerable {
            faults.push(MachineFault::Nvml {
                function: "nvmlInit_v2".to_owned(),
                code,
                text: text.clone(),
            });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::nvml::Answers;

    fn cuda(code: i32) -> Result<usize, MachineFault> {
        Err(MachineFault::Cuda {
            function: "cuInit".to_owned(),
            code,
            name: String::new(),
            text: String::new(),
        })
    }

    fn refused(code: u32) -> Answer {
        Answer::Refused(code, "words".to_owned())
    }

    #[track_caller]
    fn check(
        cuda: Result<usize, MachineFault>,
        nvml: &Answer,
        (module, library): (&str, &str),
        kind: Kind,
        expected: &[&str],
    ) {
        let faults = judge(Signs {
            cuda,
            nvml,
            module: module.parse().ok(),
            library: library.parse().ok(),
            kind,
        });
        let words: Vec<&str> = faults.iter().map(MachineFault::word).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn each_pair_of_answers_has_its_faults() {
        let works = Answer::Answered(Answers::default());
        let same = ("580.95.05", "580.95.05");
        let plain = Kind::Plain;
        check(Ok(2), &works, same, plain, &[]);
        check(Ok(0), &works, same, plain, &["no-device"]);
        check(cuda(100), &works, same, plain, &["no-device"]);
        let lost = Answer::Answered(Answers {
            lost: Some("words".to_owned()),
            ..Answers::default()
        });
        check(Ok(1), &lost, same, plain, &["nvml"]);
        check(cuda(999), &lost, same, plain, &["nvml", "cuda-error"]);
        check(
            cuda(100),
            &refused(9),
            ("", "535.1"),
            plain,
            &["driver-not-loaded"],
        );
        check(
            cuda(999),
            &refused(9),
            ("", "390.157"),
            plain,
            &["driver-not-loaded"],
        );
        check(
            cuda(100),
            &Answer::Absent,
            ("", ""),
            plain,
            &["driver-not-loaded"],
        );
        check(
            cuda(100),
            &Answer::Absent,
            ("", ""),
            Kind::Other,
            &["no-device"],
        );
        check(
            cuda(803),
            &refused(18),
            ("580.1", ""),
            plain,
            &["driver-mismatch"],
        );
        check(Ok(1), &refused(18), same, plain, &["driver-mismatch"]);
        check(
            cuda(999),
            &works,
            ("570.1", "580.1"),
            plain,
            &["driver-mismatch"],
        );
        check(
            cuda(804),
            &works,
            ("570.1", "580.1"),
            plain,
            &["cuda-error"],
        );
        check(Ok(1), &works, ("570.1", "580.1"), plain, &[]);
        check(cuda(304), &works, same, plain, &["cuda-error"]);
        check(
            cuda(999),
            &refused(15),
            same,
            plain,
            &["cuda-error", "nvml"],
        );
        check(Ok(1), &refused(3), ("36.1", ""), Kind::Other, &[]);
        check(Ok(1), &refused(9), same, plain, &["nvml"]);
        check(Ok(1), &Answer::Absent, ("35.4.1", ""), Kind::Other, &[]);
    }
}
