//! Patterns that find faults of memory and of its addressing.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
