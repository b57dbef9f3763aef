//! Placeholder.

/// The names of the exported functions.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    ["nvmlInit_v2", "nvmlDeviceGetHandleByIndex_v2"].into_iter()
}
