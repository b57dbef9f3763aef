//! Errors explained: what a number, a name, or a piece of a message means, whose fault it is, and what to do.
//!
//! The CUDA driver's codes are explained once, in [`crate::cuda`], which every run uses; the table here adds the words
//! of the runtime, what is less likely, and the codes of the libraries and of the kernel module.

mod table;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Domain;
use super::tables::Source;
use crate::cuda::{self, Blame};
use crate::suite::nearest;
use table::{DriverEntry, Entry, Xid, XidClass, errors, xids};

/// The schema number of [`Explanation`] as JSON.
pub const EXPLAIN_SCHEMA: u32 = 1;

/// An error, explained.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// Whose number it is.
    pub domain: Domain,
    /// The number.
    pub code: u32,
    /// Its name.
    pub name: String,
    /// The CUDA runtime's name of the same error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_name: Option<String>,
    /// The words in which it is reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Whose fault it is.
    pub fault: Culprit,
    /// Why it happens, the most likely cause first.
    pub causes: Vec<String>,
    /// What to look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// What else is to be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whose fault an error is, most likely.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Culprit {
    /// The program or package that was run.
    Code,
    /// The machine: its driver or how it is set up.
    Machine,
    /// The GPU or what it is plugged into.
    Hardware,
    /// The program first; the hardware if it happens again with another one.
    Unclear,
    /// Nobody: it is no error.
    Nobody,
}

/// Nothing is known by these words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no error is known by `{words}`")]
pub struct UnknownError {
    /// The words.
    pub words: String,
    /// The name that was probably meant.
    pub nearest: Option<String>,
}

