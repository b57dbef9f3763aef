//! `cudacheck list`: which suites, cases, kernels, profiles, and faults are there?

use cudacheck_model::library::{LIBRARIES, Library, TestNeeds};
use cudacheck_report::listing;
use cudacheck_simulator::{inject, profile};
use serde_json::json;

use crate::arguments::ListArguments;
use crate::failure::Failure;
use crate::{output, suites};

pub(crate) fn list(arguments: &ListArguments) -> Result<u8, Failure> {
    let catalogue = suites::catalogue();
    if arguments.kernels {
        return print(
            arguments,
            || listing::kernels(&catalogue),
            || json!({ "schema": 1, "kernels": catalogue.kernels }),
        );
    }
    if arguments.libraries {
        let card = |library: &Library| {
            let card = library.card();
            let tests = card.tests.iter().map(|test| {
                json!({
                    "name": test.name,
                    "summary": test.summary,
                    "needs-device": test.needs == TestNeeds::Device,
                })
            });
            json!({
                "name": library,
                "sonames": card.sonames,
                "tests": tests.collect::<Vec<_>>(),
            })
        };
        return print(
            arguments,
            || listing::libraries(LIBRARIES),
            || json!({ "schema": 1, "libraries": LIBRARIES.iter().map(card).collect::<Vec<_>>() }),
        );
    }
    if arguments.profiles {
        let profiles: Vec<(String, String)> = profile::names()
            .filter_map(profile::find)
            .map(|profile| (profile.name.clone(), profile.summary.clone()))
            .collect();
        let faults: Vec<(String, String)> = inject::catalogue()
            .iter()
            .map(|fault| (fault.pattern.to_owned(), fault.simulates.to_owned()))
            .collect();
        let text = || {
            let table = |title: &str, rows: &[(String, String)]| {
                format!("{title}\n{}", listing::pairs(rows))
            };
            format!(
                "{}\n{}",
                table("Profiles of --simulate:", &profiles),
                table("Faults of --inject:", &faults)
            )
        };
        let rows = |rows: &[(String, String)]| -> serde_json::Value {
            rows.iter()
                .map(|(name, summary)| json!({ "name": name, "summary": summary }))
                .collect()
        };
        return print(
            arguments,
            text,
            || json!({ "schema": 1, "profiles": rows(&profiles), "faults": rows(&faults) }),
        );
    }
    let suites = suites::load(&arguments.suites, &catalogue)?.suites;
    let text = || {
        if arguments.suites.is_empty() {
            listing::suites(&suites)
        } else {
            listing::cases(&suites, &catalogue)
        }
    };
    print(arguments, text, || json!({ "schema": 1, "suites": suites }))
}

fn print(
    arguments: &ListArguments,
    text: impl FnOnce() -> String,
    data: impl FnOnce() -> serde_json::Value,
) -> Result<u8, Failure> {
    let text = if arguments.json {
        serde_json::to_string_pretty(&data()).unwrap_or_default() + "\n"
    } else {
        text()
    };
    output::data(&text).map(|()| 0)
}
