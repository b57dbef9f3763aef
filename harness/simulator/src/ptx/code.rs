//! The form in which functions are executed: operands are resolved, and every operation is chosen.

use std::fmt;

use super::module::Symbol;
use crate::numeric::matrix;

/// A register of all lanes of a warp. Narrow registers are zero-extended.
pub(crate) type Row = [u64; 32];
/// A pure operation on the lanes of a mask.
pub(crate) type Compute = Box<dyn Fn(&mut Row, u32, [&Row; 4]) + Send + Sync>;
/// A comparison: the lanes for which it holds, and those of the second destination.
pub(crate) type Test = Box<dyn Fn(u32, &Row, &Row) -> (u32, u32) + Send + Sync>;
/// A combination of predicates of all lanes.
pub(crate) type Logic = fn(u32, u32) -> u32;
/// A step of an atomic: the new value from the old one and two operands.
pub(crate) type Update = Box<dyn Fn(u128, u128, u128) -> u128 + Send + Sync>;

/// A register of the frame, or, with the highest bit set, a constant of the module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Src(pub(crate) u32);

impl Src {
    pub(crate) const CONSTANT: u32 = 1 << 31;
}

/// A predicate register as an operand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pred {
    /// Its index in the frame; [`Pred::TRUE`] holds for every lane.
    pub(crate) index: u32,
    pub(crate) negate: bool,
}

impl Pred {
    pub(crate) const TRUE: u32 = u32::MAX;
}

/// A register that is written, with the bits that it keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Dst {
    pub(crate) row: u32,
    pub(crate) bits: u32,
}

/// One instruction.
pub(crate) struct Inst {
    pub(crate) guard: Option<Pred>,
    pub(crate) op: Op,
    pub(crate) line: u32,
    /// Where it stands in the text.
    pub(crate) span: (u32, u32),
}

/// What a value in the constant pool is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Constant {
    Value(u64),
    Address(Symbol),
}

/// Which injected fault an operation is open to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Weakness {
    None,
    Fma,
    Special,
    Rounding,
    Dot,
    Single,
}

/// An operation.
pub(crate) enum Op {
    Compute {
        f: Compute,
        d: u32,
        s: [Src; 4],
        weakness: Weakness,
        /// What a device with the fault computes instead.
        broken: Option<Compute>,
    },
    Test(Box<TestOp>),
    Logic {
        f: fn(u32, u32) -> u32,
        d: u32,
        a: Pred,
        b: Pred,
    },
    Select {
        d: u32,
        a: Src,
        b: Src,
        p: Pred,
    },
    Carry(Box<Carry>),
    Special {
        d: u32,
        which: Special,
    },
    /// The local address of a place in the frame.
    FrameAddress {
        d: u32,
        offset: u64,
    },
    /// The shared address of the launch's dynamic part.
    DynamicShared {
        d: u32,
        offset: u64,
    },
    /// `isspacep.global` and `.const`, which depend on what is allocated.
    IsSpace {
        d: u32,
        a: Src,
        space: MemorySpace,
    },
    Load(Box<Access>),
    Store(Box<Access>),
    Atomic(Box<Atomic>),
    Branch {
        target: u32,
        join: u32,
    },
    Table {
        index: Src,
        targets: Box<[u32]>,
        join: u32,
    },
    /// Where paths that a branch separated meet again.
    Join,
    Call(Box<Call>),
    Return,
    Exit,
    Trap,
    Barrier(Box<Barrier>),
    Warp(Box<WarpOp>),
    ActiveMask {
        d: u32,
    },
    CopyAsync(Box<CopyAsync>),
    CommitGroup,
    /// Waits until no more than so many groups are pending; nothing means all, committed or not.
    WaitGroup(Option<u32>),
    MemoryBarrier(Box<MemoryBarrier>),
    /// Makes earlier stores visible.
    Fence,
    StackSave {
        d: u32,
    },
    StackRestore {
        a: Src,
    },
    Alloca {
        d: u32,
        size: Src,
        align: u64,
    },
    /// Hints and waits that change no result.
    Nothing,
}

/// Where a join that no instruction marks is: at the function's end.
pub(crate) const END: u32 = u32::MAX;

pub(crate) struct TestOp {
    pub(crate) f: Test,
    pub(crate) a: Src,
    pub(crate) b: Src,
    pub(crate) combine: Option<(Logic, Pred)>,
    pub(crate) p: Option<u32>,
    pub(crate) q: Option<u32>,
}

/// `add.cc`, `addc`, `sub.cc`, `subc`, `mad.cc`, `madc`.
pub(crate) struct Carry {
    pub(crate) d: u32,
    pub(crate) a: Src,
    pub(crate) b: Src,
    pub(crate) subtract: Sign,
    pub(crate) bits: u32,
    pub(crate) carry_in: Use,
    pub(crate) carry_out: Use,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sign {
    Add,
    Subtract,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    Yes,
    No,
}

/// A special register.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Special {
    Tid(usize),
    Ntid(usize),
    Ctaid(usize),
    Nctaid(usize),
    LaneId,
    WarpId,
    NWarpId,
    SmId,
    NSmId,
    GridId,
    LaneMask(fn(u32) -> u32),
    Clock,
    ClockHigh,
    Clock64,
    GlobalTimer,
    GlobalTimerLow,
    GlobalTimerHigh,
    DynamicShared,
    TotalShared,
    Zero,
    One,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MemorySpace {
    Generic,
    Global,
    Const,
    Shared,
    Local,
    Param,
}

/// What an address is relative to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Base {
    Register(Src),
    /// The frame in local memory: parameters of device functions live there.
    Frame,
    /// The dynamic part of shared memory.
    Dynamic,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) space: MemorySpace,
    pub(crate) base: Base,
    pub(crate) offset: i64,
}

