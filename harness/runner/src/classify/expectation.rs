//! Compares an outcome with the failure that a suite expects.

use cudacheck_model::cuda;
use cudacheck_model::facts::Device;
use cudacheck_model::outcome::{Finding, MachineFault, Outcome, Problem};
use cudacheck_model::suite::ExpectedFailure;

use super::Examines;
use crate::plan::within;

/// The outcome in the light of what the suite expects on this device.
///
/// A machine that could not judge has not failed as expected: such faults stay faults.
pub(crate) fn expect(
    outcome: Outcome,
    examines: Examines,
    expected: Option<&ExpectedFailure>,
    device: Option<&Device>,
) -> Outcome {
    let Some(expected) = expected.filter(|expected| concerns(expected, device)) else {
        return outcome;
    };
    let because = expected.because.clone();
    match outcome {
        Outcome::Pass => Outcome::UnexpectedPass { because },
        Outcome::Fail(finding) => Outcome::ExpectedFail { finding, because },
        Outcome::Fault(finding) if attention(&finding, device).is_some() => Outcome::Fault(finding),
        Outcome::Fault(finding) => match (examines, &finding.problem) {
            (
                Examines::Machine,
                Problem::WrongResult
                | Problem::ReducedPrecision
                | Problem::NeverWritten
                | Problem::StrayWrite
                | Problem::InputChanged
                | Problem::CudaError(_)
                | Problem::Signal(_)
                | Problem::Timeout(_),
            ) => Outcome::ExpectedFail { finding, because },
            (Examines::Package, _)
            | (
                Examines::Machine,
                Problem::NotRepeatable
                | Problem::ExitCode(_)
                | Problem::MemoryLimit
                | Problem::NoResult
                | Problem::Flaw(_)
                | Problem::Unloadable
                | Problem::LibraryError(..)
                | Problem::VersionSkew
                | Problem::ForeignLibrary
                | Problem::Uncovered
                | Problem::ResultsFailed { .. }
                | Problem::ResultsIncomplete
                | Problem::NothingTested
                | Problem::NotStarted
                | Problem::Incompatible(_)
                | Problem::Machine(_),
            ) => Outcome::Fault(finding),
        },
        Outcome::Skip(_) | Outcome::ExpectedFail { .. } | Outcome::UnexpectedPass { .. } => outcome,
    }
}

/// The fault for which a person must look at the device before it is used again, if this is one.
pub(crate) fn attention(finding: &Finding, device: Option<&Device>) -> Option<MachineFault> {
    match &finding.problem {
        Problem::Machine(fault) => fault.needs_attention().then(|| fault.clone()),
        Problem::CudaError(code) => {
            let known = cuda::find(*code).filter(|error| error.needs_attention)?;
            Some(MachineFault::DeviceUnfit {
                device: device.map_or_else(|| "of the check".to_owned(), Device::key),
                reason: format!("{} ({}, {code})", known.cause, known.name),
            })
        }
        Problem::WrongResult
        | Problem::ReducedPrecision
        | Problem::NeverWritten
        | Problem::StrayWrite
        | Problem::InputChanged
        | Problem::NotRepeatable
        | Problem::ExitCode(_)
        | Problem::Signal(_)
        | Problem::Timeout(_)
        | Problem::MemoryLimit
        | Problem::Flaw(_)
        | Problem::Unloadable
        | Problem::LibraryError(..)
        | Problem::VersionSkew
        | Problem::ForeignLibrary
        | Problem::Uncovered
        | Problem::ResultsFailed { .. }
        | Problem::ResultsIncomplete
        | Problem::NothingTested
        | Problem::NotStarted
        | Problem::Incompatible(_)
        | Problem::NoResult => None,
    }
}

fn concerns(expected: &ExpectedFailure, device: Option<&Device>) -> bool {
    match (&expected.compute_capability, device) {
        (None, _) => true,
        (Some(bounds), Some(device)) => within(bounds, device.compute_capability),
        (Some(_), None) => false,
    }
}
