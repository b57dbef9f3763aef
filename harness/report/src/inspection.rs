//! Says what a package contains, for people: what runs where, then what is wrong, then the details.

use std::collections::BTreeMap;
use std::path::Path;

use cudacheck_model::finding::{EdgeKind, Evidence, Finding, Severity};
use cudacheck_model::package::{
    CodeKind, CodeVersion, Coverage, CoverageVerdict, FoundBy, PackageFacts, PackageFile, coverage,
};
use cudacheck_model::version::{ComputeCapability, Target};

use crate::{text, words};

/// A device to be told about, and whose it is: `8.7`, `Jetson Orin`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// Its capability.
    pub capability: ComputeCapability,
    /// Products that have it.
    pub products: String,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Detail {
    /// One line a file.
    Files,
    /// Every section, every library that is asked for, every warning.
    Everything,
}

/// What the answer is about.
pub struct Inspection<'a> {
    /// What was read.
    pub facts: &'a PackageFacts,
    /// What is wrong, the worst first.
    pub findings: &'a [Finding],
    /// The devices.
    pub devices: &'a [Asked],
    /// How much is told.
    pub detail: Detail,
}

/// Columns that the answer fits.
const WIDTH: usize = 100;

/// Warnings that are told without being asked for.
const FEW: usize = 10;

/// The answer as aligned lines; the first is the answer.
pub fn inspection_text(inspection: &Inspection<'_>) -> String {
    let mut out = format!("{}\n", answer(inspection));
    out += &devices(inspection);
    out += &findings(inspection.findings);
    out += &files(inspection);
    out += &warnings(inspection);
    out
}

fn answer(inspection: &Inspection<'_>) -> String {
    let counts = inspection.facts.counts;
    let contents = if counts.containers == 0 {
        format!("no GPU code in {}", words::count(counts.files, "file"))
    } else {
        format!(
            "GPU code in {} of {}: {}, {}",
            counts.files_with_code,
            words::count(counts.files, "file"),
            words::count(counts.containers, "container"),
            words::count(counts.entries, "entry"),
        )
    };
    let worst = inspection
        .findings
        .iter()
        .map(|finding| finding.severity)
        .max();
    let verdict = match (inspection.devices, worst) {
        (_, Some(Severity::Error)) => "; it will fail as it is, see the findings".to_owned(),
        ([only], _) if counts.containers > 0 => {
            let found = coverage(inspection.facts.code(), only.capability, None);
            format!("; {} on {}", verdict(found.verdict), only.capability.sm())
        }
        (_, _) => String::new(),
    };
    text::one_line(format!("{contents}{verdict}"))
}

fn verdict(verdict: CoverageVerdict) -> &'static str {
    match verdict {
        CoverageVerdict::Native => "native",
        CoverageVerdict::Jit => "jit",
        CoverageVerdict::Partial => "partial",
        CoverageVerdict::None => "none",
        CoverageVerdict::Unknown => "unknown",
    }
}

/// What runs where. Neighbours with the same answer share a line.
fn devices(inspection: &Inspection<'_>) -> String {
    if inspection.facts.counts.containers == 0 {
        return String::new();
    }
    let mut rows: Vec<(Vec<&Asked>, Coverage)> = Vec::new();
    for asked in inspection.devices {
        let found = coverage(inspection.facts.code(), asked.capability, None);
        match rows.last_mut() {
            Some((devices, same)) if *same == found => devices.push(asked),
            Some(_) | None => rows.push((vec![asked], found)),
        }
    }
    let mut out = String::new();
    for (devices, found) in rows {
        let names = match devices.as_slice() {
            [] => String::new(),
            [only] => only.capability.sm(),
            [first, .., last] => format!("{} to {}", first.capability.sm(), last.capability.sm()),
        };
        let products = match devices.as_slice() {
            [only] => format!(" · {}", only.products),
            _ => String::new(),
        };
        out += &format!(
            "  {names:<18}{:<9}{}\n",
            verdict(found.verdict),
            text::one_line(format!("{}{products}", explained(&found)))
        );
    }
    out
}

/// `190 of 194 by machine code, 4 with nothing`.
fn explained(found: &Coverage) -> String {
    let usable = found.native + found.jit + found.unusable + found.unknown;
    let mut parts = Vec::new();
    if found.native > 0 {
        parts.push(format!(
            "{} of {usable} containers by machine code",
            found.native
        ));
    }
    if found.jit > 0 {
        parts.push(format!("{} of {usable} by PTX", found.jit));
    }
    if found.unusable > 0 {
        parts.push(format!("{} of {usable} with nothing", found.unusable));
    }
    if found.unknown > 0 {
        parts.push(format!("{} not known", found.unknown));
    }
    if parts.is_empty() {
        parts.push("nothing that a driver loads as it is".to_owned());
    }
    parts.join(", ")
}

fn findings(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let mut line = |label: &str, value: &str| out += &hanging(&format!("{label:>9}  "), value);
        line(severity, &format!("{}: {}", finding.code, finding.message));
        line("seen", &seen(&finding.evidence));
        line("cause", &finding.cause);
        line("remedy", &finding.remedy);
    }
    out
}

/// A value beside its label, wrapped to the width with its lines below each other; nothing for no value.
fn hanging(label: &str, value: &str) -> String {
    let indent = label.chars().count();
    let lines = text::wrapped(&text::one_line(value), WIDTH - indent);
    let mut out = String::new();
    for (number, line) in lines.iter().filter(|line| !line.is_empty()).enumerate() {
        let head = if number == 0 { label } else { "" };
        out += &format!("{head:indent$}{line}\n");
    }
    out
}

