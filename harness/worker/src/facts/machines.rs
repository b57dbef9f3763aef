//! Probes the machines of `tests/machines`, each built as a tree of files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cudacheck_model::ld_cache;
use cudacheck_model::package::Machine;
use serde::Deserialize;

use super::elf::{self, Architecture};
use super::root::{Links, Root};
use super::{offline, recording};

/// A machine's file tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    files: BTreeMap<String, String>,
    libraries: BTreeMap<String, Content>,
    links: BTreeMap<String, String>,
    cache: Vec<Cached>,
}

/// What a library's file holds.
#[derive(Clone, Copy, Deserialize)]
enum Content {
    #[serde(rename = "x86_64")]
    X86,
    #[serde(rename = "aarch64")]
    Arm,
    #[serde(rename = "empty")]
    Empty,
}

/// An entry of the loader's cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cached {
    name: String,
    path: String,
    #[serde(rename = "for")]
    made_for: String,
}

impl Cached {
    fn entry(&self) -> ld_cache::Entry<'_> {
        let machine = match self.made_for.as_str() {
            "x86_64" => Machine::X86_64,
            "aarch64" => Machine::Aarch64,
            "i386" => Machine::X86,
            other => panic!("the cache has no flags for `{other}`"),
        };
        ld_cache::Entry {
            flags: ld_cache::flags(machine).unwrap(),
            hardware: 0,
            name: self.name.as_str().into(),
            path: self.path.as_str().into(),
        }
    }
}

impl Tree {
    fn build(&self, root: &Path) {
        // Links first: files may lie behind them.
        for (path, target) in &self.links {
            if let Some(target) = target.strip_prefix('/') {
                fs::create_dir_all(root.join(target).parent().unwrap()).unwrap();
            }
            symlink(target, place(root, path)).unwrap();
        }
        for (path, text) in &self.files {
            fs::write(place(root, path), text).unwrap();
        }
        for (path, content) in &self.libraries {
            let bytes = match content {
                Content::X86 => elf::smallest(Architecture::X86),
                Content::Arm => elf::smallest(Architecture::Arm),
                Content::Empty => Vec::new(),
            };
            fs::write(place(root, path), bytes).unwrap();
        }
        if !self.cache.is_empty() {
            let entries: Vec<_> = self.cache.iter().map(Cached::entry).collect();
            fs::write(place(root, "/etc/ld.so.cache"), ld_cache::written(&entries)).unwrap();
        }
    }
}

/// The host's path for a machine's, with its folder made.
fn place(root: &Path, path: &str) -> PathBuf {
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/machines")
}

/// The machines by name, each in a folder of its own.
fn machines() -> Vec<(String, tempfile::TempDir)> {
    let mut machines: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let tree: Tree =
                serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let root = tempfile::tempdir().unwrap();
            tree.build(root.path());
            (name, root)
        })
        .collect();
    machines.sort_by(|one, other| one.0.cmp(&other.0));
    machines
}

#[test]
fn each_machine_shows_its_facts() {
    let machines = machines();
    assert!(machines.len() >= 20, "{}", machines.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder().join("facts"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, root) in machines {
            let (_, found) = offline(root.path(), None);
            let facts = serde_json::to_string_pretty(&found.facts).unwrap();
            insta::assert_snapshot!(name, facts);
        }
    });
}

#[test]
fn a_recording_gives_the_same_facts_as_the_machine() {
    for (name, root) in machines() {
        let (_, found) = offline(root.path(), None);
        let into = tempfile::tempdir().unwrap();
        recording::record(&found.facts, root.path(), into.path()).unwrap();
        let (recording, again) = offline(into.path(), None);
        let recorded = recording::read(&recording).unwrap();
        assert_eq!(
            recording::combine(again.facts, recorded),
            found.facts,
            "{name}"
        );
    }
}

#[test]
fn each_recording_still_says_what_was_recorded() {
    let mut recordings = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let (root, found) = offline(&path, None);
        if let Some(recorded) = recording::read(&root) {
            recordings += 1;
            let combined = recording::combine(found.facts, recorded.clone());
            assert_eq!(combined, recorded, "{}", path.display());
        }
    }
    assert!(recordings > 0);
}

#[test]
fn a_tree_without_facts_is_no_recording() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path(), Links::Inside);
    assert_eq!(recording::read(&root), None);
}
