//! A program of the run-time compiler: its source, what becomes of it, and the compiler's log as evidence.

use std::ffi::{CStr, CString};

use cudacheck_model::journal::CheckResult;

use super::super::{Opened, Stop, Verdict};
use super::ffi::Nvrtc;
use crate::library::{Called, Handle, In, Out, Status, Words};

/// What a program is made of.
pub(super) struct Source {
    /// By which messages name it.
    pub(super) name: &'static CStr,
    /// CUDA C++.
    pub(super) text: &'static CStr,
    /// Templates whose instances are asked for.
    pub(super) instances: &'static [&'static CStr],
}

/// A program that was given to the compiler.
pub(super) struct Program<'p> {
    opened: &'p Opened<'p>,
    api: Nvrtc<'p>,
    handle: Handle,
}

impl<'p> Program<'p> {
    pub(super) fn create(opened: &'p Opened<'p>, source: &Source) -> Result<Self, Stop> {
        let api = Nvrtc::new(&opened.library);
        let mut handle = Handle::NULL;
        opened.ok(api.create(
            &mut handle,
            source.text.into(),
            source.name.into(),
            0,
            In::NULL,
            In::NULL,
        ))?;
        for name in source.instances {
            opened.ok(api.add_name(handle, (*name).into()))?;
        }
        Ok(Self {
            opened,
            api,
            handle,
        })
    }

    /// Compiles with these options, and returns the status with the log.
    pub(super) fn try_compile(&self, options: &[String]) -> Result<(Status, String), Stop> {
        let options: Vec<CString> = options
            .iter()
            .map(|option| CString::new(option.as_str()).unwrap_or_default())
            .collect();
        let pointers: Vec<In<'_, _>> = options.iter().map(|it| it.as_c_str().into()).collect();
        let count = i32::try_from(pointers.len()).unwrap_or(i32::MAX);
        let pointers = In::from(pointers.as_slice());
        let status = self
            .opened
            .value(self.api.compile(self.handle, count, pointers))?;
        let log = self.bytes(
            |size| self.api.log_size(self.handle, size),
            |out| self.api.log(self.handle, out),
        )?;
        Ok((status, text(&log)))
    }

    /// Compiles for an architecture: `sm_90` gives machine code and PTX, `compute_90` PTX.
    pub(super) fn compile(&self, architecture: &str) -> Verdict {
        let option = format!("--gpu-architecture={architecture}");
        let (status, log) = self.try_compile(&[option])?;
        if status == Status(0) {
            return Ok(());
        }
        Err(self.refused(status, log))
    }

    /// A status of the compiler as the end of the check, with its log.
    pub(super) fn refused(&self, status: Status, said: String) -> Stop {
        if let Some(line) = said.lines().find(|line| is_of_builtins(line)) {
            return self.opened.skew(
                "libnvrtc-builtins is of the same release as libnvrtc",
                format!("the compiler says: {line}"),
            );
        }
        let mut stop = self.opened.refused("nvrtcCompileProgram", status);
        if let CheckResult::Library { log, .. } = &mut *stop {
            *log = said;
        }
        stop
    }

    pub(super) fn cubin(&self) -> Result<Vec<u8>, Stop> {
        self.bytes(
            |size| self.api.cubin_size(self.handle, size),
            |out| self.api.cubin(self.handle, out),
        )
    }

    pub(super) fn ptx(&self) -> Result<String, Stop> {
        let bytes = self.bytes(
            |size| self.api.ptx_size(self.handle, size),
            |out| self.api.ptx(self.handle, out),
        )?;
        Ok(text(&bytes))
    }

    /// What the compiler calls an instance of a template that was asked for.
    pub(super) fn lowered(&self, name: &CStr) -> Result<String, Stop> {
        let mut lowered = Words::NULL;
        let named = self
            .api
            .lowered_name(self.handle, name.into(), &mut lowered);
        self.opened.ok(named)?;
        Ok(lowered.text())
    }

    pub(super) fn destroy(mut self) -> Verdict {
        self.opened.ok(self.api.destroy(&mut self.handle))
    }

    fn bytes(
        &self,
        size: impl Fn(&mut usize) -> Called<Status>,
        copy: impl Fn(Out<'_, u8>) -> Called<Status>,
    ) -> Result<Vec<u8>, Stop> {
        let mut count = 0;
        self.opened.ok(size(&mut count))?;
        let mut bytes = vec![0; count];
        self.opened.ok(copy(bytes.as_mut_slice().into()))?;
        Ok(bytes)
    }
}

/// Whether a line of a log blames what `libnvrtc-builtins` brings. The words are those of NVRTC 12.9 with the builtins of
/// 12.0 under its own name; a missing file is told in other words.
fn is_of_builtins(line: &str) -> bool {
    let header = line.starts_with("__nv_nvrtc_builtin_header.h(") && line.contains("error");
    header || line.contains("failed to load builtins for")
}

/// A string that a library has written with a NUL at its end.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: bool) {
        assert_eq!(is_of_builtins(line), expected, "{line}");
    }

    #[test]
    fn builtins_of_another_release_are_known_by_the_log() {
        check(
            "nvrtc: error: failed to load builtins for compute_121.",
            true,
        );
        check(
            "__nv_nvrtc_builtin_header.h(765): error: class \"char1\" has already been defined",
            true,
        );
        check(
            "nvrtc: error: failed to open libnvrtc-builtins.so.12.9.",
            false,
        );
        check(
            "broken.cu(3): error: identifier \"undeclared\" is undefined",
            false,
        );
    }
}
