//! The device's memory, through the driver that the process has loaded.

use std::ffi::c_void;
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

type ToHost = unsafe extern "C" fn(*mut c_void, u64, usize) -> i32;
type ToDevice = unsafe extern "C" fn(u64, *const c_void, usize) -> i32;

struct Driver {
    to_host: ToHost,
    to_device: ToDevice,
}

/// The driver; none if there is none, as on a machine without a GPU.
fn driver() -> Option<&'static Driver> {
    static DRIVER: OnceLock<Option<Driver>> = OnceLock::new();
    DRIVER.get_or_init(open).as_ref()
}

/// Whether there is a driver. Looks for it by name, as NVIDIA's libraries do.
pub(crate) fn has_driver() -> bool {
    driver().is_some()
}

fn open() -> Option<Driver> {
    // SAFETY: the tests' search path leads to the simulator, whose initialisers are ours.
    let library = unsafe { Library::open(Some("libcuda.so.1"), RTLD_LAZY | RTLD_LOCAL) }.ok()?;
    let library: &'static Library = Box::leak(Box::new(library));
    // SAFETY: this is the signature in `cuda.h`.
    let to_host = unsafe { library.get::<ToHost>(b"cuMemcpyDtoH_v2\0") }.ok()?;
    // SAFETY: this is the signature in `cuda.h`.
    let to_device = unsafe { library.get::<ToDevice>(b"cuMemcpyHtoD_v2\0") }.ok()?;
    Some(Driver {
        to_host: *to_host,
        to_device: *to_device,
    })
}

/// A value that is nothing but its bytes.
///
/// # Safety
///
/// Every pattern of bytes is a value of the type.
pub(crate) unsafe trait Plain: Copy + Default {}

macro_rules! plain {
    ($($type:ty),*) => {$(
        // SAFETY: a number, of which every pattern of bytes is one.
        unsafe impl Plain for $type {}
    )*};
}

plain!(
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    f32,
    f64,
    half::f16,
    half::bf16
);
plain!([f32; 2], [f64; 2]);

/// The elements at an address of the device; none if the driver refuses.
pub(crate) fn read<T: Plain>(at: u64, count: usize) -> Option<Vec<T>> {
    let mut elements = vec![T::default(); count];
    if count == 0 {
        return Some(elements);
    }
    let bytes = size_of::<T>() * count;
    let copy = driver()?.to_host;
    // SAFETY: the vector has so many bytes, and every pattern of bytes is a value.
    let status = unsafe { copy(elements.as_mut_ptr().cast(), at, bytes) };
    (status == 0).then_some(elements)
}

/// Writes elements to an address of the device; none if the driver refuses.
pub(crate) fn write<T: Plain>(at: u64, elements: &[T]) -> Option<()> {
    if elements.is_empty() {
        return Some(());
    }
    let copy = driver()?.to_device;
    // SAFETY: the slice has so many bytes.
    let status = unsafe { copy(at, elements.as_ptr().cast(), size_of_val(elements)) };
    (status == 0).then_some(())
}
