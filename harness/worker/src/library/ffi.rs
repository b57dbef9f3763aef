//! Opening a library and looking up its functions.
#![expect(
    unsafe_code,
    reason = "loading foreign code and naming a function's type are promises that no compiler can check"
)]

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;

use libloading::os::unix::{Library, RTLD_LAZY, RTLD_LOCAL, RTLD_NOW};

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

    /// Opens a file of a package, with every function that it needs of others looked up at once: what is missing is
    /// better known now than in the middle of a computation.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words.
    pub(crate) fn open_now(path: &Path) -> Result<Self, String> {
        // SAFETY: the caller names a library of the package under test; its initialisers run in a worker process,
        // whose death the supervisor expects.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
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

    /// What the library keeps in the variable of this name, if it has one.
    ///
    /// # Safety
    ///
    /// The library declares the name as a variable that holds a pointer, and has set it when it was loaded.
    pub(crate) unsafe fn variable(&self, name: &CStr) -> Option<Handle> {
        // SAFETY: the name is a variable's, whose address any pointer can hold.
        let symbol = unsafe { self.library.get::<*const Handle>(name.to_bytes_with_nul()) };
        let address = *symbol.ok()?;
        // SAFETY: the caller promises a pointer there; the library is never closed, so it stays mapped.
        Some(unsafe { address.read() })
    }
}

/// The beginning of `struct dl_phdr_info` of `link.h`, in glibc since 2.4 and in musl.
#[repr(C)]
struct Loaded {
    address: usize,
    name: *const c_char,
    headers: *const c_void,
    header_count: u16,
    opened: u64,
    closed: u64,
}

unsafe extern "C" {
    fn dl_iterate_phdr(
        tell: extern "C" fn(&Loaded, usize, &mut u64) -> i32,
        closed: &mut u64,
    ) -> i32;
}

/// How many libraries the dynamic loader has closed so far.
pub(crate) fn closed_libraries() -> u64 {
    extern "C" fn tell(loaded: &Loaded, size: usize, closed: &mut u64) -> i32 {
        if size >= size_of::<Loaded>() {
            *closed = loaded.closed;
        }
        // The number is the same with every library, so the first one is enough.
        1
    }
    let mut closed = 0;
    // SAFETY: the C library declares the function with a callback of this type, which it calls before it returns.
    unsafe { dl_iterate_phdr(tell, &mut closed) };
    closed
}

/// A status that a library returned: zero where it succeeded, whatever its header calls the others.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Status(pub(crate) i32);

/// An opaque handle of a library, by its address.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Handle(*mut c_void);

impl Handle {
    pub(crate) const NULL: Self = Self(ptr::null_mut());
}

/// An address in a device's memory. The host never reads or writes what lies there.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DevicePointer(pub(crate) u64);

impl DevicePointer {
    pub(crate) const NULL: Self = Self(0);

    /// So many bytes further.
    pub(crate) const fn offset(self, bytes: u64) -> Self {
        Self(self.0 + bytes)
    }
}

/// What a library reads of the host's memory: a pointer to the first of some elements.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct In<'a, T>(*const T, PhantomData<&'a [T]>);

impl<T> In<'_, T> {
    pub(crate) const NULL: Self = Self(ptr::null(), PhantomData);
}

impl<'a, T> From<&'a [T]> for In<'a, T> {
    fn from(elements: &'a [T]) -> Self {
        Self(elements.as_ptr(), PhantomData)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for In<'a, T> {
    fn from(elements: &'a [T; N]) -> Self {
        Self(elements.as_ptr(), PhantomData)
    }
}

/// A string for a library.
impl<'a> From<&'a CStr> for In<'a, c_char> {
    fn from(text: &'a CStr) -> Self {
        Self(text.as_ptr(), PhantomData)
    }
}

/// What a library writes to the host's memory: a pointer to the first of some elements.
#[repr(transparent)]
pub(crate) struct Out<'a, T>(*mut T, PhantomData<&'a mut [T]>);

impl<T> Out<'_, T> {
    pub(crate) const NULL: Self = Self(ptr::null_mut(), PhantomData);
}

impl<'a, T> From<&'a mut [T]> for Out<'a, T> {
    fn from(elements: &'a mut [T]) -> Self {
        Self(elements.as_mut_ptr(), PhantomData)
    }
}

impl<'a, T, const N: usize> From<&'a mut [T; N]> for Out<'a, T> {
    fn from(elements: &'a mut [T; N]) -> Self {
        Self(elements.as_mut_ptr(), PhantomData)
    }
}

/// A string of a library that is never changed and never freed, as error strings are.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Words(*const c_char);

impl Words {
    /// No string: where a function is to put one.
    pub(crate) const NULL: Self = Self(ptr::null());

    /// The text; empty where the library has none.
    pub(crate) fn text(self) -> String {
        if self.0.is_null() {
            return String::new();
        }
        // SAFETY: the library returned it as a string that ends with NUL and lives as long as the library,
        // which is never closed.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_string_lossy().into_owned()
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Called<T> {
    /// The function.
    pub(crate) function: &'static CStr,
    /// What it returned; none if the library has no such function.
    pub(crate) value: Option<T>,
}

/// Declares functions of a library: a table whose methods look a function up and call it.
///
/// Use it in modules named `ffi` only. The signatures are the safety argument: each must be the one that the library's
/// own header declares for the SONAMEs that the model lists, with `In`, `Out`, `&T`, and `&mut T` for pointers to the
/// host's memory, and `DevicePointer` for pointers to a device's. A pointer that a library keeps must be kept alive
/// by the caller as long as the library may use it.
macro_rules! abi {
    (
        $(#[$about:meta])*
        $table:ident;
        $($(#[$doc:meta])* fn $name:ident = $symbol:literal ($($argument:ident : $type:ty),* $(,)?) -> $value:ty;)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        pub(super) struct $table<'l>(&'l $crate::library::SharedLibrary);

        impl<'l> $table<'l> {
            pub(super) fn new(library: &'l $crate::library::SharedLibrary) -> Self {
                Self(library)
            }

            $(
                $(#[$doc])*
                #[expect(clippy::allow_attributes, reason = "the next line must allow")]
                #[allow(clippy::too_many_arguments, dead_code, reason = "a signature is the library's")]
                pub(super) fn $name(&self, $($argument: $type),*) -> $crate::library::Called<$value> {
                    type Function = unsafe extern "C" fn($($type),*) -> $value;
                    // SAFETY: the type is a function pointer of the signature that the library's header declares.
                    let function = unsafe { self.0.function::<Function>($symbol) };
                    let value = function.map(|function| {
                        // SAFETY: the arguments have the types of the signature, and what they point to lives
                        // through the call.
                        unsafe { function($($argument),*) }
                    });
                    $crate::library::Called { function: $symbol, value }
                }
            )*
        }
    };
}

pub(crate) use abi;

/// What `dlerror` said, without the wrapper's own words before it.
fn words(error: &libloading::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_again_is_counted() {
        let before = closed_libraries();
        // SAFETY: the C library's own part for names of hosts has no initialiser of concern.
        let library = unsafe { Library::open(Some("libresolv.so.2"), RTLD_NOW | RTLD_LOCAL) };
        library.unwrap().close().unwrap();
        assert!(closed_libraries() > before);
    }
}
