//! Atomics of every width, and fences.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
