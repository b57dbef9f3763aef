//! Finds the files below the given paths, each once, whatever links there are.
//!
//! Links to files are names of those files, and the loader knows libraries by such names. Links to directories are
//! followed into Nix stores, where packages are joined by them, and nowhere else: a link to `/` must not turn a
//! question about a package into one about the machine.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, FileType};
use std::io;
use std::path::{Component, Path, PathBuf};

use cudacheck_model::package::{ReadWarning, WarningCode};

use crate::subject::impostor;

/// Warnings that are kept of the search.
const WARNINGS: usize = 1024;

/// A file to read.
pub(crate) struct Candidate {
    /// Its name below the path that was given.
    pub(crate) path: PathBuf,
    /// Its other names.
    pub(crate) aliases: Vec<PathBuf>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    /// The files by the paths they really have.
    files: BTreeMap<PathBuf, Candidate>,
    warnings: Vec<ReadWarning>,
    left_out: u64,
    /// Links to files, by what they lead to.
    links: Vec<(PathBuf, PathBuf)>,
    visited: HashSet<PathBuf>,
}

/// A directory to read: its name below the path that was given, and its real path.
struct Directory {
    path: PathBuf,
    real: PathBuf,
}

/// Finds the files below `roots`, ordered by path, with what kept others from being found.
pub(crate) fn walk(roots: &[PathBuf]) -> (Vec<Candidate>, Vec<ReadWarning>, u64) {
    let mut found = Found::default();
    let mut pending = Vec::new();
    let mut real_roots = Vec::new();
    for root in roots {
        match fs::canonicalize(root).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real))) {
            Ok((kind, real)) if kind.is_dir() => {
                real_roots.push(real.clone());
                pending.push(Directory {
                    path: root.clone(),
                    real,
                });
            }
            Ok((kind, real)) if kind.is_file() => found.file(root.clone(), real),
            Ok((kind, _)) => found.warn(WarningCode::NotAFile, root, what(kind)),
            Err(error) => found.warn(WarningCode::Unreadable, root, error.to_string()),
        }
    }
    pending.reverse();
    while let Some(directory) = pending.pop() {
        found.directory(&directory, &real_roots, &mut pending);
    }
    // Directories are listed in any order, and the answer must not depend on it.
    found.links.sort();
    for (real, link) in std::mem::take(&mut found.links) {
        match found.files.get_mut(&real) {
            Some(file) => file.aliases.push(link),
            None => found.file(link, real),
        }
    }
    let mut files: Vec<Candidate> = found.files.into_values().collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    for file in &mut files {
        file.aliases.sort();
    }
    found
        .warnings
        .sort_by(|one, other| one.file.cmp(&other.file));
    (files, found.warnings, found.left_out)
}

impl Found {
    fn directory(
        &mut self,
        directory: &Directory,
        roots: &[PathBuf],
        pending: &mut Vec<Directory>,
    ) {
        if !self.visited.insert(directory.real.clone()) {
            return;
        }
        let entries = match fs::read_dir(&directory.path) {
            Ok(entries) => entries,
            Err(error) => {
                return self.warn(WarningCode::Unreadable, &directory.path, error.to_string());
            }
        };
        for entry in entries {
            let read = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name())));
            let (kind, name) = match read {
                Ok(read) => read,
                Err(error) => {
                    self.warn(WarningCode::Unreadable, &directory.path, error.to_string());
                    // A directory whose reading fails may fail for ever.
                    return;
                }
            };
            let path = directory.path.join(&name);
            if kind.is_dir() {
                if impostor::named(&path).is_some() {
                    let message = "a directory with the name of a library".to_owned();
                    self.warn(WarningCode::NotAFile, &path, message);
                }
                pending.push(Directory {
                    path,
                    real: directory.real.join(&name),
                });
            } else if kind.is_file() {
                self.file(path, directory.real.join(&name));
            } else if kind.is_symlink() {
                self.link(path, roots, pending);
            } else {
                self.warn(WarningCode::NotAFile, &path, what(kind));
            }
        }
    }

    fn file(&mut self, path: PathBuf, real: PathBuf) {
        if let Some(known) = self.files.get_mut(&real) {
            if known.path != path {
                known.aliases.push(path);
            }
            return;
        }
        self.files.insert(
            real,
            Candidate {
                path,
                aliases: Vec::new(),
            },
        );
    }

    fn link(&mut self, path: PathBuf, roots: &[PathBuf], pending: &mut Vec<Directory>) {
        let target =
            fs::canonicalize(&path).and_then(|real| Ok((fs::metadata(&real)?.file_type(), real)));
        match target {
            Ok((kind, real)) if kind.is_file() => self.links.push((real, path)),
            Ok((kind, real)) if kind.is_dir() => {
                let inside = roots.iter().any(|root| real.starts_with(root));
                if inside {
                    // It is read under its own name.
                } else if is_in_store(&real) {
                    pending.push(Directory { path, real });
                } else {
                    let message = format!(
                        "a link to the directory `{}`, which is not among the given paths",
                        real.display()
                    );
                    self.warn(WarningCode::LinkNotFollowed, &path, message);
                }
            }
            Ok((kind, _)) => self.warn(WarningCode::NotAFile, &path, what(kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.warn(
                    WarningCode::LinkNotFollowed,
                    &path,
                    "a link that leads nowhere".to_owned(),
                );
            }
            Err(error) => self.warn(WarningCode::LinkNotFollowed, &path, error.to_string()),
        }
    }

    fn warn(&mut self, code: WarningCode, file: &Path, message: String) {
        if self.warnings.len() == WARNINGS {
            self.left_out += 1;
            return;
        }
        self.warnings.push(ReadWarning {
            code,
            file: file.to_owned(),
            offset: None,
            message,
        });
    }
}

