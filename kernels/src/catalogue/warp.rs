//! What the threads of a warp tell one another.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
