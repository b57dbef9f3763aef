//! `cudacheck validate`: all complaints of all files at once, without any GPU.

use cudacheck_model::suite;
use cudacheck_report::listing;

use crate::arguments::ValidateArguments;
use crate::failure::Failure;
use crate::{output, suites};

pub(crate) fn validate(arguments: &ValidateArguments) -> Result<u8, Failure> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&suite::json_schema()).unwrap_or_default();
        return output::data(&(schema + "\n")).map(|()| 0);
    }
    let catalogue = suites::catalogue();
    let mut complaints = Vec::new();
    let mut good = Vec::new();
    let mut examine =
        |source: Result<(std::path::PathBuf, String), Vec<suite::Complaint>>| match source
            .and_then(|(path, text)| suite::read(&path, &text, &catalogue))
        {
            Ok(suite) => good.push(suite),
            Err(more) => complaints.extend(more),
        };
    if arguments.files.is_empty() {
        suites::shipped().for_each(|(path, text)| examine(Ok((path.into(), text.to_owned()))));
    } else {
        arguments
            .files
            .iter()
            .for_each(|path| examine(suites::read(path)));
    }
    if !complaints.is_empty() {
        return Err(Failure::Suites(complaints));
    }
    output::people(&listing::valid(&good));
    Ok(0)
}
