//! Finds the file of the environment's search path that took the place of a package's own part.
//!
//! When the loader refuses a library for a symbol, it names the symbol, not the file that lacks it; and afterwards the
//! file is no longer mapped.

use std::path::{Path, PathBuf};

use cudacheck_model::library::{PartNeed, Subject};
use cudacheck_model::outcome::{Cause, Outcome, Problem};

/// The variable that goes before the search path of a file.
const SEARCHED: &str = "LD_LIBRARY_PATH";

/// Words of the loader about a part that does not fit.
const UNFIT: [&str; 2] = ["undefined symbol", "' not found"];

/// Names the file, if the loader refused a library because of a part that the environment led to.
pub(super) fn explain(outcome: &mut Outcome, subject: Option<&Subject>, path: Option<&str>) {
    let (Outcome::Fail(finding), Some(subject), Some(path)) = (outcome, subject, path) else {
        return;
    };
    let refused = finding.problem == Problem::Unloadable
        && UNFIT.iter().any(|words| finding.error.contains(words));
    if !refused {
        return;
    }
    if let Some((own, other)) = other(subject, path) {
        let (own, other) = (own.display(), other.display());
        finding.cause = Cause::proven(format!(
            "{SEARCHED} leads to another release of a part: {other} is taken before the package's own {own}"
        ));
        finding.remedy =
            format!("unset {SEARCHED} in the wrapper, or take the directory of {other} out of it");
    }
}

/// The first part that the library is linked with, and that the path leads elsewhere for.
fn other(subject: &Subject, path: &str) -> Option<(PathBuf, PathBuf)> {
    let linked = subject
        .parts
        .iter()
        .filter(|part| part.need == PartNeed::Linked);
    let mut misled = linked.filter_map(|part| {
        let own = part.found.as_deref()?;
        let directories = path.split(':').filter(|directory| !directory.is_empty());
        let mut files = directories.map(|directory| Path::new(directory).join(&part.name));
        let first = files.find(|file| file.exists())?;
        let same = first.canonicalize().ok() == own.canonicalize().ok();
        (!same).then(|| (own.to_owned(), first))
    });
    misled.next()
}

/// What a library will find set, where the last word counts.
pub(super) fn search_path<'a>(
    variables: impl Iterator<Item = &'a (String, String)>,
) -> Option<&'a str> {
    let named = variables.filter(|(name, _)| name == SEARCHED);
    named.last().map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cudacheck_model::library::{Part, Territory};
    use cudacheck_model::outcome::{Class, Finding};

    use super::*;

    /// The cause of a refusal with these words, where a directory of the path has the named file.
    #[track_caller]
    fn check(error: &str, there: &str, expected: Option<&str>) {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("own");
        let others = directory.path().join("others");
        for place in [&own, &others] {
            fs::create_dir(place).unwrap();
        }
        fs::write(own.join("libpart.so.1"), "own").unwrap();
        fs::write(others.join(there), "other").unwrap();
        let subject = Subject {
            label: None,
            soname: "libx.so.1".to_owned(),
            path: own.join("libx.so.1"),
            parts: vec![Part {
                name: "libpart.so.1".to_owned(),
                need: PartNeed::Linked,
                found: Some(own.join("libpart.so.1")),
                driver: false,
            }],
            territory: Territory::default(),
            loader: None,
        };
        let mut outcome = Outcome::Fail(Box::new(Finding {
            problem: Problem::Unloadable,
            class: Class::Loading,
            stage: None,
            expected: String::new(),
            error: error.to_owned(),
            cause: Cause::Unknown,
            remedy: String::new(),
            details: Vec::new(),
        }));
        let path = format!(":{}", others.display());
        explain(&mut outcome, Some(&subject), Some(&path));
        let Outcome::Fail(finding) = outcome else {
            panic!("it was a failure");
        };
        let cause = finding.cause.text();
        match expected {
            Some(expected) => assert!(cause.contains(expected), "{cause}"),
            None => assert_eq!(cause, "unknown"),
        }
    }

    #[test]
    fn the_file_of_the_environment_is_named() {
        check(
            "libx.so.1: undefined symbol: create",
            "libpart.so.1",
            Some("others/libpart.so.1 is taken before"),
        );
        check(
            "libpart.so.1: version `PART_2' not found",
            "libpart.so.1",
            Some("others/libpart.so.1 is taken before"),
        );
        check("libx.so.1: undefined symbol: create", "libq.so.1", None);
        check("libx.so.1: file too short", "libpart.so.1", None);
    }

    #[test]
    fn the_last_word_counts() {
        let variables = [
            ("LD_LIBRARY_PATH", "/a"),
            ("X", "y"),
            ("LD_LIBRARY_PATH", "/b"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(search_path(variables.iter()), Some("/b"));
        assert_eq!(search_path(variables[1..2].iter()), None);
    }
}
