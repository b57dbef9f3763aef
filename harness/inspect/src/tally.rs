//! Counts what is found in a file, so that a million entries take the memory of the kinds there are of them.

use std::collections::{BTreeMap, BTreeSet};

use cudacheck_model::package::{
    CodeEntry, CodeGroup, CodeKind, CodeSection, CodeVersion, Compression, ContainerProfile,
    FoundBy, Loadable, WarningCode,
};
use cudacheck_model::version::Target;

use crate::fatbin::{Event, Payload, Section};
use crate::warnings::Warnings;

/// Sections that are told apart in one file. Real files have fewer than ten with code.
const SECTIONS: usize = 256;

/// Kinds of entries, and kinds of containers, that are told apart in one section. Real ones have some dozens.
const KINDS: usize = 1024;

/// Loadable entries that are told apart in one container.
const LOADABLE: usize = 1024;

/// Texts that are kept of one section, and bytes of each.
const TEXTS: usize = 16;
const TEXT: usize = 1024;

/// What was found in a file.
#[derive(Default)]
pub(crate) struct Tally {
    sections: Vec<Counts>,
    limited: bool,
}

/// What entries have in common that are counted together.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Key {
    kind: CodeKind,
    target: Option<Target>,
    version: CodeVersion,
    compression: Compression,
    concatenated: bool,
}

#[derive(Default)]
struct Sum {
    count: u64,
    stored: u64,
    unpacked: u64,
}

struct Counts {
    name: String,
    found_by: FoundBy,
    containers: u64,
    entries: u64,
    groups: BTreeMap<Key, Sum>,
    profiles: BTreeMap<BTreeSet<Loadable>, u64>,
    without_profile: u64,
    options: Vec<String>,
    identifiers: Vec<String>,
    /// What can be loaded of the container that is being read.
    open: Option<BTreeSet<Loadable>>,
    /// What can be loaded of the cubins outside of containers. Nothing says which of them are alternatives to each
    /// other; they are counted as one container, as the same kernels for several devices would be.
    loose: Option<BTreeSet<Loadable>>,
}

impl Tally {
    /// Counts what was found.
    pub(crate) fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Container { section } => {
                let Some(counts) = self.section(*section) else {
                    return;
                };
                counts.close();
                counts.containers += 1;
                counts.open = Some(BTreeSet::new());
            }
            Event::NoKernels { section } => {
                let Some(counts) = self.section(*section) else {
                    return;
                };
                counts.open = counts.open.is_some().then(BTreeSet::new);
            }
            Event::Entry {
                section,
                entry,
                payload,
            } => {
                let Some(counts) = self.section(*section) else {
                    return;
                };
                self.limited |= counts.entry(entry, *payload);
            }
        }
    }

    /// What was counted.
    pub(crate) fn finish(self, warnings: &mut Warnings) -> Vec<CodeSection> {
        let Self { sections, limited } = self;
        if limited {
            let message = "there are more kinds of GPU code than are told apart; what is listed is not complete";
            warnings.whole(WarningCode::LimitReached, message);
        }
        sections.into_iter().map(Counts::finish).collect()
    }

    fn section(&mut self, section: Section<'_>) -> Option<&mut Counts> {
        let same =
            |counts: &Counts| counts.name == section.name && counts.found_by == section.found_by;
        // The last one is nearly always the one.
        let index = self.sections.iter().rposition(same);
        if index.is_none() {
            if self.sections.len() == SECTIONS {
                self.limited = true;
                return None;
            }
            self.sections.push(Counts::new(section));
        }
        let index = index.unwrap_or(self.sections.len() - 1);
        self.sections.get_mut(index)
    }
}

impl Counts {
    fn new(section: Section<'_>) -> Self {
        Self {
            name: section.name.to_owned(),
            found_by: section.found_by,
            containers: 0,
            entries: 0,
            groups: BTreeMap::new(),
            profiles: BTreeMap::new(),
            without_profile: 0,
            options: Vec::new(),
            identifiers: Vec::new(),
            open: None,
            loose: None,
        }
    }

    /// Counts an entry, and answers whether that reached a limit.
    fn entry(&mut self, entry: &CodeEntry, payload: Payload) -> bool {
        keep(&mut self.options, entry.options.as_deref());
        keep(&mut self.identifiers, entry.identifier.as_deref());
        // What only holds others is not counted as one of them.
        if entry.kind == CodeKind::Concatenated {
            return false;
        }
        self.entries += 1;
        let key = Key {
            kind: entry.kind,
            target: entry.target,
            version: entry.version,
            compression: entry.compression,
            concatenated: entry.concatenated,
        };
        let mut limited = false;
        if self.groups.len() < KINDS || self.groups.contains_key(&key) {
            let sum = self.groups.entry(key).or_default();
            sum.count += 1;
            sum.stored = sum.stored.saturating_add(entry.stored_bytes);
            sum.unpacked = sum.unpacked.saturating_add(entry.unpacked_bytes);
        } else {
            limited = true;
        }
        let container = match payload {
            Payload::Stored { .. } | Payload::Nested { .. } => self.open.get_or_insert_default(),
            Payload::Loose { .. } => self.loose.get_or_insert_default(),
        };
        if let Some(loadable) = entry.loadable() {
            if container.len() < LOADABLE {
                container.insert(loadable);
            } else {
                limited |= !container.contains(&loadable);
            }
        }
        limited
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.profile(open);
        }
    }

    fn profile(&mut self, profile: BTreeSet<Loadable>) {
        if self.profiles.len() < KINDS || self.profiles.contains_key(&profile) {
            *self.profiles.entry(profile).or_default() += 1;
        } else {
            self.without_profile += 1;
        }
    }

    fn finish(mut self) -> CodeSection {
        self.close();
        if let Some(loose) = self.loose.take() {
            self.containers += 1;
            self.profile(loose);
        }
        let groups = self.groups.into_iter().map(|(key, sum)| CodeGroup {
            kind: key.kind,
            target: key.target,
            version: key.version,
            compression: key.compression,
            concatenated: key.concatenated,
            count: sum.count,
            stored_bytes: sum.stored,
            unpacked_bytes: sum.unpacked,
        });
        let profiles = self
            .profiles
            .into_iter()
            .map(|(loadable, containers)| ContainerProfile {
                containers,
                loadable: loadable.into_iter().collect(),
            });
        CodeSection {
            name: self.name,
            found_by: self.found_by,
            containers: self.containers,
            entries: self.entries,
            groups: groups.collect(),
            profiles: profiles.collect(),
            containers_without_profile: self.without_profile,
            options: self.options,
            identifiers: self.identifiers,
        }
    }
}

fn keep(texts: &mut Vec<String>, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return;
    };
    let text = &text[..text.floor_char_boundary(TEXT)];
    if texts.len() < TEXTS && !texts.iter().any(|kept| kept == text) {
        texts.push(text.to_owned());
    }
}
