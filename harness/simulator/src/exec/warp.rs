//! A warp's lanes: which of them run together, where each group is, and where groups meet again.
//!
//! A branch that not all lanes take splits a path in two. Both carry the place where they meet; a path that
//! reaches it waits for the others. Waiting is an optimisation, not a promise: when nothing else can proceed,
//! or when a path spins, the waiting ones go on alone, so that every lane makes progress as on Volta.

use super::asynchronous::Copies;
use crate::ptx::code::{END, Row};

pub(super) struct Warp {
    /// Its number in the block.
    pub(super) number: u32,
    /// Lanes that have not exited.
    pub(super) live: u32,
    pub(super) rows: Vec<Row>,
    pub(super) predicates: Vec<u32>,
    /// Local memory, one piece per lane.
    pub(super) local: Vec<Vec<u8>>,
    pub(super) paths: Vec<Path>,
    pub(super) meetings: Vec<Meeting>,
    pub(super) current: usize,
    /// The condition code of each lane.
    pub(super) carry: u32,
    pub(super) tid: [Row; 3],
    pub(super) copies: Vec<Copies>,
    /// Instructions since paths last met, to notice spinning.
    pub(super) alone: u64,
}

/// Lanes that are at the same place.
#[derive(Clone)]
pub(super) struct Path {
    pub(super) at: Cursor,
    pub(super) stack: Vec<Cursor>,
    /// The innermost meeting that its lanes belong to.
    pub(super) meeting: usize,
    pub(super) state: State,
}

/// Where a path is.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    pub(super) mask: u32,
    pub(super) pc: u32,
    pub(super) function: usize,
    /// The first row of the frame.
    pub(super) rows: usize,
    pub(super) predicates: usize,
    /// The frame in local memory: its begin and its end.
    pub(super) local: u64,
    pub(super) top: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Ready,
    /// At its meeting.
    Met,
    /// At a barrier of the block.
    Barrier(usize),
    /// At an instruction that waits for the lanes of a mask.
    Lanes(u32),
    Gone,
}

/// A place where lanes meet.
pub(super) struct Meeting {
    pc: u32,
    depth: usize,
    expected: u32,
    arrived: u32,
    parent: usize,
}

/// No meeting.
pub(super) const NOWHERE: usize = usize::MAX;
/// How long a path may run alone before the waiting ones go on without it.
const PATIENCE: u64 = 20_000;

impl Warp {
    /// The path to run, if any can.
    pub(super) fn pick(&mut self) -> Option<usize> {
        loop {
            let count = self.paths.len();
            if count == 0 {
                return None;
            }
            let ready = (0..count)
                .map(|step| (self.current + step) % count)
                .find(|index| self.paths[*index].state == State::Ready);
            if ready.is_some() {
                return ready;
            }
            let met = self.paths.iter().find(|path| path.state == State::Met);
            let meeting = met?.meeting;
            self.release(meeting);
        }
    }

    /// After a slice: lets another path run, and gives up waiting for one that spins.
    pub(super) fn rotate(&mut self, executed: u64) {
        if self.paths.len() < 2 {
            return;
        }
        self.current = (self.current + 1) % self.paths.len();
        self.alone += executed;
        if self.alone > PATIENCE {
            self.alone = 0;
            while let Some(path) = self.paths.iter().find(|path| path.state == State::Met) {
                let meeting = path.meeting;
                self.release(meeting);
            }
        }
    }

    /// Splits the lanes of `mask` from a path; they go to `target`, and both meet again at `join`.
    pub(super) fn split(&mut self, index: usize, mask: u32, target: u32, join: u32) {
        let path = &self.paths[index];
        let depth = path.stack.len();
        let place = if join != END {
            Some((join, depth))
        } else {
            path.stack.last().map(|caller| (caller.pc, depth - 1))
        };
        if let Some((pc, depth)) = place {
            self.meet(index, pc, depth);
        }
        let mut other = self.paths[index].clone();
        self.paths[index].at.mask &= !mask;
        other.at.mask = mask;
        other.at.pc = target;
        self.paths.push(other);
    }

