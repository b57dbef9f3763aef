//! `cudacheck compat`: will this package run on that driver and GPU, and if not, why and what to do?

mod machine;
mod manifest;
mod oracle;
mod question;
mod runtime;

use std::time::Duration;

use cudacheck_model::compat::{self, Verdict};
use cudacheck_report::compat as report;

use crate::arguments::CompatArguments;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;

pub(crate) fn compat(
    arguments: &CompatArguments,
    environment: &Environment,
) -> Result<u8, Failure> {
    if arguments.tables {
        return output::data(&report::tables()).map(|()| 0);
    }
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&compat::json_schema()).unwrap_or_default();
        return output::data(&(schema + "\n")).map(|()| 0);
    }
    let mut question = question::question(arguments)?;
    if arguments.needs {
        let needs = compat::needs(&question.package);
        let text = match () {
            () if arguments.json => json(&needs),
            () if arguments.markdown => report::needs_markdown(&needs),
            () => report::needs_text(&needs),
        };
        return output::data(&text).map(|()| 0);
    }
    let (mut machine, libcuda) = machine::machine(arguments, environment)?;
    if let Some(files) = oracle::files(arguments, libcuda)? {
        let limit = Duration::from_secs(arguments.probe_timeout);
        files.ask(arguments, &mut question, &mut machine, limit)?;
    }
    let answer = compat::ask(&question.package, &machine);
    if arguments.json {
        output::data(&json(&answer))?;
    } else {
        output::data(&report::answer_text(&answer))?;
    }
    Ok(match answer.verdict {
        Verdict::Supported | Verdict::Limited => 0,
        Verdict::Unsupported => 1,
        Verdict::Unknown => 3,
    })
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A question that cannot be asked, and what to type instead.
fn wrong(message: String, hint: impl Into<Option<String>>) -> Failure {
    Failure::Question {
        message,
        hint: hint.into(),
    }
}
