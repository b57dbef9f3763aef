//! The one place that reads the environment; everything else is handed values.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::arguments::When;

/// What the environment says.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    /// Whether stderr is a terminal that can draw.
    pub(crate) terminal: bool,
    /// `NO_COLOR` is set and not empty: <https://no-color.org>.
    pub(crate) no_color: bool,
    /// Restricts which devices there are; handed to the probe.
    pub(crate) visible_devices: Option<String>,
    /// `CUDA_FORCE_PTX_JIT` is 1: machine code is passed over.
    pub(crate) force_ptx_jit: bool,
    /// `CUDA_DISABLE_PTX_JIT` is 1: PTX is passed over.
    pub(crate) disable_ptx_jit: bool,
    /// Where lock files may lie: `XDG_RUNTIME_DIR`, else a directory of this user in the temporary one.
    pub(crate) runtime_dir: PathBuf,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let user = rustix::process::getuid().as_raw();
        Self {
            terminal: std::io::stderr().is_terminal() && !dumb,
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            visible_devices: variable("CUDA_VISIBLE_DEVICES"),
            force_ptx_jit: variable("CUDA_FORCE_PTX_JIT").is_some_and(|value| value == "1"),
            disable_ptx_jit: variable("CUDA_DISABLE_PTX_JIT").is_some_and(|value| value == "1"),
            runtime_dir: runtime_dir(variable("XDG_RUNTIME_DIR"), user),
        }
    }

    /// Whether to colour, by the argument first.
    pub(crate) fn colour(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => self.terminal && !self.no_color,
        }
    }

    /// Whether to draw progress, by the argument first.
    pub(crate) fn progress(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto => self.terminal,
        }
    }
}

/// A directory that is the same for all runs of a user. The specification of `XDG_RUNTIME_DIR` has relative
/// paths ignored, and one would give each working directory locks of its own.
fn runtime_dir(given: Option<String>, user: u32) -> PathBuf {
    match given.map(PathBuf::from) {
        Some(directory) if directory.is_absolute() => directory.join("cudacheck"),
        Some(_) | None => std::env::temp_dir().join(format!("cudacheck-{user}")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the environment is read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: Option<&str>, expected: PathBuf) {
        assert_eq!(runtime_dir(given.map(str::to_owned), 7), expected);
    }

    #[test]
    fn locks_lie_in_one_place_whatever_the_working_directory_is() {
        let fallback = std::env::temp_dir().join("cudacheck-7");
        check(Some("/run/user/7"), "/run/user/7/cudacheck".into());
        check(None, fallback.clone());
        check(Some(""), fallback.clone());
        check(Some("run"), fallback);
    }
}
