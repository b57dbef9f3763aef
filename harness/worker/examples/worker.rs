//! A worker without the rest of cudacheck, to try a task by hand: `worker TASK JOURNAL`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [task, journal] => cudacheck_worker::main(Path::new(task), Path::new(journal)).into(),
        _ => ExitCode::from(2),
    }
}
