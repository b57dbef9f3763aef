//! Branches, calls, and loops.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