/// A register on the memory side of an access.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Slot {
    Read(Src),
    Write(Dst),
    Sink,
}

pub(crate) struct Access {
    pub(crate) address: Address,
    /// Bytes of one element.
    pub(crate) bytes: usize,
    pub(crate) signed: bool,
    pub(crate) slots: Box<[Slot]>,
}

pub(crate) struct Atomic {
    pub(crate) address: Address,
    pub(crate) bytes: usize,
    pub(crate) f: Update,
    /// Low and high word of the old value; one entry per vector element, none for `red`.
    pub(crate) d: Box<[[u32; 2]]>,
    pub(crate) b: Box<[[Src; 2]]>,
    pub(crate) c: Option<[Src; 2]>,
}

pub(crate) enum Callee {
    Direct(usize),
    Indirect(Src),
    Print,
    Assert,
    Allocate,
    Free,
}

pub(crate) struct Call {
    pub(crate) callee: Callee,
    pub(crate) arguments: Box<[Argument]>,
    pub(crate) returns: Box<[Argument]>,
}

/// Where a parameter is on the caller's side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Argument {
    Register(Src),
    Predicate(Pred),
    Local { offset: u64, size: u64 },
}

/// Where a parameter is on the callee's side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Formal {
    Register(u32),
    Predicate(u32),
    Local { offset: u64, size: u64 },
}

pub(crate) struct Barrier {
    pub(crate) id: Src,
    pub(crate) threads: Option<Src>,
    pub(crate) kind: BarrierKind,
}

pub(crate) enum BarrierKind {
    Sync,
    Arrive,
    /// How many threads' predicates hold.
    Count {
        d: u32,
        p: Pred,
    },
    All {
        d: u32,
        p: Pred,
    },
    Any {
        d: u32,
        p: Pred,
    },
}

pub(crate) struct WarpOp {
    /// The member mask; nothing for instructions without `.sync`.
    pub(crate) mask: Option<Src>,
    pub(crate) kind: WarpKind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MatchKind {
    Any,
    All,
}

pub(crate) enum WarpKind {
    Sync,
    Shuffle {
        mode: Shuffle,
        d: Option<u32>,
        p: Option<u32>,
        a: Src,
        b: Src,
        c: Src,
    },
    Vote {
        mode: Vote,
        d: u32,
        p: Pred,
    },
    Match {
        kind: MatchKind,
        d: Option<u32>,
        p: Option<u32>,
        a: Src,
    },
    Reduce {
        f: fn(u32, u32) -> u32,
        d: u32,
        a: Src,
    },
    Elect {
        d: Option<u32>,
        p: u32,
    },
    Mma {
        shape: matrix::Mma,
        d: Box<[u32]>,
        a: Box<[Src]>,
        b: Box<[Src]>,
        c: Box<[Src]>,
        wide: bool,
    },
    Wmma {
        shape: matrix::Wmma,
        d: Box<[u32]>,
        a: Box<[Src]>,
        b: Box<[Src]>,
        c: Box<[Src]>,
        wide: bool,
    },
    WmmaMemory {
        shape: matrix::Wmma,
        operand: matrix::Operand,
        order: matrix::Order,
        address: Address,
        stride: Src,
        registers: Box<[Slot]>,
        wide: bool,
    },
    LoadMatrix {
        address: Address,
        order: matrix::Order,
        d: Box<[u32]>,
    },
    StoreMatrix {
        address: Address,
        order: matrix::Order,
        s: Box<[Src]>,
    },
}

pub(crate) struct CopyAsync {
    pub(crate) to: Address,
    pub(crate) from: Address,
    pub(crate) bytes: usize,
    /// How many bytes are read; the rest become zero.
    pub(crate) source_bytes: Option<Src>,
    pub(crate) ignore: Option<Pred>,
}

pub(crate) struct MemoryBarrier {
    pub(crate) address: Address,
    pub(crate) kind: MemoryBarrierKind,
}

pub(crate) enum MemoryBarrierKind {
    Initialise(Src),
    Invalidate,
    /// `arrive`, `arrive_drop`, each with `.expect_tx`.
    Arrive {
        d: Option<u32>,
        count: Src,
        drop: Use,
        expect: Option<Src>,
    },
    Expect(Src),
    Complete(Src),
    Test {
        p: u32,
        state: Src,
    },
    TestParity {
        p: u32,
        parity: Src,
    },
    /// `cp.async.mbarrier.arrive`.
    AfterCopies,
}

/// A kernel or a device function.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) code: Vec<Inst>,
    pub(crate) rows: u32,
    pub(crate) predicates: u32,
    pub(crate) local_bytes: u64,
    pub(crate) parameters: Vec<Formal>,
    pub(crate) returns: Vec<Formal>,
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ({} instructions)",
            self.name,
            self.code.len()
        )
    }
}
