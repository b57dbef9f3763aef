//! The one door through which shared libraries are opened.
//!
//! They are opened by absolute path, because a search by name may find a stub or another driver.

mod ffi;

pub(crate) use ffi::{
    Called, DevicePointer, Handle, In, Out, SharedLibrary, Status, Words, abi, closed_libraries,
};
