//! The words of cudacheck: suites, facts, versions, tasks, journals, outcomes, events.
//!
//! Everything here is data and rules on data: no file, no clock, no process, no GPU. The runner and the
//! worker share nothing but these types, and meet only as processes that exchange them as JSON.
//! Formats that leave a process carry a schema number; suites refuse what they do not know, journals
//! and events ignore it, so that an old reader survives a new writer.
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod compat;
pub mod cuda;
pub mod event;
pub mod facts;
pub mod fault;
pub mod finding;
pub mod journal;
pub mod ld_cache;
pub mod library;
pub mod oracle;
pub mod outcome;
pub mod package;
pub mod plan;
pub mod suite;
pub mod task;
pub mod version;
