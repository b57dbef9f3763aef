//! Launching kernels: what a launch is refused for, and what becomes of the kernel.

use super::context::Pending;
use super::machine::{Handle, Machine};
use super::status::Status;
use crate::exec::{Cooperation, LaunchConfig, SmShape, Trap};
use crate::inject::{Fault, LaunchEffect};
use crate::ptx::Entry;

/// A launch as the caller asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// Blocks in x, y, z.
    pub(crate) grid: [u32; 3],
    /// Threads of a block in x, y, z.
    pub(crate) block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub(crate) dynamic_shared: u32,
    /// Where it is queued.
    pub(crate) stream: Handle,
    /// Whether all blocks must be resident together.
    pub(crate) cooperation: Cooperation,
    /// The parameter block.
    pub(crate) parameters: Vec<u8>,
}

/// What a fault makes of the process at its first launch; the caller of the driver sees it happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProcessEffect {
    /// An invalid access.
    Segv,
    /// `abort`.
    Abort,
    /// `exit(0)`.
    Exit,
    /// A panic.
    Panic,
    /// So many megabytes on standard output.
    Flood(u32),
    /// Lines that look like a passing result.
    ForgedResult,
    /// A child in a session of its own.
    EscapedChild,
}

impl Machine {
    /// What happens to the process, now that it launches for the first time. Later launches have no effects.
    pub(crate) fn first_launch(&mut self) -> Vec<ProcessEffect> {
        if std::mem::replace(&mut self.launched, true) {
            return Vec::new();
        }
        let Ok(configuration) = self.configuration() else {
            return Vec::new();
        };
        let effect = |fault: &Fault| match fault {
            Fault::Segv => Some(ProcessEffect::Segv),
            Fault::Abort => Some(ProcessEffect::Abort),
            Fault::Exit => Some(ProcessEffect::Exit),
            Fault::Panic => Some(ProcessEffect::Panic),
            Fault::PrintFlood { megabytes } => Some(ProcessEffect::Flood(*megabytes)),
            Fault::PrintForgedResult => Some(ProcessEffect::ForgedResult),
            Fault::ChildEscape => Some(ProcessEffect::EscapedChild),
            Fault::Call { .. }
            | Fault::Launch(_)
            | Fault::Sync(_)
            | Fault::Execution(_)
            | Fault::GpuLost
            | Fault::EccUncorrected
            | Fault::Xid(_) => None,
        };
        configuration
            .injections
            .iter()
            .filter_map(|injection| effect(&injection.fault))
            .collect()
    }

