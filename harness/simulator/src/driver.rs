//! The simulated `libcuda.so.1`: what the exported functions of the CUDA driver API do.
//!
//! Three differences to a driver are deliberate. Work is executed when it is submitted, not later, though its errors
//! come later (see `context`). Machine code is never executed, so that a cubin or a fatbin is
//! `CUDA_ERROR_NO_BINARY_FOR_GPU`. And attributes of features that are missing here answer 0, so that a caller who
//! asks first skips them. Without `CUDACHECK_SIMULATE` in the environment there is no device.

mod codes;
mod configuration;
mod context;
mod ffi;
mod hardware;
mod jit;
mod launch;
mod machine;
mod memory;
mod module;
mod occupancy;
mod status;
mod stream;

pub use codes::describe;
pub use configuration::{Configuration, Jit, Setup};
pub use ffi::function_names;
pub use status::Status;

pub(crate) use ffi::{effects, exported, value, with_machine};
pub(crate) use machine::Machine;
