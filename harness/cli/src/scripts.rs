//! The scripts that suites hand to testers: parts of the binary for shipped suites, files beside the suite for others.

use std::collections::BTreeMap;
use std::path::Path;

use cudacheck_model::suite::{Check, Complaint, Suite};

use crate::suites;

/// Larger files are no scripts of a suite.
const MAX_SCRIPT_BYTES: u64 = 1 << 20;

/// Texts by the suite's name and by the name that the suite has for the script.
pub(crate) type Scripts = BTreeMap<(String, String), String>;

/// A name and a text for each file in `suites/testers/`.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$((
            concat!("testers/", $name),
            include_str!(concat!("../../../suites/testers/", $name)),
        )),*]
    };
}

/// The scripts of shipped suites, by the path that these have for them.
const SHIPPED: &[(&str, &str)] = shipped![
    "tap.py",
    "magma_all.sh",
    "prove_cupy.py",
    "prove_ffmpeg.sh",
    "prove_jax.py",
    "prove_opencv.py",
    "prove_pytorch.py",
    "prove_tensorflow.py",
    "prove_trtexec.sh",
    "prove_xgboost.py",
];

/// Where a suite comes from, and so its scripts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// The binary itself.
    Shipped,
    /// This file.
    File(&'a Path),
}

/// The scripts of a suite.
///
/// # Errors
///
/// Every script that cannot be read.
pub(crate) fn of(suite: &Suite, origin: Origin<'_>) -> Result<Scripts, Vec<Complaint>> {
    let mut scripts = Scripts::new();
    let mut complaints = Vec::new();
    for case in &suite.cases {
        let Check::Tester(tester) = &case.check else {
            continue;
        };
        for name in &tester.scripts {
            match text(name, origin) {
                Ok(text) => {
                    scripts.insert((suite.name.clone(), name.clone()), text);
                }
                Err(reason) => complaints.push(Complaint {
                    file: match origin {
                        Origin::Shipped => Path::new("suites").join(&suite.name),
                        Origin::File(path) => path.to_owned(),
                    },
                    place: None,
                    message: format!("the script `{name}` of case `{}` {reason}", case.name),
                    hint: None,
                }),
            }
        }
    }
    if complaints.is_empty() {
        Ok(scripts)
    } else {
        Err(complaints)
    }
}

/// A script's text, or what is wrong with it, as the end of a sentence about it.
fn text(name: &str, origin: Origin<'_>) -> Result<String, String> {
    match origin {
        Origin::Shipped => {
            let found = SHIPPED.iter().find(|(known, _)| *known == name);
            found
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| "is not shipped".to_owned())
        }
        Origin::File(path) => {
            let beside = path.parent().unwrap_or(Path::new(".")).join(name);
            suites::text(&beside, MAX_SCRIPT_BYTES)
        }
    }
}
