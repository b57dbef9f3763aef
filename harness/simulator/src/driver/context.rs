//! Contexts, and how the error of a kernel reaches the caller.
//!
//! Work is executed when it is submitted, but as on a device its error comes later: a launch answers 0, and the next
//! synchronising call answers the error. From then on the context is unusable, and every call in it answers the same,
//! until it is destroyed. A kernel that never ends makes the next synchronising call wait for ever.

use std::io::Write as _;

use super::machine::{Handle, Machine, Primary};
use super::status::Status;
use crate::inject::Injection;
use crate::profile::Device;

/// A context.
#[derive(Debug)]
pub(crate) struct Context {
    /// The device's ordinal.
    pub(super) device: i32,
    pub(super) flags: u32,
    /// By `CUlimit`.
    limits: [u64; 7],
    /// The error that every call answers.
    poison: Option<Status>,
    /// What the next synchronisation will find.
    pending: Option<Pending>,
    /// Text of kernels that is printed at the next synchronisation.
    printed: Vec<u8>,
    /// Failed assertions of kernels, likewise.
    complaints: String,
}

/// What has happened on the device and is not yet known to the caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Pending {
    /// A kernel died.
    Failed(Status),
    /// A kernel runs for ever.
    Hangs,
}

/// Stack per thread, printf buffer, heap, depth and count of device launches, L2 fetch granularity, persisting L2.
const LIMITS: [u64; 7] = [1024, 1 << 20, 8 << 20, 2, 2048, 64, 0];

impl Context {
    pub(super) fn new(device: i32, flags: u32) -> Self {
        Self {
            device,
            flags,
            limits: LIMITS,
            poison: None,
            pending: None,
            printed: Vec::new(),
            complaints: String::new(),
        }
    }

    /// The earliest failure is the one that is told.
    pub(super) fn fail(&mut self, pending: Pending) {
        self.pending.get_or_insert(pending);
    }

    /// Whether the device executes nothing any more, although the caller does not know it yet.
    pub(super) fn is_stopped(&self) -> bool {
        self.pending.is_some()
    }

    /// Keeps what a kernel prints; as on a device, what does not fit the buffer is lost.
    pub(super) fn print(&mut self, text: &[u8]) {
        let room = usize::try_from(self.limits[1]).unwrap_or(usize::MAX);
        if self.printed.len() + text.len() <= room {
            self.printed.extend_from_slice(text);
        }
    }

    /// Keeps the text of a failed assertion.
    pub(super) fn complain(&mut self, text: &str) {
        self.complaints.push_str(text);
        self.complaints.push('\n');
    }
}

impl Machine {
    /// `cuDevicePrimaryCtxRetain`.
    pub(crate) fn retain_primary(&mut self, ordinal: i32) -> Result<Handle, Status> {
        if let Some(primary) = &mut self.visible_device_mut(ordinal)?.primary {
            primary.retained += 1;
            return Ok(primary.context);
        }
        let flags = self.visible_device(ordinal)?.primary_flags;
        let context = self.create_context(ordinal, flags)?;
        self.visible_device_mut(ordinal)?.primary = Some(Primary {
            context,
            retained: 1,
        });
        Ok(context)
    }

    /// `cuDevicePrimaryCtxRelease`.
    pub(crate) fn release_primary(&mut self, ordinal: i32) -> Result<(), Status> {
        let device = self.visible_device_mut(ordinal)?;
        let primary = device.primary.as_mut().ok_or(Status::INVALID_CONTEXT)?;
        primary.retained -= 1;
        if primary.retained > 0 {
            return Ok(());
        }
        self.reset_primary(ordinal)
    }

    /// `cuDevicePrimaryCtxReset`.
    pub(crate) fn reset_primary(&mut self, ordinal: i32) -> Result<(), Status> {
        match self.visible_device_mut(ordinal)?.primary.take() {
            Some(primary) => self.destroy_context(primary.context),
            None => Ok(()),
        }
    }

    /// `cuDevicePrimaryCtxGetState`: the flags, and whether the context is active.
    pub(crate) fn primary_state(&self, ordinal: i32) -> Result<(u32, bool), Status> {
        let device = self.visible_device(ordinal)?;
        Ok((device.primary_flags, device.primary.is_some()))
    }

    /// `cuDevicePrimaryCtxSetFlags`.
    pub(crate) fn set_primary_flags(&mut self, ordinal: i32, flags: u32) -> Result<(), Status> {
        self.visible_device_mut(ordinal)?.primary_flags = flags;
        Ok(())
    }

