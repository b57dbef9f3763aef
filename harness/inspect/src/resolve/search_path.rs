//! The elements of `DT_RPATH`, `DT_RUNPATH` and `LD_LIBRARY_PATH`, with `$ORIGIN`, `$LIB` and `$PLATFORM` filled in.

use std::path::{Component, Path, PathBuf};

/// What the variables of a search path stand for.
pub(crate) struct Variables<'a> {
    /// The directory of the file that has the path.
    pub(crate) origin: &'a Path,
    /// `lib`, `lib64`, or Debian's.
    pub(crate) lib: &'a str,
    /// `x86_64`.
    pub(crate) platform: &'a str,
}

/// One element of a search path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Element {
    /// As written.
    pub(crate) written: String,
    /// Where it leads. None is the current directory, or something below it.
    pub(crate) directory: Option<PathBuf>,
}

/// Elements of one path that are searched; a real one has dozens.
const MOST_ELEMENTS: usize = 1024;

/// The elements of a path, in order, each once.
pub(crate) fn elements(path: &str, variables: &Variables<'_>) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    for written in path.split(':').take(MOST_ELEMENTS) {
        let filled = fill(written, variables);
        let directory = Path::new(&filled);
        let element = Element {
            written: written.to_owned(),
            directory: directory.is_absolute().then(|| directory.to_owned()),
        };
        if !found
            .iter()
            .any(|known| known.directory == element.directory)
        {
            found.push(element);
        }
    }
    found
}

/// Text with the variables filled in. glibc knows them with and without braces, and takes the longest prefix.
pub(crate) fn fill(text: &str, variables: &Variables<'_>) -> String {
    let origin = variables.origin.to_string_lossy();
    let known = [
        ("ORIGIN", &*origin),
        ("PLATFORM", variables.platform),
        ("LIB", variables.lib),
    ];
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let bare = |name| after.strip_prefix(name);
        let braced = |name| {
            after
                .strip_prefix('{')?
                .strip_prefix(name)?
                .strip_prefix('}')
        };
        let hit = known
            .iter()
            .find_map(|(name, value)| Some((value, braced(*name).or_else(|| bare(*name))?)));
        if let Some((value, behind)) = hit {
            filled.push_str(value);
            rest = behind;
        } else {
            filled.push('$');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// A path without `.` and `..`, for comparing what people write. Links are not looked at.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                normal.push(component)
            }
        }
    }
    normal
}

/// Whether a directory holds stubs: `lib/stubs`, `lib64/stubs`, or anything in Nixpkgs' output of that name.
pub(crate) fn is_stubs(directory: &Path) -> bool {
    directory.components().any(|component| {
        let name = component.as_os_str().to_string_lossy();
        name == "stubs" || name == "stub" || name.ends_with("-stubs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(path: &str, expected: &[Option<&str>]) {
        let variables = Variables {
            origin: Path::new("/p/lib"),
            lib: "lib64",
            platform: "x86_64",
        };
        let found: Vec<_> = elements(path, &variables)
            .into_iter()
            .map(|element| element.directory)
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|element| element.map(PathBuf::from))
            .collect();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn elements_are_filled_in_order() {
        check("$ORIGIN:/x", &[Some("/p/lib"), Some("/x")]);
        check("${ORIGIN}/../lib", &[Some("/p/lib/../lib")]);
        check("$ORIGIN/$LIB/$PLATFORM", &[Some("/p/lib/lib64/x86_64")]);
        check("/a/$LIBX", &[Some("/a/lib64X")]);
        check("/a/$OTHER/${LIB", &[Some("/a/$OTHER/${LIB")]);
        check("/a:/b:/a", &[Some("/a"), Some("/b")]);
        check("$ORIGIN:", &[Some("/p/lib"), None]);
        check("", &[None]);
        check("lib:.", &[None]);
    }

    #[test]
    fn stubs_are_known_by_their_directory() {
        assert!(is_stubs(Path::new("/usr/local/cuda/lib64/stubs")));
        assert!(is_stubs(Path::new(
            "/nix/store/x-cuda_cudart-12.9-stubs/lib"
        )));
        assert!(!is_stubs(Path::new("/nix/store/x-stubsearch/lib")));
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "[$OR{}IGNLB:/a.é]{0,64}", origin in "/[a-z$/]{0,8}") {
            let origin = PathBuf::from(origin);
            let variables = Variables { origin: &origin, lib: "lib", platform: "x86_64" };
            for element in elements(&path, &variables) {
                prop_assert!(element.directory.is_none_or(|directory| normal(&directory).is_absolute()));
            }
        }
    }
}
