//! Opening a library and looking up its functions.
#![expect(
    unsafe_code,
    reason = "loading foreign code and naming a function's type are promises that no compiler can check"
)]

use std::ffi::CStr;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL};

/// An open library. It is never closed: drivers keep threads whose code would vanish under them.
pub(crate) struct SharedLibrary {
    library: &'static Library,
}

impl SharedLibrary {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        // SAFETY: the caller names a driver library; its initialisers run in a worker process, whose death
        // the supervisor expects.
        let library = unsafe { Library::open(Some(path), RTLD_LAZY | RTLD_LOCAL) };
        match library {
            Ok(library) => Ok(Self {
                library: Box::leak(Box::new(library)),
            }),
            Err(error) => Err(words(&error)),
        }
    }

    /// The function of this name, if the library has it.
    ///
    /// # Safety
    ///
    /// `F` is the type of a function pointer, and the function that the library has under this name has this type.
    pub(crate) unsafe fn function<F: Copy>(&self, name: &CStr) -> Option<F> {
        // SAFETY: the caller promises the type; the library is never closed, so the pointer stays valid.
        let symbol = unsafe { self.library.get::<F>(name.to_bytes_with_nul()) };
        symbol.ok().map(|symbol| *symbol)
    }
}

/// What `dlerror` said, without the wrapper's own words before it.
fn words(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
