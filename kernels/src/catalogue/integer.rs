//! Integer arithmetic and bit operations.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
