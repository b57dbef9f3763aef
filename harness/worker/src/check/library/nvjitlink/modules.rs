//! Two pieces of PTX that need each other, and one with an error.
//!
//! They are of an instruction set and for a target that every linker since CUDA 12.0 takes for every architecture.

use super::linker::Module;

/// Has the kernel: y[i] = step(x[i]) for i below n, one element a thread.
pub(super) const KERNEL: Module = (c"kernel.ptx", KERNEL_PTX);

/// Has the function that the kernel calls: step(v) = 3v + 7.
pub(super) const STEP: Module = (c"step.ptx", STEP_PTX);

/// Has an instruction in its ninth line that there is none of.
pub(super) const BROKEN: Module = (c"broken.ptx", BROKEN_PTX);

/// The kernel's name.
pub(super) const ENTRY: &str = "stepped";

/// What [`STEP`] computes.
pub(super) fn step(value: u32) -> u32 {
    value.wrapping_mul(3).wrapping_add(7)
}

const KERNEL_PTX: &str = "\
.version 6.0
.target sm_50
.address_size 64

.extern .func (.param .b32 result) step (.param .b32 value);

.visible .entry stepped(.param .u64 x, .param .u64 y, .param .u32 n)
{
    .reg .pred %past;
    .reg .b32 %r<7>;
    .reg .b64 %d<4>;

    ld.param.u64 %d1, [x];
    ld.param.u64 %d2, [y];
    ld.param.u32 %r1, [n];
    mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %ntid.x;
    mov.u32 %r4, %tid.x;
    mad.lo.u32 %r2, %r2, %r3, %r4;
    setp.ge.u32 %past, %r2, %r1;
    @%past bra done;
    cvta.to.global.u64 %d1, %d1;
    cvta.to.global.u64 %d2, %d2;
    mul.wide.u32 %d3, %r2, 4;
    add.u64 %d1, %d1, %d3;
    add.u64 %d2, %d2, %d3;
    ld.global.u32 %r5, [%d1];
    {
        .param .b32 value;
        .param .b32 result;
        st.param.b32 [value], %r5;
        call (result), step, (value);
        ld.param.b32 %r6, [result];
    }
    st.global.u32 [%d2], %r6;
done:
    ret;
}
";

const STEP_PTX: &str = "\
.version 6.0
.target sm_50
.address_size 64

.visible .func (.param .b32 result) step (.param .b32 value)
{
    .reg .b32 %r<3>;
    ld.param.b32 %r1, [value];
    mad.lo.u32 %r2, %r1, 3, 7;
    st.param.b32 [result], %r2;
    ret;
}
";

const BROKEN_PTX: &str = "\
.version 6.0
.target sm_50
.address_size 64

.visible .func (.param .b32 result) step (.param .b32 value)
{
    .reg .b32 %r<3>;
    ld.param.b32 %r1, [value];
    mad.low.u32 %r2, %r1, 3, 7;
    st.param.b32 [result], %r2;
    ret;
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_in_the_ninth_line() {
        let differing = STEP_PTX.lines().zip(BROKEN_PTX.lines()).enumerate();
        let lines: Vec<usize> = differing
            .filter(|(_, (good, bad))| good != bad)
            .map(|(index, _)| index + 1)
            .collect();
        assert_eq!(lines, [9]);
    }

    #[test]
    fn step_wraps() {
        assert_eq!(step(0), 7);
        assert_eq!(step(0xFFFF_FFFF), 4);
    }
}
