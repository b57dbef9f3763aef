//! The one door through which processes start.
//!
//! Every command begins with an empty environment and `/dev/null` as its input; what it is to have beyond
//! that, its caller says.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Hides this process's memory and environment from processes of the same user, workers among them: a
/// worker's cleared environment is worth little if it can read its grandparent's.
pub(crate) fn shut() {
    // Where the kernel refuses, workers are as well confined as any other process of this user.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
}

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
