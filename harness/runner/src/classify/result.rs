//! Judges the result in a journal: a difference, an error of CUDA, a fault of the machine.

use cudacheck_model::catalogue::newest_ptx_isa;
use cudacheck_model::compat::{self, Gpu, Proof};
use cudacheck_model::cuda::{self, Blame};
use cudacheck_model::finding as flaw;
use cudacheck_model::journal::{CheckResult, MismatchKind, Record};
use cudacheck_model::outcome::{Cause, Class, Explained, Finding, MachineFault, Outcome, Problem};

use super::library::Call;
use super::{Culprit, Evidence, decide, explain};
use crate::ending::{Ending, signal_name};

/// Lines of a log that a report shows; the rest is in the case's directory.
pub(super) const LOG_LINES: usize = 40;

impl Evidence<'_> {
    /// What a result other than a pass or a skip means.
    pub(super) fn judge(&self, result: &CheckResult, ending: &Ending) -> Outcome {
        let mut outcome = match result {
            CheckResult::Pass => return Outcome::Pass,
            CheckResult::Skip { reason } => return Outcome::Skip(reason.clone()),
            CheckResult::Mismatch {
                kind,
                expected,
                found,
            } => self.mismatch(*kind, expected, found),
            CheckResult::Cuda {
                function,
                code,
                name,
                text,
                log,
            } => self.cuda(function, *code, name, text, log),
            CheckResult::Flaws(flaws) => self.flaws(flaws),
            CheckResult::Unloadable { library, reason } => self.unloadable(library, reason),
            CheckResult::Library {
                library,
                function,
                code,
                name,
                text,
                log,
                driver,
            } => self.library(
                &Call {
                    library: *library,
                    function,
                    code: *code,
                    name,
                    text,
                    log,
                },
                *driver,
            ),
            CheckResult::Skew { expected, found } => self.skew(expected, found),
            CheckResult::Strangers(strangers) => self.strangers(strangers),
            CheckResult::Machine(fault) => self.machine(fault, None),
        };
        if let (Some(note), Outcome::Fail(finding) | Outcome::Fault(finding)) =
            (afterwards(ending), &mut outcome)
        {
            finding.details.push(note);
        }
        outcome
    }

    /// Flaws in files are the package's own, on whatever machine they are read. The first is the worst.
    fn flaws(&self, flaws: &[flaw::Finding]) -> Outcome {
        let Some((worst, others)) = flaws.split_first() else {
            return Outcome::Pass;
        };
        let error = format!("{}: {}", worst.evidence.file.display(), worst.message);
        let mut finding = self.finding(
            Problem::Flaw(worst.code),
            "the package's files are without this flaw".to_owned(),
            error,
        );
        finding.class = worst.class;
        finding.cause = Cause::proven(worst.cause.clone());
        finding.remedy.clone_from(&worst.remedy);
        let others = others.iter();
        finding.details = others
            .map(|other| format!("{}: {}", other.evidence.file.display(), other.message))
            .collect();
        Outcome::Fail(Box::new(finding))
    }

    fn mismatch(&self, kind: MismatchKind, expected: &str, found: &str) -> Outcome {
        let problem = match kind {
            MismatchKind::WrongResult => Problem::WrongResult,
            MismatchKind::ReducedPrecision => Problem::ReducedPrecision,
            MismatchKind::NeverWritten => Problem::NeverWritten,
            MismatchKind::StrayWrite => Problem::StrayWrite,
            MismatchKind::InputChanged => Problem::InputChanged,
            MismatchKind::NotRepeatable => Problem::NotRepeatable,
        };
        let mut finding = self.finding(problem, expected.to_owned(), found.to_owned());
        finding.class = Class::Numerical;
        // A device that answers the same question in two ways cannot judge any package.
        let culprit = match kind {
            MismatchKind::NotRepeatable => Culprit::Machine,
            MismatchKind::WrongResult
            | MismatchKind::ReducedPrecision
            | MismatchKind::NeverWritten
            | MismatchKind::StrayWrite
            | MismatchKind::InputChanged => self.culprit(),
        };
        explain::mismatch(&mut finding, kind, culprit);
        decide(culprit, finding)
    }

    pub(super) fn cuda(
        &self,
        function: &str,
        code: i32,
        name: &str,
        text: &str,
        log: &str,
    ) -> Outcome {
        let known = cuda::find(code);
        let name = match name {
            "" => cuda::name(code).unwrap_or("unnamed"),
            name => name,
        };
        let text = if text.is_empty() { "failed" } else { text };
        let mut finding = self.finding(
            Problem::CudaError(code),
            format!("`{function}` succeeds"),
            format!("`{function}`: {text} ({name}, {code})"),
        );
        finding.class = class(code);
        finding.cause = known.map_or(Cause::Unknown, |error| self.cause(error));
        finding.remedy = known.map_or_else(
            || explain::UNKNOWN_CODE.to_owned(),
            |it| it.remedy.to_owned(),
        );
        if let Some(proof) = self.proof(code) {
            finding.cause = Cause::Proven(proof.cause);
            finding.remedy = proof.remedy;
        }
        let log = if log.is_empty() {
            self.jit_error()
        } else {
            log
        };
        finding
            .details
            .extend(log.lines().take(LOG_LINES).map(str::to_owned));
        let culprit = match known.map(|error| error.blame) {
            Some(Blame::Machine) => Culprit::Machine,
            Some(Blame::Code) | None => self.culprit(),
        };
        decide(culprit, finding)
    }

    /// What the entries of the package show about code that a driver refused.
    pub(super) fn proof(&self, code: i32) -> Option<Proof> {
        let (package, device) = (self.context.package?, self.context.device?);
        let gpu = Gpu::device(device.ordinal, &device.name, device.compute_capability);
        match code {
            209 => compat::of_no_code(package, &gpu),
            222 => compat::of_refused_ptx(package, &gpu, self.context.driver.cuda?),
            _ => None,
        }
    }

    /// The cause of a code, made definite by the facts where they prove it.
    fn cause(&self, error: &cuda::CudaError) -> Cause {
        let definite = match error.code {
            209 => self.context.device.map(|device| {
                let sm = device.compute_capability.sm();
                format!("{}; this device is {sm}", error.cause)
            }),
            222 => self.context.driver.cuda.and_then(|cuda| {
                let isa = newest_ptx_isa(cuda)?;
                Some(format!(
                    "{}: this driver supports CUDA {cuda} and so PTX ISA up to {isa}",
                    error.cause
                ))
            }),
            _ => None,
        };
        Cause::Proven(definite.unwrap_or_else(|| error.cause.to_owned()))
    }

    /// The last error log of the just-in-time compiler.
    fn jit_error(&self) -> &str {
        let mut records = self.entries.iter().rev().map(|entry| &entry.record);
        let log = records.find_map(|record| match record {
            Record::JitLog { error, .. } => Some(error.as_str()),
            Record::Stage(_)
            | Record::Note { .. }
            | Record::Mapped(_)
            | Record::Result(_)
            | Record::Facts(_)
            | Record::Oracle(_) => None,
        });
        log.unwrap_or_default()
    }

    /// A fault that explains itself, with another remedy if the place knows a better one.
    pub(super) fn machine(&self, fault: &MachineFault, remedy: Option<&str>) -> Outcome {
        let finding = Finding {
            problem: Problem::Machine(fault.clone()),
            class: Class::Machine,
            stage: self.stage,
            expected: "the machine is fit for the check".to_owned(),
            error: fault.to_string(),
            cause: fault.cause(),
            remedy: remedy.map_or_else(|| fault.remedy(), ToOwned::to_owned),
            details: Vec::new(),
        };
        decide(Culprit::Machine, finding)
    }
}

/// The class of a failure by this code, if a package is at fault.
fn class(code: i32) -> Class {
    match code {
        209 | 222 | 225 => Class::Architecture,
        200 | 218 | 227 | 300 | 500 | 812 => Class::Loading,
        _ => Class::Execution,
    }
}

/// How a worker ended after it had written its result; none if that was as it should be.
fn afterwards(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Exited(0) => None,
        Ending::Exited(code) => Some(format!("then the worker ended with code {code}")),
        Ending::Signaled(signal) => Some(format!(
            "then the worker was ended by {}",
            signal_name(*signal)
        )),
        Ending::TimedOut { limit } => Some(format!(
            "then the worker did not end, and was stopped after {} s",
            limit.as_secs()
        )),
        Ending::Interrupted(_) => Some("then the run was interrupted".to_owned()),
        Ending::Stuck(fault) => Some(format!("then {fault}")),
        Ending::NotStarted { reason } | Ending::Lost { reason } => Some(format!("then {reason}")),
    }
}
