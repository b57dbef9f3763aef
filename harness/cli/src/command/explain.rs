//! `cudacheck explain`: what an error means, why it happens, and what to do.

use cudacheck_model::compat::{self, EXPLAIN_SCHEMA};
use cudacheck_report::explanation::explanations_text;
use serde_json::json;

use crate::arguments::ExplainArguments;
use crate::failure::Failure;
use crate::output;

pub(crate) fn explain(arguments: &ExplainArguments) -> Result<u8, Failure> {
    let words = arguments.words.join(" ");
    let found = compat::explain(&words).map_err(|unknown| Failure::Question {
        message: unknown.to_string(),
        hint: Some(unknown.nearest.map_or_else(
            || "name a number or a name: 222, CUDA_ERROR_NO_DEVICE, xid 79, cudnn 3009, cublas 13, nvml 18".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )),
    })?;
    let text = if arguments.json {
        let value = json!({ "schema": EXPLAIN_SCHEMA, "errors": found });
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    } else {
        explanations_text(&found)
    };
    output::data(&text).map(|()| 0)
}
