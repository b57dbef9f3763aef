//! Keeps every event of a run as a line of JSON, as it happens: the record from which all reports can be made again.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use cudacheck_model::event::Timed;

/// Writes `events.jsonl`.
#[derive(Debug)]
pub struct JsonLines<W: Write = File> {
    writer: W,
}

impl JsonLines<File> {
    /// Starts a new file.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::create(path)?))
    }
}

impl<W: Write> JsonLines<W> {
    /// Writes to this writer.
    pub fn new(writer: W) -> Self {
        Self { writer }
    }

    /// Writes an event as one line and flushes it: what was told is on record, even if the next thing is a crash.
    ///
    /// # Errors
    ///
    /// When the writer refuses.
    pub fn event(&mut self, event: &Timed) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.writer.write_all(&line)?;
        self.writer.flush()
    }
}
