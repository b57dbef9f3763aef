//! Bindings of the driver's just-in-time compiler, `libnvidia-ptxjitcompiler.so.1`.
//!
//! The functions are those of `nvPTXCompiler.h`, <https://docs.nvidia.com/cuda/ptx-compiler-api/>: NVIDIA documents
//! them for its static library, and the driver's compiler exports the same ones under the same names. A status is
//! an integer here, never an enum: a newer compiler returns what no binding knows.
#![expect(
    unsafe_code,
    reason = "every call into the compiler is a call of a foreign function"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr;

use cudacheck_model::oracle::CompilerStatus;

use crate::library::SharedLibrary;

type Handle = *mut c_void;
type Create = unsafe extern "C" fn(*mut Handle, usize, *const c_char) -> c_int;
type Compile = unsafe extern "C" fn(Handle, c_int, *const *const c_char) -> c_int;
type LogSize = unsafe extern "C" fn(Handle, *mut usize) -> c_int;
type Log = unsafe extern "C" fn(Handle, *mut c_char) -> c_int;
type Destroy = unsafe extern "C" fn(*mut Handle) -> c_int;

/// A log longer than this is not read: the size may be nonsense, and a compiler's first lines say why.
const LOG_LIMIT: usize = 1024 * 1024;

/// An open compiler with its functions. It is never closed.
pub(super) struct Compiler {
    create: Create,
    compile: Compile,
    log_size: LogSize,
    log: Log,
    destroy: Destroy,
}

/// How a compilation failed.
pub(super) enum Failed {
    /// The compiler refused the module.
    Refused {
        /// What it returned.
        status: CompilerStatus,
        /// Its words.
        log: String,
    },
    /// It never came to compiling.
    NotAsked(String),
}

impl Compiler {
    /// Opens a compiler.
    ///
    /// # Errors
    ///
    /// The dynamic loader's words, or which function the library lacks.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let library = SharedLibrary::open(path)?;
        let missing = |name: &CStr| format!("it has no `{}`", name.to_string_lossy());
        // SAFETY: the type is the function's declaration in `nvPTXCompiler.h`.
        let create = unsafe { library.function::<Create>(c"nvPTXCompilerCreate") };
        // SAFETY: as above.
        let compile = unsafe { library.function::<Compile>(c"nvPTXCompilerCompile") };
        // SAFETY: as above.
        let log_size = unsafe { library.function::<LogSize>(c"nvPTXCompilerGetErrorLogSize") };
        // SAFETY: as above.
        let log = unsafe { library.function::<Log>(c"nvPTXCompilerGetErrorLog") };
        // SAFETY: as above.
        let destroy = unsafe { library.function::<Destroy>(c"nvPTXCompilerDestroy") };
        Ok(Self {
            create: create.ok_or_else(|| missing(c"nvPTXCompilerCreate"))?,
            compile: compile.ok_or_else(|| missing(c"nvPTXCompilerCompile"))?,
            log_size: log_size.ok_or_else(|| missing(c"nvPTXCompilerGetErrorLogSize"))?,
            log: log.ok_or_else(|| missing(c"nvPTXCompilerGetErrorLog"))?,
            destroy: destroy.ok_or_else(|| missing(c"nvPTXCompilerDestroy"))?,
        })
    }

    /// Compiles a module with one option, and throws the machine code away.
    pub(super) fn compile(&self, ptx: &str, option: &str) -> Result<(), Failed> {
        let no_nul = |_| Failed::NotAsked("there is a NUL in it".to_owned());
        let ptx = CString::new(ptx).map_err(no_nul)?;
        let option = CString::new(option).map_err(no_nul)?;
        let mut handle: Handle = ptr::null_mut();
        // SAFETY: the library is open, the pointer is to a live handle, and the text has the length given before its
        // NUL; it lives until the handle is destroyed.
        let created = unsafe { (self.create)(&raw mut handle, ptx.count_bytes(), ptx.as_ptr()) };
        let created = CompilerStatus(created);
        if created != CompilerStatus::SUCCESS {
            return Err(Failed::NotAsked(format!(
                "`nvPTXCompilerCreate` returned {created}"
            )));
        }
        let options = [option.as_ptr()];
        // SAFETY: the library is open, the handle is that of a compiler, and the array has the one string announced.
        let status = CompilerStatus(unsafe { (self.compile)(handle, 1, options.as_ptr()) });
        let result = if status == CompilerStatus::SUCCESS {
            Ok(())
        } else {
            let log = self.error_log(handle);
            Err(Failed::Refused { status, log })
        };
        // SAFETY: the library is open, and the handle, which nobody uses afterwards, is that of a compiler. That it
        // could not be destroyed changes nothing: the process ends soon.
        let _ = unsafe { (self.destroy)(&raw mut handle) };
        result
    }

    fn error_log(&self, handle: Handle) -> String {
        let mut size = 0;
        // SAFETY: the library is open, the handle is that of a compiler, and the pointer is to a live integer.
        let asked = unsafe { (self.log_size)(handle, &raw mut size) };
        if CompilerStatus(asked) != CompilerStatus::SUCCESS || size > LOG_LIMIT {
            return String::new();
        }
        // One more than announced: whether the size counts the NUL differs between versions.
        let mut bytes = vec![0_u8; size + 1];
        // SAFETY: the library is open, the handle is that of a compiler, and the buffer is as long as it announced.
        let told = unsafe { (self.log)(handle, bytes.as_mut_ptr().cast()) };
        if CompilerStatus(told) != CompilerStatus::SUCCESS {
            return String::new();
        }
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(size);
        String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned()
    }
}
