//! The `cudacheck` binary: arguments, wiring, exit codes.
fn main() {}
