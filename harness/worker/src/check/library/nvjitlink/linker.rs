//! A linker of the library: its inputs, what it makes of them, and its log as evidence.

use std::ffi::{CStr, CString};

use cudacheck_model::journal::CheckResult;

use super::super::{Opened, Stop, Verdict};
use super::ffi::NvJitLink;
use crate::library::{Handle, In, Status};

/// `NVJITLINK_INPUT_PTX`.
const PTX: i32 = 2;

/// `NVJITLINK_ERROR_UNRECOGNIZED_ARCH` and `NVJITLINK_ERROR_UNSUPPORTED_ARCH`, since CUDA 13.
const UNKNOWN_ARCHITECTURE: [Status; 2] = [Status(16), Status(17)];

/// A piece of PTX with the name that the log calls it by.
pub(super) type Module = (&'static CStr, &'static str);

pub(super) struct Linker<'l> {
    opened: &'l Opened<'l>,
    api: NvJitLink<'l>,
    handle: Handle,
}

/// What became of the inputs.
pub(super) struct Refusal {
    pub(super) function: &'static str,
    pub(super) status: Status,
    pub(super) log: String,
}

impl<'l> Linker<'l> {
    /// A linker for an architecture: `sm_90`.
    pub(super) fn create(opened: &'l Opened<'l>, architecture: &str) -> Result<Self, Stop> {
        let api = NvJitLink::new(&opened.library);
        let option = CString::new(format!("-arch={architecture}")).unwrap_or_default();
        let options = [In::from(option.as_c_str())];
        let mut handle = Handle::NULL;
        let created = api.create(&mut handle, 1, In::from(&options));
        if UNKNOWN_ARCHITECTURE.contains(&opened.value(created)?) {
            return Err(
                opened.not_supported(format!("this nvJitLink does not know {architecture}"))
            );
        }
        opened.ok(created)?;
        Ok(Self {
            opened,
            api,
            handle,
        })
    }

    /// Adds the modules and links them; the first refusal ends it.
    pub(super) fn try_link(&self, modules: &[Module]) -> Result<Option<Refusal>, Stop> {
        for (name, ptx) in modules {
            // Linkers since 12.4 refuse PTX behind which there is no NUL, which does not count for its size.
            let bytes: Vec<u8> = ptx.bytes().chain([0]).collect();
            let count = ptx.len();
            let added = self.api.add(
                self.handle,
                PTX,
                bytes.as_slice().into(),
                count,
                (*name).into(),
            );
            let status = self.opened.value(added)?;
            if status != Status(0) {
                return self.refusal("nvJitLinkAddData", status).map(Some);
            }
        }
        let status = self.opened.value(self.api.complete(self.handle))?;
        if status == Status(0) {
            return Ok(None);
        }
        self.refusal("nvJitLinkComplete", status).map(Some)
    }

    /// Links, and returns the machine code.
    pub(super) fn link(&self, modules: &[Module]) -> Result<Vec<u8>, Stop> {
        if let Some(refusal) = self.try_link(modules)? {
            // So far it has said nothing; linkers of CUDA 12 learn it from the compiler inside.
            let unknown = "is not defined for option 'gpu-name'";
            if let Some(line) = refusal.log.lines().find(|line| line.contains(unknown)) {
                let what =
                    format!("this nvJitLink does not know the device's architecture: {line}");
                return Err(self.opened.not_supported(what));
            }
            return Err(self.refused(refusal));
        }
        let mut size = 0;
        self.opened
            .ok(self.api.cubin_size(self.handle, &mut size))?;
        let mut cubin = vec![0; size];
        let copied = self.api.cubin(self.handle, cubin.as_mut_slice().into());
        self.opened.ok(copied)?;
        Ok(cubin)
    }

    pub(super) fn refused(&self, refusal: Refusal) -> Stop {
        let mut stop = self.opened.refused(refusal.function, refusal.status);
        if let CheckResult::Library { log, .. } = &mut *stop {
            *log = refusal.log;
        }
        stop
    }

    pub(super) fn destroy(mut self) -> Verdict {
        self.opened.ok(self.api.destroy(&mut self.handle))
    }

    fn refusal(&self, function: &'static str, status: Status) -> Result<Refusal, Stop> {
        let mut size = 0;
        self.opened.ok(self.api.log_size(self.handle, &mut size))?;
        let mut log = vec![0; size];
        let copied = self.api.log(self.handle, log.as_mut_slice().into());
        self.opened.ok(copied)?;
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(size);
        Ok(Refusal {
            function,
            status,
            log: String::from_utf8_lossy(&log[..end]).into_owned(),
        })
    }
}
