//! Contexts: primary ones, created ones, and the calling thread's current one.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use super::value::Out;
use super::{call, contexts, current, in_context, initialised};
use crate::driver::Status;
use crate::driver::machine::Handle;
use crate::driver::stream::{GREATEST_PRIORITY, LEAST_PRIORITY};

/// Makes a context current in place of the one that is.
fn set_current(context: Handle) {
    contexts(|stack| {
        stack.pop();
        if context != 0 {
            stack.push(context);
        }
    });
}

/// Creates a context and makes it current on top of the one that is.
fn create(context: Out<Handle>, flags: u32, device: i32) -> Result<(), Status> {
    let handle = initialised(|machine| machine.create_context(device, flags))?;
    contexts(|stack| stack.push(handle));
    Ok(context.set(handle)?)
}

exported! { call => Status;
    fn cuDevicePrimaryCtxRetain(context: Out<Handle>, device: i32) {
        let handle = initialised(|machine| machine.retain_primary(device))?;
        Ok(context.set(handle)?)
    }

    fn cuDevicePrimaryCtxRelease_v2(device: i32) {
        initialised(|machine| machine.release_primary(device))
    }

    fn cuDevicePrimaryCtxRelease(device: i32) {
        initialised(|machine| machine.release_primary(device))
    }

    fn cuDevicePrimaryCtxReset_v2(device: i32) {
        initialised(|machine| machine.reset_primary(device))
    }

    fn cuDevicePrimaryCtxGetState(device: i32, flags: Out<u32>, active: Out<i32>) {
        let (set, alive) = initialised(|machine| machine.primary_state(device))?;
        flags.set(set)?;
        Ok(active.set(i32::from(alive))?)
    }

    fn cuDevicePrimaryCtxSetFlags_v2(device: i32, flags: u32) {
        initialised(|machine| machine.set_primary_flags(device, flags))
    }

    fn cuCtxCreate_v2(context: Out<Handle>, flags: u32, device: i32) {
        create(context, flags, device)
    }

    // Affinity of execution needs MPS, which is not here.
    fn cuCtxCreate_v3(context: Out<Handle>, _affinity: Out<u8>, count: i32, flags: u32, device: i32) {
        if count != 0 {
            return Err(Status::NOT_SUPPORTED);
        }
        create(context, flags, device)
    }

    fn cuCtxCreate_v4(context: Out<Handle>, parameters: Out<u8>, flags: u32, device: i32) {
        if !parameters.is_null() {
            return Err(Status::NOT_SUPPORTED);
        }
        create(context, flags, device)
    }

    fn cuCtxDestroy_v2(context: Handle) {
        initialised(|machine| machine.destroy_context(context))?;
        contexts(|stack| {
            if stack.last() == Some(&context) {
                stack.pop();
            }
        });
        Ok(())
    }

    fn cuCtxGetCurrent(context: Out<Handle>) {
        initialised(|_| Ok(()))?;
        Ok(context.set(current().unwrap_or(0))?)
    }

    fn cuCtxSetCurrent(context: Handle) {
        initialised(|machine| match context {
            0 => Ok(()),
            handle => machine.require_context(handle),
        })?;
        set_current(context);
        Ok(())
    }

    fn cuCtxPushCurrent_v2(context: Handle) {
        initialised(|machine| machine.require_context(context))?;
        contexts(|stack| stack.push(context));
        Ok(())
    }

    fn cuCtxPopCurrent_v2(context: Out<Handle>) {
        initialised(|_| Ok(()))?;
        let popped = contexts(Vec::pop).ok_or(Status::INVALID_CONTEXT)?;
        context.set_if_wanted(popped);
        Ok(())
    }

    fn cuCtxGetDevice(device: Out<i32>) {
        let ordinal = in_context(|machine, current| machine.device_of(current))?;
        Ok(device.set(ordinal)?)
    }

    fn cuCtxSynchronize() {
        in_context(|machine, current| machine.synchronise(current))
    }

    fn cuCtxGetFlags(flags: Out<u32>) {
        let set = in_context(|machine, current| machine.flags_of(current))?;
        Ok(flags.set(set)?)
    }

    fn cuCtxSetFlags(_flags: u32) {
        in_context(|machine, current| machine.flags_of(current).map(|_| ()))
    }

    fn cuCtxGetLimit(value: Out<usize>, limit: u32) {
        let bytes = in_context(|machine, current| machine.limit(current, limit))?;
        Ok(value.set(usize::try_from(bytes).unwrap_or(usize::MAX))?)
    }

    fn cuCtxSetLimit(limit: u32, value: usize) {
        in_context(|machine, current| machine.set_limit(current, limit, value as u64))
    }

    // One cache for all: preferences are taken and have no effect.
    fn cuCtxGetCacheConfig(config: Out<u32>) {
        in_context(|machine, current| machine.flags_of(current))?;
        Ok(config.set(0)?)
    }

    fn cuCtxSetCacheConfig(_config: u32) {
        in_context(|machine, current| machine.flags_of(current).map(|_| ()))
    }

    fn cuCtxGetApiVersion(_context: Handle, version: Out<u32>) {
        in_context(|machine, current| machine.flags_of(current))?;
        Ok(version.set(3020)?)
    }

    fn cuCtxGetStreamPriorityRange(least: Out<i32>, greatest: Out<i32>) {
        in_context(|machine, current| machine.flags_of(current))?;
        least.set_if_wanted(LEAST_PRIORITY);
        greatest.set_if_wanted(GREATEST_PRIORITY);
        Ok(())
    }

    fn cuCtxEnablePeerAccess(peer: Handle, _flags: u32) {
        initialised(|machine| machine.require_context(peer))?;
        Err(Status::PEER_ACCESS_UNSUPPORTED)
    }
}
