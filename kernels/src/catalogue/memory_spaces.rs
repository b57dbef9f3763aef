//! The address spaces that belong to one thread or to a module, and how they are addressed.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
