//! The JSON schema of suites, generated from the types.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Suite;

/// The schema as committed in `suites/schema.json`.
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut value = settings
        .into_generator()
        .into_root_schema_for::<Suite>()
        .to_value();
    if let Some(root) = value.as_object_mut() {
        root.insert("title".to_owned(), "A suite of cudacheck".into());
    }
    value
}
