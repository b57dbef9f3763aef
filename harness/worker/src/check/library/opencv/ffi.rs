//! Functions of `opencv2/core/cuda.hpp` and `opencv2/core/utility.hpp` by their mangled names, the same in OpenCV 4.
//!
//! Read from the sources of 4.6 to 4.14. They take and return plain numbers, but for `getBuildInformation`, which returns
//! a reference to a `std::string`: of libstdc++, as the tag `B5cxx11` in its name says, whose first two words are
//! where its text begins and how long it is. `DeviceInfo` has one `int`, the number of the device, as its only member.
//! Without CUDA, all that concern CUDA throw, but for `getCudaEnabledDeviceCount`: they must not be called then.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::slice;

use crate::library::{In, abi};

abi! {
    /// libopencv_core.
    Core;
    fn major = c"_ZN2cv15getVersionMajorEv"() -> i32;
    fn minor = c"_ZN2cv15getVersionMinorEv"() -> i32;
    fn revision = c"_ZN2cv18getVersionRevisionEv"() -> i32;
    /// How it was built, line by line.
    fn build_information = c"_ZN2cv19getBuildInformationB5cxx11Ev"() -> CxxString;
    /// Zero without a device and without CUDA, -1 if the driver is older than the runtime asks for.
    fn devices = c"_ZN2cv4cuda25getCudaEnabledDeviceCountEv"() -> i32;
    /// Whether it was built for exactly this architecture.
    fn has_machine_code = c"_ZN2cv4cuda11TargetArchs6hasBinEii"(major: i32, minor: i32) -> Flag;
    /// Whether it has PTX for exactly this architecture.
    fn has_ptx = c"_ZN2cv4cuda11TargetArchs6hasPtxEii"(major: i32, minor: i32) -> Flag;
    /// Whether it thinks that it runs on a device; the argument is `this`.
    fn is_compatible = c"_ZNK2cv4cuda10DeviceInfo12isCompatibleEv"(device: In<'_, i32>) -> Flag;
}

/// A C++ `bool` as it is returned: a byte.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Flag(u8);

impl Flag {
    pub(super) fn is_set(self) -> bool {
        self.0 != 0
    }
}

/// A reference to a constant `std::string` of libstdc++.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct CxxString(*const Layout);

#[repr(C)]
struct Layout {
    text: *const u8,
    length: usize,
}

impl CxxString {
    /// The text; empty if there is none.
    pub(super) fn text(self) -> String {
        if self.0.is_null() {
            return String::new();
        }
        // SAFETY: the library returned a reference to a string, which is constant and never destroyed.
        let Layout { text, length } = unsafe { self.0.read() };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: a string has so many bytes from there on.
        let bytes = unsafe { slice::from_raw_parts(text, length) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}
