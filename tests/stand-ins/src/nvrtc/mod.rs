//! A stand-in for libnvrtc, from `nvrtc.h` of CUDA 12.9. It compiles nothing: it knows the programs of the checks by
//! the names of their kernels, and has the PTX for each written by hand.
//!
//! The simulated driver runs PTX only. So what `nvrtcGetCUBIN` gives is PTX where the process has already opened a
//! driver, as the checks on a device do first of all, and otherwise the head of a real cubin, which nobody can run.

mod code;

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use libloading::os::unix::{Library, RTLD_LAZY};

use crate::fault;

const SUCCESS: i32 = 0;
const INVALID_PROGRAM: i32 = 4;
const INVALID_OPTION: i32 = 5;
const COMPILATION: i32 = 6;
const BUILTIN_OPERATION_FAILURE: i32 = 7;
const NAME_EXPRESSION_NOT_VALID: i32 = 10;

const ARCHITECTURES: [i32; 6] = [75, 80, 86, 90, 100, 120];

/// What an `nvrtcProgram` points to.
#[derive(Default)]
pub(crate) struct Program {
    source: String,
    name: String,
    /// Expressions that were asked for, and their names.
    instances: Vec<(CString, CString)>,
    log: Vec<u8>,
    ptx: Vec<u8>,
    cubin: Vec<u8>,
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcVersion(major: &mut i32, minor: &mut i32) -> i32 {
    (*major, *minor) = match fault::on("nvrtc-version") {
        true => (13, 0),
        false => (12, 9),
    };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetNumSupportedArchs(count: &mut i32) -> i32 {
    *count = 6;
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetSupportedArchs(architectures: &mut [i32; 6]) -> i32 {
    *architectures = ARCHITECTURES;
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcCreateProgram(
    program: &mut *mut Program,
    source: *const c_char,
    name: *const c_char,
    _: i32,
    _: *const *const c_char,
    _: *const *const c_char,
) -> i32 {
    let made = Program {
        // SAFETY: the caller passes a string.
        source: unsafe { text(source) },
        // SAFETY: the caller passes a string.
        name: unsafe { text(name) },
        ..Program::default()
    };
    *program = Box::into_raw(Box::new(made));
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcDestroyProgram(program: &mut *mut Program) -> i32 {
    if program.is_null() {
        return INVALID_PROGRAM;
    }
    // SAFETY: the pointer came from `nvrtcCreateProgram`, and is forgotten here.
    drop(unsafe { Box::from_raw(*program) });
    *program = ptr::null_mut();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcAddNameExpression(program: &mut Program, name: *const c_char) -> i32 {
    // SAFETY: the caller passes a string.
    let name = unsafe { text(name) };
    if name != "scale<float, 3>" {
        return NAME_EXPRESSION_NOT_VALID;
    }
    let lowered = match fault::on("nvrtc-lowered-name") {
        true => c"_Z5scaleIdLi3EEvPT_",
        false => c"_Z5scaleIfLi3EEvPT_",
    };
    let name = CString::new(name).unwrap_or_default();
    program.instances.push((name, lowered.to_owned()));
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcGetLoweredName(
    program: &Program,
    name: *const c_char,
    lowered: &mut *const c_char,
) -> i32 {
    // SAFETY: the caller passes a string.
    let name = unsafe { CStr::from_ptr(name) };
    let mut instances = program.instances.iter();
    match instances.find(|(asked, _)| asked.as_c_str() == name) {
        Some((_, found)) => {
            *lowered = found.as_ptr();
            SUCCESS
        }
        None => NAME_EXPRESSION_NOT_VALID,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcCompileProgram(
    program: &mut Program,
    count: i32,
    options: *const *const c_char,
) -> i32 {
    let mut architecture = "compute_75".to_owned();
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller passes as many pointers as it says.
        let option = unsafe { options.add(index) };
        // SAFETY: there is a pointer in each place.
        let option = unsafe { *option };
        // SAFETY: each is a string.
        let option = unsafe { text(option) };
        if let Some(value) = option.strip_prefix("--gpu-architecture=") {
            value.clone_into(&mut architecture);
        }
    }
    let (status, log) = program.compile(&architecture);
    program.log = log.into_bytes();
    program.log.push(0);
    status
}

impl Program {
    fn compile(&mut self, architecture: &str) -> (i32, String) {
        let number = architecture.rsplit('_').next().unwrap_or_default();
        let Some(known) = ARCHITECTURES.iter().find(|it| it.to_string() == number) else {
            let log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
            return (INVALID_OPTION, log.to_owned());
        };
        if fault::on("nvrtc-builtins-missing") {
            let log = "nvrtc: error: failed to open libnvrtc-builtins.so.12.9.\n  Make sure that libnvrtc-builtins.so.12.9 is installed correctly.";
            return (BUILTIN_OPERATION_FAILURE, log.to_owned());
        }
        if fault::on("nvrtc-builtins-of-another-release") {
            let log = format!("nvrtc: error: failed to load builtins for {architecture}.\n");
            return (BUILTIN_OPERATION_FAILURE, log);
        }
        if let Some(log) = self.error() {
            return (COMPILATION, log);
        }
        self.ptx = code::ptx(&self.source, *known, code::Path::Ptx).into_bytes();
        self.ptx.push(0);
        if architecture.starts_with("sm_") {
            self.cubin = match driver_is_open() {
                true => code::ptx(&self.source, *known, code::Path::Cubin).into_bytes(),
                false => code::cubin(*known),
            };
        }
        (SUCCESS, String::new())
    }

    /// The only error that the stand-in knows, with its place.
    fn error(&self) -> Option<String> {
        if fault::on("nvrtc-accepts-errors") {
            return None;
        }
        let mut lines = self.source.lines().zip(1..);
        let (_, line) = lines.find(|(line, _)| line.contains("undeclared"))?;
        let line = match fault::on("nvrtc-wrong-line") {
            true => line + 1,
            false => line,
        };
        let name = &self.name;
        Some(format!(
            "{name}({line}): error: identifier \"undeclared\" is undefined\n\n1 error detected in the compilation of \"{name}\".\n"
        ))
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetProgramLogSize(program: &Program, bytes: &mut usize) -> i32 {
    *bytes = program.log.len();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcGetProgramLog(program: &Program, log: *mut u8) -> i32 {
    // SAFETY: the caller has asked for the size.
    unsafe { give(&program.log, log) }
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetPTXSize(program: &Program, bytes: &mut usize) -> i32 {
    *bytes = program.ptx.len();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcGetPTX(program: &Program, ptx: *mut u8) -> i32 {
    // SAFETY: the caller has asked for the size.
    unsafe { give(&program.ptx, ptx) }
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetCUBINSize(program: &Program, bytes: &mut usize) -> i32 {
    *bytes = program.cubin.len();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvrtcGetCUBIN(program: &Program, cubin: *mut u8) -> i32 {
    // SAFETY: the caller has asked for the size.
    unsafe { give(&program.cubin, cubin) }
}

#[unsafe(no_mangle)]
extern "C" fn nvrtcGetErrorString(status: i32) -> *const c_char {
    let name = match status {
        SUCCESS => c"NVRTC_SUCCESS",
        INVALID_OPTION => c"NVRTC_ERROR_INVALID_OPTION",
        COMPILATION => c"NVRTC_ERROR_COMPILATION",
        BUILTIN_OPERATION_FAILURE => c"NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
        _ => c"NVRTC_ERROR unknown",
    };
    name.as_ptr()
}

/// # Safety
///
/// There is room for all bytes at the place.
unsafe fn give(bytes: &[u8], place: *mut u8) -> i32 {
    // SAFETY: the caller promises the room, and has not got it from this program.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
    SUCCESS
}

/// # Safety
///
/// The pointer is to a string that ends with NUL.
unsafe fn text(string: *const c_char) -> String {
    // SAFETY: the caller promises it.
    let string = unsafe { CStr::from_ptr(string) };
    string.to_string_lossy().into_owned()
}

/// Whether somebody in this process has opened a driver. This does not open one.
pub(crate) fn driver_is_open() -> bool {
    const RTLD_NOLOAD: i32 = 4;
    // SAFETY: nothing is loaded that is not loaded already.
    unsafe { Library::open(Some("libcuda.so.1"), RTLD_LAZY | RTLD_NOLOAD) }.is_ok()
}
