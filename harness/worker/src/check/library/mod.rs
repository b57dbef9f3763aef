//! Checks a library of a package in one stage, in a process that has loaded nothing else before.
//!
//! Each library has a module with its functions (`ffi`), its tests, and what it says of its version. What is common
//! to all is here: the order of the stages, the device, and the proof of what was loaded.

mod bench;
mod cold;
mod cublas;
mod cublaslt;
mod cudart;
mod cudnn;
mod cudss;
mod cufft;
mod cupti;
mod curand;
mod cusolver;
mod cusparse;
mod cutensor;
mod exact;
mod file;
mod magma;
mod nccl;
mod npp;
mod nvjitlink;
mod nvjpeg;
mod nvrtc;
mod opencv;
mod opened;
mod provenance;
mod tensorrt;

use std::path::Path;

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::{CheckResult, Stage};
use cudacheck_model::library::{Library, Subject, TestNeeds};
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::suite::{LibraryCheck, LibraryStage};
use cudacheck_model::task::{CheckWork, DriverFiles};

use crate::journal::Journal;
use crate::library::{SharedLibrary, Status};

pub(super) use bench::Bench;
pub(super) use opened::{Named, Opened};

/// Ends a check early, with its result.
pub(super) type Stop = Box<CheckResult>;

/// What a step of a check answers.
pub(super) type Verdict = Result<(), Stop>;

/// A test that needs no device, by the name that the model lists.
pub(super) type HostTest = (&'static str, fn(&Opened<'_>) -> Verdict);

