//! The list of all kernels. One module per group; each kernel stands beside its reference.

mod asynchronous;
mod atomic;
mod control;
mod convert;
mod core;
mod float;
mod grid;
mod half;
mod integer;
mod memory_spaces;
mod pattern;
mod rows;
mod shared;
mod tensor;
mod warp;
mod words;

use crate::Kernel;

/// Every kernel, in the order in which suites list them: what others build on comes first.
pub fn all() -> impl Iterator<Item = &'static Kernel> {
    [
        core::KERNELS,
        integer::KERNELS,
        float::KERNELS,
        convert::KERNELS,
        half::KERNELS,
        control::KERNELS,
        memory_spaces::KERNELS,
        shared::KERNELS,
        warp::KERNELS,
        atomic::KERNELS,
        grid::KERNELS,
        asynchronous::KERNELS,
        tensor::KERNELS,
        pattern::KERNELS,
    ]
    .into_iter()
    .flatten()
}

/// The kernel of this name.
pub fn find(name: &str) -> Option<&'static Kernel> {
    all().find(|kernel| kernel.name == name)
}
