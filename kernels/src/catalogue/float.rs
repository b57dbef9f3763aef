//! Floating-point arithmetic, exact where IEEE 754 says so and bounded where PTX does.

mod compare;
mod double;
mod single;
mod special;

use crate::Kernel;

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "fp32-ieee",
        summary: "single precision in every rounding mode, with and without subnormal numbers; a failure means that IEEE 754 is broken or silently relaxed",
        ptx: include_str!("../../ptx/fp32-ieee.ptx"),
        needs: &[],
        program: single::fp32_ieee,
    },
    Kernel {
        name: "fp32-compare",
        summary: "comparisons, minima, and classes of single precision with NaN and signed zeros; a failure sends branches the wrong way",
        ptx: include_str!("../../ptx/fp32-compare.ptx"),
        needs: &[],
        program: compare::fp32_compare,
    },
    Kernel {
        name: "fp64-ieee",
        summary: "double precision in every rounding mode; a failure means that IEEE 754 is broken or silently relaxed",
        ptx: include_str!("../../ptx/fp64-ieee.ptx"),
        needs: &[],
        program: double::fp64_ieee,
    },
    Kernel {
        name: "special-functions",
        summary: "sine, cosine, powers, logarithms, roots, and quotients of the special function unit within their documented errors",
        ptx: include_str!("../../ptx/special-functions.ptx"),
        needs: &[],
        program: special::special_functions,
    },
    Kernel {
        name: "special-tanh",
        summary: "the hyperbolic tangent of the special function unit within its documented error",
        ptx: include_str!("../../ptx/special-tanh.ptx"),
        needs: &[],
        program: special::special_tanh,
    },
];
