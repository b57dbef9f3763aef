//! Collects what is wrong with one file, so that a file with a million faults costs no more than one with a hundred.

use std::path::{Path, PathBuf};

use cudacheck_model::package::{ReadWarning, WarningCode};

/// Warnings that are kept of one file.
const KEPT: usize = 64;

/// What is wrong with one file.
pub(crate) struct Warnings {
    file: PathBuf,
    kept: Vec<ReadWarning>,
    count: u64,
}

impl Warnings {
    /// Nothing is wrong with a file yet.
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            kept: Vec::new(),
            count: 0,
        }
    }

    /// Something is wrong at a byte of the file.
    pub(crate) fn at(&mut self, code: WarningCode, offset: u64, message: impl Into<String>) {
        self.add(code, Some(offset), message.into());
    }

    /// Something is wrong with the file as a whole.
    pub(crate) fn whole(&mut self, code: WarningCode, message: impl Into<String>) {
        self.add(code, None, message.into());
    }

    /// How many there were, kept or not.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Those that are kept, and the number of those that are not.
    pub(crate) fn finish(self) -> (Vec<ReadWarning>, u64) {
        let left_out = self.count - self.kept.len() as u64;
        (self.kept, left_out)
    }

    fn add(&mut self, code: WarningCode, offset: Option<u64>, message: String) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(ReadWarning {
                code,
                file: self.file.clone(),
                offset,
                message,
            });
        }
    }
}
