//! Version numbers as cuBLAS and cuBLASLt pack them.

use std::fmt;
use std::path::{Path, PathBuf};

/// A version of cuBLAS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Release([i32; 3]);

impl Release {
    /// From 10000 times the major version, 100 times the minor, and the patch: `CUBLAS_VERSION` of `cublas_api.h`.
    pub(in crate::check::library) fn of_number(number: i32) -> Self {
        Self([number / 10_000, number / 100 % 100, number % 100])
    }

    /// From major version, minor version, and patch.
    pub(in crate::check::library) fn of_parts(parts: [i32; 3]) -> Self {
        Self(parts)
    }

    /// Whether a version of three or of two numbers is this one.
    pub(in crate::check::library) fn is_called(self, version: &str) -> bool {
        let [major, minor, _] = self.0;
        version == self.to_string() || version == format!("{major}.{minor}")
    }

    pub(in crate::check::library) fn major(self) -> i32 {
        self.0[0]
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

/// The major version in a SONAME: 12 of `libcublas.so.12`.
pub(in crate::check::library) fn of_soname(soname: &str) -> Option<i32> {
    let (_, version) = soname.split_once(".so.")?;
    version.split('.').next()?.parse().ok()
}

/// The major version of the CUDA runtime that a release is built on: they go together since 11.
pub(in crate::check::library) fn cuda(release: Release) -> Option<usize> {
    usize::try_from(release.major()).ok()
}

/// `12.8` of 12080.
pub(in crate::check::library) fn runtime(number: usize) -> String {
    format!("{}.{}", number / 1000, number % 1000 / 10)
}

/// The names of libcublas and of the libcublasLt among mapped files, if both have a version of four numbers and the
/// versions differ: `libcublas.so.12.4.5.8` and `libcublasLt.so.12.6.4.1`.
pub(in crate::check::library) fn files_of_two_releases(
    file: &Path,
    mapped: &[PathBuf],
) -> Option<(String, String)> {
    let version = |path: &Path, stem: &str| {
        let name = path.file_name()?.to_str()?;
        let version = name.strip_prefix(stem)?.strip_prefix(".so.")?;
        let is_whole = version.split('.').count() == 4;
        is_whole.then(|| (name.to_owned(), version.to_owned()))
    };
    let (file, own) = version(file, "libcublas")?;
    let (part, other) = mapped.iter().find_map(|it| version(it, "libcublasLt"))?;
    (own != other).then_some((file, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: i32, expected: &str) {
        assert_eq!(Release::of_number(number).to_string(), expected);
    }

    #[test]
    fn numbers_are_taken_apart() {
        check(111_103, "11.11.3");
        check(120_001, "12.0.1");
        check(120_901, "12.9.1");
        check(131_000, "13.10.0");
        assert!(Release::of_number(120_901).is_called("12.9.1"));
        assert!(Release::of_number(120_901).is_called("12.9"));
        assert!(!Release::of_number(120_901).is_called("12.9.2"));
        assert!(!Release::of_number(120_901).is_called("12.0"));
        assert_eq!(runtime(12080), "12.8");
        assert_eq!(of_soname("libcublas.so.12"), Some(12));
        assert_eq!(of_soname("libcublasLt.so.11.4.1"), Some(11));
        assert_eq!(of_soname("libcublas.so"), None);
    }

    #[track_caller]
    fn files(file: &str, part: &str, differ: bool) {
        let mapped = [PathBuf::from("/lib/libc.so.6"), PathBuf::from(part)];
        let found = files_of_two_releases(Path::new(file), &mapped);
        assert_eq!(found.is_some(), differ, "{file} {part}");
    }

    #[test]
    fn names_of_files_tell_releases_apart() {
        files(
            "/a/libcublas.so.12.4.5.8",
            "/a/libcublasLt.so.12.4.5.8",
            false,
        );
        files(
            "/a/libcublas.so.12.4.5.8",
            "/a/libcublasLt.so.12.6.4.1",
            true,
        );
        files("/a/libcublas.so.12", "/a/libcublasLt.so.12.6.4.1", false);
        files("/a/libcublas.so.12.4.5.8", "/a/libcublasLt.so.12", false);
    }
}
