//! Runs kernels of the catalogue on the interpreter, in this process.

use std::sync::Arc;

use cudacheck_kernels::{Device, DeviceLimits, Launch, LaunchKind};
use cudacheck_model::version::{ComputeCapability, PtxIsa};
use cudacheck_simulator::exec::{
    Cooperation, ExecFaults, LaunchConfig, Loaded, Memory, SmShape, Statistics, launch,
    resident_blocks,
};
use cudacheck_simulator::ptx::{CompileError, JitTarget, compile};

/// A device of so many multiprocessors, as far as kernels can tell.
pub(crate) fn limits(
    (major, minor): (u32, u32),
    multiprocessors: u32,
    shared_bytes_optin: u32,
) -> DeviceLimits {
    DeviceLimits {
        capability: ComputeCapability::new(major, minor),
        multiprocessors,
        threads_per_block: 1024,
        shared_bytes: 48 << 10,
        shared_bytes_optin,
        memory_budget: 4 << 20,
    }
}

/// One device with one loaded module.
pub(crate) struct Simulated {
    pub(crate) memory: Memory,
    pub(crate) loaded: Loaded,
    pub(crate) limits: DeviceLimits,
    pub(crate) faults: ExecFaults,
    pub(crate) step_limit: Option<u64>,
    pub(crate) statistics: Statistics,
    pub(crate) printed: Vec<u8>,
}

impl Simulated {
    pub(crate) fn new(ptx: &str, limits: &DeviceLimits) -> Result<Self, CompileError> {
        let target = JitTarget {
            isa_max: PtxIsa::new(9, 0),
            capability: limits.capability,
        };
        let module = Arc::new(compile(ptx, &target)?);
        let mut memory = Memory::new(8 << 30);
        let loaded = Loaded::load(module, &mut memory).expect("variables of a test fit");
        Ok(Self {
            memory,
            loaded,
            limits: *limits,
            faults: ExecFaults::default(),
            step_limit: None,
            statistics: Statistics::default(),
            printed: Vec::new(),
        })
    }
}

impl Device for Simulated {
    type Error = String;

    fn allocate(&mut self, bytes: u64) -> Result<u64, String> {
        self.memory
            .allocate(bytes)
            .ok_or_else(|| "out of memory".to_owned())
    }

    fn free(&mut self, address: u64) -> Result<(), String> {
        self.memory.free(address).map_err(|error| error.to_string())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), String> {
        self.memory
            .write(address, bytes)
            .map_err(|error| error.to_string())
    }

    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), String> {
        self.memory
            .read(address, bytes)
            .map_err(|error| error.to_string())
    }

    fn set_global(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), String> {
        let (address, size) = self.loaded.variable(symbol).ok_or("no such variable")?;
        if size != bytes.len() as u64 {
            return Err(format!("`{symbol}` has {size} bytes"));
        }
        self.write(address, bytes)
    }

    fn launch(&mut self, what: &Launch, arguments: &[Vec<u8>]) -> Result<(), String> {
        let entry = self
            .loaded
            .module()
            .entry(what.entry)
            .ok_or("no such entry")?;
        let mut parameters = vec![0; entry.parameter_bytes];
        if arguments.len() != entry.parameters.len() {
            return Err("wrong number of arguments".to_owned());
        }
        for (parameter, bytes) in entry.parameters.iter().zip(arguments) {
            if parameter.size != bytes.len() {
                return Err(format!(
                    "an argument of {} bytes for {}",
                    bytes.len(),
                    parameter.size
                ));
            }
            parameters[parameter.offset..][..parameter.size].copy_from_slice(bytes);
        }
        let config = LaunchConfig {
            grid: what.grid,
            block: what.block,
            dynamic_shared: what.dynamic_shared,
            cooperative: match what.kind {
                LaunchKind::Plain => Cooperation::Plain,
                LaunchKind::Cooperative => Cooperation::Cooperative,
            },
            parameters,
            sm: SmShape {
                multiprocessors: self.limits.multiprocessors,
                threads: 2048,
                blocks: 32,
                shared_bytes: self.limits.shared_bytes_optin.max(self.limits.shared_bytes) + 1024,
                clock_khz: 1_500_000,
            },
            step_limit: self.step_limit,
        };
        let blocks: u64 = what.grid.iter().map(|side| u64::from(*side)).product();
        if config.cooperative == Cooperation::Cooperative
            && blocks > resident_blocks(self.loaded.module(), what.entry, &config)
        {
            return Err("the cooperative grid is too large".to_owned());
        }
        let printed = &mut self.printed;
        let statistics = launch(
            &mut self.memory,
            &self.loaded,
            what.entry,
            &config,
            &self.faults,
            &mut |text| printed.extend_from_slice(text),
        )
        .map_err(|trap| trap.to_string())?;
        self.statistics.thread_instructions += statistics.thread_instructions;
        self.statistics.warp_instructions += statistics.warp_instructions;
        Ok(())
    }
}
