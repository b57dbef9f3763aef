//! A worker without the rest of cudacheck, to try a task by hand: `worker TASK JOURNAL`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::CheckResult;
use cudacheck_model::suite::LinkageCheck;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [task, journal] => {
            cudacheck_worker::main(Path::new(task), Path::new(journal), no_linkage).into()
        }
        _ => ExitCode::from(2),
    }
}

/// Packages are read by another crate, which this example does without.
fn no_linkage(_: &LinkageCheck, _: &[PathBuf], _: Option<&Path>) -> CheckResult {
    CheckResult::Machine(MachineFault::Harness {
        message: "this worker reads no packages".to_owned(),
    })
}
