//! Shared memory and the barriers of a block.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
