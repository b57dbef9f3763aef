//! What is read: turns the events of a run, and the facts of a machine, into text for people and files for programs.
//!
//! Reporters only consume. They read no environment and ask no terminal: the command line decides and hands down
//! values. Everything that a tested program may have written passes [`text`] before it leaves.
#![forbid(unsafe_code)]

pub mod compat;
pub mod complaint;
pub mod explanation;
pub mod facts;
pub mod inspection;
pub mod jsonl;
pub mod junit;
pub mod listing;
pub mod progress;
pub mod terminal;
pub mod text;
mod words;
