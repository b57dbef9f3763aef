//! Blocks that wait for one another, and copies that run on their own.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
