//! A stand-in for libopencv_core 4.14: what it says of itself, under the names that GCC gives to its functions.

use std::sync::OnceLock;

use crate::{fault, memory};

/// A `std::string` of libstdc++, as far as it is read: where the text begins and how long it is, and its capacity.
#[repr(C)]
struct Text {
    text: *const u8,
    length: usize,
    capacity: [usize; 2],
}

// SAFETY: it points to text that nobody changes.
unsafe impl Sync for Text {}
// SAFETY: as above.
unsafe impl Send for Text {}

const WITH: &str = "\nGeneral configuration for OpenCV 4.14.0 =====================================\n\n  NVIDIA CUDA:                   YES (ver 12.9, CUFFT CUBLAS)\n    NVIDIA GPU arch:             80 90\n    NVIDIA PTX archs:            90\n\n";
const OTHER: &str = "\n  NVIDIA CUDA:                   YES (ver 12.9, CUFFT CUBLAS)\n    NVIDIA GPU arch:             75 80\n    NVIDIA PTX archs:\n";
const JETSON: &str = "\n  NVIDIA CUDA:                   YES (ver 12.9, CUFFT CUBLAS)\n    NVIDIA GPU arch:             87\n    NVIDIA PTX archs:\n";
const WITHOUT: &str = "\nGeneral configuration for OpenCV 4.14.0 =====================================\n\n  Install to: /usr\n";

#[unsafe(export_name = "_ZN2cv15getVersionMajorEv")]
extern "C" fn major() -> i32 {
    4
}

#[unsafe(export_name = "_ZN2cv15getVersionMinorEv")]
extern "C" fn minor() -> i32 {
    if fault::on("opencv-version") { 6 } else { 14 }
}

#[unsafe(export_name = "_ZN2cv18getVersionRevisionEv")]
extern "C" fn revision() -> i32 {
    0
}

#[unsafe(export_name = "_ZN2cv19getBuildInformationB5cxx11Ev")]
extern "C" fn build_information() -> &'static Text {
    static TEXT: OnceLock<Text> = OnceLock::new();
    TEXT.get_or_init(|| {
        let text = if fault::on("opencv-without-cuda") {
            WITHOUT
        } else if fault::on("opencv-other-build") {
            OTHER
        } else if fault::on("opencv-other-architecture") {
            JETSON
        } else {
            WITH
        };
        Text {
            text: text.as_ptr(),
            length: text.len(),
            capacity: [text.len(); 2],
        }
    })
}

#[unsafe(export_name = "_ZN2cv4cuda25getCudaEnabledDeviceCountEv")]
extern "C" fn devices() -> i32 {
    if fault::on("opencv-without-cuda") {
        0
    } else if fault::on("opencv-old-driver") || !memory::has_driver() {
        -1
    } else {
        1
    }
}

#[unsafe(export_name = "_ZN2cv4cuda11TargetArchs6hasBinEii")]
extern "C" fn has_bin(major: i32, minor: i32) -> bool {
    with_cuda();
    if fault::on("opencv-other-architecture") {
        (major, minor) == (8, 7)
    } else {
        [(8, 0), (9, 0)].contains(&(major, minor))
    }
}

#[unsafe(export_name = "_ZN2cv4cuda11TargetArchs6hasPtxEii")]
extern "C" fn has_ptx(major: i32, minor: i32) -> bool {
    with_cuda();
    !fault::on("opencv-other-architecture") && (major, minor) == (9, 0)
}

#[unsafe(export_name = "_ZNK2cv4cuda10DeviceInfo12isCompatibleEv")]
unsafe extern "C" fn is_compatible(device: *const i32) -> bool {
    with_cuda();
    // SAFETY: the caller passes a device's information, which is its number.
    let device = unsafe { *device };
    device == 0 && !fault::on("opencv-incompatible")
}

/// What an exception does that nobody catches.
fn with_cuda() {
    if fault::on("opencv-without-cuda") {
        std::process::abort();
    }
}