/// A test on a device, by the name that the model lists.
pub(super) type DeviceTest = (&'static str, fn(&Opened<'_>, &Bench<'_>) -> Verdict);

/// What can be asked of a library.
pub(super) struct Checks {
    /// Makes the library look for the driver and for its parts, by a call that is harmless without a device. The
    /// status is not judged: without a driver it is an error, as it must be.
    pub(super) cold: Option<fn(&Opened<'_>) -> Verdict>,
    /// Asks for versions, tells them as notes, and compares those that must agree.
    pub(super) versions: Option<fn(&Opened<'_>) -> Verdict>,
    /// Tests without a device.
    pub(super) host: &'static [HostTest],
    /// Tests with one.
    pub(super) device: &'static [DeviceTest],
    /// What the library itself calls a status.
    pub(super) explain: fn(&SharedLibrary, Status) -> Named,
}

/// Runs one stage on the library that the task names.
pub(super) fn run(
    journal: &Journal,
    files: &DriverFiles,
    work: &CheckWork,
    check: &LibraryCheck,
) -> CheckResult {
    let Some(subject) = &work.subject else {
        return harness("the task names no library".to_owned());
    };
    journal.note("library", subject.path.display().to_string());
    if let Some(loader) = &subject.loader {
        journal.note(
            "loader",
            format!("{} ({})", loader.path.display(), loader.because),
        );
    }
    match stage(journal, files, work, check, subject) {
        Ok(()) => CheckResult::Pass,
        Err(result) => *result,
    }
}

fn stage(
    journal: &Journal,
    files: &DriverFiles,
    work: &CheckWork,
    check: &LibraryCheck,
    subject: &Subject,
) -> Verdict {
    let checks = checks(check.name);
    let context = Context {
        journal,
        files,
        subject,
        library: check.name,
        checks,
    };
    let done = match check.stage {
        LibraryStage::Cold => cold::cold(&context),
        LibraryStage::Versions => versions(&context),
        LibraryStage::Numeric | LibraryStage::Coverage => numeric(&context, files, work, check),
    };
    if done.is_ok() {
        journal.stage(Stage::Provenance);
    }
    // Also after a failure: a stranger among the libraries is the better story, since it explains the rest.
    let strangers = provenance::strangers(journal, subject);
    match (done, strangers) {
        // What cannot be judged here is not judged by what was loaded either.
        (Err(stop), _) if matches!(*stop, CheckResult::Skip { .. } | CheckResult::Machine(_)) => {
            Err(stop)
        }
        (_, Err(stop)) => Err(stop),
        (done, Ok(())) => done,
    }
}

/// What all stages know.
struct Context<'a> {
    journal: &'a Journal,
    files: &'a DriverFiles,
    subject: &'a Subject,
    library: Library,
    checks: &'static Checks,
}

impl<'a> Context<'a> {
    fn open(&self) -> Result<Opened<'a>, Stop> {
        self.journal.stage(Stage::OpenPackage);
        let opened = Opened::open(
            self.journal,
            self.library,
            self.subject,
            self.checks.explain,
        );
        opened.map_err(|stop| {
            if let CheckResult::Unloadable { reason, .. } = &*stop
                && self.lacks_driver(reason)
            {
                let soname = &self.subject.soname;
                let because = format!("{soname} is linked with the driver ({reason})");
                let reason = SkipReason::NoDevice { because };
                return Box::new(CheckResult::Skip { reason });
            }
            stop
        })
    }

    /// Whether a file could not be opened because it is linked with a driver that this machine does not have, which
    /// says nothing about the package.
    fn lacks_driver(&self, reason: &str) -> bool {
        let missing = reason.split_once(": cannot open shared object file");
        self.files.libcuda.is_none()
            && missing.is_some_and(|(name, _)| provenance::is_drivers(Path::new(name)))
    }
}

fn versions(context: &Context<'_>) -> Verdict {
    let opened = context.open()?;
    context.journal.stage(Stage::Versions);
    match context.checks.versions {
        Some(ask) => ask(&opened),
        None => Ok(()),
    }
}

fn numeric(
    context: &Context<'_>,
    files: &DriverFiles,
    work: &CheckWork,
    check: &LibraryCheck,
) -> Verdict {
    let name = check.test.as_deref().unwrap_or_default();
    let needs = check.known_test().map(|test| test.needs);
    let seed = work.seed;
    context.journal.note("seed", seed.to_string());
    let host = context.checks.host.iter().find(|(test, _)| *test == name);
    let device = context.checks.device.iter().find(|(test, _)| *test == name);
    match (needs, host, device) {
        (Some(TestNeeds::Nothing), Some((_, test)), _) => {
            let opened = context.open()?;
            context.journal.stage(Stage::FirstCall);
            test(&opened)
        }
        (Some(TestNeeds::Device), _, Some((_, test))) => {
            let device = bench::Device::open(context.journal, files)?;
            let opened = context.open()?;
            let bench = Bench::new(context.journal, &device, seed, work.memory_budget)?;
            context.journal.stage(Stage::FirstCall);
            let done = test(&opened, &bench).map_err(|stop| bench.with_driver(stop));
            device.proven()?;
            done?;
            context.journal.stage(Stage::Release);
            bench.release()?;
            device.release()
        }
        (None | Some(TestNeeds::Nothing | TestNeeds::Device), _, _) => Err(Box::new(harness(
            format!("this worker has no test `{name}` of {}", check.name),
        ))),
    }
}

fn harness(message: String) -> CheckResult {
    CheckResult::Machine(MachineFault::Harness { message })
}

/// What can be asked of each library.
fn checks(library: Library) -> &'static Checks {
    match library {
        Library::Cudart => &cudart::CHECKS,
        Library::Cublas => &cublas::CHECKS,
        Library::CublasLt => &cublaslt::CHECKS,
        Library::Cudnn => &cudnn::CHECKS,
        Library::Cufft => &cufft::CHECKS,
        Library::Curand => &curand::CHECKS,
        Library::Cusolver => &cusolver::CHECKS,
        Library::Cusparse => &cusparse::CHECKS,
        Library::Cutensor => &cutensor::CHECKS,
        Library::Npp => &npp::CHECKS,
        Library::Nvjpeg => &nvjpeg::CHECKS,
        Library::Nvrtc => &nvrtc::CHECKS,
        Library::Nvjitlink => &nvjitlink::CHECKS,
        Library::Nccl => &nccl::CHECKS,
        Library::Cupti => &cupti::CHECKS,
        Library::Cudss => &cudss::CHECKS,
        Library::Tensorrt => &tensorrt::CHECKS,
        Library::Magma => &magma::CHECKS,
        Library::Opencv => &opencv::CHECKS,
    }
}

#[cfg(test)]
mod tests {
    use cudacheck_model::library::LIBRARIES;

    use super::*;

    #[test]
    fn every_listed_test_is_made_and_no_other() {
        for library in LIBRARIES {
            let checks = checks(*library);
            let listed = |needs| {
                let tests = library.card().tests.iter();
                let of = tests.filter(move |test| test.needs == needs);
                let mut names: Vec<_> = of.map(|test| test.name).collect();
                names.sort_unstable();
                names
            };
            let mut host: Vec<_> = checks.host.iter().map(|(name, _)| *name).collect();
            let mut device: Vec<_> = checks.device.iter().map(|(name, _)| *name).collect();
            host.sort_unstable();
            device.sort_unstable();
            assert_eq!(listed(TestNeeds::Nothing), host, "{library}");
            assert_eq!(listed(TestNeeds::Device), device, "{library}");
        }
    }
}
