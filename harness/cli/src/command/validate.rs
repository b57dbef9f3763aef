//! `cudacheck validate`: all complaints of all files at once, without any GPU.

use std::path::Path;

use cudacheck_model::suite;
use cudacheck_report::listing;

use crate::arguments::ValidateArguments;
use crate::failure::Failure;
use crate::output;
use crate::scripts::{self, Origin};
use crate::suites::{self, Source};

pub(crate) fn validate(arguments: &ValidateArguments) -> Result<u8, Failure> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&suite::json_schema()).unwrap_or_default();
        return output::data(&(schema + "\n")).map(|()| 0);
    }
    let catalogue = suites::catalogue();
    let mut complaints = Vec::new();
    let mut good = Vec::new();
    let mut examine = |source: Source, origin: &dyn Fn(&Path) -> Origin<'_>| match source.and_then(
        |(path, text)| {
            let suite = suite::read(&path, &text, &catalogue)?;
            scripts::of(&suite, origin(&path)).map(|_| suite)
        },
    ) {
        Ok(suite) => good.push(suite),
        Err(more) => complaints.extend(more),
    };
    if arguments.files.is_empty() {
        for (path, text) in suites::shipped() {
            examine(Ok((path.into(), text.to_owned())), &|_| Origin::Shipped);
        }
    } else {
        for path in &arguments.files {
            examine(suites::read(path), &|path| Origin::File(path));
        }
    }
    if !complaints.is_empty() {
        return Err(Failure::Suites(complaints));
    }
    output::people(&listing::valid(&good));
    Ok(0)
}
