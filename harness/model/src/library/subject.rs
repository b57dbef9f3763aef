//! What a library check is made on: one file of a package, with everything a worker needs to know of its surroundings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Library;

/// The libraries of the packages that a run examines. A package set may have several of one kind.
pub type Subjects = BTreeMap<Library, Vec<Subject>>;

/// One library of a package.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Subject {
    /// Tells it from others of its kind in the same run; none if it is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it says that it is called: `libcublas.so.12`.
    pub soname: String,
    /// Its file, by absolute path with all links resolved.
    pub path: PathBuf,
    /// What it needs or opens by name, and what it gets, in the order in which it asks.
    pub parts: Vec<Part>,
    /// Where its libraries may come from.
    pub territory: Territory,
    /// The loader that it needs, if the worker's own is too old for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loader: Option<Loader>,
}

/// Another library that a library asks for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// The name that it asks for.
    pub name: String,
    /// How much it needs it.
    pub need: PartNeed,
    /// The file that the loader takes, found without running anything; none if it finds none.
    pub found: Option<PathBuf>,
    /// Whether the name is one of the driver's, which packages must not bring.
    pub driver: bool,
}

/// How much a library needs another.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartNeed {
    /// The loader refuses the library without it.
    Linked,
    /// It opens it, and does not work without it.
    Required,
    /// It opens it for something that not all programs use.
    Feature,
    /// It looks whether it is there.
    Optional,
}

/// Where the libraries of a check may come from.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Territory {
    /// The package that the library is of, with all links resolved.
    pub own: PathBuf,
    /// Everything that belongs to the package: the given paths and, in a Nix store, their closure.
    pub closure: Vec<PathBuf>,
    /// The directories of the driver's libraries.
    pub driver: Vec<PathBuf>,
    /// Names or paths that `--allow-host-libraries` excepts.
    pub excepted: Vec<String>,
    /// Whether the host's C++ library may serve the package.
    pub host: Host,
}

/// Whether the host's C++ library may serve a package.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// The package brings everything but the driver, as those of Nix do.
    #[default]
    Refused,
    /// The package counts on the host's `libstdc++`, as Python's wheels do.
    Serves,
}

/// A dynamic loader with its search path.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Loader {
    /// The loader: `…-glibc-2.42/lib/ld-linux-x86-64.so.2`.
    pub path: PathBuf,
    /// Where the worker's own libraries are taken from: the C library that belongs to the loader.
    pub library_path: Vec<PathBuf>,
    /// The version of its C library, and the worker's: `2.42 for 2.36`.
    pub because: String,
}