/// The errors that somebody may mean, the likeliest first: one for a number or a name, several for a piece of text.
///
/// # Errors
///
/// When no error has this number or name, and none has these words.
pub fn explain(words: &str) -> Result<Vec<Explanation>, UnknownError> {
    let text = words.trim();
    let lower = text.to_lowercase();
    let all = catalogue();
    let numbered = numbered(&lower);
    if let Some((domains, code)) = &numbered {
        let found: Vec<Explanation> = domains
            .iter()
            .flat_map(|domain| {
                all.iter()
                    .filter(move |each| each.domain == *domain && each.code == *code)
            })
            .cloned()
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let named = all.iter().find(|each| {
        let mut names = [Some(&each.name), each.runtime_name.as_ref()]
            .into_iter()
            .flatten();
        names.any(|name| name.to_lowercase() == lower)
    });
    if let Some(named) = named {
        return Ok(vec![named.clone()]);
    }
    let found = search(all, &lower);
    if numbered.is_none() && lower.len() >= 4 && !found.is_empty() {
        return Ok(found);
    }
    let names = all
        .iter()
        .flat_map(|each| [Some(&each.name), each.runtime_name.as_ref()]);
    let names: Vec<String> = names.flatten().map(|name| name.to_lowercase()).collect();
    let near = nearest(&lower, names.iter().map(String::as_str));
    let original = all
        .iter()
        .flat_map(|each| [Some(&each.name), each.runtime_name.as_ref()]);
    let near = near.and_then(|near| original.flatten().find(|name| name.to_lowercase() == near));
    Err(UnknownError {
        words: text.to_owned(),
        nearest: near.cloned(),
    })
}

/// The number that the words are, and whose it can be.
fn numbered(lower: &str) -> Option<(Vec<Domain>, u32)> {
    // As in the kernel's log: `NVRM: Xid (PCI:0000:3b:00): 79, pid=…`.
    if let Some((_, after)) = lower.split_once("xid (") {
        let (_, after) = after.split_once("): ")?;
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        return Some((vec![Domain::Xid], digits.parse().ok()?));
    }
    if let Ok(code) = lower.parse() {
        return Some((vec![Domain::Cuda, Domain::Cudart, Domain::Cudnn], code));
    }
    let split = lower.find(|c: char| c.is_ascii_digit())?;
    let (word, number) = lower.split_at(split);
    let word = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
    let word = word.strip_suffix("error").unwrap_or(word).trim();
    let domains = match word {
        "xid" => vec![Domain::Xid],
        "cudnn" => vec![Domain::Cudnn],
        "cublas" => vec![Domain::Cublas],
        "nvml" => vec![Domain::Nvml],
        "cudart" => vec![Domain::Cudart, Domain::Cuda],
        "cuda" | "" => vec![Domain::Cuda, Domain::Cudart],
        _ => return None,
    };
    Some((domains, number.trim().parse().ok()?))
}

/// The errors whose words contain these, those that are reported so before those that are explained so.
fn search(all: &[Explanation], lower: &str) -> Vec<Explanation> {
    const MOST: usize = 5;
    let has = |text: &str| text.to_lowercase().contains(lower);
    // People paste whole lines: then the error's words are within theirs.
    let within = |text: &str| text.len() >= 12 && lower.contains(&text.to_lowercase());
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.collect();
    let word = |name: &str| words.contains(&name.to_lowercase().as_str());
    let ranks: [&dyn Fn(&Explanation) -> bool; 4] = [
        &|each| word(&each.name) || each.runtime_name.as_deref().is_some_and(word),
        &|each| {
            each.says
                .as_deref()
                .is_some_and(|says| has(says) || within(says))
        },
        &|each| has(&each.name) || each.runtime_name.as_deref().is_some_and(has),
        &|each| each.causes.iter().any(|cause| has(cause)),
    ];
    let found = ranks.iter().map(|rank| {
        let found = all.iter().filter(|each| rank(each)).take(MOST);
        found.cloned().collect::<Vec<Explanation>>()
    });
    found
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Every error that can be explained.
pub fn catalogue() -> &'static [Explanation] {
    static ALL: LazyLock<Vec<Explanation>> = LazyLock::new(|| {
        let errors = errors();
        debug_assert_eq!(
            (errors.schema, xids().schema),
            (1, 1),
            "the layout is known"
        );
        let mut all: Vec<Explanation> = Vec::new();
        all.extend(errors.cuda.iter().map(driver));
        let named = |domain: Domain| move |entry: &Entry| library(domain, entry);
        all.extend(errors.cudart.iter().map(named(Domain::Cudart)));
        all.extend(errors.cublas.iter().map(named(Domain::Cublas)));
        all.extend(errors.cudnn9.iter().map(named(Domain::Cudnn)));
        all.extend(
            errors
                .cudnn8
                .iter()
                .filter(|entry| entry.code != 0)
                .map(named(Domain::Cudnn)),
        );
        all.extend(errors.nvml.iter().map(named(Domain::Nvml)));
        all.extend(xids().xids.iter().map(xid));
        all
    });
    &ALL
}

/// Where the explanations come from.
pub fn explanation_sources() -> impl Iterator<Item = (&'static String, &'static Source)> {
    errors().sources.iter().chain(&xids().sources)
}

/// What the source explains of a driver's code, with what the table adds; else what the table explains.
fn driver(entry: &DriverEntry) -> Explanation {
    let code = i32::try_from(entry.code).unwrap_or(i32::MAX);
    let known = cuda::find(code);
    let fault = known.map(|error| match error.blame {
        _ if error.needs_attention => Culprit::Hardware,
        Blame::Code => Culprit::Code,
        Blame::Machine => Culprit::Machine,
    });
    let cause = known
        .map(|error| error.cause.to_owned())
        .or_else(|| entry.cause.clone());
    let remedy = known
        .map(|error| error.remedy.to_owned())
        .or_else(|| entry.remedy.clone());
    let mut notes = Vec::new();
    if known.is_some_and(|error| error.sticky) {
        notes.push(
            "the context is lost: every later call of the process fails in the same way".to_owned(),
        );
    }
    if known.is_some_and(|error| error.transient) {
        notes.push("it may go away by itself: another attempt is worth its time".to_owned());
    }
    Explanation {
        domain: Domain::Cuda,
        code: entry.code,
        name: cuda::name(code).unwrap_or("unnamed").to_owned(),
        runtime_name: entry.runtime.clone(),
        says: entry.says.clone(),
        fault: fault.or(entry.blame).unwrap_or(Culprit::Unclear),
        causes: cause
            .into_iter()
            .chain(entry.further.iter().cloned())
            .collect(),
        look: entry.look.clone(),
        remedy: remedy.unwrap_or_default(),
        notes,
    }
}

fn library(domain: Domain, entry: &Entry) -> Explanation {
    Explanation {
        domain,
        code: entry.code,
        name: entry.name.clone(),
        runtime_name: None,
        says: entry.says.clone(),
        fault: entry.blame,
        causes: [&entry.cause]
            .into_iter()
            .chain(&entry.further)
            .cloned()
            .collect(),
        look: entry.look.clone(),
        remedy: entry.remedy.clone(),
        notes: Vec::new(),
    }
}

fn xid(entry: &Xid) -> Explanation {
    let (fault, cause) = match entry.class {
        XidClass::Application => (
            Culprit::Code,
            "the program that ran on the GPU did something that it may not",
        ),
        XidClass::Hardware => (
            Culprit::Hardware,
            "the GPU, its memory, or what it is plugged into",
        ),
        XidClass::Driver => (Culprit::Machine, "the driver or the firmware of the GPU"),
        XidClass::Info => (Culprit::Nobody, "it is information about another event"),
        XidClass::Ambiguous => (
            Culprit::Unclear,
            "the program, if it happens with this program only; else the hardware or the driver",
        ),
    };
    Explanation {
        domain: Domain::Xid,
        code: entry.xid,
        name: entry.name.clone(),
        runtime_name: None,
        says: Some(entry.says.clone()),
        fault,
        causes: entry
            .note
            .iter()
            .cloned()
            .chain([cause.to_owned()])
            .collect(),
        look: vec![format!(
            "dmesg | grep -e 'Xid.*: {},' with the lines before it",
            entry.xid
        )],
        remedy: entry.action.remedy().to_owned(),
        notes: entry.doubt.iter().cloned().collect(),
    }
}
