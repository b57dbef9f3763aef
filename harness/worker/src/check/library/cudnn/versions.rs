//! Asks cuDNN and its parts for their releases, which must be one.
//!
//! The library's own comparison is not enough. `cudnn…VersionCheck` of 9.28 says nothing of the heuristic and of the
//! engines, and nothing of an older `libcudnn.so.9` that passes its calls on to newer parts.

use std::collections::BTreeMap;

use cudacheck_model::journal::CheckResult;
use cudacheck_model::version::ComputeCapability;

use super::super::opened::load;
use super::super::{Opened, Stop, Verdict};
use super::ffi::{Cudnn, Property};
use super::parts::{self, Release};
use crate::library::{Called, Status};

pub(super) fn agree(opened: &Opened<'_>) -> Verdict {
    let subject = opened.subject;
    let major = parts::major(subject);
    parts::all_there(opened)?;
    let api = Cudnn::new(&opened.library);
    let reported = Release::reported(opened.value(api.version())?);
    opened.note("version", reported.to_string());
    let runtime = opened.value(api.cudart_version())?;
    let runtime = format!("{}.{}", runtime / 1000, runtime % 1000 / 10);
    opened.note("cudart-version", runtime);
    if let Some(newest) = newest_capability(opened) {
        opened.note("newest-capability", newest.to_string());
    }
    if reported.major != major {
        let expected = format!("{} is cuDNN {major}", subject.soname);
        let found = format!("cudnnGetVersion says {reported}");
        return Err(opened.skew(expected, found));
    }
    by_numbers(opened, reported)?;

    // These make the library load the parts that it compares.
    let told = if parts::needs_driver(opened, reported) {
        opened.note(
            "parts-not-asked",
            "this release ends a process that loads them without a driver",
        );
        Vec::new()
    } else {
        checks(&api, major)
    };
    let mut refused = Vec::new();
    for (called, part) in told {
        let function = called.function.to_string_lossy().into_owned();
        let status = opened.value(called)?;
        if status != Status(0) {
            refused.push((function, part, status));
        }
    }
    let releases = parts::releases(opened);
    opened.note("part-versions", listed(&releases));
    one_release(opened, reported, &releases)?;
    let jit = parts::of_package(subject);
    let (absent, refused): (Vec<_>, Vec<_>) = refused
        .into_iter()
        .partition(|(_, stem, _)| jit.iter().all(|part| part.stem != *stem));
    for (function, _, status) in absent {
        opened.note(
            "not-in-this-configuration",
            format!("{function}: {}", status.0),
        );
    }
    let mismatch = |status: Status| matches!(status, Status(14 | 1002));
    let worst = refused.iter().find(|(_, _, status)| mismatch(*status));
    match worst.or_else(|| refused.first()) {
        None => Ok(()),
        Some((function, _, status)) if mismatch(*status) => Err(opened.skew(
            format!("{function} finds every part of release {reported}"),
            format!("it says {}; known are {}", status.0, listed(&releases)),
        )),
        Some((function, stem, status)) => Err(unavailable(opened, function, stem, *status)),
    }
}

/// The major release must be one in both spellings that the library has.
fn by_numbers(opened: &Opened<'_>, reported: Release) -> Verdict {
    let api = Cudnn::new(&opened.library);
    let mut numbers = [0; 3];
    let properties = [Property::MAJOR, Property::MINOR, Property::PATCH];
    for (number, property) in numbers.iter_mut().zip(properties) {
        opened.ok(api.property(property, number))?;
    }
    let [major, minor, patch] = numbers;
    let expected = format!("cudnnGetProperty says {reported} as cudnnGetVersion does");
    let found = format!("{major}.{minor}.{patch}");
    if found == reported.to_string() {
        Ok(())
    } else {
        Err(opened.skew(expected, format!("cudnnGetProperty says {found}")))
    }
}

/// The library's own checks, each with the part that it asks.
fn checks(api: &Cudnn<'_>, major: u64) -> Vec<(Called<Status>, &'static str)> {
    if major < 9 {
        vec![
            (api.ops_infer_check(), "libcudnn_ops_infer"),
            (api.ops_train_check(), "libcudnn_ops_train"),
            (api.cnn_infer_check(), "libcudnn_cnn_infer"),
            (api.cnn_train_check(), "libcudnn_cnn_train"),
            (api.adv_infer_check(), "libcudnn_adv_infer"),
            (api.adv_train_check(), "libcudnn_adv_train"),
        ]
    } else {
        vec![
            (api.graph_check(), "libcudnn_graph"),
            (api.ops_check(), "libcudnn_ops"),
            (api.cnn_check(), "libcudnn_cnn"),
            (api.adv_check(), "libcudnn_adv"),
        ]
    }
}

fn one_release(
    opened: &Opened<'_>,
    reported: Release,
    releases: &BTreeMap<String, Release>,
) -> Verdict {
    match odd(reported, releases) {
        None => Ok(()),
        Some(odd) => Err(opened.skew(
            format!("every part is of release {reported}, which the library reports"),
            odd,
        )),
    }
}

/// The parts of another release than the reported one.
fn odd(reported: Release, releases: &BTreeMap<String, Release>) -> Option<String> {
    let others: BTreeMap<String, Release> = releases
        .iter()
        .filter(|(_, release)| **release != reported)
        .map(|(name, release)| (name.clone(), *release))
        .collect();
    (!others.is_empty()).then(|| listed(&others))
}

fn listed(releases: &BTreeMap<String, Release>) -> String {
    let words: Vec<String> = releases
        .iter()
        .map(|(name, release)| format!("{name} is {release}"))
        .collect();
    words.join(", ")
}

/// A part that is there, but that the library cannot use. The loader's words say why, if it refuses it.
fn unavailable(opened: &Opened<'_>, function: &str, stem: &str, status: Status) -> Stop {
    let parts = parts::of_package(opened.subject);
    let Some(part) = parts.iter().find(|part| part.stem == stem) else {
        return opened.refused(function, status);
    };
    let Some(path) = parts::place(opened.subject, part) else {
        return parts::missing(opened.subject, part);
    };
    match load(&path) {
        Err(reason) => Box::new(CheckResult::Unloadable {
            library: path.display().to_string(),
            reason,
        }),
        Ok(_) => opened.refused(function, status),
    }
}

/// The newest compute capability that the library knows, since 8.6.
pub(super) fn newest_capability(opened: &Opened<'_>) -> Option<ComputeCapability> {
    let number = Cudnn::new(&opened.library).max_device_version().value;
    number.map(capability)
}

/// A compute capability as cuDNN writes it: 900 is 9.0, 1210 is 12.1.
fn capability(number: usize) -> ComputeCapability {
    let digit = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ComputeCapability::new(digit(number / 100), digit(number % 100 / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reported: usize, parts: &[(&str, usize)], expected: Option<&str>) {
        let releases = parts
            .iter()
            .map(|(name, number)| ((*name).to_owned(), Release::reported(*number)))
            .collect();
        let found = odd(Release::reported(reported), &releases);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn parts_of_another_release_are_named() {
        check(92800, &[], None);
        check(92800, &[("ops", 92800), ("graph", 92800)], None);
        check(
            92800,
            &[("ops", 91002), ("graph", 92800), ("adv", 92700)],
            Some("adv is 9.27.0, ops is 9.10.2"),
        );
    }

    #[test]
    fn capabilities_are_read() {
        assert_eq!(capability(900), ComputeCapability::new(9, 0));
        assert_eq!(capability(890), ComputeCapability::new(8, 9));
        assert_eq!(capability(1210), ComputeCapability::new(12, 1));
    }
}
