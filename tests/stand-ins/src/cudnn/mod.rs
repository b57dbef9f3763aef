//! cuDNN 8 and 9: versions, handles, and what all calls share. The signatures are those of `cudnn_graph.h`,
//! `cudnn_ops.h`, and `cudnn_cnn.h` of 9.10, which those of 8.9 equal.

mod convolution;
mod descriptor;
mod graph;
mod layers;
mod tensor;

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::fs;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{fault, memory};

/// `cudnnStatus_t`.
type Status = i32;

const SUCCESS: Status = 0;

/// The release that this stands in for.
const NINE: (usize, u32) = (92_800, 0x09_1c00);
const EIGHT: (usize, u32) = (8_907, 0x08_0907);

/// Whether the process has it under the name of version 8.
fn is_eight() -> bool {
    static EIGHT: OnceLock<bool> = OnceLock::new();
    *EIGHT.get_or_init(|| {
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        maps.lines().any(|line| line.ends_with("/libcudnn.so.8"))
    })
}

/// A status that has one number in version 8 and another in version 9.
fn status(eight: Status, nine: Status) -> Status {
    if is_eight() { eight } else { nine }
}

fn not_initialized() -> Status {
    status(1, 1001)
}

fn bad_parameter() -> Status {
    status(3, 2000)
}

fn not_supported() -> Status {
    status(9, 3000)
}

fn execution_failed() -> Status {
    status(8, 5003)
}

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Leaves words for `cudnnGetLastErrorString`.
fn failed(status: Status, words: &str) -> Status {
    LAST.with_borrow_mut(|last| words.clone_into(last));
    status
}

/// The constants by which the parts of the real library tell their release. The loader fills them in before anybody
/// can ask, so that a switched-on fault shows in them.
#[unsafe(no_mangle)]
pub(crate) static cudnn_graph_version: AtomicU32 = AtomicU32::new(0);
#[unsafe(no_mangle)]
pub(crate) static cudnn_ops_infer_version: AtomicU32 = AtomicU32::new(0);
#[unsafe(no_mangle)]
pub(crate) static cudnn_ops_train_version: AtomicU32 = AtomicU32::new(0);
#[unsafe(no_mangle)]
pub(crate) static cudnn_cnn_infer_version: AtomicU32 = AtomicU32::new(0);
#[unsafe(no_mangle)]
pub(crate) static cudnn_adv_infer_version: AtomicU32 = AtomicU32::new(0);

#[used]
#[unsafe(link_section = ".init_array")]
static FILL_IN: extern "C" fn() = fill_in;

