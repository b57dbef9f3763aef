//! Reports of whole runs, as people and programs read them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod listings;
mod readers;
mod stream;
mod terminal;
mod testers;
