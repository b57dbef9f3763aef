//! The plain C functions of `NvInferRuntime.h`.
//!
//! Read from the headers of 8.0, 8.6.1, 9.3, 10.0 to 10.16, and 11.1. `getInferLibVersion` is in all of them, the others
//! from 10 on. What makes runtimes and builders takes and returns C++ objects, and is not called.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use crate::library::abi;

abi! {
    /// libnvinfer.
    Infer;
    /// Up to version 9 1000 times the major version, 100 times the minor, and the patch; from 10 on 10000 times the
    /// major version, 100 times the minor, and the patch.
    fn version = c"getInferLibVersion"() -> i32;
    fn major = c"getInferLibMajorVersion"() -> i32;
    fn minor = c"getInferLibMinorVersion"() -> i32;
    fn patch = c"getInferLibPatchVersion"() -> i32;
    fn build = c"getInferLibBuildVersion"() -> i32;
}
