//! A bar for reading long trees, drawn on stderr only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a tree has been read. Gone from the screen when it is dropped.
pub struct Files {
    bar: ProgressBar,
}

/// Whether anything is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Draw {
    /// Nothing.
    Nothing,
    /// On stderr.
    Stderr,
}

impl Files {
    /// A bar of unknown length.
    pub fn new(draw: Draw) -> Self {
        let target = match draw {
            Draw::Nothing => ProgressDrawTarget::hidden(),
            Draw::Stderr => ProgressDrawTarget::stderr_with_hz(10),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("     Reading {wide_bar} {pos}/{len} files");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// So many files of so many have been read. May be called from any thread, in any order.
    pub fn read(&self, files: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(files);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
