//! Prints what is wrong with a package on another system, for `ci/packaging-faults`.
//!
//! `findings SYSROOT PATH…` prints a line for each finding: its code, its severity, the file, and what it says.
#![expect(clippy::print_stdout, reason = "printing is all that it is for")]

use std::path::PathBuf;

use cudacheck_inspect::finding::{Question, findings};
use cudacheck_inspect::resolve::{LoaderContext, resolve};
use cudacheck_inspect::{Options, inspect};

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let context = LoaderContext {
        sysroot: arguments.next(),
        ..LoaderContext::default()
    };
    let facts = inspect(&arguments.collect::<Vec<_>>(), &Options::default(), &|_| {});
    let resolution = resolve(&facts, &context);
    for finding in findings(&facts, &resolution, &Question::default()) {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let file = finding.evidence.file.display();
        println!("{}\t{severity}\t{file}\t{}", finding.code, finding.message);
    }
}
