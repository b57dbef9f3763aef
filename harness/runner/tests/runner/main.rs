//! Whole runs with a worker that misbehaves on demand.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod devices;
mod oracle;
mod setup;
mod stub;
mod worker;
