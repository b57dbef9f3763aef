//! The words of cudacheck. Pure: no file, no clock, no process, no GPU.
#![forbid(unsafe_code)]

pub mod version;