/// Where a flaw shows: `lib/libx.so, which needs libcuda.so.1, by its RUNPATH -> …`.
fn seen(evidence: &Evidence) -> String {
    let mut words = evidence.file.display().to_string();
    if let Some(edge) = &evidence.edge {
        let how = match edge.kind {
            EdgeKind::Needed => "needs",
            EdgeKind::Opened => "opens",
            EdgeKind::PerhapsOpened => "perhaps opens",
        };
        words += &format!(", which {how} {}", edge.name);
    }
    if let Some(rule) = &evidence.rule {
        words += &format!(", by {rule}");
    }
    if let Some(other) = &evidence.other {
        words += &format!(" -> {}", other.display());
    }
    if let Some(within) = &evidence.within {
        words += &format!(", loaded by {}", within.display());
    }
    words
}

fn files(inspection: &Inspection<'_>) -> String {
    let facts = inspection.facts;
    let mut out = String::new();
    let shown = facts
        .files
        .iter()
        .filter(|file| !file.code.is_empty() || inspection.detail == Detail::Everything);
    for file in shown {
        out += &format!("{}\n", text::one_line(below(&file.path, &facts.roots)));
        if !file.code.is_empty() {
            for line in targets(file, inspection.detail) {
                out += &hanging("  ", &line);
            }
        }
        if inspection.detail == Detail::Everything {
            for line in loader(file) {
                out += &hanging("  ", &line);
            }
        }
    }
    out
}

/// The path without the root that all share, when there is one root only.
fn below(path: &Path, roots: &[std::path::PathBuf]) -> String {
    let shorter = match roots {
        [only] => path
            .strip_prefix(only)
            .ok()
            .filter(|rest| !rest.as_os_str().is_empty()),
        _ => None,
    };
    shorter.unwrap_or(path).display().to_string()
}

/// Pieces of one kind of code, by target and version of PTX.
type Counts = BTreeMap<(Option<Target>, Option<String>), u64>;

/// What a file holds, by kind and target: `cubin sm_80 ×190, sm_90 ×190; PTX sm_120 ×194 (ISA 8.7)`.
fn targets(file: &PackageFile, detail: Detail) -> Vec<String> {
    let sections: Vec<Vec<&cudacheck_model::package::CodeSection>> = match detail {
        Detail::Files => vec![file.code.iter().collect()],
        Detail::Everything => file.code.iter().map(|section| vec![section]).collect(),
    };
    let mut lines = Vec::new();
    for sections in sections {
        let mut kinds: BTreeMap<String, Counts> = BTreeMap::new();
        let groups = sections.iter().flat_map(|section| &section.groups);
        for group in groups.filter(|group| group.kind != CodeKind::Concatenated) {
            let isa = match group.version {
                CodeVersion::PtxIsa(isa) => Some(isa.to_string()),
                CodeVersion::ElfAbi(_) | CodeVersion::Ir(_) => None,
            };
            let of_kind = kinds.entry(group.kind.to_string()).or_default();
            *of_kind.entry((group.target, isa)).or_default() += group.count;
        }
        let containers: u64 = sections.iter().map(|section| section.containers).sum();
        let place = match (detail, sections.as_slice()) {
            (Detail::Everything, [section]) => {
                let how = match section.found_by {
                    FoundBy::FatbinSection => "",
                    FoundBy::DeepScan => " (deep scan)",
                    FoundBy::WholeFile => " (the whole file)",
                };
                format!("{}{how}: ", section.name)
            }
            (Detail::Everything | Detail::Files, _) => String::new(),
        };
        lines.push(format!("{place}{}", words::count(containers, "container")));
        for (kind, targets) in kinds {
            let listed: Vec<String> = targets
                .into_iter()
                .map(|((target, isa), count)| {
                    let target =
                        target.map_or_else(|| "any".to_owned(), |target| target.to_string());
                    let isa = isa.map(|isa| format!(" (ISA {isa})")).unwrap_or_default();
                    format!("{target} ×{count}{isa}")
                })
                .collect();
            lines.push(format!("{kind}: {}", listed.join(", ")));
        }
    }
    lines
}

fn loader(file: &PackageFile) -> Vec<String> {
    let Some(elf) = &file.elf else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut list = |label: &str, values: Vec<String>| {
        if !values.is_empty() {
            lines.push(format!("{label}: {}", values.join(", ")));
        }
    };
    list("soname", elf.soname.iter().cloned().collect());
    list("needed", elf.needed.clone());
    list("rpath", elf.rpath.iter().cloned().collect());
    list("runpath", elf.runpath.iter().cloned().collect());
    list(
        "opens",
        elf.opened_names
            .iter()
            .map(|opened| opened.name.clone())
            .collect(),
    );
    lines
}

fn warnings(inspection: &Inspection<'_>) -> String {
    let facts = inspection.facts;
    let most = match inspection.detail {
        Detail::Files => FEW,
        Detail::Everything => usize::MAX,
    };
    let mut out = String::new();
    for warning in facts.warnings.iter().take(most) {
        let place = warning
            .offset
            .map(|offset| format!(" at byte {offset}"))
            .unwrap_or_default();
        let line = format!(
            "unread  {}{place}: {}",
            warning.file.display(),
            warning.message
        );
        out += &format!("{}\n", text::one_line(line));
    }
    let kept = facts.warnings.len().min(most);
    let more = facts.warnings.len() - kept + usize::try_from(facts.warnings_left_out).unwrap_or(0);
    if more > 0 {
        out += &format!(
            "unread  {}; -v shows what is kept of them\n",
            words::count(more as u64, "more warning")
        );
    }
    out
}