extern "C" fn fill_in() {
    let (_, stamp) = if is_eight() { EIGHT } else { NINE };
    let ops = if fault::on("cudnn-ops-of-another-release") {
        stamp - 0x100
    } else {
        stamp
    };
    for constant in [
        &cudnn_graph_version,
        &cudnn_cnn_infer_version,
        &cudnn_adv_infer_version,
    ] {
        constant.store(stamp, Ordering::Relaxed);
    }
    for constant in [&cudnn_ops_infer_version, &cudnn_ops_train_version] {
        constant.store(ops, Ordering::Relaxed);
    }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn cudnnGetVersion() -> usize {
    let (number, _) = if is_eight() { EIGHT } else { NINE };
    if fault::on("cudnn-other-major") {
        number * 2
    } else {
        number
    }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn cudnnGetCudartVersion() -> usize {
    status(12_020, 12_090).unsigned_abs() as usize
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn cudnnGetMaxDeviceVersion() -> usize {
    status(900, 1210).unsigned_abs() as usize
}

/// # Safety
///
/// `value` points to an `int`.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetProperty(property: i32, value: *mut i32) -> Status {
    let numbers = if is_eight() { [8, 9, 7] } else { [9, 28, 0] };
    let Some(number) = usize::try_from(property)
        .ok()
        .and_then(|at| numbers.get(at))
    else {
        return bad_parameter();
    };
    let minor = i32::from(fault::on("cudnn-property-differs") && property == 1);
    // SAFETY: the caller's pointer is to an `int`.
    unsafe { value.write(number - minor) };
    SUCCESS
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn cudnnGetErrorString(status: Status) -> *const c_char {
    let name = match status {
        0 => c"CUDNN_STATUS_SUCCESS",
        1 | 1001 => c"CUDNN_STATUS_NOT_INITIALIZED",
        3 | 2000 => c"CUDNN_STATUS_BAD_PARAM",
        8 => c"CUDNN_STATUS_EXECUTION_FAILED",
        9 | 3000 => c"CUDNN_STATUS_NOT_SUPPORTED",
        11 => c"CUDNN_STATUS_RUNTIME_PREREQUISITE_MISSING",
        14 => c"CUDNN_STATUS_VERSION_MISMATCH",
        1002 => c"CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH",
        3008 => c"CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING",
        3009 => c"CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE",
        5003 => c"CUDNN_STATUS_EXECUTION_FAILED_CUDART",
        _ => c"CUDNN_UNKNOWN_STATUS",
    };
    name.as_ptr()
}

/// # Safety
///
/// `message` has room for `size` bytes.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetLastErrorString(message: *mut u8, size: usize) {
    let words = LAST.with_borrow(Clone::clone);
    let kept = words.len().min(size.saturating_sub(1));
    // SAFETY: the caller's buffer has more than so many bytes, and the two do not overlap.
    unsafe { message.copy_from_nonoverlapping(words.as_ptr(), kept) };
    // SAFETY: the place after them is in the caller's buffer too.
    let end = unsafe { message.add(kept) };
    // SAFETY: as above.
    unsafe { end.write(0) };
}

/// One of the library's comparisons of its parts.
fn version_check(part: &str) -> Status {
    if fault::on(&format!("cudnn-{part}-mismatch")) {
        return status(14, 1002);
    }
    if fault::on(&format!("cudnn-{part}-unavailable")) {
        return status(4, 3009);
    }
    SUCCESS
}

macro_rules! version_checks {
    ($($function:ident $part:literal;)*) => {$(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $function() -> Status {
            version_check($part)
        }
    )*};
}

version_checks! {
    cudnnGraphVersionCheck "graph";
    cudnnOpsVersionCheck "ops";
    cudnnCnnVersionCheck "cnn";
    cudnnAdvVersionCheck "adv";
    cudnnOpsInferVersionCheck "ops";
    cudnnOpsTrainVersionCheck "ops";
    cudnnCnnInferVersionCheck "cnn";
    cudnnCnnTrainVersionCheck "cnn";
    cudnnAdvInferVersionCheck "adv";
    cudnnAdvTrainVersionCheck "adv";
}

/// `cudnnContext`.
struct Context {
    stream: usize,
}

/// # Safety
///
/// `handle` points to a pointer.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnCreate(handle: *mut *mut c_void) -> Status {
    if !memory::has_driver() || fault::on("cudnn-create-refused") {
        return failed(
            not_initialized(),
            "cudaGetDeviceCount(&count) != cudaSuccess",
        );
    }
    let context = Box::new(Context { stream: 0 });
    // SAFETY: the caller's pointer is to a pointer.
    unsafe { handle.write(Box::into_raw(context).cast()) };
    SUCCESS
}

/// # Safety
///
/// `handle` is of [`cudnnCreate`], and not used again.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnDestroy(handle: *mut c_void) -> Status {
    // SAFETY: the caller gives back what `cudnnCreate` made.
    drop(unsafe { Box::from_raw(handle.cast::<Context>()) });
    SUCCESS
}

/// # Safety
///
/// `handle` is of [`cudnnCreate`].
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnSetStream(handle: *mut c_void, stream: usize) -> Status {
    // SAFETY: the handle is one of this library, and nobody else uses it now.
    let context = unsafe { &mut *handle.cast::<Context>() };
    if !fault::on("cudnn-stream-forgotten") {
        context.stream = stream;
    }
    SUCCESS
}

/// # Safety
///
/// `handle` is of [`cudnnCreate`], and `stream` points to a stream.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cudnnGetStream(handle: *mut c_void, stream: *mut usize) -> Status {
    // SAFETY: the handle is one of this library, and nobody else uses it now.
    let context = unsafe { &*handle.cast::<Context>() };
    // SAFETY: the caller's pointer is to a stream.
    unsafe { stream.write(context.stream) };
    SUCCESS
}
