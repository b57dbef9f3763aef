//! Which suites answer `cudacheck run --package PATH` without a suite's name: those whose libraries or files the package has.

use std::collections::BTreeSet;
use std::path::Path;

use cudacheck_model::library::{LIBRARIES, Library};
use cudacheck_model::suite::{Check, Suite};

use super::examined::Examined;

/// The names of those of the suites that a package is for: first the one that reads files only, then those of
/// libraries, in the order in which libraries build on each other, then those that name files.
///
/// A suite of several libraries is for whole package sets, and says nothing that theirs do not say.
pub(super) fn suites(shipped: &[Suite], examined: &Examined) -> Vec<String> {
    let mut names = vec!["linkage".to_owned()];
    for library in LIBRARIES {
        if examined.libraries.contains_key(library) {
            let of_library = |suite: &&Suite| libraries(suite) == BTreeSet::from([*library]);
            names.extend(shipped.iter().filter(of_library).map(|it| it.name.clone()));
        }
    }
    for suite in shipped
        .iter()
        .filter(|suite| !names.contains(&suite.name))
        .collect::<Vec<_>>()
    {
        let mut files = examined.files.iter().flat_map(|facts| &facts.files);
        let applies = files.any(|file| {
            let paths = || std::iter::once(&file.path).chain(&file.aliases);
            let ends = |pattern: &String| paths().any(|path| ends_with(path, pattern));
            suite.applies_to.iter().any(ends)
        });
        if applies {
            names.push(suite.name.clone());
        }
    }
    names
}

/// Whether any suite checks libraries of a package.
pub(super) fn asks_for_libraries(suites: &[Suite]) -> bool {
    suites.iter().any(|suite| !libraries(suite).is_empty())
}

/// The libraries that a suite checks.
fn libraries(suite: &Suite) -> BTreeSet<Library> {
    let library = |check: &Check| match check {
        Check::Library(check) => Some(check.name),
        Check::Kernel(_) | Check::Linkage(_) | Check::Tester(_) => None,
    };
    suite
        .cases
        .iter()
        .filter_map(|case| library(&case.check))
        .collect()
}

/// Whether a path ends with these components, each of which may end with a `*` that stands for anything.
fn ends_with(path: &Path, pattern: &str) -> bool {
    let mut components = path.iter().rev().map(|it| it.to_string_lossy());
    pattern.rsplit('/').all(|wanted| {
        components
            .next()
            .is_some_and(|name| match wanted.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == wanted,
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, pattern: &str, expected: bool) {
        assert_eq!(ends_with(Path::new(path), pattern), expected);
    }

    #[test]
    fn the_end_of_a_path_tells_what_a_package_is() {
        check("/p/lib/libtorch_cuda.so", "libtorch_cuda.so", true);
        check("/p/lib/libtorch_cuda.so", "lib/libtorch_cuda.so", true);
        check("/p/lib64/libtorch_cuda.so", "lib/libtorch_cuda.so", false);
        check(
            "/p/cupy/_core/core.cpython-312.so",
            "cupy/_core/core*",
            true,
        );
        check("/p/bin/ffmpeg", "ffmpeg", true);
        check("/p/bin/ffmpeg2", "ffmpeg", false);
        check("a", "b/a", false);
    }
}
