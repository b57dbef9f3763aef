//! What a kernel is, as data: PTX, needs, buffers, launches, expected contents.

use cudacheck_model::version::{ComputeCapability, PtxIsa, Target};

use crate::table::Table;

/// One kernel of the catalogue.
pub struct Kernel {
    /// The name in suites and reports: `warp-shuffle`.
    pub name: &'static str,
    /// What it exercises, and what its failure tells a maintainer; one sentence.
    pub summary: &'static str,
    /// The module: one file of `kernels/ptx`.
    pub ptx: &'static str,
    /// What the device must offer beyond the PTX header's target.
    pub needs: &'static [Need],
    /// Makes the program for a seed. The same arguments give the same program.
    pub program: fn(&DeviceLimits, seed: u64) -> Program,
}

impl Kernel {
    /// The minimum that the module declares.
    ///
    /// # Panics
    ///
    /// When the module has no well-formed `.version` and `.target`; a test reads every header.
    pub fn header(&self) -> Header {
        Header::read(self.ptx).expect("a test reads the header of every kernel")
    }
}

/// What a PTX module declares about itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// `.version`: the driver must know this instruction set.
    pub isa: PtxIsa,
    /// `.target`: the device must be at least this.
    pub target: Target,
}

impl Header {
    /// Reads `.version` and `.target` of a module.
    pub fn read(ptx: &str) -> Option<Self> {
        let directive = |name: &str| {
            ptx.lines()
                .find_map(|line| {
                    line.trim()
                        .strip_prefix(name)?
                        .split("//")
                        .next()?
                        .split(',')
                        .next()
                })
                .map(str::trim)
        };
        Some(Self {
            isa: directive(".version ")?.parse().ok()?,
            target: directive(".target ")?.parse().ok()?,
        })
    }
}

/// A device attribute with a lower bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Need {
    /// Which attribute.
    pub attribute: Attribute,
    /// Its lowest sufficient value, in the attribute's own unit.
    pub at_least: i32,
}

/// The attributes that kernels depend on, with the numbers of `CUdevice_attribute` in `cuda.h`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i32)]
pub enum Attribute {
    /// Threads of one block.
    MaxThreadsPerBlock = 1,
    /// Bytes of shared memory that a block may use without opting in.
    MaxSharedMemoryPerBlock = 8,
    /// Streaming multiprocessors.
    MultiprocessorCount = 16,
    /// Whether grids can synchronise through `cuLaunchCooperativeKernel`.
    CooperativeLaunch = 95,
    /// Bytes of shared memory that a block may use after opting in.
    MaxSharedMemoryPerBlockOptin = 97,
}

impl Attribute {
    /// The attribute's name in a sentence: `needs … of at least 1`.
    pub fn label(self) -> &'static str {
        match self {
            Self::MaxThreadsPerBlock => "threads per block",
            Self::MaxSharedMemoryPerBlock => "shared memory per block",
            Self::MultiprocessorCount => "multiprocessors",
            Self::CooperativeLaunch => "cooperative launch",
            Self::MaxSharedMemoryPerBlockOptin => "opt-in shared memory per block",
        }
    }
}

/// What a program may depend on. Launch sizes come from here, never from a device's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeviceLimits {
    /// The device's compute capability.
    pub capability: ComputeCapability,
    /// Streaming multiprocessors; a MIG instance has few.
    pub multiprocessors: u32,
    /// Threads of one block.
    pub threads_per_block: u32,
    /// Bytes of shared memory of one block without opting in, usually 48 KiB.
    pub shared_bytes: u32,
    /// Bytes of shared memory of one block after opting in.
    pub shared_bytes_optin: u32,
    /// How many bytes of device memory a memory pattern may take.
    pub memory_budget: u64,
}

/// What to do and what must come out.
pub struct Program {
    /// The buffers, referred to by their index.
    pub buffers: Vec<Buffer>,
    /// Executed in order; then every buffer is compared.
    pub steps: Vec<Step>,
    /// Whether a second run must give the same bits.
    pub rerun: Rerun,
}

/// Whether two runs of a program must agree bit for bit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rerun {
    /// Any difference is a failure of its own kind: the device, not the code, is in doubt.
    BitIdentical,
    /// The result depends on the order in which threads run, as the returned values of atomics do.
    OrderDependent,
}

