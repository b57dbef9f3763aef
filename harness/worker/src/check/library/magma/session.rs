//! MAGMA, initialised, with a queue on the device.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::{Bench, Opened, Stop, Verdict};
use super::api::{Answer, Magma, Version};
use crate::library::{Called, DevicePointer, Handle, Status};

/// What `magma_malloc` is asked for.
const PROBE: usize = 4096;

pub(super) struct Session<'a> {
    opened: &'a Opened<'a>,
    pub(super) magma: Magma<'a>,
    pub(super) queue: Handle,
}

impl<'a> Session<'a> {
    pub(super) fn new(opened: &'a Opened<'a>, bench: &Bench<'_>) -> Result<Self, Stop> {
        let version = opened.value(Version::of(&opened.library))?;
        let magma = Magma::new(&opened.library, version);
        let mut session = Self {
            opened,
            magma,
            queue: Handle::NULL,
        };
        session.ok(session.magma.init())?;
        let devices = opened.value(session.magma.devices())?;
        if devices < 1 {
            return Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::WrongResult,
                expected: "magma_getdevices finds the device".to_owned(),
                found: format!("magma_getdevices finds {devices} devices"),
            }));
        }
        let mut memory = DevicePointer::NULL;
        session.ok(session.magma.allocate(&mut memory, PROBE))?;
        session.ok(session.magma.free(memory))?;
        let mut queue = Handle::NULL;
        opened.value(session.magma.create_queue(&mut queue))?;
        if queue == Handle::NULL {
            return Err(Box::new(CheckResult::Mismatch {
                kind: MismatchKind::NeverWritten,
                expected: "magma_queue_create makes a queue".to_owned(),
                found: "it made none; why, it has written to stderr".to_owned(),
            }));
        }
        session.queue = queue;
        bench.computes();
        Ok(session)
    }

    /// Goes on if a function without a status is there.
    pub(super) fn did(&self, called: Called<()>) -> Verdict {
        self.opened.value(called)
    }

    /// Goes on if a function succeeded and found nothing wrong with the matrix.
    pub(super) fn answered(&self, answer: &Answer) -> Verdict {
        self.ok(answer.status)?;
        if answer.info == 0 {
            return Ok(());
        }
        let function = answer.status.function.to_string_lossy().into_owned();
        Err(Box::new(CheckResult::Mismatch {
            kind: MismatchKind::WrongResult,
            expected: format!("{function} finds nothing wrong with the matrix"),
            found: format!("it says {} in its argument `info`", answer.info),
        }))
    }

    fn ok(&self, called: Called<i64>) -> Verdict {
        let status = self.opened.value(called)?;
        if status == 0 {
            return Ok(());
        }
        let code = Status(i32::try_from(status).unwrap_or(i32::MIN));
        Err(self.opened.refused(called.function.to_string_lossy(), code))
    }

    /// Waits for the queue, and ends everything.
    pub(super) fn close(self) -> Verdict {
        self.did(self.magma.synchronize(self.queue))?;
        self.did(self.magma.destroy_queue(self.queue))?;
        self.ok(self.magma.finalize())
    }
}
