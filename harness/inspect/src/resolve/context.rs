//! The loader that a package will meet: which kind it is, where its system is, and what it searches by itself.

use std::path::{Path, PathBuf};

use cudacheck_model::package::Machine;

/// Where Nix keeps packages.
pub(crate) const STORE: &str = "/nix/store";

/// The circumstances of loading that are no part of a package.
#[derive(Clone, Debug, Default)]
pub struct LoaderContext {
    /// The root of the system that the package will run on. Without one it is this system.
    pub sysroot: Option<PathBuf>,
    /// Whose loader it is.
    pub kind: LoaderKind,
    /// `LD_LIBRARY_PATH`, in its order.
    pub library_path: Vec<PathBuf>,
    /// The directories below `glibc-hwcaps` that the processor allows, best first: `x86-64-v3`. Without any, the
    /// libraries for every processor are taken.
    pub hardware: Vec<String>,
    /// What `$PLATFORM` stands for. Without it, the name of the machine.
    pub platform: Option<String>,
}

/// Whose loader it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LoaderKind {
    /// Nix's for programs whose interpreter, and libraries that themselves, are in the Nix store; else a distribution's.
    #[default]
    ByFile,
    /// A distribution's: it has a cache and default directories.
    Distribution,
    /// Nix's: it searches nothing of the system, and by default only its own directory.
    Nix,
}

/// What a loader searches by itself for one file.
pub(super) struct Defaults {
    /// Its built-in directories.
    pub(super) directories: Vec<PathBuf>,
    /// Its cache.
    pub(super) cache: PathBuf,
    /// What `$LIB` stands for.
    pub(super) lib: String,
    /// Which names are there for certain, though nothing of the system can be read here.
    pub(super) unseen: Unseen,
}

/// Which names the system has for certain although it cannot be seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unseen {
    /// None: the system can be seen.
    Nothing,
    /// Those of the C library, which a loader never comes without.
    CLibrary,
    /// All but those of NVIDIA: the system is not here at all.
    System,
}

impl Defaults {
    /// Nix's loader: it is in the directory of its C library, if that is known.
    pub(super) fn nix(interpreter: Option<&Path>) -> Self {
        let directory = interpreter.and_then(Path::parent);
        let cache = directory
            .and_then(Path::parent)
            .map(|root| root.join("etc/ld.so.cache"));
        Self {
            directories: directory.map(Path::to_owned).into_iter().collect(),
            cache: cache.unwrap_or_default(),
            lib: "lib".to_owned(),
            unseen: if directory.is_some() {
                Unseen::Nothing
            } else {
                Unseen::CLibrary
            },
        }
    }

    /// A distribution's loader. `is_there` answers whether the system has a path.
    pub(super) fn distribution(machine: Machine, is_there: impl Fn(&Path) -> bool) -> Self {
        let debian = triplet(machine).map(|triplet| format!("lib/{triplet}"));
        let debian = debian.filter(|lib| is_there(&Path::new("/").join(lib)));
        let is_wide = match machine {
            Machine::X86_64 | Machine::Aarch64 | Machine::Ppc64le | Machine::Ppc64 => true,
            Machine::X86 | Machine::Arm | Machine::Cuda | Machine::Other(_) => false,
        };
        let wide = if is_wide { "lib64" } else { "lib" };
        let lib = debian.unwrap_or_else(|| wide.to_owned());
        let mut directories = vec![Path::new("/").join(&lib), Path::new("/usr").join(&lib)];
        for plain in ["/lib", "/usr/lib"] {
            if !directories.iter().any(|known| known == Path::new(plain)) {
                directories.push(PathBuf::from(plain));
            }
        }
        let is_seen = interpreter(machine).is_some_and(|path| is_there(Path::new(path)));
        Self {
            directories,
            cache: PathBuf::from("/etc/ld.so.cache"),
            lib,
            unseen: if is_seen {
                Unseen::Nothing
            } else {
                Unseen::System
            },
        }
    }
}

/// Whether a name is of the C library itself, and comes with every loader.
pub(super) fn is_c_library(name: &str) -> bool {
    const STEMS: [&str; 11] = [
        "c",
        "m",
        "dl",
        "pthread",
        "rt",
        "util",
        "resolv",
        "anl",
        "mvec",
        "nsl",
        "BrokenLocale",
    ];
    is_loader(name) || crate::known::stem(name).is_some_and(|(stem, _)| STEMS.contains(&stem))
}

/// Whether a name is the loader's own.
pub(super) fn is_loader(name: &str) -> bool {
    name.starts_with("ld-linux") || name.starts_with("ld64.so.") || name.starts_with("linux-vdso")
}

/// What `$PLATFORM` stands for if nothing else is known.
pub(super) fn platform(machine: Machine) -> &'static str {
    match machine {
        Machine::X86_64 => "x86_64",
        Machine::X86 => "i686",
        Machine::Aarch64 => "aarch64",
        Machine::Arm => "v7l",
        Machine::Ppc64le => "power8",
        Machine::Ppc64 => "power7",
        Machine::Cuda | Machine::Other(_) => "unknown",
    }
}

/// Debian's directory names.
fn triplet(machine: Machine) -> Option<&'static str> {
    match machine {
        Machine::X86_64 => Some("x86_64-linux-gnu"),
        Machine::X86 => Some("i386-linux-gnu"),
        Machine::Aarch64 => Some("aarch64-linux-gnu"),
        Machine::Arm => Some("arm-linux-gnueabihf"),
        Machine::Ppc64le => Some("powerpc64le-linux-gnu"),
        Machine::Ppc64 => Some("powerpc64-linux-gnu"),
        Machine::Cuda | Machine::Other(_) => None,
    }
}

/// Where the loader of a machine is on every distribution.
pub(super) fn interpreter(machine: Machine) -> Option<&'static str> {
    match machine {
        Machine::X86_64 => Some("/lib64/ld-linux-x86-64.so.2"),
        Machine::X86 => Some("/lib/ld-linux.so.2"),
        Machine::Aarch64 => Some("/lib/ld-linux-aarch64.so.1"),
        Machine::Arm => Some("/lib/ld-linux-armhf.so.3"),
        Machine::Ppc64le => Some("/lib64/ld64.so.2"),
        Machine::Ppc64 => Some("/lib64/ld64.so.1"),
        Machine::Cuda | Machine::Other(_) => None,
    }
}
