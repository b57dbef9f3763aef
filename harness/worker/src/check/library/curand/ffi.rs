//! The functions of `curand.h`, read from the headers of CUDA 11.8, 12.9, and 13.5, whose declarations are the same.
//! All three have the SONAME `libcurand.so.10`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::{DevicePointer, Handle, Out, Status, abi};

/// `curandRngType_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Kind(u32);

impl Kind {
    pub(super) const XORWOW: Self = Self(101);
    pub(super) const MRG32K3A: Self = Self(121);
    pub(super) const PHILOX4_32_10: Self = Self(161);
}

/// `curandOrdering_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ordering(pub(super) u32);

impl Ordering {
    pub(super) const BEST: Self = Self(100);
    pub(super) const DEFAULT: Self = Self(101);
    /// The one that NVIDIA promises to keep.
    pub(super) const LEGACY: Self = Self(103);
}

/// `libraryPropertyType`: 0 is the major version, 1 the minor, 2 the patch.
pub(super) type Property = u32;

abi! {
    /// libcurand.
    Curand;
    /// 1000 times the major version, 100 times the minor, and the patch.
    fn version = c"curandGetVersion"(version: &mut i32) -> Status;
    /// One number of the version.
    fn property = c"curandGetProperty"(property: Property, value: &mut i32) -> Status;
    /// A generator on the device; the first call that needs the driver.
    fn create = c"curandCreateGenerator"(generator: &mut Handle, kind: Kind) -> Status;
    /// A generator on the host.
    fn create_host = c"curandCreateGeneratorHost"(generator: &mut Handle, kind: Kind) -> Status;
    /// Ends a generator of either sort.
    fn destroy = c"curandDestroyGenerator"(generator: Handle) -> Status;
    /// Where the sequence begins.
    fn seed = c"curandSetPseudoRandomGeneratorSeed"(generator: Handle, seed: u64) -> Status;
    /// How many numbers of the sequence are left out.
    fn offset = c"curandSetGeneratorOffset"(generator: Handle, offset: u64) -> Status;
    /// Which of the interleaved streams comes where.
    fn ordering = c"curandSetGeneratorOrdering"(generator: Handle, ordering: Ordering) -> Status;
    /// Words of 32 bits on the device.
    fn words = c"curandGenerate"(generator: Handle, output: DevicePointer, count: usize) -> Status;
    /// Words of 32 bits on the host.
    fn host_words = c"curandGenerate"(generator: Handle, output: Out<'_, u32>, count: usize) -> Status;
    /// Numbers above zero, up to and including one, on the device.
    fn uniform = c"curandGenerateUniform"(generator: Handle, output: DevicePointer, count: usize) -> Status;
    /// Numbers above zero, up to and including one, on the host.
    fn host_uniform = c"curandGenerateUniform"(generator: Handle, output: Out<'_, f32>, count: usize) -> Status;
    /// Normal numbers on the device; the count is even.
    fn normal = c"curandGenerateNormal"(generator: Handle, output: DevicePointer, count: usize, mean: f32, deviation: f32) -> Status;
    /// Normal numbers on the host; the count is even.
    fn host_normal = c"curandGenerateNormal"(generator: Handle, output: Out<'_, f32>, count: usize, mean: f32, deviation: f32) -> Status;
}