    /// `cuCtxCreate`.
    pub(crate) fn create_context(&mut self, ordinal: i32, flags: u32) -> Result<Handle, Status> {
        self.visible_device(ordinal)?;
        self.require_device_present()?;
        let handle = self.new_handle();
        self.contexts.insert(handle, Context::new(ordinal, flags));
        Ok(handle)
    }

    /// `cuCtxDestroy`, with everything that the context owns. Its memory goes with the last context of the device.
    pub(crate) fn destroy_context(&mut self, handle: Handle) -> Result<(), Status> {
        let mut context = self
            .contexts
            .remove(&handle)
            .ok_or(Status::INVALID_CONTEXT)?;
        flush(&mut context);
        let modules: Vec<Handle> = self
            .modules
            .iter()
            .filter(|(_, module)| module.context == handle)
            .map(|(module, _)| *module)
            .collect();
        for module in modules {
            self.drop_module(module);
        }
        self.streams.retain(|_, stream| stream.context != handle);
        self.events.retain(|_, event| event.context != handle);
        let others = self
            .contexts
            .values()
            .any(|other| other.device == context.device);
        if !others {
            let total = self.device(context.device)?.memory;
            self.visible_device_mut(context.device)?.memory = crate::exec::Memory::new(total);
        }
        Ok(())
    }

    /// A context that can be used, or why it cannot.
    pub(super) fn context(&mut self, handle: Handle) -> Result<&mut Context, Status> {
        self.require_device_present()?;
        let context = self
            .contexts
            .get_mut(&handle)
            .ok_or(Status::CONTEXT_IS_DESTROYED)?;
        match context.poison {
            Some(status) => Err(status),
            None => Ok(context),
        }
    }

    /// A lost device answers nothing but that; the error is the one that its users see.
    pub(super) fn require_device_present(&self) -> Result<(), Status> {
        if self.hardware.is_lost() {
            Err(Status::LAUNCH_FAILED)
        } else {
            Ok(())
        }
    }

    /// The device's ordinal of a context; answered also when the context is unusable.
    pub(crate) fn device_of(&self, handle: Handle) -> Result<i32, Status> {
        self.contexts
            .get(&handle)
            .map(|context| context.device)
            .ok_or(Status::CONTEXT_IS_DESTROYED)
    }

    pub(super) fn profile_of(&self, handle: Handle) -> Result<&Device, Status> {
        self.device(self.device_of(handle)?)
    }

    /// Whether nothing that is submitted to a context is executed any more.
    pub(crate) fn is_stopped(&self, handle: Handle) -> bool {
        self.contexts.get(&handle).is_none_or(Context::is_stopped)
    }

    /// `cuCtxGetFlags`.
    pub(crate) fn flags_of(&mut self, handle: Handle) -> Result<u32, Status> {
        self.context(handle).map(|context| context.flags)
    }

    /// Whether a context can be made current.
    pub(crate) fn require_context(&self, handle: Handle) -> Result<(), Status> {
        self.device_of(handle).map(|_| ())
    }

    /// What every synchronising call begins with: the error of what was submitted before, or no return at all.
    pub(crate) fn synchronise(&mut self, handle: Handle) -> Result<(), Status> {
        let injected = self.injected_sync();
        let context = self.context(handle)?;
        flush(context);
        match (context.pending.clone(), injected) {
            (Some(Pending::Hangs), _) => Err(Status::NEVER),
            (Some(Pending::Failed(status)), _) | (None, Some(status)) => {
                if status.is_sticky() {
                    context.poison = Some(status);
                } else {
                    context.pending = None;
                }
                Err(status)
            }
            (None, None) => Ok(()),
        }
    }

    /// The same for calls that only ask: what never ends is not ready.
    pub(crate) fn query(&mut self, handle: Handle) -> Result<(), Status> {
        match self.synchronise(handle) {
            Err(Status::NEVER) => Err(Status::NOT_READY),
            answer => answer,
        }
    }

    fn injected_sync(&self) -> Option<Status> {
        let configuration = self.configuration().ok()?;
        let code = |injection: &Injection| injection.fault.sync_code();
        configuration.injections.iter().find_map(code).map(Status)
    }

    /// `cuCtxGetLimit`.
    pub(crate) fn limit(&mut self, handle: Handle, limit: u32) -> Result<u64, Status> {
        let context = self.context(handle)?;
        usize::try_from(limit)
            .ok()
            .and_then(|index| context.limits.get(index).copied())
            .ok_or(Status::UNSUPPORTED_LIMIT)
    }

