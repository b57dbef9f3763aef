//! A stand-in for libnvinfer 10.3.0: its version.

use crate::fault;

fn patch() -> i32 {
    if fault::on("tensorrt-patch") { 1 } else { 0 }
}

#[unsafe(no_mangle)]
extern "C" fn getInferLibVersion() -> i32 {
    100_300 + patch()
}

#[unsafe(no_mangle)]
extern "C" fn getInferLibMajorVersion() -> i32 {
    10
}

#[unsafe(no_mangle)]
extern "C" fn getInferLibMinorVersion() -> i32 {
    if fault::on("tensorrt-minor") { 4 } else { 3 }
}

#[unsafe(no_mangle)]
extern "C" fn getInferLibPatchVersion() -> i32 {
    patch()
}

#[unsafe(no_mangle)]
extern "C" fn getInferLibBuildVersion() -> i32 {
    26
}
