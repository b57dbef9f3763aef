//! Whole-program tests. One binary, because linking is what takes long.

mod detection;
mod facts;
mod recorded;
mod run;
mod suites;
mod support;
