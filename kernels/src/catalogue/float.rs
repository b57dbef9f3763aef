//! Floating-point arithmetic, exact where IEEE 754 says so and bounded where PTX does.

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[];
