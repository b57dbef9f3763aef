//! Listens to what libcublas logs: the only place where it tells its own version.
//!
//! Every message that names a function begins with it: `I! cuBLAS (v12.9.1) function …`. Since 12.9 at the latest it is
//! the version of cuBLAS; 11.11.3 and 12.0.1 tell that of their CUDA runtime, 11.8 and 12.0. NVIDIA documents the
//! functions that set the log up, and not its text: where it reads otherwise, nothing is concluded.

use std::sync::Mutex;

use super::ffi::Cublas;
use crate::library::{In, Status, Words};

static HEARD: Mutex<String> = Mutex::new(String::new());

extern "C" fn hear(words: Words) {
    if let Ok(mut heard) = HEARD.lock() {
        heard.push_str(&words.text());
    }
}

/// What the library logs while something is done; nothing if it has no log.
pub(super) fn listen(api: Cublas<'_>, done: impl FnOnce()) -> String {
    let listens = api.set_logger(hear).value == Some(Status(0))
        && api.configure_logger(1, 0, 0, In::NULL).value == Some(Status(0));
    done();
    if !listens {
        return String::new();
    }
    // What comes of switching it off does not matter: the process ends soon, and nobody reads the rest.
    let _ = api.configure_logger(0, 0, 0, In::NULL);
    HEARD.lock().map(|heard| heard.clone()).unwrap_or_default()
}

/// The version that the log's messages begin with.
pub(super) fn own_version(heard: &str) -> Option<&str> {
    let (_, after) = heard.split_once("cuBLAS (v")?;
    let (version, _) = after.split_once(')')?;
    let is_version = version
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_version.then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(heard: &str, expected: Option<&str>) {
        assert_eq!(own_version(heard), expected, "{heard}");
    }

    #[test]
    fn a_message_tells_the_version() {
        let message = "I! cuBLAS (v12.9.1) function cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int*) called:\n";
        check(message, Some("12.9.1"));
        check("I! cuBLAS (v11.8) function", Some("11.8"));
        check("I! cuBLAS (v12.) function", None);
        check("I! cuBLAS function", None);
        check("", None);
    }
}