    /// `cuCtxSetLimit`. A thread's stack is at most 512 KiB; the driver rounds it up to 16 bytes.
    pub(crate) fn set_limit(
        &mut self,
        handle: Handle,
        limit: u32,
        value: u64,
    ) -> Result<(), Status> {
        let context = self.context(handle)?;
        let slot = usize::try_from(limit)
            .ok()
            .and_then(|index| context.limits.get_mut(index))
            .ok_or(Status::UNSUPPORTED_LIMIT)?;
        *slot = match limit {
            0 if value > 512 << 10 => return Err(Status::INVALID_VALUE),
            0 => value.next_multiple_of(16),
            _ => value,
        };
        Ok(())
    }
}

/// Prints what kernels printed, as a driver does at synchronisation: assertions to standard error, the rest to output.
fn flush(context: &mut Context) {
    let complaints = std::mem::take(&mut context.complaints);
    if !complaints.is_empty() {
        // As below.
        let _ = std::io::stderr().write_all(complaints.as_bytes());
    }
    let text = std::mem::take(&mut context.printed);
    if !text.is_empty() {
        let mut output = std::io::stdout().lock();
        // A closed standard output must not change what a kernel did.
        let _ = output.write_all(&text).and_then(|()| output.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine::tests::machine;
    use super::*;

    fn ready(variables: &[(&str, &str)]) -> Machine {
        let mut all = vec![("CUDACHECK_SIMULATE", "two-gpus")];
        all.extend_from_slice(variables);
        let mut machine = machine(&all);
        machine.initialise(0).unwrap();
        machine
    }

    #[test]
    fn a_primary_context_lives_while_somebody_retains_it() {
        let mut machine = ready(&[]);
        let first = machine.retain_primary(0).unwrap();
        assert_eq!(machine.retain_primary(0), Ok(first));
        let other = machine.retain_primary(1).unwrap();
        assert_ne!(first, other);
        machine.release_primary(0).unwrap();
        assert_eq!(machine.device_of(first), Ok(0));
        machine.release_primary(0).unwrap();
        assert_eq!(machine.device_of(first), Err(Status::CONTEXT_IS_DESTROYED));
        assert_eq!(machine.release_primary(0), Err(Status::INVALID_CONTEXT));
        assert_eq!(machine.retain_primary(2), Err(Status::INVALID_DEVICE));
        assert_eq!(machine.primary_state(1), Ok((0, true)));
    }

    #[test]
    fn the_error_of_a_kernel_comes_at_synchronisation_and_stays() {
        let mut machine = ready(&[]);
        let context = machine.retain_primary(0).unwrap();
        let failed = Pending::Failed(Status::ILLEGAL_ADDRESS);
        machine.context(context).unwrap().fail(failed);
        assert!(machine.limit(context, 0).is_ok());
        for _ in 0..2 {
            assert_eq!(machine.synchronise(context), Err(Status::ILLEGAL_ADDRESS));
            assert_eq!(machine.limit(context, 0), Err(Status::ILLEGAL_ADDRESS));
        }
        machine.release_primary(0).unwrap();
        let context = machine.retain_primary(0).unwrap();
        assert_eq!(machine.synchronise(context), Ok(()));
    }

    #[test]
    fn a_kernel_that_never_ends_is_not_ready() {
        let mut machine = ready(&[]);
        let context = machine.retain_primary(0).unwrap();
        machine.context(context).unwrap().fail(Pending::Hangs);
        assert_eq!(machine.query(context), Err(Status::NOT_READY));
        assert_eq!(machine.synchronise(context), Err(Status::NEVER));
    }

    #[test]
    fn an_injected_error_of_synchronisation_is_answered() {
        let mut machine = ready(&[("CUDACHECK_INJECT", "sync:719")]);
        let context = machine.retain_primary(0).unwrap();
        assert_eq!(machine.synchronise(context), Err(Status::LAUNCH_FAILED));
        assert_eq!(machine.limit(context, 0), Err(Status::LAUNCH_FAILED));
    }

    #[test]
    fn limits_are_kept_and_bounded() {
        let mut machine = ready(&[]);
        let context = machine.retain_primary(0).unwrap();
        machine.set_limit(context, 0, 65_537).unwrap();
        assert_eq!(machine.limit(context, 0), Ok(65_552));
        assert_eq!(
            machine.set_limit(context, 0, 1 << 20),
            Err(Status::INVALID_VALUE)
        );
        assert_eq!(machine.limit(context, 99), Err(Status::UNSUPPORTED_LIMIT));
    }
}
