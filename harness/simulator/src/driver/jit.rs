//! What a module's image is, and what compiling it says: the codes and the log of a driver's JIT compiler.
//!
//! The words are those of the JIT compiler of driver 550.163.01. A `.target` beyond the device is a compilation that
//! fails there, with "SM version specified by .target is higher than default SM version assumed", so that
//! `cuModuleLoadData` answers 218; a newer `.version` is a kind of its own, and answers 222.

use std::fmt::Write as _;

use cudacheck_model::version::{ComputeCapability, PtxIsa};

use super::configuration::Jit;
use super::module::registers;
use super::status::Status;
use crate::ptx::{self, CompileError, JitTarget};

/// What a caller hands over as a module, told apart as a driver does: by its first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Image<'a> {
    /// A cubin or a fatbin: machine code, which nothing here executes.
    MachineCode,
    /// Text up to the NUL.
    Text(&'a [u8]),
}

/// What the options of `cuModuleLoadDataEx` ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JitRequest {
    /// `CU_JIT_TARGET`, where it is given: 80 for `sm_80`.
    pub(crate) target: Option<u32>,
    /// `CU_JIT_LOG_VERBOSE`: 0, unless the caller asks for more.
    pub(crate) verbose: u32,
}

/// What compiling said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct JitLog {
    /// `CU_JIT_INFO_LOG_BUFFER`.
    pub(crate) info: String,
    /// `CU_JIT_ERROR_LOG_BUFFER`.
    pub(crate) error: String,
}

/// What kind of image begins with these bytes; text is to be read up to its NUL by the caller.
pub(crate) fn is_machine_code(first: [u8; 4]) -> bool {
    const ELF: [u8; 4] = *b"\x7fELF";
    const FATBIN: [u8; 4] = 0xBA55_ED50_u32.to_le_bytes();
    const FATBIN_WRAPPER: [u8; 4] = 0x4662_43B1_u32.to_le_bytes();
    [ELF, FATBIN, FATBIN_WRAPPER].contains(&first)
}

/// Compiles an image for a device.
///
/// Text that does not begin as PTX does, with a directive or a comment, is an invalid image rather than invalid PTX.
pub(crate) fn compile(
    image: Image<'_>,
    isa_max: PtxIsa,
    device: ComputeCapability,
    jit: Jit,
    request: JitRequest,
    log: &mut JitLog,
) -> Result<ptx::Module, Status> {
    let text = match image {
        Image::MachineCode => return Err(Status::NO_BINARY_FOR_GPU),
        Image::Text(bytes) => bytes,
    };
    let text = std::str::from_utf8(text).map_err(|_| Status::INVALID_IMAGE)?;
    if !text.trim_start().starts_with(['.', '/']) {
        return Err(Status::INVALID_IMAGE);
    }
    if jit == Jit::Disabled {
        return Err(Status::JIT_COMPILATION_DISABLED);
    }
    let capability = match request.target {
        Some(number) => ComputeCapability::new(number / 10, number % 10),
        None => device,
    };
    let target = JitTarget {
        isa_max,
        capability,
    };
    let module = ptx::compile(text, &target).map_err(|error| {
        log.error = match &error {
            CompileError::TargetNotReached { .. } => {
                "ptxas fatal   : SM version specified by .target is higher than default SM version assumed"
                    .to_owned()
            }
            CompileError::Syntax { .. }
            | CompileError::IsaTooNew { .. }
            | CompileError::Unsupported { .. } => error.to_string(),
        };
        log.error.push('\n');
        status(&error)
    })?;
    // Code for another device than the one at hand is compiled, and then has nowhere to run.
    if capability.major != device.major || capability.minor > device.minor {
        return Err(Status::NO_BINARY_FOR_GPU);
    }
    if request.verbose > 0 {
        log.info = describe(&module, &capability.sm());
    }
    Ok(module)
}

fn status(error: &CompileError) -> Status {
    match error {
        CompileError::Syntax { .. } | CompileError::TargetNotReached { .. } => Status::INVALID_PTX,
        CompileError::IsaTooNew { .. } => Status::UNSUPPORTED_PTX_VERSION,
        CompileError::Unsupported { .. } => Status::NOT_SUPPORTED,
    }
}

fn describe(module: &ptx::Module, sm: &str) -> String {
    let global: u64 = module.variables().map(|variable| variable.size).sum();
    let mut text = format!("ptxas info    : {global} bytes gmem\n");
    for entry in module.entries() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "ptxas info    : Compiling entry function '{name}' for '{sm}'\n\
             ptxas info    : Function properties for {name}\n\
             ptxas         .     {stack} bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n\
             ptxas info    : Used {registers} registers, {shared} bytes smem, {parameters} bytes cmem[0]",
            name = entry.name,
            stack = entry.local_bytes,
            registers = registers(entry),
            shared = entry.static_shared,
            parameters = entry.parameter_bytes,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = ".version 6.0\n.target sm_50\n.address_size 64\n.visible .entry canary(.param .u64 out)\n{\n    ret;\n}\n";

    #[track_caller]
    fn check(text: &str, request: JitRequest, expected: u32, words: &str) {
        let mut log = JitLog::default();
        let answer = compile(
            Image::Text(text.as_bytes()),
            PtxIsa::new(8, 4),
            ComputeCapability::new(8, 0),
            Jit::Enabled,
            request,
            &mut log,
        );
        let code = answer.err().unwrap_or(Status::SUCCESS);
        assert_eq!(code, Status(expected), "{}", log.error);
        let said = format!("{}{}", log.error, log.info);
        assert!(said.contains(words), "{said}");
        assert_eq!(log.error.is_empty(), !matches!(expected, 218 | 222 | 801));
    }

    #[test]
    fn each_kind_of_text_has_its_code_and_log() {
        let plain = JitRequest::default();
        check(CANARY, plain, 0, "");
        let newer = CANARY.replace("6.0", "99.0");
        check(&newer, plain, 222, "Unsupported .version 99.0");
        let beyond = CANARY.replace("6.0", "8.0").replace("sm_50", "sm_90");
        check(&beyond, plain, 218, "SM version specified by .target");
        check(&CANARY.replace("ret;", "return now;"), plain, 218, "line 6");
        check("no ptx at all", plain, 200, "");
        check("", plain, 200, "");
    }

    #[test]
    fn a_target_that_the_device_is_not_has_no_code_for_it() {
        let target = |number| JitRequest {
            target: Some(number),
            verbose: 0,
        };
        check(CANARY, target(80), 0, "");
        check(CANARY, target(75), 209, "");
        check(CANARY, target(86), 209, "");
    }

    #[test]
    fn a_verbose_log_names_each_kernel() {
        let verbose = JitRequest {
            target: None,
            verbose: 1,
        };
        check(
            CANARY,
            verbose,
            0,
            "Compiling entry function 'canary' for 'sm_80'",
        );
    }

    #[test]
    fn machine_code_is_known_by_its_first_bytes() {
        assert!(is_machine_code(*b"\x7fELF"));
        assert!(is_machine_code([0x50, 0xED, 0x55, 0xBA]));
        assert!(is_machine_code([0xB1, 0x43, 0x62, 0x46]));
        assert!(!is_machine_code(*b".ver"));
    }
}
