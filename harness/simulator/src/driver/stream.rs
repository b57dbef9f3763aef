//! Streams and events. Work is done when it is submitted, so that a stream is an identity, and an event a time.

use std::time::Instant;

use super::machine::{Handle, Machine};
use super::status::Status;

/// `CU_STREAM_LEGACY` and `CU_STREAM_PER_THREAD`, which are not created.
const BUILT_IN: [Handle; 3] = [0, 1, 2];
/// `CU_EVENT_DISABLE_TIMING`.
const NO_TIMING: u32 = 2;

/// A stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(super) context: Handle,
    flags: u32,
    priority: i32,
}

/// An event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(super) context: Handle,
    flags: u32,
    recorded: Option<Instant>,
}

impl Machine {
    /// `cuStreamCreateWithPriority`; priorities beyond the device's range are moved into it.
    pub(crate) fn create_stream(
        &mut self,
        context: Handle,
        flags: u32,
        priority: i32,
    ) -> Result<Handle, Status> {
        self.context(context)?;
        if flags > 1 {
            return Err(Status::INVALID_VALUE);
        }
        let handle = self.new_handle();
        let stream = Stream {
            context,
            flags,
            priority: priority.clamp(GREATEST_PRIORITY, LEAST_PRIORITY),
        };
        self.streams.insert(handle, stream);
        Ok(handle)
    }

    /// `cuStreamDestroy`.
    pub(crate) fn destroy_stream(&mut self, stream: Handle) -> Result<(), Status> {
        let owner = self.stream(stream)?.context;
        self.streams.remove(&stream);
        self.context(owner).map(|_| ())
    }

    fn stream(&self, handle: Handle) -> Result<&Stream, Status> {
        self.streams.get(&handle).ok_or(Status::INVALID_HANDLE)
    }

    /// The context in which a stream's work happens: its own, or for the built-in streams the current one.
    pub(crate) fn stream_context(
        &self,
        stream: Handle,
        current: Option<Handle>,
    ) -> Result<Handle, Status> {
        if BUILT_IN.contains(&stream) {
            return current.ok_or(Status::INVALID_CONTEXT);
        }
        Ok(self.stream(stream)?.context)
    }

    /// Flags and priority.
    pub(crate) fn stream_properties(&self, stream: Handle) -> Result<(u32, i32), Status> {
        if BUILT_IN.contains(&stream) {
            return Ok((0, LEAST_PRIORITY));
        }
        let stream = self.stream(stream)?;
        Ok((stream.flags, stream.priority))
    }

    /// `cuEventCreate`.
    pub(crate) fn create_event(&mut self, context: Handle, flags: u32) -> Result<Handle, Status> {
        self.context(context)?;
        // Blocking, no timing, and interprocess, of which the last needs no timing.
        if flags > 7 || flags & 6 == 4 {
            return Err(Status::INVALID_VALUE);
        }
        let handle = self.new_handle();
        let event = Event {
            context,
            flags,
            recorded: None,
        };
        self.events.insert(handle, event);
        Ok(handle)
    }

    /// `cuEventDestroy`.
    pub(crate) fn destroy_event(&mut self, event: Handle) -> Result<(), Status> {
        let owner = self.event(event)?.context;
        self.events.remove(&event);
        self.context(owner).map(|_| ())
    }

    fn event(&self, handle: Handle) -> Result<&Event, Status> {
        self.events.get(&handle).ok_or(Status::INVALID_HANDLE)
    }

    /// The context that an event belongs to.
    pub(crate) fn event_context(&self, handle: Handle) -> Result<Handle, Status> {
        Ok(self.event(handle)?.context)
    }

    /// `cuEventRecord`; stream and event must belong to one context.
    pub(crate) fn record(
        &mut self,
        event: Handle,
        stream: Handle,
        current: Option<Handle>,
    ) -> Result<(), Status> {
        let context = self.stream_context(stream, current)?;
        self.context(context)?;
        let event = self.events.get_mut(&event).ok_or(Status::INVALID_HANDLE)?;
        if event.context != context {
            return Err(Status::INVALID_HANDLE);
        }
        event.recorded = Some(Instant::now());
        Ok(())
    }

    /// `cuEventElapsedTime`: milliseconds between two events that were recorded with timing.
    pub(crate) fn elapsed(&mut self, start: Handle, end: Handle) -> Result<f32, Status> {
        let owner = self.event(start)?.context;
        self.context(owner)?;
        let time = |event: &Event| {
            let timed = event.flags & NO_TIMING == 0;
            event
                .recorded
                .filter(|_| timed)
                .ok_or(Status::INVALID_HANDLE)
        };
        let (start, end) = (time(self.event(start)?)?, time(self.event(end)?)?);
        let forward = end.saturating_duration_since(start).as_secs_f32();
        let backward = start.saturating_duration_since(end).as_secs_f32();
        Ok((forward - backward) * 1000.0)
    }
}

/// The least important priority of `cuCtxGetStreamPriorityRange`.
pub(crate) const LEAST_PRIORITY: i32 = 0;
/// The most important one.
pub(crate) const GREATEST_PRIORITY: i32 = -5;

#[cfg(test)]
mod tests {
    use super::super::machine::tests::machine;
    use super::*;

    #[test]
    fn streams_and_events_belong_to_a_context() {
        let mut machine = machine(&[("CUDACHECK_SIMULATE", "h100")]);
        machine.initialise(0).unwrap();
        let context = machine.retain_primary(0).unwrap();
        let stream = machine.create_stream(context, 1, -99).unwrap();
        assert_eq!(machine.stream_properties(stream), Ok((1, -5)));
        assert_eq!(machine.stream_context(stream, None), Ok(context));
        assert_eq!(
            machine.stream_context(0, None),
            Err(Status::INVALID_CONTEXT)
        );
        assert_eq!(
            machine.create_stream(context, 2, 0),
            Err(Status::INVALID_VALUE)
        );
        machine.destroy_stream(stream).unwrap();
        assert_eq!(machine.destroy_stream(stream), Err(Status::INVALID_HANDLE));
        assert_eq!(
            machine.stream_context(stream, Some(context)),
            Err(Status::INVALID_HANDLE)
        );
    }

    #[test]
    fn time_passes_only_between_recorded_events_with_timing() {
        let mut machine = machine(&[("CUDACHECK_SIMULATE", "h100")]);
        machine.initialise(0).unwrap();
        let context = machine.retain_primary(0).unwrap();
        let start = machine.create_event(context, 0).unwrap();
        let end = machine.create_event(context, 0).unwrap();
        let untimed = machine.create_event(context, 2).unwrap();
        assert_eq!(machine.elapsed(start, end), Err(Status::INVALID_HANDLE));
        for event in [start, end, untimed] {
            machine.record(event, 0, Some(context)).unwrap();
        }
        assert!(machine.elapsed(start, end).unwrap() >= 0.0);
        assert!(machine.elapsed(end, start).unwrap() <= 0.0);
        assert_eq!(machine.elapsed(start, untimed), Err(Status::INVALID_HANDLE));
        assert_eq!(machine.create_event(context, 4), Err(Status::INVALID_VALUE));
    }
}
