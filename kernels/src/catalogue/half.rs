//! Arithmetic in 16-bit formats.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
