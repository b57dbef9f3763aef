//! Functions of the driver by name, beyond those that copy memory.

use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

/// The driver that the loader finds by name, as NVIDIA's libraries look for it.
pub(crate) fn driver() -> Option<&'static Library> {
    static DRIVER: OnceLock<Option<Library>> = OnceLock::new();
    let open = || {
        // SAFETY: the tests' search path leads to the simulator, whose initialisers are ours.
        unsafe { Library::open(Some("libcuda.so.1"), RTLD_LAZY | RTLD_LOCAL) }.ok()
    };
    DRIVER.get_or_init(open).as_ref()
}

/// Calls a function of the driver; the status is 35, that the driver is insufficient, if there is none.
///
/// The types must be those of `cuda.h`, and pointers must be to what it says.
macro_rules! cuda {
    ($name:literal($($value:expr => $type:ty),* $(,)?)) => {{
        type Function = unsafe extern "C" fn($($type),*) -> i32;
        let function = crate::cudart::driver::driver().and_then(|driver| {
            // SAFETY: this is the signature in `cuda.h`.
            let function = unsafe { driver.get::<Function>(concat!($name, "\0").as_bytes()) };
            function.ok().map(|function| *function)
        });
        match function {
            // SAFETY: the arguments are what the signature says, and live through the call.
            Some(function) => unsafe { function($($value),*) },
            None => 35,
        }
    }};
}

pub(crate) use cuda;
