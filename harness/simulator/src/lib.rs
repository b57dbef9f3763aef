//! A software NVIDIA driver, so that checks can be tried, and the harness tested, on machines without a GPU.
//!
//! [`ptx`] turns PTX text into a checked module, and [`exec`] executes it by the semantics of the PTX ISA.
//! Nothing here knows what a kernel is meant to compute: a result comes from executing instructions, or not at all.
#![deny(unsafe_code)]

pub mod driver;
pub mod exec;
pub mod inject;
pub mod numeric;
pub mod nvml;
pub mod profile;
pub mod ptx;
