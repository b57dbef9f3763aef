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
}

impl Environment {
    pub(crate) fn read() -> Self {
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        Self {
            terminal: std::io::stderr().is_terminal() && !dumb,
            no_color: variable("NO_COLOR").is_some_and(|value| !value.is_empty()),
            visible_devices: variable("CUDA_VISIBLE_DEVICES"),
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

/// Those of the variables of these names that are set, with their values.
pub(crate) fn those_set<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let set = names.filter_map(|name| Some((name.to_owned(), variable(name)?)));
    set.collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the environment is read"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
