//! The environment of what is run: nothing of the runner's own.
//!
//! It may hold secrets, and every variable of a user's shell would be a difference between two machines.

use std::ffi::OsString;
use std::path::Path;

/// Where the dynamic loader looks before a library's own paths.
const SEARCHED: &str = "LD_LIBRARY_PATH";

/// Variables, each name once.
#[derive(Debug)]
pub(crate) struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    /// The few that every process has, with its own directory in place of a home.
    pub(crate) fn of(private: &Path) -> Self {
        let mut variables = Self(Vec::new());
        variables.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        variables.set("LANG", "C.UTF-8");
        variables.set("TZ", "UTC");
        variables.set("HOME", private);
        variables.set("TMPDIR", private.join("tmp"));
        variables.set("CUDA_CACHE_PATH", private.join("cuda-cache"));
        variables
    }

    /// Sets one, whatever it was before.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.into(), value.into()));
    }

    /// Shows a driver, behind what a package is wrapped with, as a host's driver would be.
    pub(crate) fn show_driver(&mut self, directory: &Path) {
        let wrapped = self.0.iter().find(|(name, _)| name == SEARCHED);
        let path = match wrapped {
            Some((_, wrapped)) if !wrapped.is_empty() => {
                let mut path = wrapped.clone();
                path.push(":");
                path.push(directory);
                path
            }
            Some(_) | None => directory.into(),
        };
        self.set(SEARCHED, path);
    }

    /// All of them.
    pub(crate) fn into_pairs(self) -> Vec<(OsString, OsString)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wrapped: Option<&str>, expected: &str) {
        let mut variables = Variables::of(Path::new("/p"));
        if let Some(wrapped) = wrapped {
            variables.set(SEARCHED, wrapped);
        }
        variables.set("HOME", "/elsewhere");
        variables.show_driver(Path::new("/d"));
        let pairs = variables.into_pairs();
        let named = |name: &str| {
            let found: Vec<_> = pairs.iter().filter(|(known, _)| known == name).collect();
            assert_eq!(found.len(), 1, "{name}");
            found[0].1.to_str().unwrap().to_owned()
        };
        assert_eq!(
            (named(SEARCHED), named("HOME")),
            (expected.to_owned(), "/elsewhere".to_owned())
        );
    }

    #[test]
    fn a_driver_is_found_behind_what_wraps_a_package() {
        check(None, "/d");
        check(Some(""), "/d");
        check(Some("/a:/b"), "/a:/b:/d");
    }
}