/// A piece of device memory. The executor puts a red zone on each side and checks it afterwards.
pub struct Buffer {
    /// Its name in reports: `out`.
    pub name: &'static str,
    /// What it holds before the first step.
    pub initial: Initial,
    /// What it must hold after the last.
    pub expected: Expected,
}

impl Buffer {
    /// What the kernel reads and must not change.
    pub fn input(name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            name,
            initial: Initial::Bytes(bytes),
            expected: Expected::Unchanged,
        }
    }

    /// What the kernel writes: exactly these bytes, in elements of so many.
    pub fn output(name: &'static str, bytes: Vec<u8>, element: usize) -> Self {
        Self {
            name,
            initial: Initial::Poison(bytes.len()),
            expected: Expected::Exact { bytes, element },
        }
    }

    /// What the kernel writes: a table of results.
    pub fn table(name: &'static str, table: Table) -> Self {
        Self {
            name,
            initial: Initial::Poison(table.bytes()),
            expected: Expected::Table(table),
        }
    }

    /// What the kernel writes: so many bytes with a property.
    pub fn property(
        name: &'static str,
        length: usize,
        property: impl Fn(&[u8]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            initial: Initial::Poison(length),
            expected: Expected::Property(Box::new(property)),
        }
    }
}

/// What a buffer holds before the first step.
pub enum Initial {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many bytes of `0xA5`: an element that still holds them afterwards was never written.
    Poison(usize),
    /// So many bytes, neither filled nor read back by the host.
    Scratch(u64),
}

/// Looks at a buffer's bytes; the error says what was expected and what was found.
pub type Property = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// What a buffer must hold after the last step.
pub enum Expected {
    /// What it held before: an input.
    Unchanged,
    /// Exactly these bytes; `element` is the size of one element, for the report.
    Exact {
        /// The reference.
        bytes: Vec<u8>,
        /// Bytes of one element: 1, 2, 4, or 8.
        element: usize,
    },
    /// 32-bit floats, each within its own bound; a NaN in the reference asks for any NaN.
    Within32 {
        /// The reference and the absolute bound for each element.
        values: Vec<(f64, f64)>,
    },
    /// A table of results: a row for each thread, a column for each operation.
    Table(Table),
    /// A property that only code can state.
    Property(Property),
    /// Not looked at: scratch memory.
    Anything,
}

/// One action on the device.
pub enum Step {
    /// Launch and wait.
    Launch(Launch),
    /// Fill a module's `.global` or `.const` variable.
    SetGlobal {
        /// The variable's name in the PTX.
        symbol: &'static str,
        /// As many bytes as the variable has.
        bytes: Vec<u8>,
    },
}

/// One kernel launch.
#[derive(Clone)]
pub struct Launch {
    /// The entry's name in the PTX.
    pub entry: &'static str,
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads of a block in x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory; beyond the limit without opting in, the executor opts in.
    pub dynamic_shared: u32,
    /// How it is launched.
    pub kind: LaunchKind,
    /// The entry's parameters in order.
    pub arguments: Vec<Argument>,
}

impl Launch {
    /// A plain launch of blocks in x, enough of them for so many threads.
    pub fn linear(entry: &'static str, threads: u32, block: u32, arguments: Vec<Argument>) -> Self {
        Self {
            entry,
            grid: [threads.div_ceil(block), 1, 1],
            block: [block, 1, 1],
            dynamic_shared: 0,
            kind: LaunchKind::Plain,
            arguments,
        }
    }
}

/// How a kernel is launched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LaunchKind {
    /// `cuLaunchKernel`.
    Plain,
    /// `cuLaunchCooperativeKernel`: all blocks are resident together.
    Cooperative,
}

/// One kernel parameter.
#[derive(Clone)]
pub enum Argument {
    /// The device address of the buffer with this index.
    Buffer(usize),
    /// A value: its bytes, as long as the parameter is.
    Value(Vec<u8>),
}

impl Argument {
    /// A `.u32` parameter.
    pub fn u32(value: u32) -> Self {
        Self::Value(value.to_le_bytes().to_vec())
    }

    /// A `.u64` parameter.
    pub fn u64(value: u64) -> Self {
        Self::Value(value.to_le_bytes().to_vec())
    }

    /// A `.f32` parameter.
    pub fn f32(value: f32) -> Self {
        Self::Value(value.to_le_bytes().to_vec())
    }

    /// A `.f64` parameter.
    pub fn f64(value: f64) -> Self {
        Self::Value(value.to_le_bytes().to_vec())
    }
}
