//! The files of a machine, which may be this one or a tree that was recorded on another.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Files that are read are small; a larger one is not what it should be.
const MOST_BYTES: u64 = 16 << 20;
/// As many links as the kernel follows.
const MOST_LINKS: u32 = 40;

/// The root below which a machine's files are looked for.
pub(super) struct Root {
    path: PathBuf,
    links: Links,
}

/// Where absolute links lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Links {
    /// To a file below the root: the tree is another machine's.
    Inside,
    /// To a file below the root, else to one of this machine: a simulated machine's drivers are links to the simulator.
    Outward,
}

/// A file behind all links.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// Its path on the machine.
    pub(super) inside: PathBuf,
    /// Where it can be opened.
    pub(super) host: PathBuf,
}

/// Why there is no file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Broken {
    /// Nothing has this path.
    Missing,
    /// A link leads to this path, which does not exist.
    Dangling(PathBuf),
    /// Links lead to one another.
    Loop,
}

impl Root {
    pub(super) fn new(path: &Path, links: Links) -> Self {
        Self {
            path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            links,
        }
    }

    /// Whether this is the root of the machine that runs us.
    pub(super) fn is_own(&self) -> bool {
        self.path == Path::new("/")
    }

    /// Where a machine's path lies, before links are followed.
    pub(super) fn host(&self, inside: &Path) -> PathBuf {
        self.path.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Follows every link on a path.
    pub(super) fn follow(&self, path: &Path) -> Result<Place, Broken> {
        let mut pending = reversed(path);
        let mut inside = PathBuf::from("/");
        let mut links = 0;
        // Whether the last name of the path is a link, so that what is missing is its target.
        let mut led_astray = false;
        while let Some(name) = pending.pop() {
            if name == ".." {
                inside.pop();
                continue;
            }
            let next = inside.join(&name);
            let host = self.host(&next);
            let Ok(data) = fs::symlink_metadata(&host) else {
                return Err(if led_astray {
                    Broken::Dangling(
                        pending
                            .iter()
                            .rev()
                            .fold(next, |path, name| path.join(name)),
                    )
                } else {
                    Broken::Missing
                });
            };
            if !data.is_symlink() {
                inside = next;
                continue;
            }
            links += 1;
            led_astray |= pending.is_empty();
            let Ok(target) = fs::read_link(&host) else {
                return Err(Broken::Dangling(next));
            };
            if links > MOST_LINKS {
                return Err(Broken::Loop);
            }
            if target.is_absolute() {
                if self.links == Links::Outward
                    && pending.is_empty()
                    && fs::symlink_metadata(self.host(&target)).is_err()
                    && let Ok(host) = fs::canonicalize(&target)
                {
                    return Ok(Place {
                        inside: host.clone(),
                        host,
                    });
                }
                inside = PathBuf::from("/");
            }
            pending.extend(reversed(&target));
        }
        Ok(Place {
            host: self.host(&inside),
            inside,
        })
    }

    /// A small file's content.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        let place = self.follow(Path::new(path)).ok()?;
        let mut bytes = Vec::new();
        let file = open(&place.host).ok()?;
        file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// A small file's content as text.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let bytes = self.read(path)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether a path leads to anything.
    pub(super) fn has(&self, path: &str) -> bool {
        self.follow(Path::new(path)).is_ok()
    }

    /// The names of a folder's folders, in order.
    pub(super) fn folders(&self, path: &Path) -> Vec<OsString> {
        let Ok(place) = self.follow(path) else {
            return Vec::new();
        };
        let entries = fs::read_dir(place.host).into_iter().flatten().flatten();
        let mut names: Vec<OsString> = entries
            .map(|entry| entry.file_name())
            .filter(|name| {
                self.follow(&path.join(name))
                    .is_ok_and(|place| place.host.is_dir())
            })
            .collect();
        names.sort();
        names
    }
}

/// Opens a file, and nothing else: to open a pipe could take for ever.
pub(super) fn open(host: &Path) -> io::Result<fs::File> {
    if fs::metadata(host)?.is_file() {
        fs::File::open(host)
    } else {
        Err(io::Error::other("it is no file"))
    }
}

/// The names on a path, last first; those that do not lead anywhere are left out.
fn reversed(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("nix/store/x/lib")).unwrap();
        fs::create_dir_all(at("run")).unwrap();
        fs::write(at("nix/store/x/lib/libcuda.so.1.2"), "elf").unwrap();
        symlink("libcuda.so.1.2", at("nix/store/x/lib/libcuda.so.1")).unwrap();
        symlink("/nix/store/x", at("run/driver")).unwrap();
        symlink("../nix/store/x/lib", at("run/up")).unwrap();
        symlink("/nowhere/libcuda.so.1", at("run/dangling")).unwrap();
        symlink("b", at("run/a")).unwrap();
        symlink("a", at("run/b")).unwrap();
        folder
    }

    #[track_caller]
    fn check(path: &str, expected: Result<&str, Broken>) {
        let folder = tree();
        let root = Root::new(folder.path(), Links::Inside);
        let found = root.follow(Path::new(path)).map(|place| place.inside);
        assert_eq!(found, expected.map(PathBuf::from));
    }

    #[test]
    fn links_lead_to_files_of_the_same_tree() {
        let file = "/nix/store/x/lib/libcuda.so.1.2";
        check("/run/driver/lib/libcuda.so.1", Ok(file));
        check("/run/up/libcuda.so.1", Ok(file));
        check("/run/../run/up/libcuda.so.1", Ok(file));
        check("/run/none", Err(Broken::Missing));
        check("/run/up/none", Err(Broken::Missing));
        check(
            "/run/dangling",
            Err(Broken::Dangling("/nowhere/libcuda.so.1".into())),
        );
        check("/run/a", Err(Broken::Loop));
    }

    #[test]
    fn nobody_waits_for_what_is_no_file() {
        let folder = tree();
        let pipe = folder.path().join("run/pipe");
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, rustix::fs::Mode::RWXU, 0).unwrap();
        let root = Root::new(folder.path(), Links::Inside);
        assert_eq!(root.read("/run/pipe"), None);
        assert_eq!(root.read("/run"), None);
        assert_eq!(root.read("/run/up/libcuda.so.1"), Some(b"elf".to_vec()));
        assert!(open(&pipe).is_err());
    }

    #[test]
    fn a_simulated_machine_has_links_to_this_one() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let folder = tree();
        symlink(outside.path(), folder.path().join("run/out")).unwrap();
        let real = fs::canonicalize(outside.path()).unwrap();
        let follow = |links| Root::new(folder.path(), links).follow(Path::new("/run/out"));
        assert_eq!(follow(Links::Outward).map(|place| place.host), Ok(real));
        assert!(matches!(follow(Links::Inside), Err(Broken::Dangling(_))));
    }
}