/// Whether a path is that of a store object of Nix or of something in one.
fn is_in_store(path: &Path) -> bool {
    let mut parts = path
        .components()
        .skip_while(|part| *part != Component::Normal("store".as_ref()))
        .skip(1);
    let object = parts
        .next()
        .and_then(|part| part.as_os_str().to_str())
        .and_then(|name| name.split_once('-'));
    let is_hash =
        |hash: &str| hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
    object.is_some_and(|(hash, _)| is_hash(hash))
}

fn what(kind: FileType) -> String {
    use std::os::unix::fs::FileTypeExt;
    let what = if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    format!("{what}, which is not read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Names below a directory, each with its aliases, and the files with warnings.
    #[track_caller]
    fn check(build: fn(&Path), files: &[&str], warned: &[(&str, WarningCode)]) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        build(&root);
        let (found, warnings, _) = walk(std::slice::from_ref(&root));
        let relative = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
        let found: Vec<String> = found
            .iter()
            .map(|file| {
                let names = std::iter::once(&file.path).chain(&file.aliases);
                names
                    .map(|name| relative(name))
                    .collect::<Vec<_>>()
                    .join(" = ")
            })
            .collect();
        let warnings: Vec<_> = warnings
            .iter()
            .map(|warning| (relative(&warning.file), warning.code))
            .collect();
        let expected: Vec<_> = warned
            .iter()
            .map(|(file, code)| ((*file).to_owned(), *code))
            .collect();
        assert_eq!(
            (found, warnings),
            (
                files.iter().map(|name| (*name).to_owned()).collect(),
                expected
            )
        );
    }

    #[test]
    fn links_are_names_of_files() {
        check(
            |root| {
                fs::write(root.join("libx.so.1.2"), "x").unwrap();
                symlink("libx.so.1.2", root.join("libx.so.1")).unwrap();
                symlink("libx.so.1", root.join("libx.so")).unwrap();
            },
            &["libx.so.1.2 = libx.so = libx.so.1"],
            &[],
        );
    }

    #[test]
    fn a_file_elsewhere_is_read_under_the_name_of_its_link() {
        check(
            |root| {
                fs::write(root.join("../elsewhere"), "x").unwrap();
                symlink("../elsewhere", root.join("a")).unwrap();
                symlink("../elsewhere", root.join("b")).unwrap();
            },
            &["a = b"],
            &[],
        );
    }

    #[test]
    fn links_to_directories_lead_into_stores_only() {
        check(
            |root| {
                let object = root.join("../nix/store/0123456789abcdfghijklmnpqrsvwxyz-x-1/lib");
                fs::create_dir_all(&object).unwrap();
                fs::write(object.join("libx.so"), "x").unwrap();
                symlink(object, root.join("lib")).unwrap();
                symlink("/", root.join("everything")).unwrap();
                symlink(".", root.join("self")).unwrap();
                symlink("loop", root.join("loop")).unwrap();
                symlink("missing", root.join("dangling")).unwrap();
            },
            &["lib/libx.so"],
            &[
                ("dangling", WarningCode::LinkNotFollowed),
                ("everything", WarningCode::LinkNotFollowed),
                ("loop", WarningCode::LinkNotFollowed),
            ],
        );
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        check(
            |root| {
                rustix::fs::mkfifoat(rustix::fs::CWD, root.join("fifo"), rustix::fs::Mode::RWXU)
                    .unwrap();
                std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
                symlink("/dev/zero", root.join("zero")).unwrap();
            },
            &[],
            &[
                ("fifo", WarningCode::NotAFile),
                ("socket", WarningCode::NotAFile),
                ("zero", WarningCode::NotAFile),
            ],
        );
    }
}
