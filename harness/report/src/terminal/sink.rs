//! Writes lines and a bar to the same terminal, so that neither breaks the other.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Colour, Options, Progress};

/// How a word is coloured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hue {
    /// Green: as it should be.
    Good,
    /// Yellow: worth a look.
    Warning,
    /// Red: the package's.
    Bad,
    /// Magenta: the machine's.
    Fault,
}

/// Where lines go.
#[derive(Debug)]
pub(super) struct Sink<W: Write> {
    writer: W,
    colour: Colour,
    progress: Progress,
    bar: Option<ProgressBar>,
    running: Vec<String>,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(writer: W, options: Options) -> Self {
        Self {
            writer,
            colour: options.colour,
            progress: options.progress,
            bar: None,
            running: Vec::new(),
        }
    }

    /// A word and a bracket: `PASS [   0.412s] …`.
    pub(super) fn row(&mut self, word: &str, hue: Hue, row: &str) {
        let word = self.paint(&format!("{word:>12}"), hue);
        self.line(&format!("{word} {row}"));
    }

    /// A word and a sentence, one column further so that it stands out from rows.
    pub(super) fn prose(&mut self, word: &str, hue: Hue, sentence: &str) {
        let word = self.paint(&format!("{word:>12}"), hue);
        self.line(&format!("{word}  {sentence}"));
    }

    /// More to the line before.
    pub(super) fn continued(&mut self, sentence: &str) {
        self.line(&format!("{:>12}  {sentence}", ""));
    }

    /// A line of a block: `     expected the output equals the reference`.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        self.line(format!("     {label:<8} {value}").trim_end());
    }

    /// Starts the bar, if there is to be one.
    pub(super) fn begin(&mut self, tasks: usize) {
        if self.progress == Progress::Off || tasks == 0 {
            return;
        }
        let length = u64::try_from(tasks).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("     Running [{elapsed_precise}] {pos}/{len} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(250));
        self.bar = Some(bar);
    }

    /// A case runs.
    pub(super) fn running(&mut self, name: String) {
        if !self.running.contains(&name) {
            self.running.push(name);
        }
        self.show_running();
    }

    /// A case has ended.
    pub(super) fn stopped(&mut self, name: &str) {
        self.running.retain(|running| running != name);
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        self.show_running();
    }

    /// Takes the bar away.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn show_running(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message(self.running.join(", "));
        }
    }

    fn line(&mut self, line: &str) {
        // The one place that all lines pass: whatever was put together, no CI system obeys it.
        let line = crate::text::defused(line);
        let Self { writer, bar, .. } = self;
        let mut write = || {
            // When stderr is gone there is nobody left to tell; the run's files say the same.
            let _ = writeln!(writer, "{line}");
            let _ = writer.flush();
        };
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn paint(&self, word: &str, hue: Hue) -> String {
        let code = match hue {
            Hue::Good => "32",
            Hue::Warning => "33",
            Hue::Bad => "31",
            Hue::Fault => "35",
        };
        match self.colour {
            Colour::Never => word.to_owned(),
            Colour::Always => format!("\x1b[1;{code}m{word}\x1b[0m"),
        }
    }
}
