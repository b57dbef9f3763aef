//! Conversions between number formats.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
