//! Prints what a loader would take for a file of a package, for `ci/loader-rules` to compare with a real loader.
//!
//! `loader LIBRARY_PATH START PATH…` prints a line for each name: the file that asks, when, the name, what it gets, and
//! by which rule. `LIBRARY_PATH` is what LD_LIBRARY_PATH would be, and may be empty.
#![expect(clippy::print_stdout, reason = "printing is all that it is for")]

use std::path::PathBuf;

use cudacheck_inspect::resolve::{Found, LoaderContext, resolve_from};
use cudacheck_inspect::{Options, inspect};
use cudacheck_model::finding::EdgeKind;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let library_path = arguments.next().unwrap_or_default();
    let start = arguments.next().unwrap_or_default();
    let context = LoaderContext {
        library_path: std::env::split_paths(&library_path)
            .filter(|path| path.is_absolute())
            .collect(),
        ..LoaderContext::default()
    };
    let facts = inspect(&arguments.collect::<Vec<_>>(), &Options::default(), &|_| {});
    for edge in resolve_from(&facts, &context, &start) {
        // The machine that compares has no driver in the driver's directory.
        let found = match edge.found {
            Found::Driver { otherwise, .. } => *otherwise,
            found @ (Found::File { .. }
            | Found::Unusable { .. }
            | Found::LeftToSystem
            | Found::Missing) => found,
        };
        let rule = found.rule().map(ToString::to_string).unwrap_or_default();
        let found = match found {
            Found::File { path, .. } => path.display().to_string(),
            Found::Driver { directory, .. } => format!("driver {}", directory.display()),
            Found::Unusable { path, .. } => format!("unusable {}", path.display()),
            Found::LeftToSystem => "system".to_owned(),
            Found::Missing => "missing".to_owned(),
        };
        let when = match edge.edge.kind {
            EdgeKind::Needed => "needed",
            EdgeKind::Opened | EdgeKind::PerhapsOpened => "opened",
        };
        println!(
            "{}\t{when}\t{}\t{found}\t{rule}",
            edge.file.display(),
            edge.edge.name
        );
    }
}
