//! The functions of `nvrtc.h`, read from CUDA 11.8, 12.0, 12.9, and 13.5, which agree in all of these.
//! `nvrtcGetCUBIN` came with 11.1, before the SONAME `libnvrtc.so.11.2`.
#![expect(unsafe_code, reason = "the signatures of a foreign library")]

use std::ffi::c_char;

use crate::library::{Handle, In, Out, Status, Words, abi};

abi! {
    /// libnvrtc.
    Nvrtc;
    /// Major and minor.
    fn version = c"nvrtcVersion"(major: &mut i32, minor: &mut i32) -> Status;
    /// How many architectures it compiles for.
    fn architecture_count = c"nvrtcGetNumSupportedArchs"(count: &mut i32) -> Status;
    /// As many as it said: 90 for `compute_90`.
    fn architectures = c"nvrtcGetSupportedArchs"(architectures: Out<'_, i32>) -> Status;
    /// A program from its source, with headers by name.
    fn create = c"nvrtcCreateProgram"(
        program: &mut Handle,
        source: In<'_, c_char>,
        name: In<'_, c_char>,
        header_count: i32,
        headers: In<'_, In<'_, c_char>>,
        header_names: In<'_, In<'_, c_char>>,
    ) -> Status;
    /// Compiles it.
    fn compile = c"nvrtcCompileProgram"(
        program: Handle,
        option_count: i32,
        options: In<'_, In<'_, c_char>>,
    ) -> Status;
    /// Bytes of the log with its NUL.
    fn log_size = c"nvrtcGetProgramLogSize"(program: Handle, bytes: &mut usize) -> Status;
    /// The log.
    fn log = c"nvrtcGetProgramLog"(program: Handle, log: Out<'_, u8>) -> Status;
    /// Bytes of the PTX with its NUL.
    fn ptx_size = c"nvrtcGetPTXSize"(program: Handle, bytes: &mut usize) -> Status;
    /// The PTX.
    fn ptx = c"nvrtcGetPTX"(program: Handle, ptx: Out<'_, u8>) -> Status;
    /// Bytes of the machine code; 0 if it was compiled for a virtual architecture.
    fn cubin_size = c"nvrtcGetCUBINSize"(program: Handle, bytes: &mut usize) -> Status;
    /// The machine code.
    fn cubin = c"nvrtcGetCUBIN"(program: Handle, cubin: Out<'_, u8>) -> Status;
    /// Asks for an instance of a template, before compiling.
    fn add_name = c"nvrtcAddNameExpression"(program: Handle, name: In<'_, c_char>) -> Status;
    /// What the compiler calls that instance. The string lives as long as the program.
    fn lowered_name = c"nvrtcGetLoweredName"(
        program: Handle,
        name: In<'_, c_char>,
        lowered: &mut Words,
    ) -> Status;
    /// Ends a program.
    fn destroy = c"nvrtcDestroyProgram"(program: &mut Handle) -> Status;
    /// `NVRTC_ERROR_COMPILATION`.
    fn error_name = c"nvrtcGetErrorString"(status: Status) -> Words;
}
