//! Finds the libcudart that a package uses, so that it can be asked what it makes of a driver.

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_inspect::resolve::{LoaderContext, resolve_from};
use cudacheck_model::package::{FileKind, Machine, PackageFacts, PackageFile};

/// The libcudart among the files of a package; else the one that the loader finds for them; else one that lies beside
/// a driver. Nothing that is made for another processor.
pub(super) fn libcudart(files: Option<&PackageFacts>, beside: Option<&Path>) -> Option<PathBuf> {
    let found = files.and_then(|facts| own(facts).or_else(|| needed(facts)));
    let found = found.or_else(|| in_directory(beside?));
    fs::canonicalize(found?).ok()
}

fn own(facts: &PackageFacts) -> Option<PathBuf> {
    let mut files = facts.files.iter().filter(|file| is_for_here(file));
    let own = files.find(|file| {
        let names = [&file.path].into_iter().chain(&file.aliases);
        let mut names = names.filter_map(|path| path.file_name()?.to_str());
        file.kind == FileKind::SharedObject && names.any(is_libcudart)
    });
    own.map(|file| file.path.clone())
}

fn needed(facts: &PackageFacts) -> Option<PathBuf> {
    let mut files = facts.files.iter().filter(|file| is_for_here(file));
    let asks = files.find(|file| {
        let needed = file.elf.iter().flat_map(|elf| &elf.needed);
        needed.clone().any(|name| is_libcudart(name))
    })?;
    let edges = resolve_from(facts, &LoaderContext::default(), &asks.path);
    let mut found = edges
        .iter()
        .filter(|edge| is_libcudart(&edge.edge.name))
        .filter_map(|edge| edge.found.real());
    found.next().map(Path::to_owned)
}

/// The last by name: `libcudart.so.13` before `libcudart.so.12`.
fn in_directory(directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let names = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(is_libcudart) && path.is_file()
    });
    names.max()
}

fn is_libcudart(name: &str) -> bool {
    name.starts_with("libcudart.so.")
}

fn is_for_here(file: &PackageFile) -> bool {
    let here = match std::env::consts::ARCH {
        "x86_64" => Machine::X86_64,
        "aarch64" => Machine::Aarch64,
        _ => return false,
    };
    file.machine == Some(here)
}
