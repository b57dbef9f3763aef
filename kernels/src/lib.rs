//! PTX kernels, each with its launch shape and its CPU reference.
//!
//! A kernel is data: the PTX, what it needs, and a function that makes a [`Program`] (buffers, launches,
//! expected contents) from a seed and a device's limits. [`execute`] runs a program on anything that is a
//! [`Device`]: the worker's real driver, or the interpreter in tests. This crate knows neither.
//!
//! One PTX file holds one kernel, because a module is all or nothing: an instruction that a driver refuses
//! takes every kernel of its module with it.
#![forbid(unsafe_code)]

mod catalogue;
mod exact;
mod execute;
mod program;
mod reference;
mod table;

pub use catalogue::{all, find};
pub use execute::{Device, Failure, Mismatch, MismatchKind, execute};
pub use program::{
    Argument, Attribute, Buffer, DeviceLimits, Expected, Header, Initial, Kernel, Launch,
    LaunchKind, Need, Program, Property, Rerun, Step,
};
pub use reference::{input, mix};
pub use table::Table;
