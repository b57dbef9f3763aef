//! The functions of `cufft.h`, read from the headers of CUDA 11.8, 12.9, and 13.5, whose declarations are the same.
//! Their SONAMEs are `libcufft.so.10`, `.11`, and `.12`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Out, Status, abi};

/// `cufftHandle`, the number of a plan.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Plan(i32);

impl Plan {
    /// What a place for a plan holds before there is one.
    pub(super) const NONE: Self = Self(-1);
}

/// `cufftType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kind(u32);

impl Kind {
    pub(super) const C2C: Self = Self(0x29);
    pub(super) const R2C: Self = Self(0x2a);
    pub(super) const C2R: Self = Self(0x2c);
    pub(super) const Z2Z: Self = Self(0x69);
}

/// The sign of the exponent.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Direction(pub(super) i32);

impl Direction {
    pub(super) const FORWARD: Self = Self(-1);
    pub(super) const INVERSE: Self = Self(1);
}

/// `libraryPropertyType`: 0 is the major version, 1 the minor, 2 the patch.
pub(super) type Property = u32;

abi! {
    /// libcufft.
    Cufft;
    /// 1000 times the major version, 100 times the minor, and the patch.
    fn version = c"cufftGetVersion"(version: &mut i32) -> Status;
    /// One number of the version.
    fn property = c"cufftGetProperty"(property: Property, value: &mut i32) -> Status;
    /// A plan for `batch` transforms of `n` numbers, one after the other; the first call that needs the driver.
    fn plan_1d = c"cufftPlan1d"(plan: &mut Plan, n: i32, kind: Kind, batch: i32) -> Status;
    /// A plan for `nx` rows of `ny` numbers.
    fn plan_2d = c"cufftPlan2d"(plan: &mut Plan, nx: i32, ny: i32, kind: Kind) -> Status;
    /// A plan for transforms whose numbers and whose beginnings lie apart.
    fn plan_many = c"cufftPlanMany"(
        plan: &mut Plan, rank: i32, n: Out<'_, i32>,
        inembed: Out<'_, i32>, istride: i32, idist: i32,
        onembed: Out<'_, i32>, ostride: i32, odist: i32,
        kind: Kind, batch: i32,
    ) -> Status;
    /// Complex to complex, in f32.
    fn c2c = c"cufftExecC2C"(plan: Plan, input: DevicePointer, output: DevicePointer, direction: Direction) -> Status;
    /// Real to half a spectrum, in f32.
    fn r2c = c"cufftExecR2C"(plan: Plan, input: DevicePointer, output: DevicePointer) -> Status;
    /// Half a spectrum to real, in f32. May overwrite its input.
    fn c2r = c"cufftExecC2R"(plan: Plan, input: DevicePointer, output: DevicePointer) -> Status;
    /// Complex to complex, in f64.
    fn z2z = c"cufftExecZ2Z"(plan: Plan, input: DevicePointer, output: DevicePointer, direction: Direction) -> Status;
    /// Ends a plan.
    fn destroy = c"cufftDestroy"(plan: Plan) -> Status;
}
