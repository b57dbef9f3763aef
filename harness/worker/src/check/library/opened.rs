//! A library of the package that is open, and what to make of its answers.

use std::path::Path;

use cudacheck_model::journal::CheckResult;
use cudacheck_model::library::{Library, Subject};
use cudacheck_model::outcome::SkipReason;

use super::{Stop, Verdict, file};
use crate::journal::Journal;
use crate::library::{Called, SharedLibrary, Status};

/// An open library.
pub(in crate::check) struct Opened<'a> {
    pub(super) library: SharedLibrary,
    pub(super) subject: &'a Subject,
    pub(super) journal: &'a Journal,
    kind: Library,
    explain: fn(&SharedLibrary, Status) -> Named,
}

/// A status in the library's own words; empty where it has none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::check) struct Named {
    /// `CUBLAS_STATUS_ARCH_MISMATCH`.
    pub(super) name: String,
    /// A sentence.
    pub(super) text: String,
    /// What else it says, such as a compiler's log.
    pub(super) log: String,
}

/// Opens a file of the package.
///
/// # Errors
///
/// Why it cannot be opened, in the loader's words or in better ones.
pub(super) fn load(path: &Path) -> Result<SharedLibrary, String> {
    match file::complaint(path) {
        Some(complaint) => Err(complaint),
        None => SharedLibrary::open_now(path),
    }
}

impl<'a> Opened<'a> {
    pub(super) fn open(
        journal: &'a Journal,
        kind: Library,
        subject: &'a Subject,
        explain: fn(&SharedLibrary, Status) -> Named,
    ) -> Result<Self, Stop> {
        match load(&subject.path) {
            Ok(library) => Ok(Self {
                library,
                subject,
                journal,
                kind,
                explain,
            }),
            Err(reason) => Err(Box::new(CheckResult::Unloadable {
                library: subject.path.display().to_string(),
                reason,
            })),
        }
    }

    /// What a function returned. A library without it is not the one that its name says.
    pub(super) fn value<T>(&self, called: Called<T>) -> Result<T, Stop> {
        called.value.ok_or_else(|| {
            Box::new(CheckResult::Unloadable {
                library: self.subject.path.display().to_string(),
                reason: format!("it has no function `{}`", called.function.to_string_lossy()),
            })
        })
    }

    /// What a function returned, where older or newer libraries of the same SONAME do without it: then the check is
    /// skipped.
    pub(super) fn value_if_there<T>(&self, called: Called<T>) -> Result<T, Stop> {
        called.value.ok_or_else(|| {
            Box::new(CheckResult::Skip {
                reason: SkipReason::NoFunction {
                    library: self.subject.soname.clone(),
                    function: called.function.to_string_lossy().into_owned(),
                },
            })
        })
    }

    /// Goes on if the function succeeded.
    pub(super) fn ok(&self, called: Called<Status>) -> Verdict {
        let status = self.value(called)?;
        if status == Status(0) {
            Ok(())
        } else {
            Err(self.refused(called.function.to_string_lossy(), status))
        }
    }

    /// A status other than success as the end of the check.
    pub(super) fn refused(&self, function: impl Into<String>, status: Status) -> Stop {
        let Named { name, text, log } = (self.explain)(&self.library, status);
        Box::new(CheckResult::Library {
            library: self.kind,
            function: function.into(),
            code: status.0,
            name,
            text,
            log,
            driver: None,
        })
    }

    /// Something that belongs in the report.
    pub(super) fn note(&self, key: &str, value: impl Into<String>) {
        self.journal.note(key, value);
    }

    /// Versions that must agree and do not.
    pub(super) fn skew(&self, expected: impl Into<String>, found: impl Into<String>) -> Stop {
        Box::new(CheckResult::Skew {
            expected: expected.into(),
            found: found.into(),
        })
    }

    /// What the library says that it cannot do here, as its documentation does.
    pub(super) fn not_supported(&self, what: impl Into<String>) -> Stop {
        Box::new(CheckResult::Skip {
            reason: SkipReason::NotSupported { what: what.into() },
        })
    }
}
