//! The doors to stdout and stderr: data on the one, everything for people on the other.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use cudacheck_report::complaint;

use crate::environment::Environment;
use crate::failure::Failure;

/// Writes data to stdout. A reader that has gone away is not an error: `| head` is a way of use.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::File {
            action: "write to",
            path: "stdout".into(),
            source: error,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes for people to stderr, where nothing can be done about an error.
pub(crate) fn people(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints clap's own message; help and version are data, and no error.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints why a command ended without doing its work.
pub(crate) fn failure(failure: &Failure, _: &Environment) -> ExitCode {
    if let Failure::Suites(complaints) = failure {
        people(&complaint::complaints(complaints));
    } else {
        let mut message = failure.to_string();
        let mut source = failure.source();
        while let Some(error) = source {
            message += &format!("\n  caused by: {error}");
            source = error.source();
        }
        people(&complaint::error(&message, failure.hint().as_deref()));
    }
    ExitCode::from(failure.exit_code())
}
