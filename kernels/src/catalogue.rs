//! The list of all kernels. One module per group; each kernel stands beside its reference.

mod core;

use crate::Kernel;

/// Every kernel, in the order in which suites list them.
pub fn all() -> impl Iterator<Item = &'static Kernel> {
    [core::KERNELS].into_iter().flatten()
}

/// The kernel of this name.
pub fn find(name: &str) -> Option<&'static Kernel> {
    all().find(|kernel| kernel.name == name)
}
