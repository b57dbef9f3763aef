//! The functions of `nvJitLink.h`, read from CUDA 12.0, 12.4, 12.9, and 13.5, which agree in all of these.
//!
//! Each function is exported under a name of its own for each minor version, `__nvJitLinkCreate_12_4`, and the header
//! maps the plain name to its own. Libraries since 12.4 export the plain name as well; those before are asked for the
//! newest of the names that they have.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::{CStr, c_char};

use crate::library::{Called, Handle, In, Out, SharedLibrary, Status, abi};

abi! {
    /// What has one name only, and only since 12.4.
    Plain;
    /// Major and minor.
    fn version = c"nvJitLinkVersion"(major: &mut u32, minor: &mut u32) -> Status;
}

/// The minor versions of CUDA 12 whose libraries have no plain names, the newest first.
pub(super) const UNNAMED: [u32; 4] = [3, 2, 1, 0];

/// Declares functions as `abi!` does, with the names of old libraries behind the plain one.
macro_rules! versioned {
    ($($(#[$doc:meta])* fn $name:ident = $symbol:literal ($($argument:ident : $type:ty),* $(,)?);)*) => {
        impl NvJitLink<'_> {
            $(
                $(#[$doc])*
                pub(super) fn $name(&self, $($argument: $type),*) -> Called<Status> {
                    type Function = unsafe extern "C" fn($($type),*) -> Status;
                    const NAMES: [&CStr; 5] = [
                        nul(concat!($symbol, "\0")),
                        nul(concat!("__", $symbol, "_12_3\0")),
                        nul(concat!("__", $symbol, "_12_2\0")),
                        nul(concat!("__", $symbol, "_12_1\0")),
                        nul(concat!("__", $symbol, "_12_0\0")),
                    ];
                    let function = NAMES.iter().find_map(|name| {
                        // SAFETY: the type is a function pointer of the signature that the library's header declares,
                        // the same for all of these names.
                        unsafe { self.0.function::<Function>(name) }
                    });
                    let value = function.map(|function| {
                        // SAFETY: the arguments have the types of the signature, and what they point to lives
                        // through the call.
                        unsafe { function($($argument),*) }
                    });
                    Called { function: NAMES[0], value }
                }
            )*
        }
    };
}

/// libnvJitLink.
#[derive(Clone, Copy)]
pub(super) struct NvJitLink<'l>(&'l SharedLibrary);

versioned! {
    /// A linker with its options: `-arch=sm_90`.
    fn create = "nvJitLinkCreate"(
        linker: &mut Handle,
        option_count: u32,
        options: In<'_, In<'_, c_char>>,
    );
    /// Gives it an input; the kinds are those of `nvJitLinkInputType`.
    fn add = "nvJitLinkAddData"(
        linker: Handle,
        kind: i32,
        data: In<'_, u8>,
        bytes: usize,
        name: In<'_, c_char>,
    );
    /// Links.
    fn complete = "nvJitLinkComplete"(linker: Handle);
    /// Bytes of the machine code.
    fn cubin_size = "nvJitLinkGetLinkedCubinSize"(linker: Handle, bytes: &mut usize);
    /// The machine code.
    fn cubin = "nvJitLinkGetLinkedCubin"(linker: Handle, cubin: Out<'_, u8>);
    /// Bytes of the error log.
    fn log_size = "nvJitLinkGetErrorLogSize"(linker: Handle, bytes: &mut usize);
    /// The error log.
    fn log = "nvJitLinkGetErrorLog"(linker: Handle, log: Out<'_, u8>);
    /// Ends a linker.
    fn destroy = "nvJitLinkDestroy"(linker: &mut Handle);
}

impl<'l> NvJitLink<'l> {
    pub(super) fn new(library: &'l SharedLibrary) -> Self {
        Self(library)
    }

    /// Whether the library has the functions of this minor version of CUDA 12.
    pub(super) fn has_minor(&self, minor: u32) -> bool {
        let name = format!("__nvJitLinkCreate_12_{minor}\0");
        let Ok(name) = CStr::from_bytes_with_nul(name.as_bytes()) else {
            return false;
        };
        // SAFETY: a function is looked up by an address that nobody calls.
        unsafe { self.0.function::<*const ()>(name) }.is_some()
    }
}

const fn nul(text: &str) -> &CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("the macro ends each name with NUL"),
    }
}
