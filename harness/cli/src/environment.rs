//! The one place that reads the environment; everything else is handed values.

use std::io::IsTerminal;

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
}

impl Environment {
    pub(crate) fn read() -> Self {
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        Self {
            terminal: std::io::stderr().is_terminal() && !dumb,
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            visible_devices: variable("CUDA_VISIBLE_DEVICES"),
            force_ptx_jit: variable("CUDA_FORCE_PTX_JIT").is_some_and(|value| value == "1"),
            disable_ptx_jit: variable("CUDA_DISABLE_PTX_JIT").is_some_and(|value| value == "1"),
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

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the environment is read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
