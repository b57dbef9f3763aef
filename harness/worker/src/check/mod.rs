//! Makes a check on the one visible device, and says how it ended.

mod cudarc;
mod gates;
mod kernel;
mod library;
mod mapped;

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::{CheckResult, Stage};
use cudacheck_model::suite::Check;
use cudacheck_model::task::{CheckWork, DriverFiles};

use crate::Linkage;
use crate::journal::Journal;

/// Makes the check that a task names.
pub(crate) fn run(
    journal: &Journal,
    files: &DriverFiles,
    work: &CheckWork,
    linkage: Linkage,
) -> CheckResult {
    match &work.check {
        Check::Linkage(check) => {
            journal.stage(Stage::Search);
            linkage(check, &work.package, work.facts.as_deref())
        }
        Check::Library(check) => library::run(journal, files, work, check),
        // A tester is a process of its own, and must not share one that knows a journal's token.
        Check::Tester(_) => CheckResult::Machine(MachineFault::Harness {
            message: "a worker was given a tester, which the runner starts itself".to_owned(),
        }),
        Check::Kernel(check) => match cudacheck_kernels::find(&check.name) {
            Some(kernel) => {
                let seed = check.seed.unwrap_or(work.seed);
                kernel::run(journal, files, kernel, seed, work.memory_budget)
                    .unwrap_or_else(|result| *result)
            }
            None => CheckResult::Machine(MachineFault::Harness {
                message: format!("this worker has no kernel named `{}`", check.name),
            }),
        },
    }
}
