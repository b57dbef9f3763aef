//! What is known of a compiled module before it runs.

use cudacheck_model::version::{ComputeCapability, PtxIsa};

use super::code::{Constant, Function};

/// What a driver compiles for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JitTarget {
    /// The newest PTX that the driver knows.
    pub isa_max: PtxIsa,
    /// The device.
    pub capability: ComputeCapability,
}

/// A compiled module.
#[derive(Debug)]
pub struct Module {
    pub(crate) entries: Vec<Entry>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) functions: Vec<Function>,
    pub(crate) constants: Vec<Constant>,
    pub(crate) source: String,
}

impl Module {
    /// The kernels, in the order of the text.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The kernel of this name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The module's variables in global and constant memory.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.variables.iter()
    }
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name in the text.
    pub name: String,
    /// Its parameters in order.
    pub parameters: Vec<Parameter>,
    /// Bytes of all parameters, with the padding between them.
    pub parameter_bytes: usize,
    /// Bytes of shared memory that the module declares for it.
    pub static_shared: u32,
    /// Bytes of local memory of one thread, without those of called functions.
    pub local_bytes: u32,
    /// Registers of one thread, in units of 32 bits, estimated from the declarations and capped at 255.
    pub registers: u32,
    /// `.maxntid` or `.reqntid`: threads of one block.
    pub max_threads: Option<u32>,
    /// `.reqntid`: the exact shape of a block.
    pub required_block: Option<[u32; 3]>,
    pub(crate) function: usize,
}

/// A kernel's parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Where it begins in the parameter block.
    pub offset: usize,
    /// Its bytes.
    pub size: usize,
    /// Its alignment.
    pub align: usize,
}

/// A variable that the host can find by its name.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name in the text.
    pub name: String,
    /// Where it lives.
    pub space: Space,
    /// Its bytes.
    pub size: u64,
    /// Its alignment.
    pub align: u64,
    pub(crate) initial: Vec<u8>,
    pub(crate) relocations: Vec<(usize, Symbol)>,
    pub(crate) external: bool,
}

/// What an initial value may point to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Symbol {
    /// A variable by index, plus an offset.
    Variable(usize, i64),
    /// A function by index.
    Function(usize),
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Space {
    /// `.global`.
    Global,
    /// `.const`.
    Const,
}
