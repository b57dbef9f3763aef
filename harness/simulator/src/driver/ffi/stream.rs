//! Streams, events, and functions of the host in streams.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use super::value::Out;
use super::{call, current, in_context, initialised};
use crate::driver::Status;
use crate::driver::machine::Handle;

/// `CUstreamCallback`.
type Callback = Option<extern "C" fn(Handle, Status, usize)>;
/// `CUhostFn`.
type HostFunction = Option<extern "C" fn(usize)>;

/// The context of a stream.
fn context_of(stream: Handle) -> Result<Handle, Status> {
    initialised(|machine| machine.stream_context(stream, current()))
}

exported! { call => Status;
    fn cuStreamCreate(stream: Out<Handle>, flags: u32) {
        let handle = in_context(|machine, current| machine.create_stream(current, flags, 0))?;
        Ok(stream.set(handle)?)
    }

    fn cuStreamCreateWithPriority(stream: Out<Handle>, flags: u32, priority: i32) {
        let handle = in_context(|machine, current| machine.create_stream(current, flags, priority))?;
        Ok(stream.set(handle)?)
    }

    fn cuStreamDestroy_v2(stream: Handle) {
        initialised(|machine| machine.destroy_stream(stream))
    }

    fn cuStreamSynchronize(stream: Handle) {
        let context = context_of(stream)?;
        initialised(|machine| machine.synchronise(context))
    }

    fn cuStreamQuery(stream: Handle) {
        let context = context_of(stream)?;
        initialised(|machine| machine.query(context))
    }

    // Work is done when it is submitted, so that there is nothing to wait for.
    fn cuStreamWaitEvent(stream: Handle, event: Handle, _flags: u32) {
        initialised(|machine| {
            let context = machine.stream_context(stream, current())?;
            machine.event_context(event)?;
            machine.flags_of(context).map(|_| ())
        })
    }

    fn cuStreamGetCtx(stream: Handle, context: Out<Handle>) {
        let handle = context_of(stream)?;
        Ok(context.set(handle)?)
    }

    fn cuStreamGetFlags(stream: Handle, flags: Out<u32>) {
        let (set, _) = initialised(|machine| machine.stream_properties(stream))?;
        Ok(flags.set(set)?)
    }

    fn cuStreamGetPriority(stream: Handle, priority: Out<i32>) {
        let (_, set) = initialised(|machine| machine.stream_properties(stream))?;
        Ok(priority.set(set)?)
    }

    // CU_STREAM_CAPTURE_STATUS_NONE: graphs are not here.
    fn cuStreamIsCapturing(stream: Handle, status: Out<u32>) {
        context_of(stream)?;
        Ok(status.set(0)?)
    }

    fn cuStreamBeginCapture_v2(stream: Handle, _mode: u32) {
        context_of(stream)?;
        Err(Status::NOT_SUPPORTED)
    }

    fn cuStreamAddCallback(stream: Handle, callback: Callback, data: usize, flags: u32) {
        let callback = callback.filter(|_| flags == 0).ok_or(Status::INVALID_VALUE)?;
        let context = context_of(stream)?;
        let answer = initialised(|machine| machine.synchronise(context));
        if answer == Err(Status::NEVER) {
            return Ok(());
        }
        callback(stream, answer.err().unwrap_or(Status::SUCCESS), data);
        Ok(())
    }

    // Not called after an error, as on a device.
    fn cuLaunchHostFunc(stream: Handle, function: HostFunction, data: usize) {
        let function = function.ok_or(Status::INVALID_VALUE)?;
        let context = context_of(stream)?;
        initialised(|machine| machine.flags_of(context))?;
        if initialised(|machine| Ok(machine.is_stopped(context)))? {
            return Ok(());
        }
        function(data);
        Ok(())
    }

    fn cuEventCreate(event: Out<Handle>, flags: u32) {
        let handle = in_context(|machine, current| machine.create_event(current, flags))?;
        Ok(event.set(handle)?)
    }

    fn cuEventRecord(event: Handle, stream: Handle) {
        initialised(|machine| machine.record(event, stream, current()))
    }

    fn cuEventRecordWithFlags(event: Handle, stream: Handle, _flags: u32) {
        initialised(|machine| machine.record(event, stream, current()))
    }

    fn cuEventSynchronize(event: Handle) {
        initialised(|machine| {
            let context = machine.event_context(event)?;
            machine.synchronise(context)
        })
    }

    fn cuEventQuery(event: Handle) {
        initialised(|machine| {
            let context = machine.event_context(event)?;
            machine.query(context)
        })
    }

    fn cuEventElapsedTime(milliseconds: Out<f32>, start: Handle, end: Handle) {
        let time = initialised(|machine| machine.elapsed(start, end))?;
        Ok(milliseconds.set(time)?)
    }

    fn cuEventElapsedTime_v2(milliseconds: Out<f32>, start: Handle, end: Handle) {
        let time = initialised(|machine| machine.elapsed(start, end))?;
        Ok(milliseconds.set(time)?)
    }

    fn cuEventDestroy_v2(event: Handle) {
        initialised(|machine| machine.destroy_event(event))
    }
}
