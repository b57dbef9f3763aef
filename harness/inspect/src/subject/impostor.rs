//! Finds what has the name of a library and is none: a text, an empty file, a directory, a link that leads nowhere.
//!
//! The inspection passes over such files, since nobody loads a text. But whoever asks the loader for this name gets
//! nothing else, so that to say that the package has no such library would be half of the truth.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cudacheck_model::library::Library;
use cudacheck_model::package::{PackageFacts, WarningCode};

use crate::walk::walk;

/// What has the name of a library: which library, and the path.
pub(super) fn impostors(facts: &PackageFacts) -> Vec<(Library, PathBuf)> {
    let loadable = facts.files.iter().filter(|file| file.elf.is_some());
    let loadable: HashSet<&Path> = loadable.map(|file| file.path.as_path()).collect();
    let (candidates, warnings, _) = walk(&facts.roots);
    let others = candidates
        .iter()
        .filter(|candidate| !loadable.contains(candidate.path.as_path()));
    let files = others.filter_map(|other| {
        let mut names = std::iter::once(&other.path).chain(&other.aliases);
        names.find(|name| named(name).is_some())
    });
    let no_files = warnings.iter().filter(|warning| {
        matches!(
            warning.code,
            WarningCode::LinkNotFollowed | WarningCode::NotAFile
        )
    });
    let paths = files.chain(no_files.map(|warning| &warning.file));
    paths
        .filter_map(|path| Some((named(path)?, path.clone())))
        .collect()
}

/// The library that a program means by this name. A linker's script may have the name without a version.
pub(crate) fn named(path: &Path) -> Option<Library> {
    let name = path.file_name()?.to_str()?;
    let library = Library::of_file(name)?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let version = name.split_once(".so.").map(|(_, version)| version);
    let versioned = version.is_some_and(|version| version.split('.').all(digits));
    (versioned || library.knows(name)).then_some(library)
}

/// The SONAME that a file name stands for: `libcublas.so.12` for `libcublas.so.12.9.1`.
pub(super) fn soname(library: Library, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let known = library.card().sonames.iter().find(|known| {
        name.strip_prefix(**known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    known.map_or_else(|| name.into_owned(), |known| (*known).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{Options, inspect};

    #[track_caller]
    fn check(build: fn(&Path), expected: &[(&str, &str)]) {
        let directory = tempfile::tempdir().unwrap();
        build(directory.path());
        let facts = inspect(&[directory.path().to_owned()], &Options::default(), &|_| {});
        let mut found: Vec<(String, String)> = impostors(&facts)
            .into_iter()
            .map(|(library, path)| {
                let name = path.strip_prefix(directory.path()).unwrap();
                (name.display().to_string(), soname(library, &path))
            })
            .collect();
        found.sort();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, soname)| ((*name).to_owned(), (*soname).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_without_libraries_are_found() {
        check(
            |root| {
                fs::write(root.join("libcublas.so.12.9.1"), "text").unwrap();
                fs::write(root.join("libcudart.so.13"), "").unwrap();
                symlink("libcufft.so.11.4", root.join("libcufft.so.11")).unwrap();
                fs::create_dir(root.join("libcusparse.so.12")).unwrap();
                fs::write(root.join("libmagma.so"), "text").unwrap();
            },
            &[
                ("libcublas.so.12.9.1", "libcublas.so.12"),
                ("libcudart.so.13", "libcudart.so.13"),
                ("libcufft.so.11", "libcufft.so.11"),
                ("libcusparse.so.12", "libcusparse.so.12"),
                ("libmagma.so", "libmagma.so"),
            ],
        );
    }

    #[test]
    fn what_no_loader_is_asked_for_is_left_alone() {
        check(
            |root| {
                fs::write(root.join("libcublas.so"), "INPUT(libcublas.so.12)").unwrap();
                fs::write(root.join("libcublas_static.a"), "text").unwrap();
                fs::write(root.join("libcublas.so.12.hash.txt"), "").unwrap();
                let library = std::env::current_exe().unwrap();
                fs::copy(library, root.join("libcublas.so.12")).unwrap();
            },
            &[],
        );
    }
}
