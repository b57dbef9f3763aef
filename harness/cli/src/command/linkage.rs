//! The checks of a package's files, in a worker of their own: a hostile file may take it down, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_inspect::finding::{Expectation, Question, Redistribution, findings};
use cudacheck_inspect::resolve::{LoaderContext, resolve};
use cudacheck_inspect::{Options, inspect};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::finding::{Finding, Severity};
use cudacheck_model::journal::CheckResult;
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::package::PackageFacts;
use cudacheck_model::suite::LinkageCheck;

/// The flaws of the package that a check asks for.
pub(crate) fn flaws(check: &LinkageCheck, package: &[PathBuf], read: Option<&Path>) -> CheckResult {
    let known = read
        .and_then(|path| fs::read(path).ok())
        .and_then(|text| serde_json::from_slice::<PackageFacts>(&text).ok());
    // What cannot be read back is read again: it only takes longer.
    let facts = known.unwrap_or_else(|| inspect(package, &Options::default(), &|_| {}));
    if facts.files.is_empty() {
        let what = "the package has no file that a loader or a driver reads";
        return CheckResult::Skip {
            reason: SkipReason::NotSupported {
                what: what.to_owned(),
            },
        };
    }
    let resolution = resolve(&facts, &LoaderContext::default());
    let least = check.severity.unwrap_or(Severity::Error);
    let asked = |finding: &Finding| {
        finding.severity >= least && check.flaw.is_none_or(|flaw| flaw == finding.code)
    };
    let question = match question(check) {
        Ok(question) => question,
        Err(message) => return CheckResult::Machine(MachineFault::Harness { message }),
    };
    let found = findings(&facts, &resolution, &question);
    let flaws: Vec<Finding> = found.into_iter().filter(asked).collect();
    if flaws.is_empty() {
        CheckResult::Pass
    } else {
        CheckResult::Flaws(flaws)
    }
}

/// What a check asks for beyond the files as they are.
///
/// # Errors
///
/// A word of it that means nothing; suites are refused for that before anything runs.
pub(crate) fn question(check: &LinkageCheck) -> Result<Question, String> {
    let expected = check.expect.as_deref().map(str::parse::<Expectation>);
    let platform = check.platform.as_deref().map(str::parse::<Redistribution>);
    Ok(Question {
        platform: platform.transpose().map_err(|error| error.to_string())?,
        expected: expected.transpose().map_err(|error| error.to_string())?,
    })
}
