//! Whole-program tests. One binary, because linking is what takes long.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

mod bad_libraries;
mod compat;
mod detection;
mod facts;
mod inspect;
mod libraries;
mod readme;
mod recorded;
mod run;
mod suites;
mod support;
mod tester;
