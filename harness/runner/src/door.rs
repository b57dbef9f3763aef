//! The one door through which processes start.
//!
//! Every command begins with an empty environment and `/dev/null` as its input; what it is to have beyond
//! that, its caller says.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// A command that inherits no environment and reads nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where processes start"
)]
pub(crate) fn command(program: &OsStr) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command
}
