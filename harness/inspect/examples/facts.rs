//! Prints what packages contain as JSON: `facts [--fatbin-sections] PATH…`, for scripts that compare it with other tools.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use cudacheck_inspect::{Options, Search, inspect};

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut paths = Vec::new();
    for argument in std::env::args_os().skip(1) {
        if argument == "--fatbin-sections" {
            options.search = Search::FatbinSections;
        } else {
            paths.push(PathBuf::from(argument));
        }
    }
    let facts = inspect(&paths, &options, &|_| {});
    match print(&facts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn print(facts: &cudacheck_model::package::PackageFacts) -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer(&mut output, facts)?;
    output.write_all(b"\n")?;
    output.flush()
}