    /// Makes a path's lanes meet at a place, unless it is where they meet anyway.
    pub(super) fn meet(&mut self, index: usize, pc: u32, depth: usize) {
        let path = &self.paths[index];
        let known = self.meetings.get(path.meeting);
        if known.is_some_and(|meeting| meeting.pc == pc && meeting.depth == depth) {
            return;
        }
        let meeting = Meeting {
            pc,
            depth,
            expected: path.at.mask,
            arrived: 0,
            parent: path.meeting,
        };
        let slot = match self
            .meetings
            .iter()
            .position(|meeting| meeting.expected == 0)
        {
            Some(free) => {
                self.meetings[free] = meeting;
                free
            }
            None => {
                self.meetings.push(meeting);
                self.meetings.len() - 1
            }
        };
        self.paths[index].meeting = slot;
    }

    /// Whether a path stands where its lanes meet; if so, it waits or goes on with all of them.
    pub(super) fn arrive(&mut self, index: usize) -> bool {
        let path = &mut self.paths[index];
        let slot = path.meeting;
        let Some(meeting) = self.meetings.get_mut(slot) else {
            return false;
        };
        if meeting.pc != path.at.pc || meeting.depth != path.stack.len() {
            return false;
        }
        meeting.arrived |= path.at.mask;
        path.state = State::Met;
        self.alone = 0;
        if meeting.arrived == meeting.expected {
            self.release(slot);
        }
        true
    }

    /// Lets the lanes that have arrived at a meeting go on together.
    fn release(&mut self, slot: usize) {
        let meeting = &mut self.meetings[slot];
        let (arrived, parent) = (meeting.arrived, meeting.parent);
        meeting.expected &= !arrived;
        meeting.arrived = 0;
        let mut first = true;
        for path in &mut self.paths {
            if path.state == State::Met && path.meeting == slot {
                if first {
                    path.at.mask = arrived;
                    path.meeting = parent;
                    path.state = State::Ready;
                    first = false;
                } else {
                    path.state = State::Gone;
                }
            }
        }
        self.sweep();
    }

    fn sweep(&mut self) {
        let current = self.paths.get(self.current).map(|path| path.at.mask);
        self.paths
            .retain(|path| path.state != State::Gone && path.at.mask != 0);
        let again = self
            .paths
            .iter()
            .position(|path| current.is_some_and(|mask| path.at.mask & mask != 0));
        self.current = again.unwrap_or(0);
    }

    /// After a return: meetings of frames that are gone cannot take place.
    pub(super) fn leave_deeper(&mut self, index: usize) {
        let depth = self.paths[index].stack.len();
        let mask = self.paths[index].at.mask;
        while let Some(meeting) = self.meetings.get_mut(self.paths[index].meeting) {
            if meeting.depth <= depth {
                break;
            }
            meeting.expected &= !mask;
            self.paths[index].meeting = meeting.parent;
        }
        self.settle();
    }

    /// Ends lanes of a path.
    pub(super) fn exit(&mut self, index: usize, mask: u32) {
        self.live &= !mask;
        self.paths[index].at.mask &= !mask;
        for meeting in &mut self.meetings {
            meeting.expected &= !mask;
        }
        self.settle();
        self.sweep();
    }

    /// Opens meetings at which everyone who still can come has arrived.
    fn settle(&mut self) {
        while let Some(slot) = self
            .meetings
            .iter()
            .position(|meeting| meeting.arrived != 0 && meeting.arrived == meeting.expected)
        {
            self.release(slot);
        }
    }

    /// Paths that wait for lanes of a mask and have all come, or nothing.
    pub(super) fn complete(&self) -> Option<(u32, Vec<usize>)> {
        for path in &self.paths {
            let State::Lanes(wanted) = path.state else {
                continue;
            };
            let waiting: Vec<usize> = (0..self.paths.len())
                .filter(|index| self.paths[*index].state == State::Lanes(wanted))
                .collect();
            let present = waiting
                .iter()
                .fold(0, |all, index| all | self.paths[*index].at.mask);
            if wanted & self.live & !present == 0 {
                return Some((wanted, waiting));
            }
        }
        None
    }
}
