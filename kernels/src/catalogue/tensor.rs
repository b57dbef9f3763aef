//! Matrix instructions.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