    /// `cuLaunchKernel` and its kin.
    pub(crate) fn launch(
        &mut self,
        current: Handle,
        function: Handle,
        launch: &Launch,
    ) -> Result<(), Status> {
        let context = self.stream_context(launch.stream, Some(current))?;
        self.context(context)?;
        let config = self.check(context, function, launch)?;
        let stopped = self.context(context)?.is_stopped();
        if stopped || !self.reach_device(context)? {
            return Ok(());
        }
        let (name, _) = self.identity_of(function)?;
        let name = name.to_owned();
        let module = self.module_of(function)?;
        let faults = self.configuration()?.faults.clone();
        let ordinal = self.device_of(context)?;
        let timeout = self.profile_number(context, 17)? > 0;

        let device = usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| self.visible.get_mut(ordinal))
            .ok_or(Status::INVALID_DEVICE)?;
        let owner = self.contexts.get_mut(&context);
        let owner = owner.ok_or(Status::CONTEXT_IS_DESTROYED)?;
        let module = self.modules.get(&module).ok_or(Status::INVALID_HANDLE)?;
        let answer = crate::exec::launch(
            &mut device.memory,
            &module.loaded,
            &name,
            &config,
            &faults,
            &mut |text| owner.print(text),
        );
        match answer {
            Ok(_) => Ok(()),
            Err(Trap::InvalidLaunch { .. }) => Err(Status::INVALID_VALUE),
            Err(trap) => {
                owner.fail(pending(&trap, timeout));
                if let Trap::Assert { message, .. } = &trap {
                    owner.complain(message);
                }
                self.log_trap(context, &trap)
            }
        }
    }

    /// Applies the faults that strike when work reaches the device; false when the kernel is not to be executed.
    fn reach_device(&mut self, context: Handle) -> Result<bool, Status> {
        let injections = self.configuration()?.injections.clone();
        if injections.is_empty() {
            return Ok(true);
        }
        let ordinal = self.device_of(context)?;
        let index = self.visible_device(ordinal)?.index;
        let device = self.device(ordinal)?.clone();
        let mut executed = true;
        for injection in injections {
            match injection.fault {
                Fault::Launch(LaunchEffect::Silent) => executed = false,
                Fault::Launch(LaunchEffect::Hang) => {
                    self.context(context)?.fail(Pending::Hangs);
                    executed = false;
                }
                Fault::Launch(LaunchEffect::Answer(code)) if Status(code).is_sticky() => {
                    let failed = Pending::Failed(Status(code));
                    self.context(context)?.fail(failed);
                    executed = false;
                }
                Fault::Launch(LaunchEffect::Answer(code)) => return Err(Status(code)),
                Fault::GpuLost => {
                    self.hardware.lose(index, &device);
                    return Ok(false);
                }
                Fault::EccUncorrected => {
                    self.hardware.decay(index, &device);
                    let failed = Pending::Failed(Status::ECC_UNCORRECTABLE);
                    self.context(context)?.fail(failed);
                    executed = false;
                }
                Fault::Xid(number) => {
                    let text = "injected by the simulator";
                    self.hardware.report(index, &device, number, text);
                }
                Fault::Call { .. }
                | Fault::Sync(_)
                | Fault::Execution(_)
                | Fault::Segv
                | Fault::Abort
                | Fault::Exit
                | Fault::Panic
                | Fault::PrintFlood { .. }
                | Fault::PrintForgedResult
                | Fault::ChildEscape => {}
            }
        }
        Ok(executed)
    }

    /// Refuses what a device refuses before it begins, and lays out the rest for the interpreter.
    fn check(
        &self,
        context: Handle,
        function: Handle,
        launch: &Launch,
    ) -> Result<LaunchConfig, Status> {
        let (owner, entry, module) = self.function(function)?;
        if module.context != context {
            return Err(Status::INVALID_HANDLE);
        }
        for axis in 0..3_u32 {
            let place = axis as usize;
            let block = self.profile_number(context, 2 + axis)?;
            let grid = self.profile_number(context, 5 + axis)?;
            if !(1..=block).contains(&launch.block[place])
                || !(1..=grid).contains(&launch.grid[place])
            {
                return Err(Status::INVALID_VALUE);
            }
        }
        self.check_block(context, entry, launch.block)?;
        if launch.dynamic_shared > self.dynamic_shared_limit(owner, entry) {
            return Err(Status::INVALID_VALUE);
        }
        let config = LaunchConfig {
            grid: launch.grid,
            block: launch.block,
            dynamic_shared: launch.dynamic_shared,
            cooperative: launch.cooperation,
            parameters: launch.parameters.clone(),
            sm: self.shape(context)?,
            step_limit: None,
        };
        if launch.cooperation == Cooperation::Cooperative {
            if self.profile_number(context, 95)? == 0 {
                return Err(Status::NOT_SUPPORTED);
            }
            let blocks: u128 = launch.grid.iter().map(|count| u128::from(*count)).product();
            let threads = threads(launch.block);
            let each = self.blocks_per_multiprocessor(function, threads, launch.dynamic_shared)?;
            if blocks > u128::from(each) * u128::from(config.sm.multiprocessors) {
                return Err(Status::COOPERATIVE_LAUNCH_TOO_LARGE);
            }
        }
        Ok(config)
    }

    fn check_block(&self, context: Handle, entry: &Entry, block: [u32; 3]) -> Result<(), Status> {
        let threads = threads(block);
        if threads > self.profile_number(context, 1)? {
            return Err(Status::INVALID_VALUE);
        }
        if entry.required_block.is_some_and(|shape| shape != block) {
            return Err(Status::INVALID_VALUE);
        }
        // The kernel's own bound and its registers are resources, which the device does not have for this block.
        if threads > self.block_limit(context, entry)? {
            return Err(Status::LAUNCH_OUT_OF_RESOURCES);
        }
        Ok(())
    }

    fn shape(&self, context: Handle) -> Result<SmShape, Status> {
        Ok(SmShape {
            multiprocessors: self.profile_number(context, 16)?,
            threads: self.profile_number(context, 39)?,
            blocks: self.profile_number(context, 106)?,
            shared_bytes: self.profile_number(context, 81)?,
            clock_khz: self.profile_number(context, 13)?,
        })
    }

    /// A dead kernel leaves a line in the kernel driver's log: Xid 31 for memory faults, 13 for the others.
    fn log_trap(&mut self, context: Handle, trap: &Trap) -> Result<(), Status> {
        let ordinal = self.device_of(context)?;
        let index = self.visible_device(ordinal)?.index;
        let device = self.device(ordinal)?.clone();
        match trap {
            Trap::IllegalAddress { .. } => {
                self.hardware.report(index, &device, 31, &trap.to_string());
            }
            Trap::MisalignedAddress { .. }
            | Trap::IllegalInstruction { .. }
            | Trap::InvalidAddressSpace { .. }
            | Trap::InvalidPc { .. }
            | Trap::TrapInstruction { .. }
            | Trap::StackError { .. } => {
                self.hardware.report(index, &device, 13, &trap.to_string());
            }
            // An assertion is the program's own word, and a hanging kernel leaves no trace.
            Trap::Assert { .. }
            | Trap::Deadlock { .. }
            | Trap::StepLimit { .. }
            | Trap::InvalidLaunch { .. } => {}
        }
        Ok(())
    }
}

/// What the next synchronisation finds after a trap. A kernel that waits for ever is ended by the display's
/// watchdog where the device has one.
fn pending(trap: &Trap, watchdog: bool) -> Pending {
    Pending::Failed(match trap {
        Trap::IllegalAddress { .. } => Status::ILLEGAL_ADDRESS,
        Trap::MisalignedAddress { .. } => Status::MISALIGNED_ADDRESS,
        Trap::IllegalInstruction { .. } => Status::ILLEGAL_INSTRUCTION,
        Trap::InvalidAddressSpace { .. } => Status::INVALID_ADDRESS_SPACE,
        Trap::InvalidPc { .. } => Status::INVALID_PC,
        Trap::Assert { .. } => Status::ASSERT,
        Trap::TrapInstruction { .. } | Trap::InvalidLaunch { .. } => Status::LAUNCH_FAILED,
        Trap::StackError { .. } => Status::HARDWARE_STACK_ERROR,
        Trap::Deadlock { .. } | Trap::StepLimit { .. } => {
            if !watchdog {
                return Pending::Hangs;
            }
            Status::LAUNCH_TIMEOUT
        }
    })
}

fn threads(block: [u32; 3]) -> u32 {
    block
        .iter()
        .fold(1, |all, count| all.saturating_mul(*count))
}

#[cfg(test)]
mod tests;
